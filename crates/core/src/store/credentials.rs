//! Credentials: one place that asks the provider, many workers that read what it got.
//!
//! The [`Keeper`] refreshes before expiry and when a worker saw `ExpiredToken`, one request at a time. Workers, in this process or in a child,
//! hold a [`CredentialFeed`]. Secrets never reach logs (their `Debug` is empty), argv, or a child's environment: children get them by pipe.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::clock::ClockOffset;
use super::error::{StoreError, StoreErrorKind};
use super::provider::cause;
use crate::platform::clock;

/// Longest time before expiry at which credentials are refreshed; sooner for those that live shorter than twice this.
const REFRESH_AHEAD: Duration = Duration::from_mins(5);
/// Longest wait after a refresh that failed; shorter where little is left of the present credentials.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Shortest wait between two requests to the provider, where nothing is wrong with what it answers but that it is soon over.
const AT_LEAST: Duration = Duration::from_secs(1);

/// Credentials that do not come from the AWS configuration: those of the embedded server.
#[derive(Clone)]
pub struct StaticCredentials {
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials").finish_non_exhaustive()
    }
}

impl StaticCredentials {
    pub(super) fn to_provider(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(AwsCredentials::new(
            &self.access_key,
            &self.secret_key,
            None,
            None,
            "parfetch",
        ))
    }
}

/// One set of credentials.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    expires_unix_ms: Option<u64>,
    /// Counts every answer of the provider, also one that failed or brought the same again.
    pub version: u64,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    pub(super) fn new(credentials: &AwsCredentials, version: u64) -> Self {
        let since_epoch = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| u64::try_from(since.as_millis()).ok())
        };
        Self {
            access_key: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(str::to_owned),
            expires_unix_ms: credentials.expiry().and_then(since_epoch),
            version,
        }
    }

    pub(super) fn to_credentials(&self) -> AwsCredentials {
        let expiry = self
            .expires_unix_ms
            .map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
        AwsCredentials::new(
            &self.access_key,
            &self.secret_key,
            self.session_token.clone(),
            expiry,
            "parfetch",
        )
    }
}

/// When to refresh credentials that were got at `now` and expire at `expiry` (both ms since 1970): min(5 min, half the lifetime) before expiry.
fn refresh_in(now_ms: u64, expires_ms: u64) -> Duration {
    let lifetime = Duration::from_millis(expires_ms.saturating_sub(now_ms));
    lifetime.saturating_sub(REFRESH_AHEAD.min(lifetime / 2))
}

/// How long to wait after a refresh that failed: a tenth of what is left of the present credentials.
fn retry_in(now_ms: u64, expires_ms: Option<u64>) -> Duration {
    let left = expires_ms.map_or(Duration::MAX, |expires_ms| {
        Duration::from_millis(expires_ms.saturating_sub(now_ms))
    });
    (left / 10).clamp(AT_LEAST, RETRY_AFTER)
}

/// What a worker holds: the newest credentials, and a way to ask for newer ones.
#[derive(Clone, Debug)]
pub struct CredentialFeed {
    newest: watch::Receiver<Arc<Credentials>>,
    asks: mpsc::UnboundedSender<u64>,
    /// How far the store's clock is ahead of this machine's: it comes and goes with what signs.
    pub clock: ClockOffset,
}

impl CredentialFeed {
    /// A feed, the sender that fills it, and the receiver of the versions that workers found expired: for a child, whose keeper is its parent.
    pub fn remote(
        first: Credentials,
    ) -> (
        Self,
        watch::Sender<Arc<Credentials>>,
        mpsc::UnboundedReceiver<u64>,
    ) {
        let (sender, newest) = watch::channel(Arc::new(first));
        let (asks, asked) = mpsc::unbounded_channel();
        (
            Self {
                newest,
                asks,
                clock: ClockOffset::of(0),
            },
            sender,
            asked,
        )
    }

    /// The newest credentials that there are.
    pub fn newest(&self) -> Arc<Credentials> {
        Arc::clone(&self.newest.borrow())
    }

    /// The newest credentials, if they came since the last call.
    pub fn changed(&mut self) -> Option<Arc<Credentials>> {
        match self.newest.has_changed() {
            Ok(true) => Some(Arc::clone(&self.newest.borrow_and_update())),
            _ => None,
        }
    }

    /// Waits for the next credentials; for ever when nobody brings any more.
    pub async fn next(&mut self) -> Arc<Credentials> {
        match self.newest.changed().await {
            Ok(()) => Arc::clone(&self.newest.borrow_and_update()),
            Err(_) => std::future::pending().await,
        }
    }

    /// Asks for credentials newer than `seen`, without waiting.
    pub fn ask_newer_than(&self, seen: u64) {
        // The keeper is gone only when the run is ending.
        let _ended = self.asks.send(seen);
    }

    /// Asks for credentials newer than `seen` and waits for them; `None` when nobody answers any more. Whoever keeps a copy must take the new ones
    /// from here: to [`Self::changed`] they are no news afterwards.
    pub async fn newer_than(&mut self, seen: u64) -> Option<Arc<Credentials>> {
        self.asks.send(seen).ok()?;
        self.newest
            .wait_for(|newest| newest.version > seen)
            .await
            .ok()
            .map(|newest| Arc::clone(&newest))
    }
}

/// The `sdk` client's provider: reads the feed and asks nobody.
impl ProvideCredentials for CredentialFeed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(self.newest().to_credentials()))
    }
}

/// The one who asks the provider.
#[derive(Debug)]
pub struct Keeper {
    provider: SharedCredentialsProvider,
    newest: watch::Sender<Arc<Credentials>>,
    asked: mpsc::UnboundedReceiver<u64>,
}

impl Keeper {
    /// Gets the first credentials.
    ///
    /// # Errors
    /// When there are none.
    pub async fn start(
        provider: SharedCredentialsProvider,
    ) -> Result<(Self, CredentialFeed), StoreError> {
        let first = provider
            .provide_credentials()
            .await
            .map_err(|error| no_credentials(&error))?;
        let (feed, newest, asked) = CredentialFeed::remote(Credentials::new(&first, 1));
        Ok((
            Self {
                provider,
                newest,
                asked,
            },
            feed,
        ))
    }

    /// Refreshes until every feed is gone. What a person should know goes to `notes`, once each time that the provider begins to fail.
    pub async fn keep(mut self, notes: mpsc::UnboundedSender<String>) {
        // Reckoned once for each set of credentials: reckoned anew with every ask, it would move towards their expiry.
        let mut due = self.due(Duration::ZERO);
        let mut failing = false;
        loop {
            tokio::select! {
                () = sleep_until_or_forever(due) => {}
                seen = self.asked.recv() => match seen {
                    None => return,
                    // Several workers see the same expiry: one refresh serves them all.
                    Some(seen) if seen < self.newest.borrow().version => continue,
                    Some(_) => {}
                },
            }
            let current = Arc::clone(&self.newest.borrow());
            match self.provider.provide_credentials().await {
                Ok(credentials) => {
                    if failing {
                        tracing::info!("credentials are renewed again");
                    }
                    failing = false;
                    let next = Credentials::new(&credentials, current.version + 1);
                    if next.expires_unix_ms.is_some() && next.access_key == current.access_key {
                        // A provider that has none newer yet is not asked by every fetch that fails for it.
                        tokio::time::sleep(AT_LEAST).await;
                    }
                    self.newest.send_replace(Arc::new(next));
                    due = self.due(AT_LEAST);
                }
                Err(error) => {
                    if !failing {
                        // The run is over when nobody listens.
                        let _over =
                            notes.send(not_renewed(&cause(&error), current.expires_unix_ms));
                    }
                    failing = true;
                    tokio::time::sleep(retry_in(clock::unix_ms(), current.expires_unix_ms)).await;
                    self.newest.send_replace(Arc::new(Credentials {
                        version: current.version + 1,
                        ..Credentials::clone(&current)
                    }));
                    due = Some(Instant::now());
                }
            }
        }
    }

    /// When the newest credentials are to be refreshed; never for those that do not expire.
    fn due(&self, at_least: Duration) -> Option<Instant> {
        let expires_ms = self.newest.borrow().expires_unix_ms?;
        Some(Instant::now() + refresh_in(clock::unix_ms(), expires_ms).max(at_least))
    }
}

async fn sleep_until_or_forever(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// What a person reads when the provider begins to fail.
fn not_renewed(cause: &str, expires_ms: Option<u64>) -> String {
    let now_ms = clock::unix_ms();
    let then = match expires_ms {
        Some(expires_ms) if expires_ms > now_ms => format!(
            "the present ones are used until they expire, at {}",
            clock::utc_text(expires_ms)
        ),
        Some(_) => "the present ones have expired".to_owned(),
        None => "the present ones are used".to_owned(),
    };
    format!("credentials were not renewed: {cause}; {then}")
}

pub(super) fn no_credentials(error: &CredentialsError) -> StoreError {
    StoreError::new(StoreErrorKind::NoCredentials, format!("no usable credentials: {}", cause(error)))
        .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a --profile, or give the task a role; --no-sign-request for a public bucket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_comes_five_minutes_or_half_the_lifetime_before_expiry() {
        assert_eq!(refresh_in(0, 3_600_000), Duration::from_mins(55));
        assert_eq!(refresh_in(0, 60_000), Duration::from_secs(30));
        assert_eq!(refresh_in(5, 1), Duration::ZERO);
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Credentials::new(
            &AwsCredentials::new(
                "AKIDEXAMPLE",
                "verysecret",
                Some("token".to_owned()),
                None,
                "test",
            ),
            1,
        );
        let shown = format!("{secret:?}");
        assert!(
            !shown.contains("AKID") && !shown.contains("verysecret") && !shown.contains("token"),
            "{shown}"
        );
    }

    /// A provider of keys that live for 60 s of the wall clock; those whose number is in `fails` it does not give.
    #[derive(Debug)]
    struct Role {
        asked: Arc<std::sync::atomic::AtomicU64>,
        fails: std::ops::Range<u64>,
    }

    impl ProvideCredentials for Role {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self
                .asked
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let expiry = UNIX_EPOCH + Duration::from_millis(clock::unix_ms() + 60_000);
            let keys = AwsCredentials::new(format!("key{number}"), "s", None, Some(expiry), "test");
            future::ProvideCredentials::ready(if self.fails.contains(&number) {
                Err(CredentialsError::provider_error("away"))
            } else {
                Ok(keys)
            })
        }
    }

    async fn role(
        fails: std::ops::Range<u64>,
    ) -> (Keeper, CredentialFeed, Arc<std::sync::atomic::AtomicU64>) {
        let asked = Arc::default();
        let (keeper, feed) = Keeper::start(SharedCredentialsProvider::new(Role {
            asked: Arc::clone(&asked),
            fails,
        }))
        .await
        .unwrap();
        (keeper, feed, asked)
    }

    #[tokio::test(start_paused = true)]
    async fn asks_for_what_is_there_already_do_not_put_the_refresh_off() {
        let (keeper, feed, asked) = role(0..0).await;
        let late_asks = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(5)).await;
                feed.ask_newer_than(0);
            }
            tokio::time::sleep(Duration::from_secs(7)).await;
        };
        tokio::select! {
            () = keeper.keep(mpsc::unbounded_channel().0) => panic!("the keeper goes on while there are feeds"),
            () = late_asks => {}
        }
        assert_eq!(
            asked.load(std::sync::atomic::Ordering::Relaxed),
            2,
            "32 s have gone by: half of the lifetime"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_fails_for_a_while_is_one_note() {
        let (keeper, mut feed, asked) = role(1..4).await;
        let (notes, mut heard) = mpsc::unbounded_channel();
        tokio::select! {
            () = keeper.keep(notes) => panic!("the keeper goes on while there are feeds"),
            () = async { while feed.next().await.access_key != "key4" {} } => {}
        }
        assert_eq!(
            (
                feed.newest().version,
                asked.load(std::sync::atomic::Ordering::Relaxed)
            ),
            (5, 5)
        );
        let note = heard.try_recv().unwrap();
        assert!(note.starts_with("credentials were not renewed: away; the present ones are used until they expire, at 20"), "{note}");
        assert!(heard.try_recv().is_err(), "said once");
    }

    #[test]
    fn the_less_is_left_the_sooner_it_is_tried_again() {
        assert_eq!(retry_in(0, Some(300_000)), Duration::from_secs(5));
        assert_eq!(retry_in(0, Some(20_000)), Duration::from_secs(2));
        assert_eq!(
            (retry_in(5, Some(1)), retry_in(0, None)),
            (Duration::from_secs(1), Duration::from_secs(5))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn many_asks_for_the_same_version_are_one_refresh() {
        use std::sync::atomic::{AtomicU64, Ordering};
        #[derive(Debug)]
        struct Counting(Arc<AtomicU64>);
        impl ProvideCredentials for Counting {
            fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
            where
                Self: 'a,
            {
                let n = self.0.fetch_add(1, Ordering::Relaxed);
                future::ProvideCredentials::ready(Ok(AwsCredentials::new(
                    format!("key{n}"),
                    "s",
                    None,
                    None,
                    "test",
                )))
            }
        }
        let count = Arc::new(AtomicU64::new(0));
        let (keeper, feed) =
            Keeper::start(SharedCredentialsProvider::new(Counting(Arc::clone(&count))))
                .await
                .unwrap();
        let mut feeds = vec![feed; 8];
        let waits = futures::future::join_all(feeds.iter_mut().map(|feed| feed.newer_than(1)));
        tokio::select! {
            () = keeper.keep(mpsc::unbounded_channel().0) => panic!("the keeper goes on while there are feeds"),
            _ = waits => {}
        }
        assert_eq!(
            count.load(Ordering::Relaxed),
            2,
            "the first load and one refresh"
        );
        assert_eq!(feeds[0].newest().access_key, "key1");
    }
}
