//! The server as a client sees it: aws-sdk-s3 against a server of this process on a port of its own.

mod faults;
mod process;
mod results;
mod source;
mod tls;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::EncodingType;

use super::{ProcessConfig, Server, ServerReport};

/// A server with a results folder that goes with it.
pub(super) struct Fixture {
    pub(super) server: Server,
    pub(super) folder: tempfile::TempDir,
}

pub(super) fn serve(options: &str) -> Fixture {
    serve_with(options, |_| {})
}

pub(super) fn serve_with(options: &str, change: impl FnOnce(&mut ProcessConfig)) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let mut config = ProcessConfig::new(options.parse().unwrap(), folder.path().join("results"));
    change(&mut config);
    Fixture {
        server: Server::start(&config).unwrap(),
        folder,
    }
}

impl Fixture {
    /// The report once `gets` GETs are counted: a client has its last byte a moment before the server counts it.
    pub(super) fn report_after(&self, gets: u64) -> ServerReport {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let report = self.server.report();
            if report.gets >= gets || Instant::now() > deadline {
                return report;
            }
            std::thread::yield_now();
        }
    }

    pub(super) fn client(&self) -> Client {
        let keys = &self.server.ready().credentials;
        self.client_with(Some(Credentials::new(
            &keys.access_key,
            &keys.secret_key,
            keys.session_token.clone(),
            None,
            "test",
        )))
    }

    /// A client without retries; none signs nothing.
    pub(super) fn client_with(&self, credentials: Option<Credentials>) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.server.ready().endpoint_url)
            .force_path_style(true)
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let config = match credentials {
            Some(credentials) => config.credentials_provider(credentials),
            None => config.allow_no_auth(),
        };
        Client::from_conf(config.build())
    }
}

/// The code of a service error, or `none`.
pub(super) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata>(
    result: Result<T, SdkError<E>>,
) -> String {
    result
        .err()
        .and_then(|error| error.code().map(str::to_owned))
        .unwrap_or_else(|| "none".to_owned())
}

/// Every key of a bucket with its size, by pages of `page`, keys decoded.
pub(super) async fn list_all(
    client: &Client,
    bucket: &str,
    page: i32,
) -> (BTreeMap<String, i64>, usize) {
    let mut found = BTreeMap::new();
    let mut pages = 0;
    let mut token = None;
    loop {
        let request = client
            .list_objects_v2()
            .bucket(bucket)
            .max_keys(page)
            .encoding_type(EncodingType::Url)
            .set_continuation_token(token);
        let answer = request.send().await.unwrap();
        pages += 1;
        for object in answer.contents() {
            let key = object.key().unwrap().replace('+', " ");
            let key = percent_encoding::percent_decode_str(&key)
                .decode_utf8()
                .unwrap()
                .into_owned();
            assert!(
                found.last_key_value().is_none_or(|(last, _)| *last < key),
                "{key:?} is out of order"
            );
            found.insert(key, object.size().unwrap());
        }
        token = answer.next_continuation_token().map(str::to_owned);
        assert_eq!(answer.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (found, pages);
        }
    }
}
