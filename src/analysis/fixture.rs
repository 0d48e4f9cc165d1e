//! Made-up sweeps for tests: records and summaries of chosen cells with a chosen throughput for each repetition.
//!
//! `Sweep::new("s1").cell(lean(1024, Mode::Async, 16), &[100.0, 101.0])` is two repetitions at 100 and 101 MB/s of 8 GB in 3,200 objects; the bucket
//! has 80 GB in 32,000.

use std::collections::BTreeMap;

use super::read::ReadResults;
use super::{Reader, Study, studies};
use crate::cell::{Cell, Program};
use crate::plan::{ClientKind, Mode, Shard, Work};
use crate::price::PriceList;
use crate::results::record::{
    self, ContenderResult, Limited, Means, Outside, Record, RepetitionFailure, SweepFacts,
};
use crate::results::summary::{
    Attempts, Outcomes, Series, State, StorageClass, Summary, Totals, fixture,
};
use crate::stats::histogram::Histogram;

/// Bytes of a repetition.
pub(crate) const BYTES: u64 = 8_000_000_000;
/// Objects of a repetition.
pub(crate) const OBJECTS: u64 = 3_200;

/// A cell of the lean client with 2 GB a vCPU.
pub(crate) fn lean(cpu_units: u32, mode: Mode, concurrency: u32) -> Cell {
    Cell {
        program: Program::Client(ClientKind::Lean),
        cpu_units,
        memory_mib: 2 * cpu_units,
        mode,
        concurrency,
        shards: 1,
        factors: crate::plan::Factors::default(),
    }
}

/// The same cell of another program.
pub(crate) fn contender(name: &str, cell: &Cell) -> Cell {
    Cell {
        program: Program::Contender(name.to_owned()),
        ..cell.clone()
    }
}

/// Documents of one sweep, by name.
pub(crate) struct Sweep {
    pub(crate) facts: SweepFacts,
    pub(crate) documents: BTreeMap<String, String>,
    started: u32,
}

impl Sweep {
    /// A local sweep of six repetitions, priced in us-east-1.
    pub(crate) fn new(id: &str) -> Self {
        let facts = SweepFacts {
            id: id.to_owned(),
            plan_sha256: "p".repeat(64),
            keys_sha256: "k".repeat(64),
            on: "local".to_owned(),
            task_definition: None,
            contender_definitions: std::collections::BTreeMap::new(),
            architecture: None,
            seed: 1,
            repetitions: 6,
            left_out: Vec::new(),
            bucket: "images".to_owned(),
            prefix: String::new(),
            limit: Some(OBJECTS),
            sample: None,
            duration_ns: None,
            region: Some("us-east-1".to_owned()),
            endpoint: None,
            embedded: None,
            http: None,
            keys: 10 * OBJECTS,
            bytes: Some(10 * BYTES),
            storage_classes: BTreeMap::from([(
                "STANDARD".to_owned(),
                StorageClass {
                    objects: 10 * OBJECTS,
                    bytes: 10 * BYTES,
                },
            )]),
            listing_ns: Some(4_000_000_000),
            results: None,
        };
        Self {
            facts,
            documents: BTreeMap::new(),
            started: 0,
        }
    }

    /// Changes what holds for the repetitions that follow.
    pub(crate) fn with(mut self, change: impl Fn(&mut SweepFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// Repetitions of a cell with these throughputs in MB/s.
    pub(crate) fn cell(self, cell: &Cell, mb_per_s: &[f64]) -> Self {
        self.tuned(cell, mb_per_s, |_, _| ())
    }

    /// The same, with a change of every record and (parfetch's) summary.
    pub(crate) fn tuned(
        mut self,
        cell: &Cell,
        mb_per_s: &[f64],
        change: impl Fn(&mut Record, &mut Summary),
    ) -> Self {
        for (repetition, rate) in (1..).zip(mb_per_s) {
            let mut record = self.record(cell, repetition, *rate);
            let mut summary = summary(cell, *rate);
            summary.started_at.clone_from(&record.started_at);
            summary.result_name = format!(
                "result_{}_{}_{}",
                self.facts.id, cell.mode, cell.concurrency
            );
            change(&mut record, &mut summary);
            self.put(&record, cell.program.is_parfetch().then_some(&summary));
        }
        self
    }

    /// One repetition that failed.
    pub(crate) fn failed(mut self, cell: &Cell, repetition: u32, reason: &str) -> Self {
        let mut record = self.record(cell, repetition, 1.0);
        record.failure = Some(RepetitionFailure {
            reason: reason.to_owned(),
            exit_code: Some(1),
            stderr: Vec::new(),
            again: false,
            is_of_size: false,
        });
        record.summaries.clear();
        self.put(&record, None);
        self
    }

    /// Stores a record, and the summary that it names first.
    pub(crate) fn put(&mut self, record: &Record, summary: Option<&Summary>) {
        let folder = format!(
            "sweeps/{}/{}/r{:02}-a{}",
            record.sweep.id,
            record.cell.slug(),
            record.repetition,
            record.attempt
        );
        if let (Some(summary), Some(name)) = (summary, record.summaries.first()) {
            self.documents
                .insert(format!("{folder}/{name}"), summary.to_json().unwrap());
        }
        self.documents.insert(
            format!("{folder}/{}", record::FILE_NAME),
            record.to_json().unwrap(),
        );
    }

    /// The record of a repetition at this rate.
    pub(crate) fn record(&mut self, cell: &Cell, repetition: u32, mb_per_s: f64) -> Record {
        let position = self.started;
        self.started += 1;
        let fetch_ns = nanoseconds(mb_per_s);
        let contender = (!cell.program.is_parfetch()).then_some(ContenderResult {
            fetch_ns,
            objects: Some(OBJECTS),
            ok: Some(OBJECTS),
            goodput_bytes: Some(BYTES),
        });
        Record {
            schema: record::SCHEMA.to_owned(),
            version: record::VERSION,
            tool_version: "0.1.0".to_owned(),
            sweep: self.facts.clone(),
            cell: cell.clone(),
            repetition,
            attempt: 1,
            position,
            amount: None,
            started_at: format!(
                "2026-11-20T{:02}:{:02}:{:02}.000Z",
                position / 3_600,
                position / 60 % 60,
                position % 60
            ),
            limited: Limited {
                cpu: Means::CgroupV2,
                memory: None,
                cpus: vec![0, 1, 2, 3],
                machine_cpus: Some(8),
                shared_with_server: Some(false),
            },
            failure: None,
            outside: Some(Outside {
                // A second for everything but fetching, and a quarter of one vCPU.
                wall_ns: fetch_ns + 1_000_000_000,
                cpu_user_ns: Some(fetch_ns / 8),
                cpu_sys_ns: Some(fetch_ns / 8),
                peak_pss_bytes: Some(40_000_000),
                pss_samples: 3,
                throttled_ns: Some(0),
            }),
            contender,
            contender_times: None,
            contender_settings: None,
            summaries: if cell.program.is_parfetch() {
                vec!["result_run.json".to_owned()]
            } else {
                Vec::new()
            },
            server: None,
            started_server: None,
            tasks: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// Everything, read.
    pub(crate) fn reading(&self) -> ReadResults {
        let mut reader = Reader::default();
        for (name, text) in &self.documents {
            reader.document(name, text);
        }
        reader.finish()
    }

    /// Everything, analysed with the built-in prices; nothing of it may be a problem.
    pub(crate) fn studies(&self) -> Vec<Study> {
        let reading = self.reading();
        assert_eq!(reading.problems, Vec::new());
        studies(reading, &PriceList::built_in())
    }

    /// The one study.
    pub(crate) fn study(&self) -> Study {
        let mut studies = self.studies();
        assert_eq!(studies.len(), 1);
        studies.remove(0)
    }
}

/// The fetch time of a repetition at this rate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates of tests"
)]
pub(crate) fn nanoseconds(mb_per_s: f64) -> u64 {
    (BYTES as f64 / (mb_per_s * 1e6) * 1e9).round() as u64
}

/// The summary of a calm run at this rate: a quarter of one vCPU busy, no retry, TTFB 10 ms, latency 20 ms.
pub(crate) fn summary(cell: &Cell, mb_per_s: f64) -> Summary {
    let fetch_ns = nanoseconds(mb_per_s);
    let mut summary = Summary::running(fixture::header());
    summary.state = State::Complete;
    summary.settings.mode = cell.mode;
    summary.settings.concurrency = cell.concurrency;
    summary.settings.work = Work::None;
    if let Program::Client(client) = cell.program {
        summary.settings.client = client;
    }
    summary.environment.os = "linux".to_owned();
    summary.environment.arch = "x86_64".to_owned();
    summary.environment.cpu.model = Some("Test CPU".to_owned());
    summary.environment.cpu.online = Some(8);
    summary.environment.vcpu.limit_vcpu = Some(cell.vcpu());
    summary.environment.memory.limit_bytes = Some(u64::from(cell.memory_mib) << 20);
    summary.phases.start_up_ns = Some(100_000_000);
    summary.phases.listing_ns = Some(20_000_000);
    summary.phases.worker_start_ns = Some(300_000_000);
    summary.phases.fetch_ns = Some(fetch_ns);
    summary.phases.write_back_ns = Some(500_000_000);
    summary.totals = Some(Totals {
        keys_listed: OBJECTS,
        listed_bytes: Some(BYTES),
        rounds: 1,
        asked_objects: Some(OBJECTS),
        asked_bytes: Some(BYTES),
        row_bytes: Some(Outcomes {
            ok: BYTES,
            ..Outcomes::default()
        }),
        cut_by_time: 0,
        rows: Outcomes {
            ok: OBJECTS,
            ..Outcomes::default()
        },
        goodput_bytes: BYTES,
        not_as_listed: None,
        received_bytes: Some(BYTES),
    });
    summary.rates.active_window_bytes_per_s = Some(mb_per_s * 1e6 * 1.01);
    summary.rates.tail_share = Some(0.01);
    summary.attempts = Some(Attempts {
        total: OBJECTS,
        ..Attempts::default()
    });
    summary.cpu.fetch_user_ns = Some(fetch_ns / 8);
    summary.cpu.fetch_sys_ns = Some(fetch_ns / 8);
    summary.cpu.limit_vcpu = Some(cell.vcpu());
    summary.memory.peak_pss_bytes = Some(39_000_000);
    summary.series = Some(series(mb_per_s, fetch_ns));
    summary.distributions.ttfb = histogram(10_000_000).snapshot();
    summary.distributions.latency = histogram(20_000_000).snapshot();
    summary
}

/// One time for every object.
pub(crate) fn histogram(ns: u64) -> Histogram {
    let mut histogram = Histogram::default();
    for _ in 0..10 {
        histogram.record(ns);
    }
    histogram
}

/// A steady rate, a second at a time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates of tests"
)]
fn series(mb_per_s: f64, fetch_ns: u64) -> Series {
    let second = (mb_per_s * 1e6) as u64;
    let mut left = BYTES;
    let seconds = fetch_ns.div_ceil(1_000_000_000);
    let bytes = (0..seconds).map(|_| {
        let bytes = second.min(left);
        left -= bytes;
        bytes
    });
    Series {
        interval_ns: 1_000_000_000,
        bytes: bytes.collect(),
        fetches: Vec::new(),
    }
}

/// The summary of a run outside a sweep, by a name of its own.
pub(crate) fn own_run(started_at: &str, mb_per_s: f64) -> Summary {
    let mut summary = summary(&lean(2_048, Mode::Async, 32), mb_per_s);
    started_at.clone_into(&mut summary.started_at);
    summary
}

/// The same as one of several shards, with its part of objects and bytes.
pub(crate) fn shard(started_at: &str, mb_per_s: f64, shard: &str) -> Summary {
    let mut summary = own_run(started_at, mb_per_s);
    let shard: Shard = shard.parse().unwrap();
    summary.settings.selection.shard = Some(shard);
    summary.result_name = format!(
        "{}.shard-{}-of-{}",
        summary.result_name, shard.index, shard.count
    );
    summary
}
