//! The URLs of a run: as they were typed, or the lines of a file. All of one server, each as often as it stands there.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::error::ListError;
use super::lines::{LineError, Lines, without_end};
use super::pick::Listed;
use crate::plan::{Urls, WebOrigin, WebUrl};
use crate::platform::cancel::Cancelled;
use crate::sample::KeyRecord;
use crate::spool::keys::KeyWriter;
use crate::store::{Bucket, Session};

/// Most bytes of a line.
const LINE_BYTES: usize = 16 * 1024;
/// What to try when a line is wrong.
const LINE_HINT: &str =
    "a file of URLs has a URL a line; empty lines, and lines that begin with #, are passed over";
/// What to try with a second server.
const ONE_SERVER: &str = "a run measures one server: make a run for each";
/// What to try when there is no such file.
const UNREADABLE_HINT: &str = "--urls names a file, - for standard input, or s3://bucket/key";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUrls {
    /// How many there are.
    pub listed: Listed,
    /// The server of all of them.
    pub origin: WebOrigin,
}

/// Takes URLs into the key file.
struct UrlSpool {
    writer: KeyWriter,
    origin: Option<WebOrigin>,
    urls: u64,
}

impl UrlSpool {
    fn create(spool: &Path) -> Result<Self, ListError> {
        Ok(Self {
            writer: KeyWriter::create(spool).map_err(ListError::Spool)?,
            origin: None,
            urls: 0,
        })
    }

    /// Takes a URL; `place` says where it stands.
    fn take(&mut self, url: &WebUrl, place: impl Fn() -> String) -> Result<(), ListError> {
        let origin = self.origin.get_or_insert_with(|| url.origin.clone());
        if *origin != url.origin {
            return Err(ListError::Wrong(
                format!(
                    "{} is of {}, and the first URL is of {origin}",
                    place(),
                    url.origin
                ),
                ONE_SERVER,
            ));
        }
        self.urls += 1;
        let record = KeyRecord {
            key: url.to_string(),
            ..KeyRecord::default()
        };
        self.writer.push(&record).map_err(ListError::Spool)
    }

    fn finish(self, name: &str) -> Result<ListedUrls, ListError> {
        self.writer.finish().map_err(ListError::Spool)?;
        let origin = self
            .origin
            .ok_or_else(|| ListError::Wrong(format!("{name} has no URL"), LINE_HINT))?;
        Ok(ListedUrls {
            listed: Listed {
                keys: self.urls,
                ..Listed::default()
            },
            origin,
        })
    }
}

/// Takes the URLs into a key file in `spool`. `session` reads the object that has them.
///
/// # Errors
/// What cannot be read, is no URL, or is of another server.
pub async fn list_urls(
    urls: &Urls,
    session: Option<&Session>,
    spool: &Path,
) -> Result<ListedUrls, ListError> {
    match urls {
        Urls::Typed(urls) => {
            let mut taken = UrlSpool::create(spool)?;
            for url in urls {
                taken.take(url, || format!("`{url}`"))?;
            }
            taken.finish("the command line")
        }
        Urls::File(path) => file(path.clone(), path.display().to_string(), spool).await,
        Urls::Stdin => {
            let spool = spool.to_owned();
            off_thread(move |cancelled| {
                lines(io::stdin().lock(), "standard input", (&spool, cancelled))
            })
            .await
        }
        Urls::Object(uri) => {
            let session = session.ok_or_else(|| {
                ListError::Wrong(format!("{uri} cannot be read"), UNREADABLE_HINT)
            })?;
            let path = spool.join("urls.txt");
            let mut holder = Bucket::new(session, &uri.bucket);
            holder.read_to_file(&uri.key, &path).await?;
            file(path, uri.to_string(), spool).await
        }
    }
}

async fn file(path: PathBuf, name: String, spool: &Path) -> Result<ListedUrls, ListError> {
    let spool = spool.to_owned();
    off_thread(move |cancelled| {
        let unreadable = |error: io::Error| {
            ListError::Wrong(
                format!("cannot read the URLs in {name}: {error}"),
                UNREADABLE_HINT,
            )
        };
        let opened = File::open(&path).map_err(unreadable)?;
        lines(BufReader::new(opened), &name, (&spool, cancelled))
    })
    .await
}

/// A file may have millions of lines, or be a pipe: signals are noticed meanwhile. When this future is dropped, the thread ends at its next line.
async fn off_thread<T: Send + 'static>(
    read: impl FnOnce(&Cancelled) -> Result<T, ListError> + Send + 'static,
) -> Result<T, ListError> {
    let cancelled = Cancelled::default();
    let _guard = cancelled.when_dropped();
    tokio::task::spawn_blocking(move || read(&cancelled))
        .await
        .unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}

fn lines(
    reader: impl BufRead,
    name: &str,
    (spool, cancelled): (&Path, &Cancelled),
) -> Result<ListedUrls, ListError> {
    let mut taken = UrlSpool::create(spool)?;
    let mut lines = Lines::new(reader, LINE_BYTES);
    for number in 1_u64.. {
        cancelled.check().map_err(ListError::Spool)?;
        let place = || format!("{name}, line {number}");
        let wrong = |what: &str| ListError::Wrong(format!("{} {what}", place()), LINE_HINT);
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(LineError::Read(error)) => {
                return Err(ListError::Wrong(
                    format!("cannot read the URLs in {name}: {error}"),
                    UNREADABLE_HINT,
                ));
            }
            Err(LineError::TooLong { .. }) => return Err(wrong("is longer than 16 KiB")),
        };
        let text = std::str::from_utf8(without_end(line))
            .map_err(|_| wrong("has a character that cannot be sent in a URL"))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let url: WebUrl = text
            .parse()
            .map_err(|error: crate::plan::names::Wrong| wrong(&error.what))?;
        taken.take(&url, place)?;
    }
    taken.finish(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::keys::KeyFile;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let spool = tempfile::tempdir().unwrap();
        let listed = lines(
            text.as_bytes(),
            "urls.txt",
            (spool.path(), &Cancelled::default()),
        )
        .map_err(|error| error.to_string())?;
        let keys = KeyFile::open(spool.path()).unwrap();
        assert_eq!(keys.count(), listed.listed.keys);
        assert_eq!((listed.listed.bytes, listed.listed.archived), (None, 0));
        Ok(keys.iter().map(|key| key.unwrap().key).collect())
    }

    #[test]
    fn blank_lines_comments_and_line_ends_of_any_kind_are_no_urls() {
        let text = "\u{feff}http://h/a\r\n\r\n# a comment\n  \t\n  http://h:80/b?c#\n";
        assert_eq!(
            read(text).unwrap_err(),
            "urls.txt, line 5 has a fragment (#…), which is not sent to a server"
        );
        assert_eq!(
            read(&text.replace("c#", "c")).unwrap(),
            ["http://h/a", "http://h/b?c"]
        );
        assert_eq!(
            read("HTTP://H/a\nhttp://h/a").unwrap(),
            ["http://h/a", "http://h/a"],
            "as often as it stands there"
        );
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        assert_eq!(
            read("http://h/\nindex.html\n").unwrap_err(),
            "urls.txt, line 2 is `index.html`, which is not a URL"
        );
        assert_eq!(
            read("http://h/\n\nhttps://h/\n").unwrap_err(),
            "urls.txt, line 3 is of https://h, and the first URL is of http://h"
        );
        assert_eq!(read("# none\n\n").unwrap_err(), "urls.txt has no URL");
        assert_eq!(
            read(&format!("http://h/{}", "x".repeat(20_000))).unwrap_err(),
            "urls.txt, line 1 is longer than 16 KiB"
        );
    }
}
