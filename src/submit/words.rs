//! A forecast in words: what would be done, what it would take, what limits it, and what of that is assumed.

use std::fmt::Write as _;

use super::forecast::{JobForecast, PAID_BESIDE_S, STARTED_AT_ONCE, STARTED_PER_S};
use super::limits::{ADDRESSES, CHILD_TIME_OUT_S, GETS_PER_PREFIX_AND_S, INTERFACES, JobLimit};
use crate::price::MINIMUM_SECONDS;
use crate::speed::{
    Bound, CONNECTION_BYTES_PER_S, CPU_S_PER_BYTE, CPU_S_PER_REQUEST, FIRST_BYTE_S, SLOW_TASK,
    TASK_BYTES_PER_S,
};
use crate::units::{bytes, count, duration_coarse, percent, rate_mb, three_digits};

/// Column at which values begin.
const LABEL: usize = 12;

impl JobForecast {
    /// Lines for a person, with a line end.
    pub fn in_words(&self) -> String {
        let limits: Vec<String> = self
            .limits()
            .into_iter()
            .map(|limit| self.limit(limit))
            .collect();
        let environment: Vec<String> = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let rows = [
            ("Keys", vec![self.keys()]),
            ("Bytes", vec![self.bytes()]),
            ("Key files", vec![self.files()]),
            (
                "Requests",
                vec![format!(
                    "{} LIST, {} GET, {} PUT",
                    count(self.lists),
                    count(self.gets),
                    count(self.puts)
                )],
            ),
            ("Time*", vec![self.time()]),
            ("Rate*", vec![self.rate()]),
            ("Price*", vec![self.price()]),
            ("Limits*", limits),
            ("*Assumed", vec![assumptions()]),
            ("Environment", environment),
        ];
        let mut text = self.title.clone() + "\n";
        for (label, lines) in rows {
            for (number, line) in lines.iter().enumerate() {
                let label = if number == 0 { label } else { "" };
                // Writing to a String cannot fail.
                let _written = writeln!(text, "  {label:LABEL$}{line}");
            }
        }
        text
    }

    fn keys(&self) -> String {
        let (least, most) = self.keys_of_shards;
        format!(
            "{}; a child {}",
            count(self.keys),
            span(&count(least), &count(most))
        )
    }

    fn bytes(&self) -> String {
        let Some((all, (least, most))) = self.bytes.zip(self.bytes_of_shards) else {
            return "not all known: children get keys of equal bytes as far as sizes are known"
                .to_owned();
        };
        format!(
            "{}; a child {}; largest object {}",
            bytes(all),
            span(&bytes(least), &bytes(most)),
            bytes(self.largest)
        )
    }

    fn files(&self) -> String {
        match self.manifest_bytes {
            Some(all) => format!(
                "{}, {} in all, in the results bucket",
                count(u64::from(self.shards)),
                bytes(all)
            ),
            None => format!(
                "none: each of {} children lists the bucket",
                count(u64::from(self.shards))
            ),
        }
    }

    fn time(&self) -> String {
        let slowest = span_s(self.slowest.seconds, self.slowest.slow_s);
        let waves = self.shards.div_ceil(self.at_once.max(1));
        let waves = if waves > 1 {
            format!(
                ", {} children at once, {waves} times",
                count(u64::from(self.at_once))
            )
        } else {
            String::new()
        };
        format!(
            "{} in all: {slowest} of fetching for the slowest child{waves}",
            span_s(self.elapsed_s.0, self.elapsed_s.1)
        )
    }

    fn rate(&self) -> String {
        let folders = if self.folders == 1 {
            "1 folder".to_owned()
        } else {
            format!("{} folders", count(self.folders))
        };
        let share = self.gets_per_s / (GETS_PER_PREFIX_AND_S * self.folders.max(1) as f64);
        format!(
            "{} GET/s of {folders}: {} of what S3 serves, were each a prefix of its own",
            three_digits(self.gets_per_s),
            percent(share)
        )
    }

    fn price(&self) -> String {
        match &self.usd {
            Ok(usd) => {
                let egress = usd.egress.map_or_else(String::new, |usd| {
                    format!(", {} ${}", self.egress.in_words(), three_digits(usd))
                });
                let of = usd.requests_of.as_ref().map_or_else(String::new, |region| {
                    format!("requests priced as in {region}, ")
                });
                let (total, tasks) = (span_usd(usd.total()), span_usd((usd.tasks, usd.slow_tasks)));
                let requests = three_digits(usd.requests);
                format!(
                    "{total}: tasks {tasks} on demand, requests ${requests}{egress} ({}, {of}prices of {}; without KMS, which SSE-KMS without a bucket key calls for each GET: $0.03 per 10,000)",
                    self.region, self.prices_dated
                )
            }
            Err(why) => format!("not known: {why}"),
        }
    }

    fn limit(&self, limit: JobLimit) -> String {
        match limit {
            JobLimit::Quota => format!(
                "the queue's {} vCPU: it runs {} of {} children at once",
                self.most_vcpu.unwrap_or_default(),
                count(u64::from(self.at_once)),
                count(u64::from(self.shards))
            ),
            JobLimit::TimeOut => format!(
                "the slowest child needs {}, and the stack's job definition ends a child after {}: use more shards",
                span_s(self.slowest.seconds + PAID_BESIDE_S, self.slowest.slow_s + PAID_BESIDE_S),
                seconds(CHILD_TIME_OUT_S)
            ),
            JobLimit::Disk => format!(
                "keys and rows of a child need {} of disk, and its task has {} GiB with its image: use more shards, or the stack's TaskDiskGiB",
                bytes_of(self.disk_bytes),
                self.task_disk_gib
            ),
            JobLimit::Interfaces => format!(
                "{} tasks at once: a region has {} network interfaces by default, and the stack's two subnets have {} addresses",
                count(u64::from(self.at_once)),
                count(u64::from(INTERFACES)),
                count(u64::from(ADDRESSES))
            ),
            JobLimit::Starts => format!(
                "Fargate starts {} tasks at once and then {STARTED_PER_S} per second: the last of {} starts after {}",
                count(u64::from(STARTED_AT_ONCE)),
                count(u64::from(self.at_once)),
                seconds(self.starts_s)
            ),
            JobLimit::Prefixes => "GET/s of so few folders: S3 answers 503 until it has divided them, which takes minutes to hours".to_owned(),
            JobLimit::LargestObject => {
                "the largest object is more than an even share: no cut makes its child's part smaller (--part-size fetches it in parts)".to_owned()
            }
            JobLimit::Minute => {
                let lived = self.slowest.seconds + PAID_BESIDE_S;
                format!("tasks live for {} and are paid for {}: fewer shards cost less", seconds(lived), seconds(MINIMUM_SECONDS))
            }
            JobLimit::Task(Bound::Connections) => "each task: its connections; more workers (-c) are faster".to_owned(),
            JobLimit::Task(Bound::Network) => "each task: its network; more shards are faster".to_owned(),
            JobLimit::Task(Bound::Cpu) => "each task: its CPU; more vCPU or shards are faster".to_owned(),
        }
    }
}

fn assumptions() -> String {
    format!(
        "{} a connection, {} ms to the first byte, {} a task; CPU {} µs a GET and {} s/GB; {} paid besides fetching. Ranges: up to {} more for a slow task, and half of its network. None of it is measured here (docs/scale.md)",
        rate_mb(CONNECTION_BYTES_PER_S),
        FIRST_BYTE_S * 1e3,
        rate_mb(TASK_BYTES_PER_S),
        three_digits(CPU_S_PER_REQUEST * 1e6),
        three_digits(CPU_S_PER_BYTE * 1e9),
        seconds(PAID_BESIDE_S),
        percent(SLOW_TASK - 1.0)
    )
}

/// From the least to the most.
fn span_s(least: f64, most: f64) -> String {
    span(&seconds(least), &seconds(most))
}

fn span_usd((least, most): (f64, f64)) -> String {
    span(
        &format!("${}", three_digits(least)),
        &format!("${}", three_digits(most)),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the type's range before"
)]
fn bytes_of(number: f64) -> String {
    bytes(number.clamp(0.0, 1e18) as u64)
}

fn span(least: &str, most: &str) -> String {
    if least == most {
        least.to_owned()
    } else {
        format!("{least} to {most}")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the type's range before"
)]
fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} s", three_digits(seconds))
    } else {
        duration_coarse((seconds * 1e9).clamp(0.0, 1e18) as u64)
    }
}
