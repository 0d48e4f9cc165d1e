//! Where a sweep runs, and the settings of tasks on Fargate: where, how many, how long, for how much money.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contender;
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use crate::cli::{Given, Raw};
use crate::cloud::{Capacity, PublicAddress, TaskNetwork};
use crate::estimate::CostConsent;
use crate::exit::Failure;
use crate::sweep::plan::SweepPlan;
use crate::sweep::{FleetPlan, OnInterrupt, SweepPlace};

/// Flags that mean nothing on this machine.
const ON_ECS_ALONE: [&str; 15] = [
    "stack",
    "cluster",
    "task-definition",
    "container",
    "subnets",
    "security-groups",
    "assign-public-ip",
    "log-group",
    "capacity",
    "max-tasks",
    "max-cost",
    "detach",
    "start-timeout",
    "stop-timeout",
    "poll-interval",
];

/// What `--on` takes, and whether it is Fargate; the last of `tune` alone, which has read the name of a file before.
const PLACES: [(&str, bool); 3] = [("local", false), ("ecs", true), ("model=FILE", false)];
/// Container of infra/template.yaml's task definition.
const CONTAINER: &str = "parfetch";
/// Tasks at once at the most: more share one bucket's limits without measuring anything.
const MOST_TASKS: u64 = 100;

/// Where cells run: on Fargate with these settings, or here; each for so long.
pub(super) fn place(
    raw: &Raw,
    plan: &SweepPlan,
    time_limit: Duration,
    notes: &mut Notes,
) -> Result<SweepPlace, Failure> {
    let reader = SettingReader(raw);
    let known = if raw.command == "tune" { 3 } else { 2 };
    let on_ecs = reader.one_of("on", &PLACES[..known])?.unwrap_or(false);
    // Read in every case: what is wrong is said also where it is not used.
    let address = reader.one_of(
        "assign-public-ip",
        &[
            ("ENABLED", PublicAddress::Enabled),
            ("DISABLED", PublicAddress::Disabled),
        ],
    )?;
    let capacity = reader
        .one_of(
            "capacity",
            &[("on-demand", Capacity::OnDemand), ("spot", Capacity::Spot)],
        )?
        .unwrap_or_default();
    let max_tasks = reader
        .number("max-tasks", 1..=MOST_TASKS, "tasks at once")?
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(1);
    let time = |flag: &str, default: Duration| {
        Ok::<_, Failure>(
            reader
                .time(flag)?
                .filter(|time| !time.is_zero())
                .unwrap_or(default),
        )
    };
    let (start_limit, stop_limit) = (
        time("start-timeout", Duration::from_mins(15))?,
        time("stop-timeout", Duration::from_mins(4))?,
    );
    let poll = time("poll-interval", Duration::from_secs(5))?;
    let (detach, consent) = (reader.switch("detach")?, consent(raw)?);
    if !on_ecs {
        return here(raw, plan, notes);
    }
    refuse_what_tasks_cannot(raw, plan)?;
    if raw.get("result-bucket").is_none() {
        let hint = "name the stack with --stack, or set RESULT_BUCKET_NAME or --result-bucket";
        notes.lacks(usage("tasks on Fargate need a results bucket", hint));
    }
    let mut needed = |flag: &str, what: &str| {
        reader.text(flag).unwrap_or_else(|| {
            notes.lacks(usage(
                format!("no {what} is given"),
                format!("name the stack of infra/template.yaml with --stack, or --{flag}"),
            ));
            String::new()
        })
    };
    let cluster = needed("cluster", "cluster");
    // Where contenders run alone, nothing of parfetch's own runs as a task.
    let definition = Some("task-definition").filter(|_| !plan.client.is_empty());
    let definition = definition.map_or_else(String::new, |flag| needed(flag, "task definition"));
    let subnets = words(&needed("subnets", "subnet"));
    Ok(SweepPlace::Ecs(Box::new(FleetPlan {
        cluster,
        definition,
        container: reader
            .text("container")
            .unwrap_or_else(|| CONTAINER.to_owned()),
        network: TaskNetwork {
            subnets,
            security_groups: words(&reader.text("security-groups").unwrap_or_default()),
            public_address: address.unwrap_or_default(),
        },
        capacity,
        max_tasks,
        start_limit,
        run_limit: time_limit,
        stop_limit,
        poll,
        least: plan.time().unwrap_or_default(),
        on_interrupt: if detach {
            OnInterrupt::Detach
        } else {
            OnInterrupt::Stop
        },
        consent,
        log_group: reader.text("log-group"),
        storage_gib: None,
        contenders: BTreeMap::new(),
    })))
}

/// On this machine, where settings of tasks mean nothing.
fn here(raw: &Raw, plan: &SweepPlan, notes: &mut Notes) -> Result<SweepPlace, Failure> {
    if let Some(limit) = raw.get("max-cost").filter(|given| !given.is_variable()) {
        return Err(usage(
            format!(
                "{} limits what tasks on Fargate cost, and without --on ecs there are none",
                limit.name
            ),
            "leave it out; --max-bytes limits what is read, and --on ecs measures on Fargate",
        ));
    }
    let given = ON_ECS_ALONE
        .iter()
        .filter_map(|flag| raw.get(flag))
        .map(|given| given.name)
        .find(|name| *name != "--stack");
    if let Some(name) = given.or(raw.get("stack").map(|given| given.name)) {
        notes.warn(format!("{name} is not used: it takes --on ecs"));
    }
    plan.contender.iter().try_for_each(contender::check_here)?;
    Ok(SweepPlace::Local)
}

/// Whether money may be spent, and how much.
pub(super) fn consent(raw: &Raw) -> Result<CostConsent, Failure> {
    let Some(Given { value, name }) = raw.get("max-cost") else {
        return Ok(if SettingReader(raw).switch("yes")? {
            CostConsent::Given
        } else {
            CostConsent::NotGiven
        });
    };
    match value.trim_start_matches('$').parse::<f64>() {
        Ok(usd) if usd.is_finite() && usd > 0.0 => Ok(CostConsent::UpTo(usd)),
        _ => Err(usage(
            format!("{name} is `{value}`, which is not an amount"),
            "write US dollars, like 2.50",
        )),
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn refuse_what_tasks_cannot(raw: &Raw, plan: &SweepPlan) -> Result<(), Failure> {
    if plan.embedded.is_some() {
        return Err(usage(
            "tasks on Fargate cannot reach the embedded server",
            "leave --embedded out, or --on ecs",
        ));
    }
    if plan.is_web() {
        return Err(usage(
            "requests to a web server are made from this machine, and not from tasks on Fargate",
            "leave the URLs out, or --on ecs",
        ));
    }
    if let Some(server) = plan.server.first() {
        let message = format!("the server {} cannot run on Fargate", server.name);
        return Err(usage(
            message,
            "servers run on this machine: leave --server out, or --on ecs",
        ));
    }
    plan.contender
        .iter()
        .try_for_each(contender::check_on_ecs)?;
    if let (Some(contender), true) = (plan.contender.first(), plan.shards != [1]) {
        let message = format!(
            "the contender {} does not know shards: each of its tasks would read everything",
            contender.name
        );
        return Err(usage(
            message,
            "leave --shards out, or measure it in a sweep of its own",
        ));
    }
    if let Some(Given { name, .. }) = raw.get("no-sign-request") {
        return Err(usage(
            format!(
                "{name} does not go with --on ecs: tasks store their results with the task's role"
            ),
            "leave it out",
        ));
    }
    Ok(())
}
