//! Which certificate authorities are trusted, and the SDK's HTTP client where that or a proxy is not its default.

use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::{StoreError, StoreErrorKind};
use crate::platform::bounded::{TEXT_BYTES, read_bytes};

/// An HTTP client other than the SDK's default: when a bundle of authorities is named, or a proxy is set. `None` = the SDK's default.
pub(super) fn http_client(
    ca_bundle: Option<&Path>,
) -> Result<Option<SharedHttpClient>, StoreError> {
    let proxied = !ProxyConfig::from_env().is_disabled();
    if ca_bundle.is_none() && !proxied {
        return Ok(None);
    }
    let trust = match ca_bundle {
        None => TrustStore::default(),
        Some(path) => read_bundle(path)?
            .iter()
            .fold(TrustStore::empty(), |trust, certificate| {
                trust.with_pem_certificate(pem(certificate))
            }),
    };
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| {
            StoreError::new(
                StoreErrorKind::Tls,
                format!("cannot use the certificates: {error}"),
            )
        })?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(
            aws_smithy_runtime_api::client::runtime_components::RuntimeComponents::sleep_impl,
        ));
        connector
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone())
            .build()
    });
    Ok(Some(client))
}

/// The authorities in the PEM file of `AWS_CA_BUNDLE`, without those that rustls cannot use: of a whole system's bundle one may be too old, and the
/// SDK panics at it.
pub(super) fn read_bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let failed = |cause: String| {
        StoreError::new(
            StoreErrorKind::File,
            format!(
                "cannot read the certificates in {}: {cause}",
                path.display()
            ),
        )
        .hint("--ca-bundle (AWS_CA_BUNDLE) names a PEM file")
    };
    let bytes = read_bytes(path, TEXT_BYTES).map_err(|error| failed(error.to_string()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes).collect();
    if found.is_empty() {
        return Err(failed("it holds no certificate".to_owned()));
    }
    let usable: Vec<_> = found
        .into_iter()
        .flatten()
        .filter(|found| rustls::RootCertStore::empty().add(found.clone()).is_ok())
        .collect();
    if usable.is_empty() {
        Err(failed("none of them can be used".to_owned()))
    } else {
        Ok(usable)
    }
}

/// One certificate as PEM: the only form that the SDK's TLS takes.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
