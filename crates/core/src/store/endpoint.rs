//! Where requests go.

use http::Uri;
use http::uri::Scheme;
use serde::{Deserialize, Serialize};

/// Where the objects of one bucket are, as the SDK resolved it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub https: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The `Host` header: with the port where it is not the scheme's own.
    pub authority: String,
    /// What stands before the key in the path, slash included: `/` or `/bucket/`.
    pub base_path: String,
    /// The region in the signature.
    pub signing_region: String,
}

impl Endpoint {
    /// Reads the endpoint off a presigned URL for the key `k`.
    pub(in crate::store) fn of_presigned(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
        let https = uri.scheme() == Some(&Scheme::HTTPS);
        let authority = uri.authority().ok_or("the URL has no host")?;
        let base_path = uri
            .path()
            .strip_suffix('k')
            .ok_or("the URL does not end in the key")?
            .to_owned();
        let credential = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))
            .ok_or("the URL is not signed")?;
        let signing_region = credential
            .split("%2F")
            .nth(2)
            .ok_or("the URL names no region")?
            .to_owned();
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let standard = authority
            .port_u16()
            .is_none_or(|port| port == if https { 443 } else { 80 });
        Ok(Self {
            https,
            host: authority
                .host()
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port,
            authority: if standard {
                authority.host().to_owned()
            } else {
                authority.as_str().to_owned()
            },
            base_path,
            signing_region,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0";

    #[test]
    fn a_presigned_url_tells_the_endpoint() {
        let own =
            Endpoint::of_presigned(&format!("http://127.0.0.1:9000/images/k{QUERY}")).unwrap();
        assert_eq!(
            (
                own.https,
                own.host.as_str(),
                own.port,
                own.authority.as_str()
            ),
            (false, "127.0.0.1", 9000, "127.0.0.1:9000")
        );
        assert_eq!(
            (own.base_path.as_str(), own.signing_region.as_str()),
            ("/images/", "eu-west-1")
        );
        let aws = Endpoint::of_presigned(&format!(
            "https://images.s3.eu-west-1.amazonaws.com/k{QUERY}"
        ))
        .unwrap();
        assert_eq!(
            (aws.https, aws.port, aws.base_path.as_str()),
            (true, 443, "/")
        );
        assert_eq!(aws.authority, "images.s3.eu-west-1.amazonaws.com");
        assert!(Endpoint::of_presigned("http://h/k").is_err());
    }
}
