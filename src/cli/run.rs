//! The settings of `run`, and what the help says of it and of parfetch.

use super::setting::Takes::{Nothing, Value};
use super::setting::{Setting, settings, tables};
use super::shared::{
    BUCKET, CLIENT, CONCURRENCY, DURATION, EACH_FETCH, EACH_REQUEST, EGRESS_TO, EMBEDDED, KEYS,
    LIMIT, LIMITS, LOG_FORMAT, LOG_LEVEL, MODE, NO_OVERWRITE, OUT, OUTPUT, PREFIX, PRICES,
    PROGRESS, REQUESTS, RESULT_BUCKET, RESULT_PREFIX, SPOOL_DIR, TAG, TO_SOURCE, URLS,
};

/// Settings of `run`.
pub const RUN: &[Setting] = tables![
    &[
        BUCKET,
        PREFIX,
        KEYS.help("Take the keys from a key file or an S3 Inventory's manifest.json instead of listing; with a shard, s3://bucket/folder/ is a folder of key files, one per shard"),
        LIMIT.help("Only the first N keys of the listing, which may be unlike the others: --sample takes keys of the whole listing"),
    ],
    settings! {
        "What to fetch" {
            "sample" ["PARFETCH_SAMPLE"] Value("N|SIZE|auto"), "all", "Only a random sample of all keys, in proportion within size classes: N keys, at most SIZE (2GB), or auto (about 5 s, at most 2 GB)", "A random sample of the keys";
            "seed" ["PARFETCH_SEED"] Value("N"), "1", "Seed of --sample: the same keys and seed give the same sample";
            "shard" ["PARFETCH_SHARD"] Value("I/N"), "", "Only the keys whose XXH3-64 modulo N is I (I from 0), or the keys of its own file where --keys names a folder. In an array job of AWS Batch, I is AWS_BATCH_JOB_ARRAY_INDEX; in an Indexed Job of Kubernetes, JOB_COMPLETION_INDEX. N is PARFETCH_SHARD_COUNT";
        }
    },
    &[
        URLS,
        REQUESTS,
        DURATION.brief("Read the keys again and again, like 20m"),
        CONCURRENCY,
        MODE,
        CLIENT,
    ],
    &EACH_FETCH,
    &LIMITS,
    &EACH_REQUEST,
    TO_SOURCE,
    &[
        RESULT_BUCKET
            .help("Results bucket, or s3://bucket/folder. Without it and --out, results stay in ./parfetch-results when the source is typed; a source from BUCKET_NAME needs one of them")
            .brief("Results: a bucket or s3://bucket/folder"),
        RESULT_PREFIX,
        OUT.help("Store the results in this folder, and in the results bucket if one is given")
            .brief("Keep the results in this folder"),
        TAG,
        SPOOL_DIR,
        NO_OVERWRITE,
    ],
    settings! {
        "Where results go" {
            "allow-results-in-source" ["PARFETCH_ALLOW_RESULTS_IN_SOURCE"] Nothing, "", "Allow results under the listed prefix of the source bucket";
        }
    },
    &[EMBEDDED.under("Embedded server")],
    settings! {
        "What it may fetch" {
            "dry-run" [] Nothing, "", "List the keys, say what would be fetched, how long it may take and what it costs, and do nothing", "Only show what it would fetch and cost";
            "yes" -'y' ["PARFETCH_YES"] Nothing, "", "Start without a question. Otherwise parfetch asks above 20 GB or $1 from an endpoint that is not on this machine, and a run without a terminal ends";
            "max-bytes" ["PARFETCH_MAX_BYTES"] Value("SIZE"), "", "Fetch up to SIZE (50GB) without a question: more is refused, or, where it is not known beforehand, the run stops there";
            "run-timeout" ["PARFETCH_RUN_TIMEOUT"] Value("TIME"), "", "Longest time of the whole run: then it stops as by SIGTERM, stores what it has, and ends with exit code 143. For a task that has to end by itself";
        }
    },
    &[
        EGRESS_TO,
        PRICES,
        PROGRESS,
        OUTPUT,
        LOG_LEVEL,
        LOG_FORMAT.help("Lines on stderr as text, or as json: one object per line, including progress and errors"),
    ],
    settings! {
        "What you see" {
            "emf" ["PARFETCH_EMF"] Value("NAMESPACE"), "", "Write the figures to stderr at the end, as CloudWatch metrics of this namespace (embedded metric format)";
        }
    },
];

/// What parfetch is.
pub(super) const ABOUT: &str =
    "Find the vCPUs, mode and number of workers that read your bucket best";

/// What `parfetch` says when nothing is typed or set.
pub const WELCOME: &str = "\
Measures how fast your S3 bucket can be read: which vCPUs, mode and number of
workers are best, how long the whole bucket takes, and what it costs on Fargate.

  parfetch run --embedded                  try it: no S3 needed
  parfetch doctor s3://images              check that your bucket can be read
  parfetch tune s3://images --dry-run      what a measurement reads and costs

`parfetch -h` lists all commands.
";

/// Examples below `parfetch -h`.
pub(super) const BRIEF_EXAMPLES: &str = "\
Examples:
  parfetch run --embedded                 try it: no S3 needed
  parfetch tune s3://images               which size, mode and workers?

`parfetch COMMAND -h` shows what matters most, `--help` explains everything.";

/// Examples below `parfetch --help`.
pub(super) const EXAMPLES: &str = "\
Examples:
  parfetch run --embedded                           try it: no S3 needed
  BUCKET_NAME=images RESULT_BUCKET_NAME=results parfetch
                                                    as a container does
  parfetch s3://images/2024/ -r s3://results        results in another bucket
  parfetch s3://images -o ./out -m thread -c 32     32 threads, a folder
  parfetch http://127.0.0.1:8000/ -n 1000 -c 50     a web server, not a bucket
  parfetch upload ./out s3://results/laptop         store local results
  parfetch report ./out                             what the results say
  parfetch compare ./before ./after                 whether anything changed
  parfetch tune s3://images                         the best configuration
  parfetch sweep --embedded --vcpu 0.5,1 -c 1..16   every configuration
  parfetch submit --stack parfetch -n 8 --dry-run   too large for one task

`parfetch run --help` shows every setting. Without a subcommand, parfetch runs `run`.
Exit codes: 0 good · 1 unexpected · 2 usage · 3 some fetches failed · 4 set-up · 5 results not stored · 6 compare --fail-over · 130/143 \
interrupted";

pub(super) const RUN_ABOUT: &str =
    "Fetch every object of a bucket, or request URLs, measure it, write CSV and summary";

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
  parfetch run s3://images -r s3://results --duration 20m   a sustained rate
  parfetch run s3://images --part-size 8MiB --order largest-first
                                                            a shorter tail
  parfetch run http://127.0.0.1:8000/items -n 1000 -c 50    a web server
  parfetch run --urls urls.txt -X POST -D body.json -H accept:text/html
  AWS_ENDPOINT_URL=http://127.0.0.1:9000 parfetch run s3://images -o ./out

A flag wins over its variable; an empty variable means unset.";
