//! Control calls on one bucket: list a page, store a file, read a file, ask whether a key is there.
//!
//! Goes on in the bucket's own region when the first answer names another. The source bucket is listed and read; only the results bucket is
//! ever given to [`Bucket::store_file`].

use std::io::Read;
use std::path::Path;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, EncodingType, RequestPayer};
use aws_sdk_s3::{Client, Config};

use super::backoff::backoff;
use super::credentials::CredentialFeed;
use super::error::{Call, StoreError, StoreErrorKind};
use super::listing::{LeanPages, ListPage, PageQuery, Pager, decode};
use super::recipe::Recipe;
use super::session::Session;
use crate::plan::ClientKind;
use crate::sample::KeyRecord;

/// Files up to this are stored by one request; larger ones in parts of this size, one in memory at a time (10,000 parts = 80 GiB).
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Whether an object of the same name may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Whatever is there.
    Yes,
    /// Nothing: `If-None-Match: *`.
    No,
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    session: Session,
    client: Client,
    name: String,
    moved: bool,
    pages: PagesBy,
}

/// How the pages behind the first are asked for.
#[derive(Clone, Debug)]
enum PagesBy {
    Sdk,
    Lean(Option<CredentialFeed>),
    /// The same, once the bucket's endpoint is known.
    LeanAt(LeanPages),
}

impl Bucket {
    /// A bucket for control calls.
    pub fn new(session: &Session, name: &str) -> Self {
        let client = Client::from_conf(session.control_config().build());
        Self { session: session.clone(), client, name: name.to_owned(), moved: false, pages: PagesBy::Sdk }
    }

    /// The same bucket, the pages behind the first of a listing asked for by this client; `feed` are its credentials.
    #[must_use]
    pub fn pages_by(self, client: ClientKind, feed: Option<CredentialFeed>) -> Self {
        let pages = match client {
            ClientKind::Lean => PagesBy::Lean(feed),
            ClientKind::Sdk => PagesBy::Sdk,
        };
        Self { pages, ..self }
    }

    /// Asker `number` for pages of this bucket. For when a first page has come: only then it is known where the bucket is.
    ///
    /// # Errors
    /// When the bucket's endpoint is not found, or its certificate authorities cannot be read.
    pub async fn pager(&mut self, number: u32) -> Result<Pager, StoreError> {
        if let PagesBy::Lean(feed) = &self.pages {
            let recipe = Recipe::resolve(&self.session, &self.name).await?;
            self.pages = PagesBy::LeanAt(LeanPages::new(recipe, feed.clone())?);
        }
        Ok(match &self.pages {
            PagesBy::LeanAt(pages) => pages.pager(self.clone(), number),
            PagesBy::Sdk | PagesBy::Lean(_) => Pager::Sdk(Box::new(self.clone())),
        })
    }

    /// Whether keys are listed in the order of their UTF-8 bytes, as far as the bucket's kind tells: directory buckets and their access points have no order.
    pub fn lists_in_order(&self) -> bool {
        !self.name.ends_with("--x-s3") && !self.name.ends_with("--xa-s3")
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The session of the region in which the bucket was found.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// `s3://bucket/key`, without the slash where there is no key.
    pub fn uri(&self, key: &str) -> String {
        let slash = if key.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{key}", self.name)
    }

    fn call(&self, verb: &str, key: &str) -> Call {
        Call { what: format!("{verb} {}", self.uri(key)), endpoint: self.session.endpoint().map(str::to_owned) }
    }

    /// True when the error named the bucket's region and this bucket now goes there: try again.
    fn follow(&mut self, error: &StoreError) -> bool {
        match &error.region {
            Some(region) if error.kind == StoreErrorKind::OtherRegion && !self.moved && region != self.session.region() => {
                tracing::info!(bucket = self.name, region, "bucket is in another region");
                self.session = self.session.in_region(region);
                self.client = Client::from_conf(self.session.control_config().build());
                self.moved = true;
                true
            }
            _ => false,
        }
    }

    fn payer(&self) -> Option<RequestPayer> {
        self.session.access().request_payer.then_some(RequestPayer::Requester)
    }

    /// One page.
    pub async fn list_page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        loop {
            match self.list(query, None).await {
                Err(error) if self.follow(&error) => {}
                result => return result,
            }
        }
    }

    /// The same by one attempt.
    pub(super) async fn list_page_once(&self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.list(query, Some(RetryConfig::disabled())).await
    }

    /// Makes sure that the bucket is there, and goes to its region. Credentials that may not list learn nothing, which is no error.
    pub async fn probe(&mut self) -> Result<(), StoreError> {
        loop {
            let request = self.client.list_objects_v2().bucket(&self.name).max_keys(1).set_request_payer(self.payer());
            match request.send().await.map_err(|error| self.call("list", "").failed(&error)) {
                Err(error) if self.follow(&error) => {}
                Err(error) if error.kind == StoreErrorKind::Denied => return Ok(()),
                result => return result.map(drop),
            }
        }
    }

    async fn list(&self, query: &PageQuery, retries: Option<RetryConfig>) -> Result<ListPage, StoreError> {
        let PageQuery { prefix, token, start_after, delimiter } = query;
        let call = self.call("list", prefix);
        let request = self.client.list_objects_v2().bucket(&self.name).encoding_type(EncodingType::Url).set_request_payer(self.payer());
        let request = request.set_prefix(Some(prefix.clone()).filter(|p| !p.is_empty())).set_continuation_token(token.clone());
        let request = request.set_start_after(start_after.clone().filter(|_| token.is_none())).set_delimiter(delimiter.map(str::to_owned));
        let mut overrides = Config::builder();
        overrides.set_retry_config(retries);
        let answer = request.customize().config_override(overrides).send().await.map_err(|error| call.failed(&error))?;
        // A store that does not know the parameter does not echo it, and its keys are as they are.
        let encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let odd = |what: &str| {
            StoreError::new(StoreErrorKind::Protocol, format!("cannot {}: {what}", call.what)).hint("check that the endpoint is one of S3")
        };
        let mut keys = Vec::with_capacity(answer.contents().len());
        for object in answer.contents.unwrap_or_default() {
            let key = object.key.ok_or_else(|| odd("an entry of the listing has no key"))?;
            let key = if encoded { decode(&key).ok_or_else(|| odd("a key is not UTF-8"))? } else { key };
            let size = object.size.and_then(|size| u64::try_from(size).ok());
            let etag = object.e_tag.unwrap_or_default().trim_matches('"').to_owned();
            let storage_class = object.storage_class.map(|class| class.as_str().to_owned()).unwrap_or_default();
            keys.push(KeyRecord { key, size, etag, storage_class });
        }
        let mut prefixes = Vec::new();
        for prefix in answer.common_prefixes.unwrap_or_default().into_iter().filter_map(|common| common.prefix) {
            prefixes.push(if encoded { decode(&prefix).ok_or_else(|| odd("a common prefix is not UTF-8"))? } else { prefix });
        }
        Ok(ListPage { keys, prefixes, truncated: answer.is_truncated.unwrap_or(false), next: answer.next_continuation_token })
    }

    /// Whether there is an object: `None` when these credentials may not ask.
    pub async fn exists(&mut self, key: &str) -> Result<Option<bool>, StoreError> {
        loop {
            let answer = self.client.head_object().bucket(&self.name).key(key).send().await;
            let error = match answer {
                Ok(_) => return Ok(Some(true)),
                Err(error) => self.call("read", key).failed(&error),
            };
            match error.kind {
                StoreErrorKind::NoSuchKey => return Ok(Some(false)),
                StoreErrorKind::Denied => return Ok(None),
                // A HEAD has no body to name the region; the next call finds out.
                StoreErrorKind::OtherRegion if !self.follow(&error) => return Ok(None),
                StoreErrorKind::OtherRegion => {}
                _ => return Err(error),
            }
        }
    }

    /// Stores bytes under `key`, with a checksum.
    pub async fn store(&mut self, key: &str, bytes: Vec<u8>, replace: Replace) -> Result<(), StoreError> {
        loop {
            let call = self.call("store", key);
            let request = self.client.put_object().bucket(&self.name).key(key).checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
            let request = request.set_if_none_match((replace == Replace::No).then(|| "*".to_owned())).content_type(content_type(key));
            match request.body(ByteStream::from(bytes.clone())).send().await.map_err(|error| call.failed(&error)) {
                Err(error) if self.follow(&error) => {}
                result => return result.map(drop),
            }
        }
    }

    /// Stores a file under `key`, with a checksum; in parts when it is large.
    pub async fn store_file(&mut self, key: &str, path: &Path, replace: Replace) -> Result<(), StoreError> {
        let what = format!("store s3://{}/{key}", self.name);
        let broken = |error: std::io::Error| StoreError::new(StoreErrorKind::File, format!("cannot {what}: {}: {error}", path.display()));
        let mut file = std::fs::File::open(path).map_err(broken)?;
        let first = read_part(&mut file).map_err(broken)?;
        if first.len() < PART_BYTES {
            return self.store(key, first, replace).await;
        }
        let upload = self.begin_upload(key).await?;
        let mut parts = Vec::new();
        let mut part = first;
        let result = loop {
            match self.store_part(key, &upload, (parts.len(), part)).await {
                Ok(done) => parts.push(done),
                Err(error) => break Err(error),
            }
            part = match read_part(&mut file) {
                Ok(part) if part.is_empty() => break Ok(()),
                Ok(part) => part,
                Err(error) => break Err(broken(error)),
            };
        };
        let result = match result {
            Ok(()) => self.end_upload(key, &upload, (parts, replace)).await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            // Best effort: what stays of an upload costs money; the error of the upload itself is the one to tell.
            let _aborted = self.client.abort_multipart_upload().bucket(&self.name).key(key).upload_id(&upload).send().await;
        }
        result
    }

    async fn begin_upload(&mut self, key: &str) -> Result<String, StoreError> {
        loop {
            let request = self.client.create_multipart_upload().bucket(&self.name).key(key).checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
            let answer = request.content_type(content_type(key)).send().await.map_err(|error| self.call("store", key).failed(&error));
            match answer {
                Ok(answer) => return Ok(answer.upload_id.unwrap_or_default()),
                Err(error) if self.follow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn store_part(&self, key: &str, upload: &str, part: (usize, Vec<u8>)) -> Result<CompletedPart, StoreError> {
        let number = i32::try_from(part.0 + 1)
            .map_err(|_| StoreError::new(StoreErrorKind::Other, format!("cannot store s3://{}/{key}: too large", self.name)))?;
        let request = self.client.upload_part().bucket(&self.name).key(key).upload_id(upload).part_number(number);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).body(ByteStream::from(part.1));
        let answer = request.send().await.map_err(|error| self.call("store", key).failed(&error))?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).set_checksum_crc64_nvme(answer.checksum_crc64_nvme).build())
    }

    async fn end_upload(&self, key: &str, upload: &str, (parts, replace): (Vec<CompletedPart>, Replace)) -> Result<(), StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(key).upload_id(upload).multipart_upload(parts);
        let request = request.set_if_none_match((replace == Replace::No).then(|| "*".to_owned()));
        request.send().await.map(drop).map_err(|error| self.call("store", key).failed(&error))
    }

    /// Reads a whole object into a file. A body that breaks is read again from its start, as often as any call is tried.
    pub async fn read_to_file(&mut self, key: &str, path: &Path) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            match self.read_once(key, path).await {
                Err(error) if error.kind == StoreErrorKind::Connection && attempt < self.session.limits().attempts => {
                    tracing::info!(%error, "read again");
                    tokio::time::sleep(backoff(attempt, fastrand::f64())).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn read_once(&mut self, key: &str, path: &Path) -> Result<(), StoreError> {
        let mut body = loop {
            let request = self.client.get_object().bucket(&self.name).key(key).set_request_payer(self.payer());
            match request.send().await.map_err(|error| self.call("read", key).failed(&error)) {
                Ok(answer) => break answer.body,
                Err(error) if self.follow(&error) => {}
                Err(error) => return Err(error),
            }
        };
        let what = format!("read s3://{}/{key}", self.name);
        let broken = |error: std::io::Error| StoreError::new(StoreErrorKind::File, format!("cannot {what}: {}: {error}", path.display()));
        let mut file = std::fs::File::create(path).map_err(broken)?;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| StoreError::new(StoreErrorKind::Connection, format!("cannot {what}: {error}")))?;
            std::io::Write::write_all(&mut file, &chunk).map_err(broken)?;
        }
        Ok(())
    }
}

/// Up to one part's bytes.
fn read_part(file: &mut std::fs::File) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART_BYTES as u64).read_to_end(&mut part)?;
    Ok(part)
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

    #[test]
    fn keys_of_a_url_encoded_page_come_back_verbatim() {
        assert_eq!(decode("a+b%2Bc%25%20d/%F0%9F%98%80").as_deref(), Some("a b+c% d/😀"));
        assert_eq!(decode("%FF"), None);
    }
}
