//! One check: what is looked at, how it ended, and the time that it may take.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cloud::Cloud;
use crate::exit::{Exit, Failure};
use crate::plan::{Access, S3Uri};
use crate::platform::Sources;
use crate::price::PriceList;
use crate::sweep::SweepJob;

/// Longest time of one check.
pub(super) const CHECK_TIME: Duration = Duration::from_secs(10);
/// Longest time of STS, whose answer nobody needs.
pub(super) const IDENTITY_TIME: Duration = Duration::from_secs(5);

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Examination {
    /// How S3 is reached.
    pub access: Access,
    /// What of it the environment has, and no line to paste needs.
    pub inherited: Vec<&'static str>,
    /// The source.
    pub source: Option<S3Uri>,
    /// Bucket and prefix of the results.
    pub results: Option<S3Uri>,
    /// Folder of the results.
    pub out: Option<PathBuf>,
    /// Where a sweep on Fargate runs.
    pub tasks: Option<TasksPlace>,
    /// A sweep of the source as it comes.
    pub sweep: Option<SweepJob>,
}

/// Where tasks of a sweep run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TasksPlace {
    /// A stack, which knows everything that tasks need.
    Stack(String),
    /// A cluster that no stack made.
    Cluster(String),
}

impl TasksPlace {
    /// Id and subject of its check.
    pub(super) fn named(&self) -> (&'static str, String) {
        match self {
            Self::Stack(name) => ("stack", format!("stack {name}")),
            Self::Cluster(name) => {
                let short = name.rsplit('/').next().unwrap_or(name);
                ("cluster", format!("cluster {short}"))
            }
        }
    }
}

/// What comes from outside.
pub struct CheckInputs {
    /// Prices, or why they cannot be read.
    pub prices: Result<PriceList, Failure>,
    /// Where facts about the machine come from.
    pub sources: Sources,
    /// This program.
    pub executable: PathBuf,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// As it should be.
    Ok,
    /// A run works, and something should be known.
    Warning,
    /// A run would end.
    Failed,
    /// Not checked, since an earlier check failed or nothing was named.
    NotChecked,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Which check it is: a word that stays the same.
    pub id: &'static str,
    /// What was checked, for people.
    pub subject: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was found, in one line.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// A line to paste that does what the hint says.
    pub command: Option<String>,
    /// What was found, for programs.
    pub facts: Map<String, Value>,
}

impl Check {
    pub(super) fn new(
        id: &'static str,
        subject: impl Into<String>,
        outcome: CheckOutcome,
        text: impl Into<String>,
    ) -> Self {
        Self {
            id,
            subject: subject.into(),
            outcome,
            text: text.into(),
            hint: None,
            command: None,
            facts: Map::new(),
        }
    }

    pub(super) fn failed(id: &'static str, subject: impl Into<String>, failure: Failure) -> Self {
        Self {
            hint: failure.hint,
            ..Self::new(id, subject, CheckOutcome::Failed, failure.message)
        }
    }

    pub(super) fn not_checked(id: &'static str, subject: impl Into<String>, why: &str) -> Self {
        Self::new(id, subject, CheckOutcome::NotChecked, why)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(super) fn command(self, line: String) -> Self {
        Self {
            command: Some(line),
            ..self
        }
    }

    /// With a fact; one that is not known is null.
    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// The result of `work`, if it comes within `time`.
pub(super) async fn within<T, E: Into<Failure>>(
    time: Duration,
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    tokio::time::timeout(time, work).await.map_or_else(
        |_| Err(no_answer(what, time)),
        |done| done.map_err(Into::into),
    )
}

/// Nothing came within this time.
pub(super) fn no_answer(what: &str, time: Duration) -> Failure {
    let message = format!("cannot {what}: no answer within {} s", time.as_secs());
    Failure::new(Exit::SetUp, message)
        .hint("check the network, the endpoint and the security groups")
}

/// AWS beside S3.
pub(super) async fn cloud(access: &Access) -> Result<Cloud, Failure> {
    within(
        CHECK_TIME,
        "read the AWS configuration",
        Box::pin(Cloud::load(access)),
    )
    .await
}
