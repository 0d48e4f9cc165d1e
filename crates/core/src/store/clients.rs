//! Makes the client of each worker of a process, of any kind.

use std::sync::Arc;

use super::attempt::{AttemptError, BodySink, ClientFactory, ObjectClient, Target};
use super::credentials::CredentialFeed;
use super::error::StoreError;
use super::http_recipe::HttpRecipe;
use super::lean::{Dialer, HttpClient, LeanClient, RedirectNote};
use super::recipe::{Recipe, S3Recipe};
use super::sdk::SdkClient;
use crate::plan::ClientKind;

/// What the workers of one process share to make their clients.
#[derive(Clone, Debug)]
pub enum Clients {
    /// parfetch's own, for a bucket.
    Lean(Arc<S3Recipe>, Option<CredentialFeed>, Arc<Dialer>),
    /// aws-sdk-s3.
    Sdk(Arc<S3Recipe>, Option<CredentialFeed>),
    /// parfetch's own, for a web server.
    Http(Arc<HttpRecipe>, Arc<Dialer>, RedirectNote),
}

impl Clients {
    /// Prepares what the clients of this process have in common: TLS trust and addresses for `lean`, nothing for `sdk`.
    pub fn new(
        kind: ClientKind,
        recipe: Recipe,
        feed: Option<CredentialFeed>,
    ) -> Result<Self, StoreError> {
        Ok(match (recipe, kind) {
            (Recipe::S3(recipe), ClientKind::Lean) => {
                let dialer = Dialer::new(
                    &recipe.endpoint,
                    recipe.limits.connect_timeout,
                    recipe.access.ca_bundle.as_deref(),
                )?;
                Self::Lean(Arc::new(recipe), feed, Arc::new(dialer))
            }
            (Recipe::S3(recipe), ClientKind::Sdk) => Self::Sdk(Arc::new(recipe), feed),
            // The settings let no other client through.
            (Recipe::Http(recipe), ClientKind::Lean | ClientKind::Sdk) => {
                let dialer = Dialer::new(
                    &recipe.endpoint(),
                    recipe.limits.connect_timeout,
                    recipe.ca_bundle.as_deref(),
                )?;
                let dialer = Arc::new(dialer.with_servers(&recipe.servers));
                Self::Http(Arc::new(recipe), dialer, RedirectNote::default())
            }
        })
    }
}

impl ClientFactory for Clients {
    type Client = AnyClient;

    fn client(&self, number: u32) -> Result<AnyClient, StoreError> {
        Ok(match self {
            Self::Lean(recipe, feed, dialer) => AnyClient::Lean(Box::new(LeanClient::signing(
                Arc::clone(dialer),
                recipe,
                feed.clone(),
                number,
            ))),
            Self::Sdk(recipe, feed) => AnyClient::Sdk(Box::new(SdkClient::new(
                &recipe.sdk_config(feed.as_ref())?,
                recipe,
                feed.clone(),
            ))),
            Self::Http(recipe, dialer, note) => AnyClient::Http(Box::new(LeanClient::plain(
                Arc::clone(dialer),
                recipe,
                note.clone(),
                number,
            ))),
        })
    }
}

pub enum AnyClient {
    /// parfetch's own, for a bucket.
    Lean(Box<LeanClient>),
    /// aws-sdk-s3.
    Sdk(Box<SdkClient>),
    /// parfetch's own, for a web server.
    Http(Box<HttpClient>),
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
            Self::Http(client) => client.get(target, sink).await,
        }
    }

    async fn refresh_credentials(&mut self) {
        match self {
            Self::Lean(client) => client.refresh_credentials().await,
            Self::Sdk(client) => client.refresh_credentials().await,
            Self::Http(client) => client.refresh_credentials().await,
        }
    }

    fn connections_opened(&self) -> Option<u64> {
        match self {
            Self::Lean(client) => client.connections_opened(),
            Self::Sdk(client) => client.connections_opened(),
            Self::Http(client) => client.connections_opened(),
        }
    }

    fn take_notes(&mut self) -> Vec<String> {
        match self {
            Self::Lean(client) => client.take_notes(),
            Self::Sdk(client) => client.take_notes(),
            Self::Http(client) => client.take_notes(),
        }
    }
}
