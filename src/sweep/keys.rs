//! The frozen key list: listed once, and the same for every cell.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufWriter};
use std::path::Path;

use percent_encoding::percent_decode_str;
use xxhash_rust::xxh3::xxh3_128;

use super::requests::RequestTemplate;
use crate::exit::{Exit, Failure};
use crate::lister::{self, KeyFileWriter};
use crate::model::Law;
use crate::plan::{KeySample, KeySource, Layout, Selection};
use crate::platform::cancel::{Cancelled, cancellable};
use crate::platform::clock::now_ns;
use crate::results::summary::{SampleFacts, StorageClass};
use crate::sample::KeyRecord;
use crate::speed::AssumedSpeed;
use crate::spool::keys::KeyFile;
use crate::store::Bucket;
use crate::units::round_to_u64;

/// What was listed, and what the list holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frozen {
    /// All keys that were listed, whatever the sample; so for bytes and storage classes.
    pub(super) keys: u64,
    pub(super) bytes: Option<u64>,
    pub(super) sha256: String,
    pub(super) storage_classes: BTreeMap<String, StorageClass>,
    /// Listing alone, without writing the file; none where nothing was listed.
    pub(super) listing_ns: Option<u64>,
    pub(super) pages: u64,
    /// The sample that the list is; none = it has every key.
    pub(super) sample: Option<SampleFacts>,
    /// What to know of it.
    pub(super) note: Option<String>,
}

impl Frozen {
    /// URLs, which are in the plan.
    ///
    /// # Errors
    /// When the file of the body cannot be read.
    pub(super) fn of_urls(requests: &RequestTemplate) -> Result<Self, Failure> {
        Ok(Self {
            keys: requests.urls.len() as u64,
            bytes: None,
            sha256: requests.sha256()?,
            storage_classes: BTreeMap::new(),
            listing_ns: None,
            pages: 0,
            sample: None,
            note: None,
        })
    }
}

/// Which keys are listed.
pub(super) struct WantedKeys {
    pub(super) source: KeySource,
    pub(super) prefix: String,
    /// The sample of them that is frozen, and how fast it is thought to be fetched.
    pub(super) sample: Option<(KeySample, AssumedSpeed)>,
    pub(super) order: KeyOrder,
}

/// In which order the list has its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    Listed,
    /// A random one by this seed: what comes first is a random sample.
    Shuffled(u64),
}

/// Lists the keys and writes them to `path`.
pub(super) async fn freeze(
    bucket: &mut Bucket,
    wanted: &WantedKeys,
    path: &Path,
    progress: impl FnMut(u64),
) -> Result<Frozen, Failure> {
    let spool = tempfile::tempdir().map_err(|error| unwritable(&std::env::temp_dir(), &error))?;
    let selection = Selection {
        source: wanted.source.clone(),
        prefix: wanted.prefix.clone(),
        limit: None,
        sample: None,
        shard: None,
    };
    let begin = now_ns();
    let listed = lister::list(bucket, &selection, spool.path(), progress).await?;
    let listing_ns = now_ns().saturating_sub(begin);
    let folder = spool.path().to_owned();
    let storage_classes =
        cancellable(move |cancelled| lister::storage_classes(&KeyFile::open(&folder)?, cancelled))
            .await;
    let storage_classes = storage_classes.map_err(|error| unwritable(spool.path(), &error))?;
    let drawn = match &wanted.sample {
        // Of nothing there is no sample.
        Some((sample, speed)) if listed.keys > 0 => {
            Some(lister::draw(spool.path(), (*sample, listed), speed.clone()).await?)
        }
        _ => None,
    };
    let (sample, note) = drawn.map_or((None, None), |drawn| (drawn.facts, drawn.note));
    let (folder, to, order) = (spool.path().to_owned(), path.to_owned(), wanted.order);
    let sha256 = cancellable(move |cancelled| copy((&folder, order), &to, cancelled))
        .await
        .map_err(|error| unwritable(path, &error))?;
    Ok(Frozen {
        keys: listed.keys,
        bytes: listed.bytes,
        sha256,
        storage_classes,
        listing_ns: Some(listing_ns),
        pages: listed.pages,
        sample,
        note,
    })
}

/// GETs that fetch the first `limit` keys of the list once: a part is one too.
pub(super) fn requests(path: &Path, layout: Layout, limit: Option<u64>) -> Result<u64, Failure> {
    records(path, limit)?.try_fold(0, |sum, line| {
        let line = line.map_err(|error| unreadable(path, &error))?;
        Ok(sum + layout.items_of(line.split('\t').nth(1).and_then(|size| size.parse().ok())))
    })
}

/// The sum of the hashes of keys: the same for the same keys, each as often, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySum(u128);

impl KeySum {
    /// With one key more.
    pub(super) fn add(&mut self, key: &[u8]) {
        self.0 = self.0.wrapping_add(xxh3_128(key));
    }

    /// Of the first `limit` keys of the list.
    pub(super) fn of(path: &Path, limit: Option<u64>) -> Result<Self, Failure> {
        let mut sum = Self::default();
        for line in records(path, limit)? {
            let line = line.map_err(|error| unreadable(path, &error))?;
            let key = line.split('\t').next().unwrap_or_default();
            sum.add(&Cow::from(percent_decode_str(key)));
        }
        Ok(sum)
    }
}

/// The lines of the first `limit` keys of the list.
fn records(
    path: &Path,
    limit: Option<u64>,
) -> Result<impl Iterator<Item = io::Result<String>>, Failure> {
    let lines =
        io::BufReader::new(File::open(path).map_err(|error| unreadable(path, &error))?).lines();
    let keys = lines.filter(|line| line.as_ref().map_or(true, |line| !line.starts_with('#')));
    Ok(keys.take(
        limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX),
    ))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::SetUp,
        format!("cannot read the key list {}: {error}", path.display()),
    )
}

/// Writes the key list, and tells its checksum.
fn copy(
    (spool, order): (&Path, KeyOrder),
    path: &Path,
    cancelled: &Cancelled,
) -> io::Result<String> {
    let mut writer = KeyFileWriter::new(BufWriter::new(File::create(path)?))?;
    let keys = KeyFile::open(spool)?;
    match order {
        KeyOrder::Listed => keys
            .iter()
            .try_for_each(|record| writer.push(&cancelled.check().and(record)?))?,
        KeyOrder::Shuffled(seed) => {
            let mut places: Vec<u64> = (0..keys.count()).collect();
            fastrand::Rng::with_seed(seed).shuffle(&mut places);
            for place in places {
                cancelled.check()?;
                for record in keys.read(place..place + 1)? {
                    writer.push(&record)?;
                }
            }
        }
    }
    Ok(writer.finish()?.1)
}

/// The key list of a model, in the order of its objects.
pub(super) fn freeze_model(law: &Law, path: &Path) -> Result<Frozen, Failure> {
    let write = || {
        let mut writer = KeyFileWriter::new(BufWriter::new(File::create(path)?))?;
        for (number, size) in (0_u64..).zip(law.sizes()) {
            writer.push(&KeyRecord {
                key: format!("{number:08}"),
                size: Some(round_to_u64(size)),
                ..KeyRecord::default()
            })?;
        }
        Ok(writer.finish()?.1)
    };
    let sha256 = write().map_err(|error: io::Error| unwritable(path, &error))?;
    let (keys, bytes) = (law.objects(), round_to_u64(law.bytes()));
    let class = StorageClass {
        objects: keys,
        bytes,
    };
    Ok(Frozen {
        keys,
        bytes: Some(bytes),
        sha256,
        storage_classes: BTreeMap::from([("STANDARD".to_owned(), class)]),
        listing_ns: Some(round_to_u64(law.listing_s() * 1e9)),
        pages: 0,
        sample: None,
        note: None,
    })
}

/// Bytes of the first so many keys of the list, from none to all; `None` where the size of one is not known.
pub(super) fn bytes_of_first(path: &Path) -> Result<Option<Vec<u64>>, Failure> {
    let mut sums = vec![0_u64];
    for line in records(path, None)? {
        let line = line.map_err(|error| unreadable(path, &error))?;
        let size = line.split('\t').nth(1).and_then(|size| size.parse().ok());
        let Some(size) = size else { return Ok(None) };
        let before = sums.last().copied().unwrap_or_default();
        sums.push(before.saturating_add(size));
    }
    Ok(Some(sums))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::SetUp,
        format!("cannot write the key list {}: {error}", path.display()),
    )
    .hint("name a folder with room in --out")
}

/// What a repetition that goes through its keys once has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExpectedKeys {
    pub(super) objects: u64,
    /// Unknown with a limit: sizes are known for the whole list.
    pub(super) bytes: Option<u64>,
    /// Of the keys themselves; known where there are contenders.
    pub(super) keys: Option<KeySum>,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    #[test]
    fn a_part_is_a_request_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.tsv");
        let mut writer = KeyFileWriter::new(File::create(&path).unwrap()).unwrap();
        for (key, size) in [
            ("#a", Some(25)),
            ("b\t", None),
            ("c", Some(0)),
            ("d", Some(10)),
            ("e", Some(11)),
        ] {
            writer
                .push(&KeyRecord {
                    key: key.to_owned(),
                    size,
                    ..KeyRecord::default()
                })
                .unwrap();
        }
        writer.finish().unwrap();
        let layout = Layout {
            part_size: NonZeroU64::new(10),
            ..Layout::default()
        };
        assert_eq!(requests(&path, layout, None).unwrap(), 3 + 1 + 1 + 1 + 2);
        assert_eq!(requests(&path, layout, Some(2)).unwrap(), 4);
        assert_eq!(requests(&path, Layout::default(), None).unwrap(), 5);
        let sum = |keys: &[&str]| {
            let mut sum = KeySum::default();
            for key in keys {
                sum.add(key.as_bytes());
            }
            sum
        };
        let listed = KeySum::of(&path, None).unwrap();
        assert_eq!(
            listed,
            sum(&["e", "c", "b\t", "d", "#a"]),
            "in any order, as they are and not as the list writes them"
        );
        assert_ne!(listed, sum(&["e", "c", "b\t", "d", "d"]), "one twice");
        assert_eq!(KeySum::of(&path, Some(2)).unwrap(), sum(&["b\t", "#a"]));
    }
}
