//! Serving https with a certificate from files.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::error::ServerError;
use super::protocol::TlsFiles;
use crate::platform::bounded::{TEXT_BYTES, read_bytes};

/// Reads certificate and key.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let failed = |path: &std::path::Path, reason: String| ServerError::Tls {
        path: path.to_owned(),
        reason,
    };
    let certificate_failed = |reason: String| failed(&files.certificate, reason);
    let chain = read_bytes(&files.certificate, TEXT_BYTES)
        .map_err(|error| certificate_failed(error.to_string()))?;
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| certificate_failed(error.to_string()))?;
    let key = read_bytes(&files.key, TEXT_BYTES)
        .map_err(|error| failed(&files.key, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| failed(&files.key, error.to_string()))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| certificate_failed(error.to_string()))?
    .with_no_client_auth()
    .with_single_cert(chain, key)
    .map_err(|error| certificate_failed(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
