//! Lists the keys of a run from wherever they come, and decides how many streams of pages list a bucket.

use std::path::Path;

use super::error::{LISTING_HINT, ListError, StreamError};
use super::keyfile::off_thread;
use super::pages::{PageSource, Pages as _, is_refusal};
use super::pick::{Listed, Picker};
use super::{inventory, keyfile, parallel};
use crate::plan::{KeySource, Selection};
use crate::store::{Bucket, ListPage, PageQuery, Walk};

/// What to try without a shard.
const FOLDER_HINT: &str = "say which with --shard I/N";
/// A listing of no more pages than this is one stream: others would ask for more than they save.
const FEW_PAGES: u64 = 16;

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

/// The keys of a bucket: many streams where that pays, else, or where the store keeps no order, one.
pub(super) async fn listing<S: PageSource>(
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
        let parts = parallel::ListingParts {
            source,
            picker: &mut picker,
            progress,
            spool,
        };
        match Box::pin(parallel::list(parts, &selection.prefix, first)).await {
            Ok(()) => return Ok(picker),
            Err(StreamError::Listing(error)) => return Err(error),
            Err(StreamError::Order) => {
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
async fn one_by_one<S: PageSource>(
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

#[cfg(test)]
mod tests;
