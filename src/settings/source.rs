//! What is fetched from, and how S3 is reached.

use std::str::FromStr;

use super::notes::Notes;
use super::reader::{SettingReader, usage};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::Access;
use crate::plan::names::{self, Wrong};
use crate::server;
use crate::speed::Store;

/// What to try without a source.
const NO_SOURCE: &str = "name it, like `parfetch s3://images`, or set BUCKET_NAME; `parfetch run --embedded` needs none";
pub(super) const SERVE_HINT: &str = "`parfetch serve --help` lists the keys";

/// What `--embedded` was given; none when it was switched off.
pub fn embedded_text(raw: &Raw) -> Option<&str> {
    match raw.get("embedded")?.value.as_str() {
        "0" | "false" | "no" | "off" => None,
        "1" | "true" | "yes" | "on" => Some(""),
        text => Some(text),
    }
}

pub(super) fn embedded_options(raw: &Raw) -> Result<Option<server::Options>, Failure> {
    let name = raw.get("embedded").map_or("--embedded", |given| given.name);
    let options = embedded_text(raw).map(|text| {
        server::Options::from_str(text)
            .map_err(|error| usage(format!("{name}: {error}"), SERVE_HINT))
    });
    options.transpose()
}

/// The source bucket; empty for the embedded server's, and while it is missing.
pub(super) fn bucket(
    raw: &Raw,
    embedded: Option<&server::Options>,
    notes: &mut Notes,
) -> Result<String, Failure> {
    match (raw.get("bucket"), embedded.is_some()) {
        (Some(given), true)
            if raw
                .get("prefix")
                .is_some_and(|prefix| prefix.name == given.name) =>
        {
            let message = format!(
                "{} names a bucket, and --embedded fetches from a server of its own",
                given.name
            );
            Err(usage(message, "leave one of them out"))
        }
        (Some(given), true) => {
            notes.warn(format!(
                "{} `{}` is not used: the embedded server's own bucket is fetched",
                given.name, given.value
            ));
            Ok(String::new())
        }
        (Some(given), false) => bucket_name(given, "--prefix narrows it down"),
        (None, true) => Ok(String::new()),
        (None, false) => {
            notes.lacks(usage("no source bucket is given", NO_SOURCE));
            Ok(String::new())
        }
    }
}

/// A bucket's name and nothing else; `other` says how to give the rest.
pub(super) fn bucket_name(Given { value, name }: &Given, other: &str) -> Result<String, Failure> {
    match names::check_bucket(value) {
        Ok(()) => Ok(value.clone()),
        Err(Wrong { what, .. }) if value.contains('/') && !value.starts_with("arn:") => Err(usage(
            format!("{name} {what}"),
            format!("{name} takes the name alone; {other}"),
        )),
        Err(wrong) => Err(wrong_value(name, wrong)),
    }
}

pub(super) fn wrong_value(name: &str, Wrong { what, hint }: Wrong) -> Failure {
    usage(format!("{name} {what}"), hint)
}

/// What serves the objects, as far as that is known before any was fetched.
pub(super) fn store(embedded: Option<&server::Options>, access: &Access) -> Store {
    let is_distant = embedded.map_or(!access.is_on_this_machine(), server::Options::is_distant);
    if is_distant {
        Store::Distant
    } else {
        Store::OnThisMachine
    }
}

/// How S3 is reached, for `run` and `upload`.
pub fn access(raw: &Raw) -> Result<Access, Failure> {
    let reader = SettingReader(raw);
    let checked = |flag: &str, check: fn(&str) -> Result<String, Wrong>| {
        let value = raw
            .get(flag)
            .map(|Given { value, name }| check(value).map_err(|wrong| wrong_value(name, wrong)));
        value.transpose()
    };
    Ok(Access {
        endpoint_url: checked("endpoint-url", names::endpoint)?,
        region: checked("region", |text| {
            names::check_region(text).map(|()| text.to_owned())
        })?,
        profile: reader.text("profile"),
        virtual_host: reader.switch("virtual-host")?,
        no_sign_request: reader.switch("no-sign-request")?,
        request_payer: reader.switch("request-payer")?,
        ca_bundle: reader.path("ca-bundle"),
    })
}

/// Flags of [`access`] whose values the environment has: a line to paste needs none of them, as every command reads the same variables.
pub fn inherited(raw: &Raw) -> Vec<&'static str> {
    const FLAGS: [&str; 7] = [
        "endpoint-url",
        "region",
        "profile",
        "virtual-host",
        "no-sign-request",
        "request-payer",
        "ca-bundle",
    ];
    let is_inherited = |flag: &&str| raw.get(flag).is_some_and(Given::is_variable);
    FLAGS.into_iter().filter(is_inherited).collect()
}

/// How the source is reached. The embedded server is reached its own way: what was set for another endpoint does not matter, and typing it is worth a warning.
pub(super) fn access_of(
    raw: &Raw,
    embedded: Option<&server::Options>,
    notes: &mut Notes,
) -> Result<Access, Failure> {
    let access = access(raw)?;
    if embedded.is_none() {
        return Ok(access);
    }
    if let Some(given) = raw.get("endpoint-url") {
        notes.warn(format!(
            "{} is not used: --embedded brings its own endpoint",
            given.name
        ));
    }
    Ok(Access {
        no_sign_request: access.no_sign_request,
        request_payer: access.request_payer,
        ..Access::default()
    })
}
