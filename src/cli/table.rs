//! The table of every setting: flag, variables, help. The reference page is generated from it.

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A switch. Its variable takes `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`.
    Nothing,
    /// A switch that may be given several times.
    Times,
    /// A value, called so in the help.
    Value(&'static str),
    /// One of these words.
    Choice(&'static str, &'static [&'static str]),
    /// Some of these words, with commas between them.
    Choices(&'static str, &'static [&'static str]),
    /// A value after `=`, or none.
    Optional(&'static str),
    /// A value, as often as there are; they are kept as lines.
    Many(&'static str),
}

impl Takes {
    /// The words that it takes, where it takes no others.
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Choice(_, words) | Self::Choices(_, words) => words,
            Self::Nothing | Self::Times | Self::Value(_) | Self::Optional(_) | Self::Many(_) => &[],
        }
    }
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
    /// The same in few words, for `-h`; none = it stands in `--help` alone.
    pub brief: Option<&'static str>,
    /// Group in the help.
    pub heading: &'static str,
}

/// Rows of a table: `"heading" { "flag" -'f' /"alias" ["VARIABLE"] takes, "default", "help", "in few words"; … }`.
macro_rules! settings {
    ($($heading:literal { $($flag:literal $(-$short:literal)? $(/$alias:literal)? [$($variable:literal),*] $takes:expr, $default:literal, $help:literal $(, $brief:literal)?;)* })*) => {
        &[$($(Setting {
            flag: $flag,
            dashed: concat!("--", $flag),
            short: settings!(@option $($short)?),
            alias: settings!(@option $($alias)?),
            variables: &[$($variable),*],
            takes: $takes,
            default: $default,
            help: $help,
            brief: settings!(@option $($brief)?),
            heading: $heading,
        },)*)*]
    };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
}

pub(super) use settings;

use Takes::{Choice, Nothing, Optional, Times, Value};

use crate::plan::{ClientKind, Mode, Order, Work};

pub(super) const MODES: &[&str] = &[
    Mode::Async.as_str(),
    Mode::Thread.as_str(),
    Mode::Process.as_str(),
];
pub(super) const CLIENTS: &[&str] = &[ClientKind::Lean.as_str(), ClientKind::Sdk.as_str()];
pub(super) const WORKS: &[&str] = &[
    Work::None.as_str(),
    Work::Md5.as_str(),
    Work::Sha256.as_str(),
    Work::Crc64nvme.as_str(),
];
pub(super) const ORDERS: &[&str] = &[
    Order::Listed.as_str(),
    Order::LargestFirst.as_str(),
    Order::Shuffled.as_str(),
];
pub(super) const EGRESS: &[&str] = &["none", "internet", "region"];
pub(super) const WHEN: &[&str] = &["auto", "never"];
pub(super) const FORMATS: &[&str] = &["text", "json"];
pub(super) const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// Settings of every subcommand.
pub const EVERYWHERE: &[Setting] = settings! {
    "What you see" {
        "quiet" -'q' [] Nothing, "", "No progress and no notes: the result, warnings and errors alone";
        "verbose" -'v' [] Times, "", "Log lines as well: -v is --log-level info, -vv is debug, -vvv is trace";
        "color" [] Choice("WHEN", &["auto", "always", "never"]), "auto", "Colours: always, never, or auto, where there is a terminal and neither NO_COLOR, CLICOLOR_FORCE nor CLICOLOR=0 says otherwise";
    }
};

/// Settings of `run`.
pub const RUN: &[Setting] = settings! {
    "What to fetch" {
        "bucket" -'b' ["BUCKET_NAME"] Value("NAME"), "", "Source bucket, or s3://bucket/prefix: listed and read, never written";
        "prefix" ["PARFETCH_PREFIX"] Value("PREFIX"), "", "Only keys that begin with this";
        "keys" ["PARFETCH_KEYS"] Value("PATH|s3://…"), "", "Take the keys from a key file or an S3 Inventory's manifest.json instead of listing; with a shard, s3://bucket/folder/ is a folder of key files, one per shard";
        "limit" ["PARFETCH_LIMIT"] Value("N"), "", "Only the first N keys of the listing, which may be unlike the others: --sample takes keys of the whole listing";
        "sample" ["PARFETCH_SAMPLE"] Value("N|SIZE|auto"), "all", "Only a random sample of all keys, in proportion within size classes: N keys, at most SIZE (2GB), or auto (about 5 s, at most 2 GB)", "A random sample of the keys";
        "seed" ["PARFETCH_SEED"] Value("N"), "1", "Seed of --sample: the same keys and seed give the same sample";
        "shard" ["PARFETCH_SHARD"] Value("I/N"), "", "Only the keys whose XXH3-64 modulo N is I (I from 0), or the keys of its own file where --keys names a folder. In an array job of AWS Batch, I is AWS_BATCH_JOB_ARRAY_INDEX and N is PARFETCH_SHARD_COUNT";
        "duration" ["PARFETCH_DURATION"] Value("TIME"), "", "Read the keys again and again until this time has passed", "Read the keys again and again, like 20m";
    }
    "How to fetch" {
        "concurrency" -'c' /"parallelism" ["CONCURRENCY"] Value("N"), "16", "Number of workers: up to 65,535 async, 4,096 thread, 1,024 process", "Number of workers";
        "mode" -'m' ["MODE"] Choice("MODE", MODES), "async", "What a worker is: async (task), thread or process", "async, thread or process";
        "client" ["PARFETCH_CLIENT"] Choice("CLIENT", CLIENTS), "lean", "S3 client: lean (measures the platform) or sdk (measures what a program on aws-sdk-s3 gets)", "lean or sdk";
        "work" ["PARFETCH_WORK"] Choice("WORK", WORKS), "none", "CPU work per object: none, md5, sha256 or crc64nvme";
        "part-size" ["PARFETCH_PART_SIZE"] Value("SIZE"), "", "Fetch larger objects in parts of this size at the same time, each part a separate fetch; at least 1 MiB";
        "order" ["PARFETCH_ORDER"] Choice("ORDER", ORDERS), "listed", "Order of fetching: listed, largest-first or shuffled (always the same shuffle)";
        "attempts" ["PARFETCH_ATTEMPTS"] Value("N"), "5", "Most HTTP attempts per object (or part), 1 to 10";
        "connect-timeout" ["PARFETCH_CONNECT_TIMEOUT"] Value("TIME"), "3s", "Longest time to a connection";
        "stall-timeout" ["PARFETCH_STALL_TIMEOUT"] Value("TIME"), "10s", "Longest time without a byte, and longest time to keep trying a store that refuses connections";
        "timeout" ["PARFETCH_TIMEOUT"] Value("TIME"), "", "Longest time of one fetch, attempts and back-off together";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then", "Another S3 endpoint, such as MinIO";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With your own endpoint: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files";
        "no-sign-request" ["PARFETCH_NO_SIGN_REQUEST"] Nothing, "", "Send requests unsigned (public buckets)";
        "request-payer" ["PARFETCH_REQUEST_PAYER"] Nothing, "", "Pay for requests and transfer of a requester-pays bucket";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
    "Where results go" {
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket, or s3://bucket/folder. Without it and --out, results stay in ./parfetch-results when the source is typed; a source from BUCKET_NAME needs one of them", "Results: a bucket or s3://bucket/folder";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of the results' names in the bucket";
        "out" -'o' ["PARFETCH_OUT"] Value("DIR"), "", "Store the results in this folder as well", "Keep the results in this folder";
        "tag" -'t' ["TAG"] Value("TAG"), "run", "Label in the results' names: [A-Za-z0-9._-], at most 64";
        "spool-dir" ["PARFETCH_SPOOL_DIR"] Value("DIR"), "", "Folder for spool files; default the system's temporary folder";
        "no-overwrite" ["PARFETCH_NO_OVERWRITE"] Nothing, "", "Refuse to replace results of the same name";
        "allow-results-in-source" ["PARFETCH_ALLOW_RESULTS_IN_SOURCE"] Nothing, "", "Allow results under the listed prefix of the source bucket";
    }
    "Embedded server" {
        "embedded" ["PARFETCH_EMBEDDED"] Optional("K=V,…"), "", "Fetch from parfetch's own server on 127.0.0.1; see `parfetch serve --help` for its keys", "Fetch from parfetch's own server";
    }
    "What it may fetch" {
        "dry-run" [] Nothing, "", "List the keys, say what would be fetched, how long it may take and what it costs, and do nothing", "Only show what it would fetch and cost";
        "yes" -'y' ["PARFETCH_YES"] Nothing, "", "Start without a question. Otherwise parfetch asks above 20 GB or $1 from an endpoint that is not on this machine, and a run without a terminal ends";
        "max-bytes" ["PARFETCH_MAX_BYTES"] Value("SIZE"), "", "Fetch up to SIZE (50GB) without a question: more is refused, or, where it is not known beforehand, the run stops there";
    }
    "What you see" {
        "egress" ["PARFETCH_EGRESS"] Choice("WHERE", EGRESS), "none", "Where the bytes go, for the price: none (they stay in the region), internet, or region (another one of AWS)";
        "prices" ["PARFETCH_PRICES"] Value("FILE"), "", "Price list to use instead of the built-in one";
        "progress" ["PARFETCH_PROGRESS"] Choice("WHEN", WHEN), "auto", "auto or never";
        "output" ["PARFETCH_OUTPUT"] Choice("FORMAT", FORMATS), "text", "Summary on stdout as text or json";
        "log-level" ["PARFETCH_LOG_LEVEL"] Choice("LEVEL", LEVELS), "warn", "error, warn, info, debug or trace";
        "log-format" ["PARFETCH_LOG_FORMAT"] Choice("FORMAT", FORMATS), "text", "Lines on stderr as text, or as json: one object per line, including progress and errors";
        "emf" ["PARFETCH_EMF"] Value("NAMESPACE"), "", "Write the figures to stderr at the end, as CloudWatch metrics of this namespace (embedded metric format)";
    }
};

/// Settings of `upload`.
pub const UPLOAD: &[Setting] = settings! {
    "Where results go" {
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket, or s3://bucket/folder, where no S3_URI is given", "A bucket, where no S3_URI is given";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of the results' names in the bucket";
        "no-overwrite" ["PARFETCH_NO_OVERWRITE"] Nothing, "", "Refuse to replace results of the same name", "Refuse to replace results";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then", "Another S3 endpoint, such as MinIO";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With your own endpoint: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer", "AWS region";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files", "Profile of the AWS configuration files";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
};

/// Settings of `serve`.
pub const SERVE: &[Setting] = settings! {
    "Server" {
        "listen" ["PARFETCH_LISTEN"] Value("ADDRESS"), "127.0.0.1:0", "Address and port; port 0 takes a free one", "Address and port";
        "options" ["PARFETCH_SERVE_OPTIONS"] Value("K=V,…"), "", "What the server holds and how it behaves, as after --embedded=", "Objects, network, faults: see --help";
        "results-dir" ["PARFETCH_RESULTS_DIR"] Value("DIR"), "./parfetch-results", "Folder of the bucket `results`", "Results";
        "threads" ["PARFETCH_SERVE_THREADS"] Value("N"), "1", "Threads that serve";
        "tls-cert" ["PARFETCH_TLS_CERT"] Value("FILE"), "", "Serve https with this PEM certificate chain", "Serve https with this certificate";
        "tls-key" ["PARFETCH_TLS_KEY"] Value("FILE"), "", "Private key of --tls-cert";
        "anonymous" ["PARFETCH_ANONYMOUS"] Nothing, "", "Answer unsigned requests too", "Answer unsigned requests too";
        "access-key" ["PARFETCH_SERVE_ACCESS_KEY"] Value("KEY"), "", "Access key to take instead of a random one; its secret comes from PARFETCH_SERVE_SECRET_KEY";
    }
};

/// What parfetch is.
pub(super) const ABOUT: &str =
    "Find the vCPUs, mode and number of workers that read your bucket best";

/// Examples below `parfetch -h`.
pub(super) const BRIEF_EXAMPLES: &str = "\
Examples:
  parfetch run --embedded                 try it: no S3 needed
  parfetch sweep s3://images -c 1..64     which size, mode and workers?

`parfetch COMMAND -h` shows what matters most, `--help` explains everything.";

/// Examples below `parfetch --help`.
pub(super) const EXAMPLES: &str = "\
Examples:
  parfetch run --embedded                                     try it: no S3 needed
  BUCKET_NAME=images RESULT_BUCKET_NAME=results parfetch      as a container does
  parfetch s3://images/2024/ -r s3://results                  results in another bucket
  parfetch s3://images -o ./out -m thread -c 32               32 threads, results in a folder
  parfetch upload ./out s3://results/laptop                   store local results
  parfetch report ./out                                       what the results say
  parfetch compare ./before ./after                           whether anything changed
  parfetch sweep --embedded --vcpu 0.5,1 -c 1..16             which size, mode and number of workers?
  parfetch submit --stack parfetch --shards 8 --dry-run       a bucket too large for one task

`parfetch run --help` shows every setting. Without a subcommand, parfetch runs `run`.
Exit codes: 0 good · 1 unexpected · 2 usage · 3 some fetches failed · 4 set-up · 5 results not stored · 6 compare --fail-over · 130/143 interrupted";

/// What `run` does.
pub(super) const RUN_ABOUT: &str =
    "Fetch every object of a bucket, measure it, write CSV and summary";

/// Examples below `run -h`.
pub(super) const RUN_BRIEF: &str = "\
Examples:
  parfetch run --embedded
  parfetch run s3://images/2024/ -r s3://results -c 64 -m thread";

/// Examples below `run --help`.
pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  parfetch run --embedded=objects=2000,size=2.5MiB,network=s3 -c 16 -m process
  parfetch run s3://images -r s3://results -c 64 --client sdk
  parfetch run s3://images/2024/ -o ./out --sample 10000
  parfetch run s3://images -r s3://results --duration 20m             a sustained rate
  parfetch run s3://images -r s3://results --part-size 8MiB --order largest-first     a shorter tail
  AWS_ENDPOINT_URL=http://127.0.0.1:9000 parfetch run s3://images -r s3://results/laptop

A flag wins over its variable; an empty variable means unset.";

/// What `upload` does.
pub(super) const UPLOAD_ABOUT: &str = "Store results of a folder in a bucket";

/// Examples below `upload -h`.
pub(super) const UPLOAD_BRIEF: &str = "\
Examples:
  parfetch upload ./parfetch-results s3://results
  parfetch upload ./parfetch-results s3://results/laptop";

/// Examples below `upload --help`.
pub(super) const UPLOAD_EXAMPLES: &str = "\
Examples:
  parfetch upload ./parfetch-results s3://results
  RESULT_BUCKET_NAME=results parfetch upload ./parfetch-results";

/// What `serve` does.
pub(super) const SERVE_ABOUT: &str = "Start an S3 endpoint on this machine, for trying and testing";

/// Examples below `serve -h`.
pub(super) const SERVE_BRIEF: &str = "\
Examples:
  parfetch serve --options objects=100000,size=16KiB
  parfetch serve --listen 127.0.0.1:9000 --options network=s3";

/// Examples below `serve --help`.
pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  parfetch serve --options objects=100000,size=16KiB
  parfetch serve --listen 127.0.0.1:9000 --options network=s3,fault-slowdown=0.02

Keys of --options (and of `run --embedded=`):
  objects=1000 size=256KiB sizes=fixed|lognormal seed=1 keys=plain|awkward prefixes=… page=1000 archived=0
  ttfb=0ms ttfb-p99=… conn-rate=… total-rate=… request-rate=… list-delay=… network=none|s3
  fault-reset= fault-stall= fault-short= fault-500= fault-slowdown= fault-expired= fault-missing=   (0 to 1, share of GETs)";

/// Settings of `man`.
pub(super) const MAN: &[Setting] = settings! {
    "Where it goes" {
        "out" -'o' [] Value("DIR"), "", "Write every page into this folder instead of one to stdout", "Write every page into this folder";
    }
};

/// What `completions` does.
pub(super) const COMPLETIONS_ABOUT: &str = "Print completions for a shell";

/// Examples below `completions --help`.
pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(parfetch completions bash)                 in ~/.bashrc
  parfetch completions zsh > \"${fpath[1]}/_parfetch\"
  parfetch completions fish > ~/.config/fish/completions/parfetch.fish";

/// What `man` does.
pub(super) const MAN_ABOUT: &str = "Print a page of the manual, or write all of them into a folder";

/// Examples below `man --help`.
pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  parfetch man run | man -l -
  parfetch man --out ~/.local/share/man/man1";
