//! Which objects are copied: a random sample of a listing, without what one request cannot copy.

use std::collections::BTreeMap;
use std::path::Path;

use super::request::{Copied, LeftOut};
use crate::event::FillEvent;
use crate::exit::{Exit, Failure};
use crate::lister::{self, Listed};
use crate::plan::{KeySource, Selection};
use crate::platform::cancel::{Cancelled, cancellable};
use crate::results::summary::StorageClass;
use crate::sample::KeyRecord;
use crate::speed::{AssumedSpeed, Configuration, Store};
use crate::spool::keys::{KeyFile, KeyWriter};
use crate::store::{Bucket, WHOLE_BYTES};

/// Longest key of S3, in bytes.
const KEY_BYTES: usize = 1_024;
/// Folder in which the copied keys are written.
const FOLDER: &str = "copied";

pub(super) struct Originals {
    /// Their keys.
    pub(super) keys: KeyFile,
    pub(super) left_out: LeftOut,
    /// LIST requests.
    pub(super) pages: u64,
    /// Keys and bytes by storage class.
    pub(super) classes: BTreeMap<String, StorageClass>,
}

/// Lists, draws, and leaves out what cannot be copied. Keys are `prefix` and the whole key of the original.
pub(super) async fn find(
    (copied, prefix): (&Copied, &str),
    (bucket, spool): (&mut Bucket, &Path),
    on_event: &mut dyn FnMut(&FillEvent),
) -> Result<Originals, Failure> {
    let selection = Selection {
        source: KeySource::Listing,
        prefix: copied.from.key.clone(),
        limit: None,
        sample: None,
        shard: None,
    };
    let listed = lister::list(bucket, &selection, spool, |keys| {
        on_event(&FillEvent::Listing { keys });
    })
    .await?;
    if listed.keys == 0 {
        let message = format!("there are no keys under {}", copied.from);
        return Err(Failure::new(Exit::SetUp, message)
            .hint("check the bucket and the prefix behind --from"));
    }
    if let Some(sample) = copied.sample {
        let drawn = lister::draw(spool, (sample, listed), speed()).await?;
        if let Some(note) = drawn.note {
            on_event(&FillEvent::Warning(note));
        }
    }
    let (spool, prefix) = (spool.to_owned(), prefix.to_owned());
    cancellable(move |cancelled| choose(&spool, &prefix, listed, cancelled))
        .await
        .map_err(|error| unusable(&error))
}

/// What `auto` is meant for: the fastest configuration of a sweep as it comes.
fn speed() -> AssumedSpeed {
    AssumedSpeed {
        store: Store::Distant,
        configurations: vec![Configuration {
            vcpu: 4.0,
            concurrency: 16.0,
            shards: 1.0,
        }],
    }
}

fn choose(
    spool: &Path,
    prefix: &str,
    listed: Listed,
    cancelled: &Cancelled,
) -> std::io::Result<Originals> {
    let folder = spool.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let mut writer = KeyWriter::create(&folder)?;
    let mut left_out = LeftOut::default();
    for record in KeyFile::open(spool)?.iter() {
        let record = cancelled.check().and(record)?;
        if let Some(count) = reason(&record, prefix) {
            *count(&mut left_out) += 1;
            continue;
        }
        writer.push(&record)?;
    }
    writer.finish()?;
    let keys = KeyFile::open(&folder)?;
    let classes = lister::storage_classes(&keys, cancelled)?;
    Ok(Originals {
        keys,
        left_out,
        pages: listed.pages,
        classes,
    })
}

/// Why an original is left out, as the count that it belongs to.
fn reason(record: &KeyRecord, prefix: &str) -> Option<fn(&mut LeftOut) -> &mut u64> {
    if record.is_archived() {
        Some(|left_out| &mut left_out.archived)
    } else if record.size.is_some_and(|size| size > WHOLE_BYTES) {
        Some(|left_out| &mut left_out.large)
    } else if prefix.len() + record.key.len() > KEY_BYTES {
        Some(|left_out| &mut left_out.long)
    } else {
        None
    }
}

pub(super) fn unusable(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::SetUp,
        format!("cannot use the key spool file: {error}"),
    )
    .hint("name a folder with room in TMPDIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_copied_is_left_out_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = KeyWriter::create(dir.path()).unwrap();
        let record = |key: &str, size, class: &str| KeyRecord {
            key: key.to_owned(),
            size: Some(size),
            storage_class: class.to_owned(),
            ..KeyRecord::default()
        };
        for record in [
            record("a", 1, ""),
            record("b", WHOLE_BYTES, "STANDARD_IA"),
            record("c", WHOLE_BYTES + 1, ""),
            record("d", 1, "GLACIER"),
            record(&"e".repeat(1_020), 1, ""),
            record(&"f".repeat(1_021), 1, ""),
        ] {
            writer.push(&record).unwrap();
        }
        writer.finish().unwrap();
        let found = choose(dir.path(), "new/", Listed::default(), &Cancelled::default()).unwrap();
        assert_eq!(
            found.left_out,
            LeftOut {
                large: 1,
                archived: 1,
                long: 1
            }
        );
        assert_eq!(found.keys.count(), 3);
        let class = |name: &str, objects, bytes| (name.to_owned(), StorageClass { objects, bytes });
        assert_eq!(
            found.classes,
            BTreeMap::from([
                class("STANDARD", 2, 2),
                class("STANDARD_IA", 1, WHOLE_BYTES)
            ])
        );
        assert_eq!(
            found.left_out.in_words(),
            "1 larger than 5 GiB, 1 archived, 1 with a key too long behind the prefix"
        );
    }
}
