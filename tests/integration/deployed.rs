//! The lines of infra/README.md and infra/terraform/README.md as whoever deployed types them, with the policy of the caller: it lists the source and reads
//! none of it.

use std::path::Path;

use crate::support::aws::{Aws, Family, Setup};
use crate::support::parfetch::Parfetch;
use crate::support::scripted::{Reply, Scripted};

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("infra")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

/// An output of the module, with the values of this account.
fn output(name: &str, setup: &Setup) -> String {
    let whole = text("terraform/outputs.tf");
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

/// Lists, stores, and reads no object of the source.
fn store() -> Scripted {
    Scripted::start(20, |request| {
        let is_read = ["GET", "HEAD"].contains(&request.method.as_str())
            && request.path().starts_with("source/")
            && request.path() != "source/"
            && !request.is_listing();
        is_read.then(|| Reply::error(403, "AccessDenied"))
    })
}

/// What a line says, which a shell would divide as it is divided here.
fn typed(line: &str, store: &Scripted, aws: &Aws) -> String {
    let mut parfetch = Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", &store.url())
        .env("LANG", "C.UTF-8");
    for service in ["SERVICE_QUOTAS", "ECS", "CLOUDFORMATION"] {
        parfetch = parfetch.env(&format!("AWS_ENDPOINT_URL_{service}"), aws.url());
    }
    let line = line.replace('\'', "");
    parfetch
        .args(line.split_whitespace().skip(1))
        .exits(0)
        .stdout
}

#[test]
fn the_lines_for_terraform_work_with_the_policy_of_the_caller() {
    let (store, aws) = (store(), Aws::start(Setup::default()));
    let page = text("terraform/README.md");
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("parfetch "))
        .map(|line| line.split(" #").next().unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    let mut said = String::new();
    for line in &lines {
        let (before, rest) = line.split_once("$(terraform output -raw ").unwrap();
        let (name, after) = rest.split_once(')').unwrap();
        let line = format!("{before}{}{after}", output(name, aws.setup()));
        said += &typed(&line, &store, &aws);
    }
    assert!(!said.contains('✗'), "{said}");
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

/// Those of sweeps and jobs, with a dry run in the place of consent.
#[test]
fn the_lines_for_the_stack_say_what_they_would_do() {
    let buckets = [("SourceBucket", "source"), ("ResultsBucket", "results")];
    let setup = Setup {
        outputs: buckets
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Setup::default()
    };
    let contender = Family::of("parfetch-contender", &["/bin/true"]);
    let (store, aws) = (store(), Aws::start(setup.family(contender)));
    let page = text("README.md").replace("\\\n", "");
    let is_of_stack = |part: &&str| {
        (part.starts_with("parfetch sweep") || part.starts_with("parfetch submit"))
            && part.contains("--stack parfetch")
    };
    let lines = page
        .lines()
        .flat_map(|line| line.split('`'))
        .filter(is_of_stack);
    let mut titles = Vec::new();
    for line in lines {
        let line = line.split(" #").next().unwrap();
        let line = line.split("--max-cost").next().unwrap();
        let line = line.replace("--yes", "").replace("--dry-run", "");
        let said = typed(&format!("{line} --dry-run"), &store, &aws);
        titles.push(said.lines().next().unwrap().to_owned());
    }
    let of = |id: &str| {
        let title = titles.iter().find(|title| title.contains(id));
        title.unwrap_or_else(|| panic!("{id}: {titles:#?}"))
    };
    assert!(
        of("sweep check:").contains(" 4 configurations"),
        "{titles:#?}"
    );
    assert!(
        of("sweep study:").contains(" 60 configurations"),
        "{titles:#?}"
    );
    assert!(of("job check:").contains("2 children"), "{titles:#?}");
    assert!(aws.calls("RunTask").is_empty() && aws.calls("SubmitJob").is_empty());
    aws.finish();
}
