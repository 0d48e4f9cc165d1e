//! What a sweep would do: runs, requests, bytes and money, before any of it.

use std::collections::HashSet;

use super::begin::{configuration, speed};
use super::factors::is_timed;
use super::job::{RunsLeft, SweepForecast, SweepJob};
use super::matrix::warmed_up;
use super::plan::SweepPlan;
use super::remaining::Remaining;
use super::requests::RequestTemplate;
use super::setup::ReadySweep;
use super::time_left::TimeLeft;
use super::too_little::TooLittle;
use crate::cell::{Cell, Program, lines};
use crate::estimate::{Bytes, Estimate, EstimateSource, Paid, UncountedRuns, usd};
use crate::event::{Left, SweepEvent};
use crate::exit::Failure;
use crate::results::summary::fetched_classes;
use crate::units::{self, plural, round_to_u64};

/// Keys of a listing page.
const PAGE_KEYS: u64 = 1_000;

impl ReadySweep<'_> {
    /// The least and the most that one run of each of these cells costs as tasks.
    fn tasks_usd(&self, job: &SweepJob, runs: &[&Cell]) -> Option<(f64, f64)> {
        let time = job.plan.time().unwrap_or_default();
        let each = runs.iter().map(|cell| self.launcher.usd(cell, time));
        each.into_iter().try_fold((0.0, 0.0), |(least, most), one| {
            let (at_least, at_most) = one?;
            Some((least + at_least, most + at_most))
        })
    }

    /// What is left of the sweep, where an earlier command did some of it, and by its runs how long that takes.
    pub(super) fn forecast_of(
        &self,
        job: &SweepJob,
        (remaining, mut clock): (&Remaining, TimeLeft),
    ) -> SweepForecast {
        let whole = self.forecast(job);
        if remaining.ended.done == 0 {
            return whole;
        }
        let left: Vec<&Cell> = remaining.cells().collect();
        let numbered = remaining.todo.iter().filter(|next| next.number.is_some());
        let runs = numbered.clone().count() as u64;
        let has_runs: HashSet<&Cell> = numbered.map(|next| &next.planned.cell).collect();
        let cells = self.cells.iter().filter(|cell| has_runs.contains(cell));
        let time_left = clock.begins(&remaining.todo, (0, self.launcher.width()));
        SweepForecast {
            estimate: Estimate {
                measured: time_left.map(in_words),
                ..self.estimate(job, &left)
            },
            tasks_usd: self.tasks_usd(job, &left),
            left: Some(RunsLeft {
                done: remaining.ended.done,
                cells: cells.cloned().collect(),
                runs,
                warm_ups: left.len() as u64 - runs,
            }),
            ..whole
        }
    }

    pub(super) fn forecast(&self, job: &SweepJob) -> SweepForecast {
        let runs = self.cells.len() as u64 * u64::from(job.plan.repeat);
        let warm_ups = warmed_up(&self.cells).count() as u64;
        let again = (0..job.plan.repeat).flat_map(|_| &self.cells);
        let all: Vec<&Cell> = again.chain(warmed_up(&self.cells)).collect();
        let estimate = self.estimate(job, &all);
        SweepForecast {
            left: None,
            adds: job.adds_to.is_some(),
            cells: self.cells.clone(),
            runs,
            warm_ups,
            keys: self.template.expected.objects,
            noun: job.noun(),
            bytes: self.template.expected.bytes,
            sample: self.facts.sample.clone(),
            gets: estimate.gets,
            lists: estimate.lists,
            is_paid: job.place.facts().consent.is_some(),
            tasks_usd: self.tasks_usd(job, &all),
            duration: job
                .plan
                .time()
                .map(|time| units::duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))),
            too_little: self.too_little(job),
            estimate,
            limited: self
                .cells
                .first()
                .map(|cell| self.launcher.words(cell))
                .unwrap_or_default(),
            warnings: self.warnings.clone(),
        }
    }

    /// What one run of each of these cells fetches and costs.
    pub(super) fn estimate(&self, job: &SweepJob, runs: &[&Cell]) -> Estimate {
        let (keys, facts) = (self.template.expected.objects, &self.facts);
        let uncounted = uncounted(&job.plan, runs);
        let counted = |cell: &&&Cell| !is_timed(&job.plan, &cell.program);
        let runs_in_all = runs.len() as u64;
        let runs: Vec<&Cell> = runs.iter().filter(counted).copied().collect();
        let theirs = runs
            .iter()
            .filter(|cell| !cell.program.is_parfetch())
            .count() as u64;
        // A contender lists, and reads every object whole, whatever parfetch does.
        let pages = if job.requests.is_some() {
            0
        } else {
            keys.div_ceil(PAGE_KEYS)
        };
        let lists = self.lists + theirs * pages;
        let once = theirs * keys + (runs.len() as u64 - theirs) * self.gets;
        let duration = job.plan.time().map(|time| time.as_secs_f64());
        let speed = speed(job, &self.cells);
        let bytes = self.template.expected.bytes;
        let once_s = |cell: &Cell| {
            Some(speed.seconds(configuration(cell), (self.gets as f64, bytes? as f64)))
        };
        // Time ends parfetch's own runs alone.
        let ends_s = |cell: &Cell| duration.filter(|_| cell.program.is_parfetch());
        // How often all runs together go round their keys.
        let rounds_of = |cell: &Cell| {
            let each_s = ends_s(cell)?;
            Some(each_s / once_s(cell)?.max(f64::MIN_POSITIVE))
        };
        let rounds = duration.map(|_| {
            runs.iter()
                .map(|cell| rounds_of(cell).unwrap_or(1.0))
                .sum::<f64>()
        });
        let (bytes_of_run, gets) = match (rounds, bytes) {
            (_, None) => (Bytes::Unknown, once),
            _ if runs.is_empty() => (Bytes::Unknown, 0),
            (None, Some(bytes)) => (Bytes::Listed(bytes), once),
            (Some(rounds), Some(bytes)) => (
                Bytes::Assumed(round_to_u64(
                    bytes as f64 * rounds / runs.len().max(1) as f64,
                )),
                round_to_u64(self.gets as f64 * rounds),
            ),
        };
        let is_web = job.requests.is_some();
        let by_aws = job.embedded.is_none() && !is_web && job.access.endpoint_url.is_none();
        let all_bytes = bytes_of_run.times(runs.len() as u64);
        let classes = fetched_classes(&facts.storage_classes);
        let paid = |region| Paid {
            region,
            gets,
            lists,
            bytes: all_bytes,
            egress: job.asked_egress,
            classes,
        };
        Estimate {
            what: "sweep",
            source: job.requests.as_ref().map_or_else(
                || format!("s3://{}/{}", facts.bucket, facts.prefix),
                RequestTemplate::shown,
            ),
            from: if is_web {
                EstimateSource::WebServer
            } else {
                EstimateSource::Bucket
            },
            is_free: is_web
                || job.embedded.is_some()
                || job.place.facts().is_in_region
                || job.access.is_on_this_machine(),
            runs: runs_in_all,
            bytes_of_run,
            gets: duration.is_none().then_some(gets),
            lists,
            seconds: runs
                .iter()
                .map(|cell| ends_s(cell).or_else(|| once_s(cell).filter(|_| by_aws)))
                .sum::<Option<f64>>()
                .filter(|_| uncounted.is_none()),
            measured: None,
            usd: facts
                .region
                .as_deref()
                .filter(|_| by_aws && !runs.is_empty())
                .and_then(|region| usd(&paid(region), self.prices)),
            uncounted,
        }
    }

    /// Goes on when somebody agreed to what one run of each of these cells takes, or nobody needs to.
    pub(super) async fn agree(&mut self, job: &SweepJob, runs: &[&Cell]) -> Result<(), Failure> {
        let estimate = self.estimate(job, runs);
        if runs.is_empty() {
            return Ok(());
        }
        if estimate.needs_asking(job.approval)? {
            self.event(&SweepEvent::Asking);
        }
        estimate.agree(job.approval, &mut *self.ask).await
    }
}

/// Those of these runs whose time is all that is known.
pub(super) fn uncounted(plan: &SweepPlan, runs: &[&Cell]) -> Option<UncountedRuns> {
    let timed = runs.iter().filter(|cell| is_timed(plan, &cell.program));
    let mut programs: Vec<&str> = timed.map(|cell| cell.program.name()).collect();
    let runs = programs.len() as u64;
    programs.sort_unstable();
    programs.dedup();
    (runs > 0).then(|| UncountedRuns {
        runs,
        programs: programs.join(", "),
    })
}

/// `about 24 s, by the runs that were made`
fn in_words(left: Left) -> String {
    let (word, ns) = match left {
        Left::AtMost(ns) => ("at most", ns),
        Left::About(ns) => ("about", ns),
    };
    format!(
        "{word} {}, by the runs that were made",
        units::duration_coarse(ns)
    )
}

impl SweepForecast {
    /// What is measured, or left to be measured, in few lines.
    pub fn configurations(&self) -> Vec<String> {
        let left = self.left.as_ref();
        lines(left.map_or(&self.cells, |left| &left.cells))
    }

    /// Programs whose runs were said to be too short.
    pub(super) fn short_programs(&self) -> Vec<Program> {
        let is_short = self.too_little.iter().any(TooLittle::is_of_time);
        let mut programs: Vec<Program> = self
            .cells
            .iter()
            .map(|cell| cell.program.clone())
            .filter(|program| is_short && program.is_parfetch())
            .collect();
        programs.dedup();
        programs
    }

    /// `sweep study-1: 30 configurations × 6 runs of 2.00 GB and 2 warm-ups = 182 runs, 560,000 GETs, 364 GB; vCPUs and memory limited by cgroup v2 quota`
    pub fn title(&self, id: &str) -> String {
        let Self {
            cells,
            runs,
            warm_ups,
            keys,
            noun,
            bytes,
            gets,
            duration,
            limited,
            ..
        } = self;
        let each = runs.checked_div(cells.len() as u64).unwrap_or(0);
        let work = match (duration, bytes) {
            (Some(time), _) => time.clone(),
            (None, Some(bytes)) => units::bytes(*bytes),
            (None, None) => plural(*keys, noun),
        };
        let work = match &self.sample {
            Some(sample) => format!(" of {work} ({})", sample.in_words()),
            None => format!(" of {work}"),
        };
        // What is not known of all runs is no part of the title.
        let is_counted = self.estimate.uncounted.is_none();
        let work = if is_counted { work } else { String::new() };
        let gets = gets.filter(|_| is_counted);
        let unit = if *noun == "request" { noun } else { "GET" };
        let gets = gets.map_or_else(String::new, |gets| format!(", {}", plural(gets, unit)));
        let all = bytes
            .filter(|_| duration.is_none() && is_counted)
            .map(|bytes| bytes.saturating_mul(runs + warm_ups));
        let all = all.map_or_else(String::new, |bytes| format!(", {}", units::bytes(bytes)));
        let (cells, each, warm_ups, runs) = (
            plural(cells.len() as u64, "configuration"),
            plural(each, "run"),
            plural(*warm_ups, "warm-up"),
            plural(runs + warm_ups, "run"),
        );
        format!("sweep {id}: {cells} × {each}{work} and {warm_ups} = {runs}{gets}{all}; {limited}")
    }
}
