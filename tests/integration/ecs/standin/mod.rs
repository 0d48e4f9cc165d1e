//! The stand-in of AWS, looked at through the SDK: what it does right and what it refuses.

mod calls;
mod jobs;
mod tasks;

use std::future::Future;

use aws_credential_types::Credentials;
use aws_sdk_ecs::config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_sdk_ecs::operation::run_task::builders::RunTaskFluentBuilder;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration, Tag,
    TaskOverride,
};

use crate::support::aws::{Aws, Setup};
use crate::support::source::{Source, Store};

/// The stand-in, and clients of it that try each call once.
struct Account {
    aws: Aws,
    ecs: aws_sdk_ecs::Client,
    batch: aws_sdk_batch::Client,
    quotas: aws_sdk_servicequotas::Client,
    stacks: aws_sdk_cloudformation::Client,
    runtime: tokio::runtime::Runtime,
}

/// A client of one of the services.
macro_rules! client {
    ($service:ident, $aws:expr) => {
        $service::Client::from_conf(
            $service::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .endpoint_url($aws.url())
                .region(Region::new("us-east-1"))
                .retry_config(RetryConfig::disabled())
                .credentials_provider(Credentials::new(
                    "AKIDTEST",
                    "secret",
                    Some("token".to_owned()),
                    None,
                    "test",
                ))
                .build(),
        )
    };
}

impl Account {
    fn new(setup: Setup) -> Self {
        let aws = Aws::start(setup);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (ecs, batch) = (client!(aws_sdk_ecs, aws), client!(aws_sdk_batch, aws));
        let (quotas, stacks) = (
            client!(aws_sdk_servicequotas, aws),
            client!(aws_sdk_cloudformation, aws),
        );
        Self {
            aws,
            ecs,
            batch,
            quotas,
            stacks,
            runtime,
        }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A request for one task of 1 vCPU that breaks no rule.
    fn task(&self, token: &str) -> RunTaskFluentBuilder {
        let setup = self.aws.setup();
        let vpc = AwsVpcConfiguration::builder()
            .subnets(&setup.subnets[0])
            .build()
            .unwrap();
        let pair = KeyValuePair::builder()
            .name("CONCURRENCY")
            .value("2")
            .build();
        let container = ContainerOverride::builder()
            .name("parfetch")
            .environment(pair)
            .build();
        self.ecs
            .run_task()
            .cluster("parfetch")
            .task_definition(format!("{}:7", setup.definition_arn()))
            .launch_type(LaunchType::Fargate)
            .network_configuration(
                NetworkConfiguration::builder()
                    .awsvpc_configuration(vpc)
                    .build(),
            )
            .overrides(
                TaskOverride::builder()
                    .cpu("1024")
                    .memory("2048")
                    .container_overrides(container)
                    .build(),
            )
            .tags(Tag::builder().key("parfetch:cell").value(token).build())
            .started_by("parfetch/s")
            .client_token(token)
    }

    /// Starts it.
    fn start(&self, token: &str) -> String {
        let answer = self.wait(self.task(token).send()).unwrap();
        answer.tasks()[0].task_arn().unwrap().to_owned()
    }
}

/// An account over a bucket of some objects, whose tasks know where S3 is.
fn over(source: &Source) -> Setup {
    let mut setup = Setup::over(source);
    setup.environment.insert(
        "AWS_ENDPOINT_URL_S3".to_owned(),
        source.endpoint.url.clone(),
    );
    setup
}

fn source() -> Source {
    Store::serving("objects=20,size=1KiB")
}
