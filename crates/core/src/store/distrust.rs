//! Why a server's certificate is not trusted, in words, and what to do about it.

/// What is wrong with a certificate: a predicate for it, and what to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Distrust {
    pub(super) what: &'static str,
    pub(super) hint: &'static str,
}

/// How to make a certificate that is in no authority's name but its own.
const MAKE_ONE: &str = "make the server another: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=HOST -addext subjectAltName=DNS:HOST,IP:ADDRESS \
     -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem, and give --ca-bundle cert.pem";

/// Words of rustls and webpki, small, and what they mean. The first that is found holds.
const KNOWN: [(&str, Distrust); 8] = [
    (
        "not valid for name",
        Distrust {
            what: "is for another name",
            hint: "use a host name that the certificate has in the URL",
        },
    ),
    (
        "causedasendentity",
        Distrust {
            what: "is an authority's own (CA:TRUE), which rustls takes for no server's",
            hint: MAKE_ONE,
        },
    ),
    (
        "unsupportedcertversion",
        Distrust {
            what: "is of X.509 version 1, which has no host names in it",
            hint: "make the server one of version 3: openssl x509 -req does with -extfile FILE, in which stands subjectAltName=DNS:HOST,IP:ADDRESS",
        },
    ),
    (
        "expired",
        Distrust {
            what: "or an authority between has expired",
            hint: "renew the server's certificates; if they are new, check this machine's clock",
        },
    ),
    ("notvalidyet", NOT_YET),
    ("not valid yet", NOT_YET),
    ("unknownissuer", NOT_TRUSTED),
    ("certificate", NOT_TRUSTED),
];

const NOT_YET: Distrust = Distrust {
    what: "is not valid yet",
    hint: "check the clocks of this machine and of the one that made the certificate",
};

const NOT_TRUSTED: Distrust = Distrust {
    what: "is not trusted",
    hint: "name the authority's PEM file: --ca-bundle FILE (AWS_CA_BUNDLE), or SSL_CERT_FILE",
};

/// What the errors of a chain, outermost first, say of a certificate; `None` when it is about none.
pub(super) fn of(chain: &[String]) -> Option<Distrust> {
    let texts: Vec<String> = chain.iter().map(|text| text.to_ascii_lowercase()).collect();
    if !texts
        .iter()
        .any(|text| text.contains("certificate") || text.contains("unknownissuer"))
    {
        return None;
    }
    KNOWN
        .iter()
        .find(|(word, _)| texts.iter().any(|text| text.contains(word)))
        .map(|(_, distrust)| *distrust)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{CertificateError, Error};

    fn what(error: CertificateError) -> Option<&'static str> {
        of(&[
            "dispatch failure".to_owned(),
            Error::InvalidCertificate(error).to_string(),
        ])
        .map(|distrust| distrust.what)
    }

    #[test]
    fn every_kind_of_distrust_has_words_of_its_own() {
        assert_eq!(
            what(CertificateError::UnknownIssuer),
            Some("is not trusted")
        );
        assert_eq!(what(CertificateError::BadSignature), Some("is not trusted"));
        assert_eq!(
            what(CertificateError::Expired),
            Some("or an authority between has expired")
        );
        assert_eq!(
            what(CertificateError::NotValidYet),
            Some("is not valid yet")
        );
        let other = |text: &str| {
            of(&[format!(
                "invalid peer certificate: Other(OtherError({text}))"
            )])
            .map(|distrust| distrust.what)
        };
        assert_eq!(
            other("CaUsedAsEndEntity"),
            Some("is an authority's own (CA:TRUE), which rustls takes for no server's")
        );
        assert_eq!(
            other("UnsupportedCertVersion"),
            Some("is of X.509 version 1, which has no host names in it")
        );
        assert_eq!(of(&["connection refused".to_owned()]), None);
        assert_eq!(of(&["the token has expired".to_owned()]), None);
    }
}
