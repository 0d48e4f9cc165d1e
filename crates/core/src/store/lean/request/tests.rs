//! Our signatures against those of `aws-sigv4`, and requests as they stand on the wire.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use proptest::prelude::*;

use super::*;

/// A slash in a value is encoded too.
const QUERY_VALUE: &AsciiSet = &PATH.add(b'/');

fn endpoint(base_path: &str, region: &str) -> Endpoint {
    Endpoint {
        https: false,
        host: "127.0.0.1".to_owned(),
        port: 9000,
        authority: "127.0.0.1:9000".to_owned(),
        base_path: base_path.to_owned(),
        signing_region: region.to_owned(),
    }
}

fn keys(access_key: &str, token: Option<&str>, version: u64) -> Credentials {
    Credentials::new(
        &AwsCredentials::new(
            access_key,
            "s3cr3t/+",
            token.map(str::to_owned),
            None,
            "test",
        ),
        version,
    )
}

fn writer(keys: Credentials) -> RequestWriter {
    let (feed, _sender, _asked) = CredentialFeed::remote(keys);
    RequestWriter::new(&endpoint("/b/", "eu-west-1"), Some(feed))
}

/// Path with query, and the headers.
fn parsed(request: &[u8]) -> (String, Vec<(String, String)>) {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Request::new(&mut headers);
    assert!(
        matches!(parsed.parse(request), Ok(httparse::Status::Complete(end)) if end == request.len()),
        "a whole head and nothing more"
    );
    assert_eq!((parsed.method, parsed.version), (Some("GET"), Some(1)));
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let headers = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), text(header.value)))
        .collect();
    (parsed.path.unwrap().to_owned(), headers)
}

/// Signs the request once more with `aws-sigv4`, without what we signed it with, and compares every header that it would add.
fn agrees(request: &[u8], keys: &Credentials, unix_s: u64) {
    let (path, headers) = parsed(request);
    let ours = |name: &str| {
        headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.clone())
    };
    let added = [
        "authorization",
        "x-amz-date",
        "x-amz-content-sha256",
        "x-amz-security-token",
    ];
    let given = headers
        .iter()
        .filter(|(name, _)| !added.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut settings = SigningSettings::default();
    // S3's own rules: keys are encoded once, and `.` and `..` in a path mean themselves.
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let identity: Identity = keys.to_credentials().into();
    let time = UNIX_EPOCH + Duration::from_secs(unix_s);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(time)
        .settings(settings)
        .build();
    let params = params.unwrap().into();
    let signable = SignableRequest::new(
        "GET",
        path,
        given,
        SignableBody::Precomputed(EMPTY_SHA256.to_owned()),
    )
    .unwrap();
    let (instructions, _signature) = sign(signable, &params).unwrap().into_parts();
    let theirs: Vec<_> = instructions.headers().collect();
    assert!(theirs.len() >= 3);
    for (name, value) in theirs {
        assert_eq!(ours(name).as_deref(), Some(value), "{name}");
    }
}

/// A day before and after 1970-01-01, leap days, ends of years and of days.
fn second() -> impl Strategy<Value = u64> {
    let edges = [
        0,
        86_399,
        86_400,
        951_782_400,
        1_709_164_799,
        1_709_164_800,
        1_767_225_599,
        1_767_225_600,
        4_102_444_799,
    ];
    prop_oneof![0..4_102_444_800_u64, prop::sample::select(edges.to_vec())]
}

fn part() -> impl Strategy<Value = Option<(u64, u64, String)>> {
    prop::option::of((any::<u64>(), any::<u64>(), "[0-9a-f]{0,32}(-[0-9]{1,4})?"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_get_is_signed_as_aws_sigv4_signs_it(
        requests in prop::collection::vec(("\\PC{0,40}|[ -~]{1,60}|[\\x00-\\x20./%+~]{1,20}", part(), second()), 1..5),
        access_key in "[A-Z0-9]{16,20}",
        token in prop::option::of("[A-Za-z0-9/+=]{1,1200}"),
        payer: bool,
    ) {
        let keys = keys(&access_key, token.as_deref(), 1);
        // One writer for all: what is kept between requests must not leak from one to the next.
        let (mut writer, mut out) = (writer(keys.clone()), Vec::new());
        if payer {
            writer = writer.requester_pays();
        }
        for (key, part, unix_s) in &requests {
            let etag = part.as_ref().map_or("", |(_, _, etag)| etag);
            let part = part.as_ref().map(|(first, last, _)| Part { first: *first, last: *last });
            writer.get_at(Target { key, part, size: None, etag }, *unix_s, &mut out);
            agrees(&out, &keys, *unix_s);
        }
    }

    #[test]
    fn every_listing_is_signed_as_aws_sigv4_signs_it(
        values in prop::collection::vec("\\PC{0,30}|[ -~]{0,30}", 3),
        unix_s in second(),
        token in prop::option::of("[A-Za-z0-9/+=]{1,100}"),
    ) {
        let encode = |text: &str| utf8_percent_encode(text, QUERY_VALUE).to_string();
        let query = format!("continuation-token={}&delimiter={}&encoding-type=url&list-type=2&max-keys=1000&prefix={}",
            encode(&values[0]), encode(&values[1]), encode(&values[2]));
        let keys = keys("AKID", token.as_deref(), 1);
        let (mut writer, mut out) = (writer(keys.clone()), Vec::new());
        writer.list_at(&query, unix_s, &mut out);
        agrees(&out, &keys, unix_s);
    }
}

#[test]
fn keys_of_every_kind_become_paths() {
    let (mut writer, mut out) = (writer(keys("AKID", None, 1)), Vec::new());
    let mut path = |key: &str| {
        writer.get_at(Target::whole(key), 0, &mut out);
        parsed(&out).0
    };
    assert_eq!(path("a b+c%?#&"), "/b/a%20b%2Bc%25%3F%23%26");
    assert_eq!(path("/x//../."), "/b//x//../.");
    assert_eq!(path("ä\n😀"), "/b/%C3%A4%0A%F0%9F%98%80");
}

#[test]
fn the_example_of_a_request_on_the_wire() {
    let mut out = Vec::new();
    let target = Target {
        part: Some(Part { first: 0, last: 9 }),
        etag: "abc-2",
        ..Target::whole("k")
    };
    writer(keys("AKID", Some("TOKEN"), 1))
        .requester_pays()
        .get_at(target, 1_767_323_045, &mut out);
    let text = String::from_utf8(out.clone()).unwrap();
    let (head, signature) = text.split_once("Signature=").unwrap();
    assert_eq!(
        head.replace(env!("CARGO_PKG_VERSION"), "V"),
        "GET /b/k HTTP/1.1\r\nhost: 127.0.0.1:9000\r\nuser-agent: parfetch/V\r\nx-amz-request-payer: requester\r\nx-amz-date: 20260102T030405Z\r\n\
         x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\nx-amz-security-token: TOKEN\r\n\
         range: bytes=0-9\r\nif-match: \"abc-2\"\r\nauthorization: AWS4-HMAC-SHA256 Credential=AKID/20260102/eu-west-1/s3/aws4_request, \
         SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date;x-amz-request-payer;x-amz-security-token, "
    );
    assert_eq!(signature.len(), 64 + 4);
    let mut unsigned = RequestWriter::new(&endpoint("/", "r"), None);
    unsigned.get_at(target, 0, &mut out);
    assert_eq!(
        String::from_utf8(out)
            .unwrap()
            .replace(env!("CARGO_PKG_VERSION"), "V"),
        "GET /k HTTP/1.1\r\nhost: 127.0.0.1:9000\r\nuser-agent: parfetch/V\r\nrange: bytes=0-9\r\nif-match: \"abc-2\"\r\n\r\n"
    );
}

#[test]
fn a_credential_cannot_end_its_header() {
    let mut out = Vec::new();
    writer(keys("AK\r\nx: y", Some(" tok\nen "), 1)).get_at(Target::whole("k"), 0, &mut out);
    let (_, headers) = parsed(&out);
    assert!(headers.iter().all(|(name, _)| name != "x"));
    assert!(headers.contains(&("x-amz-security-token".to_owned(), "token".to_owned())));
}

/// All within one second of the clock: what was prepared for it must not outlive its credentials.
fn signed(writer: &mut RequestWriter) -> String {
    let mut out = Vec::new();
    writer.get_at(Target::whole("k"), 7, &mut out);
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn refreshed_credentials_sign_the_next_request() {
    let (feed, newest, mut asked) = CredentialFeed::remote(keys("OLD", None, 1));
    let mut writer = RequestWriter::new(&endpoint("/b/", "us-east-1"), Some(feed));
    assert!(signed(&mut writer).contains("Credential=OLD/"));
    let keeper = async {
        assert_eq!(asked.recv().await, Some(1), "the version that was refused");
        newest.send_replace(std::sync::Arc::new(keys("NEW", None, 2)));
    };
    tokio::join!(writer.refresh(), keeper);
    assert!(signed(&mut writer).contains("Credential=NEW/"));
    newest.send_replace(std::sync::Arc::new(keys("THIRD", None, 3)));
    assert!(
        signed(&mut writer).contains("Credential=THIRD/"),
        "without asking"
    );
}

#[test]
fn a_clock_that_is_wrong_is_corrected_for_every_writer_once_it_was_refused() {
    let (feed, _newest, _asked) = CredentialFeed::remote(keys("AKID", None, 1));
    let mut writers =
        [(); 2].map(|()| RequestWriter::new(&endpoint("/b/", "us-east-1"), Some(feed.clone())));
    let date = |writer: &mut RequestWriter| {
        let mut out = Vec::new();
        writer.get(Target::whole("k"), &mut out);
        parsed(&out)
            .1
            .into_iter()
            .find(|(name, _)| name == "x-amz-date")
            .unwrap()
            .1
    };
    let before = writers.each_mut().map(date);
    let store_s = clock::unix_ms() / 1000 + 86_400 * 400;
    assert!(writers[0].correct_clock(i64::try_from(store_s).unwrap()));
    for (writer, before) in writers.iter_mut().zip(before) {
        let after = date(writer);
        // More than a year later, or a second of the test's own time more.
        assert!(
            after[..4] > before[..4]
                && [store_s, store_s + 1, store_s - 1]
                    .map(date_text)
                    .iter()
                    .any(|text| text[..8] == after[..8]),
            "{after}"
        );
    }
    assert!(
        !writers[0].correct_clock(i64::try_from(store_s).unwrap()),
        "it was signed so"
    );
    let mut unsigned = RequestWriter::new(&endpoint("/b/", "us-east-1"), None);
    assert!(!unsigned.correct_clock(0), "nothing depends on the time");
}
