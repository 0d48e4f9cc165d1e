//! The table of every setting: flag, variables, help. The reference page is generated from it.

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A switch. Its variable takes `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`.
    Nothing,
    /// A value, called so in the help.
    Value(&'static str),
    /// A value after `=`, or none.
    Optional(&'static str),
    /// A value, as often as there are; they are kept as lines.
    Many(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its flag without the dashes; also its name in the code.
    pub flag: &'static str,
    /// Its flag as typed.
    pub dashed: &'static str,
    /// One-letter flag.
    pub short: Option<char>,
    /// Another flag for the same.
    pub alias: Option<&'static str>,
    /// Variables that set it; the first that is set and not empty wins.
    pub variables: &'static [&'static str],
    /// What it takes.
    pub takes: Takes,
    /// Default, as shown; empty = none.
    pub default: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Group in the help.
    pub heading: &'static str,
}

/// Rows of a table: `"heading" { "flag" -'f' /"alias" ["VARIABLE"] takes, "default", "help"; … }`.
macro_rules! settings {
    ($($heading:literal { $($flag:literal $(-$short:literal)? $(/$alias:literal)? [$($variable:literal),*] $takes:expr, $default:literal, $help:literal;)* })*) => {
        &[$($(Setting {
            flag: $flag,
            dashed: concat!("--", $flag),
            short: settings!(@option $($short)?),
            alias: settings!(@option $($alias)?),
            variables: &[$($variable),*],
            takes: $takes,
            default: $default,
            help: $help,
            heading: $heading,
        },)*)*]
    };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
}

pub(super) use settings;

use Takes::{Nothing, Optional, Value};

/// Settings of `run`.
pub const RUN: &[Setting] = settings! {
    "What to fetch" {
        "bucket" -'b' ["BUCKET_NAME"] Value("NAME"), "", "Source bucket: listed and read, never written";
        "prefix" ["PARFETCH_PREFIX"] Value("PREFIX"), "", "Only keys that begin with this";
        "keys" ["PARFETCH_KEYS"] Value("PATH|s3://…"), "", "Take the keys from a key file or an S3 Inventory's manifest.json instead of listing; with a shard, s3://bucket/folder/ is a folder of key files, one a shard";
        "limit" ["PARFETCH_LIMIT"] Value("N"), "", "Only the first N keys of the listing, which may be unlike the others: --sample takes keys from all of it";
        "sample" ["PARFETCH_SAMPLE"] Value("N|SIZE|auto"), "all", "Only a random sample of all keys, in proportion within size classes: N keys, at most SIZE (2GB), or auto (about 5 s, at most 2 GB)";
        "seed" ["PARFETCH_SEED"] Value("N"), "1", "Seed of --sample: the same keys and seed give the same sample";
        "shard" ["PARFETCH_SHARD"] Value("I/N"), "", "Only the keys whose XXH3-64 modulo N is I (I from 0), or those of its own file where --keys names a folder; in an array job of AWS Batch, I is AWS_BATCH_JOB_ARRAY_INDEX and N is PARFETCH_SHARD_COUNT";
        "duration" ["PARFETCH_DURATION"] Value("TIME"), "", "Go round the keys until this time has passed";
    }
    "How to fetch" {
        "concurrency" -'c' /"parallelism" ["CONCURRENCY"] Value("N"), "16", "Number of workers: up to 65,535 async, 4,096 thread, 1,024 process";
        "mode" -'m' ["MODE"] Value("MODE"), "async", "What a worker is: async (task), thread or process";
        "client" ["PARFETCH_CLIENT"] Value("CLIENT"), "lean", "S3 client: lean (measures the platform) or sdk (measures what a program on aws-sdk-s3 gets)";
        "work" ["PARFETCH_WORK"] Value("WORK"), "none", "CPU work per object: none, md5, sha256 or crc64nvme";
        "part-size" ["PARFETCH_PART_SIZE"] Value("SIZE"), "", "Fetch larger objects in parts of this size, side by side, each a fetch of its own; 1 MiB at least";
        "order" ["PARFETCH_ORDER"] Value("ORDER"), "listed", "Order of fetching: listed, largest-first or shuffled (always the same shuffle)";
        "attempts" ["PARFETCH_ATTEMPTS"] Value("N"), "5", "HTTP attempts per object (or part) at the most, 1 to 10";
        "connect-timeout" ["PARFETCH_CONNECT_TIMEOUT"] Value("TIME"), "3s", "Longest time to a connection";
        "stall-timeout" ["PARFETCH_STALL_TIMEOUT"] Value("TIME"), "10s", "Longest time without a byte, and longest time to keep trying a store that refuses connections";
        "timeout" ["PARFETCH_TIMEOUT"] Value("TIME"), "", "Longest time of one fetch, attempts and back-off together";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With an endpoint of your own: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files";
        "no-sign-request" ["PARFETCH_NO_SIGN_REQUEST"] Nothing, "", "Send requests unsigned (public buckets)";
        "request-payer" ["PARFETCH_REQUEST_PAYER"] Nothing, "", "Pay for requests and transfer of a requester-pays bucket";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
    "Where results go" {
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket; needed unless --out is given";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of the results' names in the bucket";
        "out" -'o' ["PARFETCH_OUT"] Value("DIR"), "", "Keep the results in this folder as well";
        "tag" -'t' ["TAG"] Value("TAG"), "run", "Label in the results' names: [A-Za-z0-9._-], 64 at the most";
        "spool-dir" ["PARFETCH_SPOOL_DIR"] Value("DIR"), "", "Folder for spool files; default the system's temporary folder";
        "no-overwrite" ["PARFETCH_NO_OVERWRITE"] Nothing, "", "Refuse to replace results of the same name";
        "allow-results-in-source" ["PARFETCH_ALLOW_RESULTS_IN_SOURCE"] Nothing, "", "Allow results under the listed prefix of the source bucket";
    }
    "Embedded server" {
        "embedded" ["PARFETCH_EMBEDDED"] Optional("K=V,…"), "", "Fetch from a server of parfetch's own on 127.0.0.1; see `parfetch serve --help` for its keys";
    }
    "What it may fetch" {
        "dry-run" [] Nothing, "", "List the keys, say what would be fetched, how long it may take and what it costs, and do nothing";
        "yes" -'y' ["PARFETCH_YES"] Nothing, "", "Start without a question. Otherwise parfetch asks above 20 GB or $1 from an endpoint that is not on this machine, and a run without a terminal ends";
        "max-bytes" ["PARFETCH_MAX_BYTES"] Value("SIZE"), "", "Fetch up to SIZE (50GB) without a question: more is refused, or, where it is not known beforehand, the run stops there";
    }
    "What you see" {
        "egress" ["PARFETCH_EGRESS"] Value("WHERE"), "none", "Where the bytes go, for the price: none (they stay in the region), internet, or region (another one of AWS)";
        "prices" ["PARFETCH_PRICES"] Value("FILE"), "", "Price list to use instead of the built-in one";
        "progress" ["PARFETCH_PROGRESS"] Value("WHEN"), "auto", "auto or never";
        "output" ["PARFETCH_OUTPUT"] Value("FORMAT"), "text", "Summary on stdout as text or json";
        "log-level" ["PARFETCH_LOG_LEVEL"] Value("LEVEL"), "warn", "error, warn, info, debug or trace";
        "log-format" ["PARFETCH_LOG_FORMAT"] Value("FORMAT"), "text", "What stands on stderr: text, or json: an object a line, progress and errors too";
        "emf" ["PARFETCH_EMF"] Value("NAMESPACE"), "", "Write the figures to stderr at the end, as CloudWatch metrics of this namespace (embedded metric format)";
    }
};

/// Settings of `upload`.
pub const UPLOAD: &[Setting] = settings! {
    "Where results go" {
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket, where no s3://… is given";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of the results' names in the bucket";
        "no-overwrite" ["PARFETCH_NO_OVERWRITE"] Nothing, "", "Refuse to replace results of the same name";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With an endpoint of your own: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
};

/// Settings of `serve`.
pub const SERVE: &[Setting] = settings! {
    "Server" {
        "listen" ["PARFETCH_LISTEN"] Value("ADDRESS"), "127.0.0.1:0", "Address and port; port 0 takes a free one";
        "options" ["PARFETCH_SERVE_OPTIONS"] Value("K=V,…"), "", "What the server holds and how it behaves, as after --embedded=";
        "results-dir" ["PARFETCH_RESULTS_DIR"] Value("DIR"), "./parfetch-results", "Folder of the bucket `results`";
        "threads" ["PARFETCH_SERVE_THREADS"] Value("N"), "1", "Threads that serve";
        "tls-cert" ["PARFETCH_TLS_CERT"] Value("FILE"), "", "Serve https with this PEM certificate chain";
        "tls-key" ["PARFETCH_TLS_KEY"] Value("FILE"), "", "Private key of --tls-cert";
        "anonymous" ["PARFETCH_ANONYMOUS"] Nothing, "", "Answer unsigned requests too";
        "access-key" ["PARFETCH_SERVE_ACCESS_KEY"] Value("KEY"), "", "Access key to take instead of a random one; its secret comes from PARFETCH_SERVE_SECRET_KEY";
    }
};

/// What parfetch is.
pub(super) const ABOUT: &str =
    "How many vCPU, which concurrency model and how much concurrency to read many objects from S3, how long it takes and what it costs";

/// Examples below `parfetch --help`.
pub(super) const EXAMPLES: &str = "\
Examples:
  parfetch run --embedded                                     try it: no S3 needed
  BUCKET_NAME=images RESULT_BUCKET_NAME=results parfetch      as a container does
  parfetch run -b images -o ./out -m thread -c 32             32 threads, results in a folder
  parfetch upload ./out s3://results/laptop/                  store kept results
  parfetch report ./out                                       what the results say
  parfetch compare ./before ./after                           whether anything changed
  parfetch sweep --embedded --vcpu 0.5,1 -c 1,4,16            which size, mode and concurrency?
  parfetch submit --stack parfetch --shards 8 --dry-run       a bucket too large for one task

`parfetch run --help` shows every setting. Without a subcommand, parfetch runs `run`.
Exit codes: 0 good · 1 unexpected · 2 usage · 3 some fetches failed · 4 set-up · 5 results not stored · 6 compare --fail-over · 130/143 interrupted";

/// What `run` does.
pub(super) const RUN_ABOUT: &str = "List a bucket, fetch and size every object, write the timing CSV and the summary";

/// Examples below `run --help`.
pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  parfetch run --embedded=objects=2000,size=2.5MiB,network=s3 -c 16 -m process
  parfetch run -b images -r results -c 64 --client sdk
  parfetch run -b images -o ./out --prefix 2024/ --sample 10000
  parfetch run -b images -r results --duration 20m             a sustained rate
  parfetch run -b images -r results --part-size 8MiB --order largest-first     a shorter tail
  AWS_ENDPOINT_URL=http://127.0.0.1:9000 parfetch run -b images -r results

A flag wins over its variable; an empty variable means unset.";

/// What `upload` does.
pub(super) const UPLOAD_ABOUT: &str = "Store results that were kept in a folder, after an upload failed or a run with --out";

/// Examples below `upload --help`.
pub(super) const UPLOAD_EXAMPLES: &str = "\
Examples:
  parfetch upload ./parfetch-results s3://results
  RESULT_BUCKET_NAME=results parfetch upload ./parfetch-results";

/// What `serve` does.
pub(super) const SERVE_ABOUT: &str = "An S3 endpoint on this machine with a synthetic source bucket and a results bucket, for trying and testing";

/// Examples below `serve --help`.
pub(super) const SERVE_EXAMPLES: &str = "\
Keys of --options (and of `run --embedded=`):
  objects=1000 size=256KiB sizes=fixed|lognormal seed=1 keys=plain|awkward prefixes=… page=1000 archived=0
  ttfb=0ms ttfb-p99=… conn-rate=… total-rate=… request-rate=… list-delay=… network=none|s3
  fault-reset= fault-stall= fault-short= fault-500= fault-slowdown= fault-expired= fault-missing=   (0 to 1, share of GETs)

Examples:
  parfetch serve --options objects=100000,size=16KiB
  parfetch serve --listen 127.0.0.1:9000 --options network=s3,fault-slowdown=0.02";
