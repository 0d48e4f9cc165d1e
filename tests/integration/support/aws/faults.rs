//! What can go wrong, where, and how often.

use super::task::Status;

/// How AWS says that a quota is reached: nobody has written down which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In `failures[]` of an answer with HTTP 200.
    Failure,
    /// As a `ClientException`.
    Exception,
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `ThrottlingException`.
    Throttled,
    /// `ServerException`, and nothing was done.
    ServerError,
    /// The task is started, and the answer gets lost.
    LostAnswer,
    /// `AccessDeniedException`.
    AccessDenied,
    /// No capacity, in `failures[]`, without an ARN.
    Capacity,
    /// The quota of vCPU in flight, of which every other task of the account has a part.
    Quota(Form),
    /// The quota of tasks in flight.
    TaskQuota(Form),
    /// The cluster has no such capacity provider.
    NoProvider,
    /// AWS blocked the account.
    Blocked,
    /// The size is above the account's limit.
    AboveLimit(Form),
    /// EC2's throttle, in an `InvalidParameterException`.
    Ec2Throttled,
    /// The definition is gone.
    MissingDefinition,
    /// The image cannot be pulled: never `RUNNING`, no exit code.
    CannotPull,
    /// The container ends, and another one that is essential keeps the task running.
    KeptRunning,
    /// The container is killed for its memory as soon as it runs.
    OutOfMemory,
    /// Spot capacity is taken back as soon as the task runs; with this `stopCode`.
    Spot(&'static str),
    /// The host broke, as soon as the task runs: `InfrastructureHealth`… and no exit code.
    HostLost,
    /// Once it runs nobody knows the task any more.
    Vanishes,
    /// Once it has stopped nobody knows the task any more.
    Forgotten,
    /// The child runs for longer than an attempt may.
    OutOfTime,
    /// The task never leaves this state by itself; `RUNNING`: its end is not noticed.
    Stuck(Status),
}

impl Fault {
    /// Whether the call ends by it, rather than the task.
    pub(super) fn is_of_the_call(self) -> bool {
        use Fault::{
            AboveLimit, AccessDenied, Blocked, Capacity, Ec2Throttled, MissingDefinition,
            NoProvider, Quota, ServerError, TaskQuota, Throttled,
        };
        matches!(
            self,
            Throttled
                | ServerError
                | AccessDenied
                | Capacity
                | Quota(_)
                | TaskQuota(_)
                | NoProvider
                | Blocked
                | AboveLimit(_)
                | Ec2Throttled
                | MissingDefinition
        )
    }
}

/// Which starts a fault is for.
#[derive(Clone, Debug)]
pub(crate) enum On {
    /// Every one.
    All,
    /// The n-th client token that was seen, from 1.
    Start(usize),
    /// Those with all of these tags.
    Tags(Vec<(String, String)>),
    /// The child of an array job with this index.
    Child(u32),
}

impl On {
    /// The tasks of one cell of a sweep.
    pub(crate) fn cell(slug: &str) -> Self {
        Self::tags(&[("parfetch:cell", slug)])
    }

    pub(crate) fn tags(tags: &[(&str, &str)]) -> Self {
        Self::Tags(
            tags.iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }
}

/// A start that faults are looked up for.
pub(super) struct Start<'a> {
    pub(super) number: usize,
    pub(super) tags: &'a [(String, String)],
    pub(super) child: Option<u32>,
}

/// A fault, its place, and how often it is still to come.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(super) on: On,
    pub(super) fault: Fault,
    pub(super) left: u32,
}

impl Rule {
    fn is_for(&self, start: &Start<'_>) -> bool {
        match &self.on {
            On::All => start.child.is_none(),
            On::Start(number) => start.child.is_none() && *number == start.number,
            On::Tags(tags) => tags.iter().all(|tag| start.tags.contains(tag)),
            On::Child(index) => start.child == Some(*index),
        }
    }
}

/// The next fault of this kind for this start, which has come then.
pub(super) fn take(
    rules: &mut [Rule],
    start: &Start<'_>,
    wanted: impl Fn(Fault) -> bool,
) -> Option<Fault> {
    let rule = rules
        .iter_mut()
        .find(|rule| rule.left > 0 && wanted(rule.fault) && rule.is_for(start))?;
    rule.left -= 1;
    Some(rule.fault)
}

/// Calls of an operation that fail: after the first `skip`, so many.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(super) operation: String,
    pub(super) skip: u32,
    pub(super) left: u32,
    pub(super) fault: Fault,
}

/// The trouble of this call, if it has one.
pub(super) fn trouble(all: &mut [Trouble], operation: &str) -> Option<Fault> {
    for trouble in all
        .iter_mut()
        .filter(|trouble| trouble.operation == operation)
    {
        if trouble.skip > 0 {
            trouble.skip -= 1;
        } else if trouble.left > 0 {
            trouble.left -= 1;
            return Some(trouble.fault);
        }
    }
    None
}
