//! Contenders of a sweep: how they are typed, and what they cannot know.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::factors::{check_command, check_environment};
use super::lists::given_twice;
use super::notes::Notes;
use super::reader::usage;
use crate::exit::Failure;
use crate::plan::{ClientKind, Mode};
use crate::sweep::SweepJob;
use crate::sweep::plan::{Contender, SweepPlan};

/// `NAME='COMMAND'` or `NAME:MODE,MODE='COMMAND'`.
pub(super) fn parse(text: &str) -> Result<Contender, Failure> {
    let hint =
        "write it like --contender python='python3 fetch_study.py', or python:thread,process='…'";
    let wrong = |what: &str| usage(format!("--contender `{text}`: {what}"), hint);
    let (head, command) = text
        .split_once('=')
        .ok_or_else(|| wrong("there is no `=`"))?;
    let (name, modes) = head
        .split_once(':')
        .map_or((head, None), |(name, modes)| (name, Some(modes)));
    let modes = modes.map(|modes| {
        modes
            .split(',')
            .map(Mode::from_str)
            .collect::<Result<Vec<_>, _>>()
    });
    let mode = modes
        .transpose()
        .map_err(|error| wrong(&error))?
        .unwrap_or_default();
    Ok(Contender {
        name: name.to_owned(),
        command: command.to_owned(),
        mode,
        environment: BTreeMap::new(),
    })
}

/// What holds for a contender from wherever it came.
pub(super) fn check(contender: &Contender, plan: &SweepPlan) -> Result<(), Failure> {
    let Contender {
        name,
        command,
        mode,
        environment,
    } = contender;
    let wrong = |what: &str| {
        usage(
            format!("contender `{}`: {what}", name.escape_debug()),
            "write it like --contender python='python3 fetch_study.py'",
        )
    };
    let letters = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !letters || name.is_empty() || name.len() > 32 || name.starts_with('.') {
        return Err(wrong("a name has 1 to 32 of A-Z a-z 0-9 . _ -"));
    }
    if ClientKind::from_str(name).is_ok() {
        return Err(wrong("that is the name of a client"));
    }
    if plan
        .contender
        .iter()
        .filter(|other| other.name == *name)
        .count()
        > 1
    {
        return Err(wrong("it is named twice"));
    }
    if let Some(mode) = given_twice(mode) {
        return Err(wrong(&format!("its mode {mode} is given twice")));
    }
    check_command(command)
        .and_then(|()| check_environment(environment))
        .map_err(|what| wrong(&what))
}

/// Contenders know the six variables alone: what else the plan says they may not honour.
pub(super) fn beyond(job: &SweepJob, notes: &mut Notes) {
    let plan = &job.plan;
    let mut beyond = Vec::new();
    beyond.extend(plan.limit.map(|_| "a limit"));
    beyond.extend(plan.duration.as_ref().map(|_| "a duration"));
    beyond.extend((!plan.prefix.is_empty()).then_some("a prefix"));
    beyond.extend((plan.shards != [1]).then_some("shards"));
    beyond.extend((plan.work != crate::plan::Work::None).then_some("work"));
    if !plan.contender.is_empty() && !beyond.is_empty() {
        let what = beyond.join(", ");
        notes.warn(format!("the plan has {what}, which the six variables do not tell contenders: those that fetch something else fail"));
    }
}
