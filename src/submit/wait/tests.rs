//! A Batch that answers as a test says, under tokio's paused clock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::watch;

use super::*;

/// What is answered to one look.
type Look = Result<Option<JobSeen>, CloudErrorKind>;

#[derive(Default)]
struct Fake {
    /// Answers to `submit`, then an id.
    refusals: RefCell<Vec<CloudErrorKind>>,
    /// Answers to `named`, then nothing.
    names: RefCell<Vec<Result<Vec<String>, CloudErrorKind>>>,
    /// Answers to `look`; the last one stays.
    looks: RefCell<Vec<Look>>,
    failed: Vec<ChildSeen>,
    submitted: Cell<u32>,
    listed: Cell<u32>,
    terminated: RefCell<Vec<String>>,
    termination_refusals: Cell<u32>,
    /// Sends a signal at this look.
    interrupt: RefCell<Option<(usize, watch::Sender<Option<Signal>>)>>,
}

fn error(kind: CloudErrorKind) -> CloudError {
    CloudError {
        kind,
        code: "x".to_owned(),
        message: "cannot do it".to_owned(),
        hint: "later".to_owned(),
        resources: Vec::new(),
    }
}

/// The next answer; the last one again and again.
fn next<T: Clone>(answers: &RefCell<Vec<T>>) -> Option<T> {
    let mut answers = answers.borrow_mut();
    if answers.len() > 1 {
        Some(answers.remove(0))
    } else {
        answers.first().cloned()
    }
}

#[async_trait(?Send)]
impl Jobs for Fake {
    async fn submit(&self, _: &JobRequest) -> Result<String, CloudError> {
        self.submitted.set(self.submitted.get() + 1);
        let mut refusals = self.refusals.borrow_mut();
        if refusals.is_empty() {
            Ok("j-1".to_owned())
        } else {
            Err(error(refusals.remove(0)))
        }
    }

    async fn look(&self, _: &str) -> Result<Option<JobSeen>, CloudError> {
        if let Some((left, sender)) = &mut *self.interrupt.borrow_mut() {
            if *left == 0 {
                sender.send_replace(Some(Signal::Interrupt));
            }
            *left = left.saturating_sub(1);
        }
        next(&self.looks).unwrap_or(Ok(None)).map_err(error)
    }

    async fn named(&self, _: &str, _: &str) -> Result<Vec<String>, CloudError> {
        self.listed.set(self.listed.get() + 1);
        let mut names = self.names.borrow_mut();
        if names.is_empty() {
            Ok(Vec::new())
        } else {
            names.remove(0).map_err(error)
        }
    }

    async fn failed(&self, _: &str) -> Result<Vec<ChildSeen>, CloudError> {
        Ok(self.failed.clone())
    }

    async fn terminate(&self, id: &str, _: &str) -> Result<(), CloudError> {
        if self.termination_refusals.get() > 0 {
            self.termination_refusals
                .set(self.termination_refusals.get() - 1);
            return Err(error(CloudErrorKind::Throttled));
        }
        self.terminated.borrow_mut().push(id.to_owned());
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is an answer among others")]
fn seen(status: &str, children: &[(&str, u64)]) -> Look {
    let children = children
        .iter()
        .map(|(status, count)| ((*status).to_owned(), *count))
        .collect();
    Ok(Some(JobSeen {
        id: "j-1".to_owned(),
        status: status.to_owned(),
        children,
        ..JobSeen::default()
    }))
}

/// Waits with this Batch: what came of it, and where the children were.
async fn wait_for(fake: &Fake, children: u32) -> (Result<JobEnd, Failure>, Vec<Children>) {
    let (sender, signal) = watch::channel(None);
    if let Some((_, kept)) = &mut *fake.interrupt.borrow_mut() {
        *kept = sender.clone();
    }
    let mut events = Vec::new();
    let mut on_event = |event: &JobEvent| {
        if let JobEvent::Children(children) = event {
            events.push(*children);
        }
    };
    let mut watch = JobWatch {
        name: "job-1",
        jobs: fake,
        signal,
        on_event: &mut on_event,
    };
    let end = watch
        .until_its_end("j-1", (children, Duration::from_secs(5)))
        .await;
    drop(sender);
    (end, events)
}

async fn submit_to(fake: &Fake) -> Result<String, Failure> {
    let (_sender, signal) = watch::channel(None);
    JobWatch {
        name: "job-1",
        jobs: fake,
        signal,
        on_event: &mut |_| {},
    }
    .submit(&JobRequest::default())
    .await
}

#[tokio::test(start_paused = true)]
async fn children_are_watched_to_the_end() {
    let looks = vec![
        Ok(None),
        seen("SUBMITTED", &[]),
        Err(CloudErrorKind::Throttled),
        seen(
            "PENDING",
            &[("RUNNABLE", 5), ("STARTING", 1), ("RUNNING", 2)],
        ),
        Err(CloudErrorKind::Unclear),
        seen("SUCCEEDED", &[("SUCCEEDED", 8)]),
    ];
    let fake = Fake {
        looks: RefCell::new(looks),
        ..Fake::default()
    };
    let (end, children) = wait_for(&fake, 8).await;
    assert_eq!(
        end.unwrap(),
        JobEnd {
            id: "j-1".to_owned(),
            children: 8,
            is_good: true,
            failed: Vec::new(),
            reason: None
        }
    );
    let expected = [
        Children {
            waiting: 8,
            ..Children::default()
        },
        Children {
            waiting: 5,
            starting: 1,
            running: 2,
            ..Children::default()
        },
        Children {
            succeeded: 8,
            ..Children::default()
        },
    ];
    assert_eq!(children, expected);
}

#[tokio::test(start_paused = true)]
async fn a_failed_array_is_over_when_its_last_child_is() {
    let failed = vec![ChildSeen {
        index: 3,
        exit_code: Some(3),
        reason: None,
    }];
    let looks = vec![
        seen("FAILED", &[("RUNNING", 2), ("FAILED", 1), ("SUCCEEDED", 5)]),
        seen("FAILED", &[("FAILED", 1), ("SUCCEEDED", 7)]),
    ];
    let fake = Fake {
        looks: RefCell::new(looks),
        failed: failed.clone(),
        ..Fake::default()
    };
    let (end, children) = wait_for(&fake, 8).await;
    let end = end.unwrap();
    assert_eq!(
        (end.is_good, end.failed, children.len()),
        (false, failed, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_array_that_never_had_children_is_over() {
    let fake = Fake::default();
    *fake.looks.borrow_mut() = vec![seen(
        "FAILED",
        &[("RUNNING", 0), ("FAILED", 0), ("SUCCEEDED", 0)],
    )];
    let day = std::time::Duration::from_hours(24);
    let (end, _) = tokio::time::timeout(day, wait_for(&fake, 8))
        .await
        .expect("nothing more comes");
    assert!(!end.unwrap().is_good);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_one_is_its_own_child() {
    let alone = JobSeen {
        id: "j-1".to_owned(),
        status: "FAILED".to_owned(),
        exit_code: Some(137),
        ..JobSeen::default()
    };
    let fake = Fake {
        looks: RefCell::new(vec![seen("RUNNING", &[]), Ok(Some(alone))]),
        ..Fake::default()
    };
    let (end, children) = wait_for(&fake, 1).await;
    assert_eq!(
        end.unwrap().failed,
        [ChildSeen {
            index: 0,
            exit_code: Some(137),
            reason: None
        }]
    );
    assert_eq!(
        children,
        [
            Children {
                running: 1,
                ..Children::default()
            },
            Children {
                failed: 1,
                ..Children::default()
            }
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_batch_does_not_know_or_allow_ends_the_wait() {
    let begin = Instant::now();
    let (end, _) = wait_for(&Fake::default(), 8).await;
    assert_eq!(
        end.unwrap_err().message,
        "AWS Batch does not know the job j-1"
    );
    assert!(begin.elapsed() >= LAG, "a new job is not known at once");
    let begin = Instant::now();
    let fake = Fake {
        looks: RefCell::new(vec![seen("RUNNING", &[]), Err(CloudErrorKind::Denied)]),
        ..Fake::default()
    };
    let failure = wait_for(&fake, 8).await.0.unwrap_err();
    assert_eq!(
        (failure.exit, failure.message.as_str()),
        (Exit::SetUp, "cannot do it; the job j-1 still runs")
    );
    assert!(begin.elapsed() < Duration::from_secs(10));
    let begin = Instant::now();
    let fake = Fake {
        looks: RefCell::new(vec![seen("RUNNING", &[]), Err(CloudErrorKind::Throttled)]),
        ..Fake::default()
    };
    assert!(
        wait_for(&fake, 8)
            .await
            .0
            .unwrap_err()
            .message
            .ends_with("the job j-1 still runs")
    );
    assert!(
        (Duration::from_mins(14)..=Duration::from_mins(16)).contains(&begin.elapsed()),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_job() {
    let (sender, _) = watch::channel(None);
    let fake = Fake {
        looks: RefCell::new(vec![seen("RUNNING", &[])]),
        interrupt: RefCell::new(Some((3, sender))),
        termination_refusals: Cell::new(2),
        ..Fake::default()
    };
    let (end, children) = wait_for(&fake, 8).await;
    let failure = end.unwrap_err();
    assert_eq!(
        (failure.exit, failure.message.as_str()),
        (Exit::Interrupted, "interrupted: the job j-1 is being ended")
    );
    assert_eq!(
        (fake.terminated.borrow().as_slice(), children.len()),
        (["j-1".to_owned()].as_slice(), 4)
    );
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_is_sent_again_and_a_refused_one_is_not() {
    let fake = Fake {
        refusals: RefCell::new(vec![CloudErrorKind::Throttled; 3]),
        ..Fake::default()
    };
    let begin = Instant::now();
    assert_eq!(submit_to(&fake).await.unwrap(), "j-1");
    // 0.5 + 1 + 2 s.
    assert_eq!(
        (fake.submitted.get(), fake.listed.get(), begin.elapsed()),
        (4, 0, Duration::from_millis(3_500))
    );
    let fake = Fake {
        refusals: RefCell::new(vec![CloudErrorKind::Refused]),
        ..Fake::default()
    };
    assert_eq!(
        (
            submit_to(&fake).await.unwrap_err().exit,
            fake.submitted.get()
        ),
        (Exit::SetUp, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_have_been_taken_is_looked_for_before_another() {
    let unclear = || RefCell::new(vec![CloudErrorKind::Unclear]);
    let names = vec![
        Ok(Vec::new()),
        Err(CloudErrorKind::Throttled),
        Ok(vec!["j-7".to_owned(), "j-0".to_owned()]),
    ];
    let fake = Fake {
        refusals: unclear(),
        names: RefCell::new(names),
        ..Fake::default()
    };
    assert_eq!(submit_to(&fake).await.unwrap(), "j-7", "the newest");
    assert_eq!(
        fake.submitted.get(),
        1,
        "it is there: nothing is submitted twice"
    );
    let fake = Fake {
        refusals: unclear(),
        ..Fake::default()
    };
    assert_eq!(submit_to(&fake).await.unwrap(), "j-1");
    assert_eq!(
        (fake.submitted.get(), fake.listed.get()),
        (2, LOOKS),
        "it is not: after some looks it is submitted again"
    );
}

#[test]
fn children_that_are_not_counted_wait() {
    let JobSeen { status, .. } = seen("PENDING", &[]).unwrap().unwrap();
    let seen = JobSeen {
        status,
        children: BTreeMap::from([("SUCCEEDED".to_owned(), 3)]),
        ..JobSeen::default()
    };
    assert_eq!(
        children_of(&seen, 8),
        Children {
            waiting: 5,
            succeeded: 3,
            ..Children::default()
        }
    );
}
