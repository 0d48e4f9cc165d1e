//! Sweeps on ECS against the stand-in of AWS, and the stand-in against the SDK.

mod broken;
mod contenders;
mod contenders_broken;
mod interrupted;
mod plain;
mod recorded;
mod refused;
mod standin;
mod tuned;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::aws::{Aws, Setup, Status, TaskView};
use crate::support::source::{Source, Store};

/// A hang that a test guards against: the whole matrix of the study takes a quarter of an hour.
const DEADLINE: Duration = Duration::from_mins(40);

/// Two cells, each once, besides the warm-up.
const SMALL: [&str; 10] = [
    "--vcpu", "1", "--client", "lean", "--mode", "async", "-c", "1,2", "--repeat", "1",
];
/// The first of them, which the warm-up is of as well.
const FIRST: &str = "lean-1vcpu-2048mib-async-x1";
const SECOND: &str = "lean-1vcpu-2048mib-async-x2";

/// A bucket, the account in which tasks fetch from it, and the folder of the sweep `s`.
struct Scene {
    source: Source,
    aws: Aws,
    out: tempfile::TempDir,
}

/// How a sweep ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A sweep that goes on. Its stderr is read while it does.
struct Going {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: std::thread::JoinHandle<()>,
}

impl Scene {
    /// An account whose tasks start and stop at once, over 20 objects.
    fn new(change: impl FnOnce(Setup) -> Setup) -> Self {
        Self::over(Store::serving("objects=20,size=1KiB"), change)
    }

    fn over(source: Source, change: impl FnOnce(Setup) -> Setup) -> Self {
        let setup = Setup {
            stop_timeout: Duration::from_secs(15),
            ..Setup::over(&source)
        };
        Self {
            aws: Aws::start(change(setup)),
            source,
            out: tempfile::tempdir().unwrap(),
        }
    }

    /// `parfetch sweep` with these words, and nothing of what leads it to ECS.
    fn bare(&self, words: &[&str]) -> Command {
        self.of("s", words)
    }

    /// The same for a sweep of another name.
    fn of(&self, id: &str, words: &[&str]) -> Command {
        let endpoint = &self.source.endpoint;
        let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
        command
            .args(["sweep", "--id", id, "--out"])
            .arg(self.out.path())
            .args(words)
            .env_clear();
        command
            .env("AWS_ACCESS_KEY_ID", &endpoint.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &endpoint.secret_key);
        command
            .env("AWS_REGION", &endpoint.region)
            .env("AWS_ENDPOINT_URL_S3", &endpoint.url)
            .env("HOME", self.out.path());
        for service in [
            "ECS",
            "BATCH",
            "SERVICE_QUOTAS",
            "CLOUDFORMATION",
            "CLOUDWATCH_LOGS",
        ] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), self.aws.url());
        }
        command
    }

    /// On the stack, with consent, and looking often.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.bare(words);
        command.args([
            "--on",
            "ecs",
            "--stack",
            "parfetch",
            "--poll-interval",
            "50ms",
            "--yes",
        ]);
        command
    }

    fn start(&self, words: &[&str]) -> Going {
        Going::of(self.command(words))
    }

    /// Runs it to its end, and fails the test when it ends with another exit code.
    #[track_caller]
    fn sweep(&self, words: &[&str], code: i32) -> Ended {
        let ended = self.start(words).end();
        assert_eq!(
            ended.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}\ntasks: {:#?}",
            ended.stdout,
            ended.stderr,
            self.aws.tasks()
        );
        ended
    }

    /// What `parfetch report` says of the sweep's folder.
    fn report(&self) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_parfetch"))
            .args(["report", "--format", "json"])
            .arg(self.out.path())
            .env_clear()
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Every record by `CELL/rNN-aM`.
    fn records(&self) -> BTreeMap<String, Value> {
        let root = self.out.path().join("sweeps/s");
        let folders = |dir: &Path| {
            let entries = fs::read_dir(dir)
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().path());
            entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
        };
        let attempts = folders(&root)
            .iter()
            .flat_map(|cell| folders(cell))
            .collect::<Vec<_>>();
        let record = |dir: &Path| {
            Some(
                serde_json::from_str(&fs::read_to_string(dir.join("repetition.json")).ok()?)
                    .unwrap(),
            )
        };
        let name = |dir: &Path| {
            dir.strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        attempts
            .iter()
            .filter_map(|dir| Some((name(dir), record(dir)?)))
            .collect()
    }

    /// Why each repetition failed, by `CELL/rNN-aM`; none for one that did not.
    fn failures(&self) -> BTreeMap<String, Option<String>> {
        let reason = |record: &Value| record["failure"]["reason"].as_str().map(str::to_owned);
        self.records()
            .iter()
            .map(|(name, record)| (name.clone(), reason(record)))
            .collect()
    }

    /// Nothing was wrong with any request, no task is left, none was started twice, and no secret went anywhere.
    #[track_caller]
    fn finish(self) {
        let secret = &self.source.endpoint.secret_key;
        for call in ["RunTask", "DescribeTasks", "ListTasks", "StopTask"]
            .iter()
            .flat_map(|operation| self.aws.calls(operation))
        {
            assert!(
                !call.body.to_string().contains(secret),
                "a secret in {call:?}"
            );
        }
        self.aws.finish();
    }
}

impl Going {
    fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, pipe) = (
            Arc::new(Mutex::new(String::new())),
            child.stderr.take().unwrap(),
        );
        let shared = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                *shared.lock().unwrap() += &(line + "\n");
            }
        });
        Self {
            child,
            said,
            reader,
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal)
            .unwrap();
    }

    /// Waits until the tasks of the account are so; a sweep that has ended does nothing more for it.
    #[track_caller]
    fn until(&self, aws: &Aws, wanted: impl Fn(&[TaskView]) -> bool) {
        let ended = || {
            let has_ended = self.reader.is_finished();
            has_ended.then(|| self.said.lock().unwrap().clone())
        };
        aws.wait_while(ended, wanted);
    }

    /// Kills it, as the kernel does when there is no memory left.
    fn kill(mut self) {
        self.signal(rustix::process::Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Waits for its end, and kills it when that is too long.
    fn end(mut self) -> Ended {
        let end = Instant::now() + DEADLINE;
        let mut pipe = self.child.stdout.take().unwrap();
        let stdout = std::thread::spawn(move || std::io::read_to_string(&mut pipe).unwrap());
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("did not end; it said: {}", self.said.lock().unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let code = self.child.wait().unwrap().code();
        self.reader.join().unwrap();
        let stderr = self.said.lock().unwrap().clone();
        Ended {
            code,
            stdout: stdout.join().unwrap(),
            stderr,
        }
    }
}

/// Whether so many tasks run their program.
fn running(count: usize) -> impl Fn(&[TaskView]) -> bool {
    move |tasks| {
        tasks
            .iter()
            .filter(|task| {
                task.status == Status::Running
                    && task
                        .facts
                        .as_ref()
                        .is_some_and(|facts| facts.credentials > 0)
            })
            .count()
            >= count
    }
}

/// Objects that take so long that a task does not end by itself while a test looks.
fn slow() -> Source {
    Store::serving("objects=2000,size=1KiB,ttfb=1s")
}
