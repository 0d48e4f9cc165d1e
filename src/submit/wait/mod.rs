//! From the request to the end of the job: submitted once, looked at until it has ended, ended when a signal comes.
//!
//! Knows nothing of keys and results. Time is tokio's, so that tests can let it fly.

use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep};

use crate::cloud::{ChildSeen, CloudError, CloudErrorKind, JobRequest, JobSeen, Jobs};
use crate::event::{Children, JobEvent};
use crate::exit::Signal;
use crate::exit::{Exit, Failure, same_command};

/// First and longest pause after a call that can be tried again.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long calls are tried again.
const RETRY_TIME: Duration = Duration::from_mins(15);
/// How long a job may not be there after it was submitted: Batch's answers lag behind.
const LAG: Duration = Duration::from_mins(2);
/// Looks for a job by its name right after a request that was not answered: over a minute in all, as Batch's lists lag behind.
const LOOKS: u32 = 8;
/// The same for a request of an earlier command.
pub(super) const FEW_LOOKS: u32 = 4;

/// What a wait has beside the job.
pub(super) struct JobWatch<'a> {
    /// The job's name.
    pub(super) name: &'a str,
    pub(super) jobs: &'a dyn Jobs,
    pub(super) signal: Receiver<Option<Signal>>,
    pub(super) on_event: &'a mut dyn FnMut(&JobEvent),
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// Its id in Batch.
    pub id: String,
    /// How many children it has.
    pub children: u32,
    /// Whether all of them ended well.
    pub is_good: bool,
    /// Those that did not, in order.
    pub failed: Vec<ChildSeen>,
    /// What Batch says of the job.
    pub reason: Option<String>,
}

/// A pause that doubles.
struct BackOff {
    pause: Duration,
    since: Instant,
}

impl BackOff {
    fn new() -> Self {
        Self {
            pause: PAUSE,
            since: Instant::now(),
        }
    }

    /// Waits, unless the failure is for good or has gone on for too long.
    async fn after(&mut self, error: CloudError) -> Result<(), CloudError> {
        if !can_pass(&error) || self.since.elapsed() + self.pause > RETRY_TIME {
            return Err(error);
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

fn can_pass(error: &CloudError) -> bool {
    matches!(
        error.kind,
        CloudErrorKind::Throttled | CloudErrorKind::Unclear
    )
}

impl JobWatch<'_> {
    fn event(&mut self, event: &JobEvent) {
        (self.on_event)(event);
    }

    fn signal(&self) -> Option<Signal> {
        *self.signal.borrow()
    }

    /// Submits a job: its id. A request that may have been taken is not sent again before it was looked for.
    pub(super) async fn submit(&mut self, request: &JobRequest) -> Result<String, Failure> {
        let mut back_off = BackOff::new();
        let mut is_unclear = false;
        loop {
            if let Some(signal) = self.signal() {
                let message = if is_unclear {
                    "interrupted: whether the job was submitted is not known"
                } else {
                    "interrupted before the job was submitted"
                };
                return Err(Failure::new(signal.exit(), message)
                    .hint(format!("to continue, run {}", same_command(self.name))));
            }
            let error = match self.jobs.submit(request).await {
                Ok(id) => return Ok(id),
                Err(error) => error,
            };
            is_unclear |= error.kind == CloudErrorKind::Unclear;
            if error.kind == CloudErrorKind::Unclear
                && let Some(id) = self.look_for(request, LOOKS).await?
            {
                return Ok(id);
            }
            back_off.after(error).await?;
        }
    }

    /// A job that may be there, by its name. Batch lists a new one after a while, so that one look does not tell.
    pub(super) async fn look_for(
        &self,
        request: &JobRequest,
        most: u32,
    ) -> Result<Option<String>, CloudError> {
        let mut back_off = BackOff::new();
        let mut looks = 0;
        loop {
            match self.jobs.named(&request.queue, &request.name).await {
                Ok(found) if found.is_empty() => {
                    looks += 1;
                    if looks == most {
                        return Ok(None);
                    }
                    sleep(back_off.pause).await;
                    back_off.pause = (back_off.pause * 2).min(LONGEST_PAUSE);
                }
                Ok(found) => return Ok(found.into_iter().next()),
                Err(error) => back_off.after(error).await?,
            }
        }
    }

    /// Waits until the job has ended. A signal ends it.
    pub(super) async fn until_its_end(
        &mut self,
        id: &str,
        (children, poll): (u32, Duration),
    ) -> Result<JobEnd, Failure> {
        let again = same_command(self.name);
        let goes_on = |error: CloudError| {
            let failure = Failure::from(error);
            let hint = failure.hint.unwrap_or_default();
            Failure::new(
                failure.exit,
                format!("{}; the job {id} still runs", failure.message),
            )
            .hint(format!("{hint}; {again} waits for it"))
        };
        let (mut back_off, begin) = (BackOff::new(), Instant::now());
        let mut seen_once = false;
        loop {
            if let Some(signal) = self.signal() {
                return Err(self.call_off(id, signal).await);
            }
            match self.jobs.look(id).await {
                Ok(Some(seen)) => {
                    (seen_once, back_off) = (true, BackOff::new());
                    let of = children_of(&seen, children);
                    self.event(&JobEvent::Children(of));
                    if is_over(&seen, of) {
                        return self.end(seen, children).await.map_err(goes_on);
                    }
                }
                Ok(None) if !seen_once && begin.elapsed() < LAG => {}
                Ok(None) => {
                    let message = format!("AWS Batch does not know the job {id}");
                    return Err(Failure::new(Exit::SetUp, message)
                        .hint("ended jobs are kept for a week; parfetch report reads what its children stored, and another try needs another --id"));
                }
                Err(error) => {
                    self.pause_after(error, &mut back_off)
                        .await
                        .map_err(goes_on)?;
                    continue;
                }
            }
            self.pause(poll).await;
        }
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            _ = self.signal.wait_for(Option::is_some) => {}
        }
    }

    async fn pause_after(
        &mut self,
        error: CloudError,
        back_off: &mut BackOff,
    ) -> Result<(), CloudError> {
        let mut signal = self.signal.clone();
        tokio::select! {
            paused = back_off.after(error) => paused,
            _ = signal.wait_for(Option::is_some) => Ok(()),
        }
    }

    async fn end(&mut self, seen: JobSeen, children: u32) -> Result<JobEnd, CloudError> {
        let is_good = seen.status == "SUCCEEDED";
        let failed = match (is_good, children) {
            (true, _) => Vec::new(),
            (false, 1) => vec![ChildSeen {
                index: 0,
                exit_code: seen.exit_code,
                reason: seen.reason.clone(),
            }],
            (false, _) => self.failed(&seen.id).await?,
        };
        self.event(&JobEvent::Over);
        Ok(JobEnd {
            id: seen.id,
            children,
            is_good,
            failed,
            reason: seen.reason,
        })
    }

    async fn failed(&self, id: &str) -> Result<Vec<ChildSeen>, CloudError> {
        let mut back_off = BackOff::new();
        loop {
            match self.jobs.failed(id).await {
                Ok(failed) => return Ok(failed),
                Err(error) => back_off.after(error).await?,
            }
        }
    }

    /// Ends the job, as the signal asks for.
    async fn call_off(&mut self, id: &str, signal: Signal) -> Failure {
        self.event(&JobEvent::Interrupted);
        let mut back_off = BackOff::new();
        loop {
            match self.jobs.terminate(id, "ended by parfetch submit").await {
                Ok(()) => {
                    let message = format!("interrupted: the job {id} is being ended");
                    return Failure::new(signal.exit(), message).hint(
                        "children that run store what they have; the same command with --redo-failed submits them again",
                    );
                }
                Err(error) => {
                    if let Err(error) = back_off.after(error).await {
                        let message = format!(
                            "interrupted, and {}: the job {id} still runs",
                            error.message
                        );
                        return Failure::new(signal.exit(), message).hint(format!(
                            "aws batch terminate-job --job-id {id} --reason stop"
                        ));
                    }
                }
            }
        }
    }
}

/// Batch says FAILED of an array while children of it still run; nothing is merged before they have ended. One that failed before it had children counts none
/// of them, for ever.
fn is_over(seen: &JobSeen, children: Children) -> bool {
    match seen.status.as_str() {
        "SUCCEEDED" => true,
        "FAILED" => {
            seen.children.values().all(|count| *count == 0) || children.ended() == children.all()
        }
        _ => false,
    }
}

/// Where the children are: of an array as counted, of a job without one by its own status. What Batch has not counted yet waits.
fn children_of(seen: &JobSeen, all: u32) -> Children {
    let alone = std::collections::BTreeMap::from([(seen.status.clone(), 1)]);
    let counted = if all == 1 && seen.children.is_empty() {
        &alone
    } else {
        &seen.children
    };
    let count = |status: &str| counted.get(status).copied().unwrap_or(0);
    let mut children = Children {
        waiting: count("SUBMITTED") + count("PENDING") + count("RUNNABLE"),
        starting: count("STARTING"),
        running: count("RUNNING"),
        succeeded: count("SUCCEEDED"),
        failed: count("FAILED"),
    };
    children.waiting += u64::from(all).saturating_sub(children.all());
    children
}

#[cfg(test)]
mod tests;
