//! Uploads in parts: begun, sent part after part, and completed or taken back.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::bucket::Bucket;
use super::dialect::{Replace, RequestForm};
use super::error::{StoreError, StoreErrorKind};

/// Gives one part after another, an empty one at the end.
pub(super) type NextPart<'a> = &'a mut (dyn FnMut() -> Result<Vec<u8>, StoreError> + 'a);

/// An upload in parts that was begun.
struct PartUpload {
    id: String,
    form: RequestForm,
}

impl Bucket {
    /// Stores what `next` gives, part after part until an empty one; each but the last has 5 MiB at least. An error where the store takes no parts.
    pub async fn store_parts(
        &mut self,
        key: &str,
        next: NextPart<'_>,
        replace: Replace,
    ) -> Result<(), StoreError> {
        self.store_in_parts(key, next, replace)
            .await?
            .map_or(Ok(()), Err)
    }

    /// The same; `Some` where the store takes no uploads in parts.
    pub(super) async fn store_in_parts(
        &mut self,
        key: &str,
        next: NextPart<'_>,
        replace: Replace,
    ) -> Result<Option<StoreError>, StoreError> {
        let mut refusal = None;
        if self.dialect.takes_parts() {
            for form in self.dialect.forms(Replace::Yes) {
                let begun = match self.begin_upload(key, form).await {
                    Err(error) if error.kind == StoreErrorKind::NotImplemented => {
                        refusal = refusal.or(Some(error));
                        continue;
                    }
                    begun => begun?,
                };
                self.dialect.learn(form, Replace::Yes);
                return self
                    .send_and_end((key, next), &PartUpload { id: begun, form }, replace)
                    .await
                    .map(|()| None);
            }
            self.dialect.learn_no_parts();
        }
        Ok(Some(refusal.unwrap_or_else(|| {
            self.failed(key, "the store takes no uploads in parts")
        })))
    }

    /// Takes back the uploads in parts that were begun and not ended, after whoever sent them was dropped. Best effort.
    pub async fn abort_open(&self) {
        let open = std::mem::take(&mut *self.dialect.open());
        let aborts = open.iter().map(|(id, key)| self.abort(key, id));
        futures::future::join_all(aborts).await;
    }

    async fn abort(&self, key: &str, id: &str) {
        // Best effort: what stays of an upload costs money, and there is nobody who could do more.
        let _aborted = self
            .client
            .abort_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .upload_id(id)
            .send()
            .await;
    }

    async fn begin_upload(&mut self, key: &str, form: RequestForm) -> Result<String, StoreError> {
        loop {
            self.dialect.count_put();
            let request = self
                .client
                .create_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .set_checksum_algorithm(form.algorithm());
            let request = request
                .content_type(content_type(key))
                .set_metadata(self.metadata());
            let answer = request
                .send()
                .await
                .map_err(|error| self.call("store", key).failed(&error));
            match answer {
                Ok(answer) => {
                    let id = answer.upload_id.unwrap_or_default();
                    self.dialect.open().insert(id.clone(), key.to_owned());
                    return Ok(id);
                }
                Err(error) if self.follow(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_and_end(
        &mut self,
        (key, next): (&str, NextPart<'_>),
        upload: &PartUpload,
        replace: Replace,
    ) -> Result<(), StoreError> {
        let result = match self.send_parts((key, next), upload).await {
            Ok(parts) => self.end_upload(key, (upload, parts), replace).await,
            Err(error) => Err(error),
        };
        self.dialect.open().remove(&upload.id);
        if result.is_err() {
            // The error of the upload itself is the one to tell.
            self.abort(key, &upload.id).await;
        }
        result
    }

    async fn send_parts(
        &self,
        (key, next): (&str, NextPart<'_>),
        upload: &PartUpload,
    ) -> Result<Vec<CompletedPart>, StoreError> {
        let mut parts = Vec::new();
        loop {
            let part = next()?;
            if part.is_empty() {
                return Ok(parts);
            }
            let number =
                i32::try_from(parts.len() + 1).map_err(|_| self.failed(key, "too large"))?;
            self.dialect.count_put();
            let request = self
                .client
                .upload_part()
                .bucket(&self.name)
                .key(key)
                .upload_id(&upload.id)
                .part_number(number);
            let request = request
                .set_checksum_algorithm(upload.form.algorithm())
                .body(ByteStream::from(part));
            let answer = request
                .customize()
                .config_override(upload.form.overrides())
                .send()
                .await;
            let answer = answer.map_err(|error| self.call("store", key).failed(&error))?;
            let part = CompletedPart::builder()
                .part_number(number)
                .set_e_tag(answer.e_tag);
            parts.push(
                part.set_checksum_crc64_nvme(answer.checksum_crc64_nvme)
                    .build(),
            );
        }
    }

    async fn end_upload(
        &mut self,
        key: &str,
        (upload, parts): (&PartUpload, Vec<CompletedPart>),
        replace: Replace,
    ) -> Result<(), StoreError> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let mut refusal = None;
        for form in self
            .dialect
            .forms(replace)
            .into_iter()
            .filter(|form| form.checksum == upload.form.checksum)
        {
            if replace == Replace::No && !form.condition {
                self.look_first(key, refusal.as_ref()).await?;
            }
            self.dialect.count_put();
            let request = self
                .client
                .complete_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .upload_id(&upload.id);
            let request = request
                .multipart_upload(parts.clone())
                .set_if_none_match(form.if_none_match());
            match request
                .send()
                .await
                .map_err(|error| self.call("store", key).failed(&error))
            {
                Ok(_) => {
                    self.dialect.learn(form, replace);
                    return Ok(());
                }
                Err(error) if error.kind == StoreErrorKind::NotImplemented => {
                    refusal = refusal.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| self.failed(key, "the store takes no form of it")))
    }
}

/// By the ending of the key.
pub(super) fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.') {
        Some((_, "csv")) => "text/csv",
        Some((_, "json")) => "application/json",
        _ => "application/octet-stream",
    }
}
