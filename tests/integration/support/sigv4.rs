//! Checks AWS Signature Version 4 of a request, written from its documentation and apart from what signs.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::scripted::Request;

/// What a request says of its signature.
pub(crate) struct Signed {
    pub(crate) access_key: String,
    scope: String,
    headers: Vec<String>,
    signature: String,
}

impl Signed {
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let text = request
            .headers
            .get("authorization")?
            .strip_prefix("AWS4-HMAC-SHA256")?;
        let part = |name: &str| {
            text.split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (access_key, scope) = part("Credential")?.split_once('/')?;
        let headers = part("SignedHeaders")?
            .split(';')
            .map(str::to_owned)
            .collect();
        Some(Self {
            access_key: access_key.to_owned(),
            scope: scope.to_owned(),
            headers,
            signature: part("Signature")?.to_owned(),
        })
    }

    /// Whether the secret made it.
    pub(crate) fn is_by(&self, secret: &str, request: &Request) -> bool {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let mut parameters: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                if pair.contains('=') {
                    pair.to_owned()
                } else {
                    format!("{pair}=")
                }
            })
            .collect();
        parameters.sort();
        let value = |name: &str| {
            request
                .headers
                .get(name)
                .map(String::as_str)
                .unwrap_or_default()
        };
        let headers: String = self
            .headers
            .iter()
            .flat_map(|name| [name, ":", value(name), "\n"])
            .collect();
        let canonical = [
            &request.method,
            path,
            &parameters.join("&"),
            &headers,
            &self.headers.join(";"),
            value("x-amz-content-sha256"),
        ]
        .join("\n");
        let hash = hex::encode(Sha256::digest(canonical));
        let to_sign = ["AWS4-HMAC-SHA256", value("x-amz-date"), &self.scope, &hash].join("\n");
        let key = self
            .scope
            .split('/')
            .fold(format!("AWS4{secret}").into_bytes(), |key, word| {
                mac(&key, word)
            });
        hex::encode(mac(&key, &to_sign)) == self.signature
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
