//! What each repetition of a sweep requests of a web server: URLs, headers and a body with names in braces, which its configuration replaces.
//!
//! Values of headers stay in the memory of the sweep and in the environment of the processes that send them.

use std::fs;
use std::io;
use std::path::Path;

use super::factors::PlaceholderValues;
use crate::exit::Failure;
use crate::lister::sha256_hex;
use crate::plan::names::Wrong;
use crate::plan::{HttpSource, RequestBody, Urls, WebUrl, in_few_words};
use crate::results::summary::HttpSettings;
use crate::run::read_body;

/// Longest text of URLs that a variable can hold: a system takes 128 KiB at most.
const VARIABLE_BYTES: usize = 64 * 1024;
/// Where the URLs of an attempt are, when there are more of them. Gone when it has ended.
const URLS_FILE: &str = "urls.txt";

/// The requests of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTemplate {
    /// URLs with names in braces; never none.
    pub urls: Vec<String>,
    /// Everything else. Values of headers and the body have names in braces; its own URLs are those of one configuration.
    pub example: HttpSource,
}

impl RequestTemplate {
    /// Whether the server is on this machine, by the names of one configuration.
    pub(super) fn is_on_this_machine(&self) -> bool {
        match &self.example.urls {
            Urls::Typed(urls) => urls
                .first()
                .is_some_and(|url| url.origin.is_on_this_machine()),
            Urls::File(_) | Urls::Stdin | Urls::Object(_) => false,
        }
    }

    /// `http://127.0.0.1:{port}/a and 2 others`
    pub(super) fn shown(&self) -> String {
        in_few_words(&self.urls)
    }

    /// What summaries and records say of them.
    pub(super) fn settings(&self) -> HttpSettings {
        HttpSettings {
            urls: self.shown(),
            ..HttpSettings::from(&self.example)
        }
    }

    /// SHA-256 of the URLs and of the file of the body. The plan has all else.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn sha256(&self) -> Result<String, Failure> {
        let mut bytes = self.urls.join("\n").into_bytes();
        if let body @ RequestBody::File(_) = &self.example.body {
            bytes.push(b'\n');
            bytes.extend(read_body(body)?);
        }
        Ok(sha256_hex(&bytes))
    }

    /// Requests of one repetition, when time does not end it.
    pub(super) fn count(&self) -> u64 {
        let once = self.urls.len() as u64;
        self.example
            .requests
            .map_or(once, std::num::NonZeroU64::get)
    }

    /// What one attempt requests. A long list of URLs is written into its folder.
    ///
    /// # Errors
    /// When a name has no value, a value makes something else than a URL or a header, or the list cannot be written.
    pub(super) fn filled(
        &self,
        values: &PlaceholderValues<'_>,
        dir: &Path,
    ) -> io::Result<HttpSource> {
        let urls = self.urls.iter().map(|text| url(&values.fill(text)?));
        let urls: Vec<WebUrl> = urls.collect::<io::Result<_>>()?;
        let headers = self.example.headers.iter().map(|header| {
            let line = format!("{}: {}", header.name, values.fill(&header.value)?);
            line.parse().map_err(|Wrong { what, .. }| {
                io::Error::other(format!("the header {} {what}", header.name))
            })
        });
        let body = match &self.example.body {
            RequestBody::Text(text) => RequestBody::Text(values.fill(text)?),
            body => body.clone(),
        };
        let length: usize = urls.iter().map(|url| url.target.len() + 64).sum();
        let urls = if length > VARIABLE_BYTES {
            let path = std::path::absolute(dir.join(URLS_FILE))?;
            let lines: Vec<String> = urls.iter().map(|url| format!("{url}\n")).collect();
            fs::write(&path, lines.concat())?;
            Urls::File(path)
        } else {
            Urls::Typed(urls)
        };
        Ok(HttpSource {
            urls,
            headers: headers.collect::<io::Result<_>>()?,
            body,
            ..self.example.clone()
        })
    }
}

/// Removes what [`RequestTemplate::filled`] wrote: the plan has it.
pub(super) fn drop_urls(dir: &Path) {
    let _gone = fs::remove_file(dir.join(URLS_FILE));
}

fn url(text: &str) -> io::Result<WebUrl> {
    text.parse()
        .map_err(|Wrong { what, .. }| io::Error::other(format!("the URL `{text}` {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fixture;

    fn template(urls: &[&str]) -> RequestTemplate {
        let example = urls[0].replace("{port}", "80").replace("{endpoint}", "a");
        RequestTemplate {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            example: HttpSource {
                headers: vec!["x-key: {endpoint} s3cret".parse().unwrap()],
                body: RequestBody::Text("{\"n\": {concurrency}}".to_owned()),
                ..HttpSource::get(Urls::Typed(vec![example.parse().unwrap()]))
            },
        }
    }

    #[test]
    fn another_body_in_the_same_file_is_another_sweep() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut requests = template(&["http://127.0.0.1:{port}/"]);
        requests.example.body = RequestBody::File(file.path().to_owned());
        let of = |body: &str| {
            std::fs::write(file.path(), body).unwrap();
            requests.sha256().unwrap()
        };
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        let path = file.path().to_owned();
        fs::remove_file(path).unwrap();
        assert!(requests.sha256().is_err());
    }

    #[test]
    fn each_repetition_has_its_own_values() {
        let cell = crate::cell::Cell {
            factors: crate::plan::Factors::default().with("endpoint", "sync"),
            ..fixture::cell()
        };
        let values = PlaceholderValues::new(&cell).with("port", "8000");
        let template = template(&[
            "http://127.0.0.1:{port}/{endpoint}",
            "http://127.0.0.1:{port}/",
        ]);
        let dir = tempfile::tempdir().unwrap();
        let filled = template.filled(&values, dir.path()).unwrap();
        assert_eq!(
            filled.urls.to_string(),
            "http://127.0.0.1:8000/sync http://127.0.0.1:8000/"
        );
        assert_eq!(filled.headers[0].value, "sync s3cret");
        assert_eq!(filled.body, RequestBody::Text("{\"n\": 1}".to_owned()));
        assert_eq!(
            template.settings().urls,
            "http://127.0.0.1:{port}/{endpoint} and 1 other"
        );
        assert!(template.is_on_this_machine() && template.count() == 2);
        let without = PlaceholderValues::new(&cell);
        let error = template.filled(&without, dir.path()).unwrap_err();
        assert_eq!(error.to_string(), "{port} has no value here");
    }

    #[test]
    fn a_long_list_is_a_file_of_the_attempt() {
        let many: Vec<String> = (0..2_000)
            .map(|n| format!("http://h:{{port}}/{n}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (template, cell) = (template(&many), fixture::cell());
        let values = PlaceholderValues::new(&cell)
            .with("port", "8000")
            .with("endpoint", "a");
        let dir = tempfile::tempdir().unwrap();
        let Urls::File(path) = template.filled(&values, dir.path()).unwrap().urls else {
            panic!("it does not fit into a variable")
        };
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            (text.lines().count(), text.lines().last()),
            (2_000, Some("http://h:8000/1999"))
        );
        drop_urls(dir.path());
        assert!(!path.exists());
    }
}
