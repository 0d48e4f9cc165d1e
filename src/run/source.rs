//! What a run reads from, opened: who lists the keys, and where fetches go.

use crate::plan::{ObjectSource, RunPlan};
use crate::store::{Bucket, CredentialFeed, Recipe, Session, StoreError};

/// A source that can be listed.
pub(super) enum OpenSource {
    Bucket(Bucket),
}

impl OpenSource {
    /// Opens it; asks nothing yet.
    pub(super) fn new(plan: &RunPlan, session: &Session, feed: Option<CredentialFeed>) -> Self {
        match &plan.source {
            ObjectSource::Bucket(name) => {
                Self::Bucket(Bucket::new(session, name).pages_by(plan.client, feed))
            }
        }
    }

    /// What the keys are listed from.
    pub(super) fn listing(&mut self) -> &mut Bucket {
        match self {
            Self::Bucket(bucket) => bucket,
        }
    }

    /// How clients reach its objects, as was found out while listing.
    pub(super) async fn recipe(&self) -> Result<Recipe, StoreError> {
        match self {
            Self::Bucket(bucket) => Recipe::resolve(bucket.session(), bucket.name()).await,
        }
    }
}
