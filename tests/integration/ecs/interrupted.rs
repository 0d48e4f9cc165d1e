//! Sweeps that are cut off: by Ctrl-C, which stops every task; by `kill -9`, after which the same command goes on with the tasks that there are.

use rustix::process::Signal;

use super::{FIRST, Going, SECOND, SMALL, Scene, running, slow};
use crate::support::aws::{Fault, On, Status};

/// A sweep whose two repetitions take for ever, side by side.
const LONG: [&str; 14] = [
    "--vcpu",
    "1",
    "--client",
    "lean",
    "--mode",
    "async",
    "-c",
    "1,2",
    "--repeat",
    "1",
    "--max-tasks",
    "2",
    "--duration",
    "1h",
];

#[test]
fn an_interrupt_stops_every_task() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::over(slow(), |setup| setup);
        let sweep = scene.start(&LONG);
        sweep.until(&scene.aws, running(1));
        sweep.signal(signal);
        let ended = sweep.end();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        let tasks = scene.aws.tasks();
        assert!(
            tasks
                .iter()
                .all(|task| task.status == Status::Stopped && task.exit_code == Some(143)),
            "{tasks:#?}"
        );
        let stops = scene.aws.calls("StopTask");
        assert!(
            !stops.is_empty()
                && stops.iter().all(|call| call.body["reason"]
                    .as_str()
                    .is_some_and(|reason| !reason.is_empty()))
        );
        scene.finish();
    }
}

#[test]
fn an_interrupt_before_a_task_is_known_stops_it_too() {
    let scene = Scene::over(slow(), |setup| crate::support::aws::Setup {
        hidden: 5,
        ..setup
    });
    let sweep = scene.start(&LONG);
    sweep.until(&scene.aws, |tasks| !tasks.is_empty());
    sweep.signal(Signal::INT);
    assert_eq!(sweep.end().code, Some(130));
    scene.finish();
}

#[test]
fn a_task_that_hangs_does_not_hold_an_interrupt_up() {
    let scene = Scene::new(|setup| setup.fault(On::All, Fault::Stuck(Status::Stopping)));
    let sweep = scene.start(&[&SMALL[..], &["--stop-timeout", "2s"]].concat());
    sweep.until(&scene.aws, |tasks| {
        tasks.iter().any(|task| task.status == Status::Stopping)
    });
    sweep.signal(Signal::INT);
    let ended = sweep.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("has not stopped"), "{}", ended.stderr);
    scene.finish();
}

/// Waits until the first repetition's task is such, in a sweep whose tasks all look as if they ran on; returns its ARN.
fn first_running(scene: &Scene, sweep: &Going) -> String {
    let is_first = |task: &crate::support::aws::TaskView| {
        task.tags["parfetch:cell"] == FIRST && task.tags["parfetch:repetition"] == "1"
    };
    sweep.until(&scene.aws, |tasks| {
        tasks
            .iter()
            .any(|task| is_first(task) && task.status == Status::Running)
    });
    scene.aws.tasks().into_iter().find(is_first).unwrap().arn
}

#[test]
fn a_killed_sweep_adopts_its_task() {
    // The second cell is the last of the order or not: either way the first runs when the sweep is killed.
    let scene = Scene::over(
        crate::support::source::Store::serving("objects=20,size=1KiB,ttfb=100ms"),
        // What has stopped meanwhile is known by what the sweep wrote down.
        |setup| crate::support::aws::Setup {
            lists_by_one_filter: true,
            ..setup
        },
    );
    let sweep = scene.start(&SMALL);
    let arn = first_running(&scene, &sweep);
    sweep.kill();
    let ended = scene.sweep(&SMALL, 0);
    let records = scene.records();
    assert_eq!(
        records[&format!("{FIRST}/r01-a1")]["tasks"][0]["arn"],
        arn.as_str(),
        "{}",
        ended.stderr
    );
    assert!(
        records.values().all(|record| record["failure"].is_null())
            && records.contains_key(&format!("{SECOND}/r01-a1"))
    );
    scene.finish();
}

#[test]
fn a_sweep_that_is_killed_before_it_knows_its_task_finds_it() {
    let scene = Scene::over(
        crate::support::source::Store::serving("objects=20,size=1KiB,ttfb=100ms"),
        |setup| {
            let first = On::tags(&[("parfetch:cell", FIRST), ("parfetch:repetition", "1")]);
            setup.fault_times(first, Fault::LostAnswer, 1)
        },
    );
    let sweep = scene.start(&SMALL);
    let is_first = |task: &crate::support::aws::TaskView| {
        task.tags["parfetch:cell"] == FIRST && task.tags["parfetch:repetition"] == "1"
    };
    sweep.until(&scene.aws, |tasks| tasks.iter().any(is_first));
    sweep.kill();
    scene.sweep(&SMALL, 0);
    // The warm-up is done again, the repetition is not.
    assert_eq!(
        scene
            .aws
            .tasks()
            .iter()
            .filter(|task| is_first(task))
            .count(),
        1
    );
    scene.finish();
}

#[test]
fn a_detached_sweep_leaves_its_tasks_and_finds_them_again() {
    let scene = Scene::over(
        crate::support::source::Store::serving("objects=20,size=1KiB,ttfb=100ms"),
        |setup| setup,
    );
    let words = [&SMALL[..], &["--detach"]].concat();
    let sweep = scene.start(&words);
    let arn = first_running(&scene, &sweep);
    sweep.signal(Signal::INT);
    assert_eq!(sweep.end().code, Some(130));
    assert!(scene.aws.calls("StopTask").is_empty());
    scene.sweep(&words, 0);
    assert_eq!(
        scene.records()[&format!("{FIRST}/r01-a1")]["tasks"][0]["arn"],
        arn.as_str()
    );
    scene.finish();
}

#[test]
fn stops_that_are_throttled_are_told_again() {
    let scene = Scene::over(slow(), |setup| {
        setup.trouble("StopTask", Fault::Throttled, [0, 7])
    });
    let sweep = scene.start(&LONG);
    sweep.until(&scene.aws, running(1));
    sweep.signal(Signal::INT);
    assert_eq!(sweep.end().code, Some(130));
    scene.finish();
}

/// One cell, once; it takes seven seconds, longer than the launcher takes to give a call up.
const ONE: [&str; 10] = [
    "--vcpu", "1", "--client", "lean", "--mode", "async", "-c", "1", "--repeat", "1",
];

/// A sweep the answer to whose first start after the warm-up gets lost, and all whose calls to start are refused from then on.
fn unanswered(hidden: u32) -> Scene {
    Scene::over(
        crate::support::source::Store::serving("objects=14,size=1KiB,ttfb=500ms"),
        |setup| {
            let setup = crate::support::aws::Setup { hidden, ..setup };
            let first = On::tags(&[("parfetch:repetition", "1")]);
            setup.fault_times(first, Fault::LostAnswer, 1).trouble(
                "RunTask",
                Fault::Throttled,
                [2, 1_000],
            )
        },
    )
}

fn second_start(tasks: &[crate::support::aws::TaskView]) -> bool {
    tasks.len() == 2 && tasks[1].status == Status::Running
}

#[test]
fn an_interrupt_stops_a_task_whose_start_was_never_answered() {
    let scene = unanswered(0);
    let sweep = scene.start(&ONE);
    sweep.until(&scene.aws, second_start);
    sweep.signal(Signal::INT);
    assert_eq!(sweep.end().code, Some(130));
    assert_eq!(scene.aws.tasks()[1].exit_code, Some(143));
    scene.finish();
}

#[test]
fn an_interrupt_stops_a_task_whose_start_was_never_answered_and_that_is_not_listed_yet() {
    let scene = unanswered(1);
    let sweep = scene.start(&ONE);
    sweep.until(&scene.aws, second_start);
    sweep.signal(Signal::INT);
    assert_eq!(sweep.end().code, Some(130));
    assert_eq!(scene.aws.tasks()[1].exit_code, Some(143));
    scene.finish();
}

/// A token starts a second task after a day. By then ECS knows nothing of the first: the bucket does.
#[test]
fn what_was_never_answered_is_not_started_again_a_day_later() {
    let scene = Scene::new(|setup| {
        let first = On::tags(&[("parfetch:repetition", "1")]);
        setup.fault_times(first, Fault::LostAnswer, 1).trouble(
            "RunTask",
            Fault::Throttled,
            [2, 1_000],
        )
    });
    let sweep = scene.start(&ONE);
    sweep.until(&scene.aws, |tasks| {
        tasks.len() == 2 && tasks[1].status == Status::Stopped
    });
    sweep.kill();
    scene.aws.a_day_passes();
    let ended = scene.sweep(&ONE, 0);
    assert_eq!(scene.aws.tasks().len(), 2, "{}", ended.stderr);
    assert!(scene.failures().values().all(Option::is_none));
    scene.finish();
}

#[test]
fn another_plan_of_the_same_name_is_refused() {
    let scene = Scene::new(|setup| setup);
    scene.sweep(&SMALL, 0);
    let ended = scene.sweep(&[&SMALL[..], &["--seed", "2"]].concat(), 2);
    assert!(
        ended.stderr.contains("begun with another plan"),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.aws.tasks().len(), 3);
    scene.finish();
}

/// A sweep that stops after three tasks of a minute each, because no more money is left: the warm-up, and two attempts that Spot took back.
fn broke() -> Scene {
    let first = On::tags(&[("parfetch:cell", FIRST), ("parfetch:repetition", "1")]);
    let scene = Scene::new(|setup| setup.fault_times(first, Fault::Spot("SpotInterruption"), 2));
    assert_eq!(up_to_three_tenths_of_a_cent(&scene), Some(3));
    assert_eq!(scene.aws.tasks().len(), 3);
    scene
}

fn up_to_three_tenths_of_a_cent(scene: &Scene) -> Option<i32> {
    let mut command = scene.bare(&SMALL);
    let output = command
        .args([
            "--on",
            "ecs",
            "--stack",
            "parfetch",
            "--poll-interval",
            "50ms",
            "--max-cost",
            "0.003",
        ])
        .output()
        .unwrap();
    output.status.code()
}

#[test]
fn a_sweep_that_is_cut_off_between_two_attempts_goes_on_with_the_next() {
    let scene = broke();
    scene.sweep(&SMALL, 0);
    assert!(scene.failures()[&format!("{FIRST}/r01-a3")].is_none());
    scene.finish();
}

#[test]
fn what_a_sweep_has_spent_before_counts() {
    let scene = broke();
    assert_eq!(up_to_three_tenths_of_a_cent(&scene), Some(3));
    assert_eq!(scene.aws.tasks().len(), 3);
    scene.finish();
}

#[test]
fn the_same_sweep_in_another_folder_starts_nothing_a_second_time() {
    let mut scene = Scene::new(|setup| setup);
    scene.sweep(&SMALL, 0);
    let before = scene.failures();
    scene.out = tempfile::tempdir().unwrap();
    let ended = scene.start(&SMALL).end();
    // The same tokens name the same tasks, whose results are there; the records of the first are not written over.
    assert!([Some(0), Some(5)].contains(&ended.code), "{}", ended.stderr);
    assert_eq!((scene.aws.tasks().len(), scene.failures()), (3, before));
    scene.finish();
}
