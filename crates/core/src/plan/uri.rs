//! A place in a bucket, as `s3://bucket/key`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names;

/// What to do where results would be listed as objects of the source.
pub const RESULTS_ELSEWHERE: &str =
    "use another results bucket, or a folder that the source does not list: -r s3://bucket/folder";

/// `s3://bucket/key` (the key may be empty).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct S3Uri {
    /// The bucket.
    pub bucket: String,
    /// The key or key prefix, without the slash that follows the bucket.
    pub key: String,
}

impl S3Uri {
    /// Whether a listing of `prefix` has what is stored under `name` behind this one.
    pub fn is_listed_with(&self, name: &str, prefix: &Self) -> bool {
        self.bucket == prefix.bucket && format!("{}{name}", self.key).starts_with(&prefix.key)
    }
}

impl FromStr for S3Uri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| format!("`{text}` does not begin with s3://"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(format!("`{text}` names no bucket"));
        }
        names::check_bucket(bucket)
            .map_err(|wrong| format!("the bucket {}; {}", wrong.what, wrong.hint))?;
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_uri_splits_at_the_first_slash() {
        let uri: S3Uri = "s3://b/a//c".parse().unwrap();
        assert_eq!((uri.bucket.as_str(), uri.key.as_str()), ("b", "a//c"));
        assert_eq!("s3://b".parse::<S3Uri>().unwrap().key, "");
        assert!("s3:///x".parse::<S3Uri>().is_err());
        assert!("http://b".parse::<S3Uri>().is_err());
    }
}
