//! Control calls on one bucket: list a page, read a file, ask whether a key is there. What is stored is in `storing`.
//!
//! Goes on in the bucket's own region when the first answer names another. The source bucket is listed and read; only the results bucket is
//! ever given to [`Bucket::store_file`].

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::RequestPayer;

use super::backoff::backoff;
use super::call::ControlCall;
use super::credentials::CredentialFeed;
use super::dialect::Dialect;
use super::error::{StoreError, StoreErrorKind};
use super::listing::{AskedPage, BadListing, LeanPages, ListPage, NoPage, PageQuery, Walk, ask};
use super::session::Session;
use crate::plan::ClientKind;
use crate::platform::bounded::{DOCUMENT_BYTES, too_large};

/// A bucket with its client, and how it is listed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(super) session: Session,
    pub(super) client: Client,
    pub(super) name: String,
    moved: bool,
    pub(super) pages: PagesBy,
    /// User metadata of every object that is stored, by which fill knows its own.
    pub(super) mark: Option<String>,
    pub(super) dialect: Arc<Dialect>,
}

/// How the pages behind the first are asked for.
#[derive(Clone, Debug)]
pub(super) enum PagesBy {
    Sdk,
    Lean(Option<CredentialFeed>),
    /// The same, once the bucket's endpoint is known.
    LeanAt(LeanPages),
}

impl Bucket {
    /// A bucket for control calls.
    pub fn new(session: &Session, name: &str) -> Self {
        let client = Client::from_conf(session.control_config().build());
        Self {
            session: session.clone(),
            client,
            name: name.to_owned(),
            moved: false,
            pages: PagesBy::Sdk,
            mark: None,
            dialect: Arc::new(Dialect::of(session)),
        }
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

    /// The endpoint, when it is not AWS's own.
    pub fn endpoint(&self) -> Option<&str> {
        self.session.endpoint()
    }

    /// `s3://bucket/key`, without the slash where there is no key.
    pub fn uri(&self, key: &str) -> String {
        let slash = if key.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{key}", self.name)
    }

    pub(super) fn call(&self, verb: &str, key: &str) -> ControlCall {
        ControlCall {
            what: format!("{verb} {}", self.uri(key)),
            endpoint: self.session.endpoint().map(str::to_owned),
        }
    }

    /// True when the error named the bucket's region and this bucket now goes there: try again.
    pub(super) fn follow(&mut self, error: &StoreError) -> bool {
        match &error.region {
            Some(region)
                if error.kind == StoreErrorKind::OtherRegion
                    && !self.moved
                    && region != self.session.region() =>
            {
                tracing::info!(bucket = self.name, region, "bucket is in another region");
                self.session = self.session.in_region(region);
                self.client = Client::from_conf(self.session.control_config().build());
                self.moved = true;
                true
            }
            _ => false,
        }
    }

    pub(super) fn payer(&self) -> Option<RequestPayer> {
        self.session
            .access()
            .request_payer
            .then_some(RequestPayer::Requester)
    }

    /// One page. A document that is no whole page is asked for again, as often as any call is tried.
    pub async fn list_page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        let mut attempt = 1;
        loop {
            match self.list(query, None).await {
                Ok(page) => return Ok(page),
                Err(NoPage::Failed(error)) if self.follow(&error) => {}
                Err(NoPage::Unreadable(error)) if attempt < self.session.limits().attempts => {
                    tracing::info!(%error, "asked again");
                    tokio::time::sleep(backoff(attempt, fastrand::f64())).await;
                    attempt += 1;
                }
                Err(error) => return Err(error.into_error()),
            }
        }
    }

    /// How to ask for keys: percent-encoded, where the store, as far as is known, can do that.
    pub(super) fn key_encoding(&self) -> Option<&'static str> {
        self.dialect.encodes_keys().then_some("url")
    }

    /// The same by one attempt.
    pub(super) async fn list_page_once(&self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.list(query, Some(RetryConfig::disabled()))
            .await
            .map_err(NoPage::into_error)
    }

    /// The next page of a listing; `None` behind the last.
    ///
    /// # Errors
    /// Also when the listing has no end, or no way to go on.
    pub async fn next_page(&mut self, walk: &mut Walk) -> Result<Option<ListPage>, StoreError> {
        let bad = |place: String, error: BadListing| {
            StoreError::new(
                StoreErrorKind::Protocol,
                format!("cannot list {place}: {}", error.what),
            )
            .hint(error.hint)
        };
        while !walk.is_over() {
            let page = self.list_page(walk.query()).await?;
            if walk
                .accepts(&page)
                .map_err(|error| bad(self.uri(&walk.query().prefix), error))?
            {
                walk.follow(&page)
                    .map_err(|error| bad(self.uri(&walk.query().prefix), error))?;
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    /// Makes sure that the bucket is there, and goes to its region. Credentials that may not list learn nothing, which is no error.
    pub async fn probe(&mut self) -> Result<(), StoreError> {
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .max_keys(1)
                .set_request_payer(self.payer());
            match request
                .send()
                .await
                .map_err(|error| self.call("list", "").failed(&error))
            {
                Err(error) if self.follow(&error) => {}
                Err(error) if error.kind == StoreErrorKind::Denied => return Ok(()),
                result => return result.map(drop),
            }
        }
    }

    async fn list(
        &self,
        query: &PageQuery,
        retries: Option<RetryConfig>,
    ) -> Result<ListPage, NoPage> {
        let call = self.call("list", &query.prefix);
        let asked = |encoded| AskedPage {
            client: &self.client,
            bucket: &self.name,
            payer: self.payer(),
            retries: retries.clone(),
            encoded,
        };
        let encoded = self.dialect.encodes_keys();
        match ask(asked(encoded), query, &call).await {
            Err(NoPage::Refused(error)) if encoded => {
                // The store may not know how to encode keys. If that is not it, what it said first counts.
                let page = ask(asked(false), query, &call)
                    .await
                    .map_err(|_| NoPage::Refused(error))?;
                self.dialect.learn_verbatim_keys();
                Ok(page)
            }
            result => result,
        }
    }

    /// Reads a whole object into a file. A body that breaks is read again from its start, as often as any call is tried.
    pub async fn read_to_file(&mut self, key: &str, path: &Path) -> Result<(), StoreError> {
        self.read_to_file_within(key, path, u64::MAX).await
    }

    /// The same, of at most so many bytes: one that is larger is [`StoreErrorKind::TooLarge`].
    pub async fn read_to_file_within(
        &mut self,
        key: &str,
        path: &Path,
        most: u64,
    ) -> Result<(), StoreError> {
        let mut attempt = 1;
        loop {
            let what = format!("cannot read s3://{}/{key}: {}", self.name, path.display());
            let broken = |error: io::Error| {
                StoreError::new(StoreErrorKind::File, format!("{what}: {error}"))
            };
            let mut file = std::fs::File::create(path).map_err(broken)?;
            let mut left = most;
            let mut take = |chunk: &[u8]| {
                left = left.checked_sub(chunk.len() as u64).ok_or_else(|| {
                    StoreError::new(
                        StoreErrorKind::TooLarge,
                        format!("{what}: {}", too_large(most)),
                    )
                })?;
                file.write_all(chunk).map_err(broken)
            };
            match self.read_once(key, &mut take).await {
                Err(error) if self.is_tried_again(&error, &mut attempt).await => {}
                result => return result.map(drop),
            }
        }
    }

    /// Reads a document, whole. One that is larger than a document can be is [`StoreErrorKind::TooLarge`], whatever the listing said of its size.
    pub async fn read_document(&mut self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.read_tagged(key).await.map(|(document, _)| document)
    }

    /// The same, with its entity tag; empty where the store says none.
    pub async fn read_tagged(&mut self, key: &str) -> Result<(Vec<u8>, String), StoreError> {
        let mut attempt = 1;
        loop {
            let mut document = Vec::new();
            let what = format!("cannot read s3://{}/{key}", self.name);
            let mut take = |chunk: &[u8]| {
                document.extend_from_slice(chunk);
                let fits = document.len() as u64 <= DOCUMENT_BYTES;
                if fits {
                    Ok(())
                } else {
                    Err(StoreError::new(
                        StoreErrorKind::TooLarge,
                        format!("{what}: {}", too_large(DOCUMENT_BYTES)),
                    ))
                }
            };
            match self.read_once(key, &mut take).await {
                Err(error) if self.is_tried_again(&error, &mut attempt).await => {}
                result => return result.map(|tag| (document, tag)),
            }
        }
    }

    async fn is_tried_again(&self, error: &StoreError, attempt: &mut u32) -> bool {
        if error.kind != StoreErrorKind::Connection || *attempt >= self.session.limits().attempts {
            return false;
        }
        tracing::info!(%error, "read again");
        tokio::time::sleep(backoff(*attempt, fastrand::f64())).await;
        *attempt += 1;
        true
    }

    async fn read_once(
        &mut self,
        key: &str,
        take: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<String, StoreError> {
        let (mut body, tag) = loop {
            let request = self
                .client
                .get_object()
                .bucket(&self.name)
                .key(key)
                .set_request_payer(self.payer());
            match request
                .send()
                .await
                .map_err(|error| self.call("read", key).failed(&error))
            {
                Ok(answer) => break (answer.body, answer.e_tag.unwrap_or_default()),
                Err(error) if self.follow(&error) => {}
                Err(error) => return Err(error),
            }
        };
        let what = format!("read s3://{}/{key}", self.name);
        while let Some(chunk) = body.next().await {
            take(&chunk.map_err(|error| {
                StoreError::new(
                    StoreErrorKind::Connection,
                    format!("cannot {what}: {error}"),
                )
            })?)?;
        }
        Ok(tag)
    }
}
