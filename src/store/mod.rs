//! S3: the control calls (listing, storing, reading one file) and the two clients that fetch objects.
//!
//! The only place that imports `aws_*`. Above it stand traits and plain types: what an attempt is retried for is decided in `fetch`.

mod attempt;
mod bucket;
mod classify;
mod credentials;
mod error;
mod lean;
mod recipe;
mod sdk;
mod session;
mod trust;

pub use attempt::{AttemptError, BodySink, ClientFactory, ObjectClient, Part, Remedy, Target};
pub use bucket::{Bucket, ListPage, Replace};
pub use credentials::{CredentialFeed, Keeper, KeySet, StaticKeys};
pub use error::{StoreError, StoreErrorKind};
pub use lean::{Dialer, Endpoint};
pub use recipe::{AnyClient, Recipe, Shared};
pub use session::Session;
