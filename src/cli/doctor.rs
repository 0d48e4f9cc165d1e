//! The settings of `doctor` and what its help says.

use super::setting::Setting;
use super::shared::{
    BUCKET, CA_BUNDLE, CLUSTER, EGRESS_TO, ENDPOINT_URL, NO_SIGN_REQUEST, OUT, OUTPUT, PREFIX,
    PRICES, PROFILE, REGION, REQUEST_PAYER, RESULT_BUCKET, RESULT_PREFIX, STACK, VIRTUAL_HOST,
};

const CHECKED: &str = "What to check";

/// Settings of `doctor`.
pub const DOCTOR: &[Setting] = &[
    BUCKET
        .help("Source bucket, where no s3://… is given")
        .under(CHECKED),
    PREFIX.help("Prefix of its keys").under(CHECKED),
    RESULT_BUCKET
        .help("Results bucket: an object is stored there and removed again")
        .brief("Results: a bucket or s3://bucket/folder")
        .under(CHECKED),
    RESULT_PREFIX.help("Prefix of the results").under(CHECKED),
    OUT.help("Folder of the results: a file is written there and removed again")
        .brief("Folder of the results")
        .under(CHECKED),
    STACK
        .help("CloudFormation stack of a sweep on Fargate; the quota of Fargate is checked with it")
        .under(CHECKED),
    CLUSTER
        .help("The same without a stack: cluster of a sweep on Fargate (infra/terraform)")
        .under(CHECKED),
    ENDPOINT_URL,
    VIRTUAL_HOST,
    REGION,
    PROFILE.brief("Profile of the AWS configuration files"),
    NO_SIGN_REQUEST,
    REQUEST_PAYER,
    CA_BUNDLE,
    EGRESS_TO
        .default("internet")
        .help("Where the bytes of a sweep go, for its price: none (they stay in the region), internet, or region (another one of AWS)"),
    PRICES,
    OUTPUT
        .help("The list on stdout as text or json")
        .brief("text or json"),
];

pub(super) const DOCTOR_ABOUT: &str = "Check what would stop a run here";

/// Examples below `doctor -h`.
pub(super) const DOCTOR_BRIEF: &str = "\
Examples:
  parfetch doctor s3://images
  parfetch doctor s3://images/2024/ -r s3://results";

/// Examples below `doctor --help`.
pub(super) const DOCTOR_EXAMPLES: &str = "\
Examples:
  parfetch doctor s3://images
  parfetch doctor s3://images/2024/ -r s3://results
  parfetch doctor s3://images --stack parfetch --output json
  parfetch doctor $(terraform output -raw doctor)   for infra/terraform

Every check has a time limit; all of them end within seconds.
Exit codes: 0 nothing would stop a run · 2 usage · 4 something would stop a run";
