//! Contenders as tasks: what they get, what of them is measured, and how each failure is told.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::{Ended, Scene};
use crate::support::aws::{Family, Fault, On, Setup};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_parfetch");
const CONTENDER: [&str; 2] = [
    "--contender",
    "study:async=task-definition=study,container=app",
];
/// Two cells of each program, each once.
const SMALL: [&str; 10] = [
    "--vcpu", "1", "--client", "lean", "--mode", "async", "-c", "1,2", "--repeat", "1",
];
const FIRST: &str = "study-1vcpu-2048mib-async-x1";

/// A definition whose image honours the contract, as it is parfetch.
pub(super) fn study() -> Family {
    Family::of("study", &[EXECUTABLE, "run"])
}

/// One whose image is a shell.
pub(super) fn shell(script: &str) -> Family {
    Family::of("study", &["/bin/sh", "-c", script])
}

fn with(family: Family) -> Scene {
    Scene::new(|setup| setup.family(family))
}

/// The plan of one contender alone, by the text of its table.
pub(super) fn plan(scene: &Scene, contender: &str) -> String {
    let file = scene.out.path().join("plan.toml");
    let head = "vcpu = [1]\nclient = []\nmode = [\"async\"]\nconcurrency = [1, 4]\nrepeat = 1\n";
    let text =
        format!("{head}[[contender]]\nname = \"study\"\ntask_definition = \"study\"\n{contender}");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn of_study(records: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    records
        .into_iter()
        .filter(|(name, _)| name.starts_with("study") && !name.contains("/r00"))
        .collect()
}

#[test]
fn a_contender_runs_as_a_task_beside_parfetch() {
    let scene = with(study());
    let ended = scene.sweep(&[&SMALL[..], &CONTENDER].concat(), 0);
    let records = of_study(scene.records());
    assert_eq!(records.len(), 2, "{}", ended.stderr);
    for (name, record) in &records {
        let (result, task) = (&record["contender"], &record["tasks"][0]);
        assert_eq!(
            (
                &record["failure"],
                &result["objects"],
                &result["goodput_bytes"]
            ),
            (&Value::Null, &20.into(), &(20 * 1_024).into()),
            "{name}"
        );
        assert_eq!(task["exit_code"], 0);
        assert!(task["billed_ns"].as_u64().unwrap() > 0);
        assert_eq!(
            record["sweep"]["contender_definitions"]["study"],
            "arn:aws:ecs:us-east-1:123456789012:task-definition/study:1"
        );
    }
    assert_eq!(scene.aws.calls("DescribeTaskDefinition").len(), 2);
    let tasks = scene.aws.tasks();
    let task = tasks
        .iter()
        .find(|task| task.tags["parfetch:cell"] == FIRST)
        .unwrap();
    let names: Vec<&str> = task.environment.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "AWS_DEFAULT_REGION",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
            "BUCKET_NAME",
            "CONCURRENCY",
            "MODE",
            "RESULT_BUCKET_NAME",
            "TAG"
        ],
        "nothing of parfetch"
    );
    let report = scene.report();
    let cells = report["studies"][0]["cells"].as_array().unwrap();
    let own: Vec<_> = cells
        .iter()
        .filter(|cell| cell["cell"]["program"]["contender"] == "study")
        .collect();
    assert_eq!(own.len(), 2);
    assert!(own[0]["cost"]["usd_task"].as_f64().unwrap() > 0.0);
    scene.finish();
}

#[test]
fn a_program_without_a_csv_is_measured_by_its_containers_time() {
    let scene = with(shell("sleep 0.$((8 / WORKERS))"));
    let plan = plan(
        &scene,
        "[contender.environment]\nWORKERS = \"{concurrency}\"\n[contender.result]\ntime = \"program\"\n",
    );
    scene.sweep(&["--plan", &plan], 0);
    let records = of_study(scene.records());
    assert_eq!(
        records.keys().collect::<Vec<_>>(),
        [
            "study-1vcpu-2048mib-process-x1/r01-a1",
            "study-1vcpu-2048mib-process-x4/r01-a1"
        ]
    );
    let result = &records["study-1vcpu-2048mib-process-x1/r01-a1"]["contender"];
    assert!(result["fetch_ns"].as_u64().unwrap() >= 800_000_000);
    assert_eq!(result["objects"], Value::Null);
    assert_eq!(
        scene.aws.calls("DescribeTaskDefinition").len(),
        1,
        "parfetch itself runs nothing"
    );
    scene.finish();
}

/// Where contenders run alone, no summary says for which processor the tasks are.
#[test]
fn tasks_for_arm_have_their_own_price() {
    let usd = |architecture: &str| {
        let mut family = shell("sleep 0.3");
        family.definition = json!({"runtimePlatform": {"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"}});
        let scene = with(family);
        let plan = plan(&scene, "[contender.result]\ntime = \"program\"\n");
        scene.sweep(&["--plan", &plan], 0);
        let record = scene.records().into_values().next().unwrap();
        assert_eq!(record["sweep"]["architecture"], architecture);
        let report = scene.report();
        let cell = &report["studies"][0]["cells"][0];
        let found = cell["cost"]["usd_task"].as_f64().unwrap();
        scene.finish();
        found
    };
    // A minute of 1 vCPU and 2 GB: $0.03238 and $0.00356 an hour against $0.04048 and $0.004445; the address costs the same.
    let address = 0.005 / 60.0;
    let (arm, intel) = (usd("ARM64") - address, usd("X86_64") - address);
    assert!((0.79..0.81).contains(&(arm / intel)), "{arm} {intel}");
}

/// What is printed to paste is of the program's own container and variables.
#[test]
fn the_recommendation_can_be_pasted_for_the_program() {
    let scene = with(shell("sleep 1.2"));
    let plan = plan(
        &scene,
        "task_command = [\"--workers={concurrency}\"]\n[contender.environment]\nWORKERS = \"{concurrency}\"\n[contender.result]\ntime = \"program\"\n",
    );
    let words = ["--plan", &plan, "--repeat", "6", "--max-tasks", "12"];
    let said = scene.sweep(&words, 0).stdout;
    // Both are as fast, so either may be the recommended one.
    let pasted = |workers: u32| {
        let overrides = format!(
            r#" --overrides '{{"containerOverrides":[{{"command":["--workers={workers}"],"environment":[{{"name":"WORKERS","value":"{workers}"}}],"name":"app"}}],"cpu":"1024","memory":"2048"}}'"#
        );
        said.contains(&format!("\n  WORKERS={workers}\n")) && said.contains(&overrides)
    };
    assert!(pasted(1) || pasted(4), "{said}");
    scene.finish();
}

#[test]
fn the_command_and_the_variables_name_what_they_like() {
    let check = "test \"$1 $2\" = '4 1 vCPU' && test \"$LIST\" = \"s3://$RESULT_BUCKET_NAME/parfetch/sweeps/s/keys-${LIST##*keys-}\" || exit 9; \
                 PARFETCH_KEYS=$LIST exec '{EXECUTABLE}' run";
    let script = check.replace("{EXECUTABLE}", EXECUTABLE);
    let mut family = shell(&script);
    family.entry.push("app".to_owned());
    let scene = with(family);
    let plan = plan(
        &scene,
        "modes = [\"thread\"]\ntask_command = [\"{concurrency}\", \"{vcpu} vCPU\"]\n[contender.environment]\nLIST = \"{keys}\"\n",
    );
    scene.sweep(&["--plan", &plan, "-c", "4"], 0);
    let records = of_study(scene.records());
    let name = "study-1vcpu-2048mib-thread-x4/r01-a1";
    assert_eq!(
        (&records[name]["failure"], &records[name]["contender"]["ok"]),
        (&Value::Null, &20.into())
    );
    scene.finish();
}

/// How a sweep of the contender alone ends whose image is this script.
fn failed(script: &str, change: impl FnOnce(Setup) -> Setup, more: &[&str]) -> (Ended, Vec<Value>) {
    let scene = Scene::new(|setup| change(setup.family(shell(script))));
    let plan = plan(&scene, "modes = [\"async\"]\n");
    let words = [&["--plan", &plan, "-c", "1"][..], more].concat();
    let ended = scene.start(&words).end();
    let records = scene.records().into_values().collect();
    scene.finish();
    (ended, records)
}

#[test]
fn what_fails_in_its_warm_up_ends_the_sweep_with_its_last_line() {
    let unchanged = |setup: Setup| setup;
    for (script, message) in [
        (
            "echo one; echo 'No module named boto3' >&2; exit 1",
            "ended with exit code 1: No module named boto3",
        ),
        ("exit 3", "ended with exit code 3"),
        (
            "echo done",
            "stored no result result_s-00000-a1_async_1.csv in the results bucket: ",
        ),
    ] {
        let (ended, records) = failed(script, unchanged, &[]);
        assert_eq!(
            (ended.code, records.len()),
            (Some(4), 1),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
        assert!(
            ended
                .stderr
                .contains("hint: its log may say more: aws logs tail /study"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn what_lacks_memory_or_time_is_a_failure_of_its_size() {
    let of_memory = |setup: Setup| setup.fault(On::All, Fault::OutOfMemory);
    for (script, change, more, message) in [
        (
            "sleep 60",
            of_memory as fn(Setup) -> Setup,
            &[][..],
            "out of memory: it was ended at the limit of 2 GB",
        ),
        (
            "exec sleep 60",
            |setup| setup,
            &["--run-timeout", "200ms"],
            "did not end within 200ms",
        ),
        (
            "kill -9 $$",
            |setup| setup,
            &[],
            "ended with exit code 137, killed: out of memory, most likely",
        ),
    ] {
        let (ended, records) = failed(script, change, more);
        assert_eq!(
            (ended.code, records.len()),
            (Some(3), 2),
            "{}",
            ended.stderr
        );
        let reason = records[1]["failure"]["reason"].as_str().unwrap();
        assert_eq!(reason, message);
    }
}

#[test]
fn a_csv_counts_although_another_container_keeps_the_task() {
    let scene = Scene::new(|setup| {
        Setup {
            has_agent: true,
            ..setup.family(study())
        }
        .fault(On::cell(FIRST), Fault::KeptRunning)
    });
    let limit = ["--run-timeout", "30s"];
    scene.sweep(&[&SMALL[..], &CONTENDER, &limit].concat(), 0);
    let record = &scene.records()[&format!("{FIRST}/r01-a1")];
    assert_eq!(
        (&record["failure"], &record["contender"]["ok"]),
        (&Value::Null, &20.into())
    );
    let stops = scene.aws.calls("StopTask");
    let reasons = stops.iter().map(|call| call.body["reason"].as_str());
    for reason in reasons {
        assert!(
            reason.unwrap().contains("its container ended"),
            "{reason:?}"
        );
    }
    assert_eq!(
        record["tasks"][0]["sidecars"],
        json!(["aws-guardduty-agent"])
    );
    scene.finish();
}

#[test]
fn capacity_that_spot_takes_back_is_tried_again() {
    let scene = Scene::new(|setup| {
        setup
            .family(study())
            .fault_times(On::cell(FIRST), Fault::Spot("SpotInterruption"), 1)
    });
    let words = [&SMALL[..], &CONTENDER, &["--capacity", "spot"]].concat();
    let ended = scene.sweep(&words, 0);
    assert!(
        ended.stderr.contains("it is tried again"),
        "{}",
        ended.stderr
    );
    scene.finish();
}

#[test]
fn what_was_started_before_a_kill_is_taken_up_again() {
    let scene = Scene::new(|setup| Setup {
        hidden: 0,
        ..setup.family(shell("sleep 2"))
    });
    let plan = plan(&scene, "[contender.result]\ntime = \"program\"\n");
    let words = ["--plan", &plan, "--detach"];
    let going = scene.start(&words);
    going.until(&scene.aws, |tasks| {
        tasks.iter().any(|task| task.pid.is_some())
    });
    going.kill();
    scene.sweep(&words, 0);
    assert_eq!(scene.aws.tasks().len(), 2, "a warm-up and a run");
    // It is found, and not asked for again under its token.
    assert_eq!(scene.aws.calls("RunTask").len(), 2);
    scene.finish();
}

#[test]
fn a_definition_that_does_not_serve_is_refused_before_anything_starts() {
    type Change = fn(&mut Family);
    let cases: [(Change, &str); 6] = [
        (
            |family| family.definition = json!({"status": "INACTIVE"}),
            "is INACTIVE",
        ),
        (
            |family| {
                family.definition = json!({"compatibilities": ["EC2"], "requiresCompatibilities": ["EC2"], "networkMode": "bridge"});
            },
            "is not for Linux on Fargate",
        ),
        (
            |family| {
                family.definition = json!({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}});
            },
            "is for ARM64, and the other tasks of the sweep for X86_64",
        ),
        (
            |family| family.container_definition = json!({"memory": 512}),
            "gives the container app a size of its own",
        ),
        (
            |family| {
                family.container_definition = json!({"secrets": [{"name": "TAG", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/tag"}]});
            },
            "has a secret TAG",
        ),
        (
            |family| family.container = "other".to_owned(),
            "has no container `app`",
        ),
    ];
    for (change, message) in cases {
        let mut family = study();
        change(&mut family);
        let scene = with(family);
        let ended = scene.sweep(&[&SMALL[..], &CONTENDER].concat(), 4);
        assert!(
            ended.stderr.contains(&format!(
                "error: the task definition arn:aws:ecs:us-east-1:123456789012:task-definition/study:1 of the contender study {message}"
            )) && ended.stderr.contains("\nhint: "),
            "{}",
            ended.stderr
        );
        assert!(scene.aws.calls("RunTask").is_empty());
        scene.finish();
    }
}

/// The study itself: its Python program as tasks, against `MinIO`.
mod minio {
    use std::collections::BTreeMap;

    use parfetch::internals::Variables;

    use super::super::{Ended, Scene};
    use crate::support::aws::{Family, Setup};
    use crate::support::source::Store;

    /// The program with a Python that can run it.
    fn study() -> Option<Family> {
        let script = Variables::of_process();
        let Some(script) = script.get("PARFETCH_TEST_STUDY") else {
            println!("skipped: PARFETCH_TEST_STUDY does not name the study's program");
            return None;
        };
        let found = std::process::Command::new("python3")
            .args(["-c", "import boto3, sys; print(sys.executable)"])
            .output();
        let python = found.ok().filter(|found| found.status.success())?.stdout;
        let python = String::from_utf8(python).unwrap();
        Some(Family::of("study", &[python.trim(), script]))
    }

    fn sweep(words: &[&str], objects: &BTreeMap<String, u64>) -> Option<(Scene, Ended)> {
        let (store, mut family) = (Store::minio()?, study()?);
        let source = store.filled(objects);
        // The session token of a task's role is one that MinIO does not know.
        let keys = [
            ("AWS_ACCESS_KEY_ID", &source.endpoint.access_key),
            ("AWS_SECRET_ACCESS_KEY", &source.endpoint.secret_key),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()));
        family.environment.extend(keys.clone());
        let scene = Scene::over(source, |mut setup| {
            setup.environment.extend(keys);
            Setup {
                quota: [Some(1_000.0); 2],
                ..setup.family(family)
            }
        });
        let contender = ["--contender", "python:thread,process=task-definition=study"];
        let own = ["--client", "lean", "-m", "thread,process"];
        let ended = scene.sweep(&[words, &own, &contender].concat(), 0);
        Some((scene, ended))
    }

    fn objects(count: u64, size: u64) -> BTreeMap<String, u64> {
        (0..count)
            .map(|number| (format!("{number:05}"), size))
            .collect()
    }

    #[test]
    fn the_study_runs_as_tasks() {
        let words = ["--vcpu", "1", "-c", "1,2", "--repeat", "1"];
        let Some((scene, _)) = sweep(&words, &objects(20, 10_000)) else {
            return;
        };
        let records = scene.records();
        let python: Vec<_> = records
            .iter()
            .filter(|(name, _)| name.starts_with("python"))
            .collect();
        assert_eq!(python.len(), 5, "four configurations and a warm-up");
        for (name, record) in python {
            assert_eq!(record["contender"]["ok"], 20, "{name}: {record:#}");
        }
        scene.finish();
    }

    #[test]
    #[ignore = "the whole matrix takes a quarter of an hour; it prints the report"]
    fn the_whole_matrix_of_the_study() {
        // So long that each run counts: the program's are as long as the bucket, parfetch's own as long as it is told.
        let (sizes, workers) = (["--vcpu", "1,2,4"], ["-c", "1,2,4,8,16"]);
        let length = ["--repeat", "6", "--duration", "1200ms"];
        let words = [&sizes[..], &workers, &length, &["--max-tasks", "2"]].concat();
        let Some((scene, ended)) = sweep(&words, &objects(400, 100_000)) else {
            return;
        };
        println!("{}", ended.stdout);
        let report = scene.report();
        let programs = report["studies"][0]["recommendations"].as_array().unwrap();
        assert_eq!(programs.len(), 2, "one for each program");
        scene.finish();
    }
}
