//! Requests signed by `aws-sigv4`, as they are and tampered with; and answers beside those of s3s.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use http_body_util::BodyExt as _;

use super::super::connection::ClientConnection;
use super::super::statistics::Statistics;
use super::super::timer::{Timer, now_ns};
use super::*;

const KEY: &str = "/source/data/00/000000001.bin";

fn keys(secret: &str) -> ServerCredentials {
    ServerCredentials {
        access_key: "AKID".to_owned(),
        secret_key: secret.to_owned(),
        session_token: None,
    }
}

fn shortcut(options: &str) -> Option<Shortcut> {
    let source = Arc::new(SourceBucket::new(
        &options.parse().unwrap(),
        Arc::new(Statistics::new(1)),
    ));
    Shortcut::new(&source, &keys("secret"))
}

fn context() -> RequestContext {
    let connection =
        ClientConnection::new(Timer::new().unwrap(), Arc::new(Statistics::new(1)), None);
    RequestContext {
        connection: Arc::new(connection),
        started_ns: now_ns(),
    }
}

/// A GET signed `ago` with `secret`.
fn signed(uri: &str, secret: &str, ago: Duration) -> Request<()> {
    let mut request = Request::get(uri)
        .header("host", "127.0.0.1:1")
        .header("user-agent", "test")
        .body(())
        .unwrap();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let identity: Identity = AwsCredentials::new("AKID", secret, None, None, "test").into();
    let time = UNIX_EPOCH + Duration::from_millis(clock::unix_ms()) - ago;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(time)
        .settings(settings)
        .build();
    let headers = [("host", "127.0.0.1:1"), ("user-agent", "test")];
    let signable = SignableRequest::new(
        "GET",
        uri,
        headers.into_iter(),
        SignableBody::Precomputed(EMPTY_SHA256.to_owned()),
    )
    .unwrap();
    let (instructions, _) = sign(signable, &params.unwrap().into())
        .unwrap()
        .into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

#[tokio::test]
async fn signed_gets_of_objects_that_are_there_are_answered() {
    let shortcut = shortcut("objects=150,size=1000,keys=awkward").unwrap();
    for path in [
        KEY,
        "/source/a%20b/c%20d.txt",
        "/source/plus%2Bsign",
        "/source//leading-slash",
        "/source/data/00/000000001.bin?x-id=GetObject",
    ] {
        let request = signed(path, "secret", Duration::ZERO);
        let answer = shortcut
            .answer(&request, &context())
            .await
            .unwrap_or_else(|| panic!("{path}"));
        assert_eq!(answer.headers()["content-length"], "1000");
        assert_eq!(
            answer.into_body().collect().await.unwrap().to_bytes().len(),
            1000
        );
    }
}

#[tokio::test]
async fn whatever_leaves_a_doubt_is_left_to_s3s() {
    let shortcut = shortcut("objects=10,size=1000").unwrap();
    let context = context();
    let good = || signed(KEY, "secret", Duration::ZERO);
    assert!(shortcut.answer(&good(), &context).await.is_some());
    let mut cases = vec![
        ("another secret", signed(KEY, "other", Duration::ZERO)),
        (
            "an old date",
            signed(KEY, "secret", Duration::from_mins(16)),
        ),
        (
            "no such key",
            signed("/source/data/00/000000010.bin", "secret", Duration::ZERO),
        ),
        (
            "another bucket",
            signed("/results/data/00/000000001.bin", "secret", Duration::ZERO),
        ),
        (
            "the bucket itself",
            signed("/source/", "secret", Duration::ZERO),
        ),
        (
            "a query",
            signed(
                "/source/data/00/000000001.bin?versionId=1",
                "secret",
                Duration::ZERO,
            ),
        ),
        (
            "an encoding that is not S3's",
            signed("/source/data/00/00000000%31.bin", "secret", Duration::ZERO),
        ),
    ];
    for (name, value) in [
        ("range", "bytes=0-1"),
        ("if-match", "\"x\""),
        ("x-amz-date", "20260102T030405Z"),
        ("x-amz-request-payer", "requester"),
    ] {
        let mut request = good();
        request
            .headers_mut()
            .append(name, HeaderValue::from_static(value));
        cases.push((name, request));
    }
    let mut other = good();
    *other.uri_mut() = "/source/data/00/000000002.bin".parse().unwrap();
    cases.push(("another key than the signed one", other));
    let mut head = good();
    *head.method_mut() = Method::HEAD;
    cases.push(("HEAD", head));
    for (name, request) in &cases {
        assert!(shortcut.answer(request, &context).await.is_none(), "{name}");
    }
    let authorization = good().headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned();
    for at in 0..authorization.len() {
        let mut bytes = authorization.clone().into_bytes();
        bytes[at] ^= 1;
        let mut request = good();
        request
            .headers_mut()
            .insert("authorization", HeaderValue::from_bytes(&bytes).unwrap());
        assert!(
            shortcut.answer(&request, &context).await.is_none(),
            "byte {at} of {authorization}"
        );
    }
}

#[test]
fn faults_and_tokens_take_the_long_way() {
    for options in [
        "fault-500=0.1",
        "fault-missing=0.1",
        "archived=0.1",
        "request-rate=100",
    ] {
        assert!(shortcut(options).is_none(), "{options}");
    }
    let source = Arc::new(SourceBucket::new(
        &"objects=1".parse().unwrap(),
        Arc::new(Statistics::new(1)),
    ));
    assert!(
        Shortcut::new(
            &source,
            &ServerCredentials {
                session_token: Some("t".to_owned()),
                ..keys("secret")
            }
        )
        .is_none()
    );
    assert!(
        shortcut("network=s3").is_none(),
        "it refuses above 5,500 requests a second"
    );
}
