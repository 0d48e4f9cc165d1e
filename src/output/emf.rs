//! A run's figures as one line in `CloudWatch`'s embedded metric format, from which `CloudWatch` Logs makes metrics.
//!
//! Specification: `CloudWatch_Embedded_Metric_Format_Specification` in the `CloudWatch` user guide. What is not known is left out: a metric that
//! lacks is no point in a graph, and one of 0 is a wrong one.

use serde_json::{Map, Value, json};

use crate::results::summary::{State, Summary};
use crate::stats::histogram::Snapshot;

/// The line, without its end; `None` for a run of which nothing was measured. `unix_ms` is when its metrics stand in a graph.
pub fn emf_line(summary: &Summary, namespace: &str, unix_ms: u64) -> Option<String> {
    let mut metrics = Metrics::default();
    counts(summary, &mut metrics);
    // Rates and times of a run that was cut off are not those of one that ended by itself, and in a graph nobody sees the difference.
    if summary.state == State::Complete {
        rates(summary, &mut metrics);
        phases(summary, &mut metrics);
        distributions(summary, &mut metrics);
    }
    if metrics.definitions.is_empty() {
        return None;
    }
    let dimensions = dimensions(summary);
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let directive =
        json!({"Namespace": namespace, "Dimensions": [names], "Metrics": metrics.definitions});
    let mut root = Map::new();
    root.insert(
        "_aws".to_owned(),
        json!({"Timestamp": unix_ms, "CloudWatchMetrics": [directive]}),
    );
    root.extend(
        dimensions
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::String(value))),
    );
    // Members that nobody declares are no metrics, but can be searched for.
    root.insert("State".to_owned(), json!(summary.state));
    root.insert("Tag".to_owned(), json!(summary.tag));
    match &summary.settings.http {
        None => root.insert("Bucket".to_owned(), json!(summary.settings.bucket)),
        Some(http) => root.insert("Urls".to_owned(), json!(http.urls)),
    };
    root.extend(metrics.values);
    Some(Value::Object(root).to_string())
}

/// What identifies a metric. Few values each: every combination is a metric of its own, and is paid for.
fn dimensions(summary: &Summary) -> Vec<(&'static str, String)> {
    let settings = &summary.settings;
    let vcpu = summary
        .environment
        .vcpu
        .limit_vcpu
        .or(summary.cpu.limit_vcpu);
    let known = [
        ("Mode", settings.mode.to_string()),
        ("Client", settings.client.to_string()),
        ("Concurrency", settings.concurrency.to_string()),
    ];
    known
        .into_iter()
        .chain(vcpu.map(|vcpu| ("Vcpu", vcpu.to_string())))
        .collect()
}

#[derive(Default)]
struct Metrics {
    definitions: Vec<Value>,
    values: Map<String, Value>,
}

impl Metrics {
    fn add(&mut self, name: &str, unit: &str, value: Option<impl Into<Value>>) {
        // A number that JSON cannot write becomes null.
        let Some(value) = value.map(Into::into).filter(Value::is_number) else {
            return;
        };
        self.definitions.push(json!({"Name": name, "Unit": unit}));
        self.values.insert(name.to_owned(), value);
    }

    fn milliseconds(&mut self, name: &str, ns: Option<u64>) {
        self.add(name, "Milliseconds", ns.map(|ns| ns as f64 / 1e6));
    }
}

fn counts(summary: &Summary, metrics: &mut Metrics) {
    if let Some(totals) = summary.totals {
        metrics.add("ListedObjects", "Count", Some(totals.keys_listed));
        let rows = totals.rows;
        let outcomes = [
            ("Ok", rows.ok),
            ("Failed", rows.failed),
            ("Vanished", rows.vanished),
            ("Archived", rows.archived),
        ];
        for (name, count) in outcomes
            .into_iter()
            .chain([("NotAttempted", rows.not_attempted)])
        {
            metrics.add(&format!("{name}Objects"), "Count", Some(count));
        }
        metrics.add("GoodputBytes", "Bytes", Some(totals.goodput_bytes));
        metrics.add("ReceivedBytes", "Bytes", totals.received_bytes);
    }
    if let Some(attempts) = &summary.attempts {
        metrics.add("Attempts", "Count", Some(attempts.total));
        metrics.add("RetriedFetches", "Count", Some(attempts.retried_fetches));
        metrics.add("Throttles", "Count", Some(attempts.throttles));
        metrics.add("Connections", "Count", attempts.connections_opened);
        metrics.milliseconds("BackOffTime", Some(attempts.backoff_ns));
    }
    metrics.add("PeakMemory", "Bytes", summary.memory.peak_pss_bytes);
}

fn rates(summary: &Summary, metrics: &mut Metrics) {
    let rates = &summary.rates;
    metrics.add("Throughput", "Bytes/Second", rates.throughput_bytes_per_s);
    metrics.add("Goodput", "Bytes/Second", rates.goodput_bytes_per_s);
    metrics.add(
        "ActiveWindowGoodput",
        "Bytes/Second",
        rates.active_window_bytes_per_s,
    );
    metrics.add("Requests", "Count/Second", rates.requests_per_s);
    metrics.add(
        "TailShare",
        "Percent",
        rates.tail_share.map(|share| share * 100.0),
    );
    metrics.add(
        "InFlightMean",
        "Count",
        summary.in_flight.and_then(|found| found.mean),
    );
    metrics.add(
        "InFlightMost",
        "Count",
        summary.in_flight.and_then(|found| found.most),
    );
    let cpu = &summary.cpu;
    metrics.add("UsedVcpu", "None", cpu.used_vcpu);
    metrics.add("CpuPerRequest", "Microseconds", cpu.us_per_request);
    metrics.milliseconds("ThrottledTime", cpu.throttled_ns);
}

fn phases(summary: &Summary, metrics: &mut Metrics) {
    let phases = &summary.phases;
    metrics.milliseconds("StartUpTime", phases.start_up_ns);
    metrics.milliseconds("ListingTime", phases.listing_ns);
    metrics.milliseconds("WorkerStartTime", phases.worker_start_ns);
    metrics.milliseconds("FetchTime", phases.fetch_ns);
    metrics.milliseconds("WriteBackTime", phases.write_back_ns);
}

fn distributions(summary: &Summary, metrics: &mut Metrics) {
    let all = &summary.distributions;
    for (name, times) in [
        ("Ttfb", &all.ttfb),
        ("Latency", &all.latency),
        ("FetchDuration", &all.fetch_duration),
    ] {
        let Snapshot {
            p50_ns,
            p90_ns,
            p99_ns,
            max_ns,
            ..
        } = times;
        for (rank, time) in [
            ("P50", p50_ns),
            ("P90", p90_ns),
            ("P99", p99_ns),
            ("Max", max_ns),
        ] {
            metrics.milliseconds(&format!("{name}{rank}"), *time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::fixture;

    const AT_MS: u64 = 1_795_000_000_000;

    /// The rules of the specification; the form by a schema that says what its text says.
    fn check(line: &str) -> Map<String, Value> {
        assert!(!line.contains('\n') && line.len() <= 256 << 10);
        let schema: Value =
            serde_json::from_str(include_str!("../../tests/data/emf_schema.json")).unwrap();
        let root: Value = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&root)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let Value::Object(root) = root else {
            unreachable!("the schema asks for an object")
        };
        for directive in root["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for name in directive["Dimensions"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|set| set.as_array().unwrap())
            {
                let target = root[name.as_str().unwrap()].as_str().unwrap();
                assert!(
                    (1..=1024).contains(&target.len()) && target.is_ascii(),
                    "{name}: {target}"
                );
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            let mut names: Vec<&str> = metrics
                .iter()
                .map(|metric| metric["Name"].as_str().unwrap())
                .collect();
            assert!(names.iter().all(|name| root[*name].is_number()), "{line}");
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), metrics.len(), "each is declared once");
        }
        root
    }

    fn pretty(line: &str) -> String {
        serde_json::to_string_pretty(&Value::Object(check(line))).unwrap()
    }

    #[test]
    fn a_complete_run() {
        insta::assert_snapshot!(pretty(
            &emf_line(&fixture::complete(), "parfetch", AT_MS).unwrap()
        ));
    }

    #[test]
    fn an_interrupted_run_has_counts_alone() {
        insta::assert_snapshot!(pretty(
            &emf_line(&fixture::with_failures(), "parfetch", AT_MS).unwrap()
        ));
    }

    #[test]
    fn a_run_that_measured_nothing_is_no_line() {
        assert_eq!(
            emf_line(&Summary::running(fixture::header()), "parfetch", AT_MS),
            None
        );
    }

    #[test]
    fn the_vcpu_are_a_dimension_where_they_are_known() {
        let mut summary = fixture::complete();
        summary.environment.vcpu.limit_vcpu = Some(0.25);
        let root = check(&emf_line(&summary, "parfetch", AT_MS).unwrap());
        assert_eq!(
            (
                &root["Vcpu"],
                &root["Concurrency"],
                &root["_aws"]["Timestamp"]
            ),
            (&json!("0.25"), &json!("32"), &json!(AT_MS))
        );
        assert_eq!(
            root["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([["Mode", "Client", "Concurrency", "Vcpu"]])
        );
        (summary.environment.vcpu.limit_vcpu, summary.cpu.limit_vcpu) = (None, None);
        let root = check(&emf_line(&summary, "parfetch", AT_MS).unwrap());
        assert_eq!(
            root["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([["Mode", "Client", "Concurrency"]])
        );
        assert!(!root.contains_key("Vcpu"));
    }

    #[test]
    fn what_no_number_can_say_is_left_out() {
        let mut summary = fixture::complete();
        summary.rates.throughput_bytes_per_s = Some(f64::INFINITY);
        assert!(!check(&emf_line(&summary, "parfetch", AT_MS).unwrap()).contains_key("Throughput"));
    }
}
