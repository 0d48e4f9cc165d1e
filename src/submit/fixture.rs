//! A job for tests.

use std::num::NonZeroU32;
use std::time::Duration;

use super::job::{Afterwards, BatchJob, Division, JobQueue};
use crate::estimate::CostConsent;
use crate::plan::variables::example;
use crate::plan::{ClientKind, Destination, RunPlan};

pub(crate) fn job() -> BatchJob {
    BatchJob {
        id: "first.1".to_owned(),
        shards: 8,
        division: Division::Manifest,
        run: RunPlan {
            concurrency: NonZeroU32::new(16).unwrap(),
            destination: Destination {
                bucket: Some("results".to_owned()),
                prefix: "parfetch/".to_owned(),
                ..Destination::default()
            },
            ..example()
        },
        pages: ClientKind::Lean,
        size: (512, 1_024),
        queue: JobQueue {
            queue: "q".to_owned(),
            definition: "d".to_owned(),
            most_vcpu: None,
            arch: "x86_64".to_owned(),
            disk_gib: 20,
        },
        embedded: None,
        poll: Duration::from_secs(5),
        afterwards: Afterwards::Wait,
        consent: CostConsent::Given,
        max_bytes: None,
        redo_failed: false,
    }
}
