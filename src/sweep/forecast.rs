//! What a sweep would do: runs, requests, bytes and money, before any of it.

use super::job::{Forecast, Job};
use super::place::Place;
use super::setup::Stage;
use crate::cell::Cell;
use crate::price::MINIMUM_SECONDS;
use crate::units;

/// Keys of a listing page.
const PAGE_KEYS: u64 = 1_000;

impl Stage<'_> {
    fn billed(&self, job: &Job) -> Option<(String, String)> {
        let mut classes = self.facts.storage_classes.keys();
        let (class, None) = (classes.next()?, classes.next()) else { return None };
        let by_aws = job.embedded.is_none() && job.access.endpoint_url.is_none();
        by_aws.then(|| self.facts.region.clone()).flatten().map(|region| (region, class.clone()))
    }

    /// The least and the most that the tasks of all runs and warm-ups cost.
    fn tasks_usd(&self, job: &Job) -> Option<(f64, f64)> {
        let (Place::Ecs(fleet), Some(plan)) = (&self.place, &job.fleet) else { return None };
        let all = |seconds: f64| {
            let price = |cell: &Cell| Some(fleet.price(cell, seconds)? * f64::from(cell.shards));
            let runs = self.cells.iter().map(price).sum::<Option<f64>>()? * f64::from(job.plan.repeat);
            Some(runs + warmed_up(&self.cells).map(price).sum::<Option<f64>>()?)
        };
        let duration = job.plan.duration.as_deref().and_then(|text| units::parse_duration(text).ok()).unwrap_or_default();
        Some((all(duration.as_secs_f64().max(MINIMUM_SECONDS))?, all((plan.start_limit + plan.run_limit + plan.stop_limit).as_secs_f64())?))
    }

    pub(super) fn forecast(&self, job: &Job) -> Forecast {
        let runs = self.cells.len() as u64 * u64::from(job.plan.repeat);
        let mut programs: Vec<_> = self.cells.iter().map(|cell| &cell.program).collect();
        programs.sort();
        programs.dedup();
        let warm_ups = programs.len() as u64;
        let keys = self.telling.expected.objects;
        let by_contenders = self.cells.iter().filter(|cell| !cell.program.is_parfetch()).count() as u64 * u64::from(job.plan.repeat);
        let contenders_warm_ups = programs.iter().filter(|program| !program.is_parfetch()).count() as u64;
        // A contender reads every object whole, whatever parfetch does.
        let theirs = by_contenders + contenders_warm_ups;
        let gets = theirs * keys + (runs + warm_ups - theirs) * self.gets;
        Forecast {
            cells: self.cells.clone(),
            runs,
            warm_ups,
            keys,
            bytes: self.telling.expected.bytes,
            sample: self.facts.sample.clone(),
            gets: job.plan.duration.is_none().then_some(gets),
            lists: self.lists + theirs * keys.div_ceil(PAGE_KEYS),
            is_on_ecs: job.fleet.is_some(),
            tasks_usd: self.tasks_usd(job),
            duration: job.plan.duration.clone(),
            billed: self.billed(job),
            limited: self.cells.first().map(|cell| self.place.words(cell)).unwrap_or_default(),
            warnings: self.warnings.clone(),
        }
    }
}

impl Forecast {
    /// `sweep study-1: 30 cells × 6 runs of 8.00 GB = 180 runs, 560,000 GETs; vCPU by cgroup v2 quota`
    pub fn title(&self, id: &str) -> String {
        let Self { cells, runs, keys, bytes, gets, duration, limited, .. } = self;
        let each = runs.checked_div(cells.len() as u64).unwrap_or(0);
        let work = match (duration, bytes) {
            (Some(time), _) => time.clone(),
            (None, Some(bytes)) => units::bytes(*bytes),
            (None, None) => format!("{} objects", units::count(*keys)),
        };
        let work = match &self.sample {
            Some(sample) => format!("{work} ({})", sample.in_words()),
            None => work,
        };
        let gets = gets.map_or_else(String::new, |gets| format!(", {} GETs", units::count(gets)));
        let runs = units::count(*runs);
        format!("sweep {id}: {} cells × {each} runs of {work} = {runs} runs{gets}; {limited}", cells.len())
    }
}

/// The first cell of each program: it warms up.
fn warmed_up(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    let is_first = |index: usize| cells[..index].iter().all(|before| before.program != cells[index].program);
    cells.iter().enumerate().filter(move |(index, _)| is_first(*index)).map(|(_, cell)| cell)
}
