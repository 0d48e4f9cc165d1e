//! The source: whether it can be listed, whether an object can be read, and whether the store's clock agrees.

use super::check::{CHECK_TIME, Check, CheckOutcome, Examination, TasksPlace, within};
use crate::exit::Failure;
use crate::plan::{Access, S3Uri};
use crate::shell;
use crate::store::{Bucket, PageQuery, Session, StoreError, StoreErrorKind};
use crate::units;

/// Bytes of an object that are read.
const START_BYTES: u64 = 64 * 1024;
/// A clock that differs by more is worth a word, in s: S3 refuses signatures that are 15 minutes off.
const SKEWED_S: u64 = 4 * 60;

/// Whether the endpoint answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Yes, or nobody asked it.
    Perhaps,
    /// No.
    No,
}

pub(super) fn subject(source: Option<&S3Uri>) -> String {
    source.map_or_else(|| "source".to_owned(), ToString::to_string)
}

pub(super) async fn check(
    session: &Session,
    (what, access): (&Examination, &Access),
) -> (Check, Reached) {
    let Some(source) = &what.source else {
        let check = Check::not_checked("source", "source", "no source is given")
            .hint("parfetch doctor s3://bucket/prefix");
        return (check, Reached::Perhaps);
    };
    let mut bucket = Bucket::new(session, &source.bucket);
    let work =
        async { Ok::<_, Failure>(look(&mut bucket, (source, access), what.tasks.as_ref()).await) };
    let looked = within(CHECK_TIME, &format!("list {source}"), work).await;
    match looked {
        Ok(Ok(check)) => (check, Reached::Perhaps),
        Ok(Err(error)) => {
            let unreached = matches!(
                error.kind,
                StoreErrorKind::Connection | StoreErrorKind::Timeout | StoreErrorKind::Tls
            );
            let reached = if unreached {
                Reached::No
            } else {
                Reached::Perhaps
            };
            (
                Check::failed("source", subject(Some(source)), error.into()),
                reached,
            )
        }
        Err(failure) => (
            Check::failed("source", subject(Some(source)), failure),
            Reached::No,
        ),
    }
}

/// What there is in an empty place.
fn nothing(source: &S3Uri) -> String {
    if source.key.is_empty() {
        "the bucket has no objects".to_owned()
    } else {
        format!("the bucket has no objects with the prefix {}", source.key)
    }
}

/// The command that makes some there.
fn fill(source: &S3Uri, access: &Access) -> String {
    let (place, access) = (
        source.to_string(),
        Access {
            no_sign_request: false,
            request_payer: false,
            ..access.clone()
        }
        .words(),
    );
    let words = [
        "parfetch",
        "fill",
        place.as_str(),
        "--objects",
        "2000",
        "--size",
        "256KiB",
    ];
    shell::line(words.into_iter().chain(access.iter().map(String::as_str)))
}

/// Whether the first page had no key: nothing would be fetched.
pub(super) fn is_empty(check: &Check) -> bool {
    check
        .facts
        .get("keys_on_first_page")
        .is_some_and(|keys| *keys == 0)
}

/// Whether only tasks may read it.
pub(super) fn is_for_tasks(check: &Check) -> bool {
    check.facts.get("read_by") == Some(&"tasks".into())
}

/// These credentials list it and do not read it, and of tasks nothing was said.
fn unread(source: &S3Uri, error: StoreError) -> Check {
    let check = Check::failed("source", subject(Some(source)), error.into());
    let hint = check.hint.clone().unwrap_or_default();
    check.hint(format!(
        "{hint}; if tasks on Fargate read with a role of their own, name their --stack or --cluster"
    ))
}

async fn look(
    bucket: &mut Bucket,
    (source, access): (&S3Uri, &Access),
    tasks: Option<&TasksPlace>,
) -> Result<Check, StoreError> {
    let page = bucket.list_page(&PageQuery::of(&source.key)).await?;
    let readable = page
        .keys
        .iter()
        .filter(|record| !record.is_archived() && record.size.is_some_and(|size| size > 0));
    let smallest = readable.min_by_key(|record| record.size);
    let (read, read_by) = match smallest {
        None => (None, None),
        Some(record) => match bucket.read_start(&record.key, START_BYTES).await {
            // Whoever starts tasks need not read: their role does.
            Err(error) if error.kind == StoreErrorKind::Denied => match tasks {
                Some(_) => (None, Some("tasks")),
                None => return Ok(unread(source, error)),
            },
            read => (Some(read?), Some("these_credentials")),
        },
    };
    let works = if read_by == Some("tasks") {
        "list works; these credentials may not read objects: tasks read with a role of their own"
    } else {
        "list and get work"
    };
    let offset_s = bucket.clock_offset_s().await;
    let (region, endpoint) = (
        bucket.session().region().to_owned(),
        bucket.endpoint().map(str::to_owned),
    );
    let place = endpoint.as_ref().map_or_else(
        || region.clone(),
        |endpoint| format!("{endpoint}, {region}"),
    );
    let clock = match offset_s {
        None => "clock not known".to_owned(),
        Some(-1..=1) => "clock agrees".to_owned(),
        Some(offset_s) => format!("clock {} s off", units::count(offset_s.unsigned_abs())),
    };
    let subject = source.to_string();
    let is_skewed = offset_s.is_some_and(|offset_s| offset_s.unsigned_abs() > SKEWED_S);
    let check = match (page.keys.is_empty(), read) {
        (true, _) => {
            let what = nothing(source);
            let text = format!(
                "{place}: list works; {what}: a run would fetch nothing and end with exit code 0; {clock}"
            );
            Check::new("source", subject, CheckOutcome::Warning, text)
                .hint("check the bucket and the prefix, or make objects to try with:")
                .command(fill(source, access))
        }
        (false, None) if read_by.is_none() => Check::new(
            "source",
            subject,
            CheckOutcome::Warning,
            format!("{place}: list works; no object of the first page can be read; {clock}"),
        )
        .hint("they are empty or archived: nothing was read to try"),
        (false, _) if is_skewed => Check::new(
            "source",
            subject,
            CheckOutcome::Warning,
            format!("{place}: {works}; {clock}"),
        )
        .hint("set this machine's clock; until then parfetch signs with the store's time"),
        (false, Some(start)) if start.calls_kms => Check::new(
            "source",
            subject,
            CheckOutcome::Warning,
            format!(
                "{place}: {works}; S3 calls KMS for each GET, which costs $0.03 per 10,000 in addition and counts against the quota of KMS; {clock}"
            ),
        )
        .hint("give the bucket a bucket key (new objects then need hardly any calls of KMS)"),
        (false, _) => Check::new(
            "source",
            subject,
            CheckOutcome::Ok,
            format!("{place}: {works}; {clock}"),
        ),
    };
    Ok(check
        .fact("region", region)
        .fact("endpoint", endpoint)
        .fact("keys_on_first_page", page.keys.len() as u64)
        .fact("read_by", read_by)
        .fact("bytes_read", read.map(|start| start.bytes))
        .fact("calls_kms", read.map(|start| start.calls_kms))
        .fact("clock_offset_s", offset_s))
}
