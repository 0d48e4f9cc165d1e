//! One look at the AWS configuration: region, endpoint, credentials, TLS trust. Everything that talks to S3 is made from it.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::identity::IdentityCache;
use aws_config::imds;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_types::service_config::ServiceConfigKey;

use super::answer::AnswerLimits;
use super::clock::ClockOffset;
use super::credentials::{CredentialFeed, Keeper, StaticCredentials};
use super::error::{StoreError, StoreErrorKind};
use super::limits::DocumentLimits;
use super::provider::Checked;
use super::trust::http_client;
use crate::plan::names::{self, Wrong, trimmed};
use crate::plan::{Access, Limits};

/// Where a region is needed and none is set: S3's first, which also answers with a bucket's right region. Endpoints of one's own mostly take any.
const DEFAULT_REGION: &str = "us-east-1";

/// Longest time for EC2's metadata service, which answers at once where there is one. aws-config on its own asks several times, for the region
/// and for credentials, and a laptop waits half a minute for an address that leads nowhere.
const IMDS_WAIT: Duration = Duration::from_secs(1);

/// The AWS configuration of this process.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    /// Endpoint of S3, when it is not AWS's: by flag, variable or profile.
    endpoint: Option<String>,
    access: Access,
    limits: Limits,
    /// What the calls of this session find out of the store's clock.
    clock: Option<ClockOffset>,
}

impl Session {
    /// Reads variables, profiles and files, as every AWS program does; `keys` win over what they say. Asks for no credentials yet, and the
    /// metadata service only for a region that is set nowhere.
    ///
    /// # Errors
    /// When the certificate bundle cannot be read, or a file names a region or an endpoint that cannot be one.
    pub async fn load(
        access: &Access,
        limits: Limits,
        keys: Option<StaticCredentials>,
    ) -> Result<Self, StoreError> {
        let client = http_client(access.ca_bundle.as_deref())?;
        let mut providers = ProviderConfig::without_region();
        if let Some(client) = &client {
            providers = providers.with_http_client(client.clone());
        }
        let metadata = imds::Client::builder()
            .configure(&providers)
            .max_attempts(1)
            .connect_timeout(IMDS_WAIT)
            .read_timeout(IMDS_WAIT)
            .build();
        // Keys that are given come with an endpoint of one's own, and that takes any region: nobody needs to be asked.
        let region = if keys.is_some() {
            None
        } else {
            find_region(access, &providers, &metadata).await?
        };
        let region = region.unwrap_or(Region::from_static(DEFAULT_REGION));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(region.clone())
            .no_credentials();
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &access.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(client) = client {
            loader = loader.http_client(client);
        }
        let mut config = loader.load().await;
        let provider = match keys {
            Some(keys) => Some(keys.to_provider()),
            None if access.no_sign_request => None,
            None => {
                let providers = providers
                    .with_use_fips(config.use_fips())
                    .with_use_dual_stack(config.use_dual_stack());
                let chain = DefaultCredentialsChain::builder()
                    .configure(providers)
                    .region(region)
                    .imds_client(metadata);
                let chain = access
                    .profile
                    .iter()
                    .fold(chain, |chain, profile| chain.profile_name(profile));
                Some(SharedCredentialsProvider::new(Checked {
                    provider: SharedCredentialsProvider::new(chain.build().await),
                    profile: access.profile.clone(),
                }))
            }
        };
        if let Some(provider) = provider {
            config = config.into_builder().credentials_provider(provider).build();
        }
        let endpoint = find_endpoint(&config)?;
        Ok(Self {
            config,
            endpoint,
            access: access.clone(),
            limits,
            clock: None,
        })
    }

    /// The region that calls go to before a bucket has said otherwise.
    pub fn region(&self) -> &str {
        self.config.region().map_or(DEFAULT_REGION, AsRef::as_ref)
    }

    /// A session whose calls go to another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self
            .config
            .to_builder()
            .region(Region::new(region.to_owned()))
            .build();
        Self {
            config,
            ..self.clone()
        }
    }

    /// Starts the keeper of this session's credentials; `None` when requests go out unsigned.
    pub async fn credentials(&self) -> Result<Option<(Keeper, CredentialFeed)>, StoreError> {
        if self.access.no_sign_request {
            return Ok(None);
        }
        let provider = self.config.credentials_provider().ok_or_else(|| {
            StoreError::new(StoreErrorKind::NoCredentials, "no credentials provider")
                .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a --profile")
        })?;
        Keeper::start(provider).await.map(Some)
    }

    /// This session with credentials from a feed, so that control calls do not ask the provider again.
    #[must_use]
    pub fn with_feed(&self, feed: Option<&CredentialFeed>) -> Self {
        let Some(feed) = feed else {
            return self.clone();
        };
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(feed.clone()));
        // The feed is a look at memory: a cache in front of it would go on with what a refresh has replaced.
        let config = config.identity_cache(IdentityCache::no_cache()).build();
        Self {
            config,
            clock: Some(feed.clock.clone()),
            ..self.clone()
        }
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// What the SDK's clients are made of.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// The configuration of a client for control calls: the SDK's own retries, this run's time-outs.
    pub(super) fn control_config(&self) -> Builder {
        let mut timeouts = TimeoutConfig::builder().read_timeout(self.limits.stall());
        timeouts.set_connect_timeout(self.limits.connect_timeout);
        let retries = RetryConfig::standard()
            .with_max_attempts(self.limits.attempts)
            .with_initial_backoff(Duration::from_millis(100));
        // This run's time-out stands in the place of the SDK's protection against stalled downloads, which has one of its own.
        let uploads = StalledStreamProtectionConfig::enabled()
            .upload_enabled(true)
            .download_enabled(false)
            .build();
        let mut builder = Builder::from(&self.config);
        builder.set_endpoint_url(self.endpoint.clone());
        builder
            .force_path_style(self.path_style())
            .timeout_config(timeouts.build())
            .retry_config(retries)
            .stalled_stream_protection(uploads)
            .interceptor(DocumentLimits {
                stall: self.limits.stall(),
            })
            .interceptor(AnswerLimits::Control(self.clock.clone()))
    }

    /// Endpoints of one's own take `host/bucket/key`, unless told otherwise.
    pub(super) fn path_style(&self) -> bool {
        self.endpoint.is_some() && !self.access.virtual_host
    }

    /// Whether an endpoint of STS is named by itself: one of S3's own store has none.
    pub fn names_sts(&self) -> bool {
        // Without one for STS alone this gives that of all services, which is the store.
        set_endpoint(&self.config, "STS")
            .is_some_and(|url| Some(trimmed(&url)) != self.config.endpoint_url().map(trimmed))
    }

    /// Endpoint of S3, when it is not AWS's. It holds no password.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }
}

/// The region that is set by flag, variable or profile, else, for AWS's own endpoint, the instance's.
async fn find_region(
    access: &Access,
    providers: &ProviderConfig,
    metadata: &imds::Client,
) -> Result<Option<Region>, StoreError> {
    if let Some(region) = &access.region {
        return Ok(Some(Region::new(region.clone())));
    }
    let profile = ProfileFileRegionProvider::builder().configure(providers);
    let profile = access
        .profile
        .iter()
        .fold(profile, aws_config::profile::region::Builder::profile_name);
    let (region, source) = match profile.build().region().await {
        None if access.endpoint_url.is_none() => (
            imds::region::ImdsRegionProvider::builder()
                .imds_client(metadata.clone())
                .build()
                .region()
                .await,
            "the instance's region",
        ),
        region => (region, "the region in the profile"),
    };
    let Some(region) = region
        .map(|region| trimmed(region.as_ref()).to_owned())
        .filter(|region| !region.is_empty())
    else {
        return Ok(None);
    };
    names::check_region(&region).map_err(|wrong| unusable(source, wrong))?;
    Ok(Some(Region::new(region)))
}

/// The endpoint that a variable or a profile sets for this service, else for all of them.
pub fn set_endpoint(config: &SdkConfig, service_id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// The endpoint as the SDK finds it for S3, checked: files may hold anything.
fn find_endpoint(config: &SdkConfig) -> Result<Option<String>, StoreError> {
    let by_flag = config.get_origin("endpoint_url").is_client_config();
    let for_s3 = if by_flag {
        None
    } else {
        set_endpoint(config, "S3")
    };
    let found = for_s3.or_else(|| config.endpoint_url().map(str::to_owned));
    let Some(url) = found.as_deref().map(trimmed).filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    names::endpoint(url)
        .map(Some)
        .map_err(|wrong| unusable("the endpoint in the profile", wrong))
}

fn unusable(source: &str, Wrong { what, hint }: Wrong) -> StoreError {
    StoreError::new(StoreErrorKind::Other, format!("{source} {what}")).hint(hint)
}
