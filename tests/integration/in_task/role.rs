//! The endpoint that a container gets the credentials of its task role from.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use parfetch::internals::clock;

use crate::support::scripted::{DEADLINE, Reply, Request, Scripted};
use crate::support::strict::{SECRET, TOKEN};

/// What an ask is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Keys,
    /// Keys, but only after this time.
    Late(Duration),
    Status(u16),
    Garbage,
    /// Nothing, ever.
    Never,
}

/// One set of credentials that was handed out.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) access_key: String,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) expires_ms: u64,
}

/// What there is to count.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Requests.
    pub(super) asked: usize,
    /// Most requests open at once.
    pub(super) most_open: usize,
    /// Requests without the right `Authorization`.
    pub(super) strangers: usize,
    open: usize,
    first_and_last: Option<(Instant, Instant)>,
    pub(super) pairs: Vec<Pair>,
}

struct Shared {
    lifetime: Duration,
    /// By the number of the ask, from 0.
    answers: Box<dyn Fn(usize) -> Answer + Send + Sync>,
    /// Gives the token that an ask must bring.
    token: Box<dyn Fn(usize) -> Option<String> + Send + Sync>,
    seen: Mutex<Seen>,
    news: Condvar,
}

/// The endpoint.
#[derive(Clone)]
pub(super) struct Role {
    shared: Arc<Shared>,
}

impl Role {
    /// Keys that live so long, for whoever asks.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self::answering(lifetime, |_| Answer::Keys)
    }

    /// The same, where each ask has an answer of its own.
    pub(super) fn answering(
        lifetime: Duration,
        answers: impl Fn(usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::guarded(lifetime, answers, |_| None)
    }

    /// The same, where an ask must bring a token.
    pub(super) fn guarded(
        lifetime: Duration,
        answers: impl Fn(usize) -> Answer + Send + Sync + 'static,
        token: impl Fn(usize) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared {
            lifetime,
            answers: Box::new(answers),
            token: Box::new(token),
            seen: Mutex::default(),
            news: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Serves it on the loopback; returns its URL as the variable has it.
    pub(super) fn serve(&self) -> String {
        let server = self
            .serve_at((Ipv4Addr::LOCALHOST, 0).into(), |_| None)
            .unwrap();
        format!("{}/v2/credentials/0b1c", server.url())
    }

    /// Serves it at this address, beside what `others` answer.
    pub(super) fn serve_at(
        &self,
        address: SocketAddr,
        others: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> io::Result<Scripted> {
        let role = self.clone();
        Scripted::at(address, move |request| {
            others(request).or_else(|| Some(role.answer(request)))
        })
    }

    fn answer(&self, request: &Request) -> Reply {
        if request.method != "GET" || request.path() != "v2/credentials/0b1c" {
            return Reply::Answer(404, Vec::new(), Vec::new());
        }
        let number = self.begin();
        // Long enough for others to come meanwhile, did they.
        std::thread::sleep(Duration::from_millis(30));
        let reply = self.reply(request, number);
        self.shared.seen.lock().unwrap().open -= 1;
        reply
    }

    fn begin(&self) -> usize {
        let mut seen = self.shared.seen.lock().unwrap();
        let now = Instant::now();
        seen.asked += 1;
        seen.first_and_last = Some((seen.first_and_last.map_or(now, |(first, _)| first), now));
        seen.open += 1;
        seen.most_open = seen.most_open.max(seen.open);
        self.shared.news.notify_all();
        seen.asked - 1
    }

    fn reply(&self, request: &Request, number: usize) -> Reply {
        let brought = request.headers.get("authorization").cloned();
        if brought != (self.shared.token)(number) {
            self.shared.seen.lock().unwrap().strangers += 1;
            return Reply::Answer(401, Vec::new(), Vec::new());
        }
        match (self.shared.answers)(number) {
            Answer::Keys => {}
            Answer::Late(time) => std::thread::sleep(time),
            Answer::Status(status) => {
                return Reply::Answer(status, Vec::new(), b"\"rate limit exceeded\"".to_vec());
            }
            Answer::Garbage => return Reply::ok(format!("<html>{SECRET} {TOKEN}")),
            Answer::Never => loop {
                std::thread::park();
            },
        }
        let expires_ms =
            clock::unix_ms() + u64::try_from(self.shared.lifetime.as_millis()).unwrap();
        let pair = Pair {
            access_key: format!("ROLEKEY{number}"),
            secret: format!("{SECRET}{number}"),
            token: format!("{TOKEN}{number}"),
            expires_ms,
        };
        let (
            Pair {
                access_key,
                secret,
                token,
                ..
            },
            expiration,
        ) = (&pair, clock::utc_text(expires_ms));
        let text = format!(
            r#"{{"RoleArn":"arn","AccessKeyId":"{access_key}","SecretAccessKey":"{secret}","Token":"{token}","Expiration":"{expiration}"}}"#
        );
        self.shared.seen.lock().unwrap().pairs.push(pair);
        Reply::ok(text)
    }

    /// Looks at what was counted.
    pub(super) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.shared.seen.lock().unwrap())
    }

    /// One ask at a time, each with its token, and no more of them than one each half lifetime and two.
    #[track_caller]
    pub(super) fn was_asked_in_moderation(&self) {
        let (asked, open, strangers, first_and_last) = self.seen(|seen| {
            (
                seen.asked,
                seen.most_open,
                seen.strangers,
                seen.first_and_last,
            )
        });
        let time = first_and_last.map_or(Duration::ZERO, |(first, last)| last - first);
        let most =
            usize::try_from(time.as_millis() / (self.shared.lifetime / 2).as_millis()).unwrap() + 2;
        assert!(
            (2..=most).contains(&asked),
            "asked {asked} times in {time:?}"
        );
        assert_eq!((open, strangers), (1, 0));
    }

    /// The set with this access key.
    pub(super) fn pair(&self, access_key: &str) -> Option<Pair> {
        self.seen(|seen| {
            seen.pairs
                .iter()
                .find(|pair| pair.access_key == access_key)
                .cloned()
        })
    }

    /// Waits until it was asked so often.
    pub(super) fn wait_for(&self, asks: usize) {
        let end = Instant::now() + DEADLINE;
        let mut seen = self.shared.seen.lock().unwrap();
        while seen.asked < asks {
            let left = end
                .checked_duration_since(Instant::now())
                .expect("asked in time");
            seen = self.shared.news.wait_timeout(seen, left).unwrap().0;
        }
    }
}
