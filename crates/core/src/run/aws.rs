//! AWS, for the runs that need it: those that read a bucket, store results in one, or find their URLs there.

use tokio::task::JoinSet;

use super::background::Background;
use super::interrupt::unless_signalled;
use super::log::RunLog;
use crate::exit::Failure;
use crate::plan::{Limits, RunPlan};
use crate::platform::fault;
use crate::store::{CredentialFeed, Session, StaticCredentials, StoreError};

/// The AWS configuration, and what requests are signed with.
pub(super) struct Aws {
    pub(super) session: Session,
    /// `None` when requests go out unsigned.
    pub(super) feed: Option<CredentialFeed>,
}

impl Aws {
    /// Reads the configuration and gets the first credentials; `None` where nothing of the run is AWS's. `tasks` keep the credentials fresh.
    pub(super) async fn of_run(
        plan: &RunPlan,
        keys: Option<StaticCredentials>,
        log: &RunLog<'_>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Option<Self>, Failure> {
        let Some(session) = session(plan, keys).await? else {
            return Ok(None);
        };
        let feed = keep_credentials(&session, log.background.clone(), tasks);
        let feed = unless_signalled(log.signal(), feed).await?;
        Ok(Some(Self {
            session: session.with_feed(feed.as_ref()),
            feed,
        }))
    }

    /// The same for a look ahead, which keeps no credentials.
    pub(super) async fn to_look(
        plan: &RunPlan,
        keys: Option<StaticCredentials>,
    ) -> Result<Option<Self>, StoreError> {
        let session = session(plan, keys).await?;
        Ok(session.map(|session| Self {
            session,
            feed: None,
        }))
    }
}

async fn session(
    plan: &RunPlan,
    keys: Option<StaticCredentials>,
) -> Result<Option<Session>, StoreError> {
    if !plan.source.needs_aws() && plan.destination.bucket.is_none() {
        return Ok(None);
    }
    let limits = if plan.source.is_bucket() {
        plan.fetch.limits
    } else {
        // Limits of a web server's answers are not those of control calls.
        Limits::default()
    };
    Session::load(&plan.access, limits, keys).await.map(Some)
}

/// Starts the keeper of the credentials; `None` when requests go out unsigned.
async fn keep_credentials(
    session: &Session,
    background: Background,
    tasks: &mut JoinSet<()>,
) -> Result<Option<CredentialFeed>, StoreError> {
    let Some((keeper, feed)) = session.credentials().await? else {
        return Ok(None);
    };
    let notes = background.notes();
    tasks.spawn(background.watch(async {
        fault::point("credentials");
        keeper.keep(notes).await;
    }));
    Ok(Some(feed))
}
