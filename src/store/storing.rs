//! Stores objects in a bucket: by one request or in parts, with a checksum, and without replacing anything where that is asked for.
//!
//! Gateways know less than S3. What one refuses (checksum headers, `If-None-Match`, uploads in parts) is left out and the request sent again, once; the
//! bucket remembers it for the rest of the run.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::Config;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;

use super::bucket::Bucket;
use super::error::{StoreError, StoreErrorKind};
use super::session::Session;

/// Files up to this are stored by one request; larger ones in parts of this size, one in memory at a time (10,000 parts = 80 GiB).
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Largest object that S3 takes by one request.
pub const WHOLE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Whether an object of the same name may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Whatever is there.
    Yes,
    /// Nothing: `If-None-Match: *`.
    No,
}

/// What a store is known to take. Learned from its answers.
#[derive(Debug)]
pub(super) struct Dialect {
    checksum: AtomicBool,
    condition: AtomicBool,
    parts: AtomicBool,
    /// Whether keys in listings can be had percent-encoded.
    encoding: AtomicBool,
    /// Requests that stored something, or part of it; AWS bills each.
    puts: AtomicU64,
    /// Uploads in parts that were begun and not ended: their keys by their ids.
    open: Mutex<BTreeMap<String, String>>,
}

impl Dialect {
    /// All of S3, but for the checksums where `AWS_REQUEST_CHECKSUM_CALCULATION` or the profile leaves them out.
    pub(super) fn of(session: &Session) -> Self {
        let checksum = session.config().request_checksum_calculation()
            != Some(RequestChecksumCalculation::WhenRequired);
        Self::taking(checksum)
    }

    /// All of S3, with checksums or without.
    fn taking(checksum: bool) -> Self {
        let [condition, parts, encoding] = [const { AtomicBool::new(true) }; 3];
        Self {
            checksum: AtomicBool::new(checksum),
            condition,
            parts,
            encoding,
            puts: AtomicU64::new(0),
            open: Mutex::default(),
        }
    }

    /// Whether listings are asked for with their keys percent-encoded.
    pub(super) fn encodes_keys(&self) -> bool {
        self.encoding.load(Relaxed)
    }

    /// A listing without encoded keys was taken, and one with them refused.
    pub(super) fn learn_verbatim_keys(&self) {
        if self.encoding.swap(false, Relaxed) {
            tracing::info!("the store does not know `encoding-type`: keys are read as they stand");
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The forms in which a request is tried, fullest first.
    pub(super) fn forms(&self, replace: Replace) -> Vec<Form> {
        let yes_then_no = |yes: bool| if yes { vec![true, false] } else { vec![false] };
        let conditions = yes_then_no(replace == Replace::No && self.condition.load(Relaxed));
        let checksums = yes_then_no(self.checksum.load(Relaxed));
        conditions
            .iter()
            .flat_map(|condition| {
                checksums.iter().map(|checksum| Form {
                    checksum: *checksum,
                    condition: *condition,
                })
            })
            .collect()
    }

    /// A request of this form was taken, and a fuller one, if there was one, refused.
    pub(super) fn learn(&self, form: Form, replace: Replace) {
        if !form.checksum && self.checksum.swap(false, Relaxed) {
            tracing::info!("the store takes no checksum headers: objects are stored without");
        }
        if replace == Replace::No && !form.condition && self.condition.swap(false, Relaxed) {
            tracing::warn!(
                "the results' store does not know If-None-Match: whether there are results of a name already is asked first, and what another program stores meanwhile is replaced"
            );
        }
    }
}

/// What a request carries beside the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) checksum: bool,
    pub(super) condition: bool,
}

impl Form {
    fn algorithm(self) -> Option<ChecksumAlgorithm> {
        self.checksum.then_some(ChecksumAlgorithm::Crc64Nvme)
    }

    pub(super) fn if_none_match(self) -> Option<String> {
        self.condition.then(|| "*".to_owned())
    }

    /// Keeps the SDK from adding a checksum of its own.
    fn overrides(self) -> aws_sdk_s3::config::Builder {
        let mut overrides = Config::builder();
        overrides.set_request_checksum_calculation(
            (!self.checksum).then_some(RequestChecksumCalculation::WhenRequired),
        );
        overrides
    }
}

/// What is stored by one request.
enum Content<'a> {
    Bytes(Bytes),
    File(&'a Path),
}

impl Content<'_> {
    async fn stream(&self) -> Result<ByteStream, String> {
        match self {
            Self::Bytes(bytes) => Ok(ByteStream::from(bytes.clone())),
            Self::File(path) => ByteStream::from_path(path)
                .await
                .map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}

impl Bucket {
    /// Requests so far that stored something in this bucket: PUTs, parts of uploads, and what begins and ends an upload.
    pub fn puts(&self) -> u64 {
        self.dialect.puts.load(Relaxed)
    }

    pub(super) fn count_put(&self) {
        self.dialect.puts.fetch_add(1, Relaxed);
    }

    /// Stores bytes under `key`, with a checksum where the store takes one.
    pub async fn store(
        &mut self,
        key: &str,
        bytes: Vec<u8>,
        replace: Replace,
    ) -> Result<(), StoreError> {
        self.store_whole(key, &Content::Bytes(bytes.into()), replace)
            .await
    }

    async fn store_whole(
        &mut self,
        key: &str,
        content: &Content<'_>,
        replace: Replace,
    ) -> Result<(), StoreError> {
        let mut refusal = None;
        for form in self.dialect.forms(replace) {
            if replace == Replace::No && !form.condition {
                self.look_first(key, refusal.as_ref()).await?;
            }
            match self.put(key, content, form).await {
                Ok(()) => {
                    self.dialect.learn(form, replace);
                    return Ok(());
                }
                Err(error) if error.kind == StoreErrorKind::NotImplemented => {
                    refusal = refusal.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| self.failed(key, "the store takes no form of it")))
    }

    async fn put(
        &mut self,
        key: &str,
        content: &Content<'_>,
        form: Form,
    ) -> Result<(), StoreError> {
        loop {
            let body = content
                .stream()
                .await
                .map_err(|cause| self.failed(key, &cause))?;
            self.count_put();
            let request = self
                .client
                .put_object()
                .bucket(&self.name)
                .key(key)
                .set_checksum_algorithm(form.algorithm());
            let request = request
                .set_if_none_match(form.if_none_match())
                .content_type(content_type(key))
                .set_metadata(self.metadata())
                .body(body);
            let answer = request
                .customize()
                .config_override(form.overrides())
                .send()
                .await;
            match answer.map_err(|error| self.call("store", key).failed(&error)) {
                Err(error) if self.follow(&error) => {}
                result => return result.map(drop),
            }
        }
    }

    /// Before a request without `If-None-Match`: an error when there is an object of this name, or when nobody can tell.
    pub(super) async fn look_first(
        &mut self,
        key: &str,
        refusal: Option<&StoreError>,
    ) -> Result<(), StoreError> {
        let there = self.exists(key).await?;
        let what = |cause: &str| format!("cannot store {}: {cause}", self.uri(key));
        match there {
            Some(false) => Ok(()),
            Some(true) => Err(StoreError::new(StoreErrorKind::Exists, what("there is one already")).hint("choose another --tag")),
            None => Err(refusal.cloned().unwrap_or_else(|| {
                let cause = "the store does not know If-None-Match, and these credentials may not ask what is there";
                StoreError::new(StoreErrorKind::NotImplemented, what(cause)).hint("grant s3:GetObject and s3:ListBucket to these credentials")
            })),
        }
    }

    /// Removes what this program stored under `key` before.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let request = self.client.delete_object().bucket(&self.name).key(key);
        request
            .send()
            .await
            .map(drop)
            .map_err(|error| self.call("remove", key).failed(&error))
    }

    /// Stores a file under `key`, with a checksum where the store takes one; in parts when it is large.
    pub async fn store_file(
        &mut self,
        key: &str,
        path: &Path,
        replace: Replace,
    ) -> Result<(), StoreError> {
        let mut file = self.open(key, path)?;
        let first = self.read_part(key, (&mut file, path))?;
        if first.len() < PART_BYTES {
            return self.store(key, first, replace).await;
        }
        drop((file, first));
        let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let mut file = self.open(key, path)?;
        let bucket = self.clone();
        let mut next = || bucket.read_part(key, (&mut file, path));
        let Some(refusal) = self.store_in_parts(key, &mut next, replace).await? else {
            return Ok(());
        };
        if bytes > WHOLE_BYTES {
            let cause = format!(
                "it has {bytes} bytes, the store takes no uploads in parts, and one request takes 5 GiB"
            );
            return Err(refusal.hint(cause));
        }
        self.store_whole(key, &Content::File(path), replace).await
    }

    /// Stores what `next` gives, part after part until an empty one; each but the last has 5 MiB at least. An error where the store takes no parts.
    pub async fn store_parts(
        &mut self,
        key: &str,
        next: Parts<'_>,
        replace: Replace,
    ) -> Result<(), StoreError> {
        self.store_in_parts(key, next, replace)
            .await?
            .map_or(Ok(()), Err)
    }

    /// The same; `Some` where the store takes no uploads in parts.
    async fn store_in_parts(
        &mut self,
        key: &str,
        next: Parts<'_>,
        replace: Replace,
    ) -> Result<Option<StoreError>, StoreError> {
        let mut refusal = None;
        if self.dialect.parts.load(Relaxed) {
            for form in self.dialect.forms(Replace::Yes) {
                let begun = match self.begin_upload(key, form).await {
                    Err(error) if error.kind == StoreErrorKind::NotImplemented => {
                        refusal = refusal.or(Some(error));
                        continue;
                    }
                    begun => begun?,
                };
                self.dialect.learn(form, Replace::Yes);
                return self
                    .send_and_end((key, next), &Upload { id: begun, form }, replace)
                    .await
                    .map(|()| None);
            }
            self.dialect.parts.store(false, Relaxed);
            tracing::info!("the store takes no uploads in parts");
        }
        Ok(Some(refusal.unwrap_or_else(|| {
            self.failed(key, "the store takes no uploads in parts")
        })))
    }

    /// Takes back the uploads in parts that were begun and not ended, after whoever sent them was dropped. Best effort.
    pub async fn abort_open(&self) {
        let open = std::mem::take(&mut *self.dialect.open());
        let abort = |(id, key): (String, String)| async move {
            let _aborted = self
                .client
                .abort_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .upload_id(id)
                .send()
                .await;
        };
        futures::future::join_all(open.into_iter().map(abort)).await;
    }

    async fn begin_upload(&mut self, key: &str, form: Form) -> Result<String, StoreError> {
        loop {
            self.count_put();
            let request = self
                .client
                .create_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .set_checksum_algorithm(form.algorithm());
            let request = request
                .content_type(content_type(key))
                .set_metadata(self.metadata());
            let answer = request
                .send()
                .await
                .map_err(|error| self.call("store", key).failed(&error));
            match answer {
                Ok(answer) => {
                    let id = answer.upload_id.unwrap_or_default();
                    self.dialect.open().insert(id.clone(), key.to_owned());
                    return Ok(id);
                }
                Err(error) if self.follow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_and_end(
        &mut self,
        (key, next): (&str, Parts<'_>),
        upload: &Upload,
        replace: Replace,
    ) -> Result<(), StoreError> {
        let result = match self.send_parts((key, next), upload).await {
            Ok(parts) => self.end_upload(key, (upload, parts), replace).await,
            Err(error) => Err(error),
        };
        self.dialect.open().remove(&upload.id);
        if result.is_err() {
            // Best effort: what stays of an upload costs money; the error of the upload itself is the one to tell.
            let _aborted = self
                .client
                .abort_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .upload_id(&upload.id)
                .send()
                .await;
        }
        result
    }

    async fn send_parts(
        &self,
        (key, next): (&str, Parts<'_>),
        upload: &Upload,
    ) -> Result<Vec<CompletedPart>, StoreError> {
        let mut parts = Vec::new();
        loop {
            let part = next()?;
            if part.is_empty() {
                return Ok(parts);
            }
            let number =
                i32::try_from(parts.len() + 1).map_err(|_| self.failed(key, "too large"))?;
            self.count_put();
            let request = self
                .client
                .upload_part()
                .bucket(&self.name)
                .key(key)
                .upload_id(&upload.id)
                .part_number(number);
            let request = request
                .set_checksum_algorithm(upload.form.algorithm())
                .body(ByteStream::from(part));
            let answer = request
                .customize()
                .config_override(upload.form.overrides())
                .send()
                .await;
            let answer = answer.map_err(|error| self.call("store", key).failed(&error))?;
            let part = CompletedPart::builder()
                .part_number(number)
                .set_e_tag(answer.e_tag);
            parts.push(
                part.set_checksum_crc64_nvme(answer.checksum_crc64_nvme)
                    .build(),
            );
        }
    }

    async fn end_upload(
        &mut self,
        key: &str,
        (upload, parts): (&Upload, Vec<CompletedPart>),
        replace: Replace,
    ) -> Result<(), StoreError> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let mut refusal = None;
        for form in self
            .dialect
            .forms(replace)
            .into_iter()
            .filter(|form| form.checksum == upload.form.checksum)
        {
            if replace == Replace::No && !form.condition {
                self.look_first(key, refusal.as_ref()).await?;
            }
            self.count_put();
            let request = self
                .client
                .complete_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .upload_id(&upload.id);
            let request = request
                .multipart_upload(parts.clone())
                .set_if_none_match(form.if_none_match());
            match request
                .send()
                .await
                .map_err(|error| self.call("store", key).failed(&error))
            {
                Ok(_) => {
                    self.dialect.learn(form, replace);
                    return Ok(());
                }
                Err(error) if error.kind == StoreErrorKind::NotImplemented => {
                    refusal = refusal.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| self.failed(key, "the store takes no form of it")))
    }

    fn open(&self, key: &str, path: &Path) -> Result<std::fs::File, StoreError> {
        std::fs::File::open(path).map_err(|error| self.broken(key, (path, &error)))
    }

    /// Up to one part's bytes.
    fn read_part(
        &self,
        key: &str,
        (file, path): (&mut std::fs::File, &Path),
    ) -> Result<Vec<u8>, StoreError> {
        let mut part = Vec::new();
        file.take(PART_BYTES as u64)
            .read_to_end(&mut part)
            .map_err(|error| self.broken(key, (path, &error)))?;
        Ok(part)
    }

    fn broken(&self, key: &str, (path, error): (&Path, &std::io::Error)) -> StoreError {
        StoreError {
            kind: StoreErrorKind::File,
            ..self.failed(key, &format!("{}: {error}", path.display()))
        }
    }

    pub(super) fn failed(&self, key: &str, cause: &str) -> StoreError {
        StoreError::new(
            StoreErrorKind::Other,
            format!("cannot store {}: {cause}", self.uri(key)),
        )
    }
}

/// Gives one part after another, an empty one at the end.
pub(super) type Parts<'a> = &'a mut (dyn FnMut() -> Result<Vec<u8>, StoreError> + 'a);

/// An upload in parts that was begun.
struct Upload {
    id: String,
    form: Form,
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.') {
        Some((_, "csv")) => "text/csv",
        Some((_, "json")) => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect() -> Dialect {
        Dialect::taking(true)
    }

    #[test]
    fn what_a_store_refuses_is_left_out_one_by_one_and_remembered() {
        let dialect = dialect();
        let tried = |replace| {
            dialect
                .forms(replace)
                .iter()
                .map(|form| (form.condition, form.checksum))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            tried(Replace::No),
            [(true, true), (true, false), (false, true), (false, false)]
        );
        assert_eq!(tried(Replace::Yes), [(false, true), (false, false)]);
        dialect.learn(
            Form {
                condition: true,
                checksum: false,
            },
            Replace::No,
        );
        assert_eq!(tried(Replace::No), [(true, false), (false, false)]);
        dialect.learn(
            Form {
                condition: false,
                checksum: false,
            },
            Replace::Yes,
        );
        assert_eq!(
            tried(Replace::No),
            [(true, false), (false, false)],
            "a request that may replace says nothing about conditions"
        );
        dialect.learn(
            Form {
                condition: false,
                checksum: false,
            },
            Replace::No,
        );
        assert_eq!(tried(Replace::No), [(false, false)]);
    }
}
