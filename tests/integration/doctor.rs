//! The doctor from outside: what it finds of a store, of credentials and of a stack, and what it leaves.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::aws::{Aws, Fault, Setup};
use crate::support::parfetch::{Parfetch, Ran};
use crate::support::scripted::{Hold, Reply, Scripted, Turn};
use crate::support::source::{Source, Store};

/// With the keys of the source's store.
fn doctor(source: &Source, words: &[&str]) -> Parfetch {
    let at = &source.endpoint;
    Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", &at.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
        .env("AWS_REGION", &at.region)
        .env("AWS_ENDPOINT_URL", &at.url)
        .arg("doctor")
        .args(words.iter().copied())
}

fn at(url: &str, words: &[&str]) -> Parfetch {
    Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", url)
        .arg("doctor")
        .args(words.iter().copied())
}

/// Outcome and check by id.
fn checks(ran: &Ran) -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&document["schema"], &document["version"]),
        (&"parfetch.doctor".into(), &1.into())
    );
    assert_eq!(document["exit_code"], ran.exit.unwrap());
    document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["id"].as_str().unwrap().to_owned(), check.clone()))
        .collect()
}

fn outcome(check: &Value) -> &str {
    check["outcome"].as_str().unwrap()
}

fn all_is_well(store: Store) {
    let objects = (0..20)
        .map(|number| (format!("{number:02}"), number * 500))
        .collect();
    let source = store.filled(&objects);
    let uri = format!("s3://{}/{}", source.bucket, source.prefix);
    let results = format!("s3://{}/kept/", source.results);
    let ran = doctor(&source, &[&uri, "-r", &results, "--output", "json"]).exits(0);
    let checks = checks(&ran);
    for id in ["credentials", "source", "results", "machine"] {
        assert_eq!(outcome(&checks[id]), "ok", "{}", checks[id]);
    }
    // Twenty small objects are read in no time.
    let sweep = &checks["sweep"];
    assert_eq!(
        (outcome(sweep), &sweep["facts"]["is_enough"]),
        ("warning", &false.into())
    );
    assert_eq!(
        sweep["command"],
        format!("parfetch sweep {uri} -r {results} --duration 5s")
    );
    assert_eq!(checks["source"]["facts"]["bytes_read"], 500);
    assert_eq!(
        checks["credentials"]["facts"]["origin"],
        "AWS_ACCESS_KEY_ID"
    );
    assert!(checks["sweep"]["facts"]["bytes"].as_u64().unwrap() > 20 * 19 * 250);
    // What proved the results is gone.
    assert_eq!(checks["results"]["facts"]["removed"], true);
    assert!(source.s3().list(&source.results, "kept/").is_empty());
    let secret = &source.endpoint.secret_key;
    assert!(
        !ran.stdout.contains(&source.endpoint.access_key) && !ran.stdout.contains(secret),
        "{}",
        ran.stdout
    );
    let ran = doctor(&source, &[&uri, "-r", &results])
        .env("LANG", "C.UTF-8")
        .exits(0);
    assert!(
        ran.stdout.starts_with("✓ credentials")
            && ran
                .stdout
                .ends_with("Nothing that was checked would stop a run.\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .lines()
            .all(|line| line.chars().count() <= 80 || line.trim_start().starts_with("parfetch ")),
        "{}",
        ran.stdout
    );
    let ran = doctor(&source, &[&uri]).exits(0);
    assert!(
        ran.stdout.starts_with("+ credentials") && ran.stdout.contains("! results"),
        "{}",
        ran.stdout
    );
}

mod embedded {
    #[test]
    fn all_is_well() {
        super::all_is_well(crate::support::source::Store::Embedded);
    }
}

mod minio {
    #[test]
    fn all_is_well() {
        if let Some(store) = crate::support::source::Store::minio() {
            super::all_is_well(store);
        }
    }
}

/// An empty bucket stops no run, and what one would do is said.
#[test]
fn an_empty_bucket_is_said_to_be_one() {
    let server = Scripted::start(0, |_| None);
    let ran = at(&server.url(), &["s3://source", "--output", "json"]).exits(0);
    let found = checks(&ran);
    assert_eq!(outcome(&found["source"]), "warning");
    let text = found["source"]["text"].as_str().unwrap();
    assert!(text.contains("list works; the bucket has no objects: a run would fetch nothing and end with exit code 0; clock"), "{text}");
    let line = "parfetch fill s3://source/ --objects 2000 --size 256KiB";
    assert_eq!(
        (
            found["source"]["hint"].as_str(),
            found["source"]["command"].as_str()
        ),
        (
            Some("check the bucket and the prefix, or make objects to try with:"),
            Some(line)
        )
    );
    assert_eq!(
        (outcome(&found["sweep"]), found["sweep"]["text"].as_str()),
        ("not_checked", Some("there is nothing to read"))
    );
    let full = Scripted::start(3, |request| {
        request
            .target
            .contains("prefix=none")
            .then(|| Reply::ok("<ListBucketResult><Name>source</Name><IsTruncated>false</IsTruncated></ListBucketResult>"))
    });
    let ran = at(&full.url(), &["s3://source/none/", "--output", "json"]).exits(0);
    let text = checks(&ran)["source"]["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("the bucket has no objects with the prefix none/: "),
        "{text}"
    );
    // Whoever sweeps all the same is told the same.
    let ran = Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", "A")
        .env("AWS_SECRET_ACCESS_KEY", "s")
        .env("AWS_ENDPOINT_URL", &server.url());
    let dir = tempfile::tempdir().unwrap();
    let ran = ran
        .env("AWS_REGION", "us-east-1")
        .args(["sweep", "s3://source", "--vcpu", "1", "--dry-run"])
        .out(dir.path())
        .exits(4);
    assert!(
        ran.stderr
            .contains("error: there are no keys under s3://source\n"),
        "{}",
        ran.stderr
    );
}

/// The stack and the quota of a sweep on Fargate, of an account as the published API models have it.
#[test]
fn a_stack_and_the_quota_are_looked_at() {
    let source = Store::serving("objects=20,size=1KiB");
    let uri = format!("s3://{}", source.bucket);
    let examined = |setup: Setup, stack: &str, code: i32| {
        let aws = Aws::start(setup);
        let ran = doctor(&source, &[&uri, "--stack", stack, "--output", "json"])
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", aws.url())
            .env("AWS_ENDPOINT_URL_SERVICE_QUOTAS", aws.url())
            .exits(code);
        let asked: Vec<usize> = [
            "DescribeStacks",
            "GetServiceQuota",
            "GetAWSDefaultServiceQuota",
            "RunTask",
        ]
        .map(|of| aws.calls(of).len())
        .into();
        aws.finish();
        (checks(&ran), asked)
    };
    let (found, asked) = examined(Setup::over(&source), "parfetch", 0);
    assert_eq!(
        (outcome(&found["stack"]), outcome(&found["quota"])),
        ("ok", "ok")
    );
    assert_eq!(
        (
            found["stack"]["text"].as_str(),
            found["quota"]["text"].as_str()
        ),
        (Some("is there, us-east-1"), Some("64.0 vCPUs at once"))
    );
    assert_eq!(
        (found["quota"]["facts"]["vcpu"].as_f64(), asked),
        (Some(64.0), vec![1, 1, 0, 0]),
        "looked at, and nothing started"
    );
    // Without a value of its own an account has the default.
    let (found, asked) = examined(
        Setup {
            quota: [None, None],
            default_quota: 2.0,
            ..Setup::over(&source)
        },
        "parfetch",
        0,
    );
    assert_eq!(
        (outcome(&found["quota"]), asked),
        ("warning", vec![1, 1, 1, 0])
    );
    assert_eq!(
        found["quota"]["text"],
        "2.00 vCPUs at once: less than the largest task of a sweep, 4 vCPUs"
    );
    let (found, _) = examined(Setup::over(&source), "none", 4);
    assert_eq!(
        (outcome(&found["stack"]), outcome(&found["quota"])),
        ("failed", "ok")
    );
    assert!(
        found["stack"]["text"].as_str().unwrap().contains("none"),
        "{}",
        found["stack"]
    );
    let denied =
        Setup::over(&source).trouble("GetServiceQuota", Fault::AccessDenied, [0, u32::MAX]);
    let (found, _) = examined(denied, "parfetch", 0);
    assert_eq!(
        outcome(&found["quota"]),
        "warning",
        "a run needs no quota to be known"
    );
    assert_eq!(
        found["quota"]["hint"],
        "grant servicequotas:GetServiceQuota to these credentials"
    );
}

/// Without a stack the cluster says where tasks run.
#[test]
fn a_cluster_is_looked_at_where_there_is_no_stack() {
    let source = Store::serving("objects=20,size=1KiB");
    let uri = format!("s3://{}", source.bucket);
    let aws = Aws::start(Setup::over(&source));
    let examined = |cluster: &str, code: i32| {
        let words = [&uri, "--cluster", cluster, "--output", "json"];
        let ran = doctor(&source, &words)
            .env("AWS_ENDPOINT_URL_ECS", aws.url())
            .env("AWS_ENDPOINT_URL_SERVICE_QUOTAS", aws.url());
        checks(&ran.exits(code))
    };
    let arn = aws.setup().cluster_arn();
    for name in [arn.as_str(), "parfetch"] {
        let found = examined(name, 0);
        assert_eq!(
            (
                found["cluster"]["subject"].as_str(),
                found["cluster"]["text"].as_str()
            ),
            (Some("cluster parfetch"), Some("is there, us-east-1"))
        );
        assert_eq!(outcome(&found["quota"]), "ok");
        assert!(!found.contains_key("stack"));
    }
    let found = examined("other", 4);
    assert_eq!(outcome(&found["cluster"]), "failed");
    assert_eq!(
        found["cluster"]["hint"],
        format!(
            "check the name and the region; the endpoint is {}",
            aws.url()
        ),
        "{}",
        found["cluster"]
    );
    aws.finish();
}

/// The policy of infra/template.yaml for whoever starts tasks lists the source and reads none of it.
#[test]
fn whoever_starts_tasks_need_not_read() {
    let store = Scripted::start(3, |request| {
        let is_read = ["GET", "HEAD"].contains(&request.method.as_str())
            && request.path().starts_with("source/")
            && request.path() != "source/"
            && !request.is_listing();
        is_read.then(|| Reply::error(403, "AccessDenied"))
    });
    let buckets = [("SourceBucket", "source"), ("ResultsBucket", "results")];
    let aws = Aws::start(Setup {
        outputs: buckets
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Setup::default()
    });
    let with_aws = |mut parfetch: Parfetch| {
        for service in ["CLOUDFORMATION", "SERVICE_QUOTAS", "ECS"] {
            parfetch = parfetch.env(&format!("AWS_ENDPOINT_URL_{service}"), aws.url());
        }
        parfetch
    };
    let words = ["s3://source", "-r", "s3://results/parfetch/"];
    let with_stack = [&words[..], &["--stack", "parfetch", "--output", "json"]].concat();
    let found = checks(&with_aws(at(&store.url(), &with_stack)).exits(0));
    for id in [
        "credentials",
        "source",
        "results",
        "stack",
        "quota",
        "machine",
    ] {
        assert_eq!(outcome(&found[id]), "ok", "{}", found[id]);
    }
    let text = found["source"]["text"].as_str().unwrap();
    assert!(text.contains("list works; these credentials may not read objects: tasks read with a role of their own; clock"), "{text}");
    assert_eq!(found["source"]["facts"]["read_by"], "tasks");
    assert_eq!(outcome(&found["sweep"]), "not_checked");
    // The line that it shows works with the same rights.
    let line = found["sweep"]["command"].as_str().unwrap();
    assert_eq!(
        line,
        "parfetch sweep s3://source/ -r s3://results/parfetch/ --on ecs --stack parfetch --dry-run"
    );
    let dry = Parfetch::new()
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", &store.url())
        .args(line.split(' ').skip(1));
    with_aws(dry).exits(0);
    aws.finish();
    // On this machine a run would end.
    let found = checks(&at(&store.url(), &[&words[..], &["--output", "json"]].concat()).exits(4));
    assert_eq!(
        found["source"]["hint"],
        "grant s3:GetObject to these credentials; if tasks on Fargate read with a role of their own, name their --stack or --cluster"
    );
}

#[test]
fn a_bucket_that_does_not_exist_would_stop_a_run() {
    let source = Store::serving("objects=5");
    let ran = doctor(
        &source,
        &[
            "s3://nowhere",
            "-r",
            &format!("s3://{}", source.results),
            "--output",
            "json",
        ],
    )
    .exits(4);
    let checks = checks(&ran);
    assert_eq!(outcome(&checks["source"]), "failed");
    assert_eq!(
        checks["source"]["text"],
        "cannot list s3://nowhere: the bucket does not exist (NoSuchBucket)"
    );
    assert_eq!(
        outcome(&checks["results"]),
        "ok",
        "it is proved all the same"
    );
    assert_eq!(
        (outcome(&checks["sweep"]), checks["sweep"]["text"].as_str()),
        ("not_checked", Some("the source cannot be read"))
    );
}

#[test]
fn results_in_the_source_are_never_tried() {
    let server = Scripted::start(3, |_| None);
    for words in [
        ["s3://source", "-r", "s3://source"],
        ["s3://source/a/", "-r", "s3://source/a/b/"],
    ] {
        let ran = at(&server.url(), &[&words[..], &["--output", "json"]].concat()).exits(4);
        let check = &checks(&ran)["results"];
        assert_eq!(
            (outcome(check), check["text"].as_str()),
            (
                "failed",
                Some("results would go under the listed prefix of the source")
            )
        );
    }
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.method != "PUT"),
        "nothing is written"
    );
}

#[test]
fn results_that_cannot_be_stored_would_stop_a_run() {
    let server = Scripted::start(3, |request| {
        (request.method == "PUT").then(|| Reply::error(403, "AccessDenied"))
    });
    let ran = at(
        &server.url(),
        &["s3://source", "-r", "results", "--output", "json"],
    )
    .exits(4);
    let checks = checks(&ran);
    assert_eq!(
        (outcome(&checks["source"]), outcome(&checks["results"])),
        ("ok", "failed")
    );
    assert_eq!(
        checks["results"]["hint"],
        "grant s3:PutObject to these credentials"
    );
}

#[test]
fn who_may_store_and_not_remove_is_told_what_stays() {
    let server = Scripted::start(3, |request| {
        (request.method == "DELETE").then(|| Reply::error(403, "AccessDenied"))
    });
    let ran = at(
        &server.url(),
        &["s3://source", "-r", "results", "--output", "json"],
    )
    .exits(0);
    let checks = checks(&ran);
    assert_eq!(outcome(&checks["results"]), "warning");
    let key = checks["results"]["facts"]["key"].as_str().unwrap();
    assert!(server.stored(&format!("results/{key}")).is_some());
    assert_eq!(
        checks["results"]["hint"],
        format!("a run removes nothing; remove s3://results/{key} by hand")
    );
}

/// A store that takes the object and says nothing: nobody knows whether it is there, so it is removed, or named.
#[test]
fn what_may_have_been_stored_is_removed_or_named() {
    for may_remove in [true, false] {
        let hold = Hold::default();
        let gate = hold.clone();
        let server = Scripted::start(3, move |request| match request.method.as_str() {
            "PUT" => {
                gate.wait();
                None
            }
            "DELETE" if !may_remove => Some(Reply::error(403, "AccessDenied")),
            _ => None,
        });
        let said = at(
            &server.url(),
            &["s3://source", "-r", "results", "--output", "json"],
        )
        .exits(4);
        hold.open();
        let checks = checks(&said);
        assert_eq!(outcome(&checks["results"]), "failed");
        let key = checks["results"]["facts"]["key"].as_str().unwrap();
        let end = if may_remove {
            "may have been stored, and was removed again"
        } else {
            "may have been stored: remove it by hand"
        };
        let hint = checks["results"]["hint"].as_str().unwrap();
        assert!(
            hint.ends_with(&format!("s3://results/{key} {end}")),
            "{hint}"
        );
        let is_asked = server.requests().iter().any(|request| {
            request.method == "DELETE" && request.path() == format!("results/{key}")
        });
        assert!(is_asked);
    }
}

/// Connections that nobody answers: everything ends by its own time limit.
#[test]
fn a_silent_endpoint_ends_every_check() {
    let server = Scripted::turns(vec![Turn::Silent]);
    let ran = at(
        &server.url(),
        &["s3://source", "-r", "results", "--output", "json"],
    )
    .exits(4);
    let checks = checks(&ran);
    assert_eq!(outcome(&checks["source"]), "failed");
    assert!(
        checks["source"]["text"]
            .as_str()
            .unwrap()
            .starts_with("cannot list s3://source"),
        "{}",
        checks["source"]
    );
    assert_eq!(
        (
            outcome(&checks["results"]),
            checks["results"]["text"].as_str()
        ),
        ("not_checked", Some("the endpoint does not answer"))
    );
    assert_eq!(outcome(&checks["machine"]), "ok");
}

#[test]
fn without_credentials_the_rest_is_not_checked() {
    let dir = tempfile::tempdir().unwrap();
    let ran = Parfetch::new()
        .env("HOME", dir.path().to_str().unwrap())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", "us-east-1")
        .args([
            "doctor",
            "s3://images",
            "-r",
            "s3://results",
            "--stack",
            "parfetch",
        ])
        .exits(4);
    let checks: Vec<_> = ran
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .collect();
    assert!(
        checks[0].starts_with("x credentials") && checks[0].contains("failed: "),
        "{}",
        ran.stdout
    );
    for (place, subject) in [
        (1, "s3://images/"),
        (2, "s3://results/"),
        (3, "stack parfetch"),
        (4, "Fargate quota"),
    ] {
        assert!(
            checks[place].starts_with(&format!("- {subject}")),
            "{}",
            ran.stdout
        );
        assert!(
            checks[place].ends_with("not checked: there are no credentials"),
            "{}",
            ran.stdout
        );
    }
    // Unsigned requests need none.
    let server = Scripted::start(3, |_| None);
    let ran = Parfetch::new()
        .env("AWS_ENDPOINT_URL", &server.url())
        .args([
            "doctor",
            "s3://source",
            "--no-sign-request",
            "--output",
            "json",
        ])
        .exits(0);
    assert_eq!(self::checks(&ran)["credentials"]["facts"]["signed"], false);
}

/// STS, when it is named, says whose they are; what it refuses would stop a run.
#[test]
fn sts_says_whose_credentials_they_are() {
    let sts = Scripted::start(0, |request| {
        (request.method == "POST").then(|| {
            Reply::ok(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:iam::123456789012:user/reader</Arn><UserId>AIDA</UserId><Account>123456789012</Account>\
                 </GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            )
        })
    });
    let store = Scripted::start(3, |_| None);
    let words = ["s3://source", "--output", "json"];
    let ran = at(&store.url(), &words)
        .env("AWS_ENDPOINT_URL_STS", &sts.url())
        .exits(0);
    let facts = &checks(&ran)["credentials"]["facts"];
    assert_eq!(
        (&facts["arn"], &facts["access_key_id_end"]),
        (
            &"arn:aws:iam::123456789012:user/reader".into(),
            &"MPLE".into()
        )
    );
    let refusing = Scripted::start(0, |request| {
        (request.method == "POST").then(|| {
            let error = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token is invalid.</Message></Error></ErrorResponse>";
            Reply::Answer(403, Vec::new(), error.into())
        })
    });
    let ran = at(&store.url(), &words)
        .env("AWS_ENDPOINT_URL_STS", &refusing.url())
        .exits(4);
    assert_eq!(
        checks(&ran)["credentials"]["hint"],
        "the credentials are wrong or expired: get new ones"
    );
    // The store itself is not asked.
    let ran = at(&store.url(), &words).exits(0);
    assert_eq!(checks(&ran)["credentials"]["facts"]["arn"], Value::Null);
    assert!(
        store
            .requests()
            .iter()
            .all(|request| request.method != "POST")
    );
}

#[test]
fn a_clock_that_is_off_is_seen() {
    let server = Scripted::start(3, |request| {
        (request.method == "HEAD").then(|| {
            Reply::Answer(
                200,
                vec![("date", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned())],
                Vec::new(),
            )
        })
    });
    let ran = at(&server.url(), &["s3://source", "--output", "json"]).exits(0);
    let source = &checks(&ran)["source"];
    assert_eq!(outcome(source), "warning");
    assert!(
        source["facts"]["clock_offset_s"].as_i64().unwrap() < -240,
        "{source}"
    );
    assert_eq!(
        source["hint"],
        "set this machine's clock; until then parfetch signs with the store's time"
    );
}

#[test]
fn objects_that_call_kms_are_said_with_their_price() {
    let of = |more: &'static [(&'static str, &'static str)]| {
        let server = Scripted::start(3, move |request| {
            (request.method == "GET" && request.headers.contains_key("range")).then(|| {
                let headers = more
                    .iter()
                    .map(|(name, value)| (*name, (*value).to_owned()));
                Reply::Answer(200, headers.collect(), b"x".to_vec())
            })
        });
        let ran = at(&server.url(), &["s3://source", "--output", "json"]).exits(0);
        checks(&ran)["source"].clone()
    };
    let each = of(&[("x-amz-server-side-encryption", "aws:kms")]);
    assert_eq!(outcome(&each), "warning");
    assert!(
        each["text"].as_str().unwrap().contains("$0.03 per 10,000"),
        "{each}"
    );
    assert_eq!(each["facts"]["calls_kms"], true);
    for cheap in [of(&[]), of(&[("x-amz-server-side-encryption", "AES256")])] {
        assert_eq!(cheap["facts"]["calls_kms"], false);
    }
    let keyed = of(&[
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
    ]);
    assert_eq!(keyed["facts"]["calls_kms"], false);
}

#[test]
fn prices_that_cannot_be_read_are_a_line_of_the_list() {
    let server = Scripted::start(3, |_| None);
    let ran = at(
        &server.url(),
        &[
            "s3://source",
            "--prices",
            "/nowhere/prices.toml",
            "--output",
            "json",
        ],
    )
    .exits(4);
    assert_eq!(outcome(&checks(&ran)["prices"]), "failed");
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("prices.toml");
    let built_in = include_str!("../../crates/core/data/prices.toml");
    let dated = built_in
        .lines()
        .find(|line| line.starts_with("dated"))
        .unwrap();
    std::fs::write(&old, built_in.replace(dated, "dated = \"2020-01-01\"")).unwrap();
    let ran = at(
        &server.url(),
        &[
            "s3://source",
            "--prices",
            old.to_str().unwrap(),
            "--output",
            "json",
        ],
    )
    .exits(0);
    assert_eq!(outcome(&checks(&ran)["prices"]), "warning");
}
