//! S3: the control calls (listing, storing, reading one file) and the two clients that fetch objects.
//!
//! The only place that imports `aws_*`. Above it stand traits and plain types: what an attempt is retried for is decided in `fetch`.

mod answer;
mod attempt;
mod backoff;
mod bucket;
mod call;
mod clients;
mod clock;
mod credentials;
mod dialect;
mod distrust;
mod document;
mod endpoint;
mod error;
mod filling;
mod http_recipe;
mod lean;
mod limits;
mod listing;
mod look;
pub mod micro;
mod provider;
mod recipe;
mod sdk;
mod session;
mod storing;
mod survey;
mod transport;
mod trust;
mod upload;

pub use attempt::{
    AttemptError, BodyHead, BodySink, CLOCK_CORRECTIONS, ClientFactory, ObjectClient, Part, Remedy,
    Target, is_sendable,
};
pub use backoff::backoff;
pub use bucket::Bucket;
pub use clients::Clients;
pub use clock::ClockOffset;
pub use credentials::{CredentialFeed, Credentials, StaticCredentials};
pub use dialect::Replace;
pub use error::{StoreError, StoreErrorKind};
pub use filling::{Origin, PART_BYTES, WHOLE_BYTES};
pub use http_recipe::{BodyBytes, HttpRecipe, HttpSetup};
pub use lean::is_same_note;
pub use listing::{BadListing, ListPage, PageQuery, Pager, RoundDetector, Walk};
pub use look::{HeldObject, Looked};
pub use provider::why_none;
pub use recipe::{Recipe, S3Recipe};
pub use session::Session;
pub use session::set_endpoint;
pub use survey::Keys;
