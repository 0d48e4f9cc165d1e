//! Plain HTTP as a source: which URLs, what is sent to each, and which answers are good.

use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names::{Wrong, control_in, shown};
use super::status_set::StatusSet;
use super::uri::S3Uri;
use super::web_url::{HostPort, WebUrl};

/// Most bytes of a request's body: each worker sends it out of its own memory.
pub const BODY_BYTES: u64 = 1 << 20;
/// Methods whose request can be sent again when nobody knows whether it came (RFC 9110, 9.2.2).
const IDEMPOTENT: [&str; 5] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];
/// Methods that HTTP gives a body to.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];
/// Headers that say where a request ends, or what happens to its connection: a wrong one would be a broken request.
const OF_THE_CLIENT: [&str; 6] = [
    "connection",
    "content-length",
    "expect",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Where the URLs come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Urls {
    /// As they were typed; never none.
    Typed(Vec<WebUrl>),
    /// The lines of a file.
    File(PathBuf),
    /// The lines of standard input.
    Stdin,
    /// The lines of an object.
    Object(S3Uri),
}

impl fmt::Display for Urls {
    /// Typed ones with blanks between them; else where they are read from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(urls) => {
                for (i, url) in urls.iter().enumerate() {
                    write!(f, "{}{url}", if i == 0 { "" } else { " " })?;
                }
                Ok(())
            }
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => f.write_str("-"),
            Self::Object(uri) => write!(f, "{uri}"),
        }
    }
}

/// `http://127.0.0.1:8000/a and 2 others`
pub fn in_few_words<T: fmt::Display>(urls: &[T]) -> String {
    match urls {
        [] => String::new(),
        [one] => one.to_string(),
        [first, _] => format!("{first} and 1 other"),
        [first, others @ ..] => format!("{first} and {} others", others.len()),
    }
}

/// The method of every request of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method(String);

impl Default for Method {
    fn default() -> Self {
        Self("GET".to_owned())
    }
}

impl Method {
    /// Its word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may be sent again when nobody knows whether it came.
    pub fn is_idempotent(&self) -> bool {
        IDEMPOTENT.contains(&self.as_str())
    }

    /// Whether its answer has no body, whatever that announces.
    pub fn is_head(&self) -> bool {
        self.0 == "HEAD"
    }

    /// Whether a body is usual with it: then the length is sent also where it is 0.
    pub fn has_body(&self) -> bool {
        WITH_BODY.contains(&self.as_str())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let method = text.to_ascii_uppercase();
        let is_word = (1..=32).contains(&method.len())
            && method
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        match method.as_str() {
            // Its answer is no answer but a tunnel.
            "CONNECT" => Err("CONNECT opens a tunnel, and is not a request for a URL".to_owned()),
            _ if is_word => Ok(Self(method)),
            _ => Err(format!("{} is not a method of HTTP", shown(text))),
        }
    }
}

/// One header line. Its value may be a secret: nothing shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpHeader {
    /// In small letters.
    pub name: String,
    /// For the wire, and for variables of a run elsewhere, alone.
    pub value: String,
}

impl HttpHeader {
    /// Reads one more header. A server that gets two hosts answers 400, or takes either.
    pub fn after(before: &[Self], text: &str) -> Result<Self, Wrong> {
        let header: Self = text.parse()?;
        if header.name == "host" && before.iter().any(|other| other.name == header.name) {
            return Err(Wrong::new("is a second `host`", "a request has one"));
        }
        Ok(header)
    }
}

impl fmt::Debug for HttpHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

impl FromStr for HttpHeader {
    type Err = Wrong;

    /// `name: value`. What is wrong never names the value.
    fn from_str(text: &str) -> Result<Self, Wrong> {
        let Some((name, value)) = text.split_once(':') else {
            return Err(Wrong::new(
                "has no colon",
                "write it like -H 'accept: text/html'",
            ));
        };
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Wrong::new(
                "has a name that is not a header's",
                "write it like -H 'accept: text/html'",
            ));
        }
        if OF_THE_CLIENT.contains(&name.as_str()) {
            let hint = match name.as_str() {
                "connection" => "--no-keep-alive opens a connection for each request",
                "content-length" | "transfer-encoding" => "the length of --body is sent by itself",
                _ => "leave it out",
            };
            return Err(Wrong::new(
                format!("is `{name}`, which parfetch sets itself"),
                hint,
            ));
        }
        let value = value.trim_matches([' ', '\t']);
        let kept = value.replace('\t', " ");
        if let Some(what) = control_in(&kept) {
            return Err(Wrong::new(
                format!("`{name}` contains {what}"),
                "a header is one line",
            ));
        }
        Ok(Self {
            name,
            value: value.to_owned(),
        })
    }
}

/// What every request of a run carries. It may be a secret: nothing shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing.
    #[default]
    None,
    /// This text.
    Text(String),
    /// What a file holds.
    File(PathBuf),
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Text(_) => f.write_str("…"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A web server as a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSource {
    /// What is asked for, in order.
    pub urls: Urls,
    /// So many requests, round and round the URLs; none = each once, or until a time has passed.
    pub requests: Option<NonZeroU64>,
    /// The method.
    pub method: Method,
    /// Headers of one's own, in their order.
    pub headers: Vec<HttpHeader>,
    /// The body.
    pub body: RequestBody,
    /// Whether a connection serves one request after another.
    pub keep_alive: bool,
    /// Which answers are good.
    pub expect: StatusSet,
    /// Where connections go instead of the URLs' own server, in turn; none = there.
    pub connect_to: Vec<HostPort>,
}

impl HttpSource {
    /// GETs of these URLs, each once, with every default.
    pub fn get(urls: Urls) -> Self {
        Self {
            urls,
            requests: None,
            method: Method::default(),
            headers: Vec::new(),
            body: RequestBody::None,
            keep_alive: true,
            expect: StatusSet::default(),
            connect_to: Vec::new(),
        }
    }

    /// The URLs in a few words: `http://127.0.0.1:8000/a and 2 others`, `urls.txt`.
    pub fn shown(&self) -> String {
        match &self.urls {
            Urls::Typed(urls) => in_few_words(urls),
            Urls::Stdin => "the URLs of standard input".to_owned(),
            urls => urls.to_string(),
        }
    }

    /// Whether the URLs themselves are read with AWS's credentials.
    pub fn needs_aws(&self) -> bool {
        matches!(self.urls, Urls::Object(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_one_line_and_its_value_is_shown_nowhere() {
        let header: HttpHeader = "X-Key:  s3cret value\t".parse().unwrap();
        assert_eq!(
            (header.name.as_str(), header.value.as_str()),
            ("x-key", "s3cret value")
        );
        assert_eq!(format!("{header:?}"), "x-key: …");
        for text in [
            "s3cret",
            "a b: s3cret",
            ": s3cret",
            "x: s3cret\r\ny: z",
            "x: s3\u{0}cret",
            "content-length: s3cret",
            "Connection: s3cret",
        ] {
            let wrong = text.parse::<HttpHeader>().unwrap_err();
            assert!(!format!("{wrong:?}").contains("s3cret"), "{wrong:?}");
        }
        assert_eq!("x:".parse::<HttpHeader>().unwrap().value, "");
        assert_eq!(format!("{:?}", RequestBody::Text("s3cret".to_owned())), "…");
    }

    #[test]
    fn methods_are_words_and_some_may_be_sent_again() {
        let post: Method = "post".parse().unwrap();
        assert_eq!(post.as_str(), "POST");
        assert!(post.has_body() && !post.is_idempotent());
        assert!(
            "PUT".parse::<Method>().unwrap().is_idempotent() && Method::default().is_idempotent()
        );
        for text in ["", "GET /", "CONNECT", "a\nb"] {
            assert!(text.parse::<Method>().is_err(), "{text}");
        }
    }
}
