//! TLS between HTTP and the socket: turns bytes into other bytes and does no I/O. rustls does all of it; certificates and names are always checked.
//!
//! rustls's unbuffered interface decrypts where the bytes were received, so that no buffer of its own stands in between.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{CipherSuite, ClientConfig, NamedGroup, RootCertStore};

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::trust::read_bundle;

/// Room for what one record adds to its text; more is asked for where it does not suffice.
const RECORD_ROOM: usize = 64;

/// TLS as the SDK speaks it (rustls, aws-lc), with HTTP/1.1 alone. What costs least comes first among equals: AES-128-GCM, and X25519.
pub(super) fn config(ca_bundle: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    match ca_bundle {
        Some(path) => {
            roots.add_parsable_certificates(read_bundle(path)?);
        }
        // Also reads SSL_CERT_FILE and SSL_CERT_DIR.
        None => _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    }
    if roots.is_empty() {
        return Err(StoreError::new(
            StoreErrorKind::Tls,
            "no certificate authority is trusted on this machine",
        )
        .hint("install ca-certificates, or name a PEM file: --ca-bundle FILE (AWS_CA_BUNDLE)"));
    }
    Ok(trusting(roots))
}

/// The configuration that trusts these authorities. Sessions are resumed, which is rustls's default.
fn trusting(roots: RootCertStore) -> ClientConfig {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let fast = [
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    // Stable: the rest stays in rustls's order. A library built for FIPS has no X25519, and keeps its own.
    provider
        .cipher_suites
        .sort_by_key(|suite| !fast.contains(&suite.suite()));
    provider
        .kx_groups
        .sort_by_key(|group| group.name() != NamedGroup::X25519);
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions();
    let mut config = builder
        .expect("the provider serves TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Whom a certificate must be for.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, StoreError> {
    ServerName::try_from(host.to_owned()).map_err(|error| {
        StoreError::new(
            StoreErrorKind::Tls,
            format!("`{host}` cannot be checked against a certificate: {error}"),
        )
    })
}

/// The client's side of one connection.
pub(super) struct Tls {
    session: UnbufferedClientConnection,
    closed: bool,
}

/// What one call of rustls asked for.
enum Step {
    Again,
    /// Everything there is has been read; it waits for more, or for something to send.
    Idle,
}

impl Tls {
    /// Says nothing yet.
    pub(super) fn new(config: &Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        let session = UnbufferedClientConnection::new(Arc::clone(config), name).map_err(failed)?;
        Ok(Self {
            session,
            closed: false,
        })
    }

    /// Whether the handshake is over, the server's certificate checked.
    pub(super) fn is_ready(&self) -> bool {
        !self.session.is_handshaking()
    }

    /// Whether the server said that it sends nothing more. rustls says so once.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Encrypts `text` behind what is in `out`; `held` is what [`open`](Self::open) left over, and how much of that is done with now is returned.
    pub(super) fn seal(
        &mut self,
        text: &[u8],
        held: &mut [u8],
        out: &mut Vec<u8>,
    ) -> io::Result<usize> {
        self.advance(held, (Some(text), out), |_| {})
    }

    /// Decrypts what came, in place: hands text to `take`, and what the session has to say to `out`. Returns how much of `wire` is done with; the
    /// rest, part of a record, must come again with more behind it.
    pub(super) fn open(
        &mut self,
        wire: &mut [u8],
        out: &mut Vec<u8>,
        take: impl FnMut(&[u8]),
    ) -> io::Result<usize> {
        self.advance(wire, (None, out), take)
    }

    /// Lets rustls do all it can with `wire`, and encrypt a text when there is one.
    fn advance(
        &mut self,
        wire: &mut [u8],
        (mut text, out): (Option<&[u8]>, &mut Vec<u8>),
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<usize> {
        let mut done = 0;
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.session.process_tls_records(&mut wire[done..]);
            let step = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(failed)?;
                        discard += record.discard;
                        take(record.payload);
                    }
                    Step::Again
                }
                Ok(ConnectionState::EncodeTlsData(mut encode)) => {
                    grow(out, 0, |room| {
                        encode.encode(room).map_err(short_of_encoding)
                    })?;
                    Step::Again
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => {
                    // `out` keeps what is to be sent, in its order.
                    transmit.done();
                    Step::Again
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    if let Some(text) = text.take() {
                        grow(out, text.len() + RECORD_ROOM, |room| {
                            traffic.encrypt(text, room).map_err(short_of_encrypting)
                        })?;
                    }
                    Step::Idle
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.closed = true;
                    Step::Again
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => Step::Idle,
                Ok(state) => {
                    return Err(io::Error::other(format!(
                        "TLS in a state that is not known: {state:?}"
                    )));
                }
                Err(error) => {
                    self.last_words(&mut wire[done + discard..], out);
                    return Err(failed(error));
                }
            };
            done += discard;
            if matches!(step, Step::Idle) {
                return if text.is_some() {
                    Err(io::ErrorKind::NotConnected.into())
                } else {
                    Ok(done)
                };
            }
        }
    }

    /// After an error: the alert that tells the server why.
    fn last_words(&mut self, wire: &mut [u8], out: &mut Vec<u8>) {
        let mut done = 0;
        // Not once more than there is to say: rustls must not read on after its alert.
        while self.session.wants_write() {
            let UnbufferedStatus { discard, state } =
                self.session.process_tls_records(&mut wire[done..]);
            let Ok(ConnectionState::EncodeTlsData(mut encode)) = state else {
                return;
            };
            if grow(out, 0, |room| {
                encode.encode(room).map_err(short_of_encoding)
            })
            .is_err()
            {
                return;
            }
            done += discard;
        }
    }
}

/// What a writer of records says when it cannot write.
enum NoRoom {
    Of(usize),
    Failed(io::Error),
}

fn short_of_encoding(error: EncodeError) -> NoRoom {
    match error {
        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
            NoRoom::Of(required_size)
        }
        error @ EncodeError::AlreadyEncoded => NoRoom::Failed(io::Error::other(error)),
    }
}

fn short_of_encrypting(error: EncryptError) -> NoRoom {
    match error {
        EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
            NoRoom::Of(required_size)
        }
        error @ EncryptError::EncryptExhausted => NoRoom::Failed(io::Error::other(error)),
    }
}

/// Lets `write` write behind what is in `out`, which grows until that fits.
fn grow(
    out: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, NoRoom>,
) -> io::Result<()> {
    let start = out.len();
    let mut room = room;
    loop {
        out.resize(start + room, 0);
        let written = write(&mut out[start..]);
        out.truncate(start + written.as_ref().map_or(0, |written| *written));
        match written {
            Ok(_) => return Ok(()),
            Err(NoRoom::Of(required)) if required > room => room = required,
            Err(NoRoom::Of(_)) => {
                return Err(io::Error::other("TLS asks for no more room than it has"));
            }
            Err(NoRoom::Failed(error)) => return Err(error),
        }
    }
}

fn failed(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests;
