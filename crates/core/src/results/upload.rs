//! Results that stayed on this machine, on their way to a bucket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::PlaceError;
use crate::store::{Bucket, Replace};

/// Stores every result file below `dir` in `bucket` under `prefix`, summaries last. The keys, in order.
pub async fn upload_folder(
    dir: &Path,
    bucket: &mut Bucket,
    (prefix, replace): (&str, Replace),
) -> Result<Vec<String>, PlaceError> {
    let mut files = Vec::new();
    result_files(dir, &mut files).map_err(|cause| PlaceError::Local {
        path: dir.to_owned(),
        cause,
    })?;
    files.sort_by_key(|path| {
        (
            path.extension().is_some_and(|ending| ending == "json"),
            path.clone(),
        )
    });
    let mut keys = Vec::new();
    for path in files {
        let relative = path
            .strip_prefix(dir)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        let slash = if prefix.is_empty() || prefix.ends_with('/') {
            ""
        } else {
            "/"
        };
        let key = format!("{prefix}{slash}{relative}");
        bucket.store_file(&key, &path, replace).await?;
        keys.push(key);
    }
    Ok(keys)
}

fn result_files(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let is_result = path.file_name().is_some_and(|name| {
            name == super::record::FILE_NAME || name.to_string_lossy().starts_with("result_")
        });
        // A link to a folder above would have no end, nor has a pipe.
        if entry.file_type()?.is_dir() {
            result_files(&path, files)?;
        } else if is_result
            && path
                .extension()
                .is_some_and(|ending| ending == "csv" || ending == "json")
            && path.is_file()
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_result_files_are_uploaded() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        for name in [
            "result_a.csv",
            "sub/result_b.json",
            "notes.txt",
            ".result_a.csv.partial",
            "result_c.txt",
        ] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        // What never ends: a folder in itself, a pipe.
        std::os::unix::fs::symlink(dir.path(), dir.path().join("sub/again")).unwrap();
        std::os::unix::fs::symlink("result_loop.json", dir.path().join("result_loop.json"))
            .unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join("result_pipe.json"),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        let mut files = Vec::new();
        result_files(dir.path(), &mut files).unwrap();
        files.sort();
        assert_eq!(
            files,
            [
                dir.path().join("result_a.csv"),
                dir.path().join("sub/result_b.json")
            ]
        );
    }
}
