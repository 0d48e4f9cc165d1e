//! The summary of a run as a person reads it: aligned, at most as wide as asked, in words where colour says something too.

use super::{Style, bars, one_line};
use crate::results::summary::{Limit, Price, State, Summary};
use crate::stats::histogram::Snapshot;
use crate::units;

/// What stands where nothing is known.
const UNKNOWN: &str = "–";
/// Where values begin.
const VALUE_COLUMN: usize = 15;
/// Where details begin, also on the lines that they are continued on.
const DETAIL_COLUMN: usize = 28;
/// Narrower than this is not tried.
const NARROWEST: usize = 60;
/// A fetch phase shorter than this says nothing about hours: the longest burst that anybody reported for a Fargate task was 19 minutes.
const BURST_NS: u64 = 20 * 60 * units::SECOND_NS;

/// The summary, every line with its line end, in lines of at most `width` columns where that is possible; 80 always suffice.
pub fn render_run(summary: &Summary, style: Style, width: usize) -> String {
    let mut page = Page { style, width: width.max(NARROWEST), lines: Vec::new() };
    page.state(summary);
    page.objects(summary);
    page.sample(summary);
    page.bytes(summary);
    page.not_fetched(summary);
    page.wall(summary);
    page.throughput(summary);
    page.requests(summary);
    page.in_flight(summary);
    page.cpu(summary);
    page.price(summary);
    page.percentiles(summary);
    page.latencies(summary);
    page.verdict(summary);
    page.results(summary);
    page.lines.join("\n") + "\n"
}

/// One piece of a line and what it means.
enum Part {
    Fact(String),
    Caution(String),
    Bad(String),
}

impl Part {
    fn width(&self) -> usize {
        let (Self::Fact(text) | Self::Caution(text) | Self::Bad(text)) = self;
        console::measure_text_width(text)
    }

    fn styled(&self, style: Style) -> String {
        match self {
            Self::Fact(text) => text.clone(),
            Self::Caution(text) => style.caution(text),
            Self::Bad(text) => style.bad(text),
        }
    }
}

struct Page {
    style: Style,
    width: usize,
    lines: Vec<String>,
}

impl Page {
    /// `  Label        value        part · part`, continued below the first part where the line is full.
    fn line(&mut self, label: &str, value: &str, parts: &[Part]) {
        let head = format!("  {label:<w$}{value}", w = VALUE_COLUMN - 2);
        let mut column = console::measure_text_width(&head);
        let mut line = head;
        for (i, part) in parts.iter().enumerate() {
            let separator = if i == 0 { String::new() } else { " · ".to_owned() };
            if i == 0 {
                let gap = DETAIL_COLUMN.saturating_sub(column).max(2);
                line += &" ".repeat(gap);
                column += gap;
            } else if column + 3 + part.width() > self.width {
                self.lines.push(std::mem::replace(&mut line, " ".repeat(DETAIL_COLUMN)));
                column = DETAIL_COLUMN + part.width();
                line += &part.styled(self.style);
                continue;
            }
            column += separator.chars().count() + part.width();
            line += &separator;
            line += &part.styled(self.style);
        }
        self.lines.push(line);
    }

    fn state(&mut self, summary: &Summary) {
        let word = match summary.state {
            State::Complete => return,
            State::Running => "running: the run has not ended, or it died",
            State::Interrupted => "interrupted: these are partial results",
            State::Failed => "failed: these results do not count",
        };
        let word = self.style.caution(word);
        self.line("State", &word, &[]);
    }

    fn objects(&mut self, summary: &Summary) {
        let Some(totals) = summary.totals else { return self.line("Objects", UNKNOWN, &[]) };
        let rows = totals.rows;
        let mut parts = vec![Part::Fact(format!("{} ok", units::count(rows.ok)))];
        let failed = format!("{} failed", units::count(rows.failed));
        parts.push(if rows.failed > 0 { Part::Bad(failed) } else { Part::Fact(failed) });
        let vanished = format!("{} vanished", units::count(rows.vanished));
        parts.push(if rows.vanished > 0 { Part::Caution(vanished) } else { Part::Fact(vanished) });
        for (count, what) in [(rows.archived, "archived"), (rows.not_attempted, "not attempted")] {
            if count > 0 {
                parts.push(Part::Caution(format!("{} {what}", units::count(count))));
            }
        }
        if totals.rounds > 1 {
            parts.push(Part::Fact(format!("{} rounds", units::count(totals.rounds))));
        }
        self.line("Objects", &units::count(totals.keys_listed), &parts);
    }

    /// What the objects are of the bucket, where they are not all of it.
    fn sample(&mut self, summary: &Summary) {
        if let Some(limit) = summary.settings.selection.limit {
            self.line("Limit", &units::count(limit), &[Part::Fact("the first of the listing: the others may be unlike them (--sample)".to_owned())]);
        }
        let Some(sample) = &summary.sample else { return };
        let mut parts = vec![Part::Fact(format!("{} at random, seed {}", sample.asked, sample.seed))];
        parts.extend(sample.of_bytes.map(|bytes| Part::Fact(format!("of {}", units::bytes(bytes)))));
        self.line("Sample of", &units::count(sample.of_keys), &parts);
    }

    fn bytes(&mut self, summary: &Summary) {
        let Some(totals) = summary.totals else { return self.line("Bytes", UNKNOWN, &[]) };
        let mean = totals.goodput_bytes.checked_div(totals.rows.ok).map_or_else(|| UNKNOWN.to_owned(), units::bytes);
        let mut parts = vec![Part::Fact(format!("{mean} mean"))];
        let goodput = units::bytes(totals.goodput_bytes);
        if let Some(received) = totals.received_bytes.map(units::bytes).filter(|received| *received != goodput) {
            parts.push(Part::Fact(format!("{received} received")));
        }
        self.line("Bytes", &goodput, &parts);
    }

    /// Objects that did not end `ok`, and their bytes as listed. Nothing where all did.
    fn not_fetched(&mut self, summary: &Summary) {
        let Some(totals) = summary.totals else { return };
        let (ok, all) = (totals.rows.ok, totals.rows.sum());
        if ok == all {
            return;
        }
        let mut parts = vec![Part::Caution(format!("{} of the objects", units::percent((all - ok) as f64 / all as f64)))];
        if let Some(bytes) = totals.row_bytes {
            let (left, listed) = (bytes.sum() - bytes.ok, bytes.sum());
            parts.push(Part::Fact(format!("{} of {} as listed", units::bytes(left), units::bytes(listed))));
        }
        self.line("Not fetched", &units::count(all - ok), &parts);
    }

    fn wall(&mut self, summary: &Summary) {
        let phases = &summary.phases;
        let tail = summary.rates.tail_share.map_or_else(String::new, |share| format!(" (tail {})", units::percent(share)));
        let ordering = phases.ordering_ns.map_or_else(String::new, |ns| format!(" (ordering {})", units::duration(ns)));
        let all = [
            ("start-up", phases.start_up_ns, ""),
            ("listing", phases.listing_ns, ordering.as_str()),
            ("worker start", phases.worker_start_ns, ""),
            ("fetch", phases.fetch_ns, tail.as_str()),
            ("write-back", phases.write_back_ns, ""),
        ];
        let whole: u64 = all.iter().filter_map(|phase| phase.1).sum();
        let whole = if all.iter().all(|phase| phase.1.is_none()) { UNKNOWN.to_owned() } else { units::duration(whole) };
        let parts: Vec<Part> = all.iter().map(|(name, time, note)| Part::Fact(format!("{name} {}{note}", duration(*time)))).collect();
        self.line("Wall", &whole, &parts);
    }

    fn throughput(&mut self, summary: &Summary) {
        let rates = &summary.rates;
        let or_unknown = |rate: Option<f64>, text: fn(f64) -> String| rate.map_or_else(|| UNKNOWN.to_owned(), text);
        let parts = [
            Part::Fact(or_unknown(rates.throughput_bytes_per_s, units::rate_gbit)),
            Part::Fact(format!("goodput {}", or_unknown(rates.goodput_bytes_per_s, units::rate_mb))),
            Part::Fact(format!("active window {}", or_unknown(rates.active_window_bytes_per_s, units::rate_mb))),
        ];
        self.line("Throughput", &or_unknown(rates.throughput_bytes_per_s, units::rate_mb), &parts);
    }

    fn requests(&mut self, summary: &Summary) {
        let rate = summary.rates.requests_per_s.map_or_else(|| UNKNOWN.to_owned(), |rate| format!("{} /s", units::three_digits(rate)));
        let Some(attempts) = &summary.attempts else { return self.line("Requests", &rate, &[]) };
        let mut parts = vec![Part::Fact(format!("{} attempts", units::count(attempts.total)))];
        parts.extend(attempts.by_code.iter().map(|(code, count)| Part::Caution(format!("{} {code}", units::count(*count)))));
        if attempts.backoff_ns > 0 {
            parts.push(Part::Fact(format!("{} backing off", units::duration(attempts.backoff_ns))));
        }
        if let Some(opened) = attempts.connections_opened {
            parts.push(Part::Fact(plural(opened, "connection", "connections")));
        }
        self.line("Requests", &rate, &parts);
    }

    fn in_flight(&mut self, summary: &Summary) {
        let Some(found) = summary.in_flight else { return self.line("In flight", UNKNOWN, &[]) };
        let mean = found.mean.map_or_else(|| UNKNOWN.to_owned(), |mean| format!("{} mean", units::three_digits(mean)));
        let most = found.most.map_or_else(|| UNKNOWN.to_owned(), |most| units::count(u64::from(most)));
        let parts = [
            Part::Fact(format!("{most} most")),
            Part::Fact(format!("first starts within {}", duration(found.first_start_spread_ns))),
            Part::Fact(format!("last ends within {}", duration(found.last_end_spread_ns))),
            Part::Fact(format!("{}, {}", plural(found.pids, "process", "processes"), plural(found.tids, "thread", "threads"))),
        ];
        self.line("In flight", &mean, &parts);
    }

    fn cpu(&mut self, summary: &Summary) {
        let cpu = &summary.cpu;
        let per_gb = cpu.s_per_gb.map_or_else(|| UNKNOWN.to_owned(), |seconds| format!("{} s/GB", units::three_digits(seconds)));
        let per_request = cpu.us_per_request.map_or_else(|| UNKNOWN.to_owned(), units::three_digits);
        let used = cpu.used_vcpu.map_or_else(|| UNKNOWN.to_owned(), |used| format!("{used:.2}"));
        let limit = cpu.limit_vcpu.map_or_else(|| UNKNOWN.to_owned(), |limit| limit.to_string());
        let memory = summary.memory.peak_pss_bytes.or(summary.memory.peak_rss_bytes).map_or_else(|| UNKNOWN.to_owned(), units::bytes);
        let throttled = format!("throttled {}", duration(cpu.throttled_ns));
        let parts = [
            Part::Fact(format!("{per_request} µs/request")),
            Part::Fact(format!("{used} of {limit} vCPU")),
            if cpu.throttled_ns.is_some_and(|ns| ns > 0) { Part::Caution(throttled) } else { Part::Fact(throttled) },
            Part::Fact(format!("peak memory {memory}")),
        ];
        self.line("CPU", &per_gb, &parts);
    }

    fn price(&mut self, summary: &Summary) {
        let Some(price) = &summary.price else {
            let why = summary.no_price.iter().map(|why| Part::Fact(why.clone())).collect::<Vec<_>>();
            return self.line("Price", UNKNOWN, &why);
        };
        let parts: Vec<Part> = price_parts(price, summary.region.as_deref()).into_iter().map(Part::Fact).collect();
        self.line("Price", &dollars(price.usd_total), &parts);
    }

    fn percentiles(&mut self, summary: &Summary) {
        let all = &summary.distributions;
        self.lines.push(String::new());
        self.lines.push(format!("  {:<8}{}", "", ["p10", "p50", "p90", "p99", "p99.9", "max"].map(|name| format!("{name:>9}")).concat()));
        for (label, snapshot) in [("TTFB", &all.ttfb), ("Latency", &all.latency), ("Fetch", &all.fetch_duration)] {
            let Snapshot { p10_ns, p50_ns, p90_ns, p99_ns, p99_9_ns, max_ns, .. } = snapshot;
            let cells = [p10_ns, p50_ns, p90_ns, p99_ns, p99_9_ns, max_ns].map(|time| format!("{:>9}", duration(*time)));
            self.lines.push(format!("  {label:<8}{}", cells.concat()));
        }
    }

    fn latencies(&mut self, summary: &Summary) {
        let Ok(histogram) = summary.distributions.latency.histogram() else { return };
        let rows = bars::rows(&histogram, (self.width - 50).min(60));
        if !rows.is_empty() {
            self.lines.extend([String::new(), "  Latency histogram".to_owned()]);
            self.lines.extend(rows);
        }
    }

    fn verdict(&mut self, summary: &Summary) {
        self.lines.push(String::new());
        let Some(verdict) = &summary.verdict else {
            self.lines.push(format!("  Verdict: {UNKNOWN}"));
            return;
        };
        let mut because = verdict.because.join("; ");
        if let Some(first) = because.get(..1) {
            because = first.to_uppercase() + &because[1..];
        }
        let mut text = because + ".";
        let fetch_ns = summary.phases.fetch_ns.filter(|ns| (1..BURST_NS).contains(ns));
        if let Some(ns) = fetch_ns.filter(|_| summary.endpoint.is_none() && summary.server.is_none()) {
            text = format!("{text} A burst rate: {} say nothing about hours.", units::duration(ns));
        }
        let word = verdict.word.as_str();
        let marked = if verdict.word == Limit::Failed { self.style.bad(word) } else { self.style.strong(word) };
        let mut line = format!("  Verdict: {marked}.");
        let mut column = 12 + word.len();
        for piece in text.split(' ') {
            let columns = piece.chars().count();
            if column + 1 + columns > self.width {
                self.lines.push(std::mem::replace(&mut line, " ".repeat(10)));
                column = 10;
            }
            line += " ";
            line += piece;
            column += 1 + columns;
        }
        self.lines.push(line);
    }

    fn results(&mut self, summary: &Summary) {
        let place = &summary.settings.destination;
        let name = &summary.result_name;
        if let Some(bucket) = &place.bucket {
            self.lines.push(one_line(&format!("  Results: s3://{bucket}/{}{name}.csv and .json", place.prefix)));
        }
        if let Some(folder) = &place.out {
            self.lines.push(one_line(&format!("  Results: {}.csv and .json", folder.join(name).display())));
        }
    }
}

fn duration(time: Option<u64>) -> String {
    time.map_or_else(|| UNKNOWN.to_owned(), units::duration)
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", units::count(count), if count == 1 { one } else { many })
}

/// What a price is made of, what it is the price of, and what it rests on.
fn price_parts(price: &Price, bucket_region: Option<&str>) -> Vec<String> {
    let Price { task, usd_requests, .. } = price;
    let share = units::percent(usd_requests / price.usd_total.max(f64::MIN_POSITIVE));
    let others = [(price.usd_storage, "storage"), (price.usd_retrieval, "retrieval")].into_iter().filter(|(usd, _)| *usd > 0.0);
    let mut sum = vec![format!("task {} + requests {} ({share})", dollars(price.usd_task), dollars(*usd_requests))];
    sum.extend(others.map(|(usd, what)| format!("{what} {}", dollars(usd))));
    let mut parts = vec![sum.join(" + ")];
    parts.push(match price.usd_egress {
        Some(usd) => format!("{} {}", price.egress.in_words(), dollars(usd)),
        None => "no egress".to_owned(),
    });
    if price.is_minimum {
        parts.push("the task is billed for one minute, the minimum".to_owned());
    }
    let would = if price.is_hypothetical { "if it ran on Fargate as" } else { "Fargate," };
    let memory_gb = task.memory_mib as f64 / 1_024.0;
    let arch = if task.arch == "x86_64" { "" } else { " ARM" };
    parts.push(format!("{would} {} vCPU{arch}, {memory_gb} GB in {}", task.vcpu, task.region));
    if bucket_region.is_some_and(|region| region != price.requests_of) {
        parts.push(format!("requests priced as in {}", price.requests_of));
    }
    parts.extend(price.usd_per_tb.map(|usd| format!("{} /TB at this rate", dollars(usd))));
    parts.push(format!("prices of {}", price.prices_dated));
    parts
}

/// US dollars: cents from ten cents on, hundredths of a cent below.
fn dollars(usd: f64) -> String {
    match usd {
        _ if usd >= 100.0 => format!("${}", units::three_digits(usd)),
        _ if usd >= 0.1 => format!("${usd:.2}"),
        _ if usd > 0.0 && usd < 0.000_05 => "< $0.0001".to_owned(),
        _ => format!("${usd:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::fixture;

    fn longest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn a_complete_run() {
        insta::assert_snapshot!(render_run(&fixture::complete(), Style::Plain, 80));
    }

    #[test]
    fn a_complete_run_on_a_wide_terminal() {
        insta::assert_snapshot!(render_run(&fixture::complete(), Style::Plain, 120));
    }

    #[test]
    fn a_run_with_failures() {
        insta::assert_snapshot!(render_run(&fixture::with_failures(), Style::Plain, 80));
    }

    #[test]
    fn a_run_that_measured_nothing() {
        let text = render_run(&Summary::running(fixture::header()), Style::Plain, 80);
        assert!(!text.contains(" 0 "), "missing is never 0");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn eighty_columns_suffice() {
        for summary in [fixture::complete(), fixture::with_failures(), Summary::running(fixture::header())] {
            assert!(longest(&render_run(&summary, Style::Plain, 80)) <= 80);
        }
    }

    #[test]
    fn without_colour_nothing_is_lost() {
        let summary = fixture::with_failures();
        let coloured = render_run(&summary, Style::Coloured, 80);
        assert!(coloured.contains("\x1b[31;1m1 failed\x1b[0m"));
        let mut plain = coloured;
        for code in ["\x1b[31;1m", "\x1b[33m", "\x1b[36m", "\x1b[1m", "\x1b[0m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, render_run(&summary, Style::Plain, 80));
    }

    #[test]
    fn wider_terminals_get_the_same_facts() {
        let words = |width| render_run(&fixture::complete(), Style::Plain, width).split_whitespace().filter(|w| !w.contains(['█', '·'])).count();
        assert_eq!(words(80), words(200));
    }

    #[test]
    fn dollars_keep_what_small_runs_cost() {
        let found: Vec<String> = [0.0, 0.000_01, 0.0018, 0.171, 12.5, 1_234.0].into_iter().map(dollars).collect();
        assert_eq!(found, ["$0.0000", "< $0.0001", "$0.0018", "$0.17", "$12.50", "$1,234"]);
    }
}
