//! The settings of `submit` and what its help says.

use super::setting::Takes::{Choice, Nothing, Value};
use super::setting::{Setting, settings, tables};
use super::shared::{
    BUCKET, CA_BUNDLE, CLIENT, CONCURRENCY, DURATION, EACH_FETCH, EGRESS_TO, EMBEDDED,
    ENDPOINT_URL, KEYS, LIMIT, LIMITS, LOG_FORMAT, LOG_LEVEL, MODE, OUT, PREFIX, PRICES, PROFILE,
    PROGRESS, REGION, REQUEST_PAYER, RESULT_BUCKET, RESULT_PREFIX, SPOOL_DIR, STACK, TAG,
    VIRTUAL_HOST,
};

const ARCHITECTURES: &[&str] = &["x86_64", "arm64"];

/// Settings of `submit`.
pub const SUBMIT: &[Setting] = tables![
    settings! {
    "The job" {
        "shards" -'n' [] Value("N"), "", "Tasks that share the keys, 1 to 10,000: children of one array job", "Tasks that share the keys";
        "vcpu" [] Value("N"), "1", "vCPUs of each task: 0.25, 0.5, 1, 2, 4, 8, 16 or 32", "vCPUs of each task";
        "memory" [] Value("SIZE"), "auto", "Memory of each task as Fargate has it: MiB, or GB of 1024 MiB (2048 is 2GB); auto is the least for the vCPUs";
    }},
    &[STACK
        .help("Take buckets, queue and job definition from this CloudFormation stack (infra/template.yaml, EnableBatch=true); other settings win over it")
        .under("The job")],
    settings! {
    "The job" {
        "queue" [] Value("NAME|ARN"), "", "Job queue";
        "job-definition" [] Value("NAME|ARN"), "", "Job definition";
        "id" [] Value("NAME"), "", "Name of the job; the same command again waits for the same job. Default: date and time", "Name; the same one waits for the same job";
        "redo-failed" [] Nothing, "", "Submit the children of this job again that did not end well: those that failed, that time ended, or that never started";
        "hash" [] Nothing, "", "Children list the bucket themselves and take their part by hash, instead of key files";
        "force" [] Nothing, "", "Allow --hash with more than 20 shards, each of which lists the bucket";
    }
    "Before and after" {
        "dry-run" [] Nothing, "", "List the keys, say what would be done, what it would cost and what would limit it, and do nothing", "Only show what it would do and cost";
        "yes" -'y' [] Nothing, "", "Start without asking; the forecast shows the cost", "Start without asking";
        "max-cost" [] Value("USD"), "", "Submit only when the forecast costs no more than this", "Start only if it costs no more";
        "max-bytes" [] Value("SIZE"), "", "Fetch no more than SIZE (50GB) in all: more is refused; with --duration each task stops at its share";
        "detach" [] Nothing, "", "Do not wait for the end", "Do not wait for the end";
        "poll-interval" [] Value("TIME"), "5s", "Time between two looks at the job";
        "max-vcpus" [] Value("N"), "", "vCPUs that the queue runs at once, for the forecast";
        "task-disk" [] Value("GIB"), "20", "Disk of a task that the job definition gives, for the forecast: 20 to 200 GiB";
        "arch" [] Choice("ARCH", ARCHITECTURES), "x86_64", "Processor architecture of the tasks, for the forecast: x86_64 or arm64";
    }},
    &[
        EGRESS_TO
            .help("Where the bytes go, for the price: none (they stay in the region), internet, or region (another one of AWS)")
            .under("Before and after"),
        PRICES.under("Before and after"),
        BUCKET,
        PREFIX,
        KEYS,
        LIMIT.help("Only the first N keys"),
        DURATION.help("Each task reads its keys again and again until this time has passed"),
        EMBEDDED
            .help("With --dry-run: plan for the keys of parfetch's own server; see `parfetch serve --help` for its keys")
            .long()
            .under("What to fetch"),
        CONCURRENCY
            .help("Workers of each task: up to 65,535 async, 4,096 thread, 1,024 process")
            .brief("Workers of each task"),
        MODE,
        CLIENT.long(),
    ],
    &EACH_FETCH,
    &LIMITS,
    &[
        ENDPOINT_URL
            .help("Another S3 endpoint, for the tasks too; path style then")
            .long(),
        VIRTUAL_HOST,
        REGION.help("AWS region of queue and stack; a wrong one of a bucket is corrected from the answer"),
        PROFILE,
        REQUEST_PAYER,
        CA_BUNDLE,
        RESULT_BUCKET.help("Results bucket, or s3://bucket/folder: key files and results are in jobs/ID/ below it"),
        RESULT_PREFIX.help("Put in front of jobs/ID/"),
        OUT.default("./parfetch-results")
            .help("Folder of the report's page, jobs/ID/report.html"),
        TAG,
        SPOOL_DIR.help("Folder for spool files of this command; default the system's temporary folder"),
        PROGRESS,
        LOG_LEVEL,
        LOG_FORMAT,
    ],
];

pub(super) const SUBMIT_ABOUT: &str =
    "Fetch a bucket too large for one task, as a job of AWS Batch";

/// Examples below `submit -h`.
pub(super) const SUBMIT_BRIEF: &str = "\
Examples:
  parfetch submit --stack parfetch -n 8 --dry-run
  parfetch submit --stack parfetch -n 8 --id first --max-cost 20";

/// Examples below `submit --help`.
pub(super) const SUBMIT_EXAMPLES: &str = "\
Examples:
  parfetch submit --stack parfetch -n 8 --dry-run      what it would cost
  parfetch submit --stack parfetch -n 8 --id a --yes   submits and waits
  parfetch submit --stack parfetch -n 8 --id a --yes   again: waits on
  parfetch submit --stack parfetch -n 1000 --vcpu 2 -c 64 --max-cost 20 --detach
  parfetch submit s3://images/2024/ -r s3://results -n 100 --yes \\
      --queue q --job-definition d
  parfetch submit --dry-run -n 10000 --embedded=objects=1000000,prefixes=100

Ctrl-C ends the job. Exit codes: 0 good · 2 usage, or nothing may be spent (--yes, --max-cost) · 3 children failed · 4 set-up · 130/143 \
interrupted";
