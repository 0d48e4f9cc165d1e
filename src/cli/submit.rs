//! The settings of `submit` and what its help says.

use super::table::Takes::{Choice, Nothing, Optional, Value};
use super::table::{
    CLIENTS, EGRESS, FORMATS, LEVELS, MODES, ORDERS, Setting, WHEN, WORKS, settings,
};

const ARCHITECTURES: &[&str] = &["x86_64", "arm64"];

/// Settings of `submit`.
pub const SUBMIT: &[Setting] = settings! {
    "The job" {
        "shards" -'n' [] Value("N"), "", "Tasks that share the keys, 1 to 10,000: children of one array job", "Tasks that share the keys";
        "vcpu" [] Value("N"), "1", "vCPUs of each task: 0.25, 0.5, 1, 2, 4, 8, 16 or 32", "vCPUs of each task";
        "memory" [] Value("MIB"), "auto", "MiB of each task, as Fargate has them; auto is the least for the vCPUs";
        "stack" ["PARFETCH_STACK"] Value("NAME"), "", "Take buckets, queue and job definition from this CloudFormation stack (infra/template.yaml, EnableBatch=true); other settings win over it", "The stack of infra/template.yaml";
        "queue" [] Value("NAME|ARN"), "", "Job queue";
        "job-definition" [] Value("NAME|ARN"), "", "Job definition";
        "id" [] Value("NAME"), "", "Name of the job; the same command again waits for the same job. Default: date and time", "Name; the same one waits for the same job";
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
        "arch" [] Choice("ARCH", ARCHITECTURES), "x86_64", "Processor architecture of the tasks, for the forecast: x86_64 or arm64";
        "egress" ["PARFETCH_EGRESS"] Choice("WHERE", EGRESS), "none", "Where the bytes go, for the price: none (they stay in the region), internet, or region (another one of AWS)";
        "prices" ["PARFETCH_PRICES"] Value("FILE"), "", "Price list to use instead of the built-in one";
    }
    "What to fetch" {
        "bucket" -'b' ["BUCKET_NAME"] Value("NAME"), "", "Source bucket, or s3://bucket/prefix: listed and read, never written";
        "prefix" ["PARFETCH_PREFIX"] Value("PREFIX"), "", "Only keys that begin with this";
        "keys" ["PARFETCH_KEYS"] Value("PATH|s3://…"), "", "Take the keys from a key file or an S3 Inventory's manifest.json instead of listing";
        "limit" ["PARFETCH_LIMIT"] Value("N"), "", "Only the first N keys";
        "duration" ["PARFETCH_DURATION"] Value("TIME"), "", "Each task reads its keys again and again until this time has passed";
        "embedded" ["PARFETCH_EMBEDDED"] Optional("K=V,…"), "", "With --dry-run: plan for the keys of parfetch's own server; see `parfetch serve --help` for its keys";
    }
    "How to fetch" {
        "concurrency" -'c' /"parallelism" ["CONCURRENCY"] Value("N"), "16", "Workers of each task: up to 65,535 async, 4,096 thread, 1,024 process", "Workers of each task";
        "mode" -'m' ["MODE"] Choice("MODE", MODES), "async", "What a worker is: async (task), thread or process", "async, thread or process";
        "client" ["PARFETCH_CLIENT"] Choice("CLIENT", CLIENTS), "lean", "S3 client: lean (measures the platform) or sdk (measures what a program on aws-sdk-s3 gets)";
        "work" ["PARFETCH_WORK"] Choice("WORK", WORKS), "none", "CPU work per object: none, md5, sha256 or crc64nvme";
        "part-size" ["PARFETCH_PART_SIZE"] Value("SIZE"), "", "Fetch larger objects in parts of this size at the same time, each part a separate fetch; at least 1 MiB";
        "order" ["PARFETCH_ORDER"] Choice("ORDER", ORDERS), "listed", "Order of fetching: listed, largest-first or shuffled (always the same shuffle)";
        "attempts" ["PARFETCH_ATTEMPTS"] Value("N"), "5", "Most HTTP attempts per object (or part), 1 to 10";
        "connect-timeout" ["PARFETCH_CONNECT_TIMEOUT"] Value("TIME"), "3s", "Longest time to a connection";
        "stall-timeout" ["PARFETCH_STALL_TIMEOUT"] Value("TIME"), "10s", "Longest time without a byte, and longest time to keep trying a store that refuses connections";
        "timeout" ["PARFETCH_TIMEOUT"] Value("TIME"), "", "Longest time of one fetch, attempts and back-off together";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint, for the tasks too; path style then";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With your own endpoint: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region of queue and stack; a wrong one of a bucket is corrected from the answer";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files";
        "request-payer" ["PARFETCH_REQUEST_PAYER"] Nothing, "", "Pay for requests and transfer of a requester-pays bucket";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
    "Where results go" {
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket, or s3://bucket/folder: key files and results are in jobs/ID/ below it";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of jobs/ID/";
        "out" -'o' ["PARFETCH_OUT"] Value("DIR"), "./parfetch-results", "Folder of the report's page, jobs/ID/report.html";
        "tag" -'t' ["TAG"] Value("TAG"), "run", "Label in the results' names: [A-Za-z0-9._-], at most 64";
        "spool-dir" ["PARFETCH_SPOOL_DIR"] Value("DIR"), "", "Folder for spool files of this command; default the system's temporary folder";
    }
    "What you see" {
        "progress" ["PARFETCH_PROGRESS"] Choice("WHEN", WHEN), "auto", "auto or never";
        "log-level" ["PARFETCH_LOG_LEVEL"] Choice("LEVEL", LEVELS), "warn", "error, warn, info, debug or trace";
        "log-format" ["PARFETCH_LOG_FORMAT"] Choice("FORMAT", FORMATS), "text", "Log lines as text or json";
    }
};

/// What `submit` does.
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
  parfetch submit --stack parfetch --shards 8 --dry-run            what it would do, take and cost
  parfetch submit --stack parfetch --shards 8 --id first --yes     submits, waits, prints the report
  parfetch submit --stack parfetch --shards 8 --id first --yes     interrupted? the same line waits for the same job
  parfetch submit --stack parfetch -n 1000 --vcpu 2 -c 64 --max-cost 20 --detach
  parfetch submit s3://images/2024/ -r s3://results --queue q --job-definition d -n 100 --yes
  parfetch submit --dry-run -n 10000 --embedded=objects=1000000,prefixes=100

Ctrl-C ends the job. Exit codes: 0 good · 2 usage, or nothing may be spent (--yes, --max-cost) · 3 children failed · 4 set-up · 130/143 interrupted";
