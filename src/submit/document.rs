//! `job.json`: what a job is, which keys its shards have, and its id in Batch once it has one. Its format is in FORMAT.md.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::{BatchJob, Division};
use crate::plan::variables::{SHARD_COUNT, SHARDS_LEFT};
use crate::plan::{KeySource, Selection};

/// What the field `schema` says.
pub const SCHEMA: &str = "parfetch.job";
/// The version of the format: fields are added within a version.
pub const VERSION: u32 = 1;
/// Name of the document in the job's folder.
pub const FILE_NAME: &str = "job.json";

/// What a shard has to fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardKeys {
    /// Keys.
    pub keys: u64,
    /// Their bytes as listed; `None` when a size is not known.
    pub bytes: Option<u64>,
}

/// What was asked for: the same name with another plan is another job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobPlan {
    /// Source bucket.
    pub bucket: String,
    /// Which of its keys, before they were divided.
    pub selection: Selection,
    /// How they are divided.
    pub division: Division,
    /// Children that were asked for; there are no more than keys.
    pub shards: u32,
    /// vCPU × 1024 of each child.
    pub cpu_units: u32,
    /// MiB of each child.
    pub memory_mib: u32,
    /// Job queue.
    pub queue: String,
    /// Job definition.
    pub definition: String,
    /// Variables that every child gets.
    pub environment: BTreeMap<String, String>,
}

impl JobPlan {
    pub fn of(job: &BatchJob) -> Self {
        let mut environment: BTreeMap<_, _> = job.environment(job.shards).into_iter().collect();
        // It follows from the keys.
        environment.remove(SHARD_COUNT);
        environment.remove(SHARDS_LEFT);
        Self {
            bucket: job.run.source.bucket().to_owned(),
            selection: job.run.selection.clone(),
            division: job.division,
            shards: job.shards,
            cpu_units: job.size.0,
            memory_mib: job.size.1,
            queue: job.queue.queue.clone(),
            definition: job.queue.definition.clone(),
            environment,
        }
    }

    /// The first setting in which `now` differs, as `CONCURRENCY: it had 16, and now there is 32`.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let flat = |plan: &Self| {
            let mut fields = BTreeMap::new();
            let whole = serde_json::to_value(plan).unwrap_or_default();
            for (name, value) in whole.as_object().into_iter().flatten() {
                match value.as_object().filter(|_| name == "environment") {
                    Some(inner) => fields.extend(
                        inner
                            .iter()
                            .map(|(name, value)| (name.clone(), value.to_string())),
                    ),
                    None => drop(fields.insert(name.clone(), value.to_string())),
                }
            }
            fields
        };
        let (before, now) = (flat(self), flat(now));
        let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
        names.sort();
        let name = names
            .into_iter()
            .find(|name| before.get(*name) != now.get(*name))?;
        let shown = |fields: &BTreeMap<String, String>| {
            fields
                .get(name)
                .map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"))
        };
        Some(format!(
            "{name}: it had {}, and now there is {}",
            shown(&before),
            shown(&now)
        ))
    }
}

/// What submit leaves of a job, by which `parfetch submit --wait` and a second submit know it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobDocument {
    /// [`SCHEMA`].
    pub schema: String,
    /// [`VERSION`].
    pub version: u32,
    /// Version of parfetch.
    pub tool_version: String,
    /// Its name.
    pub id: String,
    /// Its name in Batch.
    pub job_name: String,
    /// Its id in Batch; `None` before it is submitted.
    pub job_id: Option<String>,
    /// UTC, RFC 3339: when the keys were stored.
    pub planned_at: String,
    /// Which command plans or submits it, by a random word: of two that begin at once, the first sees that it is no longer the one.
    #[serde(default)]
    pub planned_by: Option<String>,
    /// UTC, RFC 3339: since when a command submits it; `None` before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitting_since: Option<String>,
    /// UTC, RFC 3339; `None` before it is submitted.
    pub submitted_at: Option<String>,
    /// What was asked for.
    pub plan: JobPlan,
    /// Keys of all shards.
    pub keys: u64,
    /// Their bytes as listed; `None` when a size is not known.
    pub bytes: Option<u64>,
    /// What it was forecast to cost in USD; `None` without a price.
    #[serde(default)]
    pub forecast_usd: Option<f64>,
    /// What each shard has to fetch, by its index; empty before the keys are stored.
    pub shards: Vec<ShardKeys>,
    /// Jobs for children that had not ended well, the last of them last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redone: Vec<RedoneJob>,
}

/// A job of children that did not end well before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RedoneJob {
    /// Its id in Batch; `None` before it is submitted.
    pub job_id: Option<String>,
    /// The shard of each child.
    pub shards: Vec<u32>,
}

/// Why a text is no such document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not JSON, or not of this form.
    #[error("{0}")]
    Form(#[from] serde_json::Error),
    /// Another kind of document.
    #[error("it is not a {SCHEMA}")]
    Schema,
    /// Of a later parfetch.
    #[error("it has version {0}, and this parfetch reads version {VERSION}")]
    Version(u32),
}

impl JobDocument {
    /// The document as text.
    ///
    /// # Errors
    /// Never: it is plain data.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|text| text + "\n")
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When it is none, or of a later version.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct SchemaHead {
            schema: String,
            version: u32,
        }
        let head: SchemaHead = serde_json::from_str(text)?;
        if head.schema != SCHEMA {
            return Err(DocumentError::Schema);
        }
        if head.version > VERSION {
            return Err(DocumentError::Version(head.version));
        }
        Ok(serde_json::from_str(text)?)
    }
}

/// The source in words, for messages.
pub(super) fn source_words(selection: &Selection, bucket: &str) -> String {
    match &selection.source {
        KeySource::Listing => format!("s3://{bucket}/{}", selection.prefix),
        KeySource::File(path) => path.display().to_string(),
        KeySource::Object(uri) | KeySource::Folder(uri) => uri.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::fuzz::Target;
    use crate::submit::fixture::job;

    pub(in crate::submit) fn document() -> JobDocument {
        let job = job();
        JobDocument {
            schema: SCHEMA.to_owned(),
            version: VERSION,
            tool_version: "0.1.0".to_owned(),
            id: job.id.clone(),
            job_name: job.batch_name(),
            job_id: None,
            planned_at: "2026-11-21T00:00:00.000Z".to_owned(),
            planned_by: None,
            submitting_since: None,
            submitted_at: None,
            plan: JobPlan::of(&job),
            keys: 5,
            bytes: None,
            forecast_usd: Some(1.5),
            shards: vec![
                ShardKeys {
                    keys: 3,
                    bytes: Some(7),
                },
                ShardKeys {
                    keys: 2,
                    bytes: None,
                },
            ],
            redone: Vec::new(),
        }
    }

    #[test]
    fn a_document_survives_its_text() {
        let document = document();
        let text = document.to_json().unwrap();
        assert_eq!(JobDocument::from_json(&text).unwrap(), document);
        assert!(
            text.contains(r#""shards":[{"keys":3,"bytes":7},{"keys":2,"bytes":null}]"#),
            "{text}"
        );
        let wrong = |from: &str, to: &str| {
            JobDocument::from_json(&text.replace(from, to))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            wrong("parfetch.job", "parfetch.other"),
            "it is not a parfetch.job"
        );
        assert_eq!(
            wrong("\"version\":1", "\"version\":2"),
            "it has version 2, and this parfetch reads version 1"
        );
    }

    #[test]
    fn another_plan_is_told_by_what_differs() {
        let before = JobPlan::of(&job());
        assert_eq!(before.difference(&before), None);
        let mut now = job();
        now.run.mode = crate::plan::Mode::Thread;
        assert_eq!(
            before.difference(&JobPlan::of(&now)).unwrap(),
            "MODE: it had `\"async\"`, and now there is `\"thread\"`"
        );
        now = job();
        now.shards = 9;
        assert_eq!(
            before.difference(&JobPlan::of(&now)).unwrap(),
            "shards: it had `8`, and now there is `9`"
        );
    }

    #[test]
    fn fuzz_job_documents() {
        let words = &["null", "true", "{}", "[]", "\"\"", ",", "\\u0000"];
        let target = Target {
            name: "job-document",
            seeds: vec![document().to_json().unwrap().into_bytes()],
            words,
            cases: 5_000,
        };
        target.run(|bytes| {
            let Ok(document) = JobDocument::from_json(&String::from_utf8_lossy(bytes)) else {
                return;
            };
            assert_eq!(
                JobDocument::from_json(&document.to_json().unwrap()).unwrap(),
                document
            );
            assert_eq!(document.plan.difference(&document.plan), None);
        });
    }
}
