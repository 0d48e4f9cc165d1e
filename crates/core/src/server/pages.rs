//! Listing pages of both buckets, in both versions of the operation, written as S3 writes them.

use http::Extensions;
use s3s::dto::{
    CommonPrefix, CommonPrefixList, ETag, EncodingType, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectList, ObjectStorageClass, Timestamp,
};
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::length;
use super::listing::{self, ListingPage, Query, SortedKeys, url_encoded};
use super::reading::{Backend, Which, context, which};
use super::results;
use super::source::SourceBucket;

/// A listing's page and how it is to be written.
struct Listing {
    objects: Vec<Object>,
    common_prefixes: Vec<String>,
    next: Option<String>,
    encoding: Option<EncodingType>,
}

impl Listing {
    fn text(&self, text: String) -> String {
        if self
            .encoding
            .as_ref()
            .is_some_and(|encoding| encoding.as_str() == EncodingType::URL)
        {
            url_encoded(&text)
        } else {
            text
        }
    }

    fn contents(&mut self) -> Option<ObjectList> {
        let mut objects = std::mem::take(&mut self.objects);
        for object in &mut objects {
            object.key = object.key.take().map(|key| self.text(key));
        }
        (!objects.is_empty()).then_some(objects)
    }

    fn common(&mut self) -> Option<CommonPrefixList> {
        let prefixes = std::mem::take(&mut self.common_prefixes);
        let prefixes: Vec<CommonPrefix> = prefixes
            .into_iter()
            .map(|prefix| CommonPrefix {
                prefix: Some(self.text(prefix)),
            })
            .collect();
        (!prefixes.is_empty()).then_some(prefixes)
    }
}

impl Backend {
    /// Reads a page of either bucket.
    async fn list(
        &self,
        bucket: &str,
        mut query: Query,
        extensions: &Extensions,
    ) -> S3Result<Listing> {
        query.max_keys = query.max_keys.min(self.source.page_keys);
        match which(bucket)? {
            Which::Source => {
                self.source.list_page(&context(extensions)?).await;
                Ok(listed(
                    read_page(&self.source.keys, &query)?,
                    |index, key| self.source_entry(index, key),
                ))
            }
            Which::Results => {
                let all = self.results.list()?;
                Ok(listed(read_page(&all, &query)?, |index, key| {
                    let metadata =
                        &all.0[usize::try_from(index).expect("an index of the listing")].1;
                    let (tag, modified) = (results::tag(metadata), results::modified(metadata));
                    entry(
                        key,
                        ShownObject {
                            size: metadata.len(),
                            tag,
                            modified,
                            class: ObjectStorageClass::STANDARD,
                        },
                    )
                }))
            }
        }
    }

    fn source_entry(&self, index: u64, key: String) -> Object {
        let facts = self.source.facts(index, &key);
        let class = if facts.archived {
            ObjectStorageClass::GLACIER
        } else {
            ObjectStorageClass::STANDARD
        };
        entry(
            key,
            ShownObject {
                size: facts.size,
                tag: facts.tag,
                modified: SourceBucket::modified(),
                class,
            },
        )
    }

    /// A page of `ListObjectsV2`.
    pub(super) async fn page_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<ListObjectsV2Output> {
        let input = request.input;
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            start_after: input.start_after.clone().unwrap_or_default(),
            token: input.continuation_token.clone(),
            max_keys: max_keys(input.max_keys)?,
        };
        let mut listing = self.list(&input.bucket, query, &request.extensions).await?;
        listing.encoding.clone_from(&input.encoding_type);
        let (contents, common_prefixes) = (listing.contents(), listing.common());
        let count =
            contents.as_ref().map_or(0, Vec::len) + common_prefixes.as_ref().map_or(0, Vec::len);
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(count).ok(),
            max_keys: Some(input.max_keys.unwrap_or(1_000)),
            is_truncated: Some(listing.next.is_some()),
            next_continuation_token: listing.next.clone(),
            continuation_token: input.continuation_token,
            name: Some(input.bucket),
            prefix: Some(listing.text(input.prefix.unwrap_or_default())),
            delimiter: input.delimiter.map(|delimiter| listing.text(delimiter)),
            start_after: input.start_after.map(|start| listing.text(start)),
            encoding_type: input.encoding_type,
            contents,
            common_prefixes,
            ..ListObjectsV2Output::default()
        })
    }

    /// A page of `ListObjects`, its first version.
    pub(super) async fn page_v1(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<ListObjectsOutput> {
        let input = request.input;
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            start_after: input.marker.clone().unwrap_or_default(),
            token: None,
            max_keys: max_keys(input.max_keys)?,
        };
        if !query.delimiter.is_empty() {
            return Err(s3_error!(
                NotImplemented,
                "the first version of ListObjects is served without a delimiter only"
            ));
        }
        let mut listing = self.list(&input.bucket, query, &request.extensions).await?;
        listing.encoding.clone_from(&input.encoding_type);
        let truncated = listing.next.is_some();
        let contents = listing.contents();
        let last = contents
            .as_ref()
            .and_then(|objects| objects.last()?.key.clone());
        Ok(ListObjectsOutput {
            max_keys: Some(input.max_keys.unwrap_or(1_000)),
            is_truncated: Some(truncated),
            next_marker: last.filter(|_| truncated),
            marker: Some(listing.text(input.marker.unwrap_or_default())),
            name: Some(input.bucket),
            prefix: Some(listing.text(input.prefix.unwrap_or_default())),
            encoding_type: input.encoding_type,
            contents,
            ..ListObjectsOutput::default()
        })
    }
}

fn read_page(keys: &impl SortedKeys, query: &Query) -> S3Result<ListingPage> {
    listing::page(keys, query).ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "The continuation token provided is incorrect"
        )
    })
}

fn listed(page: ListingPage, mut entry: impl FnMut(u64, String) -> Object) -> Listing {
    let objects = page
        .keys
        .into_iter()
        .map(|(index, key)| entry(index, key))
        .collect();
    Listing {
        objects,
        common_prefixes: page.common_prefixes,
        next: page.next,
        encoding: None,
    }
}

/// What a listing tells of an object.
struct ShownObject {
    size: u64,
    tag: ETag,
    modified: Timestamp,
    class: &'static str,
}

fn entry(key: String, shown: ShownObject) -> Object {
    Object {
        key: Some(key),
        size: length(shown.size),
        e_tag: Some(shown.tag),
        last_modified: Some(shown.modified),
        storage_class: Some(ObjectStorageClass::from_static(shown.class)),
        ..Object::default()
    }
}

fn max_keys(asked: Option<i32>) -> S3Result<u64> {
    u64::try_from(asked.unwrap_or(1_000))
        .map_err(|_| s3_error!(InvalidArgument, "max-keys cannot be negative"))
}
