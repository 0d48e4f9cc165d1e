//! What would stop a run here: one check after another, each with a time limit, a result and a hint.
//!
//! Owns the checks and their words. Reads; what it stores to prove that results can be written, it removes again.

mod account;
mod checks;
mod forecast;
mod machine;
mod results;
mod source;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cloud::Cloud;
use crate::exit::{Exit, Failure};
use crate::plan::{Access, Limits, S3Uri};
use crate::platform::Sources;
use crate::price::PriceList;
use crate::store::Session;
use crate::sweep::SweepJob;

pub use checks::Checks;

/// Longest time of one check.
const CHECK_TIME: Duration = Duration::from_secs(10);
/// Longest time of STS, whose answer nobody needs.
const IDENTITY_TIME: Duration = Duration::from_secs(5);

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Examination {
    /// How S3 is reached.
    pub access: Access,
    /// The source.
    pub source: Option<S3Uri>,
    /// Bucket and prefix of the results.
    pub results: Option<S3Uri>,
    /// Folder of the results.
    pub out: Option<PathBuf>,
    /// The stack of a sweep on Fargate.
    pub stack: Option<String>,
    /// A sweep of the source as it comes.
    pub sweep: Option<SweepJob>,
}

/// What comes from outside.
pub struct Means {
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
pub enum Outcome {
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
    pub outcome: Outcome,
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
    fn new(
        id: &'static str,
        subject: impl Into<String>,
        outcome: Outcome,
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

    fn failed(id: &'static str, subject: impl Into<String>, failure: Failure) -> Self {
        Self {
            hint: failure.hint,
            ..Self::new(id, subject, Outcome::Failed, failure.message)
        }
    }

    fn not_checked(id: &'static str, subject: impl Into<String>, why: &str) -> Self {
        Self::new(id, subject, Outcome::NotChecked, why)
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    fn command(self, line: String) -> Self {
        Self {
            command: Some(line),
            ..self
        }
    }

    /// With a fact; one that is not known is null.
    fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// Few tries and short waits: a doctor's answer is wanted now.
fn limits() -> Limits {
    Limits {
        attempts: 1,
        stall_timeout: Duration::from_secs(5),
        ..Limits::default()
    }
}

/// The result of `work`, if it comes within `time`.
async fn within<T, E: Into<Failure>>(
    time: Duration,
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    tokio::time::timeout(time, work).await.map_or_else(
        |_| {
            let message = format!("cannot {what}: no answer within {} s", time.as_secs());
            Err(Failure::new(Exit::SetUp, message)
                .hint("check the network, the endpoint and the security groups"))
        },
        |done| done.map_err(Into::into),
    )
}

/// Makes every check.
pub async fn examine(what: &Examination, means: &Means) -> Checks {
    let machine = machine::check(&means.sources);
    let on_s3 = of_account(what, means);
    let (machine, (mut checks, sweep)) = tokio::join!(machine, Box::pin(on_s3));
    checks.push(machine);
    checks.push(forecast::prices(&means.prices));
    checks.push(sweep);
    Checks(checks)
}

/// What takes credentials; the forecast of a sweep apart.
async fn of_account(what: &Examination, means: &Means) -> (Vec<Check>, Check) {
    let load = Box::pin(Session::load(&what.access, limits(), None));
    let loaded = within(CHECK_TIME, "read the AWS configuration", load).await;
    let keyed = match loaded {
        Ok(session) => within(CHECK_TIME, "get credentials", session.keys())
            .await
            .map(|keys| (session, keys)),
        Err(failure) => Err(failure),
    };
    let (session, keys) = match keyed {
        Ok(found) => found,
        Err(failure) => {
            return (
                without_credentials(what, failure),
                forecast::not_made("there are no credentials"),
            );
        }
    };
    let identity = account::credentials(&session, (keys.as_ref(), &what.access));
    let buckets = async {
        let (source, reached) = source::check(&session, (what.source.as_ref(), &what.access)).await;
        let results = results::check(&session, (what, reached)).await;
        let sweep = match source.outcome {
            _ if source::is_empty(&source) => forecast::not_made("there is nothing to read"),
            Outcome::Ok | Outcome::Warning => forecast::sweep(what, means).await,
            Outcome::Failed => forecast::not_made("the source cannot be read"),
            Outcome::NotChecked => forecast::not_made("no source is given"),
        };
        (source, results, sweep)
    };
    let fargate = account::fargate(what);
    let (credentials, (source, results, sweep), fargate) =
        tokio::join!(identity, Box::pin(buckets), Box::pin(fargate));
    let mut checks = vec![credentials, source];
    checks.extend(results);
    checks.extend(fargate);
    (checks, sweep)
}

/// Without credentials nothing can be asked of S3.
fn without_credentials(what: &Examination, failure: Failure) -> Vec<Check> {
    let why = "there are no credentials";
    let mut checks = vec![Check::failed("credentials", "credentials", failure)];
    checks.push(Check::not_checked(
        "source",
        source::subject(what.source.as_ref()),
        why,
    ));
    checks.push(match &what.out {
        Some(folder) if what.results.is_none() => results::folder(folder),
        _ => Check::not_checked("results", results::subject(what.results.as_ref()), why),
    });
    if what.stack.is_some() {
        checks.extend(account::not_asked(what, why));
    }
    checks
}

/// AWS beside S3.
async fn cloud(access: &Access) -> Result<Cloud, Failure> {
    within(
        CHECK_TIME,
        "read the AWS configuration",
        Box::pin(Cloud::load(access)),
    )
    .await
}
