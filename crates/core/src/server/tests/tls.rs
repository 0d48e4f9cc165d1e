//! https: served with the given certificate, refused by whoever does not trust it. Certificate and key are made for this test alone.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::TlsFiles;
use super::{Fixture, serve_with};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("src/server/tests")
        .join(name)
}

fn https() -> Fixture {
    serve_with("objects=1", |config| {
        config.tls = Some(TlsFiles {
            certificate: file("certificate.pem"),
            key: file("key.pem"),
        });
    })
}

#[tokio::test]
async fn a_client_that_trusts_the_certificate_is_answered() {
    let fixture = https();
    let address = fixture
        .server
        .ready()
        .endpoint_url
        .strip_prefix("https://")
        .unwrap()
        .to_owned();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(file("certificate.pem")).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector
        .connect(ServerName::try_from("127.0.0.1").unwrap(), stream)
        .await
        .unwrap();
    stream
        .write_all(b"GET /source/x HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("<Code>AccessDenied</Code>"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_that_does_not_trust_it_ends_the_handshake() {
    let fixture = https();
    let error = fixture
        .client()
        .get_object()
        .bucket("source")
        .key("data/00/000000000.bin")
        .send()
        .await
        .unwrap_err();
    let error = format!("{error:?}");
    assert!(
        error.contains("DispatchFailure") && error.contains("UnknownIssuer"),
        "{error}"
    );
    assert_eq!(fixture.server.report().gets, 0);
}
