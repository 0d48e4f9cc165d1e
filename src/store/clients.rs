//! Makes the client of each worker of a process, of either kind.

use std::sync::Arc;

use super::attempt::{AttemptError, BodySink, ClientFactory, ObjectClient, Target};
use super::credentials::CredentialFeed;
use super::error::StoreError;
use super::lean::{Dialer, LeanClient};
use super::recipe::Recipe;
use super::sdk::SdkClient;
use crate::plan::ClientKind;

/// What the workers of one process share to make their clients.
#[derive(Clone, Debug)]
pub struct Clients {
    recipe: Arc<Recipe>,
    feed: Option<CredentialFeed>,
    /// Of `lean` alone.
    dialer: Option<Arc<Dialer>>,
}

impl Clients {
    /// Prepares what the clients of this process have in common: TLS trust and addresses for `lean`, nothing for `sdk`.
    pub fn new(
        kind: ClientKind,
        recipe: Recipe,
        feed: Option<CredentialFeed>,
    ) -> Result<Self, StoreError> {
        let dialer = match kind {
            ClientKind::Lean => Some(Arc::new(Dialer::new(
                &recipe.endpoint,
                recipe.limits.connect_timeout,
                recipe.access.ca_bundle.as_deref(),
            )?)),
            ClientKind::Sdk => None,
        };
        Ok(Self {
            recipe: Arc::new(recipe),
            feed,
            dialer,
        })
    }
}

impl ClientFactory for Clients {
    type Client = AnyClient;

    fn client(&self, number: u32) -> Result<AnyClient, StoreError> {
        if let Some(dialer) = &self.dialer {
            let client =
                LeanClient::new(Arc::clone(dialer), &self.recipe, self.feed.clone(), number);
            return Ok(AnyClient::Lean(Box::new(client)));
        }
        let config = self.recipe.sdk_config(self.feed.as_ref())?;
        Ok(AnyClient::Sdk(Box::new(SdkClient::new(
            &config,
            &self.recipe,
            self.feed.clone(),
        ))))
    }
}

/// Either client.
pub enum AnyClient {
    /// parfetch's own.
    Lean(Box<LeanClient>),
    /// aws-sdk-s3.
    Sdk(Box<SdkClient>),
}

impl ObjectClient for AnyClient {
    async fn get<S: BodySink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
    ) -> Result<(), AttemptError> {
        match self {
            Self::Lean(client) => client.get(target, sink).await,
            // Boxed, because the SDK's future is large: `lean`'s fetches would move as many bytes about.
            Self::Sdk(client) => Box::pin(client.get(target, sink)).await,
        }
    }

    async fn refresh_credentials(&mut self) {
        match self {
            Self::Lean(client) => client.refresh_credentials().await,
            Self::Sdk(client) => client.refresh_credentials().await,
        }
    }

    fn connections_opened(&self) -> Option<u64> {
        match self {
            Self::Lean(client) => client.connections_opened(),
            Self::Sdk(client) => client.connections_opened(),
        }
    }

    fn take_notes(&mut self) -> Vec<String> {
        match self {
            Self::Lean(client) => client.take_notes(),
            Self::Sdk(client) => client.take_notes(),
        }
    }
}
