//! Which bucket a request is for, and the objects of both, read.

use std::sync::Arc;

use http::Extensions;
use s3s::dto::{CopySource, GetObjectInput, GetObjectOutput, StreamingBlob};
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::{bounds, check_conditions, length};
use super::connection::RequestContext;
use super::multipart::Uploads;
use super::results::ResultsBucket;
use super::source::SourceBucket;
use super::{RESULTS_BUCKET, SOURCE_BUCKET};

/// Content type of objects that have none.
pub(super) const CONTENT_TYPE: &str = "binary/octet-stream";

/// Both buckets.
pub(super) struct Backend {
    pub(super) source: Arc<SourceBucket>,
    pub(super) results: ResultsBucket,
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
pub(super) fn writable(bucket: &str) -> S3Result<()> {
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

impl Backend {
    pub(super) async fn get_source(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<GetObjectOutput> {
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
            last_modified: Some(SourceBucket::modified()),
            ..GetObjectOutput::default()
        })
    }

    pub(super) fn get_result(&self, input: &GetObjectInput) -> S3Result<GetObjectOutput> {
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

    /// The bytes of an object that is copied.
    pub(super) async fn original(
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
