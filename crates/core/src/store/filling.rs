//! What fill needs of a bucket beside storing: objects that carry a mark, copies on the store's side, and the bucket itself.
//!
//! The mark is user metadata; what lacks it was made by somebody else.

use std::collections::HashMap;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, MetadataDirective};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::bucket::Bucket;
use super::dialect::RequestForm;
use super::error::{StoreError, StoreErrorKind};

pub use super::storing::WHOLE_BYTES;

/// Name of the mark: `x-amz-meta-parfetch-fill`.
pub(super) const MARK: &str = "parfetch-fill";
/// Size of a part of an object that is made; up to this it is stored by one request.
pub const PART_BYTES: u64 = 16 << 20;
/// What `x-amz-copy-source` leaves as it is.
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// The region that no bucket is placed in by name.
const FIRST_REGION: &str = "us-east-1";

/// An object that is copied.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its bucket.
    pub bucket: &'a str,
    /// Its key.
    pub key: &'a str,
}

impl Origin<'_> {
    /// `bucket/key`, as the header takes it.
    fn header(self) -> String {
        format!("{}/{}", self.bucket, utf8_percent_encode(self.key, SOURCE))
    }
}

impl Bucket {
    /// The same bucket; every object that is stored or copied into it carries this mark, which is ASCII.
    #[must_use]
    pub fn marking(mut self, mark: &str) -> Self {
        self.mark = Some(mark.to_owned());
        self
    }

    pub(super) fn metadata(&self) -> Option<HashMap<String, String>> {
        Some(HashMap::from([(MARK.to_owned(), self.mark.clone()?)]))
    }

    /// Copies an object of up to [`WHOLE_BYTES`] to `key` on the store's side, and replaces nothing. Whoever calls this has looked whether there is one:
    /// a store may ignore `If-None-Match` of a copy without a word.
    pub async fn copy(&mut self, from: Origin<'_>, key: &str) -> Result<(), StoreError> {
        let mut refusal = None;
        for condition in [true, false] {
            let form = RequestForm {
                checksum: false,
                condition,
            };
            if !condition {
                self.look_first(key, refusal.as_ref()).await?;
            }
            match self.copy_once(from, key, form).await {
                Err(error) if error.kind == StoreErrorKind::NotImplemented && condition => {
                    refusal = Some(error);
                }
                result => return result,
            }
        }
        Err(refusal.unwrap_or_else(|| self.failed(key, "the store takes no copies")))
    }

    async fn copy_once(
        &mut self,
        from: Origin<'_>,
        key: &str,
        form: RequestForm,
    ) -> Result<(), StoreError> {
        loop {
            self.dialect.count_put();
            let request = self
                .client
                .copy_object()
                .bucket(&self.name)
                .key(key)
                .copy_source(from.header());
            let request = request
                .set_metadata(self.metadata())
                .metadata_directive(MetadataDirective::Replace);
            let request = request
                .content_type("application/octet-stream")
                .set_if_none_match(form.if_none_match())
                .set_request_payer(self.payer());
            let what = format!("copy s3://{}/{} to", from.bucket, from.key);
            match request
                .send()
                .await
                .map_err(|error| self.call(&what, key).failed(&error))
            {
                Err(error) if self.follow(&error) => {}
                result => return result.map(drop),
            }
        }
    }

    /// Makes the bucket, in the region of its session. One of one's own that is there already is fine.
    pub async fn create(&self) -> Result<(), StoreError> {
        let region = self.session.region();
        let place = (region != FIRST_REGION && self.session.endpoint().is_none()).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        let answer = self
            .client
            .create_bucket()
            .bucket(&self.name)
            .set_create_bucket_configuration(place)
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        if error.as_service_error().is_some_and(
            aws_sdk_s3::operation::create_bucket::CreateBucketError::is_bucket_already_owned_by_you,
        ) {
            return Ok(());
        }
        let failed = self.call("create", "").failed(&error);
        Err(if failed.kind == StoreErrorKind::Denied {
            failed.hint("grant s3:CreateBucket to these credentials, or make the bucket otherwise")
        } else {
            failed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_copy_is_encoded_but_for_its_slashes() {
        assert_eq!(
            Origin {
                bucket: "images",
                key: "a b/+é%.jpg"
            }
            .header(),
            "images/a%20b/%2B%C3%A9%25.jpg"
        );
    }
}
