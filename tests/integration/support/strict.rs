//! Runs the program with nothing but what a test gives it, and looks at everything it says the way a strict user would.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::scripted::{DEADLINE, Scripted};

/// Recognisable: must not show anywhere.
pub(crate) const SECRET: &str = "wJalrSECRETthatNOBODYmaySEE0123456789abcd";
/// Recognisable: must not show anywhere.
pub(crate) const TOKEN: &str = "FwoGTOKENthatNOBODYmaySEE0123456789abcdefgh";

/// One invocation, in a folder of its own that is also its HOME.
pub(crate) struct Invocation {
    command: Command,
    folder: tempfile::TempDir,
}

impl Invocation {
    /// `parfetch WORDS…` with no variables but HOME and TMPDIR.
    pub(crate) fn bare(words: &[&str]) -> Self {
        Self::under(&[], words)
    }

    /// The same, started by another program.
    pub(crate) fn under(starter: &[&str], words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program: Vec<&str> = starter
            .iter()
            .copied()
            .chain([env!("CARGO_BIN_EXE_parfetch")])
            .collect();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).args(words).env_clear();
        command
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .current_dir(folder.path());
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        Self { command, folder }
    }

    /// The same with credentials.
    pub(crate) fn new(words: &[&str]) -> Self {
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", TOKEN),
            ("AWS_REGION", "us-east-1"),
        ];
        Self::bare(words).env(&keys)
    }

    /// A run of one worker over the bucket `source` of this endpoint, into the bucket `results`.
    pub(crate) fn run(server: &Scripted) -> Self {
        Self::run_at(&server.url())
    }

    /// The same at any URL.
    pub(crate) fn run_at(url: &str) -> Self {
        Self::new(&["run"]).env(&[
            ("PARFETCH_PROGRESS", "never"),
            ("BUCKET_NAME", "source"),
            ("RESULT_BUCKET_NAME", "results"),
            ("CONCURRENCY", "1"),
            ("AWS_ENDPOINT_URL", url),
        ])
    }

    pub(crate) fn args(mut self, words: &[&str]) -> Self {
        self.command.args(words);
        self
    }

    pub(crate) fn env(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    pub(crate) fn unset(mut self, variables: &[&str]) -> Self {
        for name in variables {
            self.command.env_remove(name);
        }
        self
    }

    /// The working folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the working folder.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    /// Runs it to its end.
    pub(crate) fn go(self) -> Said {
        self.start().end()
    }

    /// Starts it with a stdout of the test's own.
    pub(crate) fn start_into(mut self, stdout: Stdio) -> (Child, tempfile::TempDir) {
        (
            self.command
                .stdout(stdout)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
            self.folder,
        )
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (
            Stream::of(child.stdout.take().unwrap()),
            Stream::of(child.stderr.take().unwrap()),
        );
        Running {
            child,
            stdout,
            stderr,
            folder: self.folder,
        }
    }
}

/// What a pipe says, while it says it.
struct Stream {
    said: Arc<(Mutex<Vec<u8>>, Condvar)>,
    thread: std::thread::JoinHandle<()>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let said = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let shared = Arc::clone(&said);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                shared.0.lock().unwrap().extend_from_slice(&buffer[..count]);
                shared.1.notify_all();
            }
        });
        Self { said, thread }
    }

    fn wait_for(&self, text: &str) {
        let missing = |said: &mut Vec<u8>| !String::from_utf8_lossy(said).contains(text);
        let (said, time) = self
            .said
            .1
            .wait_timeout_while(self.said.0.lock().unwrap(), DEADLINE, missing)
            .unwrap();
        assert!(
            !time.timed_out(),
            "not said in time: {text}; said: {}",
            String::from_utf8_lossy(&said)
        );
    }

    fn end(self) -> String {
        self.thread.join().unwrap();
        String::from_utf8(self.said.0.lock().unwrap().clone()).unwrap()
    }
}

/// An invocation that runs.
pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    folder: tempfile::TempDir,
}

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until stderr says so.
    pub(crate) fn wait_for(&self, text: &str) {
        self.stderr.wait_for(text);
    }

    /// Its child processes.
    pub(crate) fn children(&self) -> Vec<Pid> {
        children_of(self.pid())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end, and kills it when that is too long.
    pub(crate) fn end(self) -> Said {
        self.end_within(DEADLINE)
    }

    /// The same with another idea of too long.
    pub(crate) fn end_within(mut self, time: Duration) -> Said {
        let deadline = Instant::now() + time;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("did not end: {}", self.stderr.end());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let said = Said {
            status,
            stdout: self.stdout.end(),
            stderr: self.stderr.end(),
            folder: self.folder,
        };
        said.keeps_secrets();
        said
    }
}

/// What it said, and what it left.
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) folder: tempfile::TempDir,
}

impl Said {
    fn keeps_secrets(&self) {
        let mut files = Vec::new();
        walk(self.folder.path(), &mut files);
        for secret in [SECRET, TOKEN] {
            assert!(!self.stdout.contains(secret), "stdout shows a secret");
            assert!(
                !self.stderr.contains(secret),
                "stderr shows a secret: {}",
                self.stderr
            );
            for path in files
                .iter()
                .filter(|path| path.file_name().is_none_or(|name| name != "profile"))
            {
                let bytes = fs::read(path).unwrap();
                assert!(
                    !bytes
                        .windows(secret.len())
                        .any(|window| window == secret.as_bytes()),
                    "{} shows a secret",
                    path.display()
                );
            }
        }
    }

    /// Files below the working folder, relative to it, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(self.folder.path(), &mut files);
        let mut names: Vec<_> = files
            .iter()
            .map(|path| {
                path.strip_prefix(self.folder.path())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(
            self.status.code(),
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Lines of stderr that begin so, without that beginning.
    pub(crate) fn lines(&self, beginning: &str) -> Vec<&str> {
        self.stderr
            .lines()
            .filter_map(|line| line.strip_prefix(beginning))
            .collect()
    }

    /// Failed with this code, these two lines and nothing else on stderr but warnings and what the run is; nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, error: &str, hint: &str) -> &Self {
        self.exits(code);
        let rest: Vec<_> = self
            .stderr
            .lines()
            .filter(|line| !line.starts_with("warning: ") && !line.starts_with("parfetch s3://"))
            .collect();
        assert_eq!(
            rest,
            [format!("error: {error}"), format!("hint: {hint}")],
            "stderr:\n{}",
            self.stderr
        );
        self
    }
}

/// The child processes of a process.
pub(crate) fn children_of(pid: Pid) -> Vec<Pid> {
    let children =
        fs::read_to_string(format!("/proc/{0}/task/{0}/children", pid.as_raw_nonzero())).unwrap();
    children
        .split_whitespace()
        .filter_map(|pid| Pid::from_raw(pid.parse().unwrap()))
        .collect()
}

/// Waits until this process is gone; one that nobody has buried yet is.
#[track_caller]
pub(crate) fn gone(pid: Pid) {
    let deadline = Instant::now() + DEADLINE;
    let stat = format!("/proc/{}/stat", pid.as_raw_nonzero());
    while fs::read_to_string(&stat).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
    }) {
        assert!(Instant::now() < deadline, "process {pid:?} lives on");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(&path, files);
        } else if path.is_file() {
            // A pipe would keep its reader waiting.
            files.push(path);
        }
    }
}
