//! Sweeps in which nothing goes wrong: the same cells, records and report as on this machine, and what is told to tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::{FIRST, SECOND, SMALL, Scene};
use crate::support::aws::{Fault, On, Setup};

const MATRIX: [&str; 10] = [
    "--vcpu",
    "1,2",
    "--client",
    "lean",
    "--mode",
    "async,thread,process",
    "-c",
    "1,2",
    "--repeat",
    "2",
];

/// By the cell: how many repetitions count, and which figures and facts there are.
fn shape(report: &Value) -> BTreeMap<String, (usize, BTreeSet<String>)> {
    let studies = report["studies"].as_array().unwrap();
    assert_eq!(studies.len(), 1, "{report:#}");
    let cells = studies[0]["cells"].as_array().unwrap().iter();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    let count = |cell: &Value| cell["observations"].as_array().unwrap().len();
    cells
        .map(|cell| (cell["cell"].to_string(), (count(cell), keys(cell))))
        .collect()
}

/// Half a cent an hour, for the minute that each task is billed for at least, is in its price.
fn has_addresses(report: &Value) {
    for cell in report["studies"][0]["cells"].as_array().unwrap() {
        let number = |value: &Value| value.as_f64().unwrap();
        let cost = &cell["cost"];
        let (vcpu, gb) = (
            number(&cell["cell"]["cpu_units"]) / 1_024.0,
            number(&cell["cell"]["memory_mib"]) / 1_024.0,
        );
        let rates = if cfg!(target_arch = "aarch64") {
            (0.03238, 0.00356)
        } else {
            (0.04048, 0.004_445)
        };
        let expected =
            (vcpu * rates.0 + gb * rates.1 + 0.005) * number(&cost["billed_s"]) / 3_600.0;
        assert!(
            (number(&cost["usd_task"]) - expected).abs() < 1e-9,
            "{cost:#}: {expected}"
        );
    }
}

#[test]
fn twelve_cells_give_the_report_that_they_give_on_this_machine() {
    let scene = Scene::new(|setup| setup);
    let ended = scene.sweep(&[&MATRIX[..], &["--max-tasks", "3"]].concat(), 0);
    assert!(
        ended.stderr.contains("12 configurations × 2 runs"),
        "{}",
        ended.stderr
    );
    let records = scene.records();
    assert_eq!(
        (records.len(), scene.aws.tasks().len()),
        (25, 25),
        "and a warm-up"
    );
    assert!(
        scene
            .aws
            .calls("RunTask")
            .iter()
            .all(|call| call.error.is_none()),
        "slower than anything that ECS refuses"
    );
    let mut sizes = BTreeSet::new();
    for (name, record) in &records {
        assert_eq!(
            (
                &record["failure"],
                record["tasks"].as_array().unwrap().len()
            ),
            (&Value::Null, 1),
            "{name}"
        );
        let task = &record["tasks"][0];
        let view = scene
            .aws
            .tasks()
            .into_iter()
            .find(|view| task["arn"] == view.arn.as_str())
            .unwrap();
        let told = |name: &str| view.tags[&format!("parfetch:{name}")].clone();
        assert_eq!(
            format!(
                "{}/r{:02}-a{}",
                told("cell"),
                told("repetition").parse::<u32>().unwrap(),
                told("attempt")
            ),
            *name
        );
        assert_eq!(
            (&record["cell"]["cpu_units"], &record["cell"]["memory_mib"]),
            (&view.size.0.into(), &view.size.1.into())
        );
        assert_eq!(
            (&record["limited"]["cpu"], &task["exit_code"]),
            (&"fargate".into(), &0.into())
        );
        assert_eq!(
            (&task["public_address"], &task["capacity"]),
            (&true.into(), &"FARGATE".into()),
            "the stack gives addresses"
        );
        let times = [
            "created_utc",
            "pull_started_utc",
            "pull_stopped_utc",
            "started_utc",
            "execution_stopped_utc",
            "stopping_utc",
            "stopped_utc",
        ];
        let times: Vec<_> = times
            .iter()
            .map(|time| task[*time].as_str().unwrap())
            .collect();
        assert!(
            times.is_sorted() && task["billed_ns"].as_u64().unwrap() > 0,
            "{task:#}"
        );
        sizes.insert(view.size);
        // What lies in the folder lies in the bucket too.
        let stored = scene.source.s3().get(
            &scene.source.results,
            &format!("parfetch/sweeps/s/{name}/repetition.json"),
        );
        assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap(), *record);
    }
    assert_eq!(
        sizes.into_iter().collect::<Vec<_>>(),
        [(1_024, 2_048), (2_048, 4_096)]
    );
    let here = Scene::over(scene.source.clone(), |setup| setup);
    let output = here
        .bare(&MATRIX)
        .args(["--on", "local", "--bucket", &scene.source.bucket])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    has_addresses(&scene.report());
    let (there, here) = (shape(&scene.report()), shape(&here.report()));
    assert_eq!(there.len(), 12);
    assert_eq!(there, here);
    scene.finish();
}

#[test]
fn a_stack_says_everything_and_what_is_given_wins() {
    let scene = Scene::new(|setup| setup);
    let ended = scene.sweep(
        &[
            &SMALL[..],
            &[
                "--capacity",
                "spot",
                "--subnets",
                "subnet-0123456789abcdef1",
            ],
        ]
        .concat(),
        0,
    );
    assert_eq!(scene.aws.calls("DescribeStacks").len(), 1);
    assert_eq!(
        scene.aws.calls("DescribeTaskDefinition").len(),
        1,
        "the revision is the same for all"
    );
    let calls = scene.aws.calls("RunTask");
    assert_eq!(calls.len(), 3);
    let setup = scene.aws.setup();
    for call in &calls {
        let body = &call.body;
        assert_eq!(
            body["taskDefinition"],
            format!("{}:7", setup.definition_arn())
        );
        assert_eq!(body["cluster"], setup.cluster_arn());
        let vpc = &body["networkConfiguration"]["awsvpcConfiguration"];
        assert_eq!(
            (&vpc["subnets"][0], &vpc["subnets"][1]),
            (&"subnet-0123456789abcdef1".into(), &Value::Null)
        );
        assert_eq!(
            (&vpc["securityGroups"][0], &vpc["assignPublicIp"]),
            (&setup.security_groups[0].as_str().into(), &"ENABLED".into())
        );
        assert_eq!(
            body["capacityProviderStrategy"][0]["capacityProvider"],
            "FARGATE_SPOT"
        );
        assert_eq!(
            (
                &body["propagateTags"],
                &body["enableECSManagedTags"],
                &body["platformVersion"]
            ),
            (&"TASK_DEFINITION".into(), &true.into(), &"LATEST".into())
        );
        assert_eq!(body["clientToken"].as_str().unwrap().len(), 64);
        assert!(
            body["startedBy"]
                .as_str()
                .unwrap()
                .starts_with("parfetch/s/")
        );
    }
    for task in scene.aws.tasks() {
        let told = |name: &str| task.environment[name].as_str();
        assert_eq!(
            (told("BUCKET_NAME"), told("RESULT_BUCKET_NAME")),
            (scene.source.bucket.as_str(), scene.source.results.as_str())
        );
        assert_eq!(told("AWS_ENDPOINT_URL_S3"), scene.source.endpoint.url);
        assert!(
            told("PARFETCH_KEYS").starts_with(&format!(
                "s3://{}/parfetch/sweeps/s/keys",
                scene.source.results
            )),
            "{}",
            told("PARFETCH_KEYS")
        );
        assert!(
            told("PARFETCH_RESULT_PREFIX")
                .starts_with("parfetch/sweeps/s/lean-1vcpu-2048mib-async-x")
        );
        assert!(
            task.facts.unwrap().credentials > 0,
            "it has its keys from its role"
        );
    }
    let report = scene.report();
    assert_eq!(
        report["studies"][0]["cells"][0]["cost"]["is_of_on_demand"], true,
        "the list has no price of Spot"
    );
    let spent = ended
        .stderr
        .lines()
        .find(|line| line.contains(", billed for "))
        .unwrap();
    assert!(
        spent.ends_with(
            "at list prices, those of On-Demand (what Spot costs is not known, and is less)"
        ),
        "{spent}"
    );
    scene.finish();
}

#[test]
fn without_consent_nothing_is_started() {
    let scene = Scene::new(|setup| setup);
    for words in [&["--dry-run"][..], &[]] {
        let mut command = scene.bare(&SMALL);
        command
            .args(["--on", "ecs", "--stack", "parfetch"])
            .args(words);
        let output = command.output().unwrap();
        let (stdout, stderr) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert_eq!(
            output.status.code(),
            Some(if words.is_empty() { 2 } else { 0 }),
            "{stdout}{stderr}"
        );
        assert!(
            stdout.contains("2 configurations × 1 run") && stdout.contains("tasks cost $"),
            "{stdout}"
        );
        assert_eq!(
            words.is_empty(),
            stderr.contains("nothing was started"),
            "{stderr}"
        );
    }
    assert_eq!(
        (scene.aws.calls("RunTask").len(), scene.records().len()),
        (0, 0)
    );
    assert!(
        scene.source.s3().list(&scene.source.results, "").is_empty(),
        "nothing was stored"
    );
    scene.finish();
}

#[test]
fn shards_are_tasks_side_by_side() {
    let scene = Scene::new(|setup| setup);
    let words = [
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "async",
        "-c",
        "2",
        "--repeat",
        "1",
        "--shards",
        "2",
        "--max-tasks",
        "2",
    ];
    scene.sweep(&words, 0);
    let records = scene.records();
    let (name, record) = records
        .iter()
        .find(|(_, record)| record["repetition"] == 1)
        .unwrap();
    assert!(name.contains('2'), "{name}");
    assert_eq!(
        (
            record["tasks"].as_array().unwrap().len(),
            record["summaries"].as_array().unwrap().len()
        ),
        (2, 2)
    );
    let report = scene.report();
    assert_eq!(
        report["studies"][0]["cells"][0]["observations"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "two shards are one repetition"
    );
    let mut shards: Vec<_> = scene
        .aws
        .tasks()
        .iter()
        .map(|task| {
            (
                task.tags["parfetch:shard"].clone(),
                task.environment["PARFETCH_SHARD"].clone(),
            )
        })
        .collect();
    shards.dedup();
    assert!(
        shards.contains(&("0".to_owned(), "0/2".to_owned()))
            && shards.contains(&("1".to_owned(), "1/2".to_owned())),
        "{shards:?}"
    );
    scene.finish();
}

#[test]
fn what_does_not_fit_the_account_is_not_tried() {
    let scene = Scene::new(|setup| Setup {
        quota: [None, None],
        default_quota: 1.0,
        ..setup
    });
    let ended = scene.sweep(
        &[
            "--vcpu", "1,2", "--client", "lean", "--mode", "async", "-c", "1", "--repeat", "1",
        ],
        2,
    );
    assert!(
        ended
            .stderr
            .contains("needs 2 vCPUs at once, and the account's quota of Fargate is 1"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        (
            scene.aws.calls("GetServiceQuota").len(),
            scene.aws.calls("GetAWSDefaultServiceQuota").len()
        ),
        (1, 1)
    );
    assert!(scene.aws.calls("RunTask").is_empty());
    scene.finish();
}

#[test]
fn a_sweep_that_is_done_does_nothing_again() {
    let scene = Scene::new(|setup| setup);
    scene.sweep(&SMALL, 0);
    let before = scene.failures();
    let names: Vec<_> = before
        .keys()
        .filter(|name| !name.ends_with("r00-a1"))
        .cloned()
        .collect();
    assert_eq!(
        names,
        [format!("{FIRST}/r01-a1"), format!("{SECOND}/r01-a1")]
    );
    scene.sweep(&SMALL, 0);
    assert_eq!((scene.failures(), scene.aws.tasks().len()), (before, 3));
    scene.finish();
}

#[test]
fn a_quota_is_kept_to() {
    let scene = Scene::new(|setup| Setup {
        quota: [Some(2.0), None],
        ..setup
    });
    let words = [
        "--vcpu",
        "0.5,1,2",
        "--client",
        "lean",
        "--mode",
        "async",
        "-c",
        "1",
        "--repeat",
        "2",
        "--max-tasks",
        "6",
    ];
    scene.sweep(&words, 0);
    assert_eq!(scene.aws.tasks().len(), 7);
    assert!(
        scene
            .aws
            .calls("RunTask")
            .iter()
            .all(|call| call.error.is_none())
    );
    assert_eq!(scene.aws.calls("RunTask").len(), 7, "none was refused");
    scene.finish();
}

#[test]
fn a_quota_that_may_not_be_read_is_taken_to_be_that_of_a_new_account() {
    let scene = Scene::new(|setup| setup.trouble("GetServiceQuota", Fault::AccessDenied, [0, 9]));
    let ended = scene.sweep(&SMALL, 0);
    assert!(
        ended
            .stderr
            .contains("the quota of Fargate vCPU is not known: 6 are taken"),
        "{}",
        ended.stderr
    );
    scene.finish();
}

#[test]
fn no_more_is_spent_than_was_said() {
    let first = On::tags(&[("parfetch:cell", FIRST), ("parfetch:repetition", "1")]);
    let scene = Scene::new(|setup| setup.fault_times(first, Fault::Spot("SpotInterruption"), 2));
    let up_to = |usd: &str| {
        let mut command = scene.bare(&SMALL);
        command.args([
            "--on",
            "ecs",
            "--stack",
            "parfetch",
            "--poll-interval",
            "50ms",
            "--max-cost",
            usd,
        ]);
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    // A minute of 1 vCPU and 2 GB costs $0.00082: three tasks fit, the attempts after them do not.
    let (code, stderr) = up_to("0.002");
    assert!(
        code == Some(2) && stderr.contains("0.002"),
        "{code:?} {stderr}"
    );
    assert_eq!(scene.aws.calls("RunTask").len(), 0);
    let (code, stderr) = up_to("0.003");
    assert!(
        code == Some(3) && stderr.contains("--max-cost is used up"),
        "{code:?} {stderr}"
    );
    assert_eq!(scene.aws.tasks().len(), 3);
    scene.finish();
}

#[test]
fn keys_that_expire_while_a_task_runs_are_got_anew() {
    let scene = Scene::new(|setup| Setup {
        credentials_life: Duration::from_secs(4),
        ..setup
    });
    let words = [
        "--vcpu",
        "1",
        "--client",
        "lean",
        "--mode",
        "process",
        "-c",
        "2",
        "--repeat",
        "1",
        "--duration",
        "5s",
    ];
    scene.sweep(&words, 0);
    for task in scene.aws.tasks() {
        let asked = task.facts.unwrap().credentials;
        // Half of their life before their end, so every two seconds; a task that starts slowly asks once more.
        assert!((2..=8).contains(&asked), "{asked}");
    }
    scene.finish();
}

#[test]
fn what_cannot_run_on_fargate_is_refused() {
    let scene = Scene::new(|setup| Setup {
        stack_status: "ROLLBACK_COMPLETE".to_owned(),
        ..setup
    });
    let network = [
        "--cluster",
        "parfetch",
        "--task-definition",
        "parfetch",
        "--subnets",
        "subnet-0123456789abcdef0",
    ];
    let buckets = ["--bucket", "source", "--result-bucket", "results"];
    for (words, code, text) in [
        (&["--stack", "parfetch"][..], 4, "the stack is not ready"),
        (
            &[&network[..], &["--embedded"]].concat(),
            2,
            "embedded server",
        ),
        (
            &[&network[..], &buckets, &["--contender", "python=true"]].concat(),
            2,
            "the contender python has no task definition",
        ),
        (&[&network[..], &buckets[..2]].concat(), 2, "results bucket"),
        (
            &[&network[2..], &buckets].concat(),
            2,
            "no cluster is given",
        ),
    ] {
        let output = scene
            .bare(&SMALL)
            .args(["--on", "ecs", "--yes"])
            .args(words)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(code) && stderr.contains(text),
            "{words:?}: {:?} {stderr}",
            output.status
        );
    }
    assert!(scene.aws.calls("RunTask").is_empty());
    scene.finish();
}

#[test]
fn the_longest_name_of_a_sweep_is_one_for_ecs_too() {
    let scene = Scene::new(|setup| setup);
    let name = format!("a.b_C-{}", "x".repeat(34));
    let mut command = scene.of(&name, &SMALL);
    let output = command
        .args([
            "--on",
            "ecs",
            "--stack",
            "parfetch",
            "--poll-interval",
            "50ms",
            "--yes",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        scene
            .aws
            .tasks()
            .iter()
            .all(|task| task.tags["parfetch:sweep"] == name)
    );
    scene.finish();
}
