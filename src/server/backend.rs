//! The S3 operations that the server knows, handed on to the bucket that they are for.

use std::ops::Range as Bytes;
use std::sync::Arc;

use http::Extensions;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, ChecksumAlgorithm,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CopySource, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETag, ETagCondition, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, PutObjectInput, PutObjectOutput, Range, StorageClass, StreamingBlob,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::connection::RequestContext;
use super::multipart::Uploads;
use super::results::{Declared, Named, Replace, Results};
use super::source::Source;
use super::{RESULTS_BUCKET, SOURCE_BUCKET};

/// Region that the buckets are in; requests may be signed for any.
const REGION: &str = "us-east-1";

/// Content type of objects that have none.
pub(super) const CONTENT_TYPE: &str = "binary/octet-stream";

/// Both buckets.
pub(super) struct Backend {
    pub(super) source: Arc<Source>,
    pub(super) results: Results,
    pub(super) uploads: Uploads,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Source,
    Results,
}

pub(super) fn which(bucket: &str) -> S3Result<Which> {
    match bucket {
        SOURCE_BUCKET => Ok(Which::Source),
        RESULTS_BUCKET => Ok(Which::Results),
        _ => Err(s3_error!(
            NoSuchBucket,
            "The specified bucket does not exist"
        )),
    }
}

/// Fails for the source bucket, which nothing changes.
fn writable(bucket: &str) -> S3Result<()> {
    match which(bucket)? {
        Which::Results => Ok(()),
        Which::Source => Err(s3_error!(
            AccessDenied,
            "Access Denied: the source bucket is synthetic and cannot be changed"
        )),
    }
}

pub(super) fn context(extensions: &Extensions) -> S3Result<RequestContext> {
    extensions
        .get::<RequestContext>()
        .cloned()
        .ok_or_else(|| s3_error!(InternalError, "a request came without its connection"))
}

/// What `If-Match` and `If-None-Match` say of an object that is there.
fn check_conditions(
    tag: &ETag,
    matching: Option<&ETagCondition>,
    differing: Option<&ETagCondition>,
) -> S3Result<()> {
    let matches = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(tag),
    };
    if matching.is_some_and(|condition| !matches(condition)) {
        return Err(s3_error!(
            PreconditionFailed,
            "At least one of the pre-conditions you specified did not hold"
        ));
    }
    if differing.is_some_and(matches) {
        return Err(s3_error!(NotModified, "Not Modified"));
    }
    Ok(())
}

/// The bytes asked for and, for a part of the object, its `Content-Range`.
fn bounds(range: Option<&Range>, size: u64) -> S3Result<(Bytes<u64>, Option<String>)> {
    let Some(range) = range else {
        return Ok((0..size, None));
    };
    let invalid = || s3_error!(InvalidRange, "The requested range is not satisfiable");
    let bytes = range
        .check(size)
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(invalid)?;
    let text = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
    Ok((bytes, Some(text)))
}

pub(super) fn length(bytes: u64) -> Option<i64> {
    i64::try_from(bytes).ok()
}

fn replace(condition: Option<&ETagCondition>) -> S3Result<Replace> {
    match condition {
        None => Ok(Replace::Yes),
        Some(ETagCondition::Any) => Ok(Replace::No),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(
            NotImplemented,
            "If-None-Match with an ETag is not implemented on writes"
        )),
    }
}

impl Backend {
    async fn get_source(&self, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
        let input = &request.input;
        let context = context(&request.extensions)?;
        let facts = self.source.find(&input.key, &context).await?;
        check_conditions(
            &facts.tag,
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
        )?;
        let breaks = self.source.fault(&facts, &context).await?;
        let (bytes, content_range) = bounds(input.range.as_ref(), facts.size)?;
        Ok(GetObjectOutput {
            content_length: length(bytes.end - bytes.start),
            body: Some(self.source.body(bytes, context, breaks)),
            content_range,
            accept_ranges: Some("bytes".to_owned()),
            content_type: Some(CONTENT_TYPE.to_owned()),
            e_tag: Some(facts.tag),
            last_modified: Some(Source::modified()),
            ..GetObjectOutput::default()
        })
    }

    fn get_result(&self, input: &GetObjectInput) -> S3Result<GetObjectOutput> {
        let stored = self.results.find(&input.key)?;
        check_conditions(
            &stored.tag,
            input.if_match.as_ref(),
            input.if_none_match.as_ref(),
        )?;
        let (bytes, content_range) = bounds(input.range.as_ref(), stored.size)?;
        Ok(GetObjectOutput {
            content_length: length(bytes.end - bytes.start),
            content_range,
            accept_ranges: Some("bytes".to_owned()),
            content_type: Some(CONTENT_TYPE.to_owned()),
            e_tag: Some(stored.tag.clone()),
            last_modified: Some(stored.modified.clone()),
            metadata: stored.metadata.clone(),
            body: Some(stored.body(bytes)),
            ..GetObjectOutput::default()
        })
    }
}

impl Backend {
    /// The bytes of an object that is copied.
    async fn original(
        &self,
        from: &CopySource,
        request: RequestContext,
    ) -> S3Result<StreamingBlob> {
        let CopySource::Bucket { bucket, key, .. } = from else {
            return Err(s3_error!(
                NotImplemented,
                "copies by access point are not implemented"
            ));
        };
        if which(bucket)? == Which::Results {
            let stored = self.results.find(key)?;
            let size = stored.size;
            return Ok(stored.body(0..size));
        }
        let facts = self.source.find(key, &request).await?;
        if facts.archived {
            return Err(s3_error!(
                InvalidObjectState,
                "The operation is not valid for the object's storage class"
            ));
        }
        Ok(self.source.body(0..facts.size, request, None))
    }
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn list_buckets(
        &self,
        _: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let bucket = |name: &str| Bucket {
            name: Some(name.to_owned()),
            creation_date: Some(Source::modified()),
            ..Bucket::default()
        };
        let buckets = Some(vec![bucket(RESULTS_BUCKET), bucket(SOURCE_BUCKET)]);
        Ok(S3Response::new(ListBucketsOutput {
            buckets,
            ..ListBucketsOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        which(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(REGION.to_owned()),
            ..HeadBucketOutput::default()
        }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        which(&request.input.bucket)?;
        // S3 answers nothing for us-east-1.
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        Ok(S3Response::new(self.page_v2(request).await?))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        Ok(S3Response::new(self.page_v1(request).await?))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let output = match which(&request.input.bucket)? {
            Which::Source => self.get_source(request).await?,
            Which::Results => self.get_result(&request.input)?,
        };
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = &request.input;
        let (size, tag, modified, archived, metadata) = match which(&input.bucket)? {
            Which::Source => {
                let facts = self
                    .source
                    .find(&input.key, &context(&request.extensions)?)
                    .await?;
                (
                    facts.size,
                    facts.tag,
                    Source::modified(),
                    facts.archived,
                    None,
                )
            }
            Which::Results => {
                let stored = self.results.find(&input.key)?;
                (
                    stored.size,
                    stored.tag,
                    stored.modified,
                    false,
                    stored.metadata,
                )
            }
        };
        check_conditions(&tag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: length(size),
            accept_ranges: Some("bytes".to_owned()),
            content_type: Some(CONTENT_TYPE.to_owned()),
            e_tag: Some(tag),
            last_modified: Some(modified),
            metadata,
            storage_class: archived.then(|| StorageClass::from_static(StorageClass::GLACIER)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        writable(&input.bucket)?;
        let replace = replace(input.if_none_match.as_ref())?;
        let sums = vec![
            ("x-amz-checksum-crc32", input.checksum_crc32),
            ("x-amz-checksum-crc32c", input.checksum_crc32c),
            ("x-amz-checksum-sha1", input.checksum_sha1),
            ("x-amz-checksum-sha256", input.checksum_sha256),
            ("x-amz-checksum-crc64nvme", input.checksum_crc64nvme),
        ];
        let declared = Declared::new(
            input
                .checksum_algorithm
                .as_ref()
                .map(ChecksumAlgorithm::as_str),
            sums,
            request.trailing_headers,
        );
        let file = self
            .results
            .receive(input.body.ok_or_else(incomplete)?, declared)
            .await?;
        let tag = self.results.store(
            file,
            Named {
                key: &input.key,
                replace,
                metadata: input.metadata,
            },
        )?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(tag),
            ..PutObjectOutput::default()
        }))
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let context = context(&request.extensions)?;
        // s3s does not read this header of a copy.
        let replace = if request.headers.contains_key(http::header::IF_NONE_MATCH) {
            Replace::No
        } else {
            Replace::Yes
        };
        let input = request.input;
        writable(&input.bucket)?;
        let body = self.original(&input.copy_source, context).await?;
        let file = self.results.receive(body, Declared::default()).await?;
        let tag = self.results.store(
            file,
            Named {
                key: &input.key,
                replace,
                metadata: input.metadata,
            },
        )?;
        let result = CopyObjectResult {
            e_tag: Some(tag),
            last_modified: Some(Source::modified()),
            ..CopyObjectResult::default()
        };
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            ..CopyObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        writable(&request.input.bucket)?;
        self.results.delete(&request.input.key)?;
        Ok(S3Response::with_status(
            DeleteObjectOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        writable(&request.input.bucket)?;
        let mut deleted = Vec::new();
        for object in request.input.delete.objects {
            self.results.delete(&object.key)?;
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..DeletedObject::default()
            });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        writable(&input.bucket)?;
        let id = self.uploads.create(input.key.clone(), input.metadata);
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        writable(&input.bucket)?;
        self.uploads
            .check(&input.upload_id, &input.key, input.part_number)?;
        let sums = vec![
            ("x-amz-checksum-crc32", input.checksum_crc32),
            ("x-amz-checksum-crc32c", input.checksum_crc32c),
            ("x-amz-checksum-sha1", input.checksum_sha1),
            ("x-amz-checksum-sha256", input.checksum_sha256),
            ("x-amz-checksum-crc64nvme", input.checksum_crc64nvme),
        ];
        let declared = Declared::new(
            input
                .checksum_algorithm
                .as_ref()
                .map(ChecksumAlgorithm::as_str),
            sums,
            request.trailing_headers,
        );
        let file = self
            .results
            .receive(input.body.ok_or_else(incomplete)?, declared)
            .await?;
        let tag = self
            .uploads
            .add(&input.upload_id, input.part_number, file)?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(tag),
            ..UploadPartOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        writable(&input.bucket)?;
        let replace = replace(input.if_none_match.as_ref())?;
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let tag = self
            .uploads
            .complete(&input.upload_id, &parts, (&self.results, replace))?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(tag),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        writable(&request.input.bucket)?;
        self.uploads.abort(&request.input.upload_id)?;
        Ok(S3Response::with_status(
            AbortMultipartUploadOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }
}

fn incomplete() -> S3Error {
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
}
