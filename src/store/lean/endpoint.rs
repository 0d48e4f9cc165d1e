//! Where requests go and what they look like before they are signed.

use http::header::{HOST, HeaderValue, IF_MATCH, RANGE, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Uri, Version};
use http_body_util::Empty;
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::store::attempt::Target;

/// A request of this client: a GET has no body.
pub(super) type GetRequest = Request<Empty<Bytes>>;

/// What S3 leaves as it is in a path: unreserved characters and the slash. `.` and `..` segments are part of the key and go out as they are.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

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
        let base_path = uri.path().strip_suffix('k').ok_or("the URL does not end in the key")?.to_owned();
        let credential =
            uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential=")).ok_or("the URL is not signed")?;
        let signing_region = credential.split("%2F").nth(2).ok_or("the URL names no region")?.to_owned();
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let standard = authority.port_u16().is_none_or(|port| port == if https { 443 } else { 80 });
        Ok(Self {
            https,
            host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            authority: if standard { authority.host().to_owned() } else { authority.as_str().to_owned() },
            base_path,
            signing_region,
        })
    }
}

/// The parts that all requests of a run share.
#[derive(Debug)]
pub(super) struct RequestHead {
    base_path: String,
    headers: HeaderMap,
}

impl RequestHead {
    pub(super) fn new(endpoint: &Endpoint, request_payer: bool) -> Self {
        let authority: Authority = endpoint.authority.parse().expect("it was part of a URL");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(authority.as_str()).expect("an authority is a header value"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("parfetch/", env!("CARGO_PKG_VERSION"))));
        if request_payer {
            headers.insert("x-amz-request-payer", HeaderValue::from_static("requester"));
        }
        Self { base_path: endpoint.base_path.clone(), headers }
    }

    /// An unsigned GET for `target`.
    pub(super) fn get(&self, target: Target<'_>) -> GetRequest {
        let mut request = self.request(format!("{}{}", self.base_path, utf8_percent_encode(target.key, PATH)));
        if let Some(part) = target.part {
            let value = |text: String| HeaderValue::from_str(&text).expect("digits, and the text of an entity tag");
            request.headers_mut().insert(RANGE, value(part.range()));
            request.headers_mut().extend(part.if_match().map(|tag| (IF_MATCH, value(tag))));
        }
        request
    }

    /// An unsigned GET on the bucket itself; `query` is percent-encoded.
    pub(super) fn list(&self, query: &str) -> GetRequest {
        self.request(format!("{}?{query}", self.base_path))
    }

    fn request(&self, path: String) -> GetRequest {
        let path = PathAndQuery::try_from(path).expect("everything but unreserved characters is percent-encoded");
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = Uri::from(path);
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0";

    #[test]
    fn a_presigned_url_tells_the_endpoint() {
        let own = Endpoint::of_presigned(&format!("http://127.0.0.1:9000/images/k{QUERY}")).unwrap();
        assert_eq!((own.https, own.host.as_str(), own.port, own.authority.as_str()), (false, "127.0.0.1", 9000, "127.0.0.1:9000"));
        assert_eq!((own.base_path.as_str(), own.signing_region.as_str()), ("/images/", "eu-west-1"));
        let aws = Endpoint::of_presigned(&format!("https://images.s3.eu-west-1.amazonaws.com/k{QUERY}")).unwrap();
        assert_eq!((aws.https, aws.port, aws.base_path.as_str()), (true, 443, "/"));
        assert_eq!(aws.authority, "images.s3.eu-west-1.amazonaws.com");
        assert!(Endpoint::of_presigned("http://h/k").is_err());
    }

    #[test]
    fn keys_of_every_kind_become_paths() {
        let endpoint = Endpoint::of_presigned(&format!("http://h:1/b/k{QUERY}")).unwrap();
        let head = RequestHead::new(&endpoint, false);
        let path = |key: &str| head.get(Target::whole(key)).uri().to_string();
        assert_eq!(path("a b+c%?#&"), "/b/a%20b%2Bc%25%3F%23%26");
        assert_eq!(path("/x//../."), "/b//x//../.");
        assert_eq!(path("ä\n😀"), "/b/%C3%A4%0A%F0%9F%98%80");
    }
}
