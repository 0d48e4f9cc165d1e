//! Contenders of a sweep: how they are typed, what holds for them here and on ECS, and what they cannot know.

use std::str::FromStr;

use super::factors::{check_command, check_environment};
use super::lists::given_twice;
use super::notes::Notes;
use super::reader::usage;
use crate::exit::Failure;
use crate::guess;
use crate::plan::variables::is_secret;
use crate::plan::{ClientKind, Mode, template};
use crate::sweep::SweepJob;
use crate::sweep::factors::{OUT, names};
use crate::sweep::plan::{Contender, ContenderOutput, SET_BY_SWEEP, SweepPlan, TimedBy};

/// How a contender is written.
const FORM: &str =
    "write it like --contender python='python3 fetch_study.py', or python:thread,process='…'";
/// The same, wherever it came from.
const OF_BOTH: &str = "write it like --contender python='python3 fetch_study.py'; in a plan file, name = \"python\" and command = \"python3 fetch_study.py\"";
/// How one on ECS is written, in short.
const ON_ECS: &str = "write it like --contender python='task-definition=fetch-study,container=app'; in a plan file, task_definition = \"fetch-study\" and container = \"app\"";
/// What the short form of a contender on ECS begins with.
const SHORT_FORM: &str = "task-definition=";

/// `NAME='COMMAND'` or `NAME:MODE,MODE='COMMAND'`; on ECS `NAME='task-definition=FAMILY,container=NAME'`.
pub(super) fn parse(text: &str) -> Result<Contender, Failure> {
    let wrong = |what: &str| usage(format!("--contender `{text}`: {what}"), FORM);
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
    let contender = Contender {
        name: name.to_owned(),
        mode,
        ..Contender::default()
    };
    if command.starts_with(SHORT_FORM) {
        return short(contender, command)
            .map_err(|what| usage(format!("--contender `{text}`: {what}"), ON_ECS));
    }
    Ok(Contender {
        command: command.to_owned(),
        ..contender
    })
}

/// `task-definition=FAMILY,container=NAME,csv=NAME`, or `time=program` in the place of the last.
fn short(mut contender: Contender, text: &str) -> Result<Contender, String> {
    for part in text.split(',') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("there is no `=` in `{part}`"))?;
        let value = value.to_owned();
        match name {
            "task-definition" => contender.task_definition = Some(value),
            "container" => contender.container = Some(value),
            "csv" => contender.result.csv = Some(value),
            "time" if value == "program" => contender.result.time = Some(TimedBy::Program),
            "time" => return Err(format!("time is `{value}`, and can be program alone")),
            _ => {
                let known = ["task-definition", "container", "csv", "time"];
                let meant =
                    guess::hint(name, known).map_or_else(String::new, |hint| format!(": {hint}"));
                return Err(format!("`{name}` is not a setting of it{meant}"));
            }
        }
    }
    Ok(contender)
}

/// What holds for a contender from wherever it came.
pub(super) fn check(contender: &Contender, plan: &SweepPlan) -> Result<(), Failure> {
    let Contender {
        name,
        command,
        mode,
        environment,
        ..
    } = contender;
    let wrong = |what: &str| {
        usage(
            format!("contender `{}`: {what}", name.escape_debug()),
            OF_BOTH,
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
    if contender.task_definition.is_none() || !command.is_empty() {
        check_command(command).map_err(|what| wrong(&what))?;
    }
    check_environment(environment).map_err(|what| wrong(&what))?;
    check_own_variables(contender)?;
    check_task(contender)?;
    check_output(contender, plan)
}

/// Its own variables are others than the sweep's, whose values would be lost.
fn check_own_variables(contender: &Contender) -> Result<(), Failure> {
    let is_other = |(name, same): &&(&str, &str)| {
        let value = contender.environment.get(*name);
        value.is_some_and(|value| value != same)
    };
    let Some((name, same)) = SET_BY_SWEEP.iter().find(is_other) else {
        return Ok(());
    };
    let hint = if same.is_empty() {
        "leave it out: --endpoint-url and --region of the sweep say how the store is reached"
            .to_owned()
    } else {
        format!("leave it out: its value is {same}, which a variable of another name may have too")
    };
    Err(usage(
        format!(
            "contender `{}`: its variable {name} is one that the sweep sets by itself",
            contender.name
        ),
        hint,
    ))
}

/// What ECS takes of its definition.
fn check_task(contender: &Contender) -> Result<(), Failure> {
    let wrong = |what: String| usage(format!("contender `{}`: {what}", contender.name), ON_ECS);
    let is_word = |text: &str| {
        !text.is_empty()
            && text.len() <= 512
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_:/.".contains(&byte))
    };
    for (what, text) in [
        ("task definition", &contender.task_definition),
        ("container", &contender.container),
    ] {
        if let Some(text) = text.as_deref().filter(|text| !is_word(text)) {
            return Err(wrong(format!(
                "`{}` is not the name of a {what}",
                text.escape_debug()
            )));
        }
    }
    let has_task = contender.container.is_some() || !contender.task_command.is_empty();
    if contender.task_definition.is_none() && has_task {
        return Err(wrong(
            "a container and a task_command belong to a task_definition, which is missing"
                .to_owned(),
        ));
    }
    Ok(())
}

/// What its figures are read from.
fn check_output(contender: &Contender, plan: &SweepPlan) -> Result<(), Failure> {
    let wrong =
        |what: &str, hint: &str| usage(format!("contender `{}`: {what}", contender.name), hint);
    let ContenderOutput { csv, time } = &contender.result;
    match (csv, time) {
        (Some(_), Some(_)) => {
            return Err(wrong(
                "it has both a CSV and a time of the program",
                "leave csv out if it writes none, and time out if it does",
            ));
        }
        (Some(csv), None) => {
            let is_key = csv.len() <= 200
                && !csv.starts_with('/')
                && !csv.ends_with('/')
                && !csv
                    .split('/')
                    .any(|part| part.is_empty() || part.starts_with('.'))
                && csv
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_./{}".contains(&byte));
            if !is_key {
                return Err(wrong(
                    &format!("`{}` is not a key for its CSV", csv.escape_debug()),
                    "write it like runs/{tag}.csv: A-Z a-z 0-9 - _ . / and names in braces",
                ));
            }
            if !template::names(csv).any(|name| name == "tag") {
                return Err(wrong(
                    "the key of its CSV has no {tag}",
                    "each repetition has a tag of its own: without it, an older CSV would count for a new one",
                ));
            }
        }
        (None, Some(TimedBy::Program)) if plan.is_web() => {
            return Err(wrong(
                "its time alone is measured, so how many requests it makes is not known",
                "let it write a CSV with a row for each request, as docs/servers.md has it",
            ));
        }
        (None, Some(TimedBy::Program)) => {
            let reads_less = [
                ("limit", plan.limit.is_some()),
                ("duration", plan.duration.is_some()),
            ];
            if let Some((what, _)) = reads_less.into_iter().find(|(_, is_given)| *is_given) {
                return Err(wrong(
                    &format!("its time alone is measured, and a {what} means nothing to it"),
                    "leave it out: each repetition is one run of the program",
                ));
            }
        }
        (None, None) => {}
    }
    Ok(())
}

/// What holds for a contender on this machine.
pub(super) fn check_here(contender: &Contender) -> Result<(), Failure> {
    if contender.command.is_empty() {
        return Err(usage(
            format!(
                "the contender {} has no command for this machine: it has a task definition alone",
                contender.name
            ),
            "measure it on Fargate with --on ecs, or give it a command in the plan file",
        ));
    }
    Ok(())
}

/// What holds for a contender as a task.
pub(super) fn check_on_ecs(contender: &Contender) -> Result<(), Failure> {
    let name = &contender.name;
    if contender.task_definition.is_none() {
        return Err(usage(
            format!("the contender {name} has no task definition, which it needs on Fargate"),
            ON_ECS,
        ));
    }
    if names(contender, OUT) {
        return Err(usage(
            format!("the contender {name} names {{out}}, which is a file on this machine"),
            "on Fargate it stores its CSV in the results bucket: {results_bucket}",
        ));
    }
    // Whoever may look at tasks reads their overrides.
    let mut variables = contender.environment.keys();
    if let Some(variable) = variables.find(|variable| is_secret(variable)) {
        return Err(usage(
            format!(
                "the contender {name}: the variable {variable} looks like a secret, and everybody who may look at tasks could read it"
            ),
            "name it under `secrets` of the task definition, or give the task a role",
        ));
    }
    Ok(())
}

/// Contenders know the six variables alone: what else the plan says they may not honour.
pub(super) fn beyond(job: &SweepJob, notes: &mut Notes) {
    let plan = &job.plan;
    // What a program reads whose time alone is measured, nobody sees.
    let checked = || plan.contender.iter().filter(|one| !one.is_timed());
    let mut beyond = Vec::new();
    beyond.extend(plan.limit.map(|_| "a limit"));
    let knows = |name: &str| checked().all(|one| names(one, name) || names(one, "keys"));
    beyond.extend((!plan.prefix.is_empty() && !knows("prefix")).then_some("a prefix"));
    beyond.extend((plan.shards != [1]).then_some("shards"));
    beyond.extend((plan.work != crate::plan::Work::None).then_some("work"));
    let timed = plan.contender.iter().filter(|one| one.is_timed());
    let timed: Vec<&str> = timed.map(|one| one.name.as_str()).collect();
    if job.approval.max_bytes.is_some() && !timed.is_empty() {
        let programs = timed.join(", ");
        notes.warn(format!(
            "--max-bytes does not count what {programs} reads, which is not known"
        ));
    }
    if plan.duration.is_some() && !plan.contender.is_empty() {
        notes.warn(
            "time ends parfetch's own runs; contenders read every key once, however long it takes"
                .to_owned(),
        );
    }
    if checked().next().is_some() && !beyond.is_empty() {
        let what = beyond.join(", ");
        notes.warn(format!("the plan has {what}, which is in no variable of a contender: contenders that fetch something else fail"));
    }
}
