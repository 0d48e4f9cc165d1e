//! Which permissions the program needs: taken from what a sweep, a tune, a job and a doctor really ask of the stand-in and of the store.
//!
//! `infra/tests/requests.json` holds what was asked; the tests of the template hold its roles against it. Written anew by
//! `cargo test --test integration write_what_was_asked -- --ignored`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{Ended, Going, SMALL};
use crate::support::aws::{Aws, Call, Family, Fault, On, Setup};
use crate::support::recording::Recording;
use crate::support::source::{Source, Store};

/// One permission, as the tests of the template read it.
type Asked = BTreeSet<String>;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("infra/tests/requests.json")
}

/// Who asks, for what, of what, and with which conditions.
fn permission(by: &str, action: &str, resource: &str, context: &Value) -> String {
    json!({"by": by, "action": action, "resource": resource, "context": context}).to_string()
}

/// What an object is called in the file: keys of the source are all alike, and so is what is below one folder of the results.
fn object(path: &str, source: &Source) -> String {
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let name = if bucket == source.bucket {
        "source"
    } else {
        "results"
    };
    let key = match key.rsplit_once('/') {
        _ if bucket == source.bucket => "KEY".to_owned(),
        Some((folder, name)) => {
            let is_proof = name.starts_with("parfetch-doctor-");
            let name = if is_proof {
                "parfetch-doctor-NAME.json"
            } else {
                "NAME"
            };
            format!("{}/{name}", folder.split('/').next().unwrap())
        }
        None if key.starts_with("result_") => "result_NAME.csv".to_owned(),
        None => "NAME".to_owned(),
    };
    format!("arn:aws:s3:::{name}/{key}")
}

/// The permission that a request to S3 needs.
fn of_store(by: &str, request: &str, source: &Source) -> String {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.trim_matches('/');
    let is_bucket = !path.contains('/');
    let bucket = object(path, source);
    let bucket = bucket.rsplit_once('/').unwrap().0;
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = prefix.unwrap_or_default().replace("%2F", "/");
    let folder = prefix.split_once('/').map_or("", |(folder, _)| folder);
    match method {
        "GET" if is_bucket && query.contains("list-type") => {
            let context = json!({"s3:prefix": if folder.is_empty() { prefix.clone() } else { format!("{folder}/NAME") }});
            permission(by, "s3:ListBucket", bucket, &context)
        }
        "HEAD" if is_bucket => permission(by, "s3:ListBucket", bucket, &json!({})),
        "GET" | "HEAD" if !is_bucket => {
            permission(by, "s3:GetObject", &object(path, source), &json!({}))
        }
        "DELETE" if query.contains("uploadId") => permission(
            by,
            "s3:AbortMultipartUpload",
            &object(path, source),
            &json!({}),
        ),
        "DELETE" => permission(by, "s3:DeleteObject", &object(path, source), &json!({})),
        "PUT" | "POST" if !is_bucket => {
            permission(by, "s3:PutObject", &object(path, source), &json!({}))
        }
        _ => panic!("which permission does {request} need?"),
    }
}

/// The permissions that a call needs.
fn of_call(call: &Call, setup: &Setup) -> Vec<String> {
    let service = match call.operation.as_str() {
        "RunTask" | "DescribeTasks" | "ListTasks" | "StopTask" | "DescribeTaskDefinition" => "ecs",
        "GetLogEvents" => "logs",
        "DescribeStacks" => "cloudformation",
        "GetServiceQuota" | "GetAWSDefaultServiceQuota" => "servicequotas",
        _ => "batch",
    };
    let action = format!("{service}:{}", call.operation);
    let task = setup.arn("ecs", &format!("task/{}/ID", setup.name));
    let one = |resource: &str, context: Value| permission("caller", &action, resource, &context);
    let in_cluster = json!({"ecs:cluster": setup.cluster_arn()});
    match call.operation.as_str() {
        "RunTask" => {
            let definition = call.body["taskDefinition"].as_str().unwrap();
            let mut all = vec![one(definition, in_cluster)];
            if call.body["tags"].is_array() {
                let context = json!({"ecs:CreateAction": "RunTask"});
                all.push(permission("caller", "ecs:TagResource", &task, &context));
            }
            for role in ["TaskRole", "ExecutionRole"] {
                let role = format!("arn:aws:iam::{}:role/{}-{role}", setup.account, setup.name);
                let context = json!({"iam:PassedToService": "ecs-tasks.amazonaws.com"});
                all.push(permission("caller", "iam:PassRole", &role, &context));
            }
            all
        }
        "DescribeTasks" | "StopTask" => vec![one(&task, json!({}))],
        "ListTasks" => vec![one("*", in_cluster)],
        "SubmitJob" => {
            let mut all = vec![one(&setup.queue_arn(), json!({}))];
            all.push(one(&setup.job_definition_arn(), json!({})));
            let job = setup.arn("batch", "job/ID");
            if call.body["tags"].is_object() {
                all.push(permission("caller", "batch:TagResource", &job, &json!({})));
            }
            all
        }
        "TerminateJob" => vec![one(&setup.arn("batch", "job/ID"), json!({}))],
        "DescribeStacks" => {
            let stack = format!("stack/{}/ID", setup.name);
            vec![one(&setup.arn("cloudformation", &stack), json!({}))]
        }
        "GetServiceQuota" => {
            let code = call.body["QuotaCode"].as_str().unwrap();
            let quota = setup.arn("servicequotas", &format!("fargate/{code}"));
            vec![one(&quota, json!({}))]
        }
        "GetLogEvents" => {
            let group = call.body["logGroupName"].as_str().unwrap();
            let stream = format!("log-group:{group}:log-stream:STREAM");
            vec![one(&setup.arn("logs", &stream), json!({}))]
        }
        _ => vec![one("*", json!({}))],
    }
}

/// Somebody's account, and the way to the store.
struct Scene {
    source: Source,
    aws: Aws,
    store: Recording,
    out: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let source = Store::serving("objects=20,size=1KiB");
        let store = Recording::before(&source.endpoint.url);
        let script = "echo no >&2; exit 3";
        let log = json!({"awslogs-group": "/parfetch/parfetch", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "task"});
        let contender = Family {
            container_definition: json!({"logConfiguration": {"logDriver": "awslogs", "options": log}}),
            ..Family::of("parfetch-contender", &["/bin/sh", "-c", script])
        };
        let mut setup = Setup {
            quota: [None, None],
            ..Setup::over(&source)
        }
        .family(contender)
        .fault_times(On::All, Fault::KeptRunning, 1);
        let at_store = ("AWS_ENDPOINT_URL_S3".to_owned(), store.url.clone());
        setup.environment.extend([at_store]);
        Self {
            aws: Aws::start(setup),
            source,
            store,
            out: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, words: &str, more: &[&str]) -> Ended {
        let at = &self.source.endpoint;
        let mut command = Command::new(env!("CARGO_BIN_EXE_parfetch"));
        command
            .args(words.split(' '))
            .args(more)
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &at.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
            .env("AWS_REGION", &at.region)
            .env("AWS_ENDPOINT_URL_S3", &self.store.url)
            // Whoever asks STS needs no permission, and here nobody answers.
            .env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
            .env("PARFETCH_OUT", self.out.path())
            .current_dir(self.out.path())
            .env("HOME", self.out.path());
        for service in [
            "ECS",
            "BATCH",
            "SERVICE_QUOTAS",
            "CLOUDFORMATION",
            "CLOUDWATCH_LOGS",
        ] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), self.aws.url());
        }
        Going::of(command).end()
    }

    fn asked(&self) -> Asked {
        let requests = self.store.requests();
        let of_store = requests
            .iter()
            .map(|(by, request)| of_store(by, request, &self.source));
        let calls = self.aws.all_calls();
        let of_calls = calls
            .iter()
            .flat_map(|call| of_call(call, self.aws.setup()));
        of_store.chain(of_calls).collect()
    }
}

/// Everything that the program does on AWS, each at least once.
fn all_that_is_asked() -> Asked {
    let scene = Scene::new();
    let on = [
        "--on",
        "ecs",
        "--stack",
        "parfetch",
        "--poll-interval",
        "50ms",
        "--yes",
    ];
    let words = |more: &[&'static str]| [&on[..], more].concat();
    let good = |ended: Ended, codes: &[i32]| {
        assert!(
            codes.contains(&ended.code.unwrap()),
            "{}\n{}",
            ended.stdout,
            ended.stderr
        );
    };
    // The first task is kept running by another container, and stopped.
    good(scene.run("sweep --id s", &words(&SMALL)), &[0]);
    let contender = [
        "--vcpu",
        "1",
        "-m",
        "thread",
        "-c",
        "1",
        "--repeat",
        "1",
        "--client",
        "lean",
        "--contender",
        "app=task-definition=parfetch-contender",
    ];
    // Its last line is read from its log.
    good(scene.run("sweep --id c", &words(&contender)), &[3, 4]);
    let tune = [
        "--vcpu",
        "1,2",
        "--mode",
        "async",
        "-c",
        "1..4",
        "--max-runs",
        "3",
    ];
    good(scene.run("tune --id t", &words(&tune)), &[0]);
    good(
        scene.run(
            "submit --stack parfetch --poll-interval 50ms -n 3 --id j --yes",
            &[],
        ),
        &[0],
    );
    let (bucket, results) = (
        format!("s3://{}", scene.source.bucket),
        format!("s3://{}/parfetch/", scene.source.results),
    );
    let doctor = [&bucket, "-r", &results, "--stack", "parfetch"];
    good(scene.run("doctor", &doctor), &[0]);
    good(scene.run("report", &[&results]), &[0]);
    let asked = scene.asked();
    assert_eq!(scene.aws.take_violations(), [""; 0]);
    asked
}

fn as_text(asked: &Asked) -> String {
    let lines: Vec<&str> = asked.iter().map(String::as_str).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[test]
#[ignore = "writes infra/tests/requests.json"]
fn write_what_was_asked() {
    std::fs::write(file(), as_text(&all_that_is_asked())).unwrap();
}

#[test]
fn the_file_has_what_the_program_asks() {
    let text = std::fs::read_to_string(file()).unwrap();
    assert_eq!(as_text(&all_that_is_asked()), text);
}
