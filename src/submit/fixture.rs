//! A job for tests.

use std::num::NonZeroU32;
use std::time::Duration;

use super::document::Division;
use super::job::{Afterwards, Job, Queue, Spending};
use crate::plan::{
    Access, ClientKind, Destination, FetchOptions, KeySource, Layout, Mode, RunPlan, Selection,
};

pub(crate) fn job() -> Job {
    Job {
        id: "first.1".to_owned(),
        shards: 8,
        division: Division::Manifest,
        run: RunPlan {
            bucket: "images".to_owned(),
            selection: Selection {
                source: KeySource::Listing,
                prefix: String::new(),
                limit: None,
                sample: None,
                shard: None,
            },
            concurrency: NonZeroU32::new(16).unwrap(),
            mode: Mode::Async,
            client: ClientKind::Lean,
            tag: "run".to_owned(),
            access: Access::default(),
            fetch: FetchOptions::default(),
            duration: None,
            layout: Layout::default(),
            destination: Destination {
                bucket: Some("results".to_owned()),
                prefix: "parfetch/".to_owned(),
                out: None,
                spool_dir: None,
                no_overwrite: false,
            },
            egress: crate::price::Egress::None,
        },
        pages: ClientKind::Lean,
        size: (512, 1_024),
        queue: Queue {
            queue: "q".to_owned(),
            definition: "d".to_owned(),
            most_vcpu: None,
            arch: "x86_64".to_owned(),
        },
        embedded: None,
        poll: Duration::from_secs(5),
        afterwards: Afterwards::Wait,
        spending: Spending::Forecast,
        max_bytes: None,
    }
}
