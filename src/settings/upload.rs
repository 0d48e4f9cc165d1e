//! What `upload` was asked for.

use std::path::PathBuf;

use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::source::{access, bucket_name};
use crate::cli::Raw;
use crate::exit::Failure;
use crate::plan::{Access, S3Uri};

/// What `upload` was asked for.
#[derive(Clone, Debug)]
pub struct UploadSettings {
    /// The folder.
    pub dir: PathBuf,
    /// Where its files go: bucket and prefix.
    pub target: S3Uri,
    /// Refuse to replace.
    pub no_overwrite: bool,
    /// How S3 is reached.
    pub access: Access,
}

/// The settings of `upload`.
pub fn upload(raw: &Raw) -> Result<UploadSettings, Failure> {
    let reader = SettingReader(raw);
    let mut notes = Notes::default();
    if raw.words.is_empty() {
        notes.lacks(usage(
            "no folder is given",
            "parfetch upload DIR s3://bucket",
        ));
    }
    let bucket = raw
        .get("result-bucket")
        .map(|given| bucket_name(given, "--result-prefix goes in front of the results' names"))
        .transpose()?;
    if bucket.is_none() {
        notes.lacks(usage(
            "no results bucket is given",
            "parfetch upload DIR s3://bucket, or set RESULT_BUCKET_NAME",
        ));
    }
    let settings = UploadSettings {
        dir: raw.words.first().map(PathBuf::from).unwrap_or_default(),
        target: S3Uri {
            bucket: bucket.unwrap_or_default(),
            key: reader.text("result-prefix").unwrap_or_default(),
        },
        no_overwrite: reader.switch("no-overwrite")?,
        access: access(raw)?,
    };
    notes.settled().map(|_none| settings)
}
