//! The settings of `sweep` and what its help says.

use super::setting::Takes::{Choice, Choices, Many, Nothing, Value};
use super::setting::{CLIENTS, MODES, Setting, settings, tables, under};
use super::shared::{
    BODY, BODY_FILE, BUCKET, CA_BUNDLE, CLUSTER, CONNECT_TO, EGRESS_TO, EMBEDDED, ENDPOINT_URL,
    EXPECT, HEADER, KEYS, LIMITS, LOG_FORMAT, LOG_LEVEL, METHOD, NO_KEEP_ALIVE, NO_SIGN_REQUEST,
    ORDER, OUT, PART_SIZE, PREFIX, PRICES, PROFILE, PROGRESS, REGION, REQUEST_PAYER, REQUESTS,
    RESULT_BUCKET, RESULT_PREFIX, STACK, URLS, VIRTUAL_HOST, WORK,
};

const PLACES: &[&str] = &["local", "ecs"];
const CAPACITIES: &[&str] = &["on-demand", "spot"];
const WHETHER: &[&str] = &["ENABLED", "DISABLED"];
const REPETITION: &str = "What a repetition is";
const REQUESTED: &str = "How to request URLs";

/// How tasks on Fargate are started, and how long they are waited for.
pub(super) const ON_ECS: &[Setting] = tables![&[STACK
    .help("Take buckets, cluster, task definition and network from this CloudFormation stack (infra/template.yaml); other settings win over it")
    .long()
    .under("On ECS (--on ecs)"), CLUSTER.under("On ECS (--on ecs)")],
settings! {
"On ECS (--on ecs)" {
    "task-definition" [] Value("NAME|ARN"), "", "Task definition; without a revision the latest, which then holds until the end";
    "container" [] Value("NAME"), "parfetch", "Container whose environment is overridden";
    "subnets" [] Value("LIST"), "", "Subnets of the tasks";
    "security-groups" [] Value("LIST"), "", "Security groups of the tasks; none = the VPC's default";
    "assign-public-ip" [] Choice("WHETHER", WHETHER), "DISABLED", "ENABLED in public subnets, DISABLED behind NAT or endpoints";
    "log-group" [] Value("NAME"), "", "Log group of the tasks, for messages";
    "capacity" [] Choice("KIND", CAPACITIES), "on-demand", "on-demand or spot (cheaper; AWS may end a task, then the run is tried again)";
    "max-tasks" [] Value("N"), "1", "Tasks at once; configurations that run at the same time share what S3 gives, and are marked";
    "detach" [] Nothing, "", "Leave tasks running after an interruption; the same command with --id finds them again";
    "start-timeout" [] Value("TIME"), "15m", "Longest time until a task runs: capacity, image and throttling included";
    "stop-timeout" [] Value("TIME"), "4m", "Longest time until a task that ends has stopped";
    "poll-interval" [] Value("TIME"), "5s", "Time between two looks at the tasks";
}}];

/// What a sweep and a tune read, and how they reach it.
pub(super) const SOURCE: &[Setting] = &[
    BUCKET,
    PREFIX,
    KEYS,
    EMBEDDED.long(),
    ENDPOINT_URL.long(),
    VIRTUAL_HOST,
    REGION,
    PROFILE,
    NO_SIGN_REQUEST,
    REQUEST_PAYER,
    CA_BUNDLE,
];

/// A factor with a name of its own.
pub(super) const FACTOR: Setting = settings! {
"What to vary (lists like 1,2,4 and ranges like 1..64)" {
    "factor" [] Many("NAME=LIST"), "", "A factor of your own, like workers=1,3: {workers} is replaced with its value in a URL, a header, a body, or the command of a server or contender (docs/servers.md). A configuration has the factors that its own texts name";
}}[0];

/// Servers that each repetition starts anew.
pub(super) const SERVERS: &[Setting] = settings! {
"Servers (docs/servers.md)" {
    "server" [] Many("NAME=CMD"), "", "A web server on this machine, like uvicorn='uvicorn --port {port} app:app'. Each repetition starts it anew, in a control group of its own, on the CPUs that the configuration leaves; {port} is a free port. May be given several times: the server is a factor";
    "server-ready" [] Value("PATH"), "", "It is ready when it answers this path with a code from 200 to 299; without a path, when it accepts a connection";
    "server-timeout" [] Value("TIME"), "30s", "Longest time until it is ready";
    "server-settle" [] Value("TIME"), "1s", "Wait so long after it is ready: the first of several workers answers before the others have started";
    "server-vcpu" [] Value("N"), "1", "vCPUs of the server";
}};

/// How a sweep or a tune requests URLs. A secret need not be on a command line.
pub(super) const OF_URLS: &[Setting] = &[
    URLS.typed().help("Request these URLs instead of objects: a file with one per line, or - for standard input. They are copied into the plan").under(REQUESTED),
    METHOD.typed(),
    HEADER.help("A header of the requests; may be given several times. Names alone are shown and stored, never values: a sweep that continues needs them again"),
    BODY.typed().help("Body of the requests, at most 64 KiB; it is part of the plan"),
    BODY_FILE.typed().help("File that holds the body of the requests; {names} in it are not replaced"),
    EXPECT.typed(),
    NO_KEEP_ALIVE.typed(),
    CONNECT_TO.typed(),
];

/// Settings of `sweep`.
pub const SWEEP: &[Setting] = tables![
    settings! {
    "What to vary (lists like 1,2,4 and ranges like 1..64)" {
        "vcpu" [] Value("LIST"), "1,2,4", "vCPUs of a configuration: 0.25, 0.5, 1, 2, 4, 8, 16 or 32; 0.25..4 is every size between", "vCPUs of a task";
        "memory" [] Value("LIST"), "auto", "Memory of a configuration as Fargate has it: MiB, or GB of 1024 MiB (2048 is 2GB); auto is the least for the vCPUs";
        "mode" -'m' [] Choices("LIST", MODES), "async,thread,process", "What a worker is", "Modes";
        "client" [] Choices("LIST", CLIENTS), "sdk,lean", "S3 clients", "Clients";
        "concurrency" -'c' /"parallelism" [] Value("LIST"), "1,2,4,8,16", "Workers; 1..64 is 1,2,4,8,16,32,64", "Numbers of workers";
        "shards" [] Value("LIST"), "1", "Runs at the same time, each with its own vCPUs and its part of the keys";
        "contender" [] Many("NAME=CMD"), "", "Your program, measured next to parfetch's own clients (--client). It reads six variables (docs/contenders.md), like python='python3 fetch.py'. It runs in every mode of --mode; NAME:thread,process='COMMAND' names the modes that it knows. On Fargate: NAME='task-definition=FAMILY,container=NAME'. @NAME is a ready one (contenders/README.md)", "Your program, next to parfetch's own";
        "contender-dir" ["PARFETCH_CONTENDERS"] Value("DIR"), "./parfetch-contenders", "Folder of the ready contenders, which contenders/install.sh fills: --contender @boto3,@s5cmd";
    }},
    &[FACTOR],
    SERVERS,
    settings! {
    "What a repetition is" {
        "repeat" [] Value("N"), "6", "Repetitions of each configuration; 6 are the fewest that give a 95 % interval, and a recommendation", "Repetitions of each configuration";
        "sample" [] Value("N|SIZE|auto|all"), "auto", "Random keys of the whole listing, in proportion within size classes, the same for every repetition. N keys, at most SIZE (2GB), auto (about 5 s of the fastest configuration, at most 2 GB), or all keys. With --limit, --duration or --contender the default is all";
        "limit" [] Value("N"), "", "Only the first N keys of the listing, which may be unlike the others";
        "duration" -'z' [] Value("TIME"), "", "Read the keys again and again until this time has passed: long runs of few objects (5s), or a sustained rate (20m)", "Read the keys again and again, like 5s";
    }},
    &under(REPETITION, [REQUESTS.typed(), WORK.typed(), PART_SIZE.typed(), ORDER.typed()]),
    settings! {
    "What a repetition is" {
        "run-timeout" [] Value("TIME"), "1h", "Longest time of a repetition, in addition to --duration";
    }},
    &under(REPETITION, LIMITS),
    OF_URLS,
    settings! {
    "Plan" {
        "plan" [] Value("FILE"), "", "Take the plan from a TOML file; flags win over it";
        "print-plan" [] Nothing, "", "Print the plan as such a file, and do nothing";
        "seed" [] Value("N"), "1", "Seed of the order and of the sample";
        "on" [] Choice("WHERE", PLACES), "local", "Where configurations run: local (this machine) or ecs (Fargate tasks)", "local or ecs (Fargate)";
        "dry-run" [] Nothing, "", "List the keys, say what would be done, fetched and paid, and do nothing", "Only show what it would fetch and cost";
        "yes" -'y' [] Nothing, "", "Start without a question, whatever it fetches and costs. Otherwise parfetch asks above 20 GB in all or $1 from an endpoint that is not on this machine, and a sweep without a terminal ends";
        "max-bytes" [] Value("SIZE"), "", "Fetch up to SIZE (50GB) in all runs without a question: more is refused, and no run starts that would exceed it";
        "id" [] Value("NAME"), "", "Name of the sweep; the same name continues an interrupted sweep. Default: date and time";
        "redo-failed" [] Nothing, "", "Run repetitions again that failed before";
    }},
    ON_ECS,
    settings! {
    "On ECS (--on ecs)" {
        "max-cost" [] Value("USD"), "", "Spend at most this: no task starts that would exceed it, and running tasks are stopped";
    }},
    SOURCE,
    &[
        OUT.default("./parfetch-results")
            .help("Folder of sweeps/ID, which has all files of the sweep"),
        RESULT_BUCKET.help("Store results in this bucket, or s3://bucket/folder, as well; contenders need it where there is no embedded server")
            .brief("Store results there too; contenders need it"),
        RESULT_PREFIX,
        PROGRESS,
        EGRESS_TO,
        PRICES,
        LOG_LEVEL,
        LOG_FORMAT,
    ],
];

pub(super) const SWEEP_ABOUT: &str =
    "Measure sizes, modes and numbers of workers; say which to take";

/// Examples below `sweep -h`.
pub(super) const SWEEP_BRIEF: &str = "\
Examples:
  parfetch sweep s3://images --vcpu 0.5,1 -c 1..64
  parfetch sweep s3://in -r s3://out --contender py:thread='python3 fetch.py'";

/// Examples below `sweep --help`.
pub(super) const SWEEP_EXAMPLES: &str = "\
Examples:
  parfetch sweep --embedded --vcpu 1 -c 1,4,16 --client lean   9 configurations
  parfetch sweep s3://images --vcpu 0.5,1 -c 1..64 --dry-run   what it would do
  parfetch sweep s3://images --sample 5000 --id first          can be continued
  parfetch sweep s3://images --duration 20m --vcpu 1 -c 16     a sustained rate
  parfetch sweep 'http://127.0.0.1:{port}/' -n 1000 -c 10,100 \\
      --server app='python3 app.py {port}'                     a web server
  parfetch sweep --embedded \\
      --contender python:thread,process='python3 fetch_study.py'
                                                               your own program
  parfetch sweep --on ecs --stack parfetch --dry-run           cost on Fargate
  parfetch sweep --on ecs --stack parfetch --id first --max-cost 5
  parfetch sweep s3://images --vcpu 1,2 --print-plan > plan.toml
  parfetch sweep --plan plan.toml

Each repetition is a new process. A control group limits it to the vCPUs and memory of its configuration (or systemd-run, or CPU affinity \
for whole vCPUs). The sweep ends with the report, which `parfetch report DIR` prints again in any form.";
