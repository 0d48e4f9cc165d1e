//! Web addresses that are fetched: checked where they come in, and sent as they stand.

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;
use serde::{Deserialize, Serialize};

use super::names::{Wrong, control_in, shown};

/// Most bytes of a URL: what servers take in a request line by default.
const URL_BYTES: usize = 8_192;
/// The ports of the schemes.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
/// How to write one.
pub const URL_FORM: &str = "write it like http://127.0.0.1:8000/path";

/// Which server a URL names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebOrigin {
    /// Whether TLS is spoken.
    pub https: bool,
    /// Host name or address in small letters, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl WebOrigin {
    /// The `Host` header: with the port where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let standard = if self.https { HTTPS_PORT } else { HTTP_PORT };
        if self.port == standard {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// Whether the server is on this machine, by its name.
    pub fn is_on_this_machine(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

/// A URL without user name, password and fragment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebUrl {
    /// The server.
    pub origin: WebOrigin,
    /// Path and query, verbatim; `/` where there is neither.
    pub target: String,
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

impl FromStr for WebUrl {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = |what: &str, hint: &str| Err(Wrong::new(what, hint));
        if text.len() > URL_BYTES {
            return wrong("is longer than 8,192 bytes", URL_FORM);
        }
        let not_a_url = || {
            // What may hold a password is not shown.
            let which = if text.contains('@') {
                String::new()
            } else {
                format!("{}, which is ", shown(text))
            };
            Err(Wrong::new(format!("is {which}not a URL"), URL_FORM))
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return not_a_url();
        };
        let (https, standard) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (false, HTTP_PORT),
            "https" => (true, HTTPS_PORT),
            _ => return not_a_url(),
        };
        if let Some(what) = control_in(rest) {
            return wrong(&format!("contains {what}"), URL_FORM);
        }
        if rest.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return wrong(
                "has a character that cannot be sent in a URL",
                "percent-encode it: a blank is %20",
            );
        }
        if rest.contains('#') {
            return wrong(
                "has a fragment (#…), which is not sent to a server",
                "leave it out; a # in a path is %23",
            );
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return wrong(
                "holds a user name or password",
                "send them as a header: -H 'authorization: …'",
            );
        }
        let Some((host, port)) = host_and_port(authority).filter(|(_, port)| *port != Some(0))
        else {
            return not_a_url();
        };
        let origin = WebOrigin {
            https,
            host,
            port: port.unwrap_or(standard),
        };
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            origin,
            target: format!("{slash}{target}"),
        })
    }
}

/// A host in small letters, without brackets, and its port if there is one.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let authority: Authority = text.parse().ok()?;
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    // `host:` and `host:99999` have no port that can be read.
    let is_whole = authority.port_u16().is_some() || text.ends_with(authority.host());
    // `+80` would be read as a number.
    let known = !host.is_empty() && !text.contains(['@', '+']) && is_whole;
    known.then(|| (host.to_ascii_lowercase(), authority.port_u16()))
}

/// Whether a text is an address to listen on: a host and a port, which may be 0.
pub fn is_listen_address(text: &str) -> bool {
    matches!(host_and_port(text), Some((_, Some(_))))
}

/// An address that connections are opened to instead of the URL's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPort {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match host_and_port(text) {
            Some((host, Some(port))) if port != 0 => Ok(Self { host, port }),
            // It is not shown.
            _ if text.contains('@') => Err("an address holds a user name or password".to_owned()),
            _ => Err(format!("{} is not HOST:PORT", shown(text))),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_stay_as_they_are() {
        for (text, shown) in [
            (
                "http://127.0.0.1:8000/a//b/../c?x=%20&y=1?2",
                "http://127.0.0.1:8000/a//b/../c?x=%20&y=1?2",
            ),
            ("HTTP://Host.Example", "http://host.example/"),
            ("http://h:80?q", "http://h/?q"),
            ("https://h:443/", "https://h/"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ] {
            assert_eq!(text.parse::<WebUrl>().unwrap().to_string(), shown);
        }
        let url: WebUrl = "https://[FD00::1]/x".parse().unwrap();
        assert_eq!(
            (url.origin.host.as_str(), url.origin.port),
            ("fd00::1", 443)
        );
        assert_eq!(url.origin.authority(), "[fd00::1]");
        assert!(!url.origin.is_on_this_machine());
        assert!(
            "http://[::1]:1/"
                .parse::<WebUrl>()
                .unwrap()
                .origin
                .is_on_this_machine()
        );
    }

    #[test]
    fn anything_else_is_refused_and_passwords_are_not_shown() {
        let what = |text: &str| text.parse::<WebUrl>().unwrap_err().what;
        for text in [
            "ftp://h/",
            "h/x",
            "http://",
            "http:///x",
            "http://h:99999/",
            "http://h:/",
            "http://h:0/",
            "http://h:+80/",
            "http://a b/",
        ] {
            assert!(text.parse::<WebUrl>().is_err(), "{text}");
        }
        assert_eq!(what("s3x://b"), "is `s3x://b`, which is not a URL");
        assert_eq!(what("http://u:secret@h/"), "holds a user name or password");
        assert!(!what("htp://u:secret@h/").contains("secret"));
        assert_eq!(
            what("http://h/#top"),
            "has a fragment (#…), which is not sent to a server"
        );
        assert_eq!(
            what("http://h/ü"),
            "has a character that cannot be sent in a URL"
        );
        assert_eq!(what("http://h/a\r\nx: y"), "contains a line end");
        assert_eq!(
            what(&format!("http://h/{}", "x".repeat(8_192))),
            "is longer than 8,192 bytes"
        );
    }

    #[test]
    fn replicas_have_a_host_and_a_port() {
        for text in ["127.0.0.1:8001", "[::1]:8001", "app-1:80"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        for text in ["", "h", ":1", "h:0", "h:x", "h:+1", "u@h:1", "http://h:1"] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
        let password = "u:PW@h:1".parse::<HostPort>().unwrap_err();
        assert!(!password.contains("PW"), "{password}");
    }
}
