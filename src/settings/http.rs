//! A web server as a source: its URLs, what is sent to it, and which settings of a bucket it has no use for.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;

use super::notes::Notes;
use super::reader::{SettingReader, usage};
use super::source::wrong_value;
use crate::cli::{Given, Raw, is_web_address};
use crate::exit::Failure;
use crate::plan::names::{Wrong, shown};
use crate::plan::{
    BODY_BYTES, ClientKind, HostPort, HttpHeader, HttpSource, Method, Mode, RequestBody, S3Uri,
    StatusSet, URL_FORM, Urls, WebUrl,
};

/// Settings that say something of requests to a web server, and nothing of a bucket.
const OF_REQUESTS: [&str; 8] = [
    "requests",
    "method",
    "header",
    "body",
    "body-file",
    "expect",
    "no-keep-alive",
    "connect-to",
];
/// Settings that say something of a bucket, and nothing of a web server.
const OF_A_BUCKET: [&str; 14] = [
    "bucket",
    "prefix",
    "keys",
    "limit",
    "sample",
    "seed",
    "shard",
    "part-size",
    "order",
    "embedded",
    "virtual-host",
    "no-sign-request",
    "request-payer",
    "egress",
];
/// What `-z`, `-disable-keepalive` and its like become where `-d` takes a body.
const SINGLE_DASHES: [&str; 3] = ["isable-keepalive", "isable-compression", "isable-redirects"];

/// The web server that a run measures; none where no URLs are given.
pub(super) fn http_source(raw: &Raw, notes: &mut Notes) -> Result<Option<HttpSource>, Failure> {
    let Some(urls) = urls(raw)? else {
        return of_a_bucket(raw, notes).map(|()| None);
    };
    let reader = SettingReader(raw);
    not_of_a_bucket(raw, notes)?;
    if let Some(given) = raw
        .get("client")
        .filter(|given| given.value == ClientKind::Sdk.as_str())
    {
        return Err(usage(
            format!("{} is sdk, and the AWS SDK requests no URLs", given.name),
            format!(
                "leave {} out: URLs are requested with parfetch's own client",
                given.name
            ),
        ));
    }
    let requests = requests(&reader)?;
    if let (Some(_), Some(time)) = (requests, raw.get("duration")) {
        return Err(usage(
            format!(
                "--requests and {} are given, and each of them ends the run",
                time.name
            ),
            "leave one of them out",
        ));
    }
    let method: Method = parsed(raw, "method")?.unwrap_or_default();
    let body = body(raw)?;
    if body != RequestBody::None && !method.has_body() {
        notes.warn(format!(
            "the requests are {}s with a body, which many servers pass over: -X POST sends a POST",
            method.as_str()
        ));
    }
    other_tools(raw, notes);
    Ok(Some(HttpSource {
        urls,
        requests,
        method,
        headers: headers(raw)?,
        body,
        keep_alive: !reader.switch("no-keep-alive")?,
        expect: expect(raw)?,
        connect_to: connect_to(raw)?,
    }))
}

/// Where URLs are named.
enum UrlWords<'a> {
    /// They are these words, which stand in this setting.
    Typed(&'static str, Vec<&'a str>),
    /// They are read from what this names.
    Read(&'a Given),
}

/// Where a run has its URLs from; none without any.
fn urls(raw: &Raw) -> Result<Option<Urls>, Failure> {
    let Given { value, name } = match url_words(raw)? {
        None => return Ok(None),
        Some(UrlWords::Typed(name, words)) => return typed(name, words).map(Some),
        Some(UrlWords::Read(given)) => given,
    };
    if value.starts_with("s3://") {
        let uri: S3Uri = value.parse().map_err(|error| {
            usage(
                format!("{name}: {error}"),
                "write it like s3://bucket/urls.txt",
            )
        })?;
        return Ok(Some(Urls::Object(uri)));
    }
    Ok(Some(match value.as_str() {
        "-" => Urls::Stdin,
        path => Urls::File(PathBuf::from(path)),
    }))
}

/// The URLs of a sweep, where they are typed: they may have names in braces, and are not read here.
pub(super) fn typed_urls(raw: &Raw) -> Result<Option<Vec<String>>, Failure> {
    match url_words(raw)? {
        Some(UrlWords::Typed(_, words)) => Ok(Some(words.into_iter().map(str::to_owned).collect())),
        Some(UrlWords::Read(given)) if given.value.starts_with("s3://") => Err(usage(
            format!(
                "{} is an object, and a sweep copies URLs of a file into its plan",
                given.name
            ),
            "download it, and name the file",
        )),
        None | Some(UrlWords::Read(_)) => Ok(None),
    }
}

/// Words, else `--urls`.
fn url_words(raw: &Raw) -> Result<Option<UrlWords<'_>>, Failure> {
    let first_is_url = raw.words.first().is_some_and(|word| is_web_address(word));
    if first_is_url {
        if let Some(given) = raw.get("urls").filter(|given| given.is_flag()) {
            return Err(usage(
                format!("URLs are given, and {} names others", given.name),
                "leave one of them out",
            ));
        }
        let words = raw.words.iter().map(String::as_str).collect();
        return Ok(Some(UrlWords::Typed("SOURCE", words)));
    }
    if let [_, other, ..] = raw.words.as_slice() {
        return Err(usage(
            format!("{} is one source too many", shown(other)),
            format!(
                "a {} reads one bucket; only URLs may be several",
                raw.command
            ),
        ));
    }
    // A bucket that was typed wins over a variable.
    let Some(given) = raw
        .get("urls")
        .filter(|given| given.is_flag() || raw.words.is_empty())
    else {
        return Ok(None);
    };
    if !raw.words.is_empty() {
        return Err(usage(
            format!(
                "{} is a source, and {} names another",
                shown(&raw.words[0]),
                given.name
            ),
            "leave one of them out",
        ));
    }
    Ok(Some(if is_web_address(given.value.trim_start()) {
        UrlWords::Typed(given.name, given.value.split_whitespace().collect())
    } else {
        UrlWords::Read(given)
    }))
}

fn typed(name: &'static str, words: Vec<&str>) -> Result<Urls, Failure> {
    let urls = words.into_iter().map(|word| {
        word.parse::<WebUrl>()
            .map_err(|wrong| wrong_value(name, wrong))
    });
    let urls: Vec<_> = urls.collect::<Result<_, _>>()?;
    let Some(first) = urls.first() else {
        return Err(usage(format!("{name} has no URL"), URL_FORM));
    };
    if let Some(other) = urls.iter().find(|url| url.origin != first.origin) {
        return Err(usage(
            format!(
                "`{other}` is of {}, and the first URL is of {}",
                other.origin, first.origin
            ),
            "a run measures one server: make a run for each",
        ));
    }
    Ok(Urls::Typed(urls))
}

/// A value by its own reader.
fn parsed<T: FromStr<Err = String>>(raw: &Raw, flag: &str) -> Result<Option<T>, Failure> {
    let Some(Given { value, name }) = raw.get(flag) else {
        return Ok(None);
    };
    value.parse().map(Some).map_err(|error| {
        usage(
            format!("{name}: {error}"),
            format!("`parfetch {} --help` explains --{flag}", raw.command),
        )
    })
}

fn requests(reader: &SettingReader<'_>) -> Result<Option<NonZeroU64>, Failure> {
    let requests = reader.number("requests", 1..=u64::from(u32::MAX), "requests")?;
    Ok(requests.and_then(NonZeroU64::new))
}

fn expect(raw: &Raw) -> Result<StatusSet, Failure> {
    let Some(Given { value, name }) = raw.get("expect") else {
        return Ok(StatusSet::default());
    };
    value
        .parse()
        .map_err(|error| usage(format!("{name}: {error}"), "write it like 2xx or 200,404"))
}

fn headers(raw: &Raw) -> Result<Vec<HttpHeader>, Failure> {
    let Some(Given { value, name }) = raw.get("header") else {
        return Ok(Vec::new());
    };
    let mut headers = Vec::new();
    let lines = value.split('\n').filter(|line| !line.trim().is_empty());
    for (index, line) in lines.enumerate() {
        let header = HttpHeader::after(&headers, line).map_err(|Wrong { what, hint }| {
            usage(format!("{name} {}: it {what}", index + 1), hint)
        })?;
        headers.push(header);
    }
    Ok(headers)
}

fn body(raw: &Raw) -> Result<RequestBody, Failure> {
    match (raw.get("body"), raw.get("body-file")) {
        (None, None) => Ok(RequestBody::None),
        (Some(text), Some(file)) => Err(usage(
            format!(
                "{} and {} are given, and a request has one body",
                text.name, file.name
            ),
            "leave one of them out",
        )),
        (Some(text), None) if SINGLE_DASHES.contains(&text.value.as_str()) => Err(usage(
            format!(
                "`-d{}` is a body here, and an option of another program",
                text.value
            ),
            "--no-keep-alive opens a connection for each request; redirects are never followed, and no compression is asked for",
        )),
        (Some(text), None) if text.value.len() as u64 > BODY_BYTES => Err(usage(
            format!("{} is longer than 1 MiB", text.name),
            "a shorter body: each worker holds one",
        )),
        (Some(text), None) => Ok(RequestBody::Text(text.value.clone())),
        (None, Some(file)) => Ok(RequestBody::File(PathBuf::from(&file.value))),
    }
}

fn connect_to(raw: &Raw) -> Result<Vec<HostPort>, Failure> {
    let Some(Given { value, name }) = raw.get("connect-to") else {
        return Ok(Vec::new());
    };
    let addresses = value.split(',').map(|address| address.trim().parse());
    addresses.collect::<Result<_, String>>().map_err(|error| {
        usage(
            format!("{name}: {error}"),
            "write it like 127.0.0.1:8001,127.0.0.1:8002",
        )
    })
}

/// Without URLs, settings of requests mean nothing.
fn of_a_bucket(raw: &Raw, notes: &mut Notes) -> Result<(), Failure> {
    for given in OF_REQUESTS.iter().filter_map(|flag| raw.get(flag)) {
        let message = format!(
            "{} is for requests to URLs, and no URL is given",
            given.name
        );
        if given.is_flag() {
            return Err(usage(
                message,
                "name one, like `parfetch http://127.0.0.1:8000/`",
            ));
        }
        notes.warn(format!("{message}: it is not used"));
    }
    if let Some(given) = raw.get("urls") {
        notes.warn(format!("{} is not used: a bucket is named", given.name));
    }
    Ok(())
}

/// With URLs, settings of a bucket mean nothing.
pub(super) fn not_of_a_bucket(raw: &Raw, notes: &mut Notes) -> Result<(), Failure> {
    let is_default = |flag: &str, value: &str| match flag {
        // That of the order of repetitions.
        "seed" => raw.command == "sweep" || raw.command == "tune",
        "order" => value == "listed",
        "egress" => value == "none",
        "embedded" | "virtual-host" | "no-sign-request" | "request-payer" => {
            ["0", "false", "no", "off"].contains(&value)
        }
        _ => false,
    };
    for (flag, given) in OF_A_BUCKET
        .iter()
        .filter_map(|flag| Some((*flag, raw.get(flag)?)))
    {
        if is_default(flag, &given.value) {
            continue;
        }
        if given.is_flag() {
            let hint = match flag {
                "limit" | "sample" => "-n N makes so many requests",
                _ => "leave it out",
            };
            return Err(usage(
                format!(
                    "{} is for objects of a bucket, and URLs are given",
                    given.name
                ),
                hint,
            ));
        }
        // What a task's definition says of another run.
        notes.warn(format!("{} is not used: URLs are requested", given.name));
    }
    Ok(())
}

/// Flags that mean something else to users of hey, oha and wrk.
fn other_tools(raw: &Raw, notes: &mut Notes) {
    let flag = |flag: &str| raw.get(flag).filter(|given| given.is_flag());
    if let Some(tag) = flag("tag").filter(|tag| {
        crate::units::parse_duration(&tag.value).is_ok() || tag.value.parse::<u32>().is_ok()
    }) {
        notes.warn(format!(
            "-t is the label of the results here, and now it is `{}`: --timeout 20s limits a request",
            tag.value
        ));
    }
    if flag("out").is_some_and(|out| out.value == "csv") {
        notes.warn("-o is a folder here, and the results go to ./csv: there is always a CSV");
    }
}

/// What to try when `-m` was meant as hey means it.
pub(super) fn method_hint(value: &str) -> Option<String> {
    let is_mode = value.parse::<Mode>().is_ok();
    let is_method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&value);
    (is_method && !is_mode).then(|| format!("-m is the mode here: -X {value} is the method"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::cli::{Invocation, Variables, parse};
    use crate::exit::{Exit, Failure};
    use crate::plan::{HttpSource, RequestBody, Urls};
    use crate::settings::{self, RunSettings};

    fn read_with<const N: usize>(
        words: &[&str],
        variables: [(&str, &str); N],
    ) -> Result<RunSettings, Failure> {
        let arguments = std::iter::once("parfetch")
            .chain(words.iter().copied())
            .map(OsString::from);
        match parse(arguments, Variables::from(variables)) {
            Ok(Invocation::Run(raw)) => settings::run(&raw),
            Err(crate::cli::Unparsed::Wrong(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    fn read(words: &[&str]) -> Result<RunSettings, Failure> {
        read_with(words, [])
    }

    fn source(words: &[&str]) -> HttpSource {
        read(words).unwrap().plan.source.http().unwrap().clone()
    }

    #[test]
    fn a_first_word_that_is_a_url_means_run() {
        let settings = read(&[
            "http://127.0.0.1:8000/a?b",
            "http://127.0.0.1:8000/c",
            "-n",
            "10",
            "-z10s",
        ]);
        assert_eq!(
            settings.unwrap_err().message,
            "--requests and --duration are given, and each of them ends the run"
        );
        let settings = read(&["http://127.0.0.1:8000/a?b", "-n", "10"]).unwrap();
        let plan = &settings.plan;
        assert_eq!(
            (plan.source.requests(), plan.fetch.limits.attempts),
            (Some(10), 1)
        );
        assert_eq!(
            (
                plan.fetch.limits.stall_timeout,
                plan.fetch.limits.connect_timeout
            ),
            (None, None)
        );
        assert_eq!(
            plan.destination.out.as_deref().unwrap().to_str(),
            Some("./parfetch-results")
        );
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }

    #[test]
    fn every_setting_of_a_request_is_taken() {
        let source = source(&[
            "run",
            "http://h/",
            "-X",
            "put",
            "-H",
            "X-A: 1",
            "-H",
            "host: app",
            "-d",
            "{\n}\n",
            "--expect",
            "2xx,404",
            "--no-keep-alive",
            "--connect-to",
            "127.0.0.1:1, [::1]:2",
        ]);
        assert_eq!(source.method.as_str(), "PUT");
        assert_eq!(
            source
                .headers
                .iter()
                .map(|header| header.name.as_str())
                .collect::<Vec<_>>(),
            ["x-a", "host"]
        );
        assert_eq!(source.body, RequestBody::Text("{\n}\n".to_owned()));
        assert_eq!(
            (source.expect.to_string().as_str(), source.keep_alive),
            ("2xx,404", false)
        );
        assert_eq!(
            source
                .connect_to
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["127.0.0.1:1", "[::1]:2"]
        );
    }

    #[test]
    fn urls_come_from_a_file_or_a_variable_too() {
        let of = |value: &str| {
            read(&["--urls", value])
                .unwrap()
                .plan
                .source
                .http()
                .unwrap()
                .urls
                .clone()
        };
        assert_eq!(of("urls.txt"), Urls::File("urls.txt".into()));
        assert_eq!(of("-"), Urls::Stdin);
        assert_eq!(of("s3://b/urls.txt").to_string(), "s3://b/urls.txt");
        assert_eq!(
            of("http://h/a\thttp://h/b").to_string(),
            "http://h/a http://h/b"
        );
        let by_variable = read_with(
            &[],
            [("PARFETCH_URLS", "http://h/a"), ("BUCKET_NAME", "images")],
        )
        .unwrap();
        assert_eq!(
            by_variable.warnings,
            ["BUCKET_NAME is not used: URLs are requested"]
        );
        let typed = read_with(
            &["s3://images"],
            [("PARFETCH_URLS", "http://h/a"), ("PARFETCH_METHOD", "POST")],
        )
        .unwrap();
        assert_eq!(
            typed.warnings,
            [
                "PARFETCH_METHOD is for requests to URLs, and no URL is given: it is not used",
                "PARFETCH_URLS is not used: a bucket is named"
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_a_hint() {
        for (words, message) in [
            (&["http://"][..], "SOURCE is `http://`, which is not a URL"),
            (
                &["--urls", "http://a b"],
                "--urls is `b`, which is not a URL",
            ),
            (
                &["http://a/", "http://b/"],
                "`http://b/` is of http://b, and the first URL is of http://a",
            ),
            (
                &["http://a/", "s3://b"],
                "SOURCE is `s3://b`, which is not a URL",
            ),
            (&["s3://a", "s3://b"], "`s3://b` is one source too many"),
            (&["http://u:p@h/"], "SOURCE holds a user name or password"),
            (
                &["http://h/", "--client", "sdk"],
                "--client is sdk, and the AWS SDK requests no URLs",
            ),
            (
                &["http://h/", "--part-size", "8MiB"],
                "--part-size is for objects of a bucket, and URLs are given",
            ),
            (
                &["http://h/", "--limit", "8"],
                "--limit is for objects of a bucket, and URLs are given",
            ),
            (
                &["http://h/", "--embedded"],
                "--embedded is for objects of a bucket, and URLs are given",
            ),
            (
                &["s3://b", "-n", "8"],
                "--requests is for requests to URLs, and no URL is given",
            ),
            (
                &["http://h/", "-n", "0"],
                "--requests is 0, outside 1 to 4294967295",
            ),
            (
                &["http://h/", "-H", "secret"],
                "--header 1: it has no colon",
            ),
            (
                &["http://h/", "-H", "Host: a", "-H", "hOST: b"],
                "--header 2: it is a second `host`",
            ),
            (
                &["http://h/", "--expect", "999"],
                "--expect: `999` is not an HTTP status",
            ),
            (
                &["http://h/", "--connect-to", "h"],
                "--connect-to: `h` is not HOST:PORT",
            ),
            (
                &["http://h/", "-d", "a", "-D", "b"],
                "--body and --body-file are given, and a request has one body",
            ),
            (
                &["http://h/", "-disable-keepalive"],
                "`-disable-keepalive` is a body here, and an option of another program",
            ),
            (
                &["http://h/", "-m", "POST"],
                "--mode: `POST` is not one of async, thread, process",
            ),
            (
                &["http://h/", "-T", "text/html"],
                "unexpected argument '-T' found",
            ),
            (
                &["http://h/", "--urls", "x"],
                "URLs are given, and --urls names others",
            ),
            (
                &["http://h/", "-cpus", "2"],
                "-cpus 2 is an option of another program",
            ),
            (
                &["http://h/", "-q", "10"],
                "-q 10 is an option of another program",
            ),
            (
                &["-q", "10", "http://h/"],
                "-q 10 is an option of another program",
            ),
            (&["http://h/", "-L"], "unexpected argument '-L' found"),
            (
                &["http://h/", "--connect-to", "u:PW@h:1"],
                "--connect-to: an address holds a user name or password",
            ),
        ] {
            let failure = read(words).unwrap_err();
            assert_eq!(
                (failure.message.as_str(), failure.exit),
                (message, Exit::Usage),
                "{words:?}"
            );
            assert!(failure.hint.is_some(), "{words:?}");
        }
        let hint = |words: &[&str]| read(words).unwrap_err().hint.unwrap();
        assert_eq!(
            hint(&["http://h/", "-m", "POST"]),
            "-m is the mode here: -X POST is the method"
        );
        assert_eq!(
            hint(&["http://h/", "-T", "text/html"]),
            "-H 'content-type: …' sends it"
        );
        for option in ["-k", "--http2", "-L", "-I"] {
            let said = hint(&["http://h/", option]);
            assert!(!said.contains("--help"), "{option}: {said}");
        }
        assert!(read(&["http://h/", "-q"]).is_ok());
    }

    #[test]
    fn what_other_tools_mean_by_a_flag_is_said() {
        let warnings = |words: &[&str]| read(words).unwrap().warnings;
        assert_eq!(
            warnings(&["http://h/", "-t", "20"]),
            [
                "-t is the label of the results here, and now it is `20`: --timeout 20s limits a request"
            ]
        );
        assert!(warnings(&["http://h/", "-t", "v2"]).is_empty());
        assert_eq!(
            warnings(&["http://h/", "-o", "csv"]),
            ["-o is a folder here, and the results go to ./csv: there is always a CSV"]
        );
        assert_eq!(
            warnings(&["http://h/", "-d", "{}"]),
            [
                "the requests are GETs with a body, which many servers pass over: -X POST sends a POST"
            ]
        );
    }
}
