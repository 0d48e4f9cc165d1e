//! A job as it was asked for, and what follows for its children: environment, names, the request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cell::UNITS_PER_VCPU;
use crate::cloud::{JobRequest, MAX_JOB_NAME, MAX_JOB_OVERRIDES};
use crate::estimate::CostConsent;
use crate::exit::{Exit, Failure};
use crate::lister::sha256_hex;
use crate::plan::variables::{MAX_BYTES, RunVariables, SHARD_COUNT, SHARDS_LEFT, YES};
use crate::plan::{
    Access, ClientKind, Destination, KeySource, RunPlan, S3Uri, Selection, ShardsLeft,
};
use crate::server::Options;

/// How the keys are divided among the children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Division {
    /// A key file each, cut by bytes.
    Manifest,
    /// Each child lists the bucket and takes its part by hash.
    Hash,
}

/// What happens once the job is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is waited for.
    Wait,
    /// It is left alone.
    Leave,
}

/// Where the job runs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobQueue {
    /// Name or ARN of the job queue.
    pub queue: String,
    /// Name or ARN of the job definition.
    pub definition: String,
    /// vCPU that the queue runs at once, when that is known.
    pub most_vcpu: Option<f64>,
    /// Processor architecture of its tasks, for prices.
    pub arch: String,
    /// Disk of its tasks in GiB.
    pub disk_gib: u32,
}

/// A job, every setting resolved.
#[derive(Clone, Debug)]
pub struct BatchJob {
    /// Its name.
    pub id: String,
    /// How many children.
    pub shards: u32,
    /// How the keys are divided.
    pub division: Division,
    /// What all children do together; the destination's bucket and prefix are those below which the job has its folder.
    pub run: RunPlan,
    /// Which client asks for the pages of the listing on this machine.
    pub pages: ClientKind,
    /// CPU units and MiB of each child.
    pub size: (u32, u32),
    /// Where it runs.
    pub queue: JobQueue,
    /// The embedded server, for a forecast.
    pub embedded: Option<Options>,
    /// Time between two looks.
    pub poll: Duration,
    /// What happens once it is submitted.
    pub afterwards: Afterwards,
    /// What may be spent.
    pub consent: CostConsent,
    /// Bytes that all children together may fetch.
    pub max_bytes: Option<u64>,
    /// Whether children that did not end well are submitted again.
    pub redo_failed: bool,
}

impl BatchJob {
    /// vCPU of each child.
    pub fn vcpu(&self) -> f64 {
        f64::from(self.size.0) / f64::from(UNITS_PER_VCPU)
    }

    /// Key of something in the job's folder: `{result-prefix}jobs/{id}/{name}`.
    pub fn key(&self, name: &str) -> String {
        format!("{}jobs/{}/{name}", self.run.destination.prefix, self.id)
    }

    pub fn results_bucket(&self) -> &str {
        self.run.destination.bucket.as_deref().unwrap_or_default()
    }

    /// `s3://results/parfetch/jobs/{id}/{name}`.
    pub fn uri(&self, name: &str) -> String {
        format!("s3://{}/{}", self.results_bucket(), self.key(name))
    }

    /// Its name in Batch. Names have no dots there and are compared without regard to case: the end tells apart what would be the same, also jobs of
    /// one name with results elsewhere.
    pub fn batch_name(&self) -> String {
        let plain: String = self
            .id
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() || letter == '-' {
                    letter
                } else {
                    '_'
                }
            })
            .collect();
        let hash = sha256_hex(self.uri("").as_bytes());
        format!("parfetch-{plain}-{}", &hash[..8])
    }

    /// What is asked of Batch for so many children.
    ///
    /// # Errors
    /// When it is larger than Batch takes.
    pub fn request(&self, shards: u32) -> Result<JobRequest, Failure> {
        let request = JobRequest {
            name: self.batch_name(),
            queue: self.queue.queue.clone(),
            definition: self.queue.definition.clone(),
            children: shards,
            vcpu: self.vcpu().to_string(),
            memory_mib: self.size.1,
            environment: self.environment(shards),
            tags: vec![("parfetch:job".to_owned(), self.id.clone())],
        };
        fitting(request)
    }

    /// What is asked of Batch for those of the children that are left, for the `number`th time.
    ///
    /// # Errors
    /// When it is larger than Batch takes.
    pub fn request_again(
        &self,
        shards: u32,
        again: (usize, &[u32]),
    ) -> Result<JobRequest, Failure> {
        let (number, left) = again;
        let mut request = self.request(shards)?;
        request.name = format!("{}-again-{number}", request.name);
        request.children = u32::try_from(left.len()).unwrap_or(u32::MAX);
        let list = ShardsLeft(left.to_vec()).to_string();
        for (name, value) in &mut request.environment {
            if name == SHARDS_LEFT {
                value.clone_from(&list);
            }
        }
        fitting(request)
    }

    /// The environment of every child, over what the job definition says: no credentials, and nothing of which child it is.
    pub fn environment(&self, shards: u32) -> Vec<(String, String)> {
        let mut variables = RunVariables::of(&self.child());
        variables.set(SHARD_COUNT, shards.to_string());
        variables.set(YES, "1".to_owned());
        // What they fetch until the time has passed is not known beforehand: each stops at its share.
        let share = self
            .max_bytes
            .filter(|_| self.run.duration.is_some())
            .map(|most| (most / u64::from(shards.max(1))).max(1));
        if let Some(bytes) = share {
            variables.set(MAX_BYTES, bytes.to_string());
        }
        variables.complete()
    }

    /// What each child does, but for its shard.
    fn child(&self) -> RunPlan {
        let source = match self.division {
            Division::Manifest => KeySource::Folder(S3Uri {
                bucket: self.results_bucket().to_owned(),
                key: self.key("keys/"),
            }),
            Division::Hash => KeySource::Listing,
        };
        RunPlan {
            selection: Selection {
                source,
                prefix: self.run.selection.prefix.clone(),
                // The list was cut before it was divided.
                limit: None,
                sample: None,
                shard: None,
            },
            // Profile, certificates, region and folders are this machine's.
            access: Access {
                region: None,
                profile: None,
                ca_bundle: None,
                ..self.run.access.clone()
            },
            destination: Destination {
                bucket: Some(self.results_bucket().to_owned()),
                prefix: self.key("results/"),
                ..Destination::default()
            },
            ..self.run.clone()
        }
    }
}

/// A request that Batch takes.
fn fitting(request: JobRequest) -> Result<JobRequest, Failure> {
    let length = request.overrides_length();
    if length > MAX_JOB_OVERRIDES || request.name.len() > MAX_JOB_NAME {
        let message = format!(
            "the settings of a child have {length} characters, and AWS takes {MAX_JOB_OVERRIDES}"
        );
        return Err(Failure::new(Exit::Usage, message)
            .hint("shorten --prefix, --result-prefix or --endpoint-url"));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::fixture::job;

    #[test]
    fn children_are_told_everything_but_which_one_they_are() {
        let mut job = job();
        job.run.access.request_payer = true;
        let environment = job.environment(8);
        let value = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(
            value("PARFETCH_KEYS"),
            Some("s3://results/parfetch/jobs/first.1/keys/")
        );
        assert_eq!(
            value("PARFETCH_RESULT_PREFIX"),
            Some("parfetch/jobs/first.1/results/")
        );
        assert_eq!(
            (value("PARFETCH_SHARD_COUNT"), value("PARFETCH_SHARD")),
            (Some("8"), Some("")),
            "its place in the array says which it is"
        );
        assert_eq!(
            (
                value("PARFETCH_REQUEST_PAYER"),
                value("PARFETCH_NO_SIGN_REQUEST")
            ),
            (Some("1"), Some(""))
        );
        assert_eq!(value("PARFETCH_STALL_TIMEOUT"), Some("10s"));
        assert!(
            environment
                .iter()
                .all(|(name, _)| !name.starts_with("AWS_BATCH")),
            "Batch refuses such names"
        );
        job.max_bytes = Some(9_000);
        let share = |job: &BatchJob| {
            job.environment(8)
                .into_iter()
                .find(|(name, _)| name == "PARFETCH_MAX_BYTES")
                .unwrap()
                .1
        };
        assert_eq!(share(&job), "", "the whole was known, and looked at before");
        job.run.duration = Some(Duration::from_mins(1));
        assert_eq!(share(&job), "1125");
        job.division = Division::Hash;
        assert!(
            job.environment(8)
                .contains(&("PARFETCH_KEYS".to_owned(), String::new())),
            "each child lists"
        );
    }

    #[test]
    fn a_name_in_batch_has_no_dots_and_is_of_one_place() {
        let job = job();
        let name = job.batch_name();
        assert!(
            name.starts_with("parfetch-first_1-") && name.len() == "parfetch-first_1-".len() + 8,
            "{name}"
        );
        let mut other = job.clone();
        other.id = "first_1".to_owned();
        assert_ne!(other.batch_name(), name);
        other.id = job.id;
        other.run.destination.bucket = Some("elsewhere".to_owned());
        assert_ne!(other.batch_name(), name);
        let longest = "x".repeat(40);
        other.id = longest;
        assert!(other.batch_name().len() <= MAX_JOB_NAME);
    }

    #[test]
    fn a_request_that_batch_does_not_take_is_refused() {
        let mut job = job();
        assert_eq!(job.request(8).unwrap().vcpu, "0.5");
        job.run.selection.prefix = "x".repeat(MAX_JOB_OVERRIDES);
        assert!(
            job.request(8)
                .unwrap_err()
                .message
                .ends_with("characters, and AWS takes 8192")
        );
    }
}
