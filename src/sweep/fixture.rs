//! Made-up facts and records that tests of sweeps look at.

use std::path::Path;
use std::time::Duration;

use super::job::{Failed, Oversize, SweepJob};
use super::keys::KeyOrder;
use super::place::SweepPlace;
use super::plan::SweepPlan;
use crate::estimate::Approval;
use crate::model::Law;
use crate::plan::{Access, ClientKind, HttpSource, KeySource, Layout, Limits, Mode, Urls};
use crate::price::Egress;
pub(crate) use crate::results::fixture::{cell, facts, record};
use crate::results::summary::HttpSettings;
use crate::speed::Store;

/// What a sweep of a web server says of its requests.
pub(crate) fn requests() -> HttpSettings {
    let urls = Urls::Typed(vec!["http://127.0.0.1:8000/".parse().expect("it is a URL")]);
    HttpSettings::from(&HttpSource::get(urls))
}

/// Two configurations twice, on a model.
pub(crate) fn job(out: &Path, law: Law) -> SweepJob {
    SweepJob {
        id: "s".to_owned(),
        plan: SweepPlan {
            bucket: "source".to_owned(),
            vcpu: vec![1.0],
            mode: vec![Mode::Async],
            client: vec![ClientKind::Lean],
            concurrency: vec![1, 4],
            repeat: 2,
            ..SweepPlan::default()
        },
        sizes: vec![(1_024, 2_048)],
        oversize: Oversize::Refuse,
        requests: None,
        source: KeySource::Listing,
        sample: None,
        key_order: KeyOrder::Listed,
        store: Store::Distant,
        approval: Approval {
            yes: true,
            max_bytes: None,
        },
        asked_egress: Egress::None,
        access: Access::default(),
        limits: Limits::default(),
        layout: Layout::default(),
        embedded: None,
        out: out.to_owned(),
        results: None,
        time_limit: Duration::from_hours(1),
        failed: Failed::Keep,
        place: SweepPlace::Model(Box::new(law)),
        adds_to: None,
    }
}
