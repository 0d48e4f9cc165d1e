//! Control calls on one bucket: list a page, read a file, ask whether a key is there. What is stored is in `storing`.
//!
//! Goes on in the bucket's own region when the first answer names another. The source bucket is listed and read; only the results bucket is
//! ever given to [`Bucket::store_file`].

use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::{EncodingType, RequestPayer};
use aws_sdk_s3::{Client, Config};

use super::backoff::backoff;
use super::credentials::CredentialFeed;
use super::error::{Call, StoreError, StoreErrorKind};
use super::listing::{LeanPages, ListPage, PageQuery, Pager, decode};
use super::recipe::Recipe;
use super::session::Session;
use super::storing::Dialect;
use crate::plan::ClientKind;
use crate::sample::KeyRecord;

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(super) session: Session,
    pub(super) client: Client,
    pub(super) name: String,
    moved: bool,
    pages: PagesBy,
    pub(super) dialect: Arc<Dialect>,
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
        Self { session: session.clone(), client, name: name.to_owned(), moved: false, pages: PagesBy::Sdk, dialect: Arc::new(Dialect::of(session)) }
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

    pub(super) fn call(&self, verb: &str, key: &str) -> Call {
        Call { what: format!("{verb} {}", self.uri(key)), endpoint: self.session.endpoint().map(str::to_owned) }
    }

    /// True when the error named the bucket's region and this bucket now goes there: try again.
    pub(super) fn follow(&mut self, error: &StoreError) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_url_encoded_page_come_back_verbatim() {
        assert_eq!(decode("a+b%2Bc%25%20d/%F0%9F%98%80").as_deref(), Some("a b+c% d/😀"));
        assert_eq!(decode("%FF"), None);
    }
}
