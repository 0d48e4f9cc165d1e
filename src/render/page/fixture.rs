//! A page with everything on it: five sizes, three modes, seven concurrencies, two clients, a contender, failures, gaps and hostile names. Made-up numbers.

use super::types::*;
use crate::render::wording::sections::Explanation;

/// Would run, break out of its element or its attribute, or start a formula.
pub(super) const HOSTILE: &str =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\n</script><!-- =1+1";

const MODES: [(&str, f64); 3] = [("async", 1.0), ("thread", 0.82), ("process", 0.74)];
const VCPU: [(&str, &str, f64); 5] = [
    ("0.25", "0.5 GB", 0.25),
    ("0.5", "1 GB", 0.5),
    ("1", "2 GB", 1.0),
    ("2", "4 GB", 2.0),
    ("4", "8 GB", 4.0),
];
const CONCURRENCY: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];

fn fact(label: &str, value: &str) -> Fact {
    Fact {
        label: label.to_owned(),
        value: value.to_owned(),
    }
}

fn line(who: &str, word: &str) -> Explanation {
    Explanation {
        who: who.to_owned(),
        word: word.to_owned(),
        because: HOSTILE.to_owned(),
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Repeatable noise around 1.
fn noise(random: &mut fastrand::Rng, width: f64) -> f64 {
    1.0 + (random.f64() - 0.5) * width
}

fn cell(
    random: &mut fastrand::Rng,
    (size, mode, concurrency): (usize, &str, u64),
    speed: f64,
) -> PageCell {
    let vcpu = VCPU[size].2;
    let wanted = concurrency as f64 * 13.5;
    let most = 160.0 * vcpu.powf(0.75) * 1.6 * speed;
    let median = wanted * most / (wanted.powi(3) + most.powi(3)).cbrt() * noise(random, 0.03);
    let spread = median * (0.02 + 0.04 * random.f64());
    let usd = vcpu * 0.045 / 3600.0 * 1e6 / median;
    PageCell {
        size,
        mode: mode.to_owned(),
        concurrency,
        repetitions: 6,
        throughput: Some(PageInterval {
            median,
            range: Some((median - spread, median + spread)),
        }),
        seconds: Some(PageInterval {
            median: 8000.0 / median,
            range: Some((8000.0 / (median + spread), 8000.0 / (median - spread))),
        }),
        ttfb_p50_ms: Some(11.0 + concurrency as f64 * 0.4),
        ttfb_p99_ms: Some(60.0 + concurrency as f64 * 2.0),
        latency_p50_ms: Some(36.0),
        latency_p99_ms: Some(190.0),
        cpu_s_per_gb: Some(0.31 / speed),
        memory_mb: Some(20.0 + concurrency as f64),
        usd: Some(usd * 2.6),
        attempts: Some(18_402),
        errors: Some(0),
        limit: "the network is the limit".to_owned(),
        ..PageCell::default()
    }
}

/// Shares, standings and knees, as the report would have set them.
fn judge(cells: &mut [PageCell]) {
    for size in 0..VCPU.len() {
        let best = cells
            .iter()
            .filter(|cell| cell.size == size)
            .map(|cell| cell.throughput.unwrap().median)
            .fold(0.0, f64::max);
        for cell in cells.iter_mut().filter(|cell| cell.size == size) {
            let rate = cell.throughput.unwrap();
            cell.share_of_best = Some(rate.median / best);
            cell.as_fast = cell.concurrency >= 16;
            cell.standing = if rate.median >= best {
                PageStanding::Highest
            } else {
                PageStanding::Measured
            };
        }
        let modes: std::collections::BTreeSet<String> =
            cells.iter().map(|cell| cell.mode.clone()).collect();
        for mode in modes {
            let of_mode = |cell: &&mut PageCell| cell.size == size && cell.mode == mode;
            let top = cells.iter_mut().filter(of_mode).max_by(|a, b| {
                a.throughput
                    .unwrap()
                    .median
                    .total_cmp(&b.throughput.unwrap().median)
            });
            if let Some(top) = top {
                top.best_of_mode = true;
            }
            if let Some(knee) = cells
                .iter_mut()
                .filter(of_mode)
                .find(|cell| cell.concurrency == 16)
            {
                knee.knee = true;
            }
        }
    }
}

/// Cheapest first, each faster than the one before.
fn front(cells: &[PageCell]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cells.len())
        .filter(|i| cells[*i].usd.is_some() && cells[*i].throughput.is_some())
        .collect();
    order.sort_by(|a, b| cells[*a].usd.unwrap().total_cmp(&cells[*b].usd.unwrap()));
    let mut fastest = 0.0;
    order.retain(|i| {
        let rate = cells[*i].throughput.unwrap().median;
        let better = rate > fastest;
        fastest = rate.max(fastest);
        better
    });
    order
}

fn cells(random: &mut fastrand::Rng, factor: f64, modes: &[(&str, f64)]) -> Vec<PageCell> {
    let mut out = Vec::new();
    for size in 0..VCPU.len() {
        for (mode, speed) in modes {
            for concurrency in CONCURRENCY {
                out.push(cell(random, (size, mode, concurrency), speed * factor));
            }
        }
    }
    judge(&mut out);
    out
}

fn client(random: &mut fastrand::Rng, name: &str, factor: f64) -> Client {
    let mut cells = cells(random, factor, &MODES);
    for (place, mut failed) in [(1, PageCell::default()), (20, cells[20].clone())] {
        failed = PageCell {
            standing: PageStanding::Failed,
            errors: Some(312),
            limit: HOSTILE.to_owned(),
            ..failed
        };
        (failed.size, failed.mode, failed.concurrency) = (
            cells[place].size,
            cells[place].mode.clone(),
            cells[place].concurrency,
        );
        cells[place] = PageCell {
            best_of_mode: false,
            knee: false,
            ..failed
        };
    }
    cells[30] = PageCell {
        standing: PageStanding::Missing,
        size: cells[30].size,
        mode: cells[30].mode.clone(),
        concurrency: cells[30].concurrency,
        ..PageCell::default()
    };
    cells.remove(40);
    for (size, label) in [(2, "Cheapest"), (4, "Fastest")] {
        let found = cells
            .iter_mut()
            .find(|cell| (cell.size, cell.mode.as_str(), cell.concurrency) == (size, "async", 32));
        let found = found.unwrap();
        label.clone_into(&mut found.chosen);
        found.mark = label.chars().take(1).collect();
    }
    Client {
        name: name.to_owned(),
        about: "Signs each GET itself and reads it on the worker’s own connection: it costs next to nothing, so it measures the platform.".to_owned(),
        choices: choices(),
        notes: strings(&[
            "The highest rate is 630 MB/s, with 4 vCPUs, 8 GB, thread × 64: there is no measurable difference, and the answer is the smallest of them.",
        ]),
        answer_size: cells.iter().find(|cell| !cell.chosen.is_empty()).map(|cell| cell.size),
        front: front(&cells),
        cells,
        histograms: Some(histograms(random)),
        series: Some(series(random)),
        timeline: Some(timeline(random)),
        predictions: vec![PagePrediction {
            statement: "118 GB in 3 min 20 s (3 min 15 s to 3 min 27 s), $0.021".to_owned(),
            rests_on: "if the burst rate holds for 200 s; runs of this size held it for 74 s; sustained rate not measured".to_owned(),
        }],
        price_unit: "million objects".to_owned(),
        ..Client::default()
    }
}

fn choices() -> Vec<PageChoice> {
    let snippet = |label: &str, text: &str| Snippet {
        label: label.to_owned(),
        text: text.to_owned(),
    };
    vec![
        PageChoice {
            label: "Cheapest".to_owned(),
            headline: "1 vCPU, 2 GB, async × 32".to_owned(),
            takes: "The whole bucket, 118 GB, takes 3 min 15 s to 3 min 27 s and costs $0.0212 (requests $0.0184).".to_owned(),
            sure: "Likely: nothing measured is more than 5 % cheaper (confidence 81 %).".to_owned(),
            sentences: strings(&[
                "As good: 1 vCPU, 2 GB, thread × 32.",
                "This is a burst rate, seen for 74 s: how long it lasts is not known (`--duration 20m` shows it).",
            ]),
            snippets: vec![
                snippet("Environment", "MODE=async CONCURRENCY=32 PARFETCH_CLIENT=lean"),
                snippet("Fargate task", "--overrides '{\"cpu\":\"1024\",\"memory\":\"2048\",\"containerOverrides\":[{\"name\":\"parfetch\"}]}'"),
            ],
        },
        PageChoice {
            label: "Fastest".to_owned(),
            headline: "4 vCPUs, 8 GB, async × 32".to_owned(),
            takes: "The whole bucket, 118 GB, takes 1 min 56 s to 2 min 8 s and costs $0.0251.".to_owned(),
            sure: "Sure: nothing measured is more than 5 % faster (confidence 97 %).".to_owned(),
            sentences: strings(&["At the edge of what was measured (the largest task): better may lie beyond."]),
            snippets: vec![snippet("Environment", "MODE=async CONCURRENCY=32 PARFETCH_CLIENT=lean")],
        },
    ]
}

fn histograms(random: &mut fastrand::Rng) -> Histograms {
    let panel = |random: &mut fastrand::Rng, mode: &str, middle: f64| {
        let edge = |i: u32| 10.0 * 10.0_f64.powf(f64::from(i) / 20.0);
        let weights: Vec<f64> = (0..40)
            .map(|i| (-(edge(i) / middle).ln().powi(2) * 3.0).exp() * noise(random, 0.2) + 0.002)
            .collect();
        let total: f64 = weights.iter().sum();
        let bin = |(i, weight): (u32, &f64)| Bin {
            from_ms: edge(i),
            to_ms: edge(i + 1),
            count: 4000 / 40,
            percent: weight / total * 100.0,
        };
        let mark = |label: &str, at_ms| Mark {
            label: label.to_owned(),
            at_ms,
        };
        PageHistogram {
            label: mode.to_owned(),
            mode: mode.to_owned(),
            summary: format!("p50 {middle} · p99 {} ms", middle * 6.0),
            bins: (0..40).zip(&weights).map(bin).collect(),
            marks: vec![mark("p50", middle), mark("p99", middle * 6.0)],
        }
    };
    let panels = [("async", 38.0), ("thread", 46.0), ("process", 61.0)]
        .map(|(mode, middle)| panel(random, mode, middle))
        .into();
    Histograms {
        caption: "1 vCPU, 32 workers, 4,000 requests per mode.".to_owned(),
        panels,
    }
}

fn series(random: &mut fastrand::Rng) -> PageSeries {
    let line = |random: &mut fastrand::Rng, mode: &str, level: f64| SeriesLine {
        label: mode.to_owned(),
        mode: mode.to_owned(),
        mb_per_s: (0..300)
            .map(|second| {
                let dip = if mode == "async" && (140..152).contains(&second) {
                    0.35
                } else {
                    1.0
                };
                level * dip * (1.0 - (-(f64::from(second) + 1.0) / 5.0).exp()) * noise(random, 0.08)
            })
            .collect(),
    };
    PageSeries {
        caption: "1 vCPU, 32 workers. async dips at 140 s: 12 seconds of 503 SlowDown.".to_owned(),
        lines: [("async", 350.0), ("thread", 285.0), ("process", 300.0)]
            .map(|(mode, level)| line(random, mode, level))
            .into(),
    }
}

fn timeline(random: &mut fastrand::Rng) -> Timeline {
    let mut fetches = Vec::new();
    for worker in 0..32 {
        let mut now = random.f64() * 0.02;
        for i in 0..22 {
            let first = now + 0.05 + random.f64() * 0.15;
            let retried = random.u8(..) < 12;
            let failed = random.u8(..) < 3;
            let end = first + 0.4 + random.f64() * 0.6 + f64::from(u8::from(retried));
            let outcome = if failed { "failed" } else { "ok" }.to_owned();
            let key = if i == 0 {
                format!("{HOSTILE}{worker}")
            } else {
                format!("photos/2026/{worker:02}/{i:04}.jpg")
            };
            let attempts = if failed { 5 } else { 1 + u32::from(retried) };
            fetches.push(TimelineFetch {
                worker,
                start_s: now,
                first_byte_s: (!failed).then_some(first),
                end_s: end,
                outcome,
                attempts,
                key,
            });
            now = end + 0.004;
        }
    }
    Timeline {
        caption: "One run of 1 vCPU, async × 32: 704 fetches.".to_owned(),
        fetches,
    }
}

fn contender(random: &mut fastrand::Rng) -> Client {
    let mut cells = cells(random, 0.3, &[("threads", 1.0)]);
    for cell in &mut cells {
        (cell.cpu_s_per_gb, cell.memory_mb, cell.usd, cell.attempts) = (None, None, None, None);
    }
    Client {
        name: "python".to_owned(),
        about: "A program of its own: python3 fetch.py.".to_owned(),
        role: ClientRole::Contender,
        choices: vec![PageChoice {
            label: "Fastest".to_owned(),
            headline: "4 vCPUs, 8 GB, threads × 16".to_owned(),
            takes: "How long the whole bucket takes is not known.".to_owned(),
            ..PageChoice::default()
        }],
        no_price: Some("No price: its runs were local.".to_owned()),
        cells,
        price_unit: "million objects".to_owned(),
        ..Client::default()
    }
}

/// Everything at once.
pub(super) fn rich() -> PageData {
    let random = &mut fastrand::Rng::with_seed(7);
    PageData {
        way: Vec::new(),
        way_curves: Vec::new(),
        title: "Cheapest for s3://images: 1 vCPU, 2 GB, async × 32".to_owned(),
        label: "Cheapest for s3://images".to_owned(),
        headline: "1 vCPU, 2 GB, async × 32".to_owned(),
        measured: "46,000 keys, 118 GB · eu-west-1 · each run: every key once · 244 configurations, 1,464 runs on this machine · made-up data"
            .to_owned(),
        sentences: Vec::new(),
        others_title: "For comparison, what this platform gives to other programs".to_owned(),
        others: strings(&["sdk client: 1 vCPU, 2 GB, async × 32, 5 min 1 s to 5 min 9 s, $0.0241", "python: fastest 4 vCPUs, 8 GB, threads × 16"]),
        caveats: strings(&["Measured on this machine: CPU, network and store are not Fargate's."]),
        cautions: strings(&[
            "7 of 1,464 repetitions failed: their configurations are marked and never recommended.",
            "Fetching took less than 1 s in 5 of 18 configurations, 0.56 s in the shortest; more keys or `--duration` say more.",
        ]),
        sizes: VCPU.iter().map(|(vcpu, memory, _)| PageSize { vcpu: (*vcpu).to_owned(), memory: Some((*memory).to_owned()), tasks: 1 }).collect(),
        clients: vec![client(random, "lean", 1.0), client(random, "sdk", 0.62), contender(random)],
        interval_label: "95 % interval".to_owned(),
        price_notes: strings(&[
            "The price is that of the tasks: requests cost $0.400 per million objects in every configuration.",
            "Prices of 2026-11-01.",
        ]),
        limits: vec![line("lean · 1 vCPU · 2 GB · async × 1, 2, 4", "more workers are faster")],
        failures: vec![line("1 vCPU · 2 GB · process × 16 · lean", "2 of 8 failed")],
        warnings: strings(&[HOSTILE, "3 runs were repeated: the machine was busy"]),
        facts: vec![fact("Where", "local · 8 CPUs, AMD EPYC 7R13"), fact("Limited by", "cgroup v2 CPU quota"), fact("Tag", HOSTILE)],
        method: strings(&["Medians of six repetitions in a seeded random order; the interval is of the median, by order statistics.", HOSTILE]),
        csv: "size,rate\r\n1,2\r\n".to_owned(),
        made_by: "parfetch 0.1.0".to_owned(),
    }
}

/// One size, one mode, one concurrency, no price, no series: as little as a report can have.
pub(super) fn small() -> PageData {
    let mut page = rich();
    page.sizes.truncate(1);
    page.clients.truncate(1);
    let client = &mut page.clients[0];
    client
        .cells
        .retain(|cell| cell.size == 0 && cell.mode == "async" && cell.concurrency == 16);
    client.cells[0].usd = None;
    (client.cells[0].standing, client.cells[0].share_of_best) = (PageStanding::Highest, Some(1.0));
    client.front.clear();
    client.no_price = Some("No price: local runs.".to_owned());
    client.choices.clear();
    (page.label, page.headline) = (
        "s3://images".to_owned(),
        "200 MB/s with async × 16".to_owned(),
    );
    page.title = "s3://images: 200 MB/s with async × 16".to_owned();
    page.others.clear();
    page.sentences = strings(&[
        "Each run fetched 8 GB in 40 s to 41 s at 200 MB/s.",
        "No price: local runs.",
        "One configuration: whether others are faster or cheaper, `parfetch sweep` shows.",
    ]);
    let client = &mut page.clients[0];
    (client.histograms, client.series, client.timeline) = (None, None, None);
    page
}

/// Several memory sizes and task counts of one vCPU, thirty cells for each of two clients.
pub(super) fn alike() -> PageData {
    let mut page = rich();
    page.sizes = [
        ("1", "2 GB", 1),
        ("1", "8 GB", 1),
        ("1", "8 GB", 10),
        ("2", "4 GB", 1),
        ("16", "120 GB", 1),
    ]
    .map(|(vcpu, memory, tasks)| PageSize {
        vcpu: vcpu.to_owned(),
        memory: Some(memory.to_owned()),
        tasks,
    })
    .into();
    page.clients.truncate(2);
    page.clients[1].name = HOSTILE.to_owned();
    page.clients[1].role = ClientRole::Contender;
    for client in &mut page.clients {
        client
            .cells
            .retain(|cell| cell.mode != "process" && [4, 16, 64].contains(&cell.concurrency));
        for cell in client
            .cells
            .iter_mut()
            .filter(|cell| cell.concurrency == 64)
        {
            cell.concurrency = 65_535;
        }
        client.front = front(&client.cells);
    }
    page
}
