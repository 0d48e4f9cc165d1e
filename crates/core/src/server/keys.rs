//! The keys of the source bucket, computed from their index and never held. Index order is key order, so a listing can begin anywhere.

use super::listing::SortedKeys;
use super::options::{KeyStyle, Options};

/// Most folders of plain keys: enough for a lister that walks prefixes side by side.
const FOLDERS: u64 = 100;

/// Fewest keys that get a folder of their own.
const FOLDER_KEYS: u64 = 1_000;

/// Keys that clients stumble over, of every kind that S3 allows.
const AWKWARD: &[&str] = &[
    " leading space",
    "trailing space ",
    "a  b",
    "a b/c d.txt",
    "plus+sign",
    "a+b c%2Bd",
    "percent%",
    "percent%20encoded",
    "percent%zz",
    "question?mark=1&x=y",
    "hash#fragment",
    "double//slash",
    "triple///slash",
    "/leading-slash",
    "//leading-slashes",
    "./dot",
    "../dotdot",
    "dot/./inside",
    "dot/../inside",
    "dot/end/.",
    "dot/end/..",
    "amp&ersand;",
    "quote'single",
    "quote\"double",
    "less<than>greater",
    "back\\slash",
    "new\nline",
    "carriage\rreturn",
    "tab\tstop",
    "control\u{1}char",
    "delete\u{7f}char",
    "comma,semi;colon:at@dollar$equals=",
    "brackets[]{}()",
    "pipe|caret^backtick`tilde~star*bang!",
    "ünïcödé/日本語/ключ",
    "e\u{301}-decomposed",
    "\u{e9}-composed",
    "emoji-🦀-👩\u{200d}💻",
    "zero-byte/empty",
    "folder/",
    "folder/in folder/",
    "folder/file",
    "folder",
    "data/00/",
    "data/00/000000000.bin/below a plain key",
    "data/00/000000000.bi",
    "data",
    "=formula,\"csv\"",
    "\u{fffd}replacement",
    "\u{10ffff}last",
];

/// What a plain key looks like.
#[derive(Clone, Copy)]
enum KeyLayout {
    /// `data/00/000000123.bin`
    Data,
    /// `p0000/000000123.bin`
    Prefixes,
}

struct Awkward {
    key: String,
    /// Plain keys in front of it.
    plain_before: u64,
}

/// Every key of the source bucket.
pub(super) struct KeySpace {
    plain: u64,
    per_folder: u64,
    layout: KeyLayout,
    awkward: Vec<Awkward>,
}

impl KeySpace {
    pub(super) fn new(options: &Options) -> Self {
        let mut awkward = match options.keys {
            KeyStyle::Plain => Vec::new(),
            KeyStyle::Awkward => specimens(),
        };
        awkward.truncate(usize::try_from(options.objects).unwrap_or(usize::MAX));
        awkward.sort_unstable();
        let plain = options.objects - awkward.len() as u64;
        let (layout, per_folder) = match options.prefixes {
            None => (KeyLayout::Data, FOLDER_KEYS.max(plain.div_ceil(FOLDERS))),
            Some(folders) => (
                KeyLayout::Prefixes,
                plain.div_ceil(u64::from(folders)).max(1),
            ),
        };
        let mut keys = Self {
            plain,
            per_folder,
            layout,
            awkward: Vec::new(),
        };
        keys.awkward = awkward
            .into_iter()
            .map(|key| {
                let plain_before = keys.plain_lower_bound(key.as_bytes());
                Awkward { key, plain_before }
            })
            .collect();
        keys
    }

    /// The index of a key, when the bucket holds it.
    pub(super) fn find(&self, key: &str) -> Option<u64> {
        let found = self.find_plain(key).or_else(|| {
            let j = self
                .awkward
                .binary_search_by(|awkward| awkward.key.as_str().cmp(key))
                .ok()?;
            Some(self.awkward[j].plain_before + j as u64)
        })?;
        Some(found)
    }

    /// True for keys whose object holds no byte, whatever the sizes are: folders and those named so.
    pub(super) fn is_empty_object(key: &str) -> bool {
        key.ends_with('/') || key.ends_with("zero-byte/empty")
    }

    fn find_plain(&self, key: &str) -> Option<u64> {
        let index: u64 = key.rsplit_once('/')?.1.strip_suffix(".bin")?.parse().ok()?;
        let before = self
            .awkward
            .partition_point(|awkward| awkward.plain_before <= index);
        (index < self.plain && self.plain_key(index) == key).then(|| index + before as u64)
    }

    fn plain_key(&self, index: u64) -> String {
        let folder = index / self.per_folder;
        match self.layout {
            KeyLayout::Data => format!("data/{folder:02}/{index:09}.bin"),
            KeyLayout::Prefixes => format!("p{folder:04}/{index:09}.bin"),
        }
    }

    /// Plain keys below `bound`.
    fn plain_lower_bound(&self, bound: &[u8]) -> u64 {
        let (mut low, mut high) = (0, self.plain);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.plain_key(middle).as_bytes() < bound {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Every awkward key, those of 1,024 bytes (S3's limit) too.
fn specimens() -> Vec<String> {
    let long = [
        "long/".to_owned() + &"x".repeat(1_019),
        "é".repeat(512),
        "🦀".repeat(256),
    ];
    AWKWARD
        .iter()
        .map(|key| (*key).to_owned())
        .chain(long)
        .collect()
}

impl SortedKeys for KeySpace {
    fn len(&self) -> u64 {
        self.plain + self.awkward.len() as u64
    }

    fn lower_bound(&self, bound: &[u8]) -> u64 {
        self.plain_lower_bound(bound)
            + self
                .awkward
                .partition_point(|awkward| awkward.key.as_bytes() < bound) as u64
    }

    fn key(&self, index: u64) -> String {
        let mut before = 0;
        let (mut low, mut high) = (0, self.awkward.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.awkward[middle].plain_before + middle as u64 <= index {
                low = middle + 1;
                before = low;
            } else {
                high = middle;
            }
        }
        match before.checked_sub(1).map(|j| (j, &self.awkward[j])) {
            Some((j, awkward)) if awkward.plain_before + j as u64 == index => awkward.key.clone(),
            _ => self.plain_key(index - before as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const MANY_FOLDERS: &str = "objects=2500,keys=awkward,prefixes=300";

    fn keys(text: &str) -> KeySpace {
        KeySpace::new(&text.parse().unwrap())
    }

    #[test]
    fn every_key_is_found_at_its_index_and_keys_ascend() {
        for text in [
            "objects=0",
            "objects=1",
            "objects=2500",
            "objects=5,keys=awkward",
            "objects=120,keys=awkward",
            "objects=300000",
            MANY_FOLDERS,
        ] {
            let keys = keys(text);
            let all: Vec<String> = (0..keys.len()).map(|index| keys.key(index)).collect();
            assert!(
                all.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()),
                "{text}"
            );
            for (index, key) in
                all.iter()
                    .enumerate()
                    .step_by(if all.len() > 10_000 { 97 } else { 1 })
            {
                assert_eq!(keys.find(key), Some(index as u64), "{text}: {key:?}");
                assert_eq!(keys.lower_bound(key.as_bytes()), index as u64);
            }
        }
    }

    #[test]
    fn plain_keys_look_as_documented() {
        assert_eq!(keys("objects=1000").key(123), "data/00/000000123.bin");
        assert_eq!(
            keys("objects=10000000").key(9_999_999),
            "data/99/009999999.bin"
        );
        assert_eq!(
            keys("objects=200000,prefixes=200").key(199_999),
            "p0199/000199999.bin"
        );
        assert_eq!(
            keys("objects=10000000,prefixes=10000").key(1_000),
            "p0001/000001000.bin"
        );
        assert_eq!(keys("objects=2,prefixes=200").key(1), "p0001/000000001.bin");
        assert_eq!(
            keys("objects=2,prefixes=200").find("data/00/000000001.bin"),
            None
        );
        assert_eq!(keys("objects=1000").find("data/00/123.bin"), None);
        assert_eq!(keys("objects=1000").find("data/00/000001000.bin"), None);
    }

    #[test]
    fn specimens_are_distinct_and_within_the_limit() {
        let all = specimens();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(String::len).max(), Some(1_024));
        assert_eq!(all.iter().filter(|key| key.len() == 1_024).count(), 3);
    }
}
