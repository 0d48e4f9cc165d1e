//! Tunes on ECS: tasks that break are tried again or left out, money is counted and kept to, and no task is left.

use serde_json::Value;

use super::{Ended, Going, Scene};
use crate::support::aws::{Fault, On};

/// A small space, in which a tune needs few runs.
const SMALL: [&str; 8] = [
    "--vcpu", "1,2", "--mode", "async", "-c", "1..4", "--output", "json",
];

fn tune(scene: &Scene, words: &[&str]) -> Ended {
    let mut command = scene.of("s", &[]);
    let program = command.get_program().to_owned();
    let variables: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = std::process::Command::new(program);
    command.env_clear().envs(variables);
    command
        .args(["tune", "--id", "s", "--out"])
        .arg(scene.out.path())
        .args([
            "--on",
            "ecs",
            "--stack",
            "parfetch",
            "--poll-interval",
            "50ms",
        ])
        .args(SMALL)
        .args(words);
    Going::of(command).end()
}

fn answer(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr))
}

#[test]
fn a_task_that_breaks_is_tried_again_and_the_money_is_counted() {
    let first = On::tags(&[("parfetch:repetition", "1"), ("parfetch:attempt", "1")]);
    let scene = Scene::new(|setup| setup.fault_times(first, Fault::HostLost, 1));
    let ended = tune(&scene, &["--yes", "--max-runs", "5"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let found = answer(&ended);
    assert_eq!(
        (&found["runs"], &found["stopped_because"]),
        (&5.into(), &"max-runs".into()),
        "{found:#}"
    );
    // A minute of each task at least, of the broken one as well.
    let tasks = scene.aws.tasks().len();
    assert_eq!(tasks, 6);
    let usd = found["usd_spent"].as_f64().unwrap();
    assert!((0.003..0.02).contains(&usd), "{usd}");
    assert!(found["answers"][0]["cheapest"]["usd"][1].as_f64().unwrap() > 0.0);
    scene.finish();
}

#[test]
fn no_task_starts_beyond_the_money() {
    let scene = Scene::new(|setup| setup);
    // A minute of 1 vCPU and 2 GB costs $0.00082, of 2 vCPUs and 4 GB twice as much.
    let ended = tune(&scene, &["--max-cost", "0.004"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let found = answer(&ended);
    assert_eq!(found["stopped_because"], "max-cost", "{found:#}");
    assert!(found["usd_spent"].as_f64().unwrap() <= 0.004, "{found:#}");
    assert_eq!(
        found["runs"].as_u64().unwrap(),
        scene.aws.tasks().len() as u64
    );
    // Whoever did not agree to pay starts nothing.
    let before = scene.aws.tasks().len();
    let ended = tune(&scene, &[]);
    assert!(
        ended.code == Some(2) && ended.stderr.contains("this tune costs money"),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.aws.tasks().len(), before);
    scene.finish();
}
