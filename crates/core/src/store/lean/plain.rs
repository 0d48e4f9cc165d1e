//! Requests to a web server: path and query as they stand, a head that never changes, a body.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::connection::LeanConnection;
use super::form::WriteRequest;
use super::reader::{AnswerRule, Wanted};
use crate::plan::names::{shown, without_user};
use crate::sample::{ErrorCode, Outcome};
use crate::store::attempt::{AttemptError, Remedy, Target};
use crate::store::distrust::{self, Distrust};
use crate::store::http_recipe::HttpRecipe;
use crate::store::transport::{AttemptPhase, transport};

/// How the note of a redirect begins.
const REDIRECTS: &str = "the server redirects to ";
/// How the note of a certificate begins that is not trusted.
const DISTRUST: &str = "the server's certificate ";

/// Whether both notes say the same. Children do not know of each other, and each finds another redirect.
pub fn is_same_note(one: &str, other: &str) -> bool {
    let both_begin = |with: &str| one.starts_with(with) && other.starts_with(with);
    one == other || both_begin(REDIRECTS) || both_begin(DISTRUST)
}

/// Whether a redirect was noted already: one is enough for all workers of a process.
#[derive(Clone, Debug, Default)]
pub struct RedirectNote(Arc<AtomicBool>);

/// Writes the requests of one worker to a web server.
pub struct PlainForm {
    /// The method and a blank.
    method: Vec<u8>,
    /// Bytes of a key in front of its path.
    origin: usize,
    /// Everything behind path and query.
    rest: Vec<u8>,
    rule: AnswerRule,
    is_idempotent: bool,
    keep_alive: bool,
    redirect: RedirectNote,
    note: Option<String>,
}

impl PlainForm {
    pub(super) fn new(recipe: &HttpRecipe, redirect: RedirectNote) -> Self {
        Self {
            method: [recipe.method.as_str().as_bytes(), b" "].concat(),
            origin: recipe.origin.to_string().len(),
            rest: rest(recipe),
            rule: AnswerRule {
                expect: recipe.expect,
                is_head: recipe.method.is_head(),
            },
            is_idempotent: recipe.method.is_idempotent(),
            keep_alive: recipe.keep_alive,
            redirect,
            note: None,
        }
    }

    fn note_redirect(&mut self, code: ErrorCode, location: &[u8]) {
        if location.is_empty() || self.redirect.0.swap(true, Ordering::Relaxed) {
            return;
        }
        self.note = Some(format!(
            "{REDIRECTS}{} ({code}), and redirects are not followed: ask for that URL instead",
            shown(&without_user(&String::from_utf8_lossy(location)))
        ));
    }

    fn note_distrust(&mut self, error: &io::Error) {
        if let Some(Distrust { what, hint }) = distrust::of(&[error.to_string()]) {
            self.note = Some(format!(
                "{DISTRUST}{what}, so no request is sent (tls): {hint}"
            ));
        }
    }
}

/// Everything behind path and query. Headers of one's own come in the place of those that are sent by themselves.
fn rest(recipe: &HttpRecipe) -> Vec<u8> {
    let body = &recipe.body.0;
    let length = (!body.is_empty() || recipe.method.has_body()).then(|| body.len().to_string());
    let own = [
        ("host", Some(recipe.origin.authority())),
        (
            "user-agent",
            Some(concat!("parfetch/", env!("CARGO_PKG_VERSION")).to_owned()),
        ),
        ("content-length", length),
        (
            "connection",
            (!recipe.keep_alive).then(|| "close".to_owned()),
        ),
    ];
    let is_given = |name: &str| recipe.headers.iter().any(|header| header.name == name);
    let own = own
        .iter()
        .filter(|(name, _)| !is_given(name))
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let given = recipe
        .headers
        .iter()
        .map(|header| (header.name.as_str(), header.value.as_str()));
    let mut out = b" HTTP/1.1\r\n".to_vec();
    for (name, value) in own.chain(given) {
        for piece in [name, ": ", value, "\r\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

impl WriteRequest for PlainForm {
    fn write(&mut self, target: Target<'_>, out: &mut Vec<u8>) -> Wanted {
        out.clear();
        for piece in [
            self.method.as_slice(),
            &target.key.as_bytes()[self.origin..],
            self.rest.as_slice(),
        ] {
            out.extend_from_slice(piece);
        }
        Wanted::Answer(self.rule)
    }

    /// A try to connect counts as an attempt: a load test does not hide failures.
    fn unconnected(&mut self, error: &io::Error) -> AttemptError {
        self.note_distrust(error);
        let error = transport(error, AttemptPhase::Connecting);
        match error.remedy {
            Remedy::Reconnect => AttemptError {
                remedy: Remedy::BackOff,
                ..error
            },
            _ => error,
        }
    }

    fn failed(&mut self, error: AttemptError, connection: &LeanConnection) -> AttemptError {
        self.note_redirect(error.code, connection.location());
        match error.remedy {
            // The server may have done what it was asked for.
            Remedy::NewConnection if !self.is_idempotent => AttemptError {
                remedy: Remedy::Nothing(Outcome::Failed),
                ..error
            },
            _ => error,
        }
    }

    fn keeps_connections(&self) -> bool {
        self.keep_alive
    }

    async fn refresh(&mut self) {}

    fn take_notes(&mut self) -> Vec<String> {
        self.note.take().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{HttpHeader, HttpSource, Limits, Urls, WebUrl};
    use crate::store::http_recipe::{BodyBytes, HttpSetup};

    async fn form(change: impl FnOnce(&mut HttpSource), body: &[u8]) -> PlainForm {
        let url: WebUrl = "http://127.0.0.1:8000/x".parse().unwrap();
        let setup = HttpSetup {
            origin: url.origin.clone(),
            body: BodyBytes(body.to_vec()),
            limits: Limits::OF_A_WEB_SERVER,
            ca_bundle: None,
        };
        let mut source = HttpSource::get(Urls::Typed(vec![url]));
        change(&mut source);
        let reached = HttpRecipe::reach(&source, setup).await.unwrap();
        PlainForm::new(&reached.recipe, RedirectNote::default())
    }

    fn written(form: &mut PlainForm, key: &str) -> String {
        let mut out = b"rubbish".to_vec();
        let _wanted = form.write(Target::whole(key), &mut out);
        let text = String::from_utf8(out).unwrap();
        text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }

    #[tokio::test]
    async fn a_get_is_a_line_a_host_and_a_name() {
        let mut get = form(|_| {}, b"").await;
        assert_eq!(
            written(&mut get, "http://127.0.0.1:8000/a//b?c=%20&d"),
            "GET /a//b?c=%20&d HTTP/1.1\r\nhost: 127.0.0.1:8000\r\nuser-agent: parfetch/VERSION\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn headers_of_ones_own_come_instead_and_a_body_has_its_length() {
        let header = |text: &str| text.parse::<HttpHeader>().unwrap();
        let mut post = form(
            |source| {
                source.method = "post".parse().unwrap();
                source.headers = vec![header("Host: app"), header("User-Agent:"), header("x-a: 1")];
                source.keep_alive = false;
            },
            b"{}",
        )
        .await;
        assert_eq!(
            written(&mut post, "http://127.0.0.1:8000/"),
            "POST / HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\nhost: app\r\nuser-agent: \r\nx-a: 1\r\n\r\n{}"
        );
        let mut empty = form(|source| source.method = "put".parse().unwrap(), b"").await;
        assert!(
            written(&mut empty, "http://127.0.0.1:8000/").contains("\r\ncontent-length: 0\r\n")
        );
    }

    #[tokio::test]
    async fn one_redirect_is_noted_and_what_it_says_is_cleaned() {
        let mut get = form(|_| {}, b"").await;
        get.note_redirect(ErrorCode::from_status(302), b"");
        get.note_redirect(ErrorCode::from_status(302), b"/login\x1b[2J");
        get.note_redirect(ErrorCode::from_status(302), b"/other");
        let notes = get.take_notes();
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].starts_with("the server redirects to `/login\\u{1b}[2J` (HTTP302)"),
            "{notes:?}"
        );
    }
}
