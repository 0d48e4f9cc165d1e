//! Certificates: whom the two clients trust, and that they agree.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;

use crate::support::scripted::{Scripted, Turn};
use crate::support::strict::{Invocation, Said};

/// A certificate authority that no machine knows.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's side of TLS, with a certificate for this name.
    pub(crate) fn server(&self, name: &str) -> Turn {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        let config = rustls::ServerConfig::builder_with_provider(
            rustls::crypto::aws_lc_rs::default_provider().into(),
        );
        let config = config
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Turn::Tls(
            config
                .with_single_cert(vec![certificate.der().clone()], key)
                .unwrap()
                .into(),
        )
    }
}

const ERROR: &str = "cannot store s3://results/result_run_async_1.json: the certificate at";
const HINT: &str =
    "name the authority's PEM file: --ca-bundle FILE (AWS_CA_BUNDLE), or SSL_CERT_FILE";

fn run(server: &Scripted, trust: &[(&str, &str)], (client, pem): (&str, &str)) -> Said {
    Invocation::run(server)
        .file("ca.pem", pem)
        .env(trust)
        .args(&["--client", client, "--attempts", "2"])
        .go()
}

#[test]
fn an_unknown_authority_is_refused_until_it_is_named() {
    let authority = Authority::new("parfetch tests");
    let server = Scripted::turns(vec![authority.server("127.0.0.1")]);
    let other = Authority::new("another").pem();
    for client in ["lean", "sdk"] {
        for (trust, pem) in [
            (&[][..], &authority.pem()),
            (&[("SSL_CERT_FILE", "ca.pem")], &other),
            (&[("AWS_CA_BUNDLE", "ca.pem")], &other),
        ] {
            let said = run(&server, trust, (client, pem));
            said.exits(4);
            let error = said.lines("error: ");
            assert!(
                error.len() == 1
                    && error[0]
                        == format!("{ERROR} {} is not trusted (UnknownIssuer)", server.url()),
                "{}",
                said.stderr
            );
            assert_eq!(said.lines("hint: "), [HINT]);
        }
        for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
            for mode in ["async", "process"] {
                let said = Invocation::run(&server)
                    .file("ca.pem", authority.pem())
                    .env(&[(variable, "ca.pem")])
                    .args(&["--client", client, "-m", mode, "-t", client])
                    .go();
                said.exits(0);
            }
        }
    }
}

#[test]
fn a_certificate_for_another_host_is_refused_by_the_control_calls() {
    let authority = Authority::new("parfetch tests");
    let server = Scripted::turns(vec![authority.server("elsewhere.example")]);
    for client in ["lean", "sdk"] {
        let said = run(
            &server,
            &[("AWS_CA_BUNDLE", "ca.pem")],
            (client, &authority.pem()),
        );
        said.exits(4);
        let error = said.lines("error: ");
        let known = format!("{ERROR} {} is for another name (", server.url());
        assert!(
            error.len() == 1
                && error[0].starts_with(&known)
                && error[0].contains("elsewhere.example"),
            "{}",
            said.stderr
        );
        assert_eq!(
            said.lines("hint: "),
            ["use a host name that the certificate has in the URL"]
        );
    }
}

/// The control calls share the first connection; those that follow are the fetching clients' own.
#[test]
fn certificates_are_checked_by_the_clients_that_fetch() {
    let authority = Authority::new("parfetch tests");
    for (client, mode) in [
        ("lean", "async"),
        ("lean", "process"),
        ("sdk", "async"),
        ("sdk", "process"),
    ] {
        let fetch = |second: Turn, variable: &str| {
            let server = Scripted::turns(vec![authority.server("127.0.0.1"), second]);
            let run = Invocation::run(&server)
                .unset(&["RESULT_BUCKET_NAME"])
                .file("ca.pem", authority.pem())
                .env(&[(variable, "ca.pem")]);
            let said = run
                .args(&[
                    "-o",
                    "out",
                    "--client",
                    client,
                    "-m",
                    mode,
                    "--attempts",
                    "2",
                ])
                .go();
            (
                said,
                server
                    .requests()
                    .iter()
                    .filter(|request| request.is_fetch())
                    .count(),
            )
        };
        for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
            for stranger in [
                authority.server("elsewhere.example"),
                Authority::new("another").server("127.0.0.1"),
            ] {
                let (said, fetches) = fetch(stranger, variable);
                said.exits(3);
                assert_eq!(
                    said.lines("warning: "),
                    ["1 of 1 fetches failed: k0000 (tls)"],
                    "{client} {mode}"
                );
                assert_eq!(fetches, 0, "nothing was said to a stranger");
            }
            fetch(authority.server("127.0.0.1"), variable).0.exits(0);
        }
    }
}

#[test]
fn a_bundle_that_cannot_be_used() {
    let server = Scripted::start(1, |_| None);
    let missing = Invocation::run(&server)
        .env(&[("AWS_CA_BUNDLE", "missing.pem")])
        .go();
    let error =
        "cannot read the certificates in missing.pem: No such file or directory (os error 2)";
    missing.fails(4, error, "--ca-bundle (AWS_CA_BUNDLE) names a PEM file");
    let empty = Invocation::run(&server)
        .file("ca.pem", "nothing")
        .env(&[("AWS_CA_BUNDLE", "ca.pem")])
        .go();
    empty.fails(
        4,
        "cannot read the certificates in ca.pem: it holds no certificate",
        "--ca-bundle (AWS_CA_BUNDLE) names a PEM file",
    );
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = Invocation::run(&server)
        .file("ca.pem", broken)
        .env(&[("AWS_CA_BUNDLE", "ca.pem")])
        .go();
    broken.fails(
        4,
        "cannot read the certificates in ca.pem: none of them can be used",
        "--ca-bundle (AWS_CA_BUNDLE) names a PEM file",
    );
}

/// A server whose certificate is its own authority, and that certificate as PEM.
fn of_its_own(change: impl FnOnce(&mut CertificateParams)) -> (Scripted, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(
        rustls::crypto::aws_lc_rs::default_provider().into(),
    );
    let config = config
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = Turn::Tls(
        config
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
            .into(),
    );
    (Scripted::turns(vec![server]), certificate.pem())
}

#[test]
fn a_certificate_that_is_its_own_authority_is_told_so_and_how_to_make_another() {
    let (server, pem) =
        of_its_own(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let (good, good_pem) = of_its_own(|params| params.is_ca = IsCa::ExplicitNoCa);
    for client in ["lean", "sdk"] {
        let said = run(&server, &[("AWS_CA_BUNDLE", "ca.pem")], (client, &pem));
        said.exits(4);
        let known = format!(
            "{ERROR} {} is an authority's own (CA:TRUE), which rustls takes for no server's (",
            server.url()
        );
        assert!(
            said.lines("error: ")[0].starts_with(&known),
            "{}",
            said.stderr
        );
        assert!(
            said.lines("hint: ")[0].contains("-addext basicConstraints=critical,CA:FALSE"),
            "{}",
            said.stderr
        );
        run(&good, &[("AWS_CA_BUNDLE", "ca.pem")], (client, &good_pem)).exits(0);
    }
}

#[test]
fn an_expired_certificate_is_told_so() {
    let (server, pem) = of_its_own(|params| {
        params.is_ca = IsCa::ExplicitNoCa;
        (params.not_before, params.not_after) = (
            rcgen::date_time_ymd(2020, 1, 1),
            rcgen::date_time_ymd(2021, 1, 1),
        );
    });
    for client in ["lean", "sdk"] {
        let said = run(&server, &[("AWS_CA_BUNDLE", "ca.pem")], (client, &pem));
        said.exits(4);
        assert!(
            said.lines("error: ")[0].starts_with(&format!(
                "{ERROR} {} or an authority between has expired (",
                server.url()
            )),
            "{}",
            said.stderr
        );
        assert_eq!(
            said.lines("hint: "),
            ["renew the server's certificates; if they are new, check this machine's clock"]
        );
    }
}
