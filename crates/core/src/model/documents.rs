//! A sweep over a model: the records and summaries that its runs would leave.

#[cfg(any(test, feature = "fixtures"))]
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::figures::{ns, series};
use super::law::Law;
use super::noise::{Random, Weather};
use super::run::{Chance, Ran, RunAmount};
use crate::cell::{Cell, Program};
use crate::plan::{
    Access, ClientKind, Destination, FetchOptions, KeySource, Layout, Mode, ObjectSource, RunPlan,
    Selection,
};
use crate::platform::Environment;
use crate::results::record::{
    self, ContenderResult, Limited, Means, Outside, Record, RepetitionAmount, SweepFacts, TaskRun,
};
use crate::results::summary::{Attempts, Header, Outcomes, State, Summary, Totals};
#[cfg(any(test, feature = "fixtures"))]
use crate::results::summary::{SampleFacts, StorageClass};
use crate::units::round_to_u64;

/// Runs over which what drifts drifts.
const RUNS: usize = 150;

/// One run of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct RunOnModel<'a> {
    /// Its configuration.
    pub cell: &'a Cell,
    /// Counted from 1.
    pub repetition: u32,
    /// Among all runs of its sweep, from 0: noise may depend on the runs before.
    pub position: u32,
    /// How much it fetches of the sweep's key list; none = all of it, once.
    pub amount: Option<RepetitionAmount>,
}

/// Runs it, in no time. The same run leaves the same documents, whichever ran before.
pub fn simulate_run(law: &Law, facts: &SweepFacts, asked: RunOnModel<'_>) -> Document {
    let RunOnModel {
        cell,
        repetition,
        position,
        amount,
    } = asked;
    let seed = law.model.seed ^ facts.seed.rotate_left(17);
    let mut random = Random::new(seed);
    let mut weather = Weather::new(law.model.noise, RUNS, &mut random);
    let slower = (0..=position)
        .map(|_| weather.next(&mut random))
        .last()
        .unwrap_or(1.0);
    let mut random = Random::new(seed ^ u64::from(position).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let store = &law.model.store;
    let last = store.last_fetch * (store.last_fetch_sigma * random.normal()).exp();
    let keys = amount.and_then(|amount| amount.keys);
    let fetched = match amount.and_then(|amount| amount.duration_ns) {
        Some(ns) => RunAmount::Seconds(ns as f64 / 1e9),
        None => RunAmount::Objects(keys.unwrap_or_else(|| facts.frozen().0)),
    };
    let run = SimulatedRun {
        cell,
        repetition,
        position: usize::try_from(position).unwrap_or(usize::MAX),
        amount,
        ran: law.run(cell, fetched, Chance { slower, last }),
    };
    document(law, facts, &run, &mut random)
}

/// A sweep.
#[cfg(any(test, feature = "fixtures"))]
#[derive(Clone, Debug, PartialEq)]
pub struct AskedSweep {
    /// Its name.
    pub id: String,
    /// Each of these…
    pub cells: Vec<Cell>,
    /// …so many times, in blocks of a random order…
    pub repetitions: u32,
    /// …with so much to fetch.
    pub amount: RunAmount,
    /// Of its order and its noise.
    pub seed: u64,
    /// By how much longer everything takes than on another day; 1 = not at all.
    pub day: f64,
}

/// What one run leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Of the repetition.
    pub record: Record,
    /// Of parfetch; a contender writes none.
    pub summary: Option<Summary>,
}

/// Runs a sweep on the model, in no time.
#[cfg(any(test, feature = "fixtures"))]
pub fn simulate(law: &Law, asked: &AskedSweep) -> Vec<Document> {
    let mut random = Random::new(law.model.seed ^ asked.seed.rotate_left(17));
    let mut weather = Weather::new(
        law.model.noise,
        asked.cells.len() * asked.repetitions as usize,
        &mut random,
    );
    // Every repetition fetches the same sample.
    let fetched = match asked.amount {
        RunAmount::Sample(objects) => Cow::Owned(law.sampled(objects, asked.seed)),
        _ => Cow::Borrowed(law),
    };
    let facts = facts((law, &fetched), asked);
    let mut documents = Vec::with_capacity(asked.cells.len() * asked.repetitions as usize);
    for repetition in 1..=asked.repetitions {
        let mut order: Vec<&Cell> = asked.cells.iter().collect();
        random.shuffle(&mut order);
        for cell in order {
            let last = law.model.store.last_fetch
                * (law.model.store.last_fetch_sigma * random.normal()).exp();
            let chance = Chance {
                slower: weather.next(&mut random) * asked.day,
                last,
            };
            let run = SimulatedRun {
                cell,
                repetition,
                position: documents.len(),
                amount: None,
                ran: fetched.run(cell, asked.amount, chance),
            };
            documents.push(document(law, &facts, &run, &mut random));
        }
    }
    documents
}

/// One run of a sweep.
struct SimulatedRun<'a> {
    cell: &'a Cell,
    repetition: u32,
    position: usize,
    amount: Option<RepetitionAmount>,
    ran: Ran,
}

#[cfg(any(test, feature = "fixtures"))]
fn facts((law, fetched): (&Law, &Law), asked: &AskedSweep) -> SweepFacts {
    let (objects, bytes) = (law.objects(), round_to_u64(law.bytes()));
    let (limit, duration_ns) = match asked.amount {
        RunAmount::Objects(objects) => (Some(objects), None),
        RunAmount::Sample(_) => (None, None),
        RunAmount::Seconds(seconds) => (None, Some(ns(seconds))),
    };
    SweepFacts {
        id: asked.id.clone(),
        plan_sha256: format!("{:0>64}", asked.id),
        keys_sha256: format!("{:064x}", law.model.seed),
        on: "ecs".to_owned(),
        task_definition: Some("model:1".to_owned()),
        contender_definitions: BTreeMap::new(),
        architecture: None,
        seed: asked.seed,
        repetitions: asked.repetitions,
        left_out: Vec::new(),
        bucket: "model".to_owned(),
        prefix: String::new(),
        limit,
        sample: matches!(asked.amount, RunAmount::Sample(_))
            .then(|| sample(fetched, (objects, bytes), asked.seed)),
        duration_ns,
        region: Some("us-east-1".to_owned()),
        endpoint: None,
        embedded: None,
        http: None,
        keys: objects,
        bytes: Some(bytes),
        storage_classes: BTreeMap::from([("STANDARD".to_owned(), StorageClass { objects, bytes })]),
        listing_ns: Some(ns(law.listing_s())),
        results: None,
    }
}

#[cfg(any(test, feature = "fixtures"))]
fn sample(fetched: &Law, (of_keys, of_bytes): (u64, u64), seed: u64) -> SampleFacts {
    let (keys, bytes) = (fetched.objects(), Some(round_to_u64(fetched.bytes())));
    SampleFacts {
        asked: format!("{keys} keys"),
        seed,
        keys,
        bytes,
        of_keys,
        of_bytes: Some(of_bytes),
        classes: Vec::new(),
    }
}

fn document(
    law: &Law,
    facts: &SweepFacts,
    run: &SimulatedRun<'_>,
    random: &mut Random,
) -> Document {
    let mut summary = run
        .cell
        .program
        .is_parfetch()
        .then(|| summary(law, run, random));
    if let (Some(totals), Some(keys)) = (
        summary.as_mut().and_then(|summary| summary.totals.as_mut()),
        facts.keys_of_a_repetition((run.cell.shards, run.amount)),
    ) {
        // However often a run that time ends goes through them.
        totals.keys_listed = keys;
    }
    let around: f64 = law.around(run.cell, run.ran.objects).iter().sum();
    let wall_s = run.ran.fetch_s + around;
    let (objects, bytes) = (round_to_u64(run.ran.objects), round_to_u64(run.ran.bytes));
    let contender = ContenderResult {
        fetch_ns: ns(run.ran.fetch_s),
        objects: Some(objects),
        ok: Some(objects),
        goodput_bytes: Some(bytes),
    };
    let cpu_ns = ns(run.ran.cpu_s * 1.02);
    let record = Record {
        schema: record::SCHEMA.to_owned(),
        version: record::VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        sweep: facts.clone(),
        cell: run.cell.clone(),
        repetition: run.repetition,
        attempt: 1,
        position: u32::try_from(run.position).unwrap_or(u32::MAX),
        amount: run.amount,
        started_at: time_of(run.position),
        limited: Limited {
            cpu: Means::Fargate,
            memory: Some(Means::Fargate),
            cpus: Vec::new(),
            machine_cpus: None,
            shared_with_server: None,
        },
        failure: None,
        outside: Some(Outside {
            wall_ns: ns(wall_s),
            cpu_user_ns: Some(cpu_ns / 2),
            cpu_sys_ns: Some(cpu_ns - cpu_ns / 2),
            peak_pss_bytes: None,
            pss_samples: 0,
            throttled_ns: None,
        }),
        contender: summary.is_none().then_some(contender),
        contender_times: None,
        contender_settings: None,
        summaries: summary
            .iter()
            .map(|summary| format!("{}.json", summary.result_name))
            .collect(),
        server: None,
        started_server: None,
        tasks: vec![TaskRun {
            billed_ns: Some(ns(wall_s + law.model.start.pull_s)),
            ..TaskRun::default()
        }],
        beside: Vec::new(),
    };
    Document { record, summary }
}

/// A minute for each run: a label.
fn time_of(position: usize) -> String {
    let minute = position % 60;
    let hour = position / 60 % 24;
    let day = 1 + position / 1_440 % 28;
    format!("2026-01-{day:02}T{hour:02}:{minute:02}:00.000Z")
}

fn plan(cell: &Cell) -> RunPlan {
    let client = if let Program::Client(client) = cell.program {
        client
    } else {
        ClientKind::Lean
    };
    RunPlan {
        source: ObjectSource::Bucket("model".to_owned()),
        selection: Selection {
            source: KeySource::Listing,
            prefix: String::new(),
            limit: None,
            sample: None,
            shard: None,
        },
        concurrency: NonZeroU32::new(cell.concurrency).unwrap_or(NonZeroU32::MIN),
        mode: cell.mode,
        client,
        tag: "model".to_owned(),
        access: Access::default(),
        fetch: FetchOptions::default(),
        duration: None,
        layout: Layout::default(),
        destination: Destination {
            bucket: None,
            prefix: String::new(),
            out: None,
            spool_dir: None,
            no_overwrite: false,
        },
        egress: crate::price::Egress::None,
    }
}

fn summary(law: &Law, run: &SimulatedRun<'_>, random: &mut Random) -> Summary {
    let SimulatedRun { cell, ran, .. } = run;
    let mut header = Header::new(&plan(cell), time_of(run.position), Environment::default());
    header.region = Some("us-east-1".to_owned());
    let mut summary = Summary::running(header);
    summary.state = State::Complete;
    "linux".clone_into(&mut summary.environment.os);
    "x86_64".clone_into(&mut summary.environment.arch);
    let [start_up_s, worker_start_s, write_back_s] = law.around(cell, ran.objects);
    summary.phases.start_up_ns = Some(ns(start_up_s));
    summary.phases.listing_ns = Some(ns(0.01));
    summary.phases.worker_start_ns = Some(ns(worker_start_s));
    summary.phases.fetch_ns = Some(ns(ran.fetch_s));
    summary.phases.write_back_ns = Some(ns(write_back_s));
    let (objects, bytes) = (round_to_u64(ran.objects), round_to_u64(ran.bytes));
    summary.totals = Some(Totals {
        keys_listed: objects,
        listed_bytes: Some(bytes),
        rounds: 1,
        asked_objects: Some(objects),
        asked_bytes: Some(bytes),
        cut_by_time: 0,
        row_bytes: Some(Outcomes {
            ok: bytes,
            ..Outcomes::default()
        }),
        rows: Outcomes {
            ok: objects,
            ..Outcomes::default()
        },
        goodput_bytes: bytes,
        not_as_listed: None,
        received_bytes: Some(bytes),
    });
    summary.rates.throughput_bytes_per_s = Some(ran.bytes / ran.fetch_s);
    summary.rates.goodput_bytes_per_s = Some(ran.bytes / ran.fetch_s);
    summary.rates.active_window_bytes_per_s =
        ran.window_s.map(|window_s| ran.window_bytes / window_s);
    summary.rates.tail_share = ran
        .window_s
        .map(|window_s| (ran.fetch_s - window_s) / ran.fetch_s);
    summary.active_window_ns = ran.window_s.map(ns);
    let throttles = round_to_u64(ran.refused);
    let by_code = if throttles > 0 {
        BTreeMap::from([("SlowDown".to_owned(), throttles)])
    } else {
        BTreeMap::new()
    };
    summary.attempts = Some(Attempts {
        total: objects + throttles,
        throttles,
        retried_fetches: throttles,
        by_code,
        ..Attempts::default()
    });
    summary.cpu.fetch_user_ns = Some(ns(ran.cpu_s / 2.0));
    summary.cpu.fetch_sys_ns = Some(ns(ran.cpu_s / 2.0));
    summary.cpu.used_vcpu = Some(ran.cpu_s / ran.fetch_s);
    summary.cpu.limit_vcpu = Some(cell.vcpu());
    let each = match cell.mode {
        Mode::Process => 6_000_000,
        Mode::Async | Mode::Thread => 300_000,
    };
    summary.memory.peak_pss_bytes = Some(15_000_000 + u64::from(cell.concurrency) * each);
    summary.series = Some(series(ran, law.model.noise.second, random));
    summary
}
