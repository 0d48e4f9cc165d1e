//! Starts that are refused: for a while, for one size, for good.

use super::{FIRST, SECOND, SMALL, Scene};
use crate::support::aws::{Fault, Form, On};

fn second() -> On {
    On::cell(SECOND)
}

/// The second cell's start is refused so often, and everything is well in the end.
#[track_caller]
fn is_waited_for(fault: Fault, times: u32) {
    let scene = Scene::new(|setup| setup.fault_times(second(), fault, times));
    scene.sweep(&SMALL, 0);
    let refused = scene.aws.calls("RunTask").len() - scene.aws.tasks().len();
    assert_eq!(
        (refused, scene.aws.tasks().len()),
        (usize::try_from(times).unwrap(), 3)
    );
    assert!(scene.failures().values().all(Option::is_none));
    scene.finish();
}

#[test]
fn throttles_are_waited_out() {
    is_waited_for(Fault::Throttled, 7);
}

#[test]
fn throttles_of_ec2_are_waited_out() {
    is_waited_for(Fault::Ec2Throttled, 2);
}

#[test]
fn errors_of_the_server_are_waited_out() {
    is_waited_for(Fault::ServerError, 7);
}

#[test]
fn capacity_is_waited_for() {
    is_waited_for(Fault::Capacity, 3);
}

/// Every other Fargate task of the account counts too, the sweep's own warm-up as well.
#[test]
fn what_the_account_runs_at_once_is_waited_for() {
    for fault in [
        Fault::Quota(Form::Failure),
        Fault::Quota(Form::Exception),
        Fault::TaskQuota(Form::Failure),
        Fault::TaskQuota(Form::Exception),
    ] {
        is_waited_for(fault, 3);
    }
}

#[test]
fn capacity_that_does_not_come_fails_the_repetition() {
    let scene = Scene::new(|setup| setup.fault(second(), Fault::Capacity));
    scene.sweep(&[&SMALL[..], &["--start-timeout", "12s"]].concat(), 3);
    let failures = scene.failures();
    assert_eq!(failures[&format!("{FIRST}/r01-a1")], None);
    let reason = failures[&format!("{SECOND}/r01-a1")].clone().unwrap();
    assert!(
        reason.contains("Capacity is unavailable") && reason.contains("12s"),
        "{reason}"
    );
    scene.finish();
}

#[test]
fn an_answer_that_gets_lost_starts_nothing_twice() {
    let scene = Scene::new(|setup| setup.fault(On::All, Fault::LostAnswer));
    scene.sweep(&SMALL, 0);
    let calls = scene.aws.calls("RunTask");
    assert!(
        calls.len() >= 6,
        "each was asked for again: {}",
        calls.len()
    );
    assert_eq!(scene.aws.tasks().len(), 3);
    scene.finish();
}

#[test]
fn a_size_above_the_limit_fails_and_other_sizes_go_on() {
    for (fault, words) in [
        (Fault::AboveLimit(Form::Failure), "above your limit"),
        (Fault::AboveLimit(Form::Exception), "above your limit"),
    ] {
        let large = "lean-2vcpu-4096mib-async-x1";
        let scene = Scene::new(|setup| setup.fault(On::cell(large), fault));
        scene.sweep(
            &[
                "--vcpu", "1,2", "--client", "lean", "--mode", "async", "-c", "1", "--repeat", "2",
            ],
            3,
        );
        let failures = scene.failures();
        for repetition in ["r01-a1", "r02-a1"] {
            assert_eq!(failures[&format!("{FIRST}/{repetition}")], None);
            let reason = failures[&format!("{large}/{repetition}")].clone().unwrap();
            assert!(reason.contains(words), "{reason}");
        }
        assert_eq!(
            scene.aws.calls("RunTask").len() - scene.aws.tasks().len(),
            1,
            "the second repetition was not asked for"
        );
        scene.finish();
    }
}

#[test]
fn what_concerns_every_task_ends_the_sweep() {
    for (fault, words) in [
        (Fault::MissingDefinition, "TaskDefinition not found"),
        (Fault::AccessDenied, "is not authorized"),
        (Fault::NoProvider, "hint: add FARGATE_SPOT to the cluster"),
        (Fault::Blocked, "hint: AWS blocked this account"),
    ] {
        let scene = Scene::new(|setup| setup.fault(second(), fault));
        let ended = scene.sweep(&SMALL, 4);
        assert!(
            ended.stderr.contains(words) && ended.stderr.contains("hint: "),
            "{}",
            ended.stderr
        );
        scene.finish();
    }
}

#[test]
fn what_is_not_there_is_found_out_before_anything_starts() {
    for (words, text) in [
        (["--cluster", "other"], "Cluster not found"),
        (
            ["--task-definition", "other"],
            "Unable to describe task definition",
        ),
        (["--container", "other"], "container"),
        (["--stack", "other"], "does not exist"),
    ] {
        let scene = Scene::new(|setup| setup);
        let mut command = scene.bare(&SMALL);
        command.args(["--on", "ecs", "--yes", "--poll-interval", "50ms"]);
        if words[0] != "--stack" {
            command.args(["--stack", "parfetch"]);
        }
        let output = command.args(words).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(4) || output.status.code() == Some(2),
            "{:?} {stderr}",
            output.status
        );
        assert!(stderr.contains(text), "{stderr}");
        assert!(scene.aws.tasks().is_empty());
        // A cluster that is not there is told by the first call that names it.
        scene.finish();
    }
}

#[test]
fn when_one_shard_cannot_be_started_the_others_are_not_left_to_run() {
    let scene = Scene::over(super::slow(), |setup| {
        setup.fault(On::tags(&[("parfetch:shard", "1")]), Fault::Capacity)
    });
    let words = [
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "async",
        "-c",
        "1",
        "--repeat",
        "1",
        "--shards",
        "2",
        "--max-tasks",
        "2",
    ];
    let ended = scene.sweep(
        &[
            &words[..],
            &["--start-timeout", "12s", "--run-timeout", "1m"],
        ]
        .concat(),
        4,
    );
    assert!(
        ended.stderr.contains("Capacity is unavailable"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        scene.aws.calls("StopTask").len(),
        1,
        "a minute of a task that nobody needs"
    );
    assert_eq!(scene.aws.tasks()[0].exit_code, Some(143));
    scene.finish();
}
