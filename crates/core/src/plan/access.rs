//! How S3 is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::names::without_user;

/// How S3 is reached: what every client of a run shares. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Access {
    /// Another S3 endpoint than AWS's.
    pub endpoint_url: Option<String>,
    /// The region, when set by hand.
    pub region: Option<String>,
    /// The profile of the shared AWS configuration files, when set by hand.
    pub profile: Option<String>,
    /// `bucket.host/key` instead of `host/bucket/key`, with an endpoint of one's own.
    pub virtual_host: bool,
    /// Requests go out unsigned (public buckets).
    pub no_sign_request: bool,
    /// The requester pays for requests and transfer.
    pub request_payer: bool,
    /// A PEM file of the certificate authorities to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Access {
    /// The endpoint as it may be shown: without the user name and password that a URL can hold.
    pub fn shown_endpoint(&self) -> Option<String> {
        self.endpoint_url.as_deref().map(without_user)
    }

    /// The flags that reach S3 in the same way, in every subcommand that reads objects.
    pub fn words(&self) -> Vec<String> {
        let ca_bundle = self
            .ca_bundle
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned());
        let valued = [
            ("--endpoint-url", self.shown_endpoint()),
            ("--region", self.region.clone()),
            ("--profile", self.profile.clone()),
        ];
        let valued = valued
            .into_iter()
            .chain([("--ca-bundle", ca_bundle)])
            .filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        let switches = [
            ("--virtual-host", self.virtual_host),
            ("--no-sign-request", self.no_sign_request),
            ("--request-payer", self.request_payer),
        ];
        let switches = switches
            .into_iter()
            .filter(|(_, is_on)| *is_on)
            .map(|(flag, _)| flag.to_owned());
        valued.flatten().chain(switches).collect()
    }

    /// Without what these flags say: for lines to paste, where the environment says it.
    #[must_use]
    pub fn without(&self, flags: &[&str]) -> Self {
        let is_left = |flag: &str| !flags.contains(&flag);
        let Self {
            endpoint_url,
            region,
            profile,
            virtual_host,
            no_sign_request,
            request_payer,
            ca_bundle,
        } = self.clone();
        Self {
            endpoint_url: endpoint_url.filter(|_| is_left("endpoint-url")),
            region: region.filter(|_| is_left("region")),
            profile: profile.filter(|_| is_left("profile")),
            virtual_host: virtual_host && is_left("virtual-host"),
            no_sign_request: no_sign_request && is_left("no-sign-request"),
            request_payer: request_payer && is_left("request-payer"),
            ca_bundle: ca_bundle.filter(|_| is_left("ca-bundle")),
        }
    }

    /// Whether the endpoint is a loopback address: a server on this machine.
    pub fn is_on_this_machine(&self) -> bool {
        self.endpoint_url.as_deref().is_some_and(is_on_this_machine)
    }
}

/// Whether the host of a URL is this machine, by its name or by a loopback address.
pub fn is_on_this_machine(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_an_endpoint_are_left_out() {
        for (url, kept) in [
            (
                "http://user:p@ss@127.0.0.1:9000/x@y",
                "http://127.0.0.1:9000/x@y",
            ),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("https://k@h?a@b", "https://h?a@b"),
            ("nonsense", "nonsense"),
        ] {
            let access = Access {
                endpoint_url: Some(url.to_owned()),
                ..Access::default()
            };
            assert_eq!(access.shown_endpoint().as_deref(), Some(kept));
        }
    }

    #[test]
    fn flags_that_the_environment_has_are_left_out() {
        let access = Access {
            endpoint_url: Some("http://127.0.0.1:9000".to_owned()),
            region: Some("us-east-1".to_owned()),
            profile: Some("work".to_owned()),
            virtual_host: true,
            no_sign_request: true,
            request_payer: true,
            ca_bundle: Some("ca.pem".into()),
        };
        let flags: Vec<String> = access
            .words()
            .into_iter()
            .filter_map(|word| word.strip_prefix("--").map(str::to_owned))
            .collect();
        assert_eq!(flags.len(), 7, "{flags:?}");
        for flag in &flags {
            let left = access.without(&[flag.as_str()]).words();
            assert!(
                !left.contains(&format!("--{flag}"))
                    && flags
                        .iter()
                        .all(|other| other == flag || left.contains(&format!("--{other}"))),
                "{flag}: {left:?}"
            );
        }
    }
}
