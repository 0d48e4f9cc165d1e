//! The objects that are to be there, by number: made ones, or copies of the listed originals.

use super::objects::Made;
use super::request::Copied;
use crate::spool::keys::KeyFile;

/// All objects that are to be there.
pub(super) enum FillItems {
    Made(Made),
    Copied(KeyFile, Copied),
}

pub(super) struct FillItem {
    pub(super) number: u64,
    /// Key behind the prefix.
    pub(super) key: String,
    pub(super) size: Option<u64>,
}

impl FillItems {
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Made(made) => made.objects.get(),
            Self::Copied(keys, _) => keys.count(),
        }
    }

    pub(super) fn item(&self, number: u64) -> std::io::Result<FillItem> {
        match self {
            Self::Made(made) => Ok(FillItem {
                number,
                key: Made::key(number),
                size: Some(made.size(number)),
            }),
            Self::Copied(keys, _) => {
                let record = keys
                    .read(number..number + 1)?
                    .pop()
                    .ok_or_else(|| std::io::Error::other("a key is missing"))?;
                Ok(FillItem {
                    number,
                    key: record.key,
                    size: record.size,
                })
            }
        }
    }

    /// What objects of this fill carry.
    pub(super) fn mark(&self) -> String {
        match self {
            Self::Made(made) => made.mark(),
            Self::Copied(_, copied) => format!("copied-1 from={}", copied.from.bucket),
        }
    }
}
