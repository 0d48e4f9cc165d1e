//! The results bucket: objects as files of a folder, put whole or not at all. User metadata lasts as long as the server; an `ETag` tells versions of a
//! file apart, no more.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use s3s::checksum::ChecksumHasher;
use s3s::dto::{ETag, ETagCondition, StreamingBlob, Timestamp};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3Result, StdError, TrailingHeaders, s3_error};
use tempfile::NamedTempFile;

use super::error::ServerError;
use super::listing::SortedKeys;
use super::path;

/// Begins the names of the hidden files in which uploads wait; no key's name begins so.
const STAGING: &str = ".parfetch-";

/// Bytes read from a file at once.
const READ: u64 = 256 << 10;

/// Whether an object may replace one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overwrite {
    Yes,
    /// `If-None-Match: *`.
    No,
}

/// The folder of the results bucket. Files are read and written on the spot: results are stored outside of what is measured.
pub(super) struct ResultsBucket {
    folder: PathBuf,
    /// Held while an object gets its name: user metadata by key.
    naming: Mutex<HashMap<String, UserMetadata>>,
}

/// What a client says of its object.
pub(super) type UserMetadata = s3s::dto::Metadata;

/// What a received file becomes.
pub(super) struct NamedObject<'a> {
    pub(super) key: &'a str,
    pub(super) replace: Overwrite,
    /// `If-Match`: the object that it may replace.
    pub(super) over: Option<ETagCondition>,
    pub(super) metadata: Option<UserMetadata>,
}

pub(super) struct StoredObject {
    file: File,
    pub(super) size: u64,
    pub(super) tag: ETag,
    pub(super) modified: Timestamp,
    pub(super) metadata: Option<UserMetadata>,
}

/// Every stored key, in order, with its file's facts.
pub(super) struct ListedObject(pub(super) Vec<(String, Metadata)>);

impl ResultsBucket {
    /// The folder, made when it is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, ServerError> {
        let results = Self {
            folder: folder.to_owned(),
            naming: Mutex::default(),
        };
        let failed = |cause| ServerError::ResultsFolder {
            path: results.folder.clone(),
            cause,
        };
        // The file proves that the folder can be written to.
        fs::create_dir_all(&results.folder)
            .and_then(|()| results.unnamed())
            .map_err(failed)?;
        Ok(results)
    }

    /// A file that waits for its key, and goes if it gets none.
    fn unnamed(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(STAGING)
            .tempfile_in(&self.folder)
    }

    /// Takes a body in, checks what was declared of it, and leaves it as an unnamed file.
    pub(super) async fn receive(
        &self,
        mut body: StreamingBlob,
        mut declared: Declared,
    ) -> S3Result<NamedTempFile> {
        let mut file = self.unnamed().map_err(disk)?;
        while let Some(bytes) = body.next().await {
            let bytes = bytes
                .map_err(|error| S3Error::with_source(s3s::S3ErrorCode::IncompleteBody, error))?;
            declared.hasher.update(&bytes);
            file.write_all(&bytes).map_err(disk)?;
        }
        declared.check()?;
        Ok(file)
    }

    /// Joins files into one that waits for its key.
    pub(super) fn joined(&self, parts: &[PathBuf]) -> S3Result<NamedTempFile> {
        let mut whole = self.unnamed().map_err(disk)?;
        for part in parts {
            io::copy(&mut File::open(part).map_err(disk)?, whole.as_file_mut()).map_err(disk)?;
        }
        Ok(whole)
    }

    /// Gives a received file its key.
    pub(super) fn store(&self, file: NamedTempFile, named: NamedObject<'_>) -> S3Result<ETag> {
        let NamedObject {
            key,
            replace,
            over,
            metadata,
        } = named;
        let mut naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let there = path::existing(&self.folder, key);
        let is_refused = match (over, there) {
            (Some(_), None) => return Err(super::source::no_such_key()),
            (Some(ETagCondition::ETag(wanted)), Some(there)) => {
                !wanted.weak_cmp(&tag(&there.metadata().map_err(disk)?))
            }
            (_, there) => replace == Overwrite::No && there.is_some(),
        };
        if is_refused {
            return Err(s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold"
            ));
        }
        let path = path::make_room(&self.folder, key).map_err(disk)?;
        let file = file.persist(path).map_err(|error| disk(error.error))?;
        // A file from a temporary place is its owner's alone; results are read by whoever may read the folder.
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .map_err(disk)?;
        let tag = tag(&file.metadata().map_err(disk)?);
        // What an earlier object of the key had does not describe this one.
        naming.remove(key);
        naming.extend(metadata.map(|metadata| (key.to_owned(), metadata)));
        Ok(tag)
    }

    pub(super) fn find(&self, key: &str) -> S3Result<StoredObject> {
        let path = path::existing(&self.folder, key).ok_or_else(super::source::no_such_key)?;
        let file = File::open(path).map_err(disk)?;
        let metadata = file.metadata().map_err(disk)?;
        let own = self
            .naming
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned();
        Ok(StoredObject {
            file,
            size: metadata.len(),
            tag: tag(&metadata),
            modified: modified(&metadata),
            metadata: own,
        })
    }

    /// Deletes an object; one that is not there is deleted already.
    pub(super) fn delete(&self, key: &str) -> S3Result<()> {
        let mut naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        naming.remove(key);
        let Some(path) = path::existing(&self.folder, key) else {
            return Ok(());
        };
        fs::remove_file(&path).map_err(disk)?;
        // Folders are no objects: they go with their last one.
        let above = path
            .ancestors()
            .skip(1)
            .take_while(|above| *above != self.folder);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Every key.
    pub(super) fn list(&self) -> S3Result<ListedObject> {
        let mut found = Vec::new();
        collect(&self.folder, &mut Vec::new(), &mut found).map_err(disk)?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(ListedObject(found))
    }
}

fn collect(
    folder: &Path,
    parts: &mut Vec<String>,
    found: &mut Vec<(String, Metadata)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') && parts.is_empty() {
            continue;
        }
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Deleted since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        parts.push(name);
        if metadata.is_dir() {
            collect(&entry.path(), parts, found)?;
        } else if let Some(key) = path::key(parts) {
            found.push((key, metadata));
        }
        parts.pop();
    }
    Ok(())
}

impl SortedKeys for ListedObject {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn lower_bound(&self, bound: &[u8]) -> u64 {
        self.0.partition_point(|(key, _)| key.as_bytes() < bound) as u64
    }

    fn key(&self, index: u64) -> String {
        self.0[usize::try_from(index).expect("below the length")]
            .0
            .clone()
    }
}

impl StoredObject {
    /// The bytes of a range of the file.
    pub(super) fn body(self, range: std::ops::Range<u64>) -> StreamingBlob {
        StreamingBlob::new(FileBody {
            file: self.file,
            next: range.start,
            end: range.end,
        })
    }
}

struct FileBody {
    file: File,
    next: u64,
    end: u64,
}

impl Stream for FileBody {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let length = (self.end - self.next).min(READ);
        if length == 0 {
            return Poll::Ready(None);
        }
        let mut bytes = vec![0; usize::try_from(length).expect("at most one read")];
        let read = self.file.read_exact_at(&mut bytes, self.next);
        self.next += length;
        Poll::Ready(Some(read.map(|()| bytes.into()).map_err(Into::into)))
    }
}

impl ByteStream for FileBody {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.end - self.next).unwrap_or(usize::MAX))
    }
}

/// Tells versions of a file apart. Not the MD5 of its content, as S3's is not either for every object.
pub(super) fn tag(metadata: &Metadata) -> ETag {
    let facts = [
        metadata.len(),
        metadata.ino(),
        metadata.mtime().cast_unsigned(),
        metadata.mtime_nsec().cast_unsigned(),
    ];
    let bytes: Vec<u8> = facts.iter().flat_map(|fact| fact.to_le_bytes()).collect();
    ETag::Strong(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes)))
}

pub(super) fn modified(metadata: &Metadata) -> Timestamp {
    metadata
        .modified()
        .map_or_else(|_| super::source::SourceBucket::modified(), Timestamp::from)
}

/// A failure of the disk, as S3 would put it.
pub(super) fn disk(error: io::Error) -> S3Error {
    let mut failed = s3_error!(InternalError, "the results folder: {error}");
    failed.set_source(error.into());
    failed
}

/// The checksums that an upload declares, in its head or behind its body.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) hasher: ChecksumHasher,
    /// Header name and value.
    pub(super) sums: Vec<(&'static str, Option<String>)>,
    pub(super) trailers: Option<TrailingHeaders>,
}

impl Declared {
    /// `algorithm` is what `x-amz-sdk-checksum-algorithm` names; `sums` are the checksum headers by their names.
    pub(super) fn new(
        algorithm: Option<&str>,
        sums: Vec<(&'static str, Option<String>)>,
        trailers: Option<TrailingHeaders>,
    ) -> Self {
        let given = |name: &str| {
            let header = format!("x-amz-checksum-{}", name.to_ascii_lowercase());
            algorithm == Some(name)
                || sums
                    .iter()
                    .any(|(known, value)| *known == header && value.is_some())
        };
        let hasher = ChecksumHasher {
            crc32: given("CRC32").then(Default::default),
            crc32c: given("CRC32C").then(Default::default),
            sha1: given("SHA1").then(Default::default),
            sha256: given("SHA256").then(Default::default),
            crc64nvme: given("CRC64NVME").then(Default::default),
        };
        Self {
            hasher,
            sums,
            trailers,
        }
    }

    fn check(self) -> S3Result<()> {
        let trailers = self.trailers.and_then(|trailers| trailers.take());
        let computed = self.hasher.finalize();
        let computed = [
            ("x-amz-checksum-crc32", computed.checksum_crc32),
            ("x-amz-checksum-crc32c", computed.checksum_crc32c),
            ("x-amz-checksum-sha1", computed.checksum_sha1),
            ("x-amz-checksum-sha256", computed.checksum_sha256),
            ("x-amz-checksum-crc64nvme", computed.checksum_crc64nvme),
        ];
        for (name, computed) in computed {
            let head = self
                .sums
                .iter()
                .find(|(known, _)| *known == name)
                .and_then(|(_, value)| value.clone());
            let behind = || {
                trailers
                    .as_ref()?
                    .get(name)?
                    .to_str()
                    .ok()
                    .map(str::to_owned)
            };
            if let (Some(declared), Some(computed)) = (head.or_else(behind), computed)
                && declared != computed
            {
                return Err(s3_error!(BadDigest, "{name} is {computed}, not {declared}"));
            }
        }
        Ok(())
    }
}
