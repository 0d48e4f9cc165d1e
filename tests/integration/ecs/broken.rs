//! Tasks that end badly, or do not end: the right repetition fails for the right reason, the others go on, nothing is left running.

use std::time::Duration;

use super::{FIRST, SECOND, SMALL, Scene};
use crate::support::aws::{Fault, On, Setup, Status};

/// A cell at this concurrency, beside the warm-up and other repetitions.
fn cell(concurrency: u32) -> On {
    On::tags(&[
        ("parfetch:cell", &slug(concurrency)),
        ("parfetch:repetition", "1"),
    ])
}

fn slug(concurrency: u32) -> String {
    format!("lean-1vcpu-2048mib-async-x{concurrency}")
}

/// A limit of the task that breaks holds for the healthy ones beside it as well: they need seconds to start and end where other programs have the CPUs.
const HEALTHY: &str = "12s";

/// Runs cells with concurrency 1 to 3 side by side; the task of the second has this fault. Returns the reasons of its attempts.
#[track_caller]
fn reasons(fault: Fault, times: u32, limits: &[&str]) -> Vec<Option<String>> {
    let scene = Scene::new(|setup| {
        Setup {
            stop_timeout: Duration::from_secs(2),
            ..setup
        }
        .fault_times(cell(2), fault, times)
    });
    let words = [
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "async",
        "-c",
        "1,2,3",
        "--repeat",
        "1",
        "--max-tasks",
        "3",
    ];
    let ended = scene.start(&[&words[..], limits].concat()).end();
    let mut failures = scene.failures();
    let attempts: Vec<_> = (1..=4)
        .filter_map(|attempt| failures.remove(&format!("{}/r01-a{attempt}", slug(2))))
        .collect();
    assert!(!attempts.is_empty(), "{}", ended.stderr);
    let is_failed = attempts.last().unwrap().is_some();
    assert_eq!(
        ended.code,
        Some(if is_failed { 3 } else { 0 }),
        "{}\n{}",
        ended.stdout,
        ended.stderr
    );
    assert!(
        failures.len() == 3 && failures.values().all(Option::is_none),
        "others: {failures:?}"
    );
    let cells = &scene.report()["studies"][0]["cells"];
    let cell = cells
        .as_array()
        .unwrap()
        .iter()
        .find(|cell| cell["cell"]["concurrency"] == 2)
        .expect("it is in the report, failed or not");
    assert_eq!(
        cell["failures"].as_array().unwrap().len(),
        usize::from(is_failed),
        "{cell:#}"
    );
    if is_failed {
        assert_eq!(
            cell["failures"][0]["reason"].as_str(),
            attempts.last().unwrap().as_deref()
        );
    }
    scene.finish();
    attempts
}

/// AWS puts its container before the definition's, also among the overrides.
#[test]
fn a_container_that_aws_adds_does_not_say_how_a_task_ended() {
    let scene = Scene::new(|setup| {
        Setup {
            has_agent: true,
            ..setup
        }
        .fault(On::cell(SECOND), Fault::OutOfMemory)
    });
    let ended = scene.sweep(&SMALL, 3);
    let failures = scene.failures();
    let reason = failures[&format!("{SECOND}/r01-a1")].clone().unwrap();
    assert!(reason.contains("out of memory"), "{reason}");
    assert!(
        !failures.contains_key(&format!("{SECOND}/r01-a2")),
        "{failures:?}"
    );
    assert_eq!(
        scene.records()[&format!("{FIRST}/r01-a1")]["tasks"][0]["sidecars"],
        serde_json::json!(["aws-guardduty-agent"])
    );
    assert_eq!(
        ended.stderr.matches("aws-guardduty-agent").count(),
        1,
        "{}",
        ended.stderr
    );
    scene.finish();
}

#[test]
fn a_task_that_another_container_keeps_running_is_stopped() {
    let scene = Scene::new(|setup| setup.fault(On::cell(SECOND), Fault::KeptRunning));
    scene.sweep(&[&SMALL[..], &["--run-timeout", "30s"]].concat(), 0);
    let stops = scene.aws.calls("StopTask");
    assert_eq!(stops.len(), 1);
    let reason = stops[0].body["reason"].as_str().unwrap();
    assert!(reason.contains("its container ended"), "{reason}");
    assert!(scene.failures().values().all(Option::is_none));
    scene.finish();
}

#[track_caller]
fn fails_once(fault: Fault, limits: &[&str], words: &str) {
    let attempts = reasons(fault, u32::MAX, limits);
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    assert!(
        attempts[0].as_ref().unwrap().contains(words),
        "{attempts:?}"
    );
}

#[track_caller]
fn is_tried_again(fault: Fault, limits: &[&str], words: &str) {
    let attempts = reasons(fault, 2, limits);
    assert_eq!(attempts.len(), 3, "{attempts:?}");
    assert!(
        attempts[..2]
            .iter()
            .all(|reason| reason.as_ref().unwrap().contains(words))
            && attempts[2].is_none(),
        "{attempts:?}"
    );
}

#[test]
fn an_image_that_cannot_be_pulled_fails_its_repetition() {
    fails_once(Fault::CannotPull, &[], "CannotPullContainerError");
}

#[test]
fn a_task_out_of_memory_fails() {
    fails_once(Fault::OutOfMemory, &[], "memory");
}

#[test]
fn what_spot_takes_back_is_tried_again() {
    is_tried_again(Fault::Spot("SpotInterruption"), &[], "Spot");
}

#[test]
fn what_spot_takes_back_with_notice_fails_after_three_attempts() {
    let attempts = reasons(Fault::Spot("TerminationNotice"), u32::MAX, &[]);
    assert_eq!(attempts.len(), 3, "{attempts:?}");
    assert!(
        attempts
            .iter()
            .all(|reason| reason.as_ref().unwrap().contains("Spot")),
        "{attempts:?}"
    );
}

#[test]
fn a_host_that_breaks_is_tried_again() {
    is_tried_again(Fault::HostLost, &[], "machine");
}

#[test]
fn a_task_that_vanishes_is_tried_again() {
    // As long as a task may be new, nobody is alarmed: that is bounded by the time to start.
    is_tried_again(
        Fault::Vanishes,
        &["--start-timeout", HEALTHY],
        "missing: ECS does not know",
    );
}

#[test]
fn a_task_that_is_never_provisioned_is_stopped() {
    fails_once(
        Fault::Stuck(Status::Provisioning),
        &["--start-timeout", HEALTHY],
        "did not run within 12s",
    );
}

#[test]
fn a_task_that_stays_pending_is_stopped() {
    fails_once(
        Fault::Stuck(Status::Pending),
        &["--start-timeout", HEALTHY],
        "PENDING",
    );
}

#[test]
fn a_task_that_does_not_end_is_stopped_and_its_result_counts() {
    // The program has ended well and left its results; ECS says that it runs.
    let attempts = reasons(
        Fault::Stuck(Status::Running),
        u32::MAX,
        &["--run-timeout", HEALTHY, "--stop-timeout", "15s"],
    );
    assert_eq!(attempts.len(), 1, "{attempts:?}");
}

#[test]
fn a_task_that_does_not_stop_is_given_up_and_its_result_counts() {
    let attempts = reasons(
        Fault::Stuck(Status::Stopping),
        u32::MAX,
        &["--stop-timeout", "3s"],
    );
    assert_eq!(attempts.len(), 1, "{attempts:?}");
}

#[test]
fn a_run_past_its_time_is_stopped_and_fails() {
    let scene = Scene::over(super::slow(), |setup| setup);
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
        "--run-timeout",
        "3s",
    ];
    let ended = scene.sweep(&words, 4);
    assert!(
        ended.stderr.contains("warm-up") && ended.stderr.contains("did not end within 3s"),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.aws.tasks()[0].exit_code, Some(143));
    scene.finish();
}

#[test]
fn an_image_that_cannot_be_pulled_in_the_warm_up_ends_the_sweep() {
    let scene = Scene::new(|setup| setup.fault(On::All, Fault::CannotPull));
    let ended = scene.sweep(&SMALL, 4);
    assert!(
        ended.stderr.contains("CannotPullContainerError"),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.finish();
}

#[test]
fn looks_that_are_refused_for_a_while_do_no_harm() {
    // One look that is refused is five calls.
    let setup = |setup: Setup| {
        setup
            .trouble("DescribeTasks", Fault::Throttled, [3, 10])
            .trouble("DescribeTasks", Fault::ServerError, [12, 6])
    };
    let scene = Scene::new(setup);
    scene.sweep(&SMALL, 0);
    assert!(scene.failures().values().all(Option::is_none));
    scene.finish();
}

#[test]
fn a_task_that_is_not_there_yet_is_waited_for() {
    let scene = Scene::new(|setup| Setup {
        hidden: 12,
        ..setup
    });
    scene.sweep(&SMALL, 0);
    assert_eq!(scene.aws.tasks().len(), 3);
    let failures = scene.failures();
    assert_eq!(
        (
            &failures[&format!("{FIRST}/r01-a1")],
            &failures[&format!("{SECOND}/r01-a1")]
        ),
        (&None, &None)
    );
    scene.finish();
}

#[test]
fn a_task_that_ecs_has_forgotten_is_known_by_its_result() {
    let attempts = reasons(Fault::Forgotten, u32::MAX, &["--start-timeout", HEALTHY]);
    assert_eq!(attempts, [None]);
}

#[test]
fn what_failed_is_done_again_when_asked_for() {
    let scene = Scene::new(|setup| setup.fault_times(cell(2), Fault::OutOfMemory, 1));
    scene.sweep(&SMALL, 3);
    scene.sweep(&SMALL, 3);
    assert_eq!(
        scene.aws.tasks().len(),
        3,
        "a failure stands until it is asked for again"
    );
    scene.sweep(&[&SMALL[..], &["--redo-failed"]].concat(), 0);
    let failures = scene.failures();
    assert!(
        failures[&format!("{SECOND}/r01-a1")].is_some()
            && failures[&format!("{SECOND}/r01-a2")].is_none(),
        "{failures:?}"
    );
    scene.finish();
}

#[test]
fn what_a_reclaimed_task_has_stored_is_no_result() {
    let scene = Scene::over(super::slow(), |setup| setup);
    let sweep = scene.start(&[&SMALL[..], &["--limit", "10", "--duration", "10m"]].concat());
    sweep.until(&scene.aws, super::running(1));
    let warm_up = scene.aws.tasks()[0].arn.clone();
    scene.aws.reclaim(&warm_up);
    sweep.until(&scene.aws, |tasks| tasks.len() == 2);
    sweep.signal(rustix::process::Signal::INT);
    assert_eq!(sweep.end().code, Some(130));
    let records = scene.records();
    let (name, record) = records.iter().next().unwrap();
    assert!(
        name.ends_with("r00-a1")
            && record["failure"]["reason"]
                .as_str()
                .unwrap()
                .contains("Spot"),
        "{record:#}"
    );
    assert_eq!(record["failure"]["exit_code"], 143);
    scene.finish();
}
