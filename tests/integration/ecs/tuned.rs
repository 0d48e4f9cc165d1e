//! Tunes on ECS: tasks that break are tried again or left out, money is counted and kept to, and no task is left.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Ended, Going, Scene};
use crate::support::aws::{Fault, On};

/// A small space, in which a tune needs few runs.
const SMALL: [&str; 8] = [
    "--vcpu", "1,2", "--mode", "async", "-c", "1..4", "--output", "json",
];

fn tune(scene: &Scene, words: &[&str]) -> Ended {
    of_words(scene, &[&SMALL[..], words].concat())
}

fn of_words(scene: &Scene, words: &[&str]) -> Ended {
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
        .args(words);
    Going::of(command).end()
}

/// How long a program ran that knows nothing of parfetch: 2 vCPUs with 4 workers are the best. ECS says it and no clock does, which would measure what else
/// this machine does.
fn power_ms(environment: &BTreeMap<String, String>) -> u64 {
    let of_size = match environment["SIZE"].as_str() {
        "0.5" => 8,
        "1" => 4,
        "2" => 1,
        _ => 6,
    };
    let of_workers = match environment["WORKERS"].as_str() {
        "1" => 5,
        "2" => 3,
        "4" => 1,
        _ => 4,
    };
    2_000 * of_size * of_workers
}

#[test]
fn a_program_that_is_only_timed_gets_the_right_size() {
    let family = crate::support::aws::Family {
        ran_ms: Some(power_ms),
        ..crate::support::aws::Family::of("power", &["/bin/true"])
    };
    let scene = Scene::new(|setup| setup.family(family));
    let plan = scene.out.path().join("power.toml");
    let text = "vcpu = [0.5, 1, 2, 4]\nclient = []\nconcurrency = [1, 2, 4, 8]\n[tune]\ngoal = \"fastest\"\n\
                [[contender]]\nname = \"power\"\ntask_definition = \"power\"\n\
                [contender.environment]\nSIZE = \"{vcpu}\"\nWORKERS = \"{concurrency}\"\n[contender.result]\ntime = \"program\"\n";
    std::fs::write(&plan, text).unwrap();
    let words = ["--plan", plan.to_str().unwrap(), "--yes"];
    // Nobody knows how long it runs, so a minute is a condition and no forecast.
    let said = of_words(&scene, &words[..2]).stdout;
    assert!(
        said.contains("and those of power take a minute, the least that is billed, and $"),
        "{said}"
    );
    let ended = of_words(&scene, &[&words[..], &["--output", "json"]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let found = answer(&ended);
    let best = &found["answers"][0]["fastest"];
    assert_eq!(
        (&best["vcpu"], &best["concurrency"], &best["mode"]),
        (&2.0.into(), &4.into(), &"process".into()),
        "{found:#}"
    );
    let middle = best["seconds"][1].as_f64().unwrap();
    assert!((middle / 2.0 - 1.0).abs() < 0.05, "{found:#}");
    assert_eq!(
        (&best["usd_requests"], &best["usd_retrieval"]),
        (&Value::Null, &Value::Null),
        "what it read is not known"
    );
    assert_eq!(found["stopped_because"], "sure", "{found:#}");
    assert_eq!(
        found["runs"].as_u64().unwrap(),
        scene.aws.tasks().len() as u64,
        "no task besides its runs"
    );
    // A sweep of every configuration says the same.
    let text = text.replace("[tune]\ngoal = \"fastest\"\n", "repeat = 6\n");
    std::fs::write(&plan, text).unwrap();
    let words = [
        &words[..2],
        &["--max-tasks", "8", "--vcpu", "1,2,4", "-c", "2,4,8"],
    ]
    .concat();
    let mut command = scene.of("all", &words);
    command.args([
        "--on",
        "ecs",
        "--stack",
        "parfetch",
        "--poll-interval",
        "50ms",
        "--yes",
    ]);
    let ended = Going::of(command).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        said.contains("Fastest for power: 2 vCPUs, 4 GB, process × 4"),
        "{}",
        ended.stdout
    );
    scene.finish();
}

/// The definition of a contender that a sweep adds holds for all that is added later, and another program has another name.
#[test]
fn what_a_sweep_adds_to_a_tune_is_written_down() {
    let scene = Scene::new(|setup| setup.family(super::contenders::study()));
    let begun = tune(&scene, &["--yes", "--max-runs", "1"]);
    assert_eq!(begun.code, Some(0), "{}", begun.stderr);
    let add = |contender: &str, workers: &str, code| {
        let contender = format!("study:async=task-definition=study{contender}");
        let words = "--vcpu 1 --client lean -m async --repeat 1 -c";
        let words: Vec<&str> = words.split(' ').collect();
        let more = [workers, "--contender", &contender];
        scene.sweep(&[&words[..], &more].concat(), code)
    };
    let definition = || {
        let text = std::fs::read_to_string(scene.out.path().join("sweeps/s/sweep.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["facts"]["contender_definitions"]["study"].clone()
    };
    assert_eq!(definition(), Value::Null);
    add("", "8", 0);
    let first = "arn:aws:ecs:us-east-1:123456789012:task-definition/study:1";
    assert_eq!(definition(), first);
    add("", "16", 0);
    let asked = scene.aws.calls("DescribeTaskDefinition");
    let by_arn = asked.iter().any(|call| format!("{call:?}").contains(first));
    assert!(by_arn, "the revision of the first: {asked:?}");
    let refused = add(",csv={tag}.csv", "16", 2).stderr;
    assert!(
        refused.starts_with("error: s is a tune, and this sweep cannot add to it: the contender study is another program there\nhint: "),
        "{refused}"
    );
    scene.finish();
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
