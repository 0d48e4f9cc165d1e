//! The lines of infra/terraform/README.md as whoever deployed with the module types them, with the policy of the caller: it lists the source and reads none of it.

use std::path::Path;

use crate::support::aws::{Aws, Setup};
use crate::support::parfetch::Parfetch;
use crate::support::scripted::{Reply, Scripted};

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("infra/terraform")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

/// An output of the module, with the values of this account.
fn output(name: &str, setup: &Setup) -> String {
    let whole = text("outputs.tf");
    let begin = format!("output \"{name}\" {{\n");
    let block = whole.split(&begin).nth(1).unwrap();
    let block = block.split("\n}\n").next().unwrap();
    let parts = block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"-")?.strip_suffix("\","));
    let parts: Vec<String> = parts.map(|part| format!("-{part}")).collect();
    let values = [
        ("var.source_bucket", "source".to_owned()),
        ("local.results_bucket", "results".to_owned()),
        ("aws_ecs_cluster.cluster.arn", setup.cluster_arn()),
        ("var.name", setup.name.clone()),
        ("join(\",\", local.subnets)", setup.subnets.join(",")),
        (
            "join(\",\", local.security_groups)",
            setup.security_groups.join(","),
        ),
        ("local.public_address", "ENABLED".to_owned()),
        (
            "aws_cloudwatch_log_group.log.name",
            "/parfetch/parfetch".to_owned(),
        ),
        ("queue.arn", setup.queue_arn()),
        ("var.batch_max_vcpus", "6".to_owned()),
        ("lower(var.architecture)", "x86_64".to_owned()),
        ("var.task_disk_gib", "20".to_owned()),
    ];
    let flags = values.iter().fold(parts.join(" "), |flags, (name, value)| {
        flags.replace(&format!("${{{name}}}"), value)
    });
    assert!(!flags.is_empty() && !flags.contains("${"), "{flags}");
    flags
}

#[test]
fn the_lines_of_the_page_work_with_the_policy_of_the_caller() {
    let store = Scripted::start(20, |request| {
        let is_read = ["GET", "HEAD"].contains(&request.method.as_str())
            && request.path().starts_with("source/")
            && request.path() != "source/"
            && !request.is_listing();
        is_read.then(|| Reply::error(403, "AccessDenied"))
    });
    let aws = Aws::start(Setup::default());
    let page = text("README.md");
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("parfetch "))
        .map(|line| line.split(" #").next().unwrap())
        .collect();
    let mut said = String::new();
    for line in &lines {
        let (before, rest) = line.split_once("$(terraform output -raw ").unwrap();
        let (name, after) = rest.split_once(')').unwrap();
        let typed = format!("{before}{}{after}", output(name, aws.setup()));
        let mut parfetch = Parfetch::new()
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &store.url())
            .env("LANG", "C.UTF-8");
        for service in ["SERVICE_QUOTAS", "ECS"] {
            parfetch = parfetch.env(&format!("AWS_ENDPOINT_URL_{service}"), aws.url());
        }
        let ran = parfetch.args(typed.split_whitespace().skip(1)).exits(0);
        assert!(!ran.stdout.contains('✗'), "{}", ran.stdout);
        said += &ran.stdout;
    }
    assert_eq!(lines.len(), 3);
    for words in [
        "these credentials may not read objects",
        "✓ cluster parfetch",
        "✓ Fargate quota",
        "tasks cost",
        "8 children",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(aws.calls("RunTask").is_empty() && aws.calls("SubmitJob").is_empty());
    aws.finish();
}
