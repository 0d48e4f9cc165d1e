//! The folder of a sweep: its plan, its frozen key list and one folder a repetition. What stands there is all that a sweep remembers.
//!
//! A repetition counts once its record stands; records are put in place whole, after everything else. So a sweep that was killed at any moment
//! goes on with what has no record, in a folder of its own (`-a2`), and nothing is counted twice.

mod beginning;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::attempt::Stopped;
use super::matrix::Planned;
use crate::exit::{Exit, Failure};
use crate::platform::bounded::{DOCUMENT_BYTES, read_text};
use crate::platform::disk;
use crate::results::PLAN_FILE;
use crate::results::record::{FILE_NAME, Record, SweepFacts};

/// What the field `schema` says in the sweep's own file.
const SCHEMA: &str = "parfetch.sweep";
/// Name of the sweep's own file.
pub(super) const SWEEP_FILE: &str = "sweep.json";
/// Name of the key list.
const KEYS_FILE: &str = "keys.tsv";
/// In the folder of an attempt whose tasks may go on without this sweep: which they are. Gone once the attempt has a record, or is known to have ended
/// without one.
pub(super) const LEDGER_FILE: &str = "tasks.json";
/// Tasks that were stopped with a part of the sweep, and have no record.
const STOPPED_FILE: &str = "stopped.json";
/// Held while a sweep runs.
const LOCK_FILE: &str = "lock";

/// The sweep's own file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SweepFile {
    schema: String,
    version: u32,
    facts: SweepFacts,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The file system said no.
    #[error("cannot use {path}: {cause}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another sweep writes there.
    #[error("the sweep in {0} is running already")]
    Busy(PathBuf),
    /// What stands there is not what a sweep leaves.
    #[error("{path} is not what a sweep leaves: {what}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// What stands of one repetition.
#[derive(Debug, PartialEq)]
pub(super) struct RepetitionState {
    /// Of its last attempt that has one.
    pub(super) record: Option<Record>,
    /// Number of the attempt that comes next.
    pub(super) attempt: u32,
    /// Attempts that the platform broke.
    pub(super) broken: u32,
}

/// A sweep's folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// The folders that were made for it, the deepest first.
    made: Vec<PathBuf>,
    opened: Opened,
}

/// For what a folder is open.
#[derive(Debug)]
enum Opened {
    /// To measure: unlocked when it is closed, however the process ends.
    Locked { _lock: File },
    /// To see what is left of a sweep, which may be running: nothing of it is changed. What is started meanwhile has this folder.
    ToLook(TempDir),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError + '_ {
    move |cause| FolderError::Io {
        path: path.to_owned(),
        cause,
    }
}

impl Folder {
    /// Opens `OUT/sweeps/ID`, making it where it is not there.
    pub(super) fn open(root: PathBuf) -> Result<Self, FolderError> {
        let made = disk::missing(&root);
        fs::create_dir_all(&root).map_err(at(&root))?;
        let path = root.join(LOCK_FILE);
        let lock = File::create(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                root,
                made,
                opened: Opened::Locked { _lock: lock },
            }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Busy(root)),
            Err(TryLockError::Error(cause)) => Err(FolderError::Io { path, cause }),
        }
    }

    /// The folder itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of what is started: another one while a sweep is only looked at, which may be running in its own.
    pub(super) fn of_processes(&self) -> &Path {
        match &self.opened {
            Opened::Locked { .. } => &self.root,
            Opened::ToLook(scratch) => scratch.path(),
        }
    }

    /// Whether what is there stays as it is.
    fn is_kept(&self) -> bool {
        self.of_processes() != self.root
    }

    /// The frozen key list.
    pub(super) fn keys_path(&self) -> PathBuf {
        self.root.join(KEYS_FILE)
    }

    /// The facts that the sweep began with, and its plan's text; none for a new one.
    pub(super) fn begun(&self) -> Result<Option<(SweepFacts, String)>, FolderError> {
        let path = self.root.join(SWEEP_FILE);
        let text = match read_text(&path, DOCUMENT_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(FolderError::Io { path, cause }),
        };
        let damaged = |what: String| FolderError::Damaged {
            path: path.clone(),
            what,
        };
        let file: SweepFile =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if file.schema != SCHEMA {
            return Err(damaged(format!("its schema is `{}`", file.schema)));
        }
        let plan = self.root.join(PLAN_FILE);
        let plan = read_text(&plan, DOCUMENT_BYTES).map_err(at(&plan))?;
        Ok(Some((file.facts, plan)))
    }

    /// Writes plan and facts down: from then on the sweep can be resumed.
    pub(super) fn begin(&self, facts: &SweepFacts, plan: &str) -> Result<(), FolderError> {
        self.write(PLAN_FILE, plan)?;
        self.write_facts(facts)
    }

    /// Writes down what the sweep is, by what it has by now.
    pub(super) fn write_facts(&self, facts: &SweepFacts) -> Result<(), FolderError> {
        let file = SweepFile {
            schema: SCHEMA.to_owned(),
            version: 1,
            facts: facts.clone(),
        };
        let text = serde_json::to_string_pretty(&file).expect("facts are plain data") + "\n";
        self.write(SWEEP_FILE, &text)
    }

    /// Writes a file of the sweep, whole or not at all.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), FolderError> {
        if self.is_kept() {
            return Ok(());
        }
        write_atomically(&self.root, name, text)
    }

    /// The checksum in the last line of the key list.
    pub(super) fn keys_checksum(&self) -> Result<Option<String>, FolderError> {
        /// Longer than the last line.
        const TAIL: u64 = 100;
        let path = self.keys_path();
        let read = || {
            let mut file = File::open(&path)?;
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let tail = read().map_err(at(&path))?;
        Ok(tail
            .trim_end()
            .rsplit_once("# sha256 ")
            .map(|(_, sum)| sum.to_owned()))
    }

    /// Where attempt `attempt` of a repetition stands.
    pub(super) fn repetition(&self, planned: &Planned, attempt: u32) -> PathBuf {
        self.root
            .join(planned.cell.slug())
            .join(attempt_folder(planned, attempt))
    }

    /// The record of a repetition, if it is done, and the number of the attempt that comes next: of one whose tasks may go on without this sweep, its
    /// own. What other attempts without a record left is removed, all but their folders: half a result must not be taken for one.
    pub(super) fn look(&self, planned: &Planned) -> Result<RepetitionState, FolderError> {
        let mut attempt = 1;
        let mut broken = 0;
        let mut last: Option<Record> = None;
        while self.repetition(planned, attempt).is_dir() {
            let dir = self.repetition(planned, attempt);
            let path = dir.join(FILE_NAME);
            match read_text(&path, DOCUMENT_BYTES) {
                Ok(text) => {
                    let record =
                        Record::from_json(&text).map_err(|error| FolderError::Damaged {
                            path: path.clone(),
                            what: error.to_string(),
                        })?;
                    broken +=
                        u32::from(record.failure.as_ref().is_some_and(|failure| failure.again));
                    last = Some(record);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if dir.join(LEDGER_FILE).exists()
                        && !self.repetition(planned, attempt + 1).is_dir()
                    {
                        return Ok(RepetitionState {
                            record: last,
                            attempt,
                            broken,
                        });
                    }
                    if !self.is_kept() {
                        empty(&dir)?;
                    }
                }
                Err(cause) => return Err(FolderError::Io { path, cause }),
            }
            attempt += 1;
        }
        Ok(RepetitionState {
            record: last,
            attempt,
            broken,
        })
    }

    /// Superseded ones and those of warm-ups too.
    fn attempts(&self) -> Vec<PathBuf> {
        let folders = |of: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(of)
                .into_iter()
                .flatten()
                .filter_map(Result::ok);
            entries
                .map(|entry| entry.path())
                .filter(|path| path.is_dir())
                .collect()
        };
        let cells = folders(&self.root);
        cells.iter().flat_map(|cell| folders(cell)).collect()
    }

    /// The records of all attempts, superseded ones and warm-ups too.
    pub(super) fn records(&self) -> Result<Vec<Record>, FolderError> {
        let attempts = self.attempts();
        let texts = attempts
            .iter()
            .map(|dir| dir.join(FILE_NAME))
            .filter(|path| path.is_file());
        texts
            .map(|path| {
                let text = read_text(&path, DOCUMENT_BYTES).map_err(at(&path))?;
                Record::from_json(&text).map_err(|error| FolderError::Damaged {
                    path: path.clone(),
                    what: error.to_string(),
                })
            })
            .collect()
    }

    /// Tasks that were stopped with earlier parts of the sweep.
    pub(super) fn stopped(&self) -> Result<Vec<Stopped>, FolderError> {
        let path = self.root.join(STOPPED_FILE);
        match read_text(&path, DOCUMENT_BYTES) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| FolderError::Damaged {
                path,
                what: error.to_string(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(cause) => Err(FolderError::Io { path, cause }),
        }
    }

    /// Writes more of them down.
    pub(super) fn add_stopped(&self, more: Vec<Stopped>) -> Result<(), FolderError> {
        if more.is_empty() {
            return Ok(());
        }
        let all: Vec<Stopped> = self.stopped()?.into_iter().chain(more).collect();
        self.write(
            STOPPED_FILE,
            &(serde_json::to_string(&all).expect("sizes and seconds are plain data") + "\n"),
        )
    }

    /// Whether tasks of an attempt may go on without this sweep.
    pub(super) fn is_going_on(&self, planned: &Planned, attempt: u32) -> bool {
        self.repetition(planned, attempt).join(LEDGER_FILE).exists()
    }

    /// Makes the folder of an attempt, empty.
    pub(super) fn prepare(&self, planned: &Planned, attempt: u32) -> Result<PathBuf, FolderError> {
        let dir = self.repetition(planned, attempt);
        fs::create_dir_all(&dir).map_err(at(&dir))?;
        Ok(dir)
    }
}

/// The name of an attempt's folder in that of its cell.
pub(super) fn attempt_folder(planned: &Planned, attempt: u32) -> String {
    format!("r{:02}-a{attempt}", planned.repetition)
}

fn empty(dir: &Path) -> Result<(), FolderError> {
    fs::remove_dir_all(dir)
        .and_then(|()| fs::create_dir(dir))
        .map_err(at(dir))
}

/// Puts the record of a repetition into its folder: it counts from then on.
pub(super) fn store_record(dir: &Path, record: &Record) -> Result<(), FolderError> {
    let text = record.to_json().expect("a record is plain data");
    // A program may have removed its folder.
    fs::create_dir_all(dir).map_err(at(dir))?;
    write_atomically(dir, FILE_NAME, &text)
}

/// Written beside and renamed: there is never half a file of this name.
pub(super) fn write_atomically(dir: &Path, name: &str, text: &str) -> Result<(), FolderError> {
    let path = dir.join(name);
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(at(&path))
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let hint = match &error {
            FolderError::Io { .. } => "name a folder with room in --out",
            FolderError::Busy(_) => "wait for its end, or choose another --id",
            FolderError::Damaged { .. } => "choose another --id, or move that folder away",
        };
        Self::new(Exit::SetUp, error.to_string()).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Cell, Program};
    use crate::plan::{ClientKind, Mode};
    use crate::sweep::fixture;

    pub(super) fn planned() -> Planned {
        let cell = Cell {
            program: Program::Client(ClientKind::Lean),
            cpu_units: 512,
            memory_mib: 1024,
            mode: Mode::Async,
            concurrency: 4,
            shards: 1,
            factors: crate::plan::Factors::default(),
        };
        Planned {
            cell,
            repetition: 3,
            position: 9,
            amount: None,
        }
    }

    #[test]
    fn one_sweep_at_a_time_writes_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path().join("s")).unwrap();
        assert!(matches!(
            Folder::open(dir.path().join("s")),
            Err(FolderError::Busy(_))
        ));
        drop(first);
        Folder::open(dir.path().join("s")).unwrap();
    }

    #[test]
    fn what_was_begun_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        assert!(folder.begun().unwrap().is_none());
        folder.begin(&fixture::facts(), "seed = 1\n").unwrap();
        assert_eq!(
            folder.begun().unwrap().unwrap(),
            (fixture::facts(), "seed = 1\n".to_owned())
        );
        folder.write(SWEEP_FILE, "{\"schema\":").unwrap();
        assert!(matches!(folder.begun(), Err(FolderError::Damaged { .. })));
    }

    #[test]
    fn whoever_looks_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        folder.begin(&fixture::facts(), "seed = 1\n").unwrap();
        let (of_another, other) = (
            fixture::record(&planned().cell, 7),
            Planned {
                repetition: 7,
                ..planned()
            },
        );
        store_record(&folder.prepare(&other, 1).unwrap(), &of_another).unwrap();
        let half = folder.prepare(&planned(), 1).unwrap().join("half.json");
        fs::write(&half, "{").unwrap();
        // Also while it is measured.
        let seen = Folder::look_at(dir.path().to_owned()).unwrap();
        assert_eq!(seen.begun().unwrap().unwrap().1, "seed = 1\n");
        assert_eq!(seen.look(&planned()).unwrap().attempt, 2);
        seen.write(PLAN_FILE, "seed = 2\n").unwrap();
        assert_eq!(seen.begun().unwrap().unwrap().1, "seed = 1\n");
        assert!(half.is_file() && seen.of_processes() != dir.path());
        let nothing = Folder::look_at(dir.path().join("other")).unwrap();
        assert!(nothing.begun().unwrap().is_none() && !dir.path().join("other").exists());
        nothing.begin(&fixture::facts(), "seed = 3\n").unwrap();
        assert_eq!(nothing.begun().unwrap().unwrap().1, "seed = 3\n");
    }

    #[test]
    fn an_attempt_without_a_record_is_followed_by_another() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        assert_eq!(
            folder.look(&planned()).unwrap(),
            RepetitionState {
                record: None,
                attempt: 1,
                broken: 0
            }
        );
        let cut_off = folder.prepare(&planned(), 1).unwrap();
        assert!(cut_off.ends_with("lean-0.5vcpu-1024mib-async-x4/r03-a1"));
        fs::write(cut_off.join("result_s_async_4.json"), "{").unwrap();
        assert_eq!(
            folder.look(&planned()).unwrap(),
            RepetitionState {
                record: None,
                attempt: 2,
                broken: 0
            }
        );
        assert_eq!(
            fs::read_dir(&cut_off).unwrap().count(),
            0,
            "half a result is none"
        );
        let record = fixture::record(&planned().cell, 3);
        store_record(&folder.prepare(&planned(), 2).unwrap(), &record).unwrap();
        assert_eq!(
            folder.look(&planned()).unwrap(),
            RepetitionState {
                record: Some(record),
                attempt: 3,
                broken: 0
            }
        );
    }

    #[test]
    fn an_attempt_whose_tasks_may_go_on_is_taken_up_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        folder.prepare(&planned(), 1).unwrap();
        let begun = folder.prepare(&planned(), 2).unwrap();
        fs::write(begun.join(LEDGER_FILE), "{}").unwrap();
        assert_eq!(
            folder.look(&planned()).unwrap(),
            RepetitionState {
                record: None,
                attempt: 2,
                broken: 0
            }
        );
        assert!(folder.is_going_on(&planned(), 2) && !folder.is_going_on(&planned(), 1));
        folder.prepare(&planned(), 3).unwrap();
        assert_eq!(
            folder.look(&planned()).unwrap(),
            RepetitionState {
                record: None,
                attempt: 4,
                broken: 0
            },
            "a later attempt is the one that counts"
        );
    }

    #[test]
    fn what_was_stopped_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        let some = |text: &str| -> Vec<Stopped> { serde_json::from_str(text).unwrap() };
        let (one, two) = (
            r#"[{"cpu_units":256,"memory_mib":512,"billed_s":60.0}]"#,
            r#"[{"cpu_units":1024,"memory_mib":2048,"billed_s":75.0}]"#,
        );
        folder.add_stopped(some(one)).unwrap();
        folder.add_stopped(some(two)).unwrap();
        assert_eq!(folder.stopped().unwrap(), [some(one), some(two)].concat());
    }

    #[test]
    fn the_key_list_tells_its_checksum() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().to_owned()).unwrap();
        assert!(folder.keys_checksum().is_err());
        folder
            .write(KEYS_FILE, "# parfetch-keys 1\nabc\t1\t\t\n# sha256 0123\n")
            .unwrap();
        assert_eq!(folder.keys_checksum().unwrap().as_deref(), Some("0123"));
        folder.write(KEYS_FILE, "# parfetch-keys 1\n").unwrap();
        assert_eq!(folder.keys_checksum().unwrap(), None);
    }
}
