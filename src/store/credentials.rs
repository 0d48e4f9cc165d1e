//! Credentials: one place that asks the provider, many workers that read what it got.
//!
//! The [`Keeper`] refreshes before expiry and when a worker saw `ExpiredToken`, one request at a time. Workers, in this process or in a child,
//! hold a [`CredentialFeed`]. Secrets never reach logs (their `Debug` is empty), argv, or a child's environment: children get them by pipe.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use super::classify::find;
use super::error::{StoreError, StoreErrorKind};
use crate::platform::clock;

/// Longest time before expiry at which credentials are refreshed; sooner for those that live shorter than twice this.
const REFRESH_AHEAD: Duration = Duration::from_mins(5);
/// Wait after a refresh that failed.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Credentials that do not come from the AWS configuration: those of the embedded server.
#[derive(Clone)]
pub struct StaticKeys {
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
}

impl fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKeys").finish_non_exhaustive()
    }
}

impl StaticKeys {
    pub(super) fn to_provider(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Credentials::new(&self.access_key, &self.secret_key, None, None, "parfetch"))
    }
}

/// One set of credentials.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
    expires_unix_ms: Option<u64>,
    /// Counts every answer of the provider, also one that failed or brought the same again.
    pub version: u64,
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("version", &self.version).finish_non_exhaustive()
    }
}

impl KeySet {
    pub(super) fn new(credentials: &Credentials, version: u64) -> Self {
        let since_epoch = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok());
        Self {
            access_key: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(str::to_owned),
            expires_unix_ms: credentials.expiry().and_then(since_epoch),
            version,
        }
    }

    pub(super) fn to_credentials(&self) -> Credentials {
        let expiry = self.expires_unix_ms.map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
        Credentials::new(&self.access_key, &self.secret_key, self.session_token.clone(), expiry, "parfetch")
    }
}

/// When to refresh credentials that were got at `now` and expire at `expiry` (both ms since 1970): min(5 min, half the lifetime) before expiry.
fn refresh_in(now_ms: u64, expires_ms: u64) -> Duration {
    let lifetime = Duration::from_millis(expires_ms.saturating_sub(now_ms));
    lifetime.saturating_sub(REFRESH_AHEAD.min(lifetime / 2))
}

/// What a worker holds: the newest credentials, and a way to ask for newer ones.
#[derive(Clone, Debug)]
pub struct CredentialFeed {
    newest: watch::Receiver<Arc<KeySet>>,
    asks: mpsc::UnboundedSender<u64>,
}

impl CredentialFeed {
    /// A feed, the sender that fills it, and the receiver of the versions that workers found expired: for a child, whose keeper is its parent.
    pub fn remote(first: KeySet) -> (Self, watch::Sender<Arc<KeySet>>, mpsc::UnboundedReceiver<u64>) {
        let (sender, newest) = watch::channel(Arc::new(first));
        let (asks, asked) = mpsc::unbounded_channel();
        (Self { newest, asks }, sender, asked)
    }

    /// The newest credentials.
    pub fn newest(&self) -> Arc<KeySet> {
        Arc::clone(&self.newest.borrow())
    }

    /// The newest credentials, if they came since the last call.
    pub fn changed(&mut self) -> Option<Arc<KeySet>> {
        match self.newest.has_changed() {
            Ok(true) => Some(Arc::clone(&self.newest.borrow_and_update())),
            _ => None,
        }
    }

    /// Waits for the next credentials; for ever when nobody brings any more.
    pub async fn next(&mut self) -> Arc<KeySet> {
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
    pub async fn newer_than(&mut self, seen: u64) -> Option<Arc<KeySet>> {
        self.asks.send(seen).ok()?;
        self.newest.wait_for(|newest| newest.version > seen).await.ok().map(|newest| Arc::clone(&newest))
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
    newest: watch::Sender<Arc<KeySet>>,
    asked: mpsc::UnboundedReceiver<u64>,
}

impl Keeper {
    /// Gets the first credentials.
    ///
    /// # Errors
    /// When there are none; `profile` is the one in which they were looked for.
    pub async fn start(provider: SharedCredentialsProvider, profile: Option<&str>) -> Result<(Self, CredentialFeed), StoreError> {
        let first = provider.provide_credentials().await.map_err(|error| no_credentials(&error, profile))?;
        let (feed, newest, asked) = CredentialFeed::remote(KeySet::new(&first, 1));
        Ok((Self { provider, newest, asked }, feed))
    }

    /// Refreshes until every feed is gone.
    pub async fn keep(mut self) {
        loop {
            let current = Arc::clone(&self.newest.borrow());
            let due = current.expires_unix_ms.map(|expiry| refresh_in(clock::unix_ms(), expiry));
            let wait = due.map(|due| if current.version > 1 { due.max(Duration::from_secs(1)) } else { due });
            tokio::select! {
                () = sleep_or_forever(wait) => {}
                seen = self.asked.recv() => match seen {
                    None => return,
                    // Several workers see the same expiry: one refresh serves them all.
                    Some(seen) if seen < current.version => continue,
                    Some(_) => {}
                },
            }
            self.refresh(&current).await;
        }
    }

    async fn refresh(&self, current: &KeySet) {
        let next = match self.provider.provide_credentials().await {
            Ok(credentials) => KeySet::new(&credentials, current.version + 1),
            Err(error) => {
                tracing::warn!(error = %cause(&error), "credentials not refreshed");
                tokio::time::sleep(RETRY_AFTER).await;
                KeySet { version: current.version + 1, ..current.clone() }
            }
        };
        self.newest.send_replace(Arc::new(next));
    }
}

async fn sleep_or_forever(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// The innermost cause, which names the file, variable or address.
fn cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string().trim_end_matches('.').to_owned()
}

/// The provider asked last is the metadata service of an instance: where that does not answer, there were none anywhere.
fn no_credentials(error: &aws_credential_types::provider::error::CredentialsError, profile: Option<&str>) -> StoreError {
    let no_instance = find::<ImdsError>(error).is_some_and(|error| !matches!(error, ImdsError::ErrorResponse(_)));
    let nowhere = no_instance || cause(error).starts_with("no credentials found in chain");
    let profiles = profile.map_or_else(|| "profiles".to_owned(), |name| format!("profile `{name}`"));
    let cause = if nowhere { format!("nothing in the environment, in {profiles}, of a task role or of an instance") } else { cause(error) };
    StoreError::new(StoreErrorKind::NoCredentials, format!("no usable credentials: {cause}"))
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
        let secret = KeySet::new(&Credentials::new("AKIDEXAMPLE", "verysecret", Some("token".to_owned()), None, "test"), 1);
        let shown = format!("{secret:?}");
        assert!(!shown.contains("AKID") && !shown.contains("verysecret") && !shown.contains("token"), "{shown}");
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
                future::ProvideCredentials::ready(Ok(Credentials::new(format!("key{n}"), "s", None, None, "test")))
            }
        }
        let count = Arc::new(AtomicU64::new(0));
        let (keeper, feed) = Keeper::start(SharedCredentialsProvider::new(Counting(Arc::clone(&count))), None).await.unwrap();
        let mut feeds = vec![feed; 8];
        let waits = futures::future::join_all(feeds.iter_mut().map(|feed| feed.newer_than(1)));
        tokio::select! {
            () = keeper.keep() => panic!("the keeper goes on while there are feeds"),
            _ = waits => {}
        }
        assert_eq!(count.load(Ordering::Relaxed), 2, "the first load and one refresh");
        assert_eq!(feeds[0].newest().access_key, "key1");
    }
}
