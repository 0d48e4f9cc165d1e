//! Tasks: their life, the ways in which they end, tokens, quota, and what is not there yet.

use std::time::Duration;

use aws_sdk_ecs::error::ProvideErrorMetadata as _;
use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, DesiredStatus, Task, TaskField, TaskOverride,
};

use super::{Account, over, source};
use crate::support::aws::{Fault, Form, On, Pace, Setup, Status};

impl Account {
    /// One look at one task; none when it is missing.
    fn look(&self, arn: &str) -> Option<Task> {
        let answer = self
            .wait(
                self.ecs
                    .describe_tasks()
                    .cluster("parfetch")
                    .tasks(arn)
                    .include(TaskField::Tags)
                    .send(),
            )
            .unwrap();
        assert_eq!(answer.tasks().len() + answer.failures().len(), 1);
        if let Some(failure) = answer.failures().first() {
            assert!(
                failure.reason() == Some("MISSING") && failure.arn().unwrap().ends_with(arn),
                "{failure:?}"
            );
        }
        answer.tasks().first().cloned()
    }

    fn list(&self, status: DesiredStatus) -> Vec<String> {
        let pages = self
            .ecs
            .list_tasks()
            .cluster("parfetch")
            .started_by("parfetch/s")
            .desired_status(status)
            .into_paginator()
            .items()
            .send();
        self.wait(pages.try_collect()).unwrap()
    }

    /// The task once it has stopped.
    fn stopped(&self, arn: &str) -> Task {
        self.aws.wait_for(|tasks| {
            tasks
                .iter()
                .any(|task| task.arn == arn && task.status == Status::Stopped)
        });
        self.look(arn).or_else(|| self.look(arn)).unwrap()
    }

    fn stop(&self, arn: &str) {
        self.wait(
            self.ecs
                .stop_task()
                .cluster("parfetch")
                .task(arn)
                .reason("enough")
                .send(),
        )
        .unwrap();
    }
}

#[test]
fn a_task_goes_through_all_states_and_its_program_leaves_its_results() {
    let source = source();
    let account = Account::new(Setup {
        pace: Pace::Looks(1),
        hidden: 2,
        ..over(&source)
    });
    let arn = account.start("one");
    let id = arn.rsplit('/').next().unwrap();
    assert_eq!(
        (account.look(&arn).is_some(), account.look(id).is_some()),
        (false, false),
        "not there yet"
    );
    let mut passed: Vec<String> = Vec::new();
    let end = std::time::Instant::now() + crate::support::scripted::DEADLINE;
    while passed.last().is_none_or(|last| last != "STOPPED") {
        assert!(std::time::Instant::now() < end, "{passed:?}");
        let status = account
            .look(&arn)
            .unwrap()
            .last_status()
            .unwrap()
            .to_owned();
        if passed.last() != Some(&status) {
            passed.push(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let all = [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
        "DEACTIVATING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ];
    assert_eq!(passed, all);
    let view = &account.aws.tasks()[0];
    let task = account.look(&arn).unwrap();
    assert_eq!(task.containers()[0].exit_code(), Some(0), "{}", view.log);
    assert_eq!(
        task.stop_code().unwrap().as_str(),
        "EssentialContainerExited"
    );
    let times = [
        task.created_at(),
        task.pull_started_at(),
        task.pull_stopped_at(),
        task.started_at(),
        task.execution_stopped_at(),
        task.stopping_at(),
        task.stopped_at(),
    ];
    let times: Vec<_> = times
        .iter()
        .map(|time| time.unwrap().to_millis().unwrap())
        .collect();
    assert!(
        times.is_sorted() && times[0] > 1_700_000_000_000,
        "{times:?}"
    );
    assert_eq!(
        (
            view.exit_code,
            view.size,
            view.tags["parfetch:cell"].as_str()
        ),
        (Some(0), (1_024, 2_048), "one")
    );
    assert_eq!(
        (
            view.environment["CONCURRENCY"].as_str(),
            view.environment.get("HOME")
        ),
        ("2", None)
    );
    let facts = view.facts.as_ref().unwrap();
    assert!(facts.credentials >= 1 && facts.looks >= 1, "{facts:?}");
    let stored = source.s3().list(&source.results, "parfetch/");
    let summary = stored
        .iter()
        .find(|(key, _)| {
            std::path::Path::new(key)
                .extension()
                .is_some_and(|ending| ending == "json")
        })
        .unwrap();
    let summary: serde_json::Value =
        serde_json::from_slice(&source.s3().get(&source.results, &summary.0)).unwrap();
    assert_eq!(
        (
            &summary["totals"]["rows"]["ok"],
            &summary["settings"]["concurrency"]
        ),
        (&20.into(), &2.into())
    );
    let ecs = &summary["environment"]["ecs"];
    assert_eq!(
        (&ecs["task_arn"], &ecs["limit_vcpu"], &ecs["revision"]),
        (&arn.clone().into(), &1.0.into(), &"7".into())
    );
    assert!(
        task.tags()
            .iter()
            .any(|tag| tag.key() == Some("parfetch:cell") && tag.value() == Some("one"))
    );
    account.aws.finish();
}

#[test]
fn the_same_token_is_the_same_task_and_other_parameters_are_a_conflict() {
    let source = source();
    let account = Account::new(over(&source).fault_times(On::Start(2), Fault::LostAnswer, 1));
    let arn = account.start("t");
    assert_eq!(account.start("t"), arn);
    let error = account
        .wait(account.task("t").started_by("parfetch/other").send())
        .unwrap_err()
        .into_service_error();
    let aws_sdk_ecs::operation::run_task::RunTaskError::ConflictException(conflict) = error else {
        panic!("{error:?}")
    };
    assert_eq!(conflict.resource_ids(), std::slice::from_ref(&arn));
    // The answer gets lost, the task does not.
    account.wait(account.task("lost").send()).unwrap_err();
    assert_eq!(account.aws.tasks().len(), 2);
    let again = account.start("lost");
    assert_eq!(
        (account.aws.tasks().len(), &account.aws.tasks()[1].arn),
        (2, &again)
    );
    let calls = account.aws.calls("RunTask");
    assert_eq!(
        calls.iter().map(|call| call.error).collect::<Vec<_>>(),
        [None, None, Some("ConflictException"), None, None]
    );
    assert_eq!(calls[4].body["clientToken"], "lost");
    account.stopped(&arn);
    account.stopped(&again);
    account.aws.finish();
}

#[test]
fn listings_lag_come_in_pages_and_tell_running_from_stopped() {
    let source = source();
    let setup = Setup {
        quota: [Some(64.0), None],
        ..over(&source)
    }
    .fault(On::All, Fault::Stuck(Status::Provisioning));
    let account = Account::new(setup);
    let mut arns: Vec<_> = (0..12)
        .map(|number| account.start(&format!("t{number}")))
        .collect();
    assert_eq!(
        account.list(DesiredStatus::Running),
        [""; 0],
        "not there yet"
    );
    // A listing of two pages looks at hidden tasks once.
    let mut listed = account.list(DesiredStatus::Running);
    arns.sort();
    listed.sort();
    assert_eq!(listed, arns);
    for arn in &arns {
        account.stop(arn);
    }
    assert_eq!(
        account.list(DesiredStatus::Stopped).len(),
        12,
        "told to stop counts as stopped"
    );
    assert_eq!(account.list(DesiredStatus::Running).len(), 0);
    account
        .aws
        .wait_for(|tasks| tasks.iter().all(|task| task.status == Status::Stopped));
    let task = account.look(&arns[0]).unwrap();
    assert_eq!(
        (task.stop_code().unwrap().as_str(), task.stopped_reason()),
        ("UserInitiated", Some("enough"))
    );
    assert_eq!(
        (task.containers()[0].exit_code(), task.started_at()),
        (None, None),
        "it never ran"
    );
    account.aws.finish();
}

#[test]
fn vcpu_in_flight_are_counted_and_given_back() {
    let source = source();
    let setup = Setup {
        quota: [Some(1.0), None],
        ..over(&source)
    }
    .fault(On::All, Fault::Stuck(Status::Running));
    let account = Account::new(Setup {
        stop_timeout: Duration::from_millis(20),
        ..setup
    });
    let first = account.start("a");
    let answer = account.wait(account.task("b").send()).unwrap();
    assert!(answer.tasks().is_empty());
    assert_eq!(
        answer.failures()[0].reason(),
        Some("You've reached the limit on the number of vCPUs you can run concurrently")
    );
    assert_eq!(answer.failures()[0].arn(), None);
    let answer = account
        .wait(
            account
                .task("c")
                .overrides(TaskOverride::builder().cpu("2048").memory("4096").build())
                .send(),
        )
        .unwrap();
    assert_eq!(
        answer.failures()[0].reason(),
        Some("The requested CPU configuration is above your limit")
    );
    // Spot has a quota of its own: the default.
    let spot = CapacityProviderStrategyItem::builder()
        .capacity_provider("FARGATE_SPOT")
        .weight(1)
        .build()
        .unwrap();
    let on_spot = account.task("d").capacity_provider_strategy(spot);
    let answer = account.wait(on_spot.set_launch_type(None).send()).unwrap();
    assert_eq!(
        answer.tasks()[0].capacity_provider_name(),
        Some("FARGATE_SPOT")
    );
    let second = answer.tasks()[0].task_arn().unwrap();
    account
        .aws
        .wait_for(|tasks| tasks.iter().all(|task| task.status == Status::Running));
    account.stop(&first);
    account.stop(second);
    let task = account.stopped(&first);
    assert_eq!(
        task.containers()[0].exit_code(),
        Some(137),
        "it did not hear SIGTERM"
    );
    account.stopped(second);
    let third = account.start("b");
    account
        .aws
        .wait_for(|tasks| tasks.last().unwrap().status == Status::Running);
    account.stop(&third);
    account.stopped(&third);
    account.aws.finish();
}

#[test]
fn a_task_that_is_stopped_gets_sigterm_and_says_so() {
    let source = crate::support::source::Store::serving("objects=2000,size=1KiB,ttfb=1s");
    let account = Account::new(over(&source));
    let arn = account.start("t");
    account.aws.wait_for(|tasks| {
        tasks[0]
            .facts
            .as_ref()
            .is_some_and(|facts| facts.credentials > 0)
    });
    let pid = account.aws.tasks()[0].pid.unwrap();
    account.stop(&arn);
    assert_eq!(account.stopped(&arn).containers()[0].exit_code(), Some(143));
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    account.aws.finish();
}

#[test]
fn tasks_end_in_every_way_that_is_asked_for() {
    // None ends by itself before the stand-in looks at it.
    let source = crate::support::source::Store::serving("objects=20,size=1KiB,ttfb=1s");
    let faults = [
        ("pull", Fault::CannotPull),
        ("memory", Fault::OutOfMemory),
        ("spot", Fault::Spot("SpotInterruption")),
        ("notice", Fault::Spot("TerminationNotice")),
        ("host", Fault::HostLost),
        ("gone", Fault::Vanishes),
        ("stopping", Fault::Stuck(Status::Stopping)),
    ];
    let setup = faults.iter().fold(
        Setup {
            hidden: 0,
            ..over(&source)
        },
        |setup, (cell, fault)| setup.fault_times(On::cell(cell), *fault, 1),
    );
    let account = Account::new(setup);
    let end = |cell: &str| {
        let task = account.stopped(&account.start(cell));
        let text = |text: Option<&str>| {
            text.unwrap_or_default()
                .split(':')
                .next()
                .unwrap()
                .to_owned()
        };
        let container = &task.containers()[0];
        (
            task.stop_code().unwrap().as_str().to_owned(),
            text(container.reason()),
            container.exit_code(),
            task.started_at().is_some(),
        )
    };
    assert_eq!(
        end("pull"),
        (
            "TaskFailedToStart".to_owned(),
            "CannotPullContainerError".to_owned(),
            None,
            false
        )
    );
    assert_eq!(
        end("memory"),
        (
            "EssentialContainerExited".to_owned(),
            "OutOfMemoryError".to_owned(),
            Some(137),
            true
        )
    );
    assert_eq!(
        end("spot"),
        (
            "SpotInterruption".to_owned(),
            String::new(),
            Some(143),
            true
        )
    );
    assert_eq!(
        end("notice"),
        (
            "TerminationNotice".to_owned(),
            String::new(),
            Some(143),
            true
        )
    );
    assert_eq!(
        end("host"),
        ("InfrastructureHealth".to_owned(), String::new(), None, true)
    );
    let gone = account.start("gone");
    account
        .aws
        .wait_for(|tasks| tasks.last().unwrap().status == Status::Running);
    assert!(account.look(&gone).is_none() && account.list(DesiredStatus::Running).is_empty());
    let stuck = account.start("stopping");
    account
        .aws
        .wait_for(|tasks| tasks.last().unwrap().status == Status::Stopping);
    account.stop(&stuck);
    assert_eq!(
        account.look(&stuck).unwrap().last_status(),
        Some("STOPPING")
    );
    account.aws.finish();
}

#[test]
fn starts_are_refused_in_every_way_that_is_asked_for() {
    let source = source();
    let faults = [
        Fault::Throttled,
        Fault::ServerError,
        Fault::AccessDenied,
        Fault::Ec2Throttled,
        Fault::MissingDefinition,
        Fault::Quota(Form::Exception),
        Fault::AboveLimit(Form::Exception),
    ];
    let numbered = || {
        faults
            .iter()
            .enumerate()
            .map(|(number, fault)| (On::Start(number + 1), *fault))
    };
    let setup = numbered()
        .fold(over(&source), |setup, (on, fault)| {
            setup.fault_times(on, fault, 1)
        })
        .fault_times(On::Start(8), Fault::Capacity, 1);
    let account = Account::new(setup);
    let codes: Vec<_> = (1..=7)
        .map(|number| {
            account
                .wait(account.task(&format!("t{number}")).send())
                .unwrap_err()
                .into_service_error()
                .code()
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected = [
        "ThrottlingException",
        "ServerException",
        "AccessDeniedException",
        "InvalidParameterException",
    ];
    assert_eq!(codes[..4], expected);
    assert_eq!(codes[4..], ["ClientException"; 3]);
    let answer = account.wait(account.task("t8").send()).unwrap();
    assert!(
        answer.failures()[0].arn().is_none()
            && answer.failures()[0]
                .reason()
                .unwrap()
                .starts_with("Capacity is unavailable")
    );
    assert!(account.aws.tasks().is_empty(), "nothing was started");
    account.stopped(&account.start("t1"));
    account.aws.finish();
}

#[test]
fn starts_are_limited_to_so_many_a_second() {
    let source = source();
    let account = Account::new(
        Setup {
            launches: (2, 2),
            ..over(&source)
        }
        .fault(On::All, Fault::Capacity),
    );
    let refused = (0..4).filter(|number| {
        let error = account
            .wait(account.task(&format!("t{number}")).send())
            .err();
        error.is_some_and(|error| error.into_service_error().code() == Some("ThrottlingException"))
    });
    // Four calls within a second, unless the machine stands still.
    assert!(refused.count() >= 1);
    account.aws.finish();
}
