//! Decides from run to run of a tune: asks the strategy of one program after another, keeps to the limits, and writes each step down.

use std::collections::HashMap;

use super::answer::{AnswerTerms, answer, reason};
use super::job::TuneLimits;
use super::program::ProgramTune;
use super::seen::{LookedAt, figures, observation, seen};
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::results::record::{Record, RepetitionAmount};
use crate::results::tune::{
    FILE_NAME, StepFigures, StoppedBecause, TuneDocument, TuneStep, TunedConfiguration,
};
use crate::sweep::folder::Folder;
use crate::sweep::matrix::Planned;
use crate::sweep::next::{MeasuredRun, MeasuredWhen, NextRuns};
use crate::tune::{Next, RunSeen, StopReason, WantedRun, Why};
use crate::units::{SECOND_NS, round_to_u64};

/// Hears of each step that was measured now, with the document so far.
pub type OnStep<'a> = dyn FnMut(&TuneStep, &TuneDocument) + 'a;

/// A tune under way.
pub(super) struct Chooser<'a> {
    pub(super) folder: &'a Folder,
    pub(super) limits: TuneLimits,
    /// Runs that an earlier command made: they count, whatever the limits are now.
    pub(super) made: u64,
    pub(super) terms: AnswerTerms,
    pub(super) programs: Vec<ProgramTune>,
    /// Which of them is at work.
    pub(super) at: usize,
    /// Seconds of each run, where time ends them all: how long a web server takes to answer is not known before.
    pub(super) run_s: Option<f64>,
    /// Bytes of the first so many keys; none where sizes are not known.
    pub(super) sums: Option<Vec<u64>>,
    /// Keys of the list.
    pub(super) keys: u64,
    pub(super) document: TuneDocument,
    pub(super) repetitions: HashMap<Cell, u32>,
    pub(super) asked: Option<AskedRun>,
    /// Seconds of a run besides fetching, all together.
    pub(super) around_s: f64,
    pub(super) on_step: &'a mut OnStep<'a>,
}

/// The run that goes on.
pub(super) struct AskedRun {
    wanted: WantedRun,
    step: TuneStep,
}

impl Chooser<'_> {
    /// Nothing goes on any more: what was found so far counts, and why it ended.
    pub(super) fn end(&mut self, why: StoppedBecause) -> Result<(), Failure> {
        if self.document.stopped_because.is_none() {
            if let Some(tuned) = self.programs.get_mut(self.at) {
                tuned.found = tuned.tuner.conclude(StopReason::Asked);
                self.at = self.programs.len();
            }
            self.document.stopped_because = Some(why);
        }
        self.document.answers = self
            .programs
            .iter()
            .map(|tuned| answer(tuned, self.terms))
            .collect();
        let is_interrupted = self.document.stopped_because == Some(StoppedBecause::Interrupted);
        // A limit that left no room for a run stays the reason.
        let is_empty = self.document.runs == 0;
        if !is_interrupted && !is_empty && self.programs.iter().all(|tuned| tuned.found.is_none()) {
            self.document.stopped_because = Some(StoppedBecause::Nothing);
        }
        self.write()
    }

    pub(super) fn write(&self) -> Result<(), Failure> {
        let text = self
            .document
            .to_json()
            .map_err(|error| Failure::new(Exit::Unexpected, error.to_string()))?;
        Ok(self.folder.write(FILE_NAME, &text)?)
    }

    /// Which limit another run would go beyond.
    fn over(&self, wanted: &WantedRun) -> Option<StoppedBecause> {
        let document = &self.document;
        if document.runs < self.made {
            return None;
        }
        if document.runs >= self.limits.runs {
            return Some(StoppedBecause::MaxRuns);
        }
        let around_s = self.around_s / document.runs.max(1) as f64;
        let ends_s = document.seconds + wanted.expected_s + around_s;
        if self
            .limits
            .time
            .is_some_and(|most| ends_s > most.as_secs_f64())
        {
            return Some(StoppedBecause::MaxTime);
        }
        let bytes = document.bytes.saturating_add(self.bytes_of(wanted));
        self.limits
            .bytes
            .is_some_and(|most| bytes > most)
            .then_some(StoppedBecause::MaxBytes)
    }

    /// Bytes of a run, as listed; of one that time ends, as expected; none of a program that does not say what it reads.
    fn bytes_of(&self, wanted: &WantedRun) -> u64 {
        let tuned = &self.programs[self.at];
        let Some(sums) = self.sums.as_ref().filter(|_| tuned.run_objects.is_none()) else {
            return 0;
        };
        let last = sums.len() - 1;
        let all = sums[last];
        if wanted.ends_s.is_some() {
            return round_to_u64(
                wanted.expected_rate * wanted.expected_s * all as f64 / last.max(1) as f64,
            );
        }
        if tuned.program.is_parfetch() {
            let keys = usize::try_from(round_to_u64(wanted.objects)).unwrap_or(last);
            sums[keys.min(last)]
        } else {
            all
        }
    }

    /// How much of the key list a run fetches. A contender reads every key by itself.
    fn amount(&self, wanted: &WantedRun) -> RepetitionAmount {
        if !self.programs[self.at].program.is_parfetch() {
            return RepetitionAmount::default();
        }
        match wanted.ends_s {
            Some(seconds) => RepetitionAmount {
                keys: None,
                duration_ns: Some(round_to_u64(seconds * SECOND_NS as f64)),
            },
            None => RepetitionAmount {
                keys: Some(round_to_u64(wanted.objects).min(self.keys)),
                duration_ns: None,
            },
        }
    }

    fn planned(&mut self, wanted: WantedRun) -> Planned {
        let amount = self.amount(&wanted);
        let tuned = &self.programs[self.at];
        let cell = tuned.cells[wanted.config].clone();
        let is_parfetch = tuned.program.is_parfetch();
        let repetition = self.repetitions.entry(cell.clone()).or_default();
        *repetition += 1;
        let (expected_objects_per_s, expected_s) = tuned.rate_or_run_s(wanted.expected_rate);
        let step = TuneStep {
            run: self.document.runs + 1,
            program: tuned.program.name().to_owned(),
            factors: tuned.factors.clone(),
            configuration: TunedConfiguration::of(&cell),
            repetition: *repetition,
            why: reason(wanted.why),
            keys: amount.keys,
            duration_s: amount.duration_ns.map(|ns| ns as f64 / SECOND_NS as f64),
            expected_objects_per_s,
            expected_s,
            seen: None,
            failure: None,
        };
        let planned = Planned {
            cell,
            repetition: *repetition,
            position: u32::try_from(self.document.runs).unwrap_or(u32::MAX),
            // A contender reads what it always reads.
            amount: is_parfetch.then_some(amount),
        };
        self.asked = Some(AskedRun { wanted, step });
        planned
    }

    /// What a run showed; why it showed nothing.
    fn look(
        &self,
        measured: MeasuredRun<'_>,
        wanted: &WantedRun,
    ) -> Result<(StepFigures, RunSeen, Option<u64>), String> {
        let found = observation(measured.record, measured.dir)?;
        let looked = LookedAt {
            config: wanted.config,
            mean_bytes: self
                .document
                .object_bytes
                .map(|bytes| bytes as f64 / self.document.objects.max(1) as f64),
            keys: self.keys,
            is_soak: wanted.why == Why::Burst,
        };
        let run = seen(&found, looked)?;
        let counts = &found.counts;
        let bytes = counts.received_bytes.or(counts.goodput_bytes);
        Ok((figures(&found, &run), run, bytes))
    }
}

impl NextRuns for Chooser<'_> {
    fn next(&mut self) -> Option<Planned> {
        while self.document.stopped_because.is_none() {
            let Some(tuned) = self.programs.get_mut(self.at) else {
                self.document.stopped_because = Some(StoppedBecause::Sure);
                break;
            };
            let wanted = match tuned.tuner.decide() {
                Next::Run(wanted) => match self.run_s {
                    Some(seconds) => WantedRun {
                        ends_s: Some(seconds),
                        expected_s: seconds,
                        ..wanted
                    },
                    None => wanted,
                },
                Next::Stop(found) => {
                    tuned.found = found;
                    self.at += 1;
                    continue;
                }
            };
            let Some(why) = self.over(&wanted) else {
                return Some(self.planned(wanted));
            };
            let tuned = &mut self.programs[self.at];
            if wanted.why == Why::Burst && why != StoppedBecause::MaxRuns {
                tuned.tuner.stop_soaks();
                continue;
            }
            tuned.found = tuned.tuner.conclude(StopReason::Asked);
            self.at = self.programs.len();
            self.document.stopped_because = Some(why);
        }
        None
    }

    fn saw(&mut self, measured: MeasuredRun<'_>) -> Result<(), Failure> {
        let Some(AskedRun { wanted, mut step }) = self.asked.take() else {
            return Ok(());
        };
        let looked = self.look(measured, &wanted);
        let seconds = seconds_of(measured.record);
        let tuned = &mut self.programs[self.at];
        match looked {
            Ok((figures, run, bytes)) => {
                step.seen = Some(figures);
                tuned.fetched_s[wanted.config].push(run.fetch_s);
                self.document.bytes = self.document.bytes.saturating_add(bytes.unwrap_or(0));
                let seconds = seconds.unwrap_or(run.fetch_s);
                self.document.seconds += seconds;
                self.around_s += (seconds - run.fetch_s).max(0.0);
                tuned.tuner.saw(run);
            }
            Err(why) => {
                step.failure = Some(why);
                self.document.seconds += seconds.unwrap_or(0.0);
                tuned.failed(wanted.config);
            }
        }
        self.document.runs += 1;
        self.document.steps.push(step);
        if measured.when == MeasuredWhen::Now {
            self.write()?;
            if let Some(step) = self.document.steps.last() {
                (self.on_step)(step, &self.document);
            }
        }
        Ok(())
    }
}

/// How long a repetition took, with everything around it.
fn seconds_of(record: &Record) -> Option<f64> {
    let lived_ns = record.tasks.iter().filter_map(|task| task.lived_ns).max();
    let wall_ns = record.outside.map(|outside| outside.wall_ns);
    Some(lived_ns.or(wall_ns)? as f64 / SECOND_NS as f64)
}
