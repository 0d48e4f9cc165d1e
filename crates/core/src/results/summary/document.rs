//! The document: its fields, how it is written, and how it is read back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::{Header, State};
use super::parts::{
    Attempts, CpuTime, Distributions, InFlight, Interface, Memory, Phases, Rates, Series,
    SizeClass, StorageClass, Totals,
};
use super::price::Price;
use super::sampled::SampleFacts;
use super::settings::Settings;
use super::verdict::Verdict;
use super::web::RequestSteps;
use crate::platform::Environment;
use crate::results::document::{DocumentKind, NotThisDocument};

/// What the field `schema` says in every summary of a run.
pub const SCHEMA: &str = "parfetch.run-summary";

/// The version of the format that this program writes. Fields are added within a version; a version changes when one changes its meaning.
pub const VERSION: u32 = 1;

/// What a run leaves beside its rows: what was asked for, what was measured, and what limited it. FORMAT.md has every field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(description = "The summary of one run.")
)]
pub struct Summary {
    /// `parfetch.run-summary`: what kind of document this is.
    pub schema: String,
    /// The version of the format.
    pub version: u32,
    /// How far the run came.
    pub state: State,
    /// Version of parfetch.
    pub tool_version: String,
    /// The label of the run.
    pub tag: String,
    /// The name of the run's results, without an ending.
    pub result_name: String,
    /// UTC, RFC 3339: a label; durations come from the monotonic clock.
    pub started_at: String,
    /// UTC, RFC 3339; null while the run goes on.
    pub ended_at: Option<String>,
    /// What was asked for, every default filled in.
    pub settings: Settings,
    /// The machine.
    pub environment: Environment,
    /// Region of the source bucket, as resolved.
    pub region: Option<String>,
    /// The S3 endpoint, when it is not AWS's own.
    pub endpoint: Option<String>,
    /// Addresses that the endpoint's name led to.
    pub resolved_addresses: Option<u32>,
    /// The random sample that was fetched, and what it was drawn from; null when every key was (up to `settings.selection.limit`).
    #[serde(default)]
    pub sample: Option<SampleFacts>,
    /// How long each part of the run took.
    pub phases: Phases,
    /// Objects and bytes; null before the fetch phase.
    pub totals: Option<Totals>,
    /// What follows from totals and times.
    pub rates: Rates,
    /// Epoch to the moment the queue was empty.
    pub active_window_ns: Option<u64>,
    /// Bytes in each second since the epoch.
    pub series: Option<Series>,
    /// Times of the fetches that ended `ok`.
    pub distributions: Distributions,
    /// Fetches that ended `ok`, by size, smallest class first; empty before the fetch phase.
    pub size_classes: Vec<SizeClass>,
    /// The keys of the run by storage class.
    pub storage_classes: BTreeMap<String, StorageClass>,
    /// How much really went on at once; null before the fetch phase.
    pub in_flight: Option<InFlight>,
    /// HTTP attempts and why they failed; null before the fetch phase.
    pub attempts: Option<Attempts>,
    /// Fetches by the HTTP status of their last attempt's answer; those without one are not counted.
    #[serde(default)]
    pub status_codes: BTreeMap<String, u64>,
    /// The steps of the fetches that ended `ok`; null where there are none, and where the client does not say.
    #[serde(default)]
    pub steps: Option<RequestSteps>,
    /// Processor time.
    pub cpu: CpuTime,
    /// Memory.
    pub memory: Memory,
    /// Network interfaces.
    pub interface: Interface,
    /// What the run cost; null where no price is known, and while the run goes on.
    pub price: Option<Price>,
    /// Why there is no price; null where there is one.
    #[serde(default)]
    pub no_price: Option<String>,
    /// What the embedded server measured of itself, as it reported it; null without one.
    pub server: Option<serde_json::Value>,
    /// What a person should know about this run.
    pub warnings: Vec<String>,
    /// What limited the run; null before its end.
    pub verdict: Option<Verdict>,
}

/// What the document is called.
const KIND: DocumentKind = DocumentKind {
    schema: SCHEMA,
    version: VERSION,
    name: "run summary",
    short: "summary",
};

impl Summary {
    /// The document that stands in the results place until the run ends: `state` is `running` and nothing is measured.
    pub fn running(header: Header) -> Self {
        Self::unmeasured(header, State::Running)
    }

    /// A summary without a measurement.
    pub fn unmeasured(header: Header, state: State) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            state,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            tag: header.tag,
            result_name: header.result_name,
            started_at: header.started_at,
            ended_at: None,
            settings: header.settings,
            environment: header.environment,
            region: header.region,
            endpoint: header.endpoint,
            resolved_addresses: header.resolved_addresses,
            sample: None,
            phases: Phases::default(),
            totals: None,
            rates: Rates::default(),
            active_window_ns: None,
            series: None,
            distributions: Distributions::default(),
            size_classes: Vec::new(),
            storage_classes: BTreeMap::new(),
            in_flight: None,
            attempts: None,
            status_codes: BTreeMap::new(),
            steps: None,
            cpu: CpuTime::default(),
            memory: Memory::default(),
            interface: Interface::default(),
            price: None,
            no_price: None,
            server: None,
            warnings: Vec::new(),
            verdict: None,
        }
    }

    /// The document, indented, with a line end.
    ///
    /// # Errors
    /// Never for what this program computes; serde's own otherwise.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The document in one line, for a log.
    ///
    /// # Errors
    /// Never for what this program computes; serde's own otherwise.
    pub fn to_json_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads a document back; fields that a later parfetch added are passed over.
    ///
    /// # Errors
    /// When it is another document, or of a later version.
    pub fn from_json(text: &str) -> Result<Self, NotThisDocument> {
        KIND.read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;
    use crate::results::summary::fixture;

    const KEPT_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/summary-v1.json");

    /// The JSON Schema of [`Summary`], generated from the types.
    fn schema() -> serde_json::Value {
        schemars::schema_for!(Summary).to_value()
    }

    fn schema_text() -> String {
        serde_json::to_string_pretty(&schema()).unwrap() + "\n"
    }

    #[test]
    fn the_kept_schema_is_the_generated_one() {
        let kept = std::fs::read_to_string(KEPT_SCHEMA).unwrap();
        // Not `assert_eq!`: two schemas in a terminal help nobody.
        assert!(kept == schema_text(), "regenerate it as FORMAT.md says");
    }

    #[test]
    #[ignore = "writes schema/summary-v1.json; run it after a change of the types"]
    fn regenerate_the_kept_schema() {
        std::fs::write(KEPT_SCHEMA, schema_text()).unwrap();
    }

    /// Names of all properties below this place of a schema.
    fn property_names(value: &serde_json::Value, names: &mut Vec<String>) {
        if let Some(properties) = value
            .get("properties")
            .and_then(|properties| properties.as_object())
        {
            names.extend(properties.keys().cloned());
        }
        let inner = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, inner)| inner);
        for inner in inner.chain(value.as_array().into_iter().flatten()) {
            property_names(inner, names);
        }
    }

    #[test]
    fn every_field_and_column_is_documented() {
        let text = include_str!("../../../../../FORMAT.md");
        let mut names = crate::results::csv::COLUMNS.map(str::to_owned).to_vec();
        property_names(&schema(), &mut names);
        assert!(names.len() > 100, "the schema was walked");
        let missing: Vec<&String> = names
            .iter()
            .filter(|name| {
                !["`", "."]
                    .iter()
                    .any(|before| text.contains(&format!("{before}{name}`")))
            })
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn summaries_are_valid_by_their_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for summary in [
            fixture::complete(),
            fixture::with_failures(),
            Summary::running(fixture::header()),
        ] {
            let value = serde_json::to_value(&summary).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&value)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?}");
        }
        let mut wrong = serde_json::to_value(fixture::complete()).unwrap();
        wrong["totals"]["goodput_bytes"] = serde_json::json!("many");
        assert!(!validator.is_valid(&wrong));
    }

    #[test]
    fn a_summary_survives_its_json() {
        for summary in [
            fixture::complete(),
            fixture::with_failures(),
            Summary::running(fixture::header()),
        ] {
            assert_eq!(
                Summary::from_json(&summary.to_json().unwrap()).unwrap(),
                summary
            );
        }
    }

    #[test]
    fn fields_of_later_programs_are_passed_over() {
        let mut value = serde_json::to_value(fixture::complete()).unwrap();
        value["colour"] = serde_json::json!({"of": "the sky"});
        value["totals"]["moons"] = serde_json::json!(2);
        assert_eq!(
            Summary::from_json(&value.to_string()).unwrap(),
            fixture::complete()
        );
    }

    #[test]
    fn other_documents_and_later_versions_are_refused() {
        let mut value = serde_json::to_value(fixture::complete()).unwrap();
        value["version"] = serde_json::json!(2);
        assert!(matches!(
            Summary::from_json(&value.to_string()),
            Err(NotThisDocument::Version { version: 2, .. })
        ));
        value["schema"] = serde_json::json!("something.else");
        assert!(matches!(
            Summary::from_json(&value.to_string()),
            Err(NotThisDocument::Schema { .. })
        ));
        assert!(matches!(
            Summary::from_json("{\"schema\": "),
            Err(NotThisDocument::Json { .. })
        ));
    }

    #[test]
    fn a_running_summary_says_null_and_not_zero() {
        let value = serde_json::to_value(Summary::running(fixture::header())).unwrap();
        for field in [
            "ended_at",
            "totals",
            "active_window_ns",
            "series",
            "in_flight",
            "attempts",
            "price",
            "verdict",
        ] {
            assert!(value[field].is_null(), "{field}");
        }
        assert_eq!(value["state"], "running");
        assert!(
            value["rates"]["goodput_bytes_per_s"].is_null()
                && value["distributions"]["latency"]["p50_ns"].is_null()
        );
    }

    /// Where a document that was written holds something else than the one it was read from. What was read may hold more, and less: fields of other versions.
    fn differs(read: &serde_json::Value, written: &serde_json::Value) -> Option<String> {
        use serde_json::Value;
        match (read, written) {
            (Value::Object(read), Value::Object(written)) => {
                written.iter().find_map(|(name, value)| {
                    Some(format!("{name}: {}", differs(read.get(name)?, value)?))
                })
            }
            (Value::Array(read), Value::Array(written)) if read.len() == written.len() => read
                .iter()
                .zip(written)
                .find_map(|(read, written)| differs(read, written)),
            // What stands for a struct may be an array of its fields in their order: serde takes both, and fields that are missing are those of another version.
            (Value::Array(_), Value::Object(_)) => None,
            // 1 is as good a number as 1.0.
            (Value::Number(read), Value::Number(written))
                if read.as_f64() == written.as_f64()
                    && read.as_u64().is_some() >= written.as_u64().is_some() =>
            {
                read.as_u64()
                    .zip(written.as_u64())
                    .filter(|(read, written)| read != written)
                    .map(|_| format!("{read} is {written}"))
            }
            _ if read == written => None,
            _ => Some(format!("{read} is {written}")),
        }
    }

    #[test]
    fn fuzz_summaries() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let words = &[
            "null",
            "true",
            "{}",
            "[]",
            "\"\"",
            ",",
            "\"failed\"",
            "\"complete\"",
            "1e999",
            "0.1",
            "\\u0000",
            "\\ud800",
            "\"state\": ",
            "\"count\": ",
        ];
        let seeds = [
            fixture::complete(),
            fixture::with_failures(),
            Summary::running(fixture::header()),
        ];
        let seeds = seeds
            .map(|summary| summary.to_json().unwrap().into_bytes())
            .to_vec();
        Target {
            name: "summary",
            seeds,
            words,
            cases: 1_000,
        }
        .run(|bytes| {
            let text = String::from_utf8_lossy(bytes);
            let Ok(summary) = Summary::from_json(&text) else {
                return;
            };
            let written = summary.to_json().unwrap();
            assert_eq!(Summary::from_json(&written).unwrap(), summary);
            // Numbers beyond all bounds in fields that nobody reads.
            let Ok(read) = serde_json::from_str(&text) else {
                return;
            };
            let written = serde_json::from_str(&written).unwrap();
            assert_eq!(differs(&read, &written), None);
            assert!(
                validator.is_valid(&written),
                "what is written is what the schema says"
            );
            let Distributions {
                ttfb,
                latency,
                fetch_duration,
            } = &summary.distributions;
            for snapshot in [ttfb, latency, fetch_duration] {
                let Ok(histogram) = snapshot.histogram() else {
                    continue;
                };
                let same = histogram.snapshot();
                assert_eq!(
                    (same.count, same.sum_ns, same.min_ns, same.max_ns),
                    (
                        snapshot.count,
                        snapshot.sum_ns,
                        snapshot.min_ns,
                        snapshot.max_ns
                    )
                );
            }
        });
    }
}
