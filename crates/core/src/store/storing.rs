//! Stores objects in a bucket: by one request or in parts, with a checksum, and without replacing anything where that is asked for.
//!
//! What a store refuses is left out: [`super::dialect`] remembers it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;

use super::bucket::Bucket;
use super::dialect::{Replace, RequestForm};
use super::error::{StoreError, StoreErrorKind};
use super::upload::content_type;

/// Files up to this are stored by one request; larger ones in parts of this size, one in memory at a time (10,000 parts = 80 GiB).
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Largest object that S3 takes by one request.
pub const WHOLE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// What is stored by one request.
enum StoredContent<'a> {
    Bytes(Bytes),
    File(&'a Path),
}

impl StoredContent<'_> {
    async fn stream(&self) -> Result<ByteStream, String> {
        match self {
            Self::Bytes(bytes) => Ok(ByteStream::from(bytes.clone())),
            Self::File(path) => ByteStream::from_path(path)
                .await
                .map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}

/// Counts how often the SDK sends a request.
#[derive(Clone, Debug, Default)]
struct SentTimes(Arc<AtomicU32>);

#[dyn_dispatch_hint]
impl Intercept for SentTimes {
    fn name(&self) -> &'static str {
        "SentTimes"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }
}

impl Bucket {
    /// Requests so far that stored something in this bucket: PUTs, parts of uploads, and what begins and ends an upload.
    pub fn puts(&self) -> u64 {
        self.dialect.puts()
    }

    /// Stores bytes under `key`, with a checksum where the store takes one.
    pub async fn store(
        &mut self,
        key: &str,
        bytes: Vec<u8>,
        replace: Replace,
    ) -> Result<(), StoreError> {
        self.store_whole(key, &StoredContent::Bytes(bytes.into()), replace)
            .await
    }

    /// Stores bytes in the place of the object that has this entity tag. [`StoreErrorKind::Exists`] when there is another one by now, or none. A store that
    /// does not know `If-Match` replaces what is there.
    pub async fn store_over(
        &mut self,
        key: &str,
        bytes: Vec<u8>,
        tag: &str,
    ) -> Result<(), StoreError> {
        let content = StoredContent::Bytes(bytes.into());
        let over = Some(tag).filter(|tag| !tag.is_empty());
        for form in self.dialect.forms(Replace::Yes) {
            match self.put(key, &content, (form, over)).await {
                Err(error) if error.kind == StoreErrorKind::NotImplemented => {}
                Err(error) if error.kind == StoreErrorKind::NoSuchKey => {
                    let kind = StoreErrorKind::Exists;
                    return Err(StoreError { kind, ..error });
                }
                result => return result,
            }
        }
        self.store_whole(key, &content, Replace::Yes).await
    }

    async fn store_whole(
        &mut self,
        key: &str,
        content: &StoredContent<'_>,
        replace: Replace,
    ) -> Result<(), StoreError> {
        let mut refusal = None;
        for form in self.dialect.forms(replace) {
            if replace == Replace::No && !form.condition {
                self.look_first(key, refusal.as_ref()).await?;
            }
            match self.put(key, content, (form, None)).await {
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
        content: &StoredContent<'_>,
        (form, over): (RequestForm, Option<&str>),
    ) -> Result<(), StoreError> {
        loop {
            let body = content
                .stream()
                .await
                .map_err(|cause| self.failed(key, &cause))?;
            self.dialect.count_put();
            let request = self
                .client
                .put_object()
                .bucket(&self.name)
                .key(key)
                .set_checksum_algorithm(form.algorithm());
            let request = request
                .set_if_none_match(form.if_none_match())
                .set_if_match(over.map(str::to_owned))
                .content_type(content_type(key))
                .set_metadata(self.metadata())
                .body(body);
            let sent = SentTimes::default();
            let answer = request
                .customize()
                .config_override(form.overrides())
                .interceptor(sent.clone())
                .send()
                .await;
            match answer.map_err(|error| self.call("store", key).failed(&error)) {
                Err(error) if self.follow(&error) => {}
                // The store may have taken it the first time, and only the answer was lost.
                Err(error)
                    if error.kind == StoreErrorKind::Exists
                        && sent.0.load(Relaxed) > 1
                        && self.holds(key, content).await =>
                {
                    return Ok(());
                }
                result => return result.map(drop),
            }
        }
    }

    /// Whether this is stored under `key`, as far as these credentials may see.
    async fn holds(&mut self, key: &str, content: &StoredContent<'_>) -> bool {
        let StoredContent::Bytes(bytes) = content else {
            return false;
        };
        let stored = self.read_tagged(key).await;
        stored.is_ok_and(|(stored, _)| stored == *bytes)
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
        self.store_whole(key, &StoredContent::File(path), replace)
            .await
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
