//! The settings of `tune` and what its help says.

use super::setting::Takes::{Choice, Choices, Many, Nothing, Value};
use super::setting::{CLIENTS, FORMATS, MODES, Setting, settings, tables, under};
use super::shared::{
    EGRESS_TO, LIMITS, LOG_FORMAT, LOG_LEVEL, OUT, PRICES, PROGRESS, RESULT_BUCKET, RESULT_PREFIX,
};
use super::sweeps::{FACTOR, OF_URLS, ON_ECS, SERVERS, SOURCE};

const GOALS: &[&str] = &["cheapest", "fastest", "balanced"];

/// Settings of `tune`.
pub const TUNE: &[Setting] = tables![
    settings! {
    "What is looked for" {
        "goal" [] Choice("GOAL", GOALS), "cheapest", "cheapest (the least price of the tasks for the whole bucket), fastest, or balanced (the least price × time). Requests cost the same in each configuration, so they are not compared. With URLs it is fastest, the most requests/s: what a server's machine costs is not known", "cheapest, fastest, balanced";
        "deadline" [] Value("TIME"), "", "The cheapest configuration that fetches the whole bucket within this time", "The cheapest that reads the bucket in this time";
        "within" [] Value("PCT"), "5%", "What counts as good as the best";
        "confidence" [] Value("PCT"), "95%", "How sure the answer must be before the tune stops";
    }
    "Among which configurations" {
        "vcpu" [] Value("LIST"), "0.25..16", "vCPUs of a task; sizes that this machine does not have are left out. With URLs the default is 1", "vCPUs of a task";
        "memory" [] Value("LIST"), "auto", "Memory of a task as Fargate has it: MiB, or GB of 1024 MiB (2048 is 2GB); auto is the least for the vCPUs";
        "mode" -'m' [] Choices("LIST", MODES), "async,thread,process", "What a worker is", "What a worker is";
        "client" [] Choices("LIST", CLIENTS), "lean", "S3 clients; each gets an answer of its own";
        "concurrency" -'c' /"parallelism" [] Value("MIN..MAX"), "1..512", "Workers; numbers that a size has no memory for are left out", "Numbers of workers";
        "contender" [] Many("NAME=CMD"), "", "Your program, which gets an answer of its own. It reads six variables (docs/contenders.md), like python='python3 fetch.py'; NAME:thread,process='COMMAND' names the modes that it knows", "Your program as well";
    }},
    &[FACTOR.long().under("Among which configurations")],
    SERVERS,
    OF_URLS,
    settings! {
    "How much it may take" {
        "max-runs" [] Value("N"), "150", "Runs at most, of all programs together; the default holds for each program";
        "max-time" [] Value("TIME"), "", "Time of all runs at most: no run starts that is expected to exceed it", "Stop after this time with the best so far";
        "max-bytes" [] Value("SIZE"), "", "Bytes of all runs at most (50GB): no run starts that would exceed it. It is also the answer to the question whether so much may be fetched";
        "max-cost" [] Value("USD"), "", "Spend at most this on tasks (--on ecs): no task starts that would exceed it, and running tasks are stopped", "Spend at most this on tasks (--on ecs)";
        "yes" -'y' [] Nothing, "", "Start without a question, whatever it fetches and costs. Otherwise parfetch asks above 20 GB in all or $1 from an endpoint that is not on this machine";
    }
    "How it runs" {
        "duration" -'z' [] Value("TIME"), "", "How long a run lasts, about: 5s on this machine and 30s on Fargate by default. With URLs the time ends it";
        "on" [] Value("WHERE"), "local", "Where it runs: local (this machine), ecs (Fargate tasks), or model=FILE (a model of a platform: nothing is fetched, docs/tune.md)", "local, ecs or model=FILE";
        "fit" [] Value("DIR"), "", "Measure nothing: print the model that fits what a sweep or tune in DIR measured, for --on model=FILE";
        "plan" [] Value("FILE"), "", "Take source, contenders and configurations from a plan file of a sweep or a tune (TOML); flags win over it";
        "seed" [] Value("N"), "1", "Seed of the order of the keys and of the choices";
        "id" [] Value("NAME"), "", "Name of the tune; the same name continues an interrupted tune. Default: date and time";
        "dry-run" [] Nothing, "", "List the keys, say what it may fetch and cost, and do nothing", "Only show what it may fetch and cost";
        "run-timeout" [] Value("TIME"), "1h", "Longest time of a run";
    }},
    &under("How it runs", LIMITS),
    ON_ECS,
    SOURCE,
    &[
        OUT.default("./parfetch-results")
            .help("Folder of sweeps/ID, which has all files of the tune"),
        RESULT_BUCKET.help("Store results in this bucket, or s3://bucket/folder, as well; contenders need it where there is no embedded server").long(),
        RESULT_PREFIX,
        PROGRESS,
    ],
    settings! {
    "What you see" {
        "output" [] Choice("FORMAT", FORMATS), "text", "The answer on stdout as text or json";
    }},
    &[EGRESS_TO, PRICES, LOG_LEVEL, LOG_FORMAT],
];

pub(super) const TUNE_ABOUT: &str = "Find the cheapest or fastest configuration with few runs";

/// Examples below `tune -h`.
pub(super) const TUNE_BRIEF: &str = "\
Examples:
  parfetch tune s3://images
  parfetch tune --embedded=objects=2000,network=s3
  parfetch tune --on ecs --stack parfetch --max-cost 2";

/// Examples below `tune --help`.
pub(super) const TUNE_EXAMPLES: &str = "\
Examples:
  parfetch tune s3://images                              on this machine
  parfetch tune s3://images --goal fastest --vcpu 1,2
  parfetch tune s3://images --deadline 30m               done within 30 minutes
  parfetch tune s3://images --id a --max-time 20m        can be continued
  parfetch tune s3://images --contender python:thread,process='python3 app.py'
  parfetch tune --on ecs --stack parfetch --max-cost 2   on Fargate
  parfetch tune s3://images --plan power.toml            your own program
  parfetch tune 'http://127.0.0.1:{port}/' --server app='python3 app.py {port}'
                                                         a web server
  parfetch tune --fit parfetch-results/sweeps/first > platform.toml
  parfetch tune --on model=platform.toml                 nothing is fetched

Each run fetches the first keys of one random order of all keys: as many as last about 5 s on this machine, and 30 s on Fargate. Its runs \
are like the runs of a sweep: `parfetch report DIR` and `parfetch compare` read them.";
