//! The environment of the processes of a repetition. parfetch and contenders get the six variables of the study; parfetch gets every setting of its
//! plan beside them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::attempt::{Attempt, Todo};
use super::contender::Contender;
use super::factors::{PlaceholderValues, REQUESTS};
use super::folder::attempt_folder;
use super::keys::ExpectedKeys;
use super::requests::RequestTemplate;
use crate::cell::Program;
use crate::plan::variables::{MAX_BYTES, PROGRESS, RUN_TIMEOUT, RunVariables, YES};
use crate::plan::{
    Access, ClientKind, Destination, KeySource, ObjectSource, RunPlan, S3Uri, Selection, Shard,
};
use crate::server::Ready;
use crate::units::typed_duration;

/// The variables of the study, which contenders know; the sixth is the endpoint.
const OF_THE_STUDY: [&str; 5] = [
    "BUCKET_NAME",
    "RESULT_BUCKET_NAME",
    "CONCURRENCY",
    "MODE",
    "TAG",
];

/// How much longer than the sweep allows a repetition goes on by itself: the sweep ends it, unless nobody is left to do so.
const ALONE: Duration = Duration::from_mins(2);

/// Variables that the sweep sets in the tasks of contenders; the last three only where the endpoint is not AWS's own.
pub(super) const OF_TASKS: [&str; 8] = [
    "BUCKET_NAME",
    "RESULT_BUCKET_NAME",
    "CONCURRENCY",
    "MODE",
    "TAG",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];

/// Variables that would get in the way of the embedded server's own keys.
const CREDENTIALS: [&str; 12] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CA_BUNDLE",
];

/// Where a sweep stands in the results bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResultsLocation {
    pub(super) bucket: String,
    /// Begins the name of everything of this sweep, with a slash at its end.
    pub(super) prefix: String,
    /// SHA-256 of the frozen key list, part of its name: another sweep of this name cannot put another list in its place.
    pub(super) keys_sha256: String,
}

impl ResultsLocation {
    /// The key of the frozen key list.
    pub(super) fn keys_key(&self) -> String {
        let hash = self.keys_sha256.get(..12).unwrap_or(&self.keys_sha256);
        format!("{}keys-{hash}.tsv", self.prefix)
    }

    fn keys_uri(&self) -> S3Uri {
        S3Uri {
            bucket: self.bucket.clone(),
            key: self.keys_key(),
        }
    }

    /// What the names of one attempt's results begin with.
    pub(super) fn attempt_prefix(&self, attempt: &Attempt) -> String {
        let Todo {
            planned, attempt, ..
        } = &attempt.todo;
        format!(
            "{}{}/{}/",
            self.prefix,
            planned.cell.slug(),
            attempt_folder(planned, *attempt)
        )
    }
}

/// Everything that is the same for all repetitions of a sweep.
#[derive(Clone, Debug)]
pub(super) struct RunTemplate {
    /// The sweep's name.
    pub(super) id: String,
    /// The environment of the sweep.
    pub(super) inherited: Vec<(String, String)>,
    /// What every repetition does. Program, workers, shard, label and destination are those of the attempt.
    pub(super) plan: RunPlan,
    /// What is requested of a web server; none = the plan has its source.
    pub(super) requests: Option<RequestTemplate>,
    /// Which keys of the bucket the sweep lists; the plan has the key list.
    pub(super) prefix: String,
    /// The contenders of the sweep.
    pub(super) contenders: Vec<Contender>,
    /// Where contenders store their results.
    pub(super) results_bucket: Option<String>,
    /// The embedded server, and the folder of its results bucket.
    pub(super) embedded: Option<(Ready, PathBuf)>,
    /// Keys that a repetition fetches.
    pub(super) expected: ExpectedKeys,
    /// Bytes that each shard of the next repetition may fetch, where time ends it.
    pub(super) max_bytes: Option<u64>,
    /// How long a repetition may take.
    pub(super) time_limit: Duration,
}

impl RunTemplate {
    /// The label of one attempt, which no other has: a result that was there before cannot be taken for its own.
    pub(super) fn tag(&self, attempt: &Attempt) -> String {
        format!(
            "{}-{:05}-a{}",
            self.id, attempt.todo.planned.position, attempt.todo.attempt
        )
    }

    /// The contender that an attempt runs; none for parfetch itself.
    pub(super) fn contender(&self, attempt: &Attempt) -> Option<&Contender> {
        let Program::Contender(name) = &attempt.cell().program else {
            return None;
        };
        self.contenders
            .iter()
            .find(|contender| contender.name == *name)
    }

    /// What stands in the braces of an attempt's texts, wherever it runs.
    pub(super) fn values<'a>(&self, attempt: &'a Attempt) -> PlaceholderValues<'a> {
        let count = self.requests.as_ref().map_or(0, RequestTemplate::count);
        PlaceholderValues::new(attempt.cell())
            .with(REQUESTS, count.to_string())
            .with("bucket", self.plan.source.bucket())
            .with("prefix", &self.prefix)
            .with(
                "results_bucket",
                self.results_bucket.as_deref().unwrap_or_default(),
            )
            .with("tag", self.tag(attempt))
    }

    /// The folder of the embedded server's results bucket.
    pub(super) fn results_dir(&self) -> Option<&Path> {
        self.embedded.as_ref().map(|(_, dir)| dir.as_path())
    }

    /// The environment of one process on this machine: only what is set, as an empty variable of a library costs a run a second start.
    pub(super) fn environment(
        &self,
        attempt: &Attempt,
        shard: u32,
        source: &ObjectSource,
    ) -> Vec<(OsString, OsString)> {
        let is_parfetch = attempt.cell().program.is_parfetch();
        let destination = if is_parfetch {
            Destination {
                out: Some(attempt.dir.clone()),
                ..self.plan.destination.clone()
            }
        } else {
            Destination {
                bucket: self.results_bucket.clone(),
                ..self.plan.destination.clone()
            }
        };
        let variables = self.variables(&RunPlan {
            source: source.clone(),
            destination,
            ..self.plan(attempt, shard)
        });
        let is_unwanted = |name: &str| {
            name.starts_with("PARFETCH_")
                || variables.has(name)
                || (self.embedded.is_some() && CREDENTIALS.contains(&name))
        };
        let mut all: Vec<(String, String)> = self
            .inherited
            .iter()
            .filter(|(name, _)| !is_unwanted(name))
            .cloned()
            .collect();
        all.extend(self.reach());
        let own = variables
            .given()
            .filter(|(name, _)| is_parfetch || OF_THE_STUDY.contains(name));
        all.extend(own.map(|(name, value)| (name.to_owned(), value)));
        all.into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    /// The environment of a server: that of the sweep, without parfetch's own settings.
    pub(super) fn of_server(&self) -> Vec<(OsString, OsString)> {
        self.inherited
            .iter()
            .filter(|(name, _)| !name.starts_with("PARFETCH_"))
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    /// The variables of a task over its definition's environment: no credentials, which it has a role for, nothing of this machine's environment, and
    /// what this sweep leaves at its default as well, whatever the definition says.
    pub(super) fn task_environment(
        &self,
        attempt: &Attempt,
        shard: u32,
        stored: &ResultsLocation,
    ) -> Vec<(String, String)> {
        let plan = self.plan(attempt, shard);
        let access = Access {
            // With an endpoint of one's own the region is part of how it is reached.
            region: plan
                .access
                .region
                .clone()
                .filter(|_| plan.access.endpoint_url.is_some()),
            profile: None,
            ca_bundle: None,
            ..plan.access.clone()
        };
        let destination = Destination {
            bucket: Some(stored.bucket.clone()),
            prefix: stored.attempt_prefix(attempt),
            ..plan.destination.clone()
        };
        let selection = Selection {
            source: KeySource::Object(stored.keys_uri()),
            ..plan.selection.clone()
        };
        self.variables(&RunPlan {
            selection,
            access,
            destination,
            ..plan
        })
        .complete()
    }

    /// What stands in the braces of a contender's texts as a task.
    pub(super) fn task_values<'a>(
        &self,
        attempt: &'a Attempt,
        stored: &ResultsLocation,
    ) -> PlaceholderValues<'a> {
        let uri = stored.keys_uri();
        self.values(attempt)
            .with("results_bucket", &stored.bucket)
            .with("keys", format!("s3://{}/{}", uri.bucket, uri.key))
    }

    /// The variables of a contender's task over its definition's: the study's, and its own.
    ///
    /// # Errors
    /// When one of its own names what has no value.
    pub(super) fn contender_environment(
        &self,
        (attempt, contender): (&Attempt, &Contender),
        stored: &ResultsLocation,
    ) -> io::Result<Vec<(String, String)>> {
        let destination = Destination {
            bucket: Some(stored.bucket.clone()),
            ..self.plan.destination.clone()
        };
        let variables = self.variables(&RunPlan {
            destination,
            ..self.plan(attempt, 0)
        });
        let study = variables
            .given()
            .filter(|(name, _)| OF_THE_STUDY.contains(name));
        let mut all: BTreeMap<String, String> = study
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        // Elsewhere the task has a region and finds AWS by itself.
        if let Access {
            endpoint_url: Some(url),
            region,
            ..
        } = &self.plan.access
        {
            all.insert("AWS_ENDPOINT_URL".to_owned(), url.clone());
            for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
                all.extend(region.clone().map(|region| (name.to_owned(), region)));
            }
        }
        let values = self.task_values(attempt, stored);
        for (name, text) in &contender.environment {
            all.insert(name.clone(), values.fill(text)?);
        }
        Ok(all.into_iter().collect())
    }

    /// What one process does, but for its destination.
    fn plan(&self, attempt: &Attempt, shard: u32) -> RunPlan {
        let cell = attempt.cell();
        let shards = NonZeroU32::new(cell.shards).filter(|shards| shards.get() > 1);
        let (limit, duration) = match attempt.todo.planned.amount {
            Some(amount) => (amount.keys, amount.duration_ns.map(Duration::from_nanos)),
            None => (self.plan.selection.limit, self.plan.duration),
        };
        RunPlan {
            duration,
            selection: Selection {
                shard: shards.map(|count| Shard {
                    index: shard,
                    count,
                }),
                limit,
                ..self.plan.selection.clone()
            },
            concurrency: NonZeroU32::new(cell.concurrency).unwrap_or(NonZeroU32::MIN),
            mode: cell.mode,
            client: match cell.program {
                Program::Client(client) => client,
                Program::Contender(_) => ClientKind::Lean,
            },
            tag: self.tag(attempt),
            ..self.plan.clone()
        }
    }

    /// Its variables. Whoever started the sweep was asked.
    fn variables(&self, plan: &RunPlan) -> RunVariables {
        let mut variables = RunVariables::of(plan);
        variables.set(YES, "1".to_owned());
        variables.set(PROGRESS, "never".to_owned());
        variables.set(
            RUN_TIMEOUT,
            typed_duration(self.time_limit.saturating_add(ALONE)),
        );
        if let Some(bytes) = self.max_bytes {
            variables.set(MAX_BYTES, bytes.to_string());
        }
        variables
    }

    /// How S3 is reached, for programs of every kind.
    fn reach(&self) -> Vec<(String, String)> {
        let Some((ready, _)) = &self.embedded else {
            let Access {
                endpoint_url,
                region,
                profile,
                ca_bundle,
                ..
            } = &self.plan.access;
            let mut pairs = Vec::new();
            pairs.extend(endpoint_url.clone().map(|url| ("AWS_ENDPOINT_URL", url)));
            pairs.extend(region.iter().flat_map(|region| {
                ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, region.clone()))
            }));
            pairs.extend(profile.clone().map(|profile| ("AWS_PROFILE", profile)));
            pairs.extend(
                ca_bundle
                    .as_ref()
                    .map(|path| ("AWS_CA_BUNDLE", path.display().to_string())),
            );
            return owned(pairs);
        };
        owned(vec![
            ("AWS_ENDPOINT_URL", ready.endpoint_url.clone()),
            ("AWS_ACCESS_KEY_ID", ready.credentials.access_key.clone()),
            (
                "AWS_SECRET_ACCESS_KEY",
                ready.credentials.secret_key.clone(),
            ),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ])
    }
}

fn owned(pairs: Vec<(&str, String)>) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
