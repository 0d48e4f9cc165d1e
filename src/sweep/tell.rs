//! What the processes of a repetition are told: their environment, and nothing else. parfetch and contenders get the six variables of the study;
//! parfetch gets its own settings beside them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::attempt::{Attempt, Todo};
use super::folder::attempt_folder;
use super::keys::KeySum;
use crate::cell::Program;
use crate::plan::{Access, Layout, Limits, Work, variables};
use crate::server::Ready;
use crate::units::typed_duration;

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
pub(super) struct Stored {
    pub(super) bucket: String,
    /// Begins the name of everything of this sweep, with a slash at its end.
    pub(super) prefix: String,
    /// SHA-256 of the frozen key list, part of its name: another sweep of this name cannot put another list in its place.
    pub(super) keys_sha256: String,
}

impl Stored {
    /// The key of the frozen key list.
    pub(super) fn keys_key(&self) -> String {
        let hash = self.keys_sha256.get(..12).unwrap_or(&self.keys_sha256);
        format!("{}keys-{hash}.tsv", self.prefix)
    }

    fn keys_uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.keys_key())
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
pub(super) struct Telling {
    /// The sweep's name.
    pub(super) id: String,
    /// The environment of the sweep.
    pub(super) inherited: Vec<(String, String)>,
    pub(super) bucket: String,
    /// Where contenders store their results.
    pub(super) results_bucket: Option<String>,
    pub(super) access: Access,
    /// The embedded server, and the folder of its results bucket.
    pub(super) embedded: Option<(Ready, PathBuf)>,
    pub(super) keys: PathBuf,
    pub(super) limit: Option<u64>,
    pub(super) duration: Option<String>,
    pub(super) work: Work,
    pub(super) layout: Layout,
    pub(super) limits: Limits,
    /// Keys that a repetition fetches.
    pub(super) expected: Expected,
    /// Bytes that each shard of the next repetition may fetch, where time ends it.
    pub(super) max_bytes: Option<u64>,
}

/// What a repetition that goes through its keys once has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) objects: u64,
    /// Unknown with a limit: sizes are known for the whole list.
    pub(super) bytes: Option<u64>,
    /// Of the keys themselves; known where there are contenders.
    pub(super) keys: Option<KeySum>,
}

impl Telling {
    /// The label of one attempt, which no other has: a result that was there before cannot be taken for its own.
    pub(super) fn tag(&self, attempt: &Attempt) -> String {
        format!(
            "{}-{:05}-a{}",
            self.id, attempt.todo.planned.position, attempt.todo.attempt
        )
    }

    /// The folder of the embedded server's results bucket.
    pub(super) fn results_dir(&self) -> Option<&Path> {
        self.embedded.as_ref().map(|(_, dir)| dir.as_path())
    }

    /// The environment of one process.
    pub(super) fn environment(&self, attempt: &Attempt, shard: u32) -> Vec<(OsString, OsString)> {
        let unwanted = |name: &str| {
            name.starts_with("PARFETCH_")
                || variables::OF_A_RUN.contains(&name)
                || (self.embedded.is_some() && CREDENTIALS.contains(&name))
        };
        let mut all: Vec<(String, String)> = self
            .inherited
            .iter()
            .filter(|(name, _)| !unwanted(name))
            .cloned()
            .collect();
        all.extend(self.study(attempt));
        all.extend(self.reach());
        if let Program::Client(client) = &attempt.cell().program {
            all.push(("PARFETCH_CLIENT".to_owned(), client.to_string()));
            all.extend(self.own(attempt, shard));
        }
        all.into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    /// What a task on Fargate is told over its definition's environment: no credentials, which it has a role for, nothing of this machine's
    /// environment, and what this sweep leaves at its default as well, whatever the definition says.
    pub(super) fn task_environment(
        &self,
        attempt: &Attempt,
        shard: u32,
        stored: &Stored,
    ) -> Vec<(String, String)> {
        let Program::Client(client) = &attempt.cell().program else {
            return Vec::new();
        };
        let mut all = self.study(attempt);
        all.extend(owned(vec![
            ("RESULT_BUCKET_NAME", stored.bucket.clone()),
            ("PARFETCH_CLIENT", client.to_string()),
            ("PARFETCH_KEYS", stored.keys_uri()),
            ("PARFETCH_RESULT_PREFIX", stored.attempt_prefix(attempt)),
        ]));
        if let Some(url) = &self.access.endpoint_url {
            all.push(("AWS_ENDPOINT_URL_S3".to_owned(), url.clone()));
            all.extend(
                self.access
                    .region
                    .clone()
                    .map(|region| ("AWS_REGION".to_owned(), region)),
            );
        }
        all.extend(self.common(attempt, shard));
        variables::complete(all)
    }

    /// The variables of the study.
    fn study(&self, attempt: &Attempt) -> Vec<(String, String)> {
        let cell = attempt.cell();
        let mut pairs = vec![
            ("BUCKET_NAME", self.bucket.clone()),
            ("CONCURRENCY", cell.concurrency.to_string()),
            ("MODE", cell.mode.to_string()),
            ("TAG", self.tag(attempt)),
        ];
        if !cell.program.is_parfetch() {
            pairs.extend(
                self.results_bucket
                    .clone()
                    .map(|bucket| ("RESULT_BUCKET_NAME", bucket)),
            );
        }
        owned(pairs)
    }

    /// How S3 is reached.
    fn reach(&self) -> Vec<(String, String)> {
        let Some((ready, _)) = &self.embedded else {
            let Access {
                endpoint_url,
                region,
                profile,
                ca_bundle,
                ..
            } = &self.access;
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

    /// The settings of parfetch alone.
    fn own(&self, attempt: &Attempt, shard: u32) -> Vec<(String, String)> {
        let mut pairs = owned(vec![
            ("PARFETCH_KEYS", self.keys.display().to_string()),
            ("PARFETCH_OUT", attempt.dir.display().to_string()),
        ]);
        pairs.extend(self.common(attempt, shard));
        pairs
    }

    /// Those that are the same wherever it runs.
    fn common(&self, attempt: &Attempt, shard: u32) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("PARFETCH_WORK", self.work.to_string()),
            ("PARFETCH_ORDER", self.layout.order.to_string()),
            ("PARFETCH_ATTEMPTS", self.limits.attempts.to_string()),
            (
                "PARFETCH_CONNECT_TIMEOUT",
                typed_duration(self.limits.connect_timeout),
            ),
            (
                "PARFETCH_STALL_TIMEOUT",
                typed_duration(self.limits.stall_timeout),
            ),
            ("PARFETCH_PROGRESS", "never".to_owned()),
            // Whoever started the sweep was asked.
            ("PARFETCH_YES", "1".to_owned()),
        ];
        pairs.extend(
            self.limits
                .fetch_timeout
                .map(|time| ("PARFETCH_TIMEOUT", typed_duration(time))),
        );
        pairs.extend(
            self.limit
                .map(|limit| ("PARFETCH_LIMIT", limit.to_string())),
        );
        pairs.extend(
            self.max_bytes
                .map(|bytes| ("PARFETCH_MAX_BYTES", bytes.to_string())),
        );
        pairs.extend(
            self.layout
                .part_size
                .map(|size| ("PARFETCH_PART_SIZE", size.to_string())),
        );
        pairs.extend(
            self.duration
                .clone()
                .map(|time| ("PARFETCH_DURATION", time)),
        );
        let Access {
            virtual_host,
            no_sign_request,
            request_payer,
            ..
        } = self.access;
        let switches = [
            ("PARFETCH_VIRTUAL_HOST", virtual_host),
            ("PARFETCH_NO_SIGN_REQUEST", no_sign_request),
            ("PARFETCH_REQUEST_PAYER", request_payer),
        ];
        pairs.extend(
            switches
                .into_iter()
                .filter(|(_, on)| *on)
                .map(|(name, _)| (name, "1".to_owned())),
        );
        let shards = attempt.cell().shards;
        if shards > 1 {
            pairs.push(("PARFETCH_SHARD", format!("{shard}/{shards}")));
        }
        owned(pairs)
    }
}

fn owned(pairs: Vec<(&str, String)>) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
