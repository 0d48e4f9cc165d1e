//! The settings of `fill` and what its help says.

use super::setting::Takes::{Nothing, Value};
use super::setting::{Setting, settings, tables};
use super::shared::{
    CA_BUNDLE, ENDPOINT_URL, PRICES, PROFILE, PROGRESS, REGION, REQUEST_PAYER, VIRTUAL_HOST,
};

/// Settings of `fill`.
pub const FILL: &[Setting] = tables![
    settings! {
    "Made objects" {
        "objects" -'n' [] Value("N"), "1000", "Number of objects to make, up to 10,000,000", "Objects to make";
        "size" [] Value("SIZE"), "256KiB", "Size of each (2.5MiB), or lognormal:MEDIAN or lognormal:MEDIAN,SIGMA (lognormal:256KiB,1.0) for sizes that vary", "Size of each, or lognormal";
        "seed" [] Value("N"), "1", "Seed of sizes and bytes, or of --sample: the same command makes the same objects";
    }
    "Copied objects" {
        "from" [] Value("S3_URI"), "", "Copy objects of s3://bucket/prefix instead, on the store's side, under their whole keys", "Copy objects of s3://bucket/prefix";
        "sample" [] Value("N|SIZE|auto|all"), "2000", "Which of them: N random keys in proportion within size classes, at most SIZE (2GB), auto (at most 2 GB), or all", "Which of them";
    }
    "Before and while" {
        "dry-run" [] Nothing, "", "Show what would be stored and what it would cost, and store nothing", "Only show what it would store and cost";
        "yes" -'y' ["PARFETCH_YES"] Nothing, "", "Start without a question. Otherwise parfetch asks above 1 GB or $1, and ends where there is no terminal", "Start without asking";
        "create-bucket" [] Nothing, "", "Create the bucket if it does not exist", "Create the bucket if it does not exist";
        "concurrency" -'c' [] Value("N"), "16", "Objects to store at once, 1 to 256", "Objects at once";
    }
    },
    &[
        ENDPOINT_URL,
        VIRTUAL_HOST,
        REGION,
        PROFILE,
        REQUEST_PAYER.help("Pay for requests to a requester-pays bucket"),
        CA_BUNDLE,
        PRICES,
        PROGRESS,
    ],
];

pub(super) const FILL_ABOUT: &str = "Fill a bucket with objects to try with";

/// Examples below `fill -h`.
pub(super) const FILL_BRIEF: &str = "\
Examples:
  parfetch fill s3://bench/ --objects 2000 --size 2.5MiB
  parfetch fill s3://bench/ --from s3://images/2024/ --sample 2000";

/// Examples below `fill --help`.
pub(super) const FILL_EXAMPLES: &str = "\
Examples:
  parfetch fill s3://bench/ --objects 2000 --size 2.5MiB
  parfetch fill s3://bench/ -n 5000 --size lognormal:256KiB,1.2 --create-bucket
  parfetch fill s3://bench/ --from s3://images/2024/ --sample 2000 --dry-run

fill replaces no object, and continues where the same command was interrupted.
Exit codes: 0 good · 2 usage, or nothing may be stored (--yes) · 3 nothing to copy, or originals missing · 4 set-up, or an object is in the \
way · 130/143 interrupted";
