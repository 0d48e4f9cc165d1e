//! Runs the program with nothing but what a test gives it, and looks at everything it says the way a strict user would.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

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
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
        command.args(words).env_clear();
        command.env("HOME", folder.path()).env("TMPDIR", folder.path()).current_dir(folder.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
        Self { command, folder }
    }

    /// The same with credentials.
    pub(crate) fn new(words: &[&str]) -> Self {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDTEST"), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", TOKEN), ("AWS_REGION", "us-east-1")];
        Self::bare(words).env(&keys)
    }

    /// A run of one worker over the bucket `source` of this endpoint, into the bucket `results`.
    pub(crate) fn run(server: &Scripted) -> Self {
        Self::run_at(&server.url())
    }

    /// The same at any URL.
    pub(crate) fn run_at(url: &str) -> Self {
        Self::new(&["run", "--progress", "never"]).env(&[
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
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
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
        (self.command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap(), self.folder)
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (reader(child.stdout.take().unwrap()), reader(child.stderr.take().unwrap()));
        Running { child, stdout, stderr, folder: self.folder }
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

/// An invocation that runs. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdout: std::thread::JoinHandle<String>,
    stderr: std::thread::JoinHandle<String>,
    folder: tempfile::TempDir,
}

impl Running {
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for its end, and kills it when that is too long.
    pub(crate) fn end(mut self) -> Said {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("did not end: {}", self.stderr.join().unwrap());
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        let said = Said { status, stdout: self.stdout.join().unwrap(), stderr: self.stderr.join().unwrap(), folder: self.folder };
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
            assert!(!self.stderr.contains(secret), "stderr shows a secret: {}", self.stderr);
            for path in files.iter().filter(|path| path.file_name().is_none_or(|name| name != "profile")) {
                let bytes = fs::read(path).unwrap();
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{} shows a secret", path.display());
            }
        }
    }

    /// Files below the working folder, relative to it, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(self.folder.path(), &mut files);
        let mut names: Vec<_> = files.iter().map(|path| path.strip_prefix(self.folder.path()).unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Lines of stderr that begin so, without that beginning.
    pub(crate) fn lines(&self, beginning: &str) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix(beginning)).collect()
    }

    /// Failed with this code, these two lines and nothing else on stderr but warnings and what the run is; nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, error: &str, hint: &str) -> &Self {
        self.exits(code);
        let rest: Vec<_> = self.stderr.lines().filter(|line| !line.starts_with("warning: ") && !line.starts_with("parfetch s3://")).collect();
        assert_eq!(rest, [format!("error: {error}"), format!("hint: {hint}")], "stderr:\n{}", self.stderr);
        self
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}
