//! The program of a started task or job: `parfetch run`, or that of another definition, with what its definition, its overrides and Fargate give it, and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::group::CpuGroup;
use super::setup::Setup;

/// Where programs run.
pub(super) struct Host {
    pub(super) setup: Setup,
    /// Of the stand-in.
    pub(super) url: String,
    pub(super) folder: PathBuf,
}

/// What the metadata endpoint knows of a container.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(super) task_arn: String,
    pub(super) cpu_units: u32,
    pub(super) memory_mib: u32,
    pub(super) revision: u32,
    pub(super) zone: String,
    /// Milliseconds since 1970.
    pub(super) pull_started: u64,
    pub(super) pull_stopped: u64,
    pub(super) started: u64,
    /// What its requests for credentials have to carry.
    pub(super) token: String,
    /// Requests for metadata.
    pub(crate) looks: u32,
    /// Requests for credentials.
    pub(crate) credentials: u32,
}

/// A process that may still run. Killed when dropped, with all it started.
pub(super) struct Process {
    child: Child,
    status: Option<ExitStatus>,
    _group: Option<CpuGroup>,
}

/// What the image of parfetch runs.
pub(super) fn parfetch() -> Vec<String> {
    vec![env!("CARGO_BIN_EXE_parfetch").to_owned(), "run".to_owned()]
}

impl Process {
    /// Starts the container `id`. `environment` is the definition's and the overrides'.
    pub(super) fn start(
        host: &Host,
        id: &str,
        (words, environment): (&[String], &BTreeMap<String, String>),
        facts: &Facts,
    ) -> Self {
        let folder = host.folder.join(id);
        fs::create_dir_all(folder.join("scratch")).unwrap();
        fs::write(folder.join("token"), &facts.token).unwrap();
        let text = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let region = &host.setup.region;
        let log = File::create(text("log")).unwrap();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .current_dir(text("scratch"));
        // The image's own.
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", text("scratch"))
            .env("PARFETCH_SPOOL_DIR", text("scratch"))
            .env("TMPDIR", text("scratch"));
        command
            .env("AWS_REGION", region)
            .env("AWS_DEFAULT_REGION", region)
            .envs(environment);
        command
            .env("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE")
            .env("HOSTNAME", "ip-10-0-0-72.ec2.internal");
        command
            .env(
                "ECS_CONTAINER_METADATA_URI_V4",
                format!("{}/v4/{id}", host.url),
            )
            .env(
                "ECS_CONTAINER_METADATA_URI",
                format!("{}/v3/{id}", host.url),
            );
        command.env("ECS_AGENT_URI", format!("{}/api/{id}", host.url));
        // AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is relative to an address that no test can listen on.
        command.env(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/v2/credentials/{id}", host.url),
        );
        command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", text("token"));
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        let child = command.spawn().unwrap();
        let group = CpuGroup::make(id, facts.cpu_units);
        if let Some(group) = &group {
            group.take(child.id());
        }
        Self {
            child,
            status: None,
            _group: group,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit code once it has ended, by a signal too: 128 and the signal's number.
    pub(super) fn exit_code(&mut self) -> Option<i32> {
        if self.status.is_none() {
            self.status = self.child.try_wait().unwrap();
            // A container ends with its first process, and everything in it.
            if self.status.is_some() {
                let _nothing_left = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            }
        }
        self.status.map(|status| {
            status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap())
        })
    }

    /// SIGTERM goes to the container's first process alone.
    pub(super) fn terminate(&mut self) {
        if self.exit_code().is_none() {
            kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        }
    }

    /// SIGKILL goes to all there are. Gone when this returns.
    pub(super) fn kill(&mut self) {
        if self.exit_code().is_none() {
            kill_process_group(Pid::from_child(&self.child), Signal::KILL).unwrap();
            self.status = Some(self.child.wait().unwrap());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
