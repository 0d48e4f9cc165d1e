//! An S3 Inventory as the list of keys, through its `manifest.json`: CSV data files, checked against their MD5.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use md5::{Digest, Md5};
use serde::Deserialize;

use super::error::ListError;
use super::keyfile::off_thread;
use super::pick::Picker;
use crate::sample::KeyRecord;
use crate::store::Bucket;

/// What to try when an inventory cannot be used.
const HINT: &str = "--keys takes the manifest.json of a CSV inventory of the source bucket";

/// The part of a `manifest.json` that is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InventoryManifest {
    source_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<DataFile>,
}

#[derive(Debug, Deserialize)]
struct DataFile {
    key: String,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

/// Reads manifest and data files out of `holder`, the bucket that has the inventory of the source bucket.
pub(super) async fn read(
    holder: &mut Bucket,
    key: &str,
    (spool, source): (&Path, &str),
    mut picker: Picker,
) -> Result<Picker, ListError> {
    let path = spool.join("inventory");
    let document = holder.read_document(key).await?;
    let wrong = |what: String| {
        ListError::Wrong(
            format!("inventory manifest s3://{}/{key}: {what}", holder.name()),
            HINT,
        )
    };
    let manifest: InventoryManifest =
        serde_json::from_slice(&document).map_err(|error| wrong(error.to_string()))?;
    if manifest.file_format != "CSV" {
        return Err(wrong(format!(
            "its format is {}; only CSV is read",
            manifest.file_format
        )));
    }
    if manifest.source_bucket != source {
        return Err(wrong(format!(
            "it is of bucket {}, not of {source}",
            manifest.source_bucket
        )));
    }
    let columns = Columns::of(&manifest.file_schema)
        .ok_or_else(|| wrong("its schema has no column Key".to_owned()))?;
    for DataFile { key, md5 } in &manifest.files {
        holder.read_to_file(key, &path).await?;
        let (file, md5) = (path.clone(), md5.clone());
        let read = move |picker: &mut Picker| {
            if !md5_of(&file)
                .map_err(ListError::Spool)?
                .eq_ignore_ascii_case(&md5)
            {
                return Err(ListError::Wrong(
                    "its MD5 is not the manifest's".to_owned(),
                    HINT,
                ));
            }
            rows(&file, columns, picker)
        };
        let read = off_thread(picker, read)
            .await
            .map_err(|error| error.within(&format!("inventory file {}", holder.uri(key)), HINT));
        let wanted;
        (picker, wanted) = read?;
        if !wanted {
            break;
        }
    }
    Ok(picker)
}

/// Where the wanted columns stand: inventory files have no header.
#[derive(Clone, Copy)]
struct Columns {
    key: usize,
    size: Option<usize>,
    etag: Option<usize>,
    storage_class: Option<usize>,
    latest: Option<usize>,
    deleted: Option<usize>,
}

impl Columns {
    fn of(schema: &str) -> Option<Self> {
        let at = |name: &str| schema.split(',').position(|column| column.trim() == name);
        Some(Self {
            key: at("Key")?,
            size: at("Size"),
            etag: at("ETag"),
            storage_class: at("StorageClass"),
            latest: at("IsLatest"),
            deleted: at("IsDeleteMarker"),
        })
    }
}

/// False when no more keys are wanted.
fn rows(path: &Path, columns: Columns, picker: &mut Picker) -> Result<bool, ListError> {
    let file = BufReader::new(File::open(path).map_err(ListError::Spool)?);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(MultiGzDecoder::new(file));
    for row in reader.records() {
        picker.check_cancelled()?;
        let row = row.map_err(|error| ListError::Wrong(error.to_string(), HINT))?;
        let field = |column: Option<usize>| {
            column
                .and_then(|column| row.get(column))
                .unwrap_or_default()
        };
        if field(columns.latest) == "false" || field(columns.deleted) == "true" {
            continue;
        }
        // Keys are URL-encoded, as in a listing: `+` is a space.
        let key = field(Some(columns.key)).replace('+', " ");
        let key = percent_encoding::percent_decode_str(&key)
            .decode_utf8()
            .map_err(|_| ListError::Wrong(format!("the key {key} is not UTF-8"), HINT))?
            .into_owned();
        let record = KeyRecord {
            key,
            size: field(columns.size).parse().ok(),
            etag: field(columns.etag).to_owned(),
            storage_class: field(columns.storage_class).to_owned(),
        };
        if !picker.take(&record)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn md5_of(path: &Path) -> io::Result<String> {
    let mut file = BufReader::new(File::open(path)?);
    let mut digest = Md5::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(hex::encode(digest.finalize()))
}
