//! Where a key of the results bucket lies in its folder. Ordinary keys keep their names; every key has a place of its own, inside the folder.
//!
//! A key's slashes are folders. Characters other than `A-Z a-z 0-9 - _ . = + , @` are percent-encoded, and so is a leading dot; an empty part is
//! `%e`; long parts are cut, the rest going one folder down with `%+` in front. Where a file and a folder need one name (keys `a` and `a/b`), the
//! file has `%` added. On a file system that does not tell case apart, keys that differ in case alone share a place.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'=')
    .remove(b'+')
    .remove(b',')
    .remove(b'@');

/// The longest part of a path, below the 255 bytes of common file systems.
const PART: usize = 200;

/// Stands for an empty part of a key.
const EMPTY: &str = "%e";

/// In front of what is left of a part that was cut.
const CONTINUED: &str = "%+";

/// Behind the name of a file whose own name is taken by a folder.
const ASIDE: &str = "%";

/// The parts of a key's path below the folder; the last is the file.
pub(super) fn parts(key: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in key.split('/') {
        let encoded = encoded(part);
        // All of it is ASCII, so it can be cut anywhere.
        for (nth, piece) in encoded.as_bytes().chunks(PART).enumerate() {
            let piece = String::from_utf8_lossy(piece);
            parts.push(if nth == 0 {
                piece.into_owned()
            } else {
                format!("{CONTINUED}{piece}")
            });
        }
    }
    parts
}

fn encoded(part: &str) -> String {
    if part.is_empty() {
        return EMPTY.to_owned();
    }
    let encoded = utf8_percent_encode(part, KEPT).to_string();
    match encoded.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => encoded,
    }
}

/// The key that lies at a path; none for files that no key leads to.
pub(super) fn key(parts: &[String]) -> Option<String> {
    let mut plain: Vec<String> = parts.to_vec();
    let last = plain.last_mut()?;
    if let Some(name) = last.strip_suffix(ASIDE) {
        *last = name.to_owned();
    }
    let mut joined: Vec<String> = Vec::new();
    for part in &plain {
        match (part.strip_prefix(CONTINUED), joined.last_mut()) {
            (Some(rest), Some(before)) => before.push_str(rest),
            _ => joined.push(part.clone()),
        }
    }
    let decoded: Option<Vec<String>> = joined
        .iter()
        .map(|part| {
            if part == EMPTY {
                Some(String::new())
            } else {
                Some(percent_decode_str(part).decode_utf8().ok()?.into_owned())
            }
        })
        .collect();
    let key = decoded?.join("/");
    (self::parts(&key) == plain).then_some(key)
}

/// The file of a key, when it is there.
pub(super) fn existing(folder: &Path, key: &str) -> Option<PathBuf> {
    let path: PathBuf = std::iter::once(folder.to_owned())
        .chain(parts(key).into_iter().map(PathBuf::from))
        .collect();
    [path.clone(), aside(&path)]
        .into_iter()
        .find(|path| path.is_file())
}

/// Makes room for a key: its folders are made, files in their way moved aside. The caller holds the folder's lock.
pub(super) fn make_room(folder: &Path, key: &str) -> std::io::Result<PathBuf> {
    let parts = parts(key);
    let mut path = folder.to_owned();
    let (last, above) = parts.split_last().expect("a key has at least one part");
    for part in above {
        path.push(part);
        if path.is_file() {
            std::fs::rename(&path, aside(&path))?;
        }
        if !path.is_dir() {
            std::fs::create_dir(&path)?;
        }
    }
    path.push(last);
    Ok(if path.is_dir() { aside(&path) } else { path })
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ASIDE);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_keys_keep_their_names() {
        assert_eq!(
            parts("sweeps/a-1/r01-a1/result_run_async_16.csv"),
            ["sweeps", "a-1", "r01-a1", "result_run_async_16.csv"]
        );
    }

    #[test]
    fn no_key_leaves_the_folder_or_hides_in_it() {
        assert_eq!(parts("../../etc/passwd"), ["%2E.", "%2E.", "etc", "passwd"]);
        assert_eq!(parts("/a//b/"), ["%e", "a", "%e", "b", "%e"]);
        assert_eq!(parts("."), ["%2E"]);
        let long = "x".repeat(400) + "..";
        assert_eq!(parts(&long)[2], "%+..");
    }

    #[test]
    fn a_path_leads_back_to_its_key_and_strangers_to_none() {
        for text in [
            "a",
            "a/b",
            "é".repeat(512).as_str(),
            ".x",
            "a b%20+",
            "%",
            "a%",
            "\n",
            "/",
            "🦀/..",
            "%e",
            "%+x",
            "a/%2B",
        ] {
            assert_eq!(key(&parts(text)).as_deref(), Some(text));
        }
        assert_eq!(key(&["has space".to_owned()]), None);
        assert_eq!(
            key(&["result.csv%".to_owned()]).as_deref(),
            Some("result.csv")
        );
    }

    #[test]
    fn a_key_and_a_key_below_it_both_have_their_place() {
        let folder = tempfile::tempdir().unwrap();
        for key in ["a/b", "a", "c", "c/d", "c/d/e"] {
            std::fs::write(make_room(folder.path(), key).unwrap(), key).unwrap();
        }
        for key in ["a/b", "a", "c", "c/d", "c/d/e"] {
            assert_eq!(
                std::fs::read_to_string(existing(folder.path(), key).unwrap()).unwrap(),
                key
            );
        }
        assert_eq!(existing(folder.path(), "c/d/e/f"), None);
    }
}
