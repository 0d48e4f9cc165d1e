//! AWS Signature Version 4 on each GET.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use super::endpoint::GetRequest;
use crate::platform::clock;
use crate::store::credentials::{CredentialFeed, KeySet};

/// SHA-256 of nothing: the body of every GET.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Signs with the newest credentials; without a feed, requests stay unsigned.
pub(super) struct Signer {
    region: String,
    keys: Option<Keys>,
}

struct Keys {
    feed: CredentialFeed,
    identity: Identity,
    version: u64,
}

impl Keys {
    fn install(&mut self, keys: &KeySet) {
        self.identity = keys.to_credentials().into();
        self.version = keys.version;
    }
}

impl Signer {
    pub(super) fn new(region: &str, feed: Option<CredentialFeed>) -> Self {
        let keys = feed.map(|feed| {
            let secret = feed.newest();
            Keys { identity: secret.to_credentials().into(), version: secret.version, feed }
        });
        Self { region: region.to_owned(), keys }
    }

    /// The request with its signature.
    pub(super) fn sign(&mut self, mut request: GetRequest) -> GetRequest {
        let Some(keys) = &mut self.keys else { return request };
        if let Some(newest) = keys.feed.changed() {
            keys.install(&newest);
        }
        let mut settings = SigningSettings::default();
        // S3's own rules: keys are encoded once, and `.` and `..` in a path mean themselves.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let now: SystemTime = UNIX_EPOCH + Duration::from_millis(clock::unix_ms());
        let params = v4::SigningParams::builder().identity(&keys.identity).region(&self.region).name("s3").time(now).settings(settings).build();
        let params = params.expect("every part of the parameters is given").into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new("GET", uri, headers, SignableBody::Precomputed(EMPTY_SHA256.to_owned()));
        let output = signable.and_then(|signable| sign(signable, &params)).expect("a GET of plain headers can be signed");
        let (instructions, _signature) = output.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }

    /// Waits for credentials newer than those of the last request.
    pub(super) async fn refresh(&mut self) {
        if let Some(keys) = &mut self.keys
            && let Some(newer) = keys.feed.newer_than(keys.version).await
        {
            keys.install(&newer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use http_body_util::Empty;

    fn signed_with(signer: &mut Signer) -> String {
        let mut request = GetRequest::new(Empty::new());
        *request.uri_mut() = "/b/k".parse().unwrap();
        request.headers_mut().insert("host", "h".parse().unwrap());
        signer.sign(request).headers()["authorization"].to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn refreshed_credentials_sign_the_next_request() {
        let keys = |name: &str, version| KeySet::new(&Credentials::new(name, "s", None, None, "test"), version);
        let (feed, newest, mut asked) = CredentialFeed::remote(keys("OLD", 1));
        let mut signer = Signer::new("us-east-1", Some(feed));
        assert!(signed_with(&mut signer).contains("Credential=OLD/"));
        let keeper = async {
            assert_eq!(asked.recv().await, Some(1), "the version that was refused");
            newest.send_replace(std::sync::Arc::new(keys("NEW", 2)));
        };
        tokio::join!(signer.refresh(), keeper);
        assert!(signed_with(&mut signer).contains("Credential=NEW/"));
        newest.send_replace(std::sync::Arc::new(keys("THIRD", 3)));
        assert!(signed_with(&mut signer).contains("Credential=THIRD/"), "without asking");
    }
}
