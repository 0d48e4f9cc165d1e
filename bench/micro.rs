//! Micro-benchmarks of what every request and every key costs by itself: `cargo bench --bench micro`. Figures of one machine; nothing is asserted.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use divan::Bencher;
use parfetch::internals::CsvWriter;
use parfetch::internals::{KeyRecord, Outcome, Sample};
use parfetch::internals::{Reading, Signing, scan_page};

const KEY: &str = "data/2026/11/21/part-000123456.parquet";
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn main() {
    divan::main();
}

/// A signed request of `lean`, session token included.
#[divan::bench]
fn sign_lean(bencher: Bencher<'_, '_>) {
    let mut signing = Signing::default();
    bencher.bench_local(|| signing.get(black_box(KEY)));
}

/// The same with the library that AWS's SDK uses.
#[divan::bench]
fn sign_aws_sigv4(bencher: Bencher<'_, '_>) {
    let keys = Credentials::new(
        "ASIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        Some("T".repeat(850)),
        None,
        "micro",
    );
    let identity: Identity = keys.into();
    bencher.bench_local(|| {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let time = UNIX_EPOCH + Duration::from_hours(500_000);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("s3")
            .time(time)
            .settings(settings)
            .build();
        let headers = [
            ("host", "bucket.s3.eu-west-1.amazonaws.com"),
            ("user-agent", "parfetch"),
        ];
        let body = SignableBody::Precomputed(EMPTY_SHA256.to_owned());
        let signable = SignableRequest::new(
            "GET",
            format!("/{}", black_box(KEY)),
            headers.into_iter(),
            body,
        );
        sign(
            signable.expect("plain headers"),
            &params.expect("every parameter").into(),
        )
        .expect("a plain GET")
        .into_parts()
        .1
    });
}

/// The head of an answer as S3 sends it, and 16 KiB behind it.
#[divan::bench]
fn read_answer(bencher: Bencher<'_, '_>) {
    let mut answer = b"HTTP/1.1 200 OK\r\nx-amz-id-2: kXb3Fp8gLOsY0m7jYJ1Q2aZ9nBqA0vF1zT4wR6eY8uI0oP2sD4fG6hJ8kL0zX2c\r\nx-amz-request-id: 4Z3T5K8R2M1N6P7Q\r\n\
        Date: Sat, 21 Nov 2026 16:00:00 GMT\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\n\
        x-amz-server-side-encryption: AES256\r\nAccept-Ranges: bytes\r\nContent-Type: binary/octet-stream\r\nContent-Length: 16384\r\nServer: AmazonS3\r\n\r\n"
        .to_vec();
    answer.resize(answer.len() + 16 * 1024, b'x');
    let mut reading = Reading::default();
    bencher.bench_local(|| reading.answer(black_box(&answer)));
}

/// A page of 1,000 keys as S3 sends it.
#[divan::bench]
fn scan_page_of_1000_keys(bencher: Bencher<'_, '_>) {
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name><Prefix></Prefix>\
         <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken><KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys>\
         <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>",
    );
    for number in 0..1_000 {
        page.push_str("<Contents><Key>data/2026/11/21/part-");
        write!(page, "{number:09}").expect("a string takes everything");
        page.push_str(
            ".parquet</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag>\
             <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>16384</Size><StorageClass>STANDARD</StorageClass></Contents>",
        );
    }
    page.push_str("</ListBucketResult>");
    bencher.bench_local(|| scan_page(black_box(page.as_bytes())));
}

fn sample() -> Sample {
    Sample {
        unit: 123_456,
        outcome: Outcome::Ok,
        size: Some(16_384),
        calc_size: Some(16_384),
        attempts: 1,
        start_ns: Some(12_345_678_901),
        attempt_start_ns: Some(12_345_678_901),
        first_byte_ns: Some(12_357_678_901),
        end_ns: Some(12_358_678_901),
        worker: 7,
        pid: 4_321,
        tid: 4_329,
        ..Sample::default()
    }
}

/// A row in the form in which it waits on disk: what a fetch costs beside its request.
#[divan::bench]
fn encode_row(bencher: Bencher<'_, '_>) {
    let (sample, mut row) = (sample(), Vec::with_capacity(Sample::ENCODED_LEN));
    bencher.bench_local(|| {
        row.clear();
        black_box(&sample).encode(&mut row);
        row.len()
    });
}

/// A row of the CSV, written after the run.
#[divan::bench]
fn write_csv_row(bencher: Bencher<'_, '_>) {
    let key = KeyRecord {
        key: KEY.to_owned(),
        size: Some(16_384),
        ..KeyRecord::default()
    };
    let (sample, mut csv) = (
        sample(),
        CsvWriter::new(std::io::sink(), 1_000_000_000).expect("a sink takes everything"),
    );
    bencher.bench_local(|| {
        csv.row(black_box(&key), black_box(&sample), 0)
            .expect("a sink takes everything");
    });
}
