//! What the processes of a repetition write to stdout and stderr, in files that stay small: the first and the last MiB of each.
//!
//! They write to files and not into pipes: nothing makes them wait for this process, and they go on when it is gone. While they run, the middle of a
//! long file is given back to the file system.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::plan::variables::is_secret;
use crate::platform::bounded::read_bytes;

/// Bytes that are kept of each end.
const KEPT: u64 = 1024 * 1024;
/// Bytes of a secret at least: what is shorter stands in any text.
const SHORTEST: usize = 8;

/// One of these files.
#[derive(Debug)]
pub(super) struct ProcessLog {
    path: PathBuf,
    file: File,
    /// Where the part ends that was given back.
    freed: u64,
}

impl ProcessLog {
    /// An empty one, and what a process gets as its stdout or stderr.
    pub(super) fn create(path: PathBuf) -> io::Result<(Self, Stdio)> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        let stdio = file.try_clone()?.into();
        Ok((
            Self {
                path,
                file,
                freed: KEPT,
            },
            stdio,
        ))
    }

    /// Gives the middle back, where the file system can.
    pub(super) fn free_middle(&mut self) {
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        let end = length.saturating_sub(KEPT);
        if end < self.freed + KEPT {
            return;
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate};
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if let Err(error) = fallocate(&self.file, flags, self.freed, end - self.freed) {
                tracing::debug!(%error, "the middle of an output stays on disk until its end");
            }
        }
        self.freed = end;
    }

    /// Leaves both ends, with a line between them that says how much is missing.
    pub(super) fn finish(self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let Some(left_out) = length.checked_sub(2 * KEPT).filter(|bytes| *bytes > 0) else {
            return Ok(());
        };
        let mut ends = [0, length - KEPT]
            .map(|start| (start, vec![0; usize::try_from(KEPT).unwrap_or_default()]));
        for (start, bytes) in &mut ends {
            self.file.read_exact_at(bytes, *start)?;
        }
        let [(_, first), (_, last)] = ends;
        let short = self.path.with_extension("short");
        let mut file = File::create(&short)?;
        file.write_all(&first)?;
        write!(file, "\n… {left_out} bytes left out …\n")?;
        file.write_all(&last)?;
        std::fs::rename(short, &self.path)
    }
}

/// Keeps them small for as long as it is polled.
pub(super) async fn keep_small(logs: &mut [ProcessLog], interval: std::time::Duration) {
    let mut interval = tokio::time::interval(interval);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        logs.iter_mut().for_each(ProcessLog::free_middle);
    }
}

/// Puts stars in the place of secrets that a process had in its variables: what failed keeps its output, which is stored with the results.
pub(super) fn hide_secrets(dir: &Path, environment: &[(OsString, OsString)]) {
    let secrets = environment
        .iter()
        .filter(|(name, value)| is_secret(&name.to_string_lossy()) && value.len() >= SHORTEST)
        .map(|(_, value)| value.as_bytes());
    let secrets: Vec<&[u8]> = secrets.collect();
    for name in ["stdout.log", "stderr.log"] {
        let path = dir.join(name);
        // A longer one was not shortened, and is nobody's result.
        let Ok(text) = read_bytes(&path, 4 * KEPT) else {
            continue;
        };
        let hidden = secrets
            .iter()
            .fold(text.clone(), |text, secret| without(&text, secret));
        if hidden != text
            && let Err(error) = std::fs::write(&path, hidden)
        {
            tracing::warn!(%error, "an output may have secrets");
        }
    }
}

fn without(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, secret) {
        found.extend_from_slice(&text[from..at]);
        found.extend_from_slice(b"***");
        from = at + secret.len();
    }
    found.extend_from_slice(&text[from..]);
    found
}

/// Leaves the ends of all of them. What cannot be shortened stays as it is: it is nobody's result.
pub(super) fn finish_all(logs: Vec<ProcessLog>) {
    for log in logs {
        if let Err(error) = log.finish() {
            tracing::warn!(%error, "an output was not shortened");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn output_of(script: &str) -> (tempfile::TempDir, ProcessLog) {
        let dir = tempfile::tempdir().unwrap();
        let (log, stdio) = ProcessLog::create(dir.path().join("stdout.log")).unwrap();
        assert!(
            Command::new("sh")
                .args(["-c", script])
                .stdout(stdio)
                .status()
                .unwrap()
                .success()
        );
        (dir, log)
    }

    #[test]
    fn both_ends_of_a_long_output_are_kept() {
        let (dir, mut log) =
            output_of("echo first; head -c 9000000 /dev/zero | tr '\\0' x; echo; echo last");
        log.free_middle();
        log.finish().unwrap();
        let kept =
            String::from_utf8(std::fs::read(dir.path().join("stdout.log")).unwrap()).unwrap();
        let left_out = 6 + 9_000_000 + 1 + 5 - 2 * 1024 * 1024;
        assert!(kept.starts_with("first\nx") && kept.ends_with("x\nlast\n"));
        assert!(
            kept.contains(&format!("x\n… {left_out} bytes left out …\nx")),
            "{}",
            kept.len()
        );
        assert!(!kept.contains('\0') && kept.len() < 2 * 1024 * 1024 + 100);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_long_output_takes_little_room_while_it_grows() {
        use std::os::unix::fs::MetadataExt;
        let (dir, mut log) = output_of("head -c 64000000 /dev/zero | tr '\\0' x");
        let room = || {
            std::fs::metadata(dir.path().join("stdout.log"))
                .unwrap()
                .blocks()
                * 512
        };
        let before = room();
        log.free_middle();
        // A file system that cannot give back keeps all of it.
        assert!(
            room() < 8_000_000 || room() == before,
            "{} of {before}",
            room()
        );
    }

    #[test]
    fn secrets_of_variables_are_hidden() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stderr.log");
        let pair = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let environment = [
            pair("AWS_SECRET_ACCESS_KEY", "s3cr/et+key"),
            pair("DB_PASSWORD", "short"),
            pair("MODE", "processes"),
        ];
        std::fs::write(
            &path,
            b"\xffa short s3cr/et+key of processes, s3cr/et+key\n",
        )
        .unwrap();
        hide_secrets(dir.path(), &environment);
        assert_eq!(
            std::fs::read(&path).unwrap(),
            b"\xffa short *** of processes, ***\n"
        );
    }

    #[test]
    fn a_short_output_stays_as_it_is() {
        let (dir, mut log) = output_of("head -c 2097152 /dev/zero");
        log.free_middle();
        log.finish().unwrap();
        assert_eq!(
            std::fs::read(dir.path().join("stdout.log")).unwrap(),
            vec![0; 2_097_152]
        );
    }
}
