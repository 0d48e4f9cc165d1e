//! What one worker needs to make its client: resolved once in the parent, sent to children by pipe. Only headers and bodies for a web server may be
//! secrets, and nothing shows them.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::presigning::PresigningConfig;
use serde::{Deserialize, Serialize};

use super::credentials::CredentialFeed;
use super::error::{StoreError, StoreErrorKind};
use super::http_recipe::HttpRecipe;
use super::session::Session;
use super::trust::http_client;
use crate::plan::{Access, Limits};
use crate::store::endpoint::Endpoint;

/// Everything but the credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Recipe {
    /// Of a bucket.
    S3(S3Recipe),
    /// Of a web server.
    Http(HttpRecipe),
}

/// How the objects of a bucket are fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct S3Recipe {
    pub(super) bucket: String,
    pub(super) access: Access,
    pub(super) region: String,
    pub(super) endpoint_url: Option<String>,
    pub(super) path_style: bool,
    pub(super) fips: Option<bool>,
    pub(super) dual_stack: Option<bool>,
    pub(super) limits: Limits,
    /// Where `lean` sends its requests.
    pub endpoint: Endpoint,
}

impl S3Recipe {
    /// The region for which requests are signed.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Lets the SDK itself say where a request for an object of `bucket` would go and for which region it would be signed: it presigns one,
    /// with made-up credentials and without the network.
    ///
    /// # Errors
    /// When the SDK finds no endpoint for such a bucket.
    pub async fn resolve(session: &Session, bucket: &str) -> Result<Self, StoreError> {
        let failed = |cause: String| {
            StoreError::new(
                StoreErrorKind::Other,
                format!("cannot find the endpoint of s3://{bucket}: {cause}"),
            )
        };
        let made_up = Credentials::new("PARFETCH", "parfetch", None, None, "parfetch");
        let config = session
            .control_config()
            .credentials_provider(SharedCredentialsProvider::new(made_up))
            .build();
        let presigning = PresigningConfig::expires_in(Duration::from_mins(1))
            .map_err(|error| failed(error.to_string()))?;
        let request = aws_sdk_s3::Client::from_conf(config)
            .get_object()
            .bucket(bucket)
            .key("k")
            .presigned(presigning)
            .await;
        let request = request.map_err(|error| {
            failed(aws_smithy_types::error::display::DisplayErrorContext(&error).to_string())
        })?;
        let endpoint = Endpoint::of_presigned(request.uri()).map_err(failed)?;
        let config = session.config();
        Ok(Self {
            bucket: bucket.to_owned(),
            access: session.access().clone(),
            region: endpoint.signing_region.clone(),
            endpoint_url: session.endpoint().map(str::to_owned),
            path_style: session.path_style(),
            fips: config.use_fips(),
            dual_stack: config.use_dual_stack(),
            limits: session.limits(),
            endpoint,
        })
    }

    /// The `SdkConfig` of a worker's own client: what the parent resolved, and nothing read again.
    pub(super) fn sdk_config(
        &self,
        feed: Option<&CredentialFeed>,
    ) -> Result<SdkConfig, StoreError> {
        let mut timeouts = TimeoutConfig::builder();
        timeouts.set_connect_timeout(self.limits.connect_timeout);
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .timeout_config(timeouts.build())
            // The feed is a look at memory: a cache in front of it would only hide a refresh.
            .identity_cache(aws_config::identity::IdentityCache::no_cache());
        config.set_endpoint_url(self.endpoint_url.clone());
        config.set_use_fips(self.fips);
        config.set_use_dual_stack(self.dual_stack);
        config.set_credentials_provider(feed.cloned().map(SharedCredentialsProvider::new));
        config.set_http_client(http_client(self.access.ca_bundle.as_deref())?);
        Ok(config.build())
    }
}
