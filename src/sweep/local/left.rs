//! Ends what the processes of a repetition leave behind where no control group holds it: the next one must not share the machine with it.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::platform::usage::family;

/// Looks at what is left; each kill is done when its process is next scheduled.
const LOOKS: u32 = 200;
const LOOK: Duration = Duration::from_millis(5);

/// What belonged to this process before a repetition began: its server.
pub(super) struct Before(Vec<u32>);

impl Before {
    /// From now on this process gets what loses its parent, so that it is found whatever session it is in.
    pub(super) fn now() -> Self {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
            tracing::debug!(%error, "what leaves its session is not found");
        }
        Self(family(std::process::id()))
    }

    /// Ends everything that has come since.
    pub(super) async fn end_others(&self) {
        for _ in 0..LOOKS {
            let all = family(std::process::id());
            let mut others = all
                .into_iter()
                .filter(|pid| !self.0.contains(pid))
                .peekable();
            if others.peek().is_none() {
                return;
            }
            for pid in others.filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
                // Gone already is what was wanted; who is a child of another is waited for later.
                let _gone = kill_process(pid, Signal::KILL);
                let _status = waitpid(Some(pid), WaitOptions::NOHANG);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// In a process of its own, since it ends every child of its process.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_left_its_session_is_ended_too() {
        let alone = "sweep::local::left::tests::ends_what_has_left_its_session";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let status = command.args(["--exact", alone, "--ignored"]).status();
        assert!(status.unwrap().success());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    #[ignore = "the test above starts it"]
    async fn ends_what_has_left_its_session() {
        let before = Before::now();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!(
            "setsid sh -c 'sleep 600 & echo $! > {}.part; mv {0}.part {0}; wait' & exit 0",
            file.display()
        );
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(status.success());
        while !file.exists() {
            tokio::time::sleep(LOOK).await;
        }
        let pid: u32 = std::fs::read_to_string(&file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(family(std::process::id()).contains(&pid));
        before.end_others().await;
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
