//! What is under a key, as the head of the object says it.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;

use super::bucket::Bucket;
use super::error::{StoreError, StoreErrorKind};
use super::filling::MARK;

/// What is under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// No object.
    Nothing,
    /// This one.
    There(HeldObject),
    /// These credentials may not ask.
    Unknown,
}

/// An object as its head describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldObject {
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its mark, if fill made it.
    pub mark: Option<String>,
}

impl HeldObject {
    pub(super) fn of(head: &HeadObjectOutput) -> Self {
        Self {
            size: head
                .content_length()
                .and_then(|length| u64::try_from(length).ok()),
            mark: head
                .metadata()
                .and_then(|metadata| metadata.get(MARK))
                .cloned(),
        }
    }
}

impl Bucket {
    /// Whether there is an object: `None` when these credentials may not ask.
    pub async fn exists(&mut self, key: &str) -> Result<Option<bool>, StoreError> {
        Ok(match self.look(key).await? {
            Looked::Nothing => Some(false),
            Looked::There(_) => Some(true),
            Looked::Unknown => None,
        })
    }

    /// What is under a key, by its head.
    pub async fn look(&mut self, key: &str) -> Result<Looked, StoreError> {
        loop {
            let answer = self
                .client
                .head_object()
                .bucket(&self.name)
                .key(key)
                .send()
                .await;
            let error = match answer {
                Ok(head) => return Ok(Looked::There(HeldObject::of(&head))),
                Err(error) => self.call("read", key).failed(&error),
            };
            match error.kind {
                StoreErrorKind::NoSuchKey => return Ok(Looked::Nothing),
                StoreErrorKind::Denied => return Ok(Looked::Unknown),
                // A HEAD has no body to name the region; the next call finds out.
                StoreErrorKind::OtherRegion if !self.follow(&error) => return Ok(Looked::Unknown),
                StoreErrorKind::OtherRegion => {}
                _ => return Err(error),
            }
        }
    }
}
