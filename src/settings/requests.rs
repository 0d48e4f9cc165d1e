//! Requests of a sweep: what was typed of them, over the plan file, and what holds for them from wherever they came.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use super::http::{not_of_a_bucket, typed_urls};
use super::notes::Notes;
use super::reader::{SettingReader, usage};
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::factors::SERVER;
use crate::plan::names::Wrong;
use crate::plan::{
    ClientKind, HttpHeader, HttpSource, Method, Mode, Order, RequestBody, StatusSet, URL_FORM,
    Urls, WebUrl, template,
};
use crate::sweep::factors::{PORT, REQUESTS};
use crate::sweep::header::PlanHeader;
use crate::sweep::plan::{SweepPlan, cpu_units};
use crate::sweep::requests::RequestTemplate;

/// Most bytes of a body or of all headers: a process gets them in a variable, and a system takes 128 KiB of one.
const TEXT_BYTES: usize = 64 * 1024;
/// Most URLs of a sweep: they are part of its plan.
const MOST_URLS: usize = 100_000;
/// How a URL asks a server of the sweep.
const ASK_SERVER: &str = "write it like http://127.0.0.1:{port}/path";

/// What was typed, over the plan file. `urls` is the text of the file of `--urls`.
pub(super) fn set(raw: &Raw, plan: &mut SweepPlan, urls: Option<&str>) -> Result<(), Failure> {
    if let Some(typed) = typed_urls(raw)? {
        plan.urls = typed;
    } else if let (Some(text), Some(given)) = (urls, raw.get("urls")) {
        plan.urls = lines(text);
        if plan.urls.is_empty() {
            return Err(usage(format!("{} has no URL", given.value), URL_FORM));
        }
    }
    let reader = SettingReader(raw);
    let requests = reader.number("requests", 1..=u64::from(u32::MAX), "requests")?;
    plan.requests = requests.or(plan.requests);
    for (flag, value) in [
        ("method", &mut plan.method),
        ("expect", &mut plan.expect),
        ("connect-to", &mut plan.connect_to),
    ] {
        if let Some(given) = raw.get(flag) {
            *value = Some(given.value.clone());
        }
    }
    if let Some(typed) = typed_headers(raw)? {
        plan.header = typed;
    }
    match (raw.get("body"), raw.get("body-file")) {
        (None, None) => {}
        (Some(text), None) => (plan.body, plan.body_file) = (Some(text.value.clone()), None),
        (None, Some(file)) => {
            (plan.body, plan.body_file) = (None, Some(PathBuf::from(&file.value)));
        }
        (Some(text), Some(file)) => return Err(two_bodies(text.name, file.name)),
    }
    plan.no_keep_alive |= reader.switch("no-keep-alive")?;
    if plan.is_web() {
        return Ok(());
    }
    let is_variable = raw.get("header").is_some_and(Given::is_variable);
    match meant_for_requests(plan) {
        Some("header") if is_variable => plan.header.clear(),
        Some(name) => {
            return Err(usage(
                format!("{name} is for requests to URLs, and no URL is given"),
                "name one, like `parfetch sweep http://127.0.0.1:8000/`",
            ));
        }
        None => {}
    }
    Ok(())
}

/// A name alone is for plans that were written: what was typed may be a value.
fn typed_headers(raw: &Raw) -> Result<Option<Vec<PlanHeader>>, Failure> {
    let Some(Given { value, name }) = raw.get("header") else {
        return Ok(None);
    };
    let lines = value.split('\n').filter(|line| !line.trim().is_empty());
    let headers = lines.enumerate().map(|(index, line)| {
        if line.contains(':') {
            Ok(PlanHeader::from(line))
        } else {
            let number = index + 1;
            Err(usage(
                format!("{name} {number}: it has no colon"),
                "write it like -H 'accept: text/html'",
            ))
        }
    });
    headers.collect::<Result<_, _>>().map(Some)
}

fn two_bodies(one: &str, other: &str) -> Failure {
    usage(
        format!("{one} and {other} are given, and a request has one body"),
        "leave one of them out",
    )
}

/// URLs of a file, one a line.
fn lines(text: &str) -> Vec<String> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The first setting that says something of requests alone.
fn meant_for_requests(plan: &SweepPlan) -> Option<&'static str> {
    [
        ("requests", plan.requests.is_some()),
        ("method", plan.method.is_some()),
        ("header", !plan.header.is_empty()),
        ("body", plan.body.is_some()),
        ("body_file", plan.body_file.is_some()),
        ("expect", plan.expect.is_some()),
        ("no_keep_alive", plan.no_keep_alive),
        ("connect_to", plan.connect_to.is_some()),
    ]
    .into_iter()
    .find_map(|(name, is_given)| is_given.then_some(name))
}

/// Settings of a bucket mean nothing with URLs; the client is parfetch's own.
pub(super) fn of_a_web_server(
    raw: &Raw,
    plan: &mut SweepPlan,
    notes: &mut Notes,
) -> Result<(), Failure> {
    not_of_a_bucket(raw, notes)?;
    let of_a_bucket = [
        ("bucket", !plan.bucket.is_empty()),
        ("prefix", !plan.prefix.is_empty()),
        ("embedded", plan.embedded.is_some()),
        ("sample", plan.sample.is_some()),
        ("limit", plan.limit.is_some()),
        ("part_size", plan.part_size.is_some()),
        ("order", plan.order != Order::Listed),
    ];
    if let Some((name, _)) = of_a_bucket.into_iter().find(|(_, is_given)| *is_given) {
        return Err(usage(
            format!("the plan's {name} is for objects of a bucket, and URLs are given"),
            "leave it out",
        ));
    }
    if plan.shards != [1] {
        return Err(usage(
            "shards divide the keys of a bucket, and URLs are given",
            "leave shards out: -c makes more requests at the same time",
        ));
    }
    if plan.client == SweepPlan::default().client && raw.get("client").is_none() {
        plan.client = vec![ClientKind::Lean];
    }
    if plan.client.contains(&ClientKind::Sdk) {
        return Err(usage(
            "client is sdk, and the AWS SDK requests no URLs",
            "leave client out: URLs are requested with parfetch's own client",
        ));
    }
    if plan.requests.is_some() && plan.duration.is_some() {
        return Err(usage(
            "requests and duration are given, and each of them ends a repetition",
            "leave one of them out",
        ));
    }
    Ok(())
}

/// What every repetition requests; none where a bucket is read.
pub(super) fn template(
    plan: &SweepPlan,
    notes: &mut Notes,
) -> Result<Option<RequestTemplate>, Failure> {
    if !plan.is_web() {
        return Ok(None);
    }
    let urls = checked_urls(plan)?;
    let method: Method = parsed("method", plan.method.as_deref())?.unwrap_or_default();
    let body = body(plan)?;
    if body != RequestBody::None && !method.has_body() {
        notes.warn(format!(
            "the requests are {}s with a body, which many servers pass over: -X POST sends a POST",
            method.as_str()
        ));
    }
    let addresses = plan.connect_to.iter().flat_map(|list| list.split(','));
    let addresses = addresses.map(|address| address.trim().parse());
    let connect_to = addresses.collect::<Result<_, String>>().map_err(|error| {
        usage(
            format!("connect_to: {error}"),
            "write it like 127.0.0.1:8001,127.0.0.1:8002",
        )
    })?;
    Ok(Some(RequestTemplate {
        urls: plan.urls.clone(),
        example: HttpSource {
            urls: Urls::Typed(urls),
            requests: plan.requests.and_then(std::num::NonZeroU64::new),
            method,
            headers: headers(plan)?,
            body,
            keep_alive: !plan.no_keep_alive,
            expect: parsed::<StatusSet>("expect", plan.expect.as_deref())?.unwrap_or_default(),
            connect_to,
        },
    }))
}

fn parsed<T: FromStr<Err = String>>(name: &str, text: Option<&str>) -> Result<Option<T>, Failure> {
    let value = text.map(str::parse).transpose();
    value.map_err(|error| {
        usage(
            format!("{name}: {error}"),
            "`parfetch sweep --help` explains it",
        )
    })
}

fn body(plan: &SweepPlan) -> Result<RequestBody, Failure> {
    match (&plan.body, &plan.body_file) {
        (None, None) => Ok(RequestBody::None),
        (Some(_), Some(_)) => Err(two_bodies("body", "body_file")),
        (Some(text), None) if text.len() > TEXT_BYTES || text.contains('\0') => Err(usage(
            "the body is longer than 64 KiB, or not a text",
            "--body-file takes up to 1 MiB of anything",
        )),
        (Some(text), None) if text.is_empty() => Ok(RequestBody::None),
        (Some(text), None) => Ok(RequestBody::Text(text.clone())),
        (None, Some(file)) => Ok(RequestBody::File(file.clone())),
    }
}

/// Checked as they stand: values of factors have no control characters.
fn headers(plan: &SweepPlan) -> Result<Vec<HttpHeader>, Failure> {
    let mut headers = Vec::new();
    let mut bytes = 0;
    for (index, PlanHeader { name, value }) in plan.header.iter().enumerate() {
        let number = index + 1;
        let text = match value {
            Some(value) => format!("{name}: {value}"),
            None => {
                return Err(usage(
                    format!("header {number} has no value: a plan keeps names alone"),
                    format!("give it again: -H '{name}: …', or PARFETCH_HEADERS"),
                ));
            }
        };
        let header = HttpHeader::after(&headers, &text)
            .map_err(|Wrong { what, hint }| usage(format!("header {number}: it {what}"), hint))?;
        bytes += text.len();
        headers.push(header);
    }
    if bytes > TEXT_BYTES {
        return Err(usage(
            "the headers are longer than 64 KiB",
            "send fewer or shorter ones",
        ));
    }
    Ok(headers)
}

/// The URLs of one configuration, all of one server, whatever values the factors have.
fn checked_urls(plan: &SweepPlan) -> Result<Vec<WebUrl>, Failure> {
    if plan.urls.len() > MOST_URLS {
        return Err(usage(
            "a sweep has at most 100,000 URLs",
            "-n makes more requests, over the URLs again and again",
        ));
    }
    let names: BTreeSet<&str> = plan
        .urls
        .iter()
        .flat_map(|url| template::names(url))
        .collect();
    if !plan.server.is_empty() && !plan.client.is_empty() && !names.contains(PORT) {
        return Err(usage(
            "the URLs do not name {port}, so they do not ask the server",
            ASK_SERVER,
        ));
    }
    let first = of_values(plan, |_| None)?;
    for name in &names {
        let others = plan.factor.get(*name).into_iter().flatten().skip(1);
        for other in others {
            of_values(plan, |asked| (asked == *name).then(|| other.clone()))?;
        }
    }
    Ok(first)
}

/// The URLs with these values in the place of names, and elsewhere with the first value of each factor.
fn of_values(
    plan: &SweepPlan,
    own: impl Fn(&str) -> Option<String>,
) -> Result<Vec<WebUrl>, Failure> {
    let value = |name: &str| own(name).or_else(|| first_value(plan, name));
    let mut urls: Vec<WebUrl> = Vec::with_capacity(plan.urls.len());
    for (index, text) in plan.urls.iter().enumerate() {
        let number = index + 1;
        let filled = template::fill(text, value).map_err(|name| {
            usage(
                format!("URL {number} names {{{name}}}, which has no value"),
                URL_FORM,
            )
        })?;
        let url: WebUrl = filled
            .parse()
            .map_err(|Wrong { what, hint }| usage(format!("URL {number} {what}"), hint))?;
        if let Some(first) = urls.first().filter(|first| first.origin != url.origin) {
            return Err(usage(
                format!(
                    "URL {number} is of {}, and the first URL is of {}",
                    url.origin, first.origin
                ),
                "a sweep measures one server at a time: write its address once, or make it a factor",
            ));
        }
        urls.push(url);
    }
    Ok(urls)
}

/// A value that the name has in some configuration.
fn first_value(plan: &SweepPlan, name: &str) -> Option<String> {
    let factor = plan.factor.get(name).and_then(|values| values.first());
    factor.cloned().or_else(|| {
        Some(match name {
            PORT => "8000".to_owned(),
            REQUESTS => plan.requests?.to_string(),
            SERVER => plan.server.first()?.name.clone(),
            "concurrency" => plan.concurrency.first()?.to_string(),
            "mode" => plan.mode.first().unwrap_or(&Mode::Async).to_string(),
            "vcpu" => plan.vcpu.first()?.to_string(),
            "memory_mib" => plan
                .vcpu
                .first()
                .and_then(|vcpu| cpu_units(*vcpu))?
                .to_string(),
            "tag" => "tag".to_owned(),
            "results_bucket" => String::new(),
            _ => return None,
        })
    })
}
