//! The settings of a run as its summary tells them: all of them, resolved, without a secret.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::web::HttpSettings;
use crate::plan::{
    Access, ClientKind, Destination, Mode, Order, RunPlan, SHUFFLE_SEED, Selection, Work,
};
use crate::price::Egress;
use crate::units::SECOND_NS;

/// What a run was asked to do, every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Settings {
    /// Source bucket; empty where a web server is measured.
    pub bucket: String,
    /// What was sent to a web server; null for a bucket.
    #[serde(default)]
    pub http: Option<HttpSettings>,
    /// Which of its keys.
    pub selection: Selection,
    /// Workers.
    pub concurrency: u32,
    /// Concurrency model.
    pub mode: Mode,
    /// S3 client.
    pub client: ClientKind,
    /// How S3 is reached. User names and passwords in the endpoint are left out.
    pub access: Access,
    /// Attempts for one object at the most.
    pub attempts: u32,
    /// Longest time to a connection; null = no limit.
    pub connect_timeout_ns: Option<u64>,
    /// Longest time without a byte; null = no limit.
    pub stall_timeout_ns: Option<u64>,
    /// Longest time of a fetch; null = no limit.
    pub fetch_timeout_ns: Option<u64>,
    /// The keys were gone round until this time had passed; null = once.
    pub duration_ns: Option<u64>,
    /// CPU work done on every body.
    pub work: Work,
    /// In which order objects were handed out.
    #[serde(default)]
    pub order: Order,
    /// Seed of the order; null where it needs none.
    pub order_seed: Option<u64>,
    /// Larger objects were fetched in parts of so many bytes; null = every object whole.
    pub part_size_bytes: Option<NonZeroU64>,
    /// Where results went.
    pub destination: Destination,
    /// Where the bytes go that are read, for the price.
    #[serde(default)]
    pub egress: Egress,
}

impl Settings {
    /// What a row is of.
    pub fn noun(&self) -> &'static str {
        if self.http.is_some() {
            "request"
        } else {
            "object"
        }
    }
}

impl From<&RunPlan> for Settings {
    fn from(plan: &RunPlan) -> Self {
        let access = Access {
            endpoint_url: plan.access.shown_endpoint(),
            ..plan.access.clone()
        };
        Self {
            bucket: plan.source.bucket().to_owned(),
            http: HttpSettings::of(&plan.source),
            selection: plan.selection.clone(),
            concurrency: plan.concurrency.get(),
            mode: plan.mode,
            client: plan.client,
            access,
            attempts: plan.fetch.limits.attempts,
            connect_timeout_ns: plan.fetch.limits.connect_timeout.map(nanoseconds),
            stall_timeout_ns: plan.fetch.limits.stall_timeout.map(nanoseconds),
            fetch_timeout_ns: plan.fetch.limits.fetch_timeout.map(nanoseconds),
            duration_ns: plan.duration.map(nanoseconds),
            work: plan.fetch.work,
            order: plan.layout.order,
            order_seed: (plan.layout.order == Order::Shuffled).then_some(SHUFFLE_SEED),
            part_size_bytes: plan.layout.part_size,
            destination: plan.destination.clone(),
            egress: plan.egress,
        }
    }
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    time.as_secs()
        .saturating_mul(SECOND_NS)
        .saturating_add(u64::from(time.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::fixture;

    #[test]
    fn times_are_nanoseconds() {
        let settings = Settings::from(&fixture::plan());
        assert_eq!(
            (settings.connect_timeout_ns, settings.stall_timeout_ns),
            (Some(3_000_000_000), Some(10_000_000_000))
        );
        assert_eq!(
            (settings.fetch_timeout_ns, settings.duration_ns),
            (None, None)
        );
    }
}
