//! The settings of `sweep` and what its help says.

use super::table::Takes::{Choice, Choices, Many, Nothing, Optional, Value};
use super::table::{
    CLIENTS, EGRESS, FORMATS, LEVELS, MODES, ORDERS, Setting, WHEN, WORKS, settings,
};

const PLACES: &[&str] = &["local", "ecs"];
const CAPACITIES: &[&str] = &["on-demand", "spot"];
const WHETHER: &[&str] = &["ENABLED", "DISABLED"];

/// Settings of `sweep`.
pub const SWEEP: &[Setting] = settings! {
    "What to vary (lists like 1,2,4 and ranges like 1..64)" {
        "vcpu" [] Value("LIST"), "1,2,4", "vCPUs of a configuration: 0.25, 0.5, 1, 2, 4, 8, 16 or 32; 0.25..4 is every size between", "vCPUs of a task";
        "memory" [] Value("LIST"), "auto", "MiB of a configuration, as Fargate has them; auto is the least for the vCPUs";
        "mode" -'m' [] Choices("LIST", MODES), "async,thread,process", "What a worker is", "Modes";
        "client" [] Choices("LIST", CLIENTS), "sdk,lean", "S3 clients", "Clients";
        "concurrency" -'c' /"parallelism" [] Value("LIST"), "1,2,4,8,16", "Workers; 1..64 is 1,2,4,8,16,32,64", "Numbers of workers";
        "shards" [] Value("LIST"), "1", "Runs at the same time, each with its own vCPUs and its part of the keys";
        "contender" [] Many("NAME=CMD"), "", "Another program that reads the study's six variables (docs/contenders.md), like python='python3 fetch.py'; NAME:thread,process='COMMAND' for some modes only", "Another program to measure too";
    }
    "What a repetition is" {
        "repeat" [] Value("N"), "6", "Repetitions of each configuration; 6 are the fewest that give a 95 % interval";
        "sample" [] Value("N|SIZE|auto|all"), "auto", "Random keys of the whole listing, in proportion within size classes, the same for every repetition. N keys, at most SIZE (2GB), auto (about 5 s of the fastest configuration, at most 2 GB), or all keys. With --limit, --duration or --contender the default is all", "A random sample of the keys";
        "limit" [] Value("N"), "", "Only the first N keys of the listing, which may be unlike the others";
        "duration" [] Value("TIME"), "", "Read the keys again and again until this time has passed: a sustained rate";
        "work" [] Choice("WORK", WORKS), "none", "CPU work per object: none, md5, sha256 or crc64nvme";
        "part-size" [] Value("SIZE"), "", "Fetch larger objects in parts of this size at the same time, each part a separate fetch; at least 1 MiB";
        "order" [] Choice("ORDER", ORDERS), "listed", "Order of fetching: listed, largest-first or shuffled (always the same shuffle)";
        "run-timeout" [] Value("TIME"), "1h", "Longest time of a repetition, in addition to --duration";
        "attempts" ["PARFETCH_ATTEMPTS"] Value("N"), "5", "Most HTTP attempts per object (or part), 1 to 10";
        "connect-timeout" ["PARFETCH_CONNECT_TIMEOUT"] Value("TIME"), "3s", "Longest time to a connection";
        "stall-timeout" ["PARFETCH_STALL_TIMEOUT"] Value("TIME"), "10s", "Longest time without a byte, and longest time to keep trying a store that refuses connections";
        "timeout" ["PARFETCH_TIMEOUT"] Value("TIME"), "", "Longest time of one fetch, attempts and back-off together";
    }
    "Plan" {
        "plan" [] Value("FILE"), "", "Take the plan from a TOML file; flags win over it";
        "print-plan" [] Nothing, "", "Print the plan as such a file, and do nothing";
        "seed" [] Value("N"), "1", "Seed of the order and of the sample";
        "on" [] Choice("WHERE", PLACES), "local", "Where configurations run: local (this machine) or ecs (Fargate tasks)", "local or ecs (Fargate)";
        "dry-run" [] Nothing, "", "List the keys, say what would be done, fetched and paid, and do nothing", "Only show what it would fetch and cost";
        "yes" -'y' [] Nothing, "", "Start without a question, whatever it fetches and costs. Otherwise parfetch asks above 20 GB in all or $1 from an endpoint that is not on this machine, and a sweep without a terminal ends";
        "max-bytes" [] Value("SIZE"), "", "Fetch up to SIZE (50GB) in all runs without a question: more is refused, and no run starts that would exceed it";
        "id" [] Value("NAME"), "", "Name of the sweep; the same name continues an interrupted sweep. Default: date and time", "Name; the same one continues a sweep";
        "redo-failed" [] Nothing, "", "Run repetitions again that failed before";
    }
    "On ECS (--on ecs)" {
        "stack" ["PARFETCH_STACK"] Value("NAME"), "", "Take buckets, cluster, task definition and network from this CloudFormation stack (infra/template.yaml); other settings win over it";
        "cluster" [] Value("NAME|ARN"), "", "Cluster in which tasks run";
        "task-definition" [] Value("NAME|ARN"), "", "Task definition; without a revision the latest, which holds for the whole sweep";
        "container" [] Value("NAME"), "parfetch", "Container whose environment is overridden";
        "subnets" [] Value("LIST"), "", "Subnets of the tasks";
        "security-groups" [] Value("LIST"), "", "Security groups of the tasks; none = the VPC's default";
        "assign-public-ip" [] Choice("WHETHER", WHETHER), "DISABLED", "ENABLED in public subnets, DISABLED behind NAT or endpoints";
        "log-group" [] Value("NAME"), "", "Log group of the tasks, for messages";
        "capacity" [] Choice("KIND", CAPACITIES), "on-demand", "on-demand or spot (cheaper; AWS may end a task, then the run is tried again)";
        "max-tasks" [] Value("N"), "1", "Tasks at once; configurations that run at the same time share what S3 gives, and are marked";
        "max-cost" [] Value("USD"), "", "Spend at most this: no task starts that would exceed it, and running tasks are stopped";
        "detach" [] Nothing, "", "Leave tasks running when the sweep is interrupted; the same command finds them again";
        "start-timeout" [] Value("TIME"), "15m", "Longest time until a task runs: capacity, image and throttling included";
        "stop-timeout" [] Value("TIME"), "4m", "Longest time until a task that ends has stopped";
        "poll-interval" [] Value("TIME"), "5s", "Time between two looks at the tasks";
    }
    "What to fetch" {
        "bucket" -'b' ["BUCKET_NAME"] Value("NAME"), "", "Source bucket, or s3://bucket/prefix: listed and read, never written";
        "prefix" ["PARFETCH_PREFIX"] Value("PREFIX"), "", "Only keys that begin with this";
        "keys" ["PARFETCH_KEYS"] Value("PATH|s3://…"), "", "Take the keys from a key file or an S3 Inventory's manifest.json instead of listing";
        "embedded" ["PARFETCH_EMBEDDED"] Optional("K=V,…"), "", "Fetch from parfetch's own server on 127.0.0.1; see `parfetch serve --help` for its keys", "Fetch from parfetch's own server";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With your own endpoint: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files";
        "no-sign-request" ["PARFETCH_NO_SIGN_REQUEST"] Nothing, "", "Send requests unsigned (public buckets)";
        "request-payer" ["PARFETCH_REQUEST_PAYER"] Nothing, "", "Pay for requests and transfer of a requester-pays bucket";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
    "Where results go" {
        "out" -'o' ["PARFETCH_OUT"] Value("DIR"), "./parfetch-results", "Folder of sweeps/ID, which has all files of the sweep";
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Store results in this bucket, or s3://bucket/folder, as well; contenders need it where there is no embedded server";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of the results' names in the bucket";
    }
    "What you see" {
        "progress" ["PARFETCH_PROGRESS"] Choice("WHEN", WHEN), "auto", "auto or never";
        "egress" ["PARFETCH_EGRESS"] Choice("WHERE", EGRESS), "none", "Where the bytes go, for the price: none (they stay in the region), internet, or region (another one of AWS)";
        "prices" ["PARFETCH_PRICES"] Value("FILE"), "", "Price list to use instead of the built-in one";
        "log-level" ["PARFETCH_LOG_LEVEL"] Choice("LEVEL", LEVELS), "warn", "error, warn, info, debug or trace";
        "log-format" ["PARFETCH_LOG_FORMAT"] Choice("FORMAT", FORMATS), "text", "Log lines as text or json";
    }
};

/// What `sweep` does.
pub(super) const SWEEP_ABOUT: &str =
    "Measure sizes, modes and numbers of workers; say which to take";

/// Examples below `sweep -h`.
pub(super) const SWEEP_BRIEF: &str = "\
Examples:
  parfetch sweep s3://images --vcpu 0.5,1 -c 1..64
  parfetch sweep s3://images --contender python='python3 fetch.py'";

/// Examples below `sweep --help`.
pub(super) const SWEEP_EXAMPLES: &str = "\
Examples:
  parfetch sweep --embedded --vcpu 0.5,1 -c 1,4,16 --client lean   18 configurations
  parfetch sweep s3://images --vcpu 0.5,1 -c 1..64 --dry-run       what it would do
  parfetch sweep s3://images --sample 5000 --id first              interrupted? the same line continues
  parfetch sweep s3://images --duration 20m --vcpu 1 -c 16         a sustained rate
  parfetch sweep --embedded --contender python:thread,process='python3 fetch_study.py'
  parfetch sweep --on ecs --stack parfetch --dry-run               on Fargate: what it would cost
  parfetch sweep --on ecs --stack parfetch --id first --max-cost 5
  parfetch sweep s3://images --vcpu 1,2 --print-plan > plan.toml   then: parfetch sweep --plan plan.toml

Each repetition is a new process. A control group limits it to the vCPUs and memory of its configuration (or systemd-run, or CPU affinity for whole
vCPUs). The sweep ends with the report, which `parfetch report DIR` prints again in any form.";
