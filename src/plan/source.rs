//! What a run reads from.

/// What a run reads from: where its objects are.
///
/// Matched where it is opened (`run::source`), where a plan is checked (`settings`) and where a person or a summary reads of it. A new kind of source
/// is a variant here: the compiler then names these places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectSource {
    /// A bucket, by its name.
    Bucket(String),
}

impl ObjectSource {
    pub fn bucket(&self) -> &str {
        match self {
            Self::Bucket(name) => name,
        }
    }

    /// `s3://bucket/prefix`
    pub fn uri(&self, prefix: &str) -> String {
        match self {
            Self::Bucket(name) => format!("s3://{name}/{prefix}"),
        }
    }
}
