//! What the end of a task, or a refusal to start one, means for its repetition. Pure.
//!
//! The words are those that AWS documents and that people saw; what is not known fails one repetition and no more.

use crate::cell::memory_gb;
use crate::cloud::{CloudError, CloudErrorKind, Refusal, TaskSeen};
use crate::exit::ChildExit;

/// What the reason begins with where the limit of memory ended it.
pub(super) const OUT_OF_MEMORY: &str = "out of memory";
/// Exit code of what was killed, mostly for its memory.
pub(super) const KILLED: i32 = 137;

/// Whether another attempt can end better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The platform broke it, not the run.
    Yes,
    /// It would end the same way.
    No,
}

/// Why a task gave no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TaskFailure {
    /// One line.
    pub(super) reason: String,
    /// Of the container, where it has one.
    pub(super) exit_code: Option<i32>,
    /// Whether another attempt can end better.
    pub(super) again: Again,
    /// Whether a complete summary in the results bucket proves the opposite: the state of a task is a hint, its result is the truth.
    pub(super) is_hint: bool,
}

impl TaskFailure {
    /// Broken for good, whatever lies in the bucket.
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            exit_code: None,
            again: Again::No,
            is_hint: false,
        }
    }

    /// Whether no result can prove the opposite: none was begun, or the program itself said so.
    pub(super) fn is_for_good(&self) -> bool {
        !self.is_hint || self.exit_code.is_some()
    }

    /// What ECS says, where a result says more.
    pub(super) fn hint(reason: impl Into<String>, again: Again) -> Self {
        Self {
            again,
            is_hint: true,
            ..Self::new(reason)
        }
    }
}

/// What to do after a task was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotStarted {
    /// Nothing was started; later it may be.
    Later(String),
    /// It was not heard: the same request again.
    Busy(String),
    /// Whether something was started is not known: the same request again, under the same token.
    Unclear(String),
    /// This size does not fit the account.
    NoSuchSize(String),
    /// This repetition fails.
    Fails(String),
    /// The same token started these before.
    Already(Vec<String>),
    /// No task of this sweep can be started.
    Ends(CloudError),
}

/// An entry of `failures[]`.
pub(super) fn refused(refusal: &Refusal) -> NotStarted {
    let text = if refusal.detail.is_empty() {
        refusal.reason.clone()
    } else {
        format!("{} ({})", refusal.reason, refusal.detail)
    };
    if is_of_capacity(&text) {
        NotStarted::Later(text)
    } else if is_of_size(&text) {
        NotStarted::NoSuchSize(text)
    } else {
        NotStarted::Fails(text)
    }
}

/// A `RunTask` call that failed.
pub(super) fn failed(error: CloudError) -> NotStarted {
    match error.kind {
        CloudErrorKind::Throttled => NotStarted::Busy(error.message),
        CloudErrorKind::Unclear => NotStarted::Unclear(error.message),
        CloudErrorKind::Conflict if !error.resources.is_empty() => {
            NotStarted::Already(error.resources)
        }
        _ if is_of_capacity(&error.message) => NotStarted::Later(error.message),
        _ if is_of_size(&error.message) => NotStarted::NoSuchSize(error.message),
        CloudErrorKind::Denied | CloudErrorKind::NotFound => NotStarted::Ends(error),
        _ => match hint_for_every_task(&error) {
            Some(hint) => NotStarted::Ends(CloudError {
                hint: hint.to_owned(),
                ..error
            }),
            None => NotStarted::Fails(error.message),
        },
    }
}

/// What to try where a refusal holds for every task of the sweep.
fn hint_for_every_task(error: &CloudError) -> Option<&'static str> {
    if error.code == "BlockedException" {
        return Some("AWS blocked this account: its Support Center says why");
    }
    let text = error.message.to_ascii_lowercase();
    text.contains("capacity provider").then_some(
        "add FARGATE_SPOT to the cluster (aws ecs put-cluster-capacity-providers), or use --capacity on-demand",
    )
}

/// A size that the account never takes.
fn is_of_size(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "above your limit",
        "no fargate configuration exists",
        "quota",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// What there may be later: capacity, and what the account runs at once, as every other Fargate task of the account in this region counts too.
fn is_of_capacity(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("capacity is unavailable")
        || text.contains("no capacity")
        || text.contains("you can run concurrently")
        || text.starts_with("resource:")
}

/// Whose exit code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskProgram {
    /// parfetch's: its figures count also where fetches failed.
    Parfetch,
    /// Another program's: 0 alone is good.
    Contender,
}

impl TaskProgram {
    fn has_ended_well(self, exit: ChildExit) -> bool {
        match self {
            Self::Parfetch => exit.has_figures(),
            Self::Contender => exit == ChildExit::Good,
        }
    }

    /// What an exit code says: 3 is parfetch's own.
    fn words(self, exit: ChildExit) -> String {
        match (self, exit) {
            (Self::Contender, ChildExit::FetchesFailed) => "exit code 3".to_owned(),
            (_, exit) => exit.to_string(),
        }
    }
}

/// How a task ended that ECS calls `STOPPED`.
pub(super) fn stopped(
    task: &TaskSeen,
    (program, memory_mib): (TaskProgram, u32),
) -> Result<(), TaskFailure> {
    let (code, why) = (
        task.stop_code.as_deref().unwrap_or_default(),
        task.stopped_reason.as_deref().unwrap_or_default(),
    );
    let container = task.container_reason.as_deref().unwrap_or_default();
    let broken = |reason: String, again| TaskFailure {
        exit_code: task.exit_code,
        ..TaskFailure::hint(reason, again)
    };
    let exit = task.exit_code.map(ChildExit::of);
    if exit.is_some_and(|exit| program.has_ended_well(exit)) {
        return Ok(());
    }
    if container.starts_with("OutOfMemory") || why.starts_with("OutOfMemory") {
        return Err(broken(
            format!(
                "{OUT_OF_MEMORY}: it was ended at the limit of {} GB",
                memory_gb(memory_mib)
            ),
            Again::No,
        ));
    }
    Err(match (code, exit) {
        ("SpotInterruption" | "TerminationNotice", _) => {
            broken("Spot took its capacity back".to_owned(), Again::Yes)
        }
        ("InfrastructureHealth", _) => broken(
            format!("the machine below it failed: {}", said(why)),
            Again::Yes,
        ),
        ("TaskFailedToStart", None) => {
            let said = said(if container.is_empty() { why } else { container });
            let again = if said.contains("CannotPull") {
                Again::No
            } else {
                Again::Yes
            };
            broken(format!("did not start: {said}"), again)
        }
        ("UserInitiated", _) if why.starts_with("parfetch: the sweep was ended") => broken(
            "an earlier part of the sweep stopped it".to_owned(),
            Again::Yes,
        ),
        ("UserInitiated", _) => broken(format!("somebody stopped it: {}", said(why)), Again::No),
        (_, Some(exit @ ChildExit::Terminated)) => broken(format!("ended with {exit}"), Again::Yes),
        (_, Some(exit @ ChildExit::Killed)) => broken(format!("ended with {exit}"), Again::No),
        (_, Some(exit)) => TaskFailure {
            is_hint: false,
            ..broken(format!("ended with {}", program.words(exit)), Again::No)
        },
        (_, None) => broken(
            format!(
                "stopped without an exit code: {}",
                said(if why.is_empty() { code } else { why })
            ),
            Again::Yes,
        ),
    })
}

fn said(text: &str) -> String {
    let text = text.trim().trim_end_matches('.').replace('\n', " ");
    if text.is_empty() {
        "ECS says no more".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(
        stop_code: &str,
        exit_code: Option<i32>,
        (container, stopped): (&str, &str),
    ) -> TaskSeen {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        TaskSeen {
            stop_code: some(stop_code),
            exit_code,
            container_reason: some(container),
            stopped_reason: some(stopped),
            ..TaskSeen::default()
        }
    }

    #[track_caller]
    fn broken(stop_code: &str, exit_code: Option<i32>, said: (&str, &str)) -> (String, Again) {
        let broken = stopped(
            &task(stop_code, exit_code, said),
            (TaskProgram::Parfetch, 2_048),
        )
        .unwrap_err();
        (broken.reason, broken.again)
    }

    #[test]
    fn an_end_is_told_by_what_broke() {
        let exited = "EssentialContainerExited";
        assert_eq!(
            stopped(
                &task(exited, Some(0), ("", "Essential container in task exited")),
                (TaskProgram::Contender, 1)
            ),
            Ok(())
        );
        let with_failures = task(exited, Some(3), ("", ""));
        assert_eq!(stopped(&with_failures, (TaskProgram::Parfetch, 1)), Ok(()));
        assert!(stopped(&with_failures, (TaskProgram::Contender, 1)).is_err());
        let oom = broken(
            exited,
            Some(137),
            ("OutOfMemoryError: Container killed due to memory usage", ""),
        );
        assert_eq!(
            oom,
            (
                "out of memory: it was ended at the limit of 2 GB".to_owned(),
                Again::No
            )
        );
        assert_eq!(
            broken(exited, Some(137), ("", "")).0,
            "ended with exit code 137, killed: out of memory, most likely"
        );
        assert_eq!(
            broken(
                "TerminationNotice",
                Some(143),
                ("", "Your Spot Task was interrupted.")
            )
            .1,
            Again::Yes
        );
        assert_eq!(
            broken("SpotInterruption", None, ("", "")),
            ("Spot took its capacity back".to_owned(), Again::Yes)
        );
        let pull = broken(
            "TaskFailedToStart",
            None,
            (
                "CannotPullContainerError: not found",
                "Task failed to start",
            ),
        );
        assert_eq!(
            pull,
            (
                "did not start: CannotPullContainerError: not found".to_owned(),
                Again::No
            )
        );
        assert_eq!(
            broken(
                "TaskFailedToStart",
                None,
                ("", "Timeout waiting for network interface provisioning.")
            )
            .1,
            Again::Yes
        );
        assert_eq!(
            broken("UserInitiated", Some(143), ("", "by hand")),
            ("somebody stopped it: by hand".to_owned(), Again::No)
        );
        assert_eq!(
            broken(
                "UserInitiated",
                Some(143),
                ("", "parfetch: the sweep was ended")
            )
            .1,
            Again::Yes
        );
        assert_eq!(
            broken(exited, Some(4), ("", "")),
            ("ended with exit code 4".to_owned(), Again::No)
        );
        assert_eq!(
            broken("", None, ("", "")).0,
            "stopped without an exit code: ECS says no more"
        );
    }

    #[test]
    fn a_refusal_is_told_by_its_text() {
        let refused = |reason: &str| {
            refused(&Refusal {
                reason: reason.to_owned(),
                detail: String::new(),
            })
        };
        let capacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
        assert_eq!(refused(capacity), NotStarted::Later(capacity.to_owned()));
        for what in ["vCPUs", "tasks"] {
            let text = format!(
                "You've reached the limit on the number of {what} you can run concurrently"
            );
            assert_eq!(refused(&text), NotStarted::Later(text.clone()));
        }
        assert!(matches!(
            refused("The requested CPU configuration is above your limit"),
            NotStarted::NoSuchSize(_)
        ));
        assert!(matches!(refused("AGENT"), NotStarted::Fails(_)));
    }

    #[test]
    fn an_exception_is_told_by_its_kind_and_text() {
        let with_code = |kind, code: &str, message: &str| {
            failed(CloudError {
                kind,
                code: code.to_owned(),
                message: message.to_owned(),
                hint: String::new(),
                resources: vec!["arn".to_owned()],
            })
        };
        let failed = |kind, message: &str| with_code(kind, "", message);
        assert!(matches!(
            failed(CloudErrorKind::Throttled, "Rate exceeded"),
            NotStarted::Busy(_)
        ));
        assert!(matches!(
            failed(CloudErrorKind::Unclear, "no answer"),
            NotStarted::Unclear(_)
        ));
        assert!(matches!(
            failed(
                CloudErrorKind::NotFound,
                "Unable to describe task definition"
            ),
            NotStarted::Ends(_)
        ));
        assert!(matches!(
            failed(CloudErrorKind::Denied, "not authorized"),
            NotStarted::Ends(_)
        ));
        assert!(matches!(
            failed(
                CloudErrorKind::Refused,
                "You've reached the limit on the number of vCPUs you can run concurrently"
            ),
            NotStarted::Later(_)
        ));
        assert!(matches!(
            failed(
                CloudErrorKind::Refused,
                "No Fargate configuration exists for given values."
            ),
            NotStarted::NoSuchSize(_)
        ));
        for (code, message, hint) in [
            (
                "BlockedException",
                "Your account has been blocked.",
                "Support Center",
            ),
            (
                "InvalidParameterException",
                "The specified capacity provider was not found.",
                "--capacity on-demand",
            ),
        ] {
            let NotStarted::Ends(error) = with_code(CloudErrorKind::Refused, code, message) else {
                panic!("{code}");
            };
            assert!(error.hint.contains(hint), "{}", error.hint);
        }
        assert!(matches!(
            failed(CloudErrorKind::Refused, "subnet-1 does not exist"),
            NotStarted::Fails(_)
        ));
        assert_eq!(
            failed(CloudErrorKind::Conflict, ""),
            NotStarted::Already(vec!["arn".to_owned()])
        );
    }
}
