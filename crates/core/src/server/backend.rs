//! The S3 operations that the server knows, handed on to the bucket that they are for.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, ChecksumAlgorithm,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput,
    ListBucketsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, PutObjectInput, PutObjectOutput, StorageClass, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::conditions::{check_conditions, length, replace};
use super::reading::{Backend, CONTENT_TYPE, Which, context, which, writable};
use super::results::{Declared, NamedObject, Overwrite};
use super::source::SourceBucket;
use super::{RESULTS_BUCKET, SOURCE_BUCKET};

/// Region that the buckets are in; requests may be signed for any.
const REGION: &str = "us-east-1";

/// The checksums of a body, which every request that has one declares by fields of the same names.
macro_rules! declared {
    ($input:ident, $trailing:expr) => {
        Declared::new(
            $input
                .checksum_algorithm
                .as_ref()
                .map(ChecksumAlgorithm::as_str),
            vec![
                ("x-amz-checksum-crc32", $input.checksum_crc32),
                ("x-amz-checksum-crc32c", $input.checksum_crc32c),
                ("x-amz-checksum-sha1", $input.checksum_sha1),
                ("x-amz-checksum-sha256", $input.checksum_sha256),
                ("x-amz-checksum-crc64nvme", $input.checksum_crc64nvme),
            ],
            $trailing,
        )
    };
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn list_buckets(
        &self,
        _: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let bucket = |name: &str| Bucket {
            name: Some(name.to_owned()),
            creation_date: Some(SourceBucket::modified()),
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
                    SourceBucket::modified(),
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
        let declared = declared!(input, request.trailing_headers);
        let file = self
            .results
            .receive(input.body.ok_or_else(incomplete)?, declared)
            .await?;
        let tag = self.results.store(
            file,
            NamedObject {
                key: &input.key,
                replace,
                over: input.if_match,
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
            Overwrite::No
        } else {
            Overwrite::Yes
        };
        let input = request.input;
        writable(&input.bucket)?;
        let body = self.original(&input.copy_source, context).await?;
        let file = self.results.receive(body, Declared::default()).await?;
        let tag = self.results.store(
            file,
            NamedObject {
                key: &input.key,
                replace,
                over: None,
                metadata: input.metadata,
            },
        )?;
        let result = CopyObjectResult {
            e_tag: Some(tag),
            last_modified: Some(SourceBucket::modified()),
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
        let declared = declared!(input, request.trailing_headers);
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
