//! What can be found out about credentials and a bucket before a run: whose keys they are, the store's clock, and whether an object can be read.

use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::answer::http_date;
use super::bucket::Bucket;
use super::clock::offset_from_now;
use super::credentials::no_credentials;
use super::error::{StoreError, StoreErrorKind};
use super::session::Session;

/// Characters of an access key ID that are shown.
const SHOWN: usize = 4;

/// Credentials, as far as they may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The last characters of the access key ID.
    pub id_end: String,
    /// Where they come from, in words; `None` where the provider does not say.
    pub origin: Option<&'static str>,
    /// Whether they are temporary.
    pub is_temporary: bool,
}

impl Session {
    /// The credentials that requests would be signed with; `None` where they go out unsigned.
    ///
    /// # Errors
    /// When there are none.
    pub async fn keys(&self) -> Result<Option<Keys>, StoreError> {
        let Some(provider) = self
            .config()
            .credentials_provider()
            .filter(|_| !self.access().no_sign_request)
        else {
            return Ok(None);
        };
        let found = provider
            .provide_credentials()
            .await
            .map_err(|error| no_credentials(&error))?;
        let id = found.access_key_id();
        // Of a short one nothing is shown: stores of one's own take names for keys.
        let start = if id.len() >= 4 * SHOWN {
            id.len() - SHOWN
        } else {
            id.len()
        };
        Ok(Some(Keys {
            id_end: id.get(start..).unwrap_or_default().to_owned(),
            origin: origin(
                found
                    .get_property::<Vec<Feature>>()
                    .map_or(&[], Vec::as_slice),
            ),
            is_temporary: found.session_token().is_some(),
        }))
    }

    /// The endpoint of S3, when it is not AWS's own.
    pub fn own_endpoint(&self) -> Option<&str> {
        self.endpoint()
    }
}

/// The most telling of what a provider says of itself.
fn origin(features: &[Feature]) -> Option<&'static str> {
    let known = [
        (Feature::CredentialsSso, "SSO"),
        (Feature::CredentialsProfileSso, "SSO"),
        (Feature::CredentialsProcess, "credential_process"),
        (
            Feature::CredentialsProfileStsWebIdToken,
            "a web identity token",
        ),
        (
            Feature::CredentialsEnvVarsStsWebIdToken,
            "a web identity token",
        ),
        (Feature::CredentialsStsAssumeRole, "an assumed role"),
        (Feature::CredentialsHttp, "the role of the task"),
        (Feature::CredentialsImds, "the role of the instance"),
        (Feature::CredentialsEnvVars, "AWS_ACCESS_KEY_ID"),
        (Feature::CredentialsProfile, "the shared AWS files"),
    ];
    known
        .into_iter()
        .find(|(feature, _)| features.contains(feature))
        .map(|(_, words)| words)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectStart {
    /// How much of it came.
    pub bytes: u64,
    /// Whether S3 calls KMS for each GET: a KMS key encrypts the object, without a bucket key.
    pub calls_kms: bool,
}

impl Bucket {
    /// How far the store's clock is ahead of this machine's, in whole s; `None` without an answer. Any answer will do, a refusal too.
    pub async fn clock_offset_s(&self) -> Option<i64> {
        let dated = Dated::default();
        let request = self
            .client
            .head_bucket()
            .bucket(&self.name)
            .customize()
            .interceptor(dated.clone());
        // What it answers is the listing's to say.
        let _answer = request.send().await;
        *dated
            .offset_s
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the first bytes of an object that is not empty, `most` at the most.
    pub async fn read_start(&mut self, key: &str, most: u64) -> Result<ObjectStart, StoreError> {
        let answer = loop {
            let request = self
                .client
                .get_object()
                .bucket(&self.name)
                .key(key)
                .range(format!("bytes=0-{}", most.max(1) - 1));
            match request
                .set_request_payer(self.payer())
                .send()
                .await
                .map_err(|error| self.call("read", key).failed(&error))
            {
                Ok(answer) => break answer,
                Err(error) if self.follow(&error) => {}
                Err(error) => return Err(error),
            }
        };
        let is_kms = matches!(
            answer.server_side_encryption(),
            Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse)
        );
        let calls_kms = is_kms && answer.bucket_key_enabled() != Some(true);
        let (mut body, mut read) = (answer.body, 0);
        // A store that does not know ranges sends all of it.
        while read < most
            && let Some(chunk) = body.next().await
        {
            let chunk = chunk.map_err(|error| {
                StoreError::new(
                    StoreErrorKind::Connection,
                    format!("cannot read {}: {error}", self.uri(key)),
                )
            })?;
            read += chunk.len() as u64;
        }
        Ok(ObjectStart {
            bytes: read,
            calls_kms,
        })
    }
}

/// Reads the `Date` of an answer.
#[derive(Clone, Debug, Default)]
struct Dated {
    offset_s: Arc<Mutex<Option<i64>>>,
}

#[dyn_dispatch_hint]
impl Intercept for Dated {
    fn name(&self) -> &'static str {
        "Dated"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context
            .response()
            .headers()
            .get("date")
            .and_then(|date| http_date(date.as_bytes()));
        if let Some(date) = date {
            *self.offset_s.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(offset_from_now(date));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_origin_is_named() {
        assert_eq!(
            origin(&[Feature::CredentialsProfile, Feature::CredentialsSso]),
            Some("SSO")
        );
        assert_eq!(
            origin(&[Feature::CredentialsEnvVars]),
            Some("AWS_ACCESS_KEY_ID")
        );
        assert_eq!(origin(&[]), None);
    }
}
