//! What a run is asked to do, validated: the plain types that every layer above reads.
//!
//! Owns the words of the settings ([`Mode`], [`ClientKind`], [`Work`] …) and nothing that does anything: no I/O, no clocks, no AWS types.

mod access;
pub mod factors;
mod fetch;
mod http_source;
mod layout;
pub mod names;
pub mod ranges;
mod run;
mod selection;
mod shard;
mod shards_left;
mod source;
mod status_set;
pub mod template;
mod uri;
pub mod variables;
mod web_url;
mod words;

pub use access::{Access, is_on_this_machine};
pub use factors::Factors;
pub use fetch::{FetchOptions, Limits, MAX_ATTEMPTS};
pub use http_source::{
    BODY_BYTES, HttpHeader, HttpSource, Method, RequestBody, Urls, in_few_words,
};
pub use layout::{Layout, MIN_PART_SIZE, Order, SHUFFLE_SEED};
pub use run::{Destination, RunPlan, result_stem};
pub use selection::{
    AUTO_BYTES, AUTO_SECONDS, KeySample, KeySource, SAMPLE_SEED, SampleSize, Selection,
};
pub use shard::Shard;
pub use shards_left::ShardsLeft;
pub use source::ObjectSource;
pub use status_set::StatusSet;
pub use uri::{RESULTS_ELSEWHERE, S3Uri};
pub use web_url::{HostPort, URL_FORM, WebOrigin, WebUrl, is_listen_address};
pub use words::{ClientKind, Mode, Work};
