//! Made-up facts and records that tests of sweeps look at.

use std::collections::BTreeMap;

use super::record::{Limited, Means, Outside, Record, SCHEMA, SweepFacts, VERSION};
use crate::cell::{Cell, Program};
use crate::plan::{ClientKind, Mode};

/// A small sweep on this machine.
pub fn facts() -> SweepFacts {
    SweepFacts {
        id: "s".to_owned(),
        plan_sha256: "p".to_owned(),
        keys_sha256: "k".to_owned(),
        on: "local".to_owned(),
        task_definition: None,
        contender_definitions: BTreeMap::new(),
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

/// One task with one worker.
pub fn cell() -> Cell {
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

/// A repetition that went well, without a summary.
pub fn record(cell: &Cell, repetition: u32) -> Record {
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
