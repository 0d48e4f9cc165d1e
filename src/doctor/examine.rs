//! The order of the checks, and what is not checked when an earlier one failed.

use std::time::Duration;

use super::check::{CHECK_TIME, Check, CheckInputs, CheckOutcome, Examination, within};
use super::checks::Checks;
use super::{account, forecast, machine, results, source};
use crate::exit::Failure;
use crate::plan::Limits;
use crate::store::Session;

/// Few tries and short waits: a doctor's answer is wanted now.
fn limits() -> Limits {
    Limits {
        attempts: 1,
        stall_timeout: Some(Duration::from_secs(5)),
        ..Limits::default()
    }
}

/// Makes every check.
pub async fn examine(what: &Examination, means: &CheckInputs) -> Checks {
    let machine = machine::check(&means.sources);
    let on_s3 = of_account(what, means);
    let (machine, (mut checks, sweep)) = tokio::join!(machine, Box::pin(on_s3));
    checks.push(machine);
    checks.push(forecast::prices(&means.prices));
    checks.push(sweep);
    Checks(checks)
}

/// What takes credentials; the forecast of a sweep apart.
async fn of_account(what: &Examination, means: &CheckInputs) -> (Vec<Check>, Check) {
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
        let typed = what.access.without(&what.inherited);
        let (source, reached) = source::check(&session, (what, &typed)).await;
        let results = results::check(&session, (what, reached)).await;
        let sweep = match source.outcome {
            _ if source::is_empty(&source) => forecast::not_made("there is nothing to read"),
            _ if source::is_for_tasks(&source) => forecast::of_tasks(what),
            CheckOutcome::Ok | CheckOutcome::Warning => forecast::sweep(what, means).await,
            CheckOutcome::Failed => forecast::not_made("the source cannot be read"),
            CheckOutcome::NotChecked => forecast::not_made("no source is given"),
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
    if let Some(place) = &what.tasks {
        checks.extend(account::not_asked(place, why));
    }
    checks
}
