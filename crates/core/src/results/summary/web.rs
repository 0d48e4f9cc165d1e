//! What a summary says of requests by themselves: what was sent to a web server, which statuses came, and how long each step of a request took.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::{HttpSource, ObjectSource, RequestBody};
use crate::sample::{Outcome, Sample};

/// What was sent to a web server. Headers by their names alone: values may be secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HttpSettings {
    /// The URLs in a few words: the first and how many others, or the file that has them.
    pub urls: String,
    /// So many requests, round and round the URLs; null = each once, or until a time had passed.
    pub requests: Option<u64>,
    /// The method.
    pub method: String,
    /// Names of the headers that were given.
    pub headers: Vec<String>,
    /// Whether each request had a body.
    pub has_body: bool,
    /// Whether a connection served one request after another.
    pub keep_alive: bool,
    /// Statuses of good answers, `2xx,404`.
    pub expect: String,
    /// Where connections went instead of the URLs' own server; empty = there.
    pub connect_to: Vec<String>,
}

impl From<&HttpSource> for HttpSettings {
    fn from(source: &HttpSource) -> Self {
        let HttpSource {
            urls: _,
            requests,
            method,
            headers,
            body,
            keep_alive,
            expect,
            connect_to,
        } = source;
        Self {
            urls: source.shown(),
            requests: requests.map(std::num::NonZeroU64::get),
            method: method.as_str().to_owned(),
            headers: headers.iter().map(|header| header.name.clone()).collect(),
            has_body: *body != RequestBody::None,
            keep_alive: *keep_alive,
            expect: expect.to_string(),
            connect_to: connect_to.iter().map(ToString::to_string).collect(),
        }
    }
}

impl HttpSettings {
    pub(super) fn of(source: &ObjectSource) -> Option<Self> {
        source.http().map(Self::from)
    }
}

/// How long one step took, in the fetches that came so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepTimes {
    /// Fetches in which it was measured.
    pub count: u64,
    /// The mean; null where it was measured in none.
    pub mean_ns: Option<u64>,
    /// The shortest.
    pub min_ns: Option<u64>,
    /// The longest.
    pub max_ns: Option<u64>,
}

/// The steps of the fetches that ended `ok`, of their last attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequestSteps {
    /// Opening the connection, TLS included; of fetches that opened one.
    pub connect: StepTimes,
    /// Handing the request to the system.
    pub send: StepTimes,
    /// Until the head of the answer was complete.
    pub wait: StepTimes,
    /// Until its body was.
    pub read: StepTimes,
}

/// Adds up one step.
#[derive(Clone, Copy, Debug, Default)]
struct StepTally {
    count: u64,
    sum_ns: u128,
    min_ns: Option<u64>,
    max_ns: Option<u64>,
}

impl StepTally {
    fn add(&mut self, from: Option<u64>, to: Option<u64>) {
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        let ns = to.saturating_sub(from);
        self.count += 1;
        self.sum_ns += u128::from(ns);
        self.min_ns = Some(self.min_ns.map_or(ns, |least| least.min(ns)));
        self.max_ns = self.max_ns.max(Some(ns));
    }

    fn times(self) -> StepTimes {
        let mean = self.sum_ns.checked_div(u128::from(self.count));
        StepTimes {
            count: self.count,
            mean_ns: mean.and_then(|mean| u64::try_from(mean).ok()),
            min_ns: self.min_ns,
            max_ns: self.max_ns,
        }
    }
}

/// Adds up the answers and the steps of fetches.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestTallies {
    statuses: BTreeMap<u16, u64>,
    connect: StepTally,
    send: StepTally,
    wait: StepTally,
    read: StepTally,
}

impl RequestTallies {
    /// Takes a fetch.
    pub(super) fn add(&mut self, sample: &Sample) {
        if let Some(status) = sample.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        if sample.outcome != Outcome::Ok {
            return;
        }
        let start = sample.attempt_start_ns;
        self.connect.add(start, sample.connected_ns);
        self.send.add(sample.connected_ns.or(start), sample.sent_ns);
        self.wait.add(sample.sent_ns, sample.head_ns);
        self.read.add(sample.head_ns, sample.end_ns);
    }

    /// Fetches by status.
    pub(super) fn status_codes(&self) -> BTreeMap<String, u64> {
        let counts = self.statuses.iter();
        counts
            .map(|(status, count)| (status.to_string(), *count))
            .collect()
    }

    /// The steps; `None` where no fetch ended `ok`, or the client does not say.
    pub(super) fn steps(&self) -> Option<RequestSteps> {
        (self.wait.count > 0).then(|| RequestSteps {
            connect: self.connect.times(),
            send: self.send.times(),
            wait: self.wait.times(),
            read: self.read.times(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_and_a_reused_connection_has_no_first() {
        let mut tallies = RequestTallies::default();
        assert_eq!(tallies.steps(), None);
        let first = Sample {
            outcome: Outcome::Ok,
            status: Some(200),
            attempt_start_ns: Some(10),
            connected_ns: Some(30),
            sent_ns: Some(35),
            head_ns: Some(100),
            end_ns: Some(110),
            ..Sample::default()
        };
        tallies.add(&first);
        tallies.add(&Sample {
            connected_ns: None,
            sent_ns: Some(13),
            ..first.clone()
        });
        tallies.add(&Sample {
            outcome: Outcome::Failed,
            status: Some(503),
            ..first
        });
        let counted = [("200".to_owned(), 2), ("503".to_owned(), 1)];
        assert_eq!(tallies.status_codes(), BTreeMap::from(counted));
        let steps = tallies.steps().unwrap();
        let of = |step: StepTimes| (step.count, step.mean_ns, step.min_ns, step.max_ns);
        assert_eq!(of(steps.connect), (1, Some(20), Some(20), Some(20)));
        assert_eq!(of(steps.send), (2, Some(4), Some(3), Some(5)));
        assert_eq!(of(steps.wait), (2, Some(76), Some(65), Some(87)));
        assert_eq!(of(steps.read), (2, Some(10), Some(10), Some(10)));
    }
}
