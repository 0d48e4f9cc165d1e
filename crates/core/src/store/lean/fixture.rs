//! For tests: certificates, a server that says what a test wants over plain TCP or TLS, and a sink that remembers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use crate::store::attempt::{BodyHead, BodySink};

/// What the sink was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// What each head announced.
    pub(super) heads: Vec<Option<u64>>,
    pub(super) totals: Vec<Option<u64>>,
    pub(super) etags: Vec<Vec<u8>>,
    pub(super) body: Vec<u8>,
}

impl BodySink for Told {
    fn head(&mut self, head: &BodyHead<'_>) {
        self.heads.push(head.length);
        self.totals.push(head.total);
        self.etags.push(head.etag.to_vec());
    }

    fn chunk(&mut self, bytes: &[u8]) {
        assert!(!self.heads.is_empty(), "a head comes first");
        self.body.extend_from_slice(bytes);
    }
}

/// An authority, and a server of this version with a certificate of it for `h.example` and 127.0.0.1.
pub(super) fn authority(
    version: &'static SupportedProtocolVersion,
) -> (CertifiedIssuer<'static, KeyPair>, ServerConfig) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = KeyPair::generate().unwrap();
    // No two authorities of one name.
    params
        .distinguished_name
        .push(DnType::CommonName, format!("{:?}", own.public_key_raw()));
    let authority = CertifiedIssuer::self_signed(params, own).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["h.example", "127.0.0.1"].map(str::to_owned);
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let builder =
        ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into());
    let builder = builder
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = builder
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (authority, config)
}

/// The server's end of one connection, driven by a test's own thread.
pub(super) enum Peer {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Peer {
    /// Lets `script` speak on the first connection.
    pub(super) fn serve<T: Send + 'static>(
        config: Option<Arc<ServerConfig>>,
        script: impl FnOnce(Self) -> T + Send + 'static,
    ) -> (SocketAddr, JoinHandle<T>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let tcp = listener.accept().unwrap().0;
            script(match config {
                None => Self::Plain(tcp),
                Some(config) => Self::Tls(Box::new(StreamOwned::new(
                    ServerConnection::new(config).unwrap(),
                    tcp,
                ))),
            })
        });
        (address, thread)
    }

    /// Reads one request, which has no body.
    pub(super) fn request(&mut self) -> Vec<u8> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self {
                Self::Plain(tcp) => tcp.read_exact(&mut byte).unwrap(),
                Self::Tls(tls) => tls.read_exact(&mut byte).unwrap(),
            }
            request.extend(byte);
        }
        request
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes).unwrap(),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()).unwrap(),
        }
    }

    /// Says that nothing more comes, as the protocol has it.
    pub(super) fn part(&mut self) {
        match self {
            Self::Plain(tcp) => tcp.shutdown(Shutdown::Write).unwrap(),
            Self::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush().unwrap();
            }
        }
    }

    /// The socket below.
    pub(super) fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &mut tls.sock,
        }
    }

    /// Waits until the client has closed its end.
    pub(super) fn outlive(mut self) {
        let _reset = self.tcp().read_to_end(&mut Vec::new());
    }
}
