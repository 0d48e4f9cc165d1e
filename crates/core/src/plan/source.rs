//! What a run reads from.

use super::http_source::HttpSource;

/// What a run reads from: where its objects are.
///
/// Matched here and where it is opened (`run::source`): a new kind of source is a variant, and the compiler then names these places. What holds for
/// buckets alone asks [`ObjectSource::is_bucket`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectSource {
    /// A bucket, by its name.
    Bucket(String),
    /// A web server.
    Http(Box<HttpSource>),
}

impl ObjectSource {
    /// The bucket; empty where it is none.
    pub fn bucket(&self) -> &str {
        match self {
            Self::Bucket(name) => name,
            Self::Http(_) => "",
        }
    }

    /// Whether it is a bucket: requests are signed, and have a region and a price.
    pub fn is_bucket(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }

    /// Whether AWS is asked for what there is to fetch.
    pub fn needs_aws(&self) -> bool {
        match self {
            Self::Bucket(_) => true,
            Self::Http(http) => http.needs_aws(),
        }
    }

    /// The web server, where it is one.
    pub fn http(&self) -> Option<&HttpSource> {
        match self {
            Self::Bucket(_) => None,
            Self::Http(http) => Some(http),
        }
    }

    /// `s3://bucket/prefix`, `http://127.0.0.1:8000/a and 2 others`
    pub fn uri(&self, prefix: &str) -> String {
        match self {
            Self::Bucket(name) => format!("s3://{name}/{prefix}"),
            Self::Http(http) => http.shown(),
        }
    }

    /// So many fetches, round and round what there is; `None` = each once, or until a time has passed.
    pub fn requests(&self) -> Option<u64> {
        self.http()?.requests.map(std::num::NonZeroU64::get)
    }

    /// What a list of it has.
    pub fn entry(&self) -> &'static str {
        match self {
            Self::Bucket(_) => "key",
            Self::Http(_) => "URL",
        }
    }

    /// What is fetched, in the plural.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Bucket(_) => "objects",
            Self::Http(_) => "requests",
        }
    }
}
