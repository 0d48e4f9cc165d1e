//! The account: whose credentials these are, and, where a stack or a cluster is named, what Fargate allows.

use serde_json::{Map, Value};

use super::check::{
    CHECK_TIME, Check, CheckOutcome, Examination, IDENTITY_TIME, TasksPlace, cloud, within,
};
use crate::cloud::{
    CallerIdentity, Capacity, Cloud, CloudError, CloudErrorKind, Ecs, Tasks as _,
    UNKNOWN_QUOTA_VCPU, fargate_vcpu, identity, outputs_of,
};
use crate::exit::{Exit, Failure};
use crate::plan::Access;
use crate::store::{Keys, Session};
use crate::units;

const SUBJECT: &str = "credentials";
/// vCPU of the largest task of a sweep as it comes.
const LARGEST_VCPU: f64 = 4.0;

/// Whether STS is one to ask: that of AWS, for AWS's own S3, or one that is named.
fn has_sts(session: &Session) -> bool {
    session.own_endpoint().is_none() || session.names_sts()
}

/// Whose they are.
pub(super) async fn credentials(
    session: &Session,
    (keys, access): (Option<&Keys>, &Access),
) -> Check {
    let Some(keys) = keys else {
        return Check::new(
            "credentials",
            SUBJECT,
            CheckOutcome::Ok,
            "none: requests go out unsigned",
        )
        .fact("signed", false);
    };
    let origin = match (keys.origin, &access.profile) {
        (Some("AWS_ACCESS_KEY_ID"), _) => "from AWS_ACCESS_KEY_ID".to_owned(),
        (Some(origin), Some(profile)) => format!("from {origin}, profile {profile}"),
        (Some(origin), None) => format!("from {origin}"),
        (None, _) => "from the AWS configuration".to_owned(),
    };
    let id = if keys.id_end.is_empty() {
        "an access key".to_owned()
    } else {
        format!("access key …{}", keys.id_end)
    };
    let temporary = if keys.is_temporary { ", temporary" } else { "" };
    let check = |outcome, who: &str| {
        Check::new(
            "credentials",
            SUBJECT,
            outcome,
            format!("{who}{id} {origin}{temporary}"),
        )
        .fact("signed", true)
        .fact(
            "access_key_id_end",
            Some(keys.id_end.as_str()).filter(|end| !end.is_empty()),
        )
        .fact("origin", keys.origin)
        .fact("temporary", keys.is_temporary)
    };
    if !has_sts(session) {
        return check(CheckOutcome::Ok, "").fact("arn", None::<String>);
    }
    match tokio::time::timeout(IDENTITY_TIME, Box::pin(ask(access))).await {
        Ok(Ok(CallerIdentity { arn, account })) => check(CheckOutcome::Ok, &format!("{arn}, "))
            .fact("arn", arn)
            .fact("account", account),
        Ok(Err(error)) if error.kind == CloudErrorKind::Denied => {
            let refused = Check::failed("credentials", SUBJECT, error.into());
            Check {
                facts: check(CheckOutcome::Failed, "").facts,
                ..refused
            }
        }
        // A run does without.
        asked => {
            let why = asked.map_or_else(
                |_| "STS does not answer".to_owned(),
                |error| error.err().map_or_else(String::new, |error| error.message),
            );
            let who = format!("{why}, so whose they are is not known: ");
            check(CheckOutcome::Ok, &who).fact("arn", None::<String>)
        }
    }
}

async fn ask(access: &Access) -> Result<CallerIdentity, CloudError> {
    let cloud = cloud(access).await.map_err(|failure| CloudError {
        kind: CloudErrorKind::Unclear,
        code: String::new(),
        message: failure.message,
        hint: failure.hint.unwrap_or_default(),
        resources: Vec::new(),
    })?;
    identity(&cloud).await
}

/// Where tasks run and the quota of Fargate, where that is named.
pub(super) async fn fargate(examination: &Examination) -> Vec<Check> {
    let Some(place) = &examination.tasks else {
        return Vec::new();
    };
    let (id, subject) = place.named();
    let cloud = match cloud(&examination.access).await {
        Ok(cloud) => cloud,
        Err(failure) => {
            return vec![
                Check::failed(id, subject, failure),
                quota_not_checked("the AWS configuration cannot be read"),
            ];
        }
    };
    let found = async {
        match place {
            TasksPlace::Stack(name) => Box::pin(of_stack(&cloud, name)).await,
            TasksPlace::Cluster(name) => Box::pin(of_cluster(&cloud, name)).await,
        }
    };
    let quota = within(
        CHECK_TIME,
        "read the quota of Fargate vCPUs",
        fargate_vcpu(&cloud, Capacity::OnDemand),
    );
    let (found, quota) = tokio::join!(found, quota);
    let found = found.map_or_else(
        |failure| Check::failed(id, subject.clone(), failure),
        |facts| {
            let text = format!("is there, {}", cloud.region());
            let check = Check::new(id, subject.clone(), CheckOutcome::Ok, text);
            Check { facts, ..check }.fact("region", cloud.region())
        },
    );
    vec![found, of_quota(quota.map_err(|failure| failure.message))]
}

/// Whether the stack has what a sweep reads of it; facts about it.
async fn of_stack(cloud: &Cloud, name: &str) -> Result<Map<String, Value>, Failure> {
    let what = format!("read the stack {name}");
    let outputs = within(CHECK_TIME, &what, outputs_of(cloud, name)).await?;
    if outputs.contains_key("ClusterArn") {
        return Ok([("outputs".to_owned(), outputs.len().into())]
            .into_iter()
            .collect());
    }
    let message = "has none of the outputs that parfetch reads";
    Err(Failure::new(Exit::SetUp, message).hint("infra/template.yaml makes a stack that has them"))
}

/// Whether tasks of the cluster can be looked for: a sweep begins with this.
async fn of_cluster(cloud: &Cloud, name: &str) -> Result<Map<String, Value>, Failure> {
    let what = format!("list tasks of the cluster {name}");
    let ecs = Ecs::new(cloud, "");
    within(CHECK_TIME, &what, ecs.list(name, "parfetch/doctor")).await?;
    Ok(Map::new())
}

/// Both, when they cannot be asked for.
pub(super) fn not_asked(place: &TasksPlace, why: &str) -> Vec<Check> {
    let (id, subject) = place.named();
    vec![Check::not_checked(id, subject, why), quota_not_checked(why)]
}

fn quota_not_checked(why: &str) -> Check {
    Check::not_checked("quota", "Fargate quota", why)
}

fn of_quota(quota: Result<Option<f64>, String>) -> Check {
    let new = |outcome, text: String| Check::new("quota", "Fargate quota", outcome, text);
    match quota {
        Ok(Some(vcpu)) if vcpu < LARGEST_VCPU => {
            let text = format!(
                "{} vCPUs at once: less than the largest task of a sweep, {LARGEST_VCPU} vCPUs",
                units::three_digits(vcpu)
            );
            new(CheckOutcome::Warning, text)
                .hint("ask Service Quotas for more, or name smaller sizes with --vcpu")
                .fact("vcpu", vcpu)
        }
        Ok(Some(vcpu)) => new(
            CheckOutcome::Ok,
            format!("{} vCPUs at once", units::three_digits(vcpu)),
        )
        .fact("vcpu", vcpu),
        Ok(None) => new(
            CheckOutcome::Warning,
            format!("not known; a new account has {UNKNOWN_QUOTA_VCPU} vCPUs"),
        )
        .fact("vcpu", None::<f64>),
        Err(message) => {
            let text = format!("{message}; a new account has {UNKNOWN_QUOTA_VCPU} vCPUs");
            new(CheckOutcome::Warning, text)
                .hint("grant servicequotas:GetServiceQuota to these credentials")
                .fact("vcpu", None::<f64>)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_below_the_largest_task_is_worth_a_word() {
        assert_eq!(of_quota(Ok(Some(6.0))).text, "6.00 vCPUs at once");
        assert_eq!(of_quota(Ok(Some(2.0))).outcome, CheckOutcome::Warning);
        assert_eq!(
            of_quota(Ok(None)).text,
            "not known; a new account has 6 vCPUs"
        );
        assert_eq!(
            of_quota(Err("cannot read the quota".to_owned())).text,
            "cannot read the quota; a new account has 6 vCPUs"
        );
    }
}
