//! What a contender leaves on this machine: where its CSV is found, or its time alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::attempt::Attempt;
use super::super::contender_result::{most_bytes, take_csv};
use super::super::environment::RunTemplate;
use super::super::keys::ExpectedKeys;
use super::launch::last_lines;
use crate::results::record::{Record, RepetitionFailure};
use crate::store::Bucket;

/// Lines of stderr that are kept of a repetition that failed.
const LINES: usize = 10;

/// Where a contender may write its CSV, which it stores under this key elsewhere: the value of `PARFETCH_OUT`.
pub(super) fn out_path(attempt: &Attempt, key: &str) -> PathBuf {
    attempt.dir.join(key.rsplit('/').next().unwrap_or(key))
}

/// Reads the CSV that a contender left under this key, and checks that it fetched what it should.
pub(super) async fn add_result(
    record: &mut Record,
    (attempt, key): (&Attempt, &str),
    (template, results): (&RunTemplate, Option<&mut Bucket>),
    expected: Option<ExpectedKeys>,
) {
    if record.failure.is_some() {
        return;
    }
    let csv = CsvPlace {
        path: &out_path(attempt, key),
        key,
        most: most_bytes(expected),
    };
    let wrong = match find(&csv, (template, results)).await {
        Err(why) => Some(why),
        Ok(()) => take_csv(record, csv.path, expected),
    };
    record.failure = wrong.map(|reason| RepetitionFailure {
        reason,
        exit_code: None,
        stderr: last_lines(&attempt.dir, LINES),
        again: false,
        is_of_size: false,
    });
}

/// Where a CSV is, and how long it may be.
struct CsvPlace<'a> {
    path: &'a Path,
    /// In the results bucket.
    key: &'a str,
    most: u64,
}

/// Puts the CSV where it belongs: the program wrote it there, or stored it in the results bucket.
async fn find(
    CsvPlace { path, key, most }: &CsvPlace<'_>,
    (template, results): (&RunTemplate, Option<&mut Bucket>),
) -> Result<(), String> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if take_from_folder(path, &name).map_err(|error| format!("{name}: {error}"))? {
        drop_others(template, key);
        return Ok(());
    }
    let why = match (template.results_dir(), results) {
        (Some(folder), _) => {
            let renamed = fs::rename(folder.join(key), path);
            drop_others(template, key);
            renamed.err().map(|error| error.to_string())
        }
        (None, Some(bucket)) => bucket
            .read_to_file_within(key, path, *most)
            .await
            .err()
            .map(|error| error.message),
        (None, None) => {
            return Err(
                "wrote no CSV to the file that PARFETCH_OUT names, and there is no results bucket"
                    .to_owned(),
            );
        }
    };
    match why {
        Some(why) => Err(format!(
            "stored no result {key} in the results bucket, and wrote none to PARFETCH_OUT: {why}"
        )),
        None => Ok(()),
    }
}

/// What is left in the embedded server's bucket. For parfetch as a contender that is a summary, which would be taken for a run of its own.
fn drop_others(template: &RunTemplate, key: &str) {
    if let Some(folder) = template.results_dir() {
        let csv = folder.join(key);
        for path in [csv.with_extension("json"), csv] {
            let _gone = fs::remove_file(path);
        }
    }
}

/// What is wrong with what a program put in the place of its CSV.
fn not_a_file(found: &fs::Metadata) -> io::Error {
    let what = if found.is_symlink() {
        "a link"
    } else {
        "neither a file nor a folder"
    };
    io::Error::other(format!(
        "PARFETCH_OUT is {what}, and the CSV itself has to be there"
    ))
}

/// Whether it stands there. For parfetch as a contender the variable names a folder, so it is looked for in a folder of this name too.
fn take_from_folder(path: &Path, name: &str) -> io::Result<bool> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(false);
    };
    if found.is_file() {
        return Ok(true);
    }
    if !found.is_dir() {
        fs::remove_file(path)?;
        return Err(not_a_file(&found));
    }
    let folder = path.with_extension("folder");
    fs::rename(path, &folder)?;
    let inner = folder.join(name);
    let is_there = fs::symlink_metadata(&inner).is_ok_and(|found| found.is_file());
    if is_there {
        fs::rename(inner, path)?;
    }
    // Whatever else is in it would be taken for results of their own.
    fs::remove_dir_all(&folder)?;
    if !is_there {
        return Err(io::Error::other(format!(
            "PARFETCH_OUT names the file of the CSV, and the program made a folder there, without {name} in it"
        )));
    }
    Ok(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_is_found_in_a_folder_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("result_a.csv");
        assert!(!take_from_folder(&path, "result_a.csv").unwrap());
        fs::create_dir(&path).unwrap();
        fs::write(path.join("result_a.csv"), "rows").unwrap();
        fs::write(path.join("result_a.json"), "{}").unwrap();
        assert!(take_from_folder(&path, "result_a.csv").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "rows");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(take_from_folder(&path, "result_a.csv").unwrap(), "a file");
    }

    #[test]
    fn a_folder_without_the_csv_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("result_a.csv");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("other.csv"), "rows").unwrap();
        let error = take_from_folder(&path, "result_a.csv").unwrap_err();
        assert_eq!(
            error.to_string(),
            "PARFETCH_OUT names the file of the CSV, and the program made a folder there, without result_a.csv in it"
        );
    }

    #[test]
    fn a_link_in_the_place_of_a_csv_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("result_a.csv"), dir.path().join("other"));
        fs::write(&other, "rows").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let error = take_from_folder(&path, "result_a.csv").unwrap_err();
        assert_eq!(
            error.to_string(),
            "PARFETCH_OUT is a link, and the CSV itself has to be there"
        );
        assert!(!path.exists() && other.is_file());
    }
}
