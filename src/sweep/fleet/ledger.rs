//! What a sweep writes down before it starts tasks: when it is killed, the next one knows which tasks belong to which attempt.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::sweep::folder::{FolderError, LEDGER_FILE, write_atomically};

/// What the field `schema` says.
const SCHEMA: &str = "parfetch.tasks";

/// The tasks of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    schema: String,
    version: u32,
    /// UTC, RFC 3339.
    pub(super) started_at: String,
    /// One a shard.
    pub(super) tasks: Vec<LedgerEntry>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LedgerEntry {
    pub(super) shard: u32,
    /// Starts before it that certainly started nothing.
    pub(super) tries: u32,
    /// None before its start was answered.
    pub(super) arn: Option<String>,
}

impl Ledger {
    pub(super) fn new(started_at: String, tasks: Vec<LedgerEntry>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version: 1,
            started_at,
            tasks,
        }
    }

    /// The ledger of an attempt; none when it was not begun, or its folder holds something else.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, FolderError> {
        let path = dir.join(LEDGER_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(FolderError::Io { path, cause }),
        };
        let ledger: Self = serde_json::from_str(&text).map_err(|error| FolderError::Damaged {
            path: path.clone(),
            what: error.to_string(),
        })?;
        if ledger.schema == SCHEMA {
            Ok(Some(ledger))
        } else {
            Err(FolderError::Damaged {
                path,
                what: format!("its schema is `{}`", ledger.schema),
            })
        }
    }

    /// Puts it in place, whole.
    pub(super) fn write(&self, dir: &Path) -> Result<(), FolderError> {
        let text = serde_json::to_string_pretty(self).expect("a ledger is plain data") + "\n";
        write_atomically(dir, LEDGER_FILE, &text)
    }

    /// Takes it away: nothing of the attempt goes on.
    pub(super) fn remove(dir: &Path) {
        // It was not there: the same.
        let _gone = fs::remove_file(dir.join(LEDGER_FILE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_survives_its_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Ledger::read(dir.path()).unwrap(), None);
        let ledger = Ledger::new(
            "2026-11-21T10:00:00Z".to_owned(),
            vec![LedgerEntry {
                shard: 1,
                tries: 2,
                arn: Some("arn:t".to_owned()),
            }],
        );
        ledger.write(dir.path()).unwrap();
        assert_eq!(Ledger::read(dir.path()).unwrap(), Some(ledger));
        fs::write(dir.path().join(LEDGER_FILE), "{}").unwrap();
        assert!(matches!(
            Ledger::read(dir.path()),
            Err(FolderError::Damaged { .. })
        ));
        Ledger::remove(dir.path());
        assert_eq!(Ledger::read(dir.path()).unwrap(), None);
    }
}
