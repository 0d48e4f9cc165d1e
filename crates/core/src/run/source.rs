//! What a run reads from, opened: who lists the keys, and where fetches go.

use std::path::Path;

use super::aws::Aws;
use crate::exit::{Exit, Failure};
use crate::lister::{self, ListError, Listed};
use crate::plan::{BODY_BYTES, HttpSource, ObjectSource, RequestBody, RunPlan, WebOrigin};
use crate::platform::bounded::read_bytes;
use crate::store::{BodyBytes, Bucket, HttpRecipe, HttpSetup, Recipe, S3Recipe, Session};

/// A source that can be listed.
pub(super) enum OpenSource<'a> {
    /// And the region in which it was looked for first.
    Bucket(Box<Bucket>, String),
    Http(Box<OpenServer<'a>>),
}

/// A web server, and its requests.
pub(super) struct OpenServer<'a> {
    source: &'a HttpSource,
    body: BodyBytes,
    /// What reads the URLs, where they are in a bucket.
    session: Option<Session>,
    /// Known once the URLs are.
    origin: Option<WebOrigin>,
}

/// Where fetches go, as was found out while listing and after it.
pub(super) struct Destinations {
    /// How clients reach it.
    pub(super) recipe: Recipe,
    /// Region of the bucket.
    pub(super) region: Option<String>,
    /// The server, where it is not AWS's.
    pub(super) server: Option<String>,
    /// How many addresses it has.
    pub(super) addresses: Option<u32>,
    /// How long it took to look them up for the whole run.
    pub(super) lookup_ns: Option<u64>,
    /// What a person should know.
    pub(super) note: Option<String>,
}

impl<'a> OpenSource<'a> {
    /// Opens it; asks nothing yet.
    ///
    /// # Errors
    /// When the body of requests cannot be read.
    pub(super) fn new(plan: &'a RunPlan, aws: Option<&Aws>) -> Result<Self, Failure> {
        match &plan.source {
            ObjectSource::Bucket(name) => {
                let Aws { session, feed } = aws.ok_or_else(|| {
                    Failure::new(Exit::Unexpected, "a bucket without an AWS configuration")
                })?;
                let bucket = Bucket::new(session, name).pages_by(plan.client, feed.clone());
                Ok(Self::Bucket(Box::new(bucket), session.region().to_owned()))
            }
            ObjectSource::Http(source) => Ok(Self::Http(Box::new(OpenServer {
                body: BodyBytes(read_body(&source.body)?),
                source,
                session: aws.map(|aws| aws.session.clone()),
                origin: None,
            }))),
        }
    }

    /// Writes what there is to fetch into the key file of `spool`.
    pub(super) async fn list(
        &mut self,
        plan: &RunPlan,
        spool: &Path,
        progress: impl FnMut(u64),
    ) -> Result<Listed, ListError> {
        match self {
            Self::Bucket(bucket, _) => lister::list(bucket, &plan.selection, spool, progress).await,
            Self::Http(server) => {
                let session = server.session.as_ref();
                let found = lister::list_urls(&server.source.urls, session, spool).await?;
                server.origin = Some(found.origin);
                Ok(found.listed)
            }
        }
    }

    /// Where fetches go, once it was listed.
    pub(super) async fn destinations(&self, plan: &RunPlan) -> Result<Destinations, Failure> {
        match self {
            Self::Bucket(bucket, asked) => of_bucket(bucket, asked).await,
            Self::Http(server) => server.destinations(plan).await,
        }
    }
}

async fn of_bucket(bucket: &Bucket, asked: &str) -> Result<Destinations, Failure> {
    let recipe = S3Recipe::resolve(bucket.session(), bucket.name()).await?;
    let region = recipe.region();
    let note = (region != asked).then(|| {
        format!(
            "s3://{} is in {region}, not in {asked}: requests go there",
            bucket.name()
        )
    });
    Ok(Destinations {
        region: Some(region.to_owned()),
        server: None,
        addresses: addresses(&recipe).await,
        lookup_ns: None,
        note,
        recipe: Recipe::S3(recipe),
    })
}

async fn addresses(recipe: &S3Recipe) -> Option<u32> {
    let found = tokio::net::lookup_host((recipe.endpoint.host.as_str(), recipe.endpoint.port))
        .await
        .ok()?;
    u32::try_from(found.count()).ok()
}

impl OpenServer<'_> {
    async fn destinations(&self, plan: &RunPlan) -> Result<Destinations, Failure> {
        let origin = self
            .origin
            .clone()
            .ok_or_else(|| Failure::new(Exit::Unexpected, "the URLs were not read"))?;
        let server = origin.to_string();
        let setup = HttpSetup {
            origin,
            body: self.body.clone(),
            limits: plan.fetch.limits,
            ca_bundle: plan.access.ca_bundle.clone(),
        };
        let reached = HttpRecipe::reach(self.source, setup).await?;
        Ok(Destinations {
            region: None,
            server: Some(server),
            addresses: u32::try_from(reached.addresses).ok(),
            lookup_ns: Some(reached.lookup_ns),
            note: None,
            recipe: Recipe::Http(reached.recipe),
        })
    }
}

/// The body of every request.
///
/// # Errors
/// When its file cannot be read, or is too large.
pub fn read_body(body: &RequestBody) -> Result<Vec<u8>, Failure> {
    Ok(match body {
        RequestBody::None => Vec::new(),
        RequestBody::Text(text) => text.clone().into_bytes(),
        RequestBody::File(path) => read_bytes(path, BODY_BYTES).map_err(|error| {
            Failure::new(
                Exit::SetUp,
                format!("cannot read the body in {}: {error}", path.display()),
            )
            .hint("--body-file names a file of at most 1 MiB on this machine")
        })?,
    })
}
