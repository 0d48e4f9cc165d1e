//! Summaries that tests look at: made up, the same on every machine, and computed by the code under test.

use std::num::NonZeroU32;

use super::{
    CpuFacts, Header, Interface, Memory, Phases, Price, PricedTask, RunFacts, Series, State,
    Summary, summarise,
};
use crate::plan::RunPlan;
use crate::platform::Environment;
use crate::price::Egress;
use crate::sample::{ErrorCode, ErrorCodes, KeyRecord, Outcome, Sample};

const WORKERS: usize = 32;
const OBJECTS: usize = 2_000;

/// What was asked.
///
/// # Panics
/// Never.
pub fn plan() -> RunPlan {
    RunPlan {
        concurrency: NonZeroU32::new(32).expect("it is not zero"),
        ..crate::plan::variables::example()
    }
}

/// What a summary says before its figures.
pub fn header() -> Header {
    let mut header = Header::new(
        &plan(),
        "2026-11-20T10:00:00Z".to_owned(),
        Environment::default(),
    );
    header.region = Some("us-east-1".to_owned());
    header.resolved_addresses = Some(8);
    header
}

/// A calm run: 2,000 objects of three sizes, a few of them retried.
///
/// # Panics
/// Never.
pub fn complete() -> Summary {
    let rows = rows();
    let fetch_ns = rows
        .iter()
        .filter_map(|row| row.1.end_ns)
        .max()
        .expect("there are rows");
    let last_start = rows
        .iter()
        .filter_map(|row| row.1.start_ns)
        .max()
        .expect("there are rows");
    let received: u64 = rows.iter().filter_map(|row| row.1.calc_size).sum::<u64>() + 1_000_000;
    let mut facts = RunFacts::new(header(), State::Complete);
    facts.ended_at = Some("2026-11-20T10:00:09Z".to_owned());
    facts.phases = Phases {
        lookup_ns: None,
        start_up_ns: Some(12_000_000),
        listing_ns: Some(390_000_000),
        ordering_ns: None,
        worker_start_ns: Some(8_000_000),
        fetch_ns: Some(fetch_ns),
        write_back_ns: Some(510_000_000),
    };
    facts.listing.keys = OBJECTS as u64;
    facts.listing.bytes = Some(received - 1_000_000);
    facts.fetch.active_window_ns = Some(last_start);
    facts.fetch.received_bytes = Some(received);
    facts.fetch.series = Some(Series {
        interval_ns: 1_000_000_000,
        bytes: vec![received / 2, received - received / 2],
        fetches: Vec::new(),
    });
    facts.pass.in_flight_most = Some(32);
    facts.fetch.connections_opened = Some(35);
    facts.fetch.cpu = CpuFacts {
        fetch_user_ns: Some(900_000_000),
        fetch_sys_ns: Some(700_000_000),
        limit_vcpu: Some(2.0),
        throttled_ns: None,
    };
    facts.fetch.memory = Memory {
        peak_pss_bytes: Some(41_000_000),
        samples: 7,
        peak_rss_bytes: Some(44_000_000),
    };
    facts.fetch.interface = Interface {
        rx_bytes: Some(received + received / 50),
        tx_bytes: Some(9_000_000),
        loopback_rx_bytes: Some(0),
    };
    facts.warnings = vec!["bucket `images`: 2 keys end in a slash".to_owned()];
    let mut summary = summarise(facts, rows);
    summary.price = Some(price());
    (summary.cpu.whole_user_ns, summary.cpu.whole_sys_ns) =
        (Some(1_000_000_000), Some(750_000_000));
    summary
}

/// What [`complete`] would cost.
fn price() -> Price {
    Price {
        usd_total: 0.002_461,
        usd_task: 0.001_645,
        usd_storage: 0.0,
        usd_requests: 0.000_816,
        usd_retrieval: 0.0,
        usd_egress: None,
        usd_per_tb: Some(0.193),
        usd_per_million_fetches: Some(0.495),
        billed_s: 60.0,
        is_minimum: true,
        task: PricedTask {
            vcpu: 2.0,
            memory_mib: 4_096,
            arch: "x86_64".to_owned(),
            region: "us-east-1".to_owned(),
            storage_gib: None,
        },
        is_hypothetical: true,
        gets: 2_001,
        lists: 2,
        puts: 3,
        requests_of: "us-east-1".to_owned(),
        egress: Egress::None,
        prices_dated: "2026-11-01".to_owned(),
    }
}

/// An interrupted run against another store: every outcome once, and most facts missing.
pub fn with_failures() -> Summary {
    let mut header = header();
    header.endpoint = Some("http://127.0.0.1:9000".to_owned());
    header.region = None;
    let mut facts = RunFacts::new(header, State::Interrupted);
    facts.ended_at = Some("2026-11-20T10:00:01Z".to_owned());
    facts.phases = Phases {
        listing_ns: Some(4_000_000),
        fetch_ns: Some(900_000_000),
        ..Phases::default()
    };
    facts.listing.keys = 5;
    let key = |name: &str, class: &str| KeyRecord {
        key: name.to_owned(),
        size: Some(10_000),
        etag: String::new(),
        storage_class: class.to_owned(),
    };
    let mut codes = ErrorCodes::default();
    codes.push(ErrorCode::from_word("SlowDown"));
    let failed = Sample {
        outcome: Outcome::Failed,
        attempts: 5,
        codes,
        ..fetch(1, [0, 2_000, 3_000, 900_000], 10)
    };
    let vanished = Sample {
        outcome: Outcome::Vanished,
        size: None,
        calc_size: None,
        ..fetch(0, [1_000, 1_000, 1_200, 1_300], 0)
    };
    let rows = [
        (key("a", "STANDARD"), fetch(0, [0, 0, 600, 850], 10_000), 0),
        (key("b", "STANDARD"), failed, 0),
        (key("c", "STANDARD"), vanished, 0),
        (key("d", "DEEP_ARCHIVE"), Sample::default(), 0),
        (key("e", "STANDARD"), Sample::default(), 0),
    ];
    Summary {
        no_price: Some("the region is not known".to_owned()),
        ..summarise(facts, rows)
    }
}

/// Start, last attempt's start, first byte and end in µs.
pub(super) fn fetch(worker: u32, us: [u64; 4], bytes: u64) -> Sample {
    let [start, attempt, first, end] = us.map(|us| Some(us * 1_000));
    Sample {
        outcome: Outcome::Ok,
        size: Some(bytes),
        calc_size: Some(bytes),
        attempts: 1,
        start_ns: start,
        attempt_start_ns: attempt,
        first_byte_ns: first,
        end_ns: end,
        worker,
        pid: 100,
        tid: 101 + worker % 2,
        ..Sample::default()
    }
}

fn rows() -> Vec<(KeyRecord, Sample, u64)> {
    let mut free_us: Vec<u64> = (0..WORKERS as u64).map(|worker| worker * 130).collect();
    let mut rows = Vec::with_capacity(OBJECTS);
    for i in 0..OBJECTS {
        let (worker, number) = (i % WORKERS, i as u64);
        // A number that wanders through 0 … 999, and a long-tailed time made of it.
        let wander = number * 7_919 % 1_000;
        let first_us = 6_000 + wander * wander / 60;
        let whole_us = first_us + 9_000 + wander.pow(4) / 5_000_000;
        let bytes = match i % 50 {
            0..10 => 10_000,
            10 => 20_000_000,
            _ => 2_565_217,
        };
        let retried = i % 500 == 499;
        let start = free_us[worker];
        let attempt = if retried { start + 90_000 } else { start };
        let mut sample = fetch(
            u32::try_from(worker).expect("there are few workers"),
            [start, attempt, attempt + first_us, attempt + whole_us],
            bytes,
        );
        if retried {
            (sample.attempts, sample.backoff_ns) = (2, 70_000_000);
            sample.codes.push(ErrorCode::from_word(if i == 499 {
                "reset"
            } else {
                "SlowDown"
            }));
        }
        free_us[worker] = attempt + whole_us + 3;
        let key = KeyRecord {
            key: format!("{i:06}.jpg"),
            size: Some(bytes),
            etag: String::new(),
            storage_class: "STANDARD".to_owned(),
        };
        rows.push((key, sample, 0));
    }
    rows
}
