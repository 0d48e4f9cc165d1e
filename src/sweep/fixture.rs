//! Made-up facts and records that tests of sweeps look at.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::job::{Failed, Oversize, SweepJob};
use super::keys::KeyOrder;
use super::place::SweepPlace;
use super::plan::SweepPlan;
use crate::cell::{Cell, Program};
use crate::estimate::Approval;
use crate::model::Law;
use crate::plan::{Access, ClientKind, HttpSource, KeySource, Layout, Limits, Mode, Urls};
use crate::price::Egress;
use crate::results::record::{Limited, Means, Outside, Record, SCHEMA, SweepFacts, VERSION};
use crate::results::summary::HttpSettings;
use crate::speed::Store;

pub(crate) fn facts() -> SweepFacts {
    SweepFacts {
        id: "s".to_owned(),
        plan_sha256: "p".to_owned(),
        keys_sha256: "k".to_owned(),
        on: "local".to_owned(),
        task_definition: None,
        contender_definitions: std::collections::BTreeMap::new(),
        architecture: None,
        seed: 1,
        repetitions: 6,
        left_out: Vec::new(),
        bucket: "source".to_owned(),
        prefix: String::new(),
        limit: None,
        sample: None,
        duration_ns: None,
        region: Some("us-east-1".to_owned()),
        endpoint: None,
        embedded: Some("objects=5".to_owned()),
        http: None,
        keys: 5,
        bytes: Some(5_000),
        storage_classes: BTreeMap::new(),
        listing_ns: Some(1_000_000),
        results: None,
    }
}

/// What a sweep of a web server says of its requests.
pub(crate) fn requests() -> HttpSettings {
    let urls = Urls::Typed(vec!["http://127.0.0.1:8000/".parse().expect("it is a URL")]);
    HttpSettings::from(&HttpSource::get(urls))
}

pub(crate) fn cell() -> Cell {
    Cell {
        program: Program::Client(ClientKind::Lean),
        cpu_units: 1_024,
        memory_mib: 2_048,
        mode: Mode::Async,
        concurrency: 1,
        shards: 1,
        factors: crate::plan::Factors::default(),
    }
}

pub(crate) fn record(cell: &Cell, repetition: u32) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        version: VERSION,
        tool_version: "0.1.0".to_owned(),
        sweep: facts(),
        cell: cell.clone(),
        repetition,
        attempt: 1,
        position: 0,
        amount: None,
        started_at: "2026-11-20T10:00:00Z".to_owned(),
        limited: Limited {
            cpu: Means::CgroupV2,
            memory: None,
            cpus: vec![1],
            machine_cpus: Some(2),
            shared_with_server: Some(false),
        },
        failure: None,
        outside: Some(Outside {
            wall_ns: 1_000_000_000,
            ..Outside::default()
        }),
        contender: None,
        contender_times: None,
        contender_settings: None,
        summaries: Vec::new(),
        server: None,
        started_server: None,
        tasks: Vec::new(),
        beside: Vec::new(),
    }
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
