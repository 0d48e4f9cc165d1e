//! What `lean` cannot do: directory buckets and proxies. Whether a request goes through a proxy is by the rule of the SDK's own HTTP client; the
//! children of process mode go through none either.

use hyper_util::client::proxy::matcher::Matcher;

use super::reader::usage;
use crate::cli::Raw;
use crate::exit::Failure;
use crate::plan::{ClientKind, Mode, RunPlan, Urls};

/// What to try where `lean` does not do.
const USE_SDK: &str = "use --client sdk (PARFETCH_CLIENT=sdk)";

/// `lean` has no way through a proxy and no session credentials of directory buckets; children have no way through a proxy.
pub(super) fn check_lean(raw: &Raw, plan: &RunPlan) -> Result<(), Failure> {
    check_directory_bucket(plan)?;
    check(raw, plan)
}

pub(super) fn check_directory_bucket(plan: &RunPlan) -> Result<(), Failure> {
    if plan.client == ClientKind::Lean
        && ["--x-s3", "--xa-s3"]
            .iter()
            .any(|ending| plan.source.bucket().ends_with(ending))
    {
        return Err(usage(
            format!(
                "the client lean cannot read the directory bucket {}",
                plan.source.bucket()
            ),
            USE_SDK,
        ));
    }
    Ok(())
}

/// Refuses a run that would have to go through a proxy and cannot.
fn check(raw: &Raw, plan: &RunPlan) -> Result<(), Failure> {
    // Children get no proxy: its URL may hold a password, and what children get is free of secrets.
    let (who, hint) = match (plan.client, plan.mode) {
        _ if plan.source.http().is_some() => ("a run of URLs", "unset it"),
        (ClientKind::Sdk, Mode::Process) => ("mode process", "use --mode async or thread"),
        (ClientKind::Sdk, Mode::Async | Mode::Thread) => return Ok(()),
        (ClientKind::Lean, Mode::Async | Mode::Thread | Mode::Process) => {
            ("the client lean", USE_SDK)
        }
    };
    let url = if let Some(http) = plan.source.http() {
        // Where the URLs lead is not known before they are read.
        match &http.urls {
            Urls::Typed(urls) => urls.first().map(ToString::to_string),
            Urls::File(_) | Urls::Stdin | Urls::Object(_) => None,
        }
    } else {
        let endpoint = plan.access.endpoint_url.clone();
        // Without a name it is the embedded server's.
        let is_named = plan.source.is_bucket() && !plan.source.bucket().is_empty();
        is_named.then(|| endpoint.unwrap_or_else(|| of_aws(plan)))
    };
    let Some(url) = url else {
        return Ok(());
    };
    let Ok(url) = url.parse::<http::Uri>() else {
        return Ok(());
    };
    let set = |names: [&'static str; 2]| {
        names
            .into_iter()
            .find_map(|name| Some((name, raw.variables.get(name)?)))
    };
    let (of_scheme, of_all, exempt) = match url.scheme_str() {
        Some("http") => (
            set(["HTTP_PROXY", "http_proxy"]),
            set(["ALL_PROXY", "all_proxy"]),
            set(["NO_PROXY", "no_proxy"]),
        ),
        _ => (
            set(["HTTPS_PROXY", "https_proxy"]),
            set(["ALL_PROXY", "all_proxy"]),
            set(["NO_PROXY", "no_proxy"]),
        ),
    };
    let Some((name, proxy)) = of_scheme.or(of_all) else {
        return Ok(());
    };
    let exempt = exempt.map_or("", |(_, entries)| entries);
    let matcher = Matcher::builder()
        .all(proxy.to_owned())
        .no(exempt.to_owned())
        .build();
    if exempts_all(exempt) || matcher.intercept(&url).is_none() {
        return Ok(());
    }
    let host = url.host().unwrap_or_default();
    let with_port = exempt.split(',').any(|entry| {
        entry
            .trim()
            .rsplit_once(':')
            .is_some_and(|(named, port)| named == host && port.parse::<u16>().is_ok())
    });
    let port = if with_port { ", without a port" } else { "" };
    Err(usage(
        format!("{name} is set, and {who} goes through no proxy"),
        format!("{hint}, or name the endpoint's host in NO_PROXY{port}"),
    ))
}

/// Whether no host at all goes through a proxy.
fn exempts_all(exempt: &str) -> bool {
    exempt.split(',').any(|entry| entry.trim() == "*")
}

/// Where AWS has the bucket, as far as that is known before it is asked.
fn of_aws(plan: &RunPlan) -> String {
    format!(
        "https://{}.s3.{}.amazonaws.com",
        plan.source.bucket(),
        plan.access.region.as_deref().unwrap_or("us-east-1")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Invocation, Variables, parse};
    use crate::results::summary::fixture;

    fn goes(endpoint: Option<&str>, exempt: &str) -> Result<(), Failure> {
        let mut plan = fixture::plan();
        plan.access.endpoint_url = endpoint.map(str::to_owned);
        plan.client = ClientKind::Lean;
        let variables =
            Variables::from([("all_proxy", "http://127.0.0.1:3128"), ("NO_PROXY", exempt)]);
        let arguments = ["parfetch", "run"].map(std::ffi::OsString::from);
        let Ok(Invocation::Run(raw)) = parse(arguments, variables) else {
            panic!("not a run")
        };
        check(&raw, &plan)
    }

    #[test]
    fn no_proxy_is_read_as_curl_reads_it() {
        for (endpoint, exempt) in [
            ("http://minio:9000", "minio"),
            ("http://s3.corp.example", ".corp.example"),
            ("http://s3.corp.example", "other, corp.example"),
            ("http://10.1.2.3:9000", "10.0.0.0/8"),
            ("http://10.1.2.3:9000", "10.1.2.3"),
            ("http://[fd00::1]:9000", "fd00::/8"),
            ("http://10.1.2.3:9000", "*"),
        ] {
            assert!(goes(Some(endpoint), exempt).is_ok(), "{endpoint} {exempt}");
        }
        for (endpoint, exempt) in [
            ("http://minio:9000", ""),
            ("http://notcorp.example", "corp.example"),
            ("http://11.1.2.3:9000", "10.0.0.0/8"),
            ("http://s3.corp.example", "*.corp.example"),
        ] {
            assert!(goes(Some(endpoint), exempt).is_err(), "{endpoint} {exempt}");
        }
        assert!(goes(None, "amazonaws.com").is_ok() && goes(None, "minio").is_err());
    }

    #[test]
    fn an_entry_with_a_port_is_told_of() {
        let failure = goes(Some("http://minio:9000"), "minio:9000").unwrap_err();
        assert_eq!(
            failure.message,
            "all_proxy is set, and the client lean goes through no proxy"
        );
        assert!(
            failure
                .hint
                .unwrap()
                .ends_with("or name the endpoint's host in NO_PROXY, without a port")
        );
    }
}
