//! The settings of `doctor` and what its help says.

use super::table::Takes::{Choice, Nothing, Value};
use super::table::{EGRESS, FORMATS, Setting, settings};

/// Settings of `doctor`.
pub const DOCTOR: &[Setting] = settings! {
    "What to check" {
        "bucket" -'b' ["BUCKET_NAME"] Value("NAME"), "", "Source bucket, where no s3://… is given";
        "prefix" ["PARFETCH_PREFIX"] Value("PREFIX"), "", "Prefix of its keys";
        "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket: an object is stored there and removed again", "Results: a bucket or s3://bucket/folder";
        "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Prefix of the results";
        "out" -'o' ["PARFETCH_OUT"] Value("DIR"), "", "Folder of the results: a file is written there and removed again", "Folder of the results";
        "stack" ["PARFETCH_STACK"] Value("NAME"), "", "CloudFormation stack of a sweep on Fargate; the quota of Fargate is checked with it", "The stack of infra/template.yaml";
    }
    "How to reach S3" {
        "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then", "Another S3 endpoint, such as MinIO";
        "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With your own endpoint: bucket.host/key instead of host/bucket/key";
        "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer";
        "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files", "Profile of the AWS configuration files";
        "no-sign-request" ["PARFETCH_NO_SIGN_REQUEST"] Nothing, "", "Send requests unsigned (public buckets)";
        "request-payer" ["PARFETCH_REQUEST_PAYER"] Nothing, "", "Pay for requests and transfer of a requester-pays bucket";
        "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
    "What you see" {
        "egress" ["PARFETCH_EGRESS"] Choice("WHERE", EGRESS), "internet", "Where the bytes of a sweep go, for its price: none (they stay in the region), internet, or region (another one of AWS)";
        "prices" ["PARFETCH_PRICES"] Value("FILE"), "", "Price list to use instead of the built-in one";
        "output" ["PARFETCH_OUTPUT"] Choice("FORMAT", FORMATS), "text", "The list on stdout as text or json", "text or json";
    }
};

/// What `doctor` does.
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

Every check has a time limit; all of them end within seconds.
Exit codes: 0 nothing would stop a run · 2 usage · 4 something would stop a run";
