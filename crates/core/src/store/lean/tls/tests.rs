//! TLS in memory: a rustls server on the other side, bytes carried between them in pieces of any size.

use std::io::{Read as _, Write as _};

use rcgen::{CertifiedIssuer, KeyPair};
use rustls::{
    AlertDescription, ProtocolVersion, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

use super::*;
use crate::store::lean::fixture::authority;

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

fn trust(authority: &CertifiedIssuer<'static, KeyPair>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    Arc::new(trusting(roots))
}

struct Pair {
    server: ServerConnection,
    tls: Tls,
    /// Bytes of a piece.
    piece: usize,
    held: Vec<u8>,
    out: Vec<u8>,
    text: Vec<u8>,
}

impl Pair {
    fn new(
        client: &Arc<ClientConfig>,
        server: &Arc<ServerConfig>,
        (name, piece): (&'static str, usize),
    ) -> Self {
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        server.set_buffer_limit(None);
        let mut tls = Tls::new(client, ServerName::try_from(name).unwrap()).unwrap();
        let mut out = Vec::new();
        assert_eq!(tls.open(&mut [], &mut out, |_| {}).unwrap(), 0);
        Self {
            server,
            tls,
            piece,
            held: Vec::new(),
            out,
            text: Vec::new(),
        }
    }

    /// A pair whose handshake is over.
    fn ready(version: &'static SupportedProtocolVersion, piece: usize) -> Self {
        let (authority, server) = authority(version);
        let mut pair = Self::new(&trust(&authority), &Arc::new(server), ("h.example", piece));
        pair.handshake().unwrap();
        pair
    }

    fn handshake(&mut self) -> io::Result<()> {
        while !self.tls.is_ready() || self.server.is_handshaking() {
            self.send().map_err(io::Error::other)?;
            self.receive()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), rustls::Error> {
        let mut out = std::mem::take(&mut self.out);
        while !out.is_empty() {
            let taken = self.server.read_tls(&mut &out[..]).unwrap();
            out.drain(..taken);
            self.server.process_new_packets()?;
        }
        Ok(())
    }

    /// What the server has to say.
    fn said(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    fn receive(&mut self) -> io::Result<()> {
        let bytes = self.said();
        self.carry(&bytes)
    }

    fn carry(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(self.piece) {
            self.held.extend_from_slice(piece);
            let text = &mut self.text;
            let done = self.tls.open(&mut self.held, &mut self.out, |bytes| {
                text.extend_from_slice(bytes);
            })?;
            self.held.drain(..done);
        }
        Ok(())
    }

    /// The server sends so many bytes; they arrive as they were sent.
    fn body(&mut self, length: usize) {
        let body: Vec<u8> = (0..length)
            .map(|number| u8::try_from(number % 251).unwrap())
            .collect();
        self.server.writer().write_all(&body).unwrap();
        self.text.clear();
        self.receive().unwrap();
        assert!(
            self.text == body,
            "{} of {length} bytes in pieces of {}",
            self.text.len(),
            self.piece
        );
        assert!(
            self.held.len() < 20 * 1024,
            "no more than one record is held"
        );
    }

    /// The client sends this, and it arrives so.
    fn request(&mut self, text: &[u8]) {
        let done = self.tls.seal(text, &mut self.held, &mut self.out).unwrap();
        self.held.drain(..done);
        let (out, mut arrived) = (std::mem::take(&mut self.out), Vec::new());
        let mut rest = &out[..];
        while !rest.is_empty() {
            self.server.read_tls(&mut rest).unwrap();
            let length = self
                .server
                .process_new_packets()
                .unwrap()
                .plaintext_bytes_to_read();
            let start = arrived.len();
            arrived.resize(start + length, 0);
            self.server
                .reader()
                .read_exact(&mut arrived[start..])
                .unwrap();
        }
        assert!(arrived == text);
    }
}

#[test]
fn bodies_of_any_length_in_pieces_of_any_size() {
    for version in BOTH {
        for piece in [1, 2, 5, 21, 1_400, 4_096, 16_384, 16_406, 65_536, 262_144] {
            let mut pair = Pair::ready(version, piece);
            let large = if piece < 21 { 70_000 } else { 1_000_000 };
            for length in [0, 1, 16_383, 16_384, 16_385, large] {
                pair.request(b"GET");
                pair.body(length);
            }
            let expected = if *version == rustls::version::TLS13 {
                ProtocolVersion::TLSv1_3
            } else {
                ProtocolVersion::TLSv1_2
            };
            assert_eq!(pair.tls.session.protocol_version(), Some(expected));
        }
    }
    Pair::ready(&rustls::version::TLS13, 262_144).body(8 << 20);
}

#[test]
fn requests_of_any_length() {
    let mut pair = Pair::ready(&rustls::version::TLS13, 4_096);
    for length in [1, 700, 16_384, 16_385, 200_000] {
        pair.request(&vec![b'x'; length]);
    }
}

#[test]
fn keys_are_changed_before_and_within_bodies_and_the_change_is_answered() {
    for piece in [1, 1_000, 262_144] {
        let mut pair = Pair::ready(&rustls::version::TLS13, piece);
        pair.request(b"GET");
        pair.server.refresh_traffic_keys().unwrap();
        pair.body(50_000);
        pair.request(b"the answer to the change comes first");
        pair.server.writer().write_all(&vec![1; 40_000]).unwrap();
        let mut bytes = pair.said();
        pair.server.refresh_traffic_keys().unwrap();
        pair.server.writer().write_all(&vec![2; 40_000]).unwrap();
        bytes.extend(pair.said());
        pair.text.clear();
        pair.carry(&bytes).unwrap();
        assert!(pair.text == [vec![1; 40_000], vec![2; 40_000]].concat());
        pair.request(b"GET");
        // Our own: what is encrypted next has the change in front of it.
        let done = match pair.tls.session.process_tls_records(&mut pair.held) {
            UnbufferedStatus {
                discard,
                state: Ok(ConnectionState::WriteTraffic(traffic)),
            } => traffic.refresh_traffic_keys().map(|()| discard).unwrap(),
            status => panic!("{status:?}"),
        };
        assert_eq!(done, 0);
        pair.request(&vec![3; 20_000]);
        pair.body(20_000);
    }
}

#[test]
fn a_session_is_resumed_once_its_tickets_came_with_the_first_answer() {
    for version in BOTH {
        let (authority, server) = authority(version);
        let (client, server) = (trust(&authority), Arc::new(server));
        for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let mut pair = Pair::new(&client, &server, ("h.example", 100));
            pair.handshake().unwrap();
            pair.request(b"GET");
            pair.body(10);
            assert_eq!(pair.server.handshake_kind(), Some(kind), "{version:?}");
        }
    }
}

fn refused(
    name: &'static str,
    client: &Arc<ClientConfig>,
    server: ServerConfig,
) -> (rustls::Error, rustls::Error) {
    let mut pair = Pair::new(client, &Arc::new(server), (name, 512));
    let error = pair.handshake().unwrap_err();
    // The server is told why.
    let told = pair.send().unwrap_err();
    (error.downcast::<rustls::Error>().unwrap(), told)
}

#[test]
fn strangers_are_refused_and_told_so() {
    let (known, server) = authority(&rustls::version::TLS13);
    let (error, told) = refused("other.example", &trust(&known), server);
    assert!(
        matches!(
            error,
            rustls::Error::InvalidCertificate(
                rustls::CertificateError::NotValidForNameContext { .. }
            )
        ),
        "{error}"
    );
    assert!(
        matches!(
            told,
            rustls::Error::AlertReceived(AlertDescription::BadCertificate)
        ),
        "{told}"
    );
    let (stranger, _) = authority(&rustls::version::TLS13);
    let (_, server) = authority(&rustls::version::TLS12);
    let (error, told) = refused("h.example", &trust(&stranger), server);
    assert!(
        matches!(
            error,
            rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)
        ),
        "{error}"
    );
    assert!(
        matches!(
            told,
            rustls::Error::AlertReceived(AlertDescription::UnknownCA)
        ),
        "{told}"
    );
}

#[test]
fn another_protocol_than_http_1_1_is_refused() {
    let (known, mut server) = authority(&rustls::version::TLS13);
    server.alpn_protocols = vec![b"h2".to_vec()];
    let mut pair = Pair::new(&trust(&known), &Arc::new(server), ("h.example", 512));
    assert!(pair.handshake().is_err());
}

#[test]
fn one_flipped_bit_anywhere_in_a_record_is_noticed_and_the_server_is_told() {
    for version in BOTH {
        let mut pair = Pair::ready(version, 262_144);
        pair.request(b"GET");
        pair.receive().unwrap();
        pair.server.writer().write_all(&[7; 16_384]).unwrap();
        pair.server.writer().write_all(&[8; 100]).unwrap();
        let mut bytes = pair.said();
        // In the second record, so that the first is read.
        let place = bytes.len() - 50;
        bytes[place] ^= 1;
        pair.text.clear();
        let error = pair
            .carry(&bytes)
            .unwrap_err()
            .downcast::<rustls::Error>()
            .unwrap();
        assert_eq!(error, rustls::Error::DecryptError);
        assert!(
            pair.text == [7; 16_384],
            "what came before it had been checked"
        );
        assert!(matches!(
            pair.send().unwrap_err(),
            rustls::Error::AlertReceived(AlertDescription::BadRecordMac)
        ));
    }
}

#[test]
fn what_is_no_tls_is_an_error() {
    let (known, server) = authority(&rustls::version::TLS13);
    let mut pair = Pair::new(&trust(&known), &Arc::new(server), ("h.example", 3));
    let error = pair.carry(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap_err();
    assert!(error.downcast::<rustls::Error>().is_ok());
}

#[test]
fn the_servers_last_word_is_remembered() {
    for version in BOTH {
        let mut pair = Pair::ready(version, 7);
        pair.body(100);
        assert!(!pair.tls.is_closed());
        pair.server.send_close_notify();
        pair.receive().unwrap();
        assert!(pair.tls.is_closed());
        assert_eq!(
            pair.tls
                .open(&mut pair.held, &mut pair.out, |_| panic!("no text"))
                .unwrap(),
            0
        );
        assert!(pair.tls.is_closed(), "rustls says it once");
    }
}

#[test]
fn the_cheapest_cipher_and_key_exchange_come_first() {
    let mut pair = Pair::ready(&rustls::version::TLS13, 262_144);
    pair.request(b"GET");
    assert_eq!(
        pair.tls.session.negotiated_cipher_suite().unwrap().suite(),
        CipherSuite::TLS13_AES_128_GCM_SHA256
    );
    assert_eq!(
        pair.tls
            .session
            .negotiated_key_exchange_group()
            .unwrap()
            .name(),
        NamedGroup::X25519
    );
    assert_eq!(pair.tls.session.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut pair = Pair::ready(&rustls::version::TLS12, 262_144);
    pair.request(b"GET");
    assert_eq!(
        pair.tls.session.negotiated_cipher_suite().unwrap().suite(),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    );
}
