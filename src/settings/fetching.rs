//! How objects are fetched, in `run`, `submit` and `sweep` alike.

use std::num::NonZeroU32;

use super::reader::{SettingReader, usage};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::{
    Access, ClientKind, Destination, FetchOptions, Layout, Limits, MAX_ATTEMPTS, Mode,
    ObjectSource, RunPlan, Selection,
};
use crate::price::Egress;

fn concurrency(raw: &Raw, mode: Mode) -> Result<NonZeroU32, Failure> {
    let most = u64::from(mode.max_concurrency());
    let number = SettingReader(raw)
        .number("concurrency", 1..=most, &format!("workers of mode {mode}"))?
        .unwrap_or(16);
    Ok(u32::try_from(number)
        .ok()
        .and_then(NonZeroU32::new)
        .expect("the range was checked"))
}

fn tag(raw: &Raw) -> Result<String, Failure> {
    let Some(Given { value, name }) = raw.get("tag") else {
        return Ok("run".to_owned());
    };
    let fits = value.len() <= 64
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits {
        return Ok(value.clone());
    }
    Err(usage(
        format!("{name} is `{value}`, which cannot be part of a result's name"),
        "a tag has 1 to 64 of A-Z a-z 0-9 . _ -",
    ))
}

/// What is not given is as in `default`.
pub(super) fn limits(raw: &Raw, default: Limits) -> Result<Limits, Failure> {
    let reader = SettingReader(raw);
    let attempts = reader.number(
        "attempts",
        1..=u64::from(MAX_ATTEMPTS),
        "HTTP attempts per object",
    )?;
    Ok(Limits {
        attempts: attempts
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(default.attempts),
        connect_timeout: reader.time("connect-timeout")?.or(default.connect_timeout),
        stall_timeout: reader.time("stall-timeout")?.or(default.stall_timeout),
        fetch_timeout: reader.time("timeout")?,
    })
}

/// What `run` and `submit` take for a plan each in its own way.
pub(super) struct PlanParts {
    pub(super) source: ObjectSource,
    pub(super) selection: Selection,
    pub(super) mode: Mode,
    pub(super) access: Access,
    pub(super) destination: Destination,
    /// Limits of a fetch where none are given.
    pub(super) limits: Limits,
}

/// The plan of a run, or of each child of a job.
pub(super) fn run_plan(raw: &Raw, parts: PlanParts) -> Result<RunPlan, Failure> {
    let reader = SettingReader(raw);
    Ok(RunPlan {
        concurrency: concurrency(raw, parts.mode)?,
        client: reader.word("client")?.unwrap_or(ClientKind::Lean),
        tag: tag(raw)?,
        fetch: FetchOptions {
            limits: limits(raw, parts.limits)?,
            work: reader.word("work")?.unwrap_or_default(),
        },
        duration: reader.time("duration")?,
        layout: layout(&reader)?,
        egress: egress(&reader)?,
        source: parts.source,
        selection: parts.selection,
        mode: parts.mode,
        access: parts.access,
        destination: parts.destination,
    })
}

/// Where the bytes go that are read.
pub(super) fn egress(reader: &SettingReader<'_>) -> Result<Egress, Failure> {
    Ok(reader.word("egress")?.unwrap_or_default())
}

/// In which order objects are fetched, and in which parts.
fn layout(reader: &SettingReader<'_>) -> Result<Layout, Failure> {
    Ok(Layout {
        order: reader.word("order")?.unwrap_or_default(),
        part_size: reader.part_size()?,
    })
}
