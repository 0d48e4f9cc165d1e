//! An S3 endpoint as the tests see it: through aws-sdk-s3, apart from everything that parfetch does itself.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use futures::{StreamExt, TryStreamExt};
use percent_encoding::percent_decode_str;

/// Requests at once while a bucket is filled.
const AT_ONCE: usize = 16;

/// Where an S3 endpoint is and the keys to it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    /// Region to sign for.
    pub(crate) region: String,
    /// Access key.
    pub(crate) access_key: String,
    /// Secret key.
    pub(crate) secret_key: String,
}

/// Calls to an endpoint, one after another.
pub(crate) struct S3 {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl S3 {
    /// A client of the endpoint.
    pub(crate) fn new(at: &Endpoint) -> Self {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&at.url)
            .force_path_style(true)
            .region(Region::new(at.region.clone()))
            .credentials_provider(Credentials::new(
                &at.access_key,
                &at.secret_key,
                None,
                None,
                "test",
            ))
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            client: Client::from_conf(config),
            runtime,
        }
    }

    /// Makes a bucket.
    pub(crate) fn create_bucket(&self, bucket: &str) {
        self.runtime
            .block_on(self.client.create_bucket().bucket(bucket).send())
            .unwrap();
    }

    /// Stores an object.
    ///
    /// # Errors
    /// What the store says against it.
    pub(crate) fn put(&self, (bucket, key): (&str, &str), body: Vec<u8>) -> Result<(), String> {
        self.runtime.block_on(self.send(bucket, key, body))
    }

    /// Stores objects of the given sizes, several at once.
    pub(crate) fn fill(&self, bucket: &str, objects: impl Iterator<Item = (String, u64)>) {
        let puts = futures::stream::iter(objects)
            .map(async |(key, size)| self.send(bucket, &key, content(size)).await);
        self.runtime
            .block_on(puts.buffer_unordered(AT_ONCE).try_collect::<()>())
            .unwrap();
    }

    async fn send(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), String> {
        let put = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from(body))
            .send()
            .await;
        put.map(drop).map_err(|error| match error.code() {
            Some(code) => format!("{key:?}: {code}"),
            None => format!("{key:?}: {}", DisplayErrorContext(error)),
        })
    }

    /// An object's body.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.find(bucket, key)
            .unwrap_or_else(|| panic!("no s3://{bucket}/{key}"))
    }

    /// An object's body, if there is one.
    pub(crate) fn find(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.runtime.block_on(async {
            let object = self
                .client
                .get_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await
                .ok()?;
            Some(object.body.collect().await.unwrap().to_vec())
        })
    }

    /// Keys and sizes in the order of the listing.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> Vec<(String, u64)> {
        let pages = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .encoding_type(EncodingType::Url)
            .into_paginator()
            .send();
        let pages = self.runtime.block_on(pages.try_collect()).unwrap();
        let objects = pages.iter().flat_map(ListObjectsV2Output::contents);
        objects
            .map(|object| {
                (
                    decoded(object.key().unwrap()),
                    u64::try_from(object.size().unwrap()).unwrap(),
                )
            })
            .collect()
    }
}

/// Bytes of an object: which they are does not matter, how many does.
fn content(size: u64) -> Vec<u8> {
    (0..size)
        .map(|place| u8::try_from(place % 251).expect("less than 251"))
        .collect()
}

fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " "))
        .decode_utf8()
        .unwrap()
        .into_owned()
}
