//! Every key of the run, into the key file: from all pages of the bucket, from a key file, or from an S3 Inventory.
//!
//! Owns which keys are taken (prefix, shard, limit), that none is taken twice, and how many streams of pages list a bucket. Fetches nothing.

mod draw;
mod inventory;
mod keyfile;
mod lines;
mod parallel;
mod pick;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::exit::{Exit, Failure};
use crate::plan::{KeySource, Selection};
use crate::platform::cancel::Cancelled;
use crate::results::summary::StorageClass;
use crate::spool::folder::spool_failure;
use crate::spool::keys::KeyFile;
use crate::store::{
    BadListing, Bucket, ListPage, PageQuery, Pager, StoreError, StoreErrorKind, Walk,
};

pub use draw::draw;
pub use keyfile::{KeyFileWriter, sha256_hex};
use pick::Picker;

/// What was listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Keys taken.
    pub keys: u64,
    /// Their sizes added up; `None` when a size is not known.
    pub bytes: Option<u64>,
    /// Of them in an archived storage class.
    pub archived: u64,
    /// Pages asked for: LIST requests.
    pub pages: u64,
    /// The key file had no checksum line.
    pub unchecked: bool,
}

/// Why the keys could not be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A listing or key file that cannot be right: what is wrong, and what to try.
    #[error("{0}")]
    Wrong(String, &'static str),
    /// The spool file cannot be written.
    #[error("cannot write the key spool file: {0}")]
    Spool(io::Error),
}

/// What to try without a shard.
const FOLDER_HINT: &str = "say which with --shard I/N";
/// What to try when the keys of a listing cannot be right.
const LISTING_HINT: &str = "such a listing cannot be trusted: check that the endpoint is one of S3";

impl From<BadListing> for ListError {
    fn from(bad: BadListing) -> Self {
        Self::Wrong(bad.what, bad.hint)
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Store(error) => error.into(),
            ListError::Spool(error) => spool_failure(&error),
            ListError::Wrong(message, hint) => Self::new(Exit::SetUp, message).hint(hint),
        }
    }
}

impl ListError {
    /// Says where the wrong thing is; `hint` is for what has none.
    fn within(self, place: &str, hint: &'static str) -> Self {
        match self {
            Self::Wrong(what, own) => Self::Wrong(
                format!("{place}: {what}"),
                if own.is_empty() { hint } else { own },
            ),
            other => other,
        }
    }
}

/// A listing of no more pages than this is one stream: others would ask for more than they save.
const FEW_PAGES: u64 = 16;

/// Why many streams cannot go on.
#[derive(Debug)]
enum Wrong {
    /// The store does not list in the order of the keys' bytes, or not behind a key that it is given.
    Order,
    /// Nothing can.
    Listing(ListError),
}

impl From<ListError> for Wrong {
    fn from(error: ListError) -> Self {
        Self::Listing(error)
    }
}

/// Where pages come from.
pub trait Source {
    /// A stream of them.
    type Pages: Pages;

    /// The first page of a listing: finds out whether there is a bucket, and where.
    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError>;

    /// Stream `number`, once a first page has come.
    async fn pages(&mut self, number: u32) -> Result<Self::Pages, StoreError>;

    /// Whether the store is one that lists in the order of the keys' bytes, as far as its name tells.
    fn lists_in_order(&self) -> bool;
}

/// A stream of pages.
pub trait Pages {
    /// One page.
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError>;
}

impl Source for Bucket {
    type Pages = Pager;

    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.list_page(query).await
    }

    async fn pages(&mut self, number: u32) -> Result<Pager, StoreError> {
        self.pager(number).await
    }

    fn lists_in_order(&self) -> bool {
        self.lists_in_order()
    }
}

impl Pages for Pager {
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.page(query).await
    }
}

/// The keys that were listed, by storage class; one pass over them.
///
/// # Errors
/// When the key file cannot be read, or the work was cancelled.
pub fn storage_classes(
    keys: &KeyFile,
    cancelled: &Cancelled,
) -> io::Result<BTreeMap<String, StorageClass>> {
    let mut classes: BTreeMap<String, StorageClass> = BTreeMap::new();
    for record in keys.iter() {
        let record = cancelled.check().and(record)?;
        let class = if record.storage_class.is_empty() {
            "STANDARD"
        } else {
            &record.storage_class
        };
        let count = classes.entry(class.to_owned()).or_default();
        count.objects += 1;
        count.bytes = count.bytes.saturating_add(record.size.unwrap_or(0));
    }
    Ok(classes)
}

/// Takes the selected keys into a key file in `spool`. `progress` hears how many there are, after every page.
pub async fn list(
    bucket: &mut Bucket,
    selection: &Selection,
    spool: &Path,
    mut progress: impl FnMut(u64),
) -> Result<Listed, ListError> {
    let mut picker = Picker::create(selection, spool)?;
    match &selection.source {
        KeySource::Listing => {
            let listed = listing(bucket, (selection, spool), &mut progress).await;
            picker = listed.map_err(|error| {
                error.within(
                    &format!("cannot list {}", bucket.uri(&selection.prefix)),
                    LISTING_HINT,
                )
            })?;
        }
        KeySource::File(path) => {
            let path = path.clone();
            picker = off_thread(picker, move |picker| keyfile::read(&path, picker))
                .await?
                .0;
        }
        KeySource::Object(uri) => {
            let mut holder = Bucket::new(bucket.session(), &uri.bucket);
            if uri.key.ends_with("manifest.json") {
                picker =
                    inventory::read(&mut holder, &uri.key, (spool, bucket.name()), picker).await?;
            } else {
                picker = key_file(&mut holder, (&uri.key, spool), picker).await?;
            }
        }
        KeySource::Folder(uri) => {
            let shard = selection.shard.ok_or_else(|| {
                ListError::Wrong(
                    format!("{uri} is a folder of key files, one a shard"),
                    FOLDER_HINT,
                )
            })?;
            let key = format!("{}{}", uri.key, shard.key_file());
            picker = key_file(
                &mut Bucket::new(bucket.session(), &uri.bucket),
                (&key, spool),
                picker,
            )
            .await?;
        }
    }
    if selection.source != KeySource::Listing {
        // Nothing has been asked of the bucket yet: is it there, and where?
        bucket.probe().await?;
        picker.listed.pages += 1;
    }
    picker.finish()
}

/// Reads a key file that lies in a bucket.
async fn key_file(
    holder: &mut Bucket,
    (key, spool): (&str, &Path),
    picker: Picker,
) -> Result<Picker, ListError> {
    let path = spool.join("keys.tsv");
    holder.read_to_file(key, &path).await?;
    let read = off_thread(picker, move |picker| keyfile::read(&path, picker)).await;
    read.map(|(picker, ())| picker)
        .map_err(|error| error.within(&holder.uri(key), keyfile::HINT))
}

/// Reads a file on a thread of its own: it may have millions of lines, or be a pipe, and signals are heard meanwhile.
async fn off_thread<T, F>(mut picker: Picker, read: F) -> Result<(Picker, T), ListError>
where
    T: Send + 'static,
    F: FnOnce(&mut Picker) -> Result<T, ListError> + Send + 'static,
{
    let read = tokio::task::spawn_blocking(move || read(&mut picker).map(|found| (picker, found)));
    read.await
        .unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

/// The keys of a bucket: many streams where that pays, else, or where the store keeps no order, one.
async fn listing<S: Source>(
    source: &mut S,
    (selection, spool): (&Selection, &Path),
    progress: &mut dyn FnMut(u64),
) -> Result<Picker, ListError>
where
    S::Pages: 'static,
{
    let query = PageQuery::of(&selection.prefix);
    let mut picker = Picker::create(selection, spool)?;
    picker.listed.pages = 1;
    let mut first = source.first(&query).await?;
    if source.lists_in_order() && is_worth_streams(&first, selection) {
        let parts = parallel::Parts {
            source,
            picker: &mut picker,
            progress,
            spool,
        };
        match Box::pin(parallel::list(parts, &selection.prefix, first)).await {
            Ok(()) => return Ok(picker),
            Err(Wrong::Listing(error)) => return Err(error),
            Err(Wrong::Order) => {
                tracing::warn!(
                    "the store does not list in the order of the keys, or not as S3 behind a given key: listed again from the beginning by one stream"
                );
            }
        }
        let pages = picker.listed.pages + 1;
        // What it still holds must not go into the new file.
        drop(picker);
        picker = Picker::create(selection, spool)?;
        picker.listed.pages = pages;
        first = source.first(&query).await?;
    }
    one_by_one(source, (query, first), (&mut picker, progress)).await?;
    Ok(picker)
}

/// Whether there may be so many pages that others than the first stream save time.
fn is_worth_streams(first: &ListPage, selection: &Selection) -> bool {
    let shards = selection
        .shard
        .map_or(1, |shard| u64::from(shard.count.get()));
    let few = FEW_PAGES * first.keys.len() as u64;
    let long = selection
        .limit
        .is_none_or(|limit| limit.saturating_mul(shards) > few);
    first.truncated && first.keys.len() > 1 && long && first.keys.is_sorted_by(|a, b| a.key < b.key)
}

/// Every page, one after another.
async fn one_by_one<S: Source>(
    source: &mut S,
    (query, first): (PageQuery, ListPage),
    (picker, progress): (&mut Picker, &mut dyn FnMut(u64)),
) -> Result<(), ListError> {
    let mut walk = Walk::new(query);
    // Of this stream alone.
    let mut pages = None;
    let mut next = Some(first);
    loop {
        if let Some(page) = next.take()
            && walk.accepts(&page)?
        {
            for record in &page.keys {
                if !picker.take(record)? {
                    return Ok(());
                }
            }
            progress(picker.listed.keys);
            walk.follow(&page)?;
            if walk.is_over() {
                return Ok(());
            }
        }
        let stream = match &mut pages {
            Some(stream) => stream,
            none => none.insert(source.pages(0).await?),
        };
        picker.listed.pages += 1;
        next = match stream.page(walk.query()).await {
            Err(error) if is_refusal(&error) && walk.is_refused() => None,
            page => Some(page?),
        };
    }
}

/// Whether an error may say that the store does not know the request.
fn is_refusal(error: &StoreError) -> bool {
    matches!(
        error.kind,
        StoreErrorKind::NotImplemented | StoreErrorKind::Other | StoreErrorKind::Protocol
    )
}

#[cfg(test)]
mod tests;
