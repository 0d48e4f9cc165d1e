//! AWS beside S3: the calls to ECS, Service Quotas and CloudFormation that a sweep on Fargate makes, and those to Batch that a job of many tasks takes.
//!
//! Owns the forms of requests and answers, and what an error says. Decides nothing: when a task is started, looked at, stopped or given up is the
//! launcher's. Beside `store` the only place that imports `aws_*`; above it stand plain types and the traits [`Tasks`] and [`Jobs`].

mod batch;
mod definition;
mod ecs;
mod error;
mod identity;
mod logs;
mod quota;
mod stack;
mod tasks;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

pub use batch::{
    Batch, ChildSeen, JobRequest, JobSeen, Jobs, MAX_CHILDREN, MAX_JOB_NAME, MAX_JOB_OVERRIDES,
};
pub use ecs::Ecs;
pub use error::{CloudError, CloudErrorKind};
pub use identity::{CallerIdentity, identity};
pub use quota::{UNKNOWN_QUOTA_VCPU, fargate_vcpu};
pub use stack::outputs_of;
#[cfg(test)]
pub(crate) use tasks::TasksSeen;
pub use tasks::{
    Capacity, ContainerLog, DefinedContainer, Definition, Launch, MAX_OVERRIDES, PublicAddress,
    Refusal, Started, TaskNetwork, TaskSeen, TaskTimes, Tasks, overrides_length,
};

use crate::plan::{Access, Limits};
use crate::store::{Session, StoreError};

/// Tries of one call, the SDK's own back-off between them. What is still refused then is for the caller, who has more time.
const ATTEMPTS: u32 = 5;
/// First back-off of the SDK.
const BACKOFF: Duration = Duration::from_millis(200);
/// Longest time of one try.
const TRY_TIME: Duration = Duration::from_secs(20);

/// The AWS configuration for calls other than S3's: the same credentials and region, and the endpoints that `AWS_ENDPOINT_URL_ECS` and its like name.
#[derive(Clone, Debug)]
pub struct Cloud {
    config: SdkConfig,
}

impl Cloud {
    /// Reads the configuration. `access` names region, profile and certificates; its endpoint is S3's and does not count here.
    ///
    /// # Errors
    /// When the certificate bundle cannot be read.
    pub async fn load(access: &Access) -> Result<Self, StoreError> {
        let signed = Access {
            no_sign_request: false,
            endpoint_url: None,
            ..access.clone()
        };
        let session = Session::load(&signed, Limits::default(), None).await?;
        let shared = session.config();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(BACKOFF),
            )
            .timeout_config({
                let mut timeouts = TimeoutConfig::builder().operation_attempt_timeout(TRY_TIME);
                timeouts.set_connect_timeout(Limits::default().connect_timeout);
                timeouts.build()
            });
        if let Some(region) = shared.region() {
            loader = loader.region(region.clone());
        }
        if let Some(provider) = shared.credentials_provider() {
            loader = loader.credentials_provider(provider);
        }
        if let Some(client) = shared.http_client() {
            loader = loader.http_client(client);
        }
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        Ok(Self {
            config: loader.load().await,
        })
    }

    /// The region that calls go to.
    pub fn region(&self) -> &str {
        self.config.region().map_or("", AsRef::as_ref)
    }

    pub(self) fn config(&self) -> &SdkConfig {
        &self.config
    }
}
