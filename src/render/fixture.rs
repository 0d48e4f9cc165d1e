//! A study put together by hand for tests of what is rendered: no analysis runs, so a figure changes here or not at all.

use std::collections::BTreeMap;

use crate::analysis::advice::{
    Basis, Choice, Cost, FirstLook, Lack, PredictedBucket, Prediction, Recommendation, ScaledBy,
};
use crate::analysis::grounds::Ground;
use crate::analysis::metric::Metric;
use crate::analysis::model::{
    Against, CellReport, CellVerdict, Curve, Facts, FailedRepetition, Figure, Interval, Limit,
    Place, SpeedUp, Standing, Study, Workload,
};
use crate::analysis::notes::{CellNote, CurveNote, Note, PredictedPhase};
use crate::analysis::observation::Observation;
use crate::analysis::{Comparison, compare};
use crate::cell::{Cell, Program};
use crate::plan::{ClientKind, Layout, Mode, Work};

/// A value in every place where somebody else chooses the text.
pub(crate) const HOSTILE: &str =
    "=a|b<script>alert(1)</script>`c`\n*d*\u{1b}[2J\u{202e}[x](http://evil.example)";

/// Program of lean.
pub(crate) const LEAN: Program = Program::Client(ClientKind::Lean);

/// A cell with 2 GB a vCPU.
pub(crate) fn cell(program: &Program, vcpu: u32, mode: Mode, concurrency: u32) -> Cell {
    Cell {
        program: program.clone(),
        cpu_units: vcpu * 1024,
        memory_mib: vcpu * 2048,
        mode,
        concurrency,
        shards: 1,
        factors: crate::plan::Factors::default(),
    }
}

/// The figure of values whose range is the interval, as it is for six to eight repetitions.
pub(crate) fn figure(values: &[f64]) -> Figure {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
    let interval = (n >= 6).then(|| Interval {
        low: sorted[0],
        high: sorted[n - 1],
        level: 1.0 - f64::exp2(1.0 - n as f64),
    });
    Figure {
        values: values.to_vec(),
        median,
        interval,
        n,
    }
}

/// Six repetitions around a rate in MB/s, half of their range being `half`.
pub(crate) fn around(mb_per_s: f64, half: f64) -> Vec<f64> {
    [-1.0, -0.5, -0.1, 0.1, 0.5, 1.0]
        .map(|by| (mb_per_s + by * half) * 1e6)
        .into()
}

/// A cell with these throughputs.
pub(crate) fn report(cell: Cell, throughputs: &[f64]) -> CellReport {
    let mut figures = BTreeMap::new();
    if !throughputs.is_empty() {
        figures.insert(Metric::Throughput, figure(throughputs));
        figures.insert(Metric::TtfbP99, figure(&vec![0.081_3; throughputs.len()]));
        figures.insert(
            Metric::UsdPerTb,
            figure(
                &throughputs
                    .iter()
                    .map(|rate| 0.1 + 1e7 / rate)
                    .collect::<Vec<_>>(),
            ),
        );
        figures.insert(
            Metric::TaskUsdPerTb,
            figure(
                &throughputs
                    .iter()
                    .map(|rate| 1e7 / rate)
                    .collect::<Vec<_>>(),
            ),
        );
        figures.insert(Metric::FailedObjects, figure(&vec![0.0; throughputs.len()]));
    }
    let concurrency = cell.concurrency;
    CellReport {
        cell,
        observations: throughputs.iter().map(|_| Observation::default()).collect(),
        failures: Vec::new(),
        figures,
        steady: throughputs.to_vec(),
        verdict: CellVerdict {
            word: Limit::PerConnectionBound,
            because: vec![Ground::Faster {
                concurrency: concurrency * 2,
                gain: 0.98,
            }],
        },
        standing: Standing::Unknown,
        is_as_fast: false,
        is_knee: false,
        speed_ups: Vec::new(),
        fargate: None,
        cost: None,
        held: None,
        prediction: None,
        notes: Vec::new(),
    }
}

/// A study of one curve: 1, 2, … workers with these throughputs.
pub(crate) fn curve(throughputs: impl IntoIterator<Item = Vec<f64>>) -> Study {
    let cells = (1..)
        .zip(throughputs)
        .map(|(concurrency, values)| report(cell(&LEAN, 1, Mode::Async, concurrency), &values));
    study(cells.collect())
}

/// A comparison that found one configuration slower.
pub(crate) fn slower() -> Comparison {
    let set = |rate| {
        let cell = cell(&LEAN, 1, Mode::Async, 16);
        study(vec![report(cell, &around(rate, 8.0))])
    };
    compare(&[set(600.0)], &[set(540.0)], Metric::Throughput)
}

/// A study of cells in their order, its curves being neighbours that differ in concurrency alone.
pub(crate) fn study(cells: Vec<CellReport>) -> Study {
    let mut curves: Vec<Curve> = Vec::new();
    for (place, report) in cells.iter().enumerate() {
        let Cell {
            program,
            cpu_units,
            memory_mib,
            mode,
            shards,
            ..
        } = report.cell.clone();
        match curves.last_mut() {
            Some(curve)
                if (&curve.program, curve.cpu_units, curve.mode, curve.shards)
                    == (&program, cpu_units, mode, shards) =>
            {
                curve.cells.push(place);
            }
            _ => curves.push(Curve {
                program,
                cpu_units,
                memory_mib,
                mode,
                shards,
                factors: crate::plan::Factors::default(),
                cells: vec![place],
                knee: None,
                note: None,
            }),
        }
    }
    let workload = Workload {
        sample: None,
        bucket: "images".to_owned(),
        http: None,
        prefix: String::new(),
        limit: Some(3_200),
        duration_ns: None,
        work: Some(Work::None),
        layout: Some(Layout::default()),
        keys_sha256: Some("0123456789abcdef".repeat(4)),
        keys: Some(46_000),
        bytes: Some(118_000_000_000),
        region: Some("us-east-1".to_owned()),
        endpoint: None,
        embedded: None,
        place: Place {
            on: "ecs".to_owned(),
            arch: Some("x86_64".to_owned()),
            machine: None,
        },
    };
    let facts = Facts {
        sweeps: vec!["study-1".to_owned()],
        first_start: Some("2026-11-20T10:00:00Z".to_owned()),
        last_start: Some("2026-11-20T12:10:00Z".to_owned()),
        tool_versions: vec!["0.1.0".to_owned()],
        limited_by: vec!["ecs-task".to_owned()],
        planned_repetitions: Some(6),
        observations: cells
            .iter()
            .map(|cell| cell.observations.len() as u64)
            .sum(),
        failures: cells.iter().map(|cell| cell.failures.len() as u64).sum(),
        prices_dated: Some("2026-11-01".to_owned()),
        ..Facts::default()
    };
    Study {
        workload,
        facts,
        cells,
        curves,
        recommendations: Vec::new(),
        served: None,
        notes: Vec::new(),
    }
}

/// Rates and half of their ranges at concurrency 1, 2, 4, 8, 16.
type Rates<'a> = (&'a Program, u32, Mode, [(f64, f64); 5]);

/// The matrix of the design's sketch, with every mark in it.
pub(crate) fn sketch() -> Study {
    let python = Program::Contender("python-thr".to_owned());
    let rows: [Rates<'_>; 8] = [
        (
            &LEAN,
            1,
            Mode::Async,
            [
                (63.0, 1.0),
                (126.0, 1.2),
                (251.0, 2.0),
                (486.0, 5.0),
                (590.0, 8.0),
            ],
        ),
        (
            &LEAN,
            1,
            Mode::Thread,
            [
                (62.0, 1.0),
                (125.0, 1.0),
                (247.0, 2.0),
                (470.0, 6.0),
                (586.0, 9.0),
            ],
        ),
        (
            &LEAN,
            1,
            Mode::Process,
            [
                (62.0, 1.0),
                (124.0, 1.0),
                (243.0, 3.0),
                (452.0, 6.0),
                (540.0, 9.0),
            ],
        ),
        (
            &LEAN,
            4,
            Mode::Async,
            [
                (63.4, 1.0),
                (127.0, 1.0),
                (253.0, 2.0),
                (502.0, 5.0),
                (1_003.0, 12.0),
            ],
        ),
        (
            &LEAN,
            4,
            Mode::Thread,
            [
                (63.1, 1.0),
                (126.0, 1.0),
                (252.0, 2.0),
                (500.0, 5.0),
                (981.0, 14.0),
            ],
        ),
        (
            &LEAN,
            4,
            Mode::Process,
            [
                (63.0, 1.0),
                (125.0, 1.0),
                (250.0, 2.0),
                (499.0, 5.0),
                (970.0, 11.0),
            ],
        ),
        (
            &python,
            1,
            Mode::Thread,
            [
                (51.0, 2.0),
                (74.0, 3.0),
                (73.0, 3.0),
                (72.0, 3.0),
                (71.0, 4.0),
            ],
        ),
        (
            &python,
            4,
            Mode::Thread,
            [
                (52.0, 2.0),
                (75.0, 3.0),
                (75.0, 3.0),
                (74.0, 3.0),
                (73.0, 4.0),
            ],
        ),
    ];
    let mut cells: Vec<CellReport> = Vec::new();
    for (program, vcpu, mode, rates) in rows {
        for (concurrency, (rate, half)) in [1, 2, 4, 8, 16].into_iter().zip(rates) {
            cells.push(report(
                cell(program, vcpu, mode, concurrency),
                &around(rate, half),
            ));
        }
    }
    cells[4].standing = Standing::Best;
    cells[4].verdict = CellVerdict {
        word: Limit::CpuBound,
        because: vec![
            Ground::CpuShare {
                share: 0.971,
                vcpu: 1.0,
                of_whole: false,
            },
            Ground::TailShare(0.011),
        ],
    };
    cells[9].standing = Standing::Indistinguishable { p: Some(0.41) };
    cells[19].standing = Standing::Best;
    for place in [4, 9, 14, 19, 24, 31, 32, 33, 34] {
        cells[place].is_as_fast = true;
    }
    cells[14].failures = vec![
        failure(3, "exit code 1: out of memory"),
        failure(4, "exit code 1: out of memory"),
    ];
    cells[29] = report(cell(&LEAN, 4, Mode::Process, 16), &[]);
    cells[29].failures = vec![failure(1, "no capacity")];
    cells[29].verdict = CellVerdict {
        word: Limit::Failed,
        because: vec![Ground::Failure("no capacity".to_owned())],
    };
    cells[3].notes = vec![CellNote::Tries(2)];
    cells[4].speed_ups = vec![
        SpeedUp {
            against: cells[0].cell.clone(),
            kind: Against::First,
            ratio: 9.37,
            interval: Some(Interval {
                low: 9.1,
                high: 9.6,
                level: 0.957,
            }),
        },
        SpeedUp {
            against: cells[34].cell.clone(),
            kind: Against::Contender,
            ratio: 8.31,
            interval: Some(Interval {
                low: 7.8,
                high: 8.9,
                level: 0.957,
            }),
        },
    ];
    cells[19].speed_ups = vec![SpeedUp {
        against: cells[0].cell.clone(),
        kind: Against::First,
        ratio: 15.9,
        interval: None,
    }];
    // Not run at all.
    cells.remove(35);
    let mut study = study(cells);
    for (place, knee) in [(0, 16), (1, 16), (2, 16), (3, 16), (4, 16), (6, 2)] {
        study.curves[place].knee = Some(knee);
    }
    study.curves[0].note = Some(CurveNote::KneeAtEnd);
    study.curves[7].note = Some(CurveNote::OnePoint);
    predict(&mut study);
    study.notes = vec![Note::Failed { failed: 3, of: 234 }];
    study.facts.warnings = BTreeMap::from([("the network interface was shared".to_owned(), 12)]);
    study
}

/// The same with an answer for the contender, which comes first.
pub(crate) fn brought() -> Study {
    let mut study = sketch();
    let place = 31;
    let mut prediction = study.cells[4].prediction.clone().unwrap();
    (prediction.seconds, prediction.fetch_s) = (1_610.0, 1_600.0);
    prediction.interval = Some(Interval {
        low: 1_580.0,
        high: 1_650.0,
        level: 0.968_75,
    });
    study.cells[place].prediction = Some(prediction);
    // As many workers of the same mode.
    study.cells[6].speed_ups = vec![SpeedUp {
        against: study.cells[place].cell.clone(),
        kind: Against::Contender,
        ratio: 1.69,
        interval: Some(Interval {
            low: 1.6,
            high: 1.8,
            level: 0.957,
        }),
    }];
    let lean = study.recommendations.remove(0);
    let choice = Choice {
        cell: place,
        environment: vec![
            ("MODE".to_owned(), "thread".to_owned()),
            ("CONCURRENCY".to_owned(), "2".to_owned()),
        ],
        tied_with: vec![32, 33],
        // It ran on this machine, in no container of its own.
        run_task_overrides: None,
        ..lean.cheapest.clone().unwrap()
    };
    let python = Recommendation {
        program: study.cells[place].cell.program.clone(),
        factors: study.cells[place].cell.factors.clone(),
        cheapest: Some(choice.clone()),
        fastest: Some(choice),
        pareto: vec![place],
        because: None,
    };
    study.recommendations = vec![python, lean];
    study
}

fn failure(repetition: u32, reason: &str) -> FailedRepetition {
    FailedRepetition {
        document: format!("s3://results/sweeps/study-1/r0{repetition}-a1/repetition.json"),
        repetition,
        reason: reason.to_owned(),
        ..FailedRepetition::default()
    }
}

fn predict(study: &mut Study) {
    let cost = |usd_task| Cost {
        usd_task,
        usd_requests: Some(0.0184),
        usd_retrieval: Some(0.0),
        usd_egress: None,
        billed_s: 201.0,
        is_minimum: false,
        prices_dated: "2026-11-01".to_owned(),
        is_hypothetical: false,
        is_of_on_demand: false,
    };
    let prediction = |seconds: f64, usd_task| Prediction {
        bucket: Some(PredictedBucket {
            keys: 46_000,
            bytes: 118_000_000_000,
            scaled_by: ScaledBy::Bytes,
            objects_over_bytes: 1.0,
            basis: Basis::Burst {
                held_s: 74.0,
                needed_s: seconds - 4.0,
            },
        }),
        seconds,
        interval: Some(Interval {
            low: seconds - 6.0,
            high: seconds + 6.0,
            level: 0.968_75,
        }),
        usd_interval: None,
        runs_s: vec![seconds; 6],
        runs_order: Vec::new(),
        order: None,
        fetch_s: seconds - 4.0,
        parts: vec![
            (PredictedPhase::Listing, 4.0),
            (PredictedPhase::Fetch, seconds - 4.0),
        ],
        cost: Some(cost(usd_task)),
        notes: Vec::new(),
    };
    study.cells[4].prediction = Some(prediction(204.0, 0.0028));
    study.cells[4].cost = Some(cost(0.0002));
    study.cells[19].prediction = Some(prediction(122.0, 0.0067));
    let choice = |place: usize| {
        Choice {
        cell: place,
        confidence: Some(0.97),
        confidence_with_ties: Some(1.0),
        confidence_near: Some(0.97),
        tied_with: Vec::new(),
        at_edge: Vec::new(),
        knee: None,
        first_look: None,
        environment: vec![("MODE".to_owned(), "async".to_owned()), ("CONCURRENCY".to_owned(), "16".to_owned())],
        run_task_overrides: Some(r#"{"cpu":"1024","memory":"2048","containerOverrides":[{"name":"parfetch","environment":[]}]}"#.to_owned()),
        left_out: 0,
    }
    };
    study.recommendations = vec![Recommendation {
        program: LEAN,
        factors: crate::plan::Factors::default(),
        cheapest: Some(choice(4)),
        fastest: Some(choice(19)),
        pareto: vec![19, 4],
        because: None,
    }];
}

/// A study in which every text that comes from outside is [`HOSTILE`].
pub(crate) fn hostile() -> Study {
    let text = || HOSTILE.to_owned();
    let contender = Program::Contender(text());
    let mut cells = vec![
        report(cell(&LEAN, 1, Mode::Async, 1), &around(63.0, 1.0)),
        report(cell(&contender, 1, Mode::Async, 1), &around(51.0, 1.0)),
    ];
    cells[0].failures = vec![FailedRepetition {
        document: text(),
        reason: text(),
        repetition: 1,
        ..FailedRepetition::default()
    }];
    cells[1].verdict.because = vec![Ground::Failure(text())];
    cells[0].speed_ups = vec![SpeedUp {
        against: cells[1].cell.clone(),
        kind: Against::Contender,
        ratio: 1.2,
        interval: None,
    }];
    let mut study = study(cells);
    study.workload.bucket = text();
    study.workload.prefix = text();
    study.workload.region = Some(text());
    study.workload.endpoint = Some(text());
    study.workload.embedded = Some(text());
    study.workload.place.on = text();
    study.workload.place.arch = Some(text());
    study.facts.sweeps = vec![text()];
    study.facts.cpu_model = Some(text());
    study.facts.system = Some(text());
    study.facts.limited_by = vec![text()];
    study.facts.tool_versions = vec![text()];
    study.facts.warnings = BTreeMap::from([(text(), 1)]);
    study.notes = vec![Note::Versions(vec![text()])];
    study.recommendations = vec![Recommendation {
        program: contender,
        factors: crate::plan::Factors::default(),
        cheapest: Some(Choice {
            cell: 1,
            confidence: None,
            confidence_with_ties: None,
            confidence_near: None,
            tied_with: vec![0],
            at_edge: Vec::new(),
            knee: None,
            first_look: Some(FirstLook::Repetitions(1)),
            left_out: 0,
            environment: vec![("MODE".to_owned(), text())],
            run_task_overrides: Some(text()),
        }),
        fastest: None,
        pareto: Vec::new(),
        because: Some(Lack::NoSize),
    }];
    study
}
