use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::cli::{Invocation, Variables, parse};
use crate::fuzz::Target;
use crate::plan::{Mode, S3Uri};
use crate::price;
use crate::settings::sweep_plan::MOST_RUNS;
use crate::sweep::cells;
use crate::sweep::plan::{Auto, Contender, MemoryChoice, ServerProgram, SweepPlan};

const INPUT: SweepInput<'static> = SweepInput {
    plan: None,
    urls: None,
    id: "s",
};

fn raw(words: &[String]) -> Option<Raw> {
    let words = ["parfetch", "sweep"]
        .into_iter()
        .map(Into::into)
        .chain(words.iter().map(Into::into));
    match parse(words, Variables::default()).ok()? {
        Invocation::Sweep(raw) => Some(raw),
        other => panic!("{other:?}"),
    }
}

/// Words that name a plan file, and where its results go.
fn with_plan(results: Option<&S3Uri>) -> Raw {
    let results = results.map(|uri| format!("--result-bucket={}", uri.bucket));
    let words: Vec<String> = results.into_iter().chain(["--plan=p".to_owned()]).collect();
    raw(&words).unwrap()
}

fn planned(text: &str, raw: &Raw) -> Result<SweepSettings, Failure> {
    sweep(
        raw,
        SweepInput {
            plan: Some(text),
            ..INPUT
        },
    )
}

/// What holds for every sweep that is taken.
fn hold(settings: &SweepSettings) {
    let SweepJob {
        plan,
        sizes,
        time_limit,
        results,
        ..
    } = &settings.job;
    let cells = cells(plan, sizes);
    assert!(
        !cells.is_empty()
            && cells.len() as u64 * u64::from(plan.repeat) <= MOST_RUNS
            && plan.repeat > 0
    );
    assert_eq!(
        cells.iter().collect::<HashSet<_>>().len(),
        cells.len(),
        "a cell twice would be two in one folder"
    );
    for cell in &cells {
        assert!(
            price::fargate_memories(cell.cpu_units)
                .unwrap()
                .contains(&cell.memory_mib)
                && cell.shards > 0
        );
        assert!((1..=cell.mode.max_concurrency()).contains(&cell.concurrency));
    }
    assert!(!time_limit.is_zero());
    // Whoever goes on with the plan that was written down goes on with the same sweep.
    let again = planned(&plan.to_toml(), &with_plan(results.as_ref())).unwrap();
    assert_eq!((&again.job.plan, &again.job.sizes), (plan, sizes));
}

#[test]
fn a_plan_of_too_many_runs_is_refused_before_any_is_made() {
    let numbers = (1..=4_000)
        .map(|number: u32| number.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let text = format!(
        "bucket = \"b\"\nconcurrency = [{numbers}]\nshards = [{numbers}]\nrepeat = 4294967295\n"
    );
    let failure = planned(&text, &with_plan(None)).unwrap_err();
    assert!(
        failure.message.starts_with("the plan has "),
        "{}",
        failure.message
    );
    assert!(
        failure.message.ends_with(" runs (288,000,000 configurations × 4,294,967,295 repetitions); a sweep has at most 100,000"),
        "{}",
        failure.message
    );
}

#[test]
fn a_plan_file_holds_what_flags_can_say() {
    let message = |text: &str| {
        planned(&format!("bucket = \"b\"\n{text}\n"), &with_plan(None))
            .unwrap_err()
            .message
    };
    assert_eq!(
        message("concurrency = [1, 4, 1]"),
        "the plan's concurrency: 1 is given twice"
    );
    assert_eq!(
        message("mode = [\"async\", \"async\"]"),
        "the plan's mode: async is given twice"
    );
    assert_eq!(
        message("memory = [2048, 2048]"),
        "the plan's memory: 2048 MiB is given twice"
    );
    assert_eq!(
        message("shards = [0]"),
        "the plan's shards: 0 is not a number of runs side by side"
    );
    assert_eq!(
        message("limit = 0"),
        "the plan's limit is 0, so there is nothing to fetch"
    );
    let contender = "[[contender]]\nname = \"py\"\ncommand = \"x\"\nmode = ";
    assert_eq!(
        message(&format!("{contender}[\"thread\", \"thread\"]")),
        "contender `py`: its mode thread is given twice"
    );
    let of_urls = "urls = [\"http://127.0.0.1:9/\"]\n[[contender]]\nname = \"py\"\ncommand = \"x\"\n[contender.result]\ntime = \"program\"\n";
    assert_eq!(
        planned(of_urls, &with_plan(None)).unwrap_err().message,
        "contender `py`: its time alone is measured, so how many requests it makes is not known"
    );
    let alone = format!("mode = [\"async\"]\nconcurrency = [5000]\n{contender}[\"process\"]");
    assert_eq!(
        message(&alone),
        "concurrency 5000 is outside 1 to 1024 of mode process"
    );
}

fn typed(words: &[&str]) -> Result<SweepSettings, Failure> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    sweep(&raw(&words).unwrap(), INPUT)
}

#[test]
fn lists_hold_ranges() {
    let plan = typed(&[
        "s3://b", "-c", "1..8,24", "--vcpu", "0.25..1", "--memory", "auto", "--shards", "1..4",
    ])
    .unwrap()
    .job
    .plan;
    assert_eq!(
        (plan.concurrency, plan.vcpu, plan.shards),
        (vec![1, 2, 4, 8, 24], vec![0.25, 0.5, 1.0], vec![1, 2, 4])
    );
    for memory in ["2048..8192", "2GB..8GB", "2 GB,4096,8GiB"] {
        let plan = typed(&["s3://b", "--vcpu", "1", "--memory", memory])
            .unwrap()
            .job
            .plan;
        assert_eq!(plan.memory, [2_048, 4_096, 8_192].map(MemoryChoice::Mib));
    }
}

#[test]
fn a_wrong_list_is_said_in_one_line_with_a_hint() {
    let said = |words: &[&str]| {
        typed(words)
            .map(|_| ())
            .map_err(|failure| (failure.message, failure.hint.unwrap()))
    };
    let workers =
        "numbers from 1: a list like 1,4,16, or a range like 1..64, which doubles (1, 2, 4 … 64)"
            .to_owned();
    for (list, message) in [
        ("0", "--concurrency: `0` is not a valid value"),
        ("1..0", "--concurrency: `1..0` is not a valid value"),
        (
            "8..1",
            "--concurrency: the range `8..1` ends below its start",
        ),
        ("4,4", "--concurrency: `4` is given twice"),
        ("abc", "--concurrency: `abc` is not a valid value"),
    ] {
        assert_eq!(
            said(&["-c", list]),
            Err((message.to_owned(), workers.clone())),
            "{list}: and not that there is no bucket"
        );
    }
    assert_eq!(
        said(&["-m", "async,treads"]),
        Err((
            "--mode: `treads` is not one of async, thread, process".to_owned(),
            "did you mean `thread`?".to_owned()
        ))
    );
    assert_eq!(
        said(&["-m", "async..thread"]).unwrap_err().0,
        "--mode: `async..thread` is not one of async, thread, process"
    );
    assert_eq!(
        said(&["s3://b", "--vcpu", "1..3"]).unwrap_err().0,
        "Fargate has no size of 3 vCPUs"
    );
    assert_eq!(
        said(&["s3://b", "-c", "1..100000"]).unwrap_err().0,
        "concurrency 65536 is outside 1 to 65535 of mode async"
    );
}

#[test]
fn what_is_typed_wrongly_comes_before_what_is_missing() {
    let said = |words: &[&str]| typed(words).unwrap_err().message;
    for (words, message) in [
        (
            &["--run-timeout", "x"][..],
            "--run-timeout is `x`, which is not a length of time above 0",
        ),
        (
            &["--id", "../x"],
            "--id is `../x`, which cannot be the name of a folder here",
        ),
        (
            &["s3://b", "--max-cost", "1"],
            "--max-cost limits what tasks on Fargate cost, and without --on ecs there are none",
        ),
        (
            &["--on", "ecs", "--max-tasks", "0"],
            "--max-tasks is 0, outside 1 to 100",
        ),
        (
            &["--log-level", "wrn"],
            "--log-level is `wrn`, which is not one of error, warn, info, debug, trace",
        ),
        (
            &["--contender", "py=x", "--order", "listd"],
            "--order: `listd` is not one of listed, largest-first, shuffled",
        ),
        (&["--on", "ecs"], "no source bucket is given"),
        (
            &["--on", "ecs", "s3://b"],
            "tasks on Fargate need a results bucket",
        ),
        (
            &["--on", "ecs", "s3://b", "-r", "s3://r"],
            "no cluster is given",
        ),
        (
            &["--embedded", "s3://b"],
            "SOURCE names a bucket, and --embedded fetches from a server of its own",
        ),
    ] {
        assert_eq!(said(words), message, "{words:?}");
    }
}

#[test]
fn a_plan_file_holds_ranges_too() {
    let plan = |text: &str| planned(&format!("bucket = \"b\"\n{text}\n"), &with_plan(None));
    let ranges = "concurrency = \"1..8\"\nvcpu = [\"0.25..1\", 4]\nmemory = \"auto\"\nshards = [1, \"2..4\"]";
    let settings = plan(ranges).unwrap();
    hold(&settings);
    let plan_of = settings.job.plan;
    assert_eq!(
        (plan_of.concurrency, plan_of.vcpu, plan_of.shards),
        (vec![1, 2, 4, 8], vec![0.25, 0.5, 1.0, 4.0], vec![1, 2, 4])
    );
    let message = |text: &str| plan(text).unwrap_err().message;
    assert_eq!(
        message("concurrency = \"8..1\""),
        "the plan p: line 2: the range `8..1` ends below its start"
    );
    assert_eq!(
        message("concurrency = [\"x\"]"),
        "the plan p: line 2: `x` is not a valid value"
    );
    assert_eq!(
        message("concurrency = 5"),
        "the plan p: line 2: not a list of values, nor a text like \"1..64\""
    );
    assert_eq!(
        message("concurrency = [4, \"1..8\", 4]"),
        "the plan's concurrency: 4 is given twice"
    );
}

#[test]
fn a_word_wins_over_a_plan_file() {
    let words = ["--plan=p", "s3://typed"].map(str::to_owned);
    let plan = planned("bucket = \"b\"\nprefix = \"x/\"\n", &raw(&words).unwrap())
        .unwrap()
        .job
        .plan;
    assert_eq!((plan.bucket.as_str(), plan.prefix.as_str()), ("typed", ""));
}

#[test]
fn fuzz_sweep_plans() {
    let contender = Contender {
        name: "python".to_owned(),
        command: "python3 'a b.py'".to_owned(),
        mode: vec![Mode::Thread],
        environment: [("BUILD".to_owned(), "{build}".to_owned())].into(),
        ..Contender::default()
    };
    let server = ServerProgram {
        name: "web".to_owned(),
        command: "web --port {port} -w {workers}".to_owned(),
        environment: BTreeMap::new(),
    };
    let with_server = SweepPlan {
        embedded: Some(String::new()),
        factor: [
            ("build".to_owned(), vec!["old".to_owned(), "new".to_owned()]),
            ("workers".to_owned(), vec!["1".to_owned(), "3".to_owned()]),
        ]
        .into(),
        contender: vec![contender.clone()],
        server: vec![server],
        server_ready: Some("/".to_owned()),
        server_settle: Some("1s".to_owned()),
        ..SweepPlan::default()
    };
    let plan = SweepPlan {
        bucket: "b".to_owned(),
        limit: Some(7),
        duration: Some("20m".to_owned()),
        part_size: Some("8MiB".to_owned()),
        memory: vec![MemoryChoice::Auto(Auto::Auto), MemoryChoice::Mib(8192)],
        ..SweepPlan::default()
    };
    let seeds = vec![
        SweepPlan {
            embedded: Some("objects=5".to_owned()),
            ..SweepPlan::default()
        }
        .to_toml()
        .into_bytes(),
        plan.to_toml().into_bytes(),
        with_server.to_toml().into_bytes(),
        SweepPlan {
            contender: vec![contender],
            embedded: Some(String::new()),
            ..plan
        }
        .to_toml()
        .into_bytes(),
    ];
    let words = &[
        "nan",
        "inf",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "auto",
        "[[contender]]\n",
        "name = \"x\"\n",
        "repeat = ",
        "\n",
        "=",
        "_",
        "0x",
        "\\u0000",
    ];
    let raw = with_plan(None);
    Target {
        name: "sweep-plan",
        seeds,
        words,
        cases: 2_000,
    }
    .run(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        match SweepPlan::from_toml(&text) {
            Ok(plan) => assert_eq!(
                SweepPlan::from_toml(&plan.to_toml()).unwrap().to_toml(),
                plan.to_toml()
            ),
            Err(error) => assert!(!error.to_string().contains('\n'), "one line: {error}"),
        }
        match planned(&text, &raw) {
            Ok(settings) => hold(&settings),
            Err(failure) => assert!(!failure.message.is_empty() && failure.hint.is_some()),
        }
    });
}

#[test]
fn fuzz_values_of_a_sweep() {
    let seeds = [
        "--bucket=b\n--vcpu=0.25,1,4\n--memory=auto,2048\n--mode=async,thread\n--concurrency=1,16,64\n--shards=1,2\n--repeat=6\n--limit=5",
        "--embedded=objects=5\n--client=lean\n--duration=1m 30s\n--part-size=8MiB\n--order=shuffled\n--seed=7\n--attempts=3\n--timeout=1h",
        "s3://b/p\n-c1..64,96\n--vcpu=0.25..4\n--shards=1..2\n--limit=9",
        "--bucket=b\n--result-bucket=r\n--contender=py:thread='python3 x.py'\n--run-timeout=2h\n--stall-timeout=1s\n--work=md5\n--id=a.b-c",
    ];
    let words = &[
        ",",
        "..",
        "-",
        "=",
        "'",
        "\u{a0}",
        "\0",
        "\r",
        "auto",
        "process",
        "--vcpu=",
        "--shards=",
        "--repeat=",
        "e3",
        "ms",
        "KiB",
    ];
    Target {
        name: "sweep-values",
        seeds: seeds.map(|seed| seed.as_bytes().to_vec()).to_vec(),
        words,
        cases: 1_000,
    }
    .run(|bytes| {
        let words: Vec<String> = String::from_utf8_lossy(bytes)
            .lines()
            .map(str::to_owned)
            .collect();
        // Help is another thing, and a plan is a file.
        let Some(raw) = raw(&words).filter(|raw| raw.get("plan").is_none()) else {
            return;
        };
        match sweep(&raw, INPUT) {
            Ok(settings) => hold(&settings),
            Err(failure) => assert!(!failure.message.is_empty() && failure.hint.is_some()),
        }
    });
}

const OF_TWO_SERVERS: &[&str] = &[
    "http://127.0.0.1:{port}/{endpoint}",
    "-n",
    "1000",
    "-c",
    "10,1000",
    "--mode",
    "async",
    "--vcpu",
    "1",
    "--factor",
    "endpoint=sync,async",
    "--factor",
    "workers=1,3",
    "--server",
    "uvicorn=uvicorn --workers {workers} --port {port} app:app",
    "--server",
    "gunicorn=gunicorn -w {workers} -b 127.0.0.1:{port} -k uvicorn_worker.UvicornWorker app:app",
    "--server-ready",
    "/healthcheck",
];

#[test]
fn urls_have_names_in_braces_and_every_factor_of_theirs() {
    let settings = typed(OF_TWO_SERVERS).unwrap();
    assert!(
        settings.handling.warnings.is_empty(),
        "{:?}",
        settings.handling.warnings
    );
    hold(&settings);
    let job = settings.job;
    assert_eq!(cells(&job.plan, &job.sizes).len(), 2 * 2 * 2 * 2);
    assert_eq!(
        (
            job.plan.client.as_slice(),
            job.plan.sample.as_deref(),
            job.limits.attempts
        ),
        (&[crate::plan::ClientKind::Lean][..], None, 1)
    );
    let requests = job.requests.unwrap();
    assert_eq!(requests.urls, ["http://127.0.0.1:{port}/{endpoint}"]);
    assert_eq!(
        requests.example.urls.to_string(),
        "http://127.0.0.1:8000/sync"
    );
}

#[test]
fn what_is_wrong_with_requests_is_said_at_once() {
    for (words, message, hint) in [
        (
            &["http://h/{x}"][..],
            "the URL `http://h/{x}` names {x}, which has no value",
            "--factor x=A,B gives it values; {{x}} stands for the braces themselves",
        ),
        (
            &["http://h/", "--factor", "x=1,2"],
            "the factor x is not used: nothing names {x}",
            "name it in a URL, or in the command of a server or contender, or leave the factor out",
        ),
        (
            &["http://127.0.0.1:{port}/"],
            "the URL `http://127.0.0.1:{port}/` names {port}, which has no value",
            "{port} is the port of a server of the sweep; --server NAME='COMMAND' starts one",
        ),
        (
            &["http://127.0.0.1:8000/", "--server", "web=x {port}"],
            "the URLs do not name {port}, so they do not ask the server",
            "write it like http://127.0.0.1:{port}/path",
        ),
        (
            &["http://h/{x}", "--factor", "x=a,b c"],
            "URL 1 has a character that cannot be sent in a URL",
            "percent-encode it: a blank is %20",
        ),
        (
            &["http://a/", "http://b/"],
            "URL 2 is of http://b, and the first URL is of http://a",
            "a sweep measures one server at a time: write its address once, or make it a factor",
        ),
        (
            &["http://h/", "s3://b"],
            "URL 2 is `s3://b`, which is not a URL",
            "write it like http://127.0.0.1:8000/path",
        ),
        (
            &["http://h/{bucket}"],
            "the URL `http://h/{bucket}` names {bucket}, which has no value",
            "--factor bucket=A,B gives it values; {{bucket}} stands for the braces themselves",
        ),
        (
            &["http://h/", "-n", "5", "-z", "10s"],
            "requests and duration are given, and each of them ends a repetition",
            "leave one of them out",
        ),
        (
            &["http://h/", "--client", "sdk"],
            "client is sdk, and the AWS SDK requests no URLs",
            "leave client out: URLs are requested with parfetch's own client",
        ),
        (
            &["http://h/", "--limit", "5"],
            "--limit is for objects of a bucket, and URLs are given",
            "-n N makes so many requests",
        ),
        (
            &["http://h/", "--shards", "2"],
            "shards divide the keys of a bucket, and URLs are given",
            "leave shards out: -c makes more requests at the same time",
        ),
        (
            &["s3://b", "-n", "5"],
            "requests is for requests to URLs, and no URL is given",
            "name one, like `parfetch sweep http://127.0.0.1:8000/`",
        ),
        (
            &["http://h/", "--urls", "s3://b/urls.txt"],
            "URLs are given, and --urls names others",
            "leave one of them out",
        ),
        (
            &["--urls", "s3://b/urls.txt"],
            "--urls is an object, and a sweep copies URLs of a file into its plan",
            "download it, and name the file",
        ),
        (
            &["http://h/", "-H", "s3cret"],
            "--header 1: it has no colon",
            "write it like -H 'accept: text/html'",
        ),
        (
            &["http://h/", "-d", "a", "-D", "b"],
            "--body and --body-file are given, and a request has one body",
            "leave one of them out",
        ),
        (
            &["http://h/", "--expect", "nothing"],
            "expect: `nothing` is not an HTTP status",
            "`parfetch sweep --help` explains it",
        ),
        (
            &["http://h/", "--on", "ecs"],
            "requests to a web server are made from this machine, and not from tasks on Fargate",
            "leave the URLs out, or --on ecs",
        ),
    ] {
        let failure = typed(words).unwrap_err();
        assert_eq!(
            (failure.message.as_str(), failure.hint.as_deref()),
            (message, Some(hint)),
            "{words:?}"
        );
    }
}

#[test]
fn a_plan_that_was_written_has_no_values_of_headers_and_needs_them_again() {
    let text = "urls = 'http://h/{x}'\nheader = ['x-key: s3cret {x}']\n[factor]\nx = [1, 2]\n";
    let settings = planned(text, &with_plan(None)).unwrap();
    let written = settings.job.plan.to_toml();
    assert!(!written.contains("s3cret"), "{written}");
    let failure = planned(&written, &with_plan(None)).unwrap_err();
    assert_eq!(
        (failure.message.as_str(), failure.hint.as_deref()),
        (
            "header 1 has no value: a plan keeps names alone",
            Some("give it again: -H 'x-key: …', or PARFETCH_HEADERS")
        )
    );
    let words = ["--plan=p", "-H", "x-key: s3cret {x}"].map(str::to_owned);
    let again = planned(&written, &raw(&words).unwrap()).unwrap();
    assert_eq!(again.job.plan.to_toml(), written);
    assert_eq!(again.job.requests, settings.job.requests);
}

#[test]
fn a_variable_that_wins_over_a_plan_is_named() {
    let variables = |bucket: &str| Variables::from([("BUCKET_NAME", bucket)]);
    let warnings = |words: &[&str], bucket: &str| {
        let words = ["parfetch", "sweep", "--plan=p"].iter().chain(words);
        let Ok(Invocation::Sweep(raw)) = parse(words.map(Into::into), variables(bucket)) else {
            panic!()
        };
        let settings = planned("bucket = 'planned'\n", &raw).unwrap();
        (settings.job.plan.bucket, settings.handling.warnings)
    };
    assert_eq!(
        warnings(&[], "other"),
        (
            "other".to_owned(),
            vec!["BUCKET_NAME is `other`: `planned` of the plan is not used".to_owned()]
        )
    );
    assert_eq!(warnings(&[], "planned").1, Vec::<String>::new());
    assert_eq!(
        warnings(&["s3://planned"], "other"),
        ("planned".to_owned(), vec![]),
        "what was typed is meant"
    );
}

#[test]
fn urls_of_a_file_are_copied_into_the_plan() {
    let text = "\u{feff}http://h/a\r\n\r\n# a comment\r\n  http://h/{x}  \r\n";
    let words = ["--urls", "urls.txt", "--factor", "x=1"].map(str::to_owned);
    let input = SweepInput {
        urls: Some(text),
        ..INPUT
    };
    let job = sweep(&raw(&words).unwrap(), input).unwrap().job;
    assert_eq!(job.plan.urls, ["http://h/a", "http://h/{x}"]);
    let empty = SweepInput {
        urls: Some("# none\n"),
        ..INPUT
    };
    let failure = sweep(&raw(&words).unwrap(), empty).unwrap_err();
    assert_eq!(failure.message, "urls.txt has no URL");
}
