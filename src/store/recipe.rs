//! What one worker needs to make its client: resolved once in the parent, sent to children by pipe. Holds no secret.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use super::attempt::{AnyClient, ClientFactory};
use super::credentials::CredentialFeed;
use super::error::{StoreError, StoreErrorKind};
use super::lean::{Dialer, Endpoint, LeanClient};
use super::sdk::SdkClient;
use super::session::Session;
use crate::plan::{Access, ClientKind, Limits};

/// Everything but the credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
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

/// What the workers of one process share to make their clients.
#[derive(Clone, Debug)]
pub struct Shared {
    recipe: Arc<Recipe>,
    feed: Option<CredentialFeed>,
    /// Of `lean` alone.
    dialer: Option<Arc<Dialer>>,
}

impl Recipe {
    /// The region for which requests are signed.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Lets the SDK itself say where a request for an object of `bucket` would go and for which region it would be signed: it presigns one,
    /// with made-up credentials and without the network.
    pub(super) async fn resolve(session: &Session, bucket: &str) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::new(StoreErrorKind::Other, format!("cannot find the endpoint of s3://{bucket}: {cause}"));
        let made_up = Credentials::new("PARFETCH", "parfetch", None, None, "parfetch");
        let config = session.control_config().credentials_provider(SharedCredentialsProvider::new(made_up)).build();
        let presigning = PresigningConfig::expires_in(Duration::from_mins(1)).map_err(|error| failed(error.to_string()))?;
        let request = aws_sdk_s3::Client::from_conf(config).get_object().bucket(bucket).key("k").presigned(presigning).await;
        let request = request.map_err(|error| failed(aws_smithy_types::error::display::DisplayErrorContext(&error).to_string()))?;
        let endpoint = Endpoint::of_presigned(request.uri()).map_err(failed)?;
        let config = session.config();
        Ok(Self {
            bucket: bucket.to_owned(),
            access: session.access().clone(),
            region: endpoint.signing_region.clone(),
            endpoint_url: config.endpoint_url().map(str::to_owned),
            path_style: session.path_style(),
            fips: config.use_fips(),
            dual_stack: config.use_dual_stack(),
            limits: session.limits(),
            endpoint,
        })
    }

    /// The `SdkConfig` of a worker's own client: what the parent resolved, and nothing read again.
    fn sdk_config(&self, feed: Option<&CredentialFeed>) -> Result<SdkConfig, StoreError> {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .timeout_config(TimeoutConfig::builder().connect_timeout(self.limits.connect_timeout).build())
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

impl Shared {
    /// Prepares what the clients of this process have in common: TLS trust and addresses for `lean`, nothing for `sdk`.
    pub fn new(kind: ClientKind, recipe: Recipe, feed: Option<CredentialFeed>) -> Result<Self, StoreError> {
        let dialer = match kind {
            ClientKind::Lean => Some(Arc::new(Dialer::new(&recipe.endpoint, recipe.limits.connect_timeout, recipe.access.ca_bundle.as_deref())?)),
            ClientKind::Sdk => None,
        };
        Ok(Self { recipe: Arc::new(recipe), feed, dialer })
    }
}

impl ClientFactory for Shared {
    type Client = AnyClient;

    fn client(&self, number: u32) -> Result<AnyClient, StoreError> {
        if let Some(dialer) = &self.dialer {
            let client = LeanClient::new(Arc::clone(dialer), &self.recipe, self.feed.clone(), number);
            return Ok(AnyClient::Lean(Box::new(client)));
        }
        let config = self.recipe.sdk_config(self.feed.as_ref())?;
        Ok(AnyClient::Sdk(Box::new(SdkClient::new(&config, &self.recipe, self.feed.clone()))))
    }
}

/// An HTTP client other than the SDK's default: when a bundle of authorities is named, or a proxy is set. `None` = the SDK's default.
pub(super) fn http_client(ca_bundle: Option<&Path>) -> Result<Option<SharedHttpClient>, StoreError> {
    let proxied = !ProxyConfig::from_env().is_disabled();
    if ca_bundle.is_none() && !proxied {
        return Ok(None);
    }
    let trust = match ca_bundle {
        None => TrustStore::default(),
        Some(path) => read_bundle(path)?.iter().fold(TrustStore::empty(), |trust, certificate| trust.with_pem_certificate(pem(certificate))),
    };
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| StoreError::new(StoreErrorKind::Tls, format!("cannot use the certificates: {error}")))?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(aws_smithy_runtime_api::client::runtime_components::RuntimeComponents::sleep_impl));
        connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context.clone()).build()
    });
    Ok(Some(client))
}

/// The authorities in the PEM file of `AWS_CA_BUNDLE`, without those that rustls cannot use: of a whole system's bundle one may be too old, and the
/// SDK panics at it.
pub(super) fn read_bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let failed = |cause: String| {
        StoreError::new(StoreErrorKind::File, format!("cannot read the certificates in {}: {cause}", path.display()))
            .hint("AWS_CA_BUNDLE names a PEM file")
    };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes).collect();
    if found.is_empty() {
        return Err(failed("it holds no certificate".to_owned()));
    }
    let usable: Vec<_> = found.into_iter().flatten().filter(|found| rustls::RootCertStore::empty().add(found.clone()).is_ok()).collect();
    if usable.is_empty() { Err(failed("none of them can be used".to_owned())) } else { Ok(usable) }
}

/// One certificate as PEM: the only form that the SDK's TLS takes.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
