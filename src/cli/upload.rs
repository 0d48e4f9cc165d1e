//! The settings of `upload` and what its help says.

use super::setting::Setting;
use super::shared::{
    CA_BUNDLE, ENDPOINT_URL, NO_OVERWRITE, PROFILE, REGION, RESULT_BUCKET, RESULT_PREFIX,
    VIRTUAL_HOST,
};

/// Settings of `upload`.
pub const UPLOAD: &[Setting] = &[
    RESULT_BUCKET
        .help("Results bucket, or s3://bucket/folder, where no S3_URI is given")
        .brief("A bucket, where no S3_URI is given"),
    RESULT_PREFIX,
    NO_OVERWRITE.brief("Refuse to replace results"),
    ENDPOINT_URL,
    VIRTUAL_HOST,
    REGION.brief("AWS region"),
    PROFILE.brief("Profile of the AWS configuration files"),
    CA_BUNDLE,
];

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
