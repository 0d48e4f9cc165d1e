//! Made-up sweeps for tests of the mapping: a small one with numbers known by hand, and rich ones, quiet and noisy, for the browser.

use std::fmt::Write;
use std::io::{self, Cursor, Read};

use crate::analysis::fixture::{BYTES, Sweep, contender, lean};
use crate::cell::Cell;
use crate::plan::Mode;
use crate::results::summary::Summary;
use crate::stats::histogram::Histogram;

/// Six repetitions around a rate, up to 0.3 % off.
pub(in crate::render::page) fn six(mb_per_s: f64) -> [f64; 6] {
    [-2.0, 3.0, -1.0, 1.0, 2.0, -3.0].map(|off| mb_per_s * (1.0 + off / 1_000.0))
}

/// Two sizes, two modes and a half, a failed cell, a cell with one failed repetition, and a contender.
pub(in crate::render::page) fn known() -> Sweep {
    let one = |mode, concurrency| lean(1_024, mode, concurrency);
    let two = |mode, concurrency| lean(2_048, mode, concurrency);
    let mut sweep = Sweep::new("s1");
    for (cell, rate) in [
        (one(Mode::Async, 4), 100.0),
        (one(Mode::Async, 16), 200.0),
        (one(Mode::Thread, 4), 90.0),
        (one(Mode::Thread, 16), 160.0),
        (two(Mode::Async, 4), 100.0),
        (two(Mode::Async, 16), 350.0),
        (two(Mode::Thread, 16), 300.0),
        (contender("python", &one(Mode::Thread, 16)), 50.0),
    ] {
        sweep = sweep.cell(&cell, &six(rate));
    }
    for repetition in 1..=6 {
        sweep = sweep.failed(&one(Mode::Process, 16), repetition, "out of memory");
    }
    sweep.failed(&two(Mode::Thread, 16), 7, "exit code 9")
}

/// By how much repetitions differ.
#[derive(Clone, Copy)]
pub(in crate::render::page) struct Noise {
    /// Of the rate, at most.
    pub(in crate::render::page) share: f64,
    pub(in crate::render::page) seed: u64,
}

impl Noise {
    /// Six repetitions around a rate.
    fn six(self, random: &mut fastrand::Rng, mb_per_s: f64) -> [f64; 6] {
        // The sum of two is nearer to the middle.
        [(); 6].map(|()| mb_per_s * (1.0 + (random.f64() + random.f64() - 1.0) * self.share))
    }
}

/// Four sizes, three modes, five concurrencies, two clients' worth of spread, and a contender; some seeds are slower, throttle or run short.
pub(in crate::render::page) fn rich(noise: Noise) -> Sweep {
    const SIZES: [(u32, f64); 4] = [
        (512, 160.0),
        (1_024, 300.0),
        (2_048, 600.0),
        (4_096, 1_150.0),
    ];
    let random = &mut fastrand::Rng::with_seed(noise.seed);
    let mut sweep = Sweep::new("study-1");
    // What a worker gets, and what all of them get: each seed is another platform.
    let (each, all) = (12.0 + 8.0 * noise.seed as f64, 400.0 * noise.seed as f64);
    for (cpu_units, most) in SIZES {
        for (mode, part) in [
            (Mode::Async, 1.0),
            (Mode::Thread, 0.93),
            (Mode::Process, 0.9),
        ] {
            for concurrency in [4, 8, 16, 32, 64] {
                let cell = lean(cpu_units, mode, concurrency);
                let rate = (each * f64::from(concurrency)).min(most * part).min(all);
                sweep = sweep.tuned(&cell, &noise.six(random, rate), |record, summary| {
                    spread(&cell, record.repetition, summary);
                });
            }
        }
        for concurrency in [4, 16] {
            let cell = contender("python", &lean(cpu_units, Mode::Thread, concurrency));
            sweep = sweep.cell(&cell, &noise.six(random, 70.0));
        }
    }
    sweep
        .failed(
            &lean(4_096, Mode::Process, 64),
            7,
            "killed: <b>out of memory</b>",
        )
        .failed(&lean(256, Mode::Async, 4), 1, "did not start")
}

/// Times and seconds that differ, the same on every run.
fn spread(cell: &Cell, repetition: u32, summary: &mut Summary) {
    let mut state =
        u64::from(cell.cpu_units) << 20 | u64::from(cell.concurrency) << 8 | u64::from(repetition);
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 40
    };
    let mut ttfb = Histogram::default();
    for _ in 0..400 {
        // A product of two uniform numbers has a long tail.
        ttfb.record(
            6_000_000
                + (random() >> 9) * (random() >> 9) / 8
                + u64::from(cell.concurrency) * 100_000,
        );
    }
    summary.distributions.ttfb = ttfb.snapshot();
    if let Some(series) = &mut summary.series {
        for bytes in &mut series.bytes {
            *bytes = *bytes / 100 * (94 + random() % 10);
        }
    }
}

/// Opens what the sweep stored, and a timing CSV beside every summary.
pub(in crate::render::page) fn open(sweep: &Sweep) -> impl Fn(&str) -> io::Result<Box<dyn Read>> {
    let documents = sweep.documents.clone();
    move |name| {
        let text = if name.strip_suffix(".csv").is_some() {
            Some(csv())
        } else {
            documents.get(name).cloned()
        };
        text.map(|text| Box::new(Cursor::new(text.into_bytes())) as Box<dyn Read>)
            .ok_or_else(|| io::Error::other("gone"))
    }
}

/// 96 fetches of 8 workers; every 40th was retried, the 50th failed.
fn csv() -> String {
    let mut text =
        "Key (time = 80.0) sec,Size,CalcSize,Outcome,Attempts,StartNs,FirstByteNs,EndNs,Worker\r\n"
            .to_owned();
    for fetch in 0..96_u64 {
        let start = fetch / 8 * 60_000_000 + fetch % 8 * 3_000_000;
        let end = start + 40_000_000 + fetch % 5 * 4_000_000;
        let (outcome, attempts) = if fetch == 50 {
            ("failed", 5)
        } else {
            ("ok", 1 + u32::from(fetch % 40 == 20))
        };
        let size = BYTES / 3_200;
        writeln!(
            text,
            "k{fetch},{size},{size},{outcome},{attempts},{start},{},{end},{}\r",
            start + 11_000_000,
            fetch % 8
        )
        .unwrap();
    }
    text
}
