//! Whether the runs of a plan are enough to recommend anything by: said before the first of them, and again of a run that turns out too short.

use super::begin::{configuration, speed};
use super::factors::is_timed;
use super::job::SweepJob;
use super::setup::ReadySweep;
use super::too_little::{Mend, TOO_SHORT, TooLittle, about};
use crate::analysis::FirstLook;
use crate::cell::Cell;
use crate::speed::Store;

/// Bytes a second of a store on this machine that is not of parfetch: an assumption, as such a store shares the CPUs with its client.
const STORE_BYTES_PER_S: f64 = 1e9;
/// Objects a second of such a store: an assumption as well.
const STORE_OBJECTS_PER_S: f64 = 10_000.0;
/// Seconds that a run should have: enough, though a run is faster than assumed.
const ENOUGH_S: f64 = 2.0;
/// A time for `--duration` that is enough.
const ENOUGH_TIME: &str = "5s";

/// What is said of a run that fetched for so many seconds; `None` where that is long enough.
pub(super) fn too_short(cell: &Cell, seconds: f64, job: &SweepJob) -> Option<String> {
    FirstLook::of_seconds(seconds)?;
    if is_timed(&job.plan, &cell.program) {
        return Some(format!(
            "{cell} ran for only {}: {TOO_SHORT}; a longer run takes more work for {}",
            about(seconds),
            cell.program.name()
        ));
    }
    let mend = if job.plan.requests.is_some() {
        "longer runs take more requests (-n)".to_owned()
    } else if job.plan.contender.is_empty() {
        format!("longer runs: --duration {ENOUGH_TIME}")
    } else {
        "longer runs take more or larger objects".to_owned()
    };
    Some(format!(
        "{cell} fetched for only {}: {TOO_SHORT}; {mend}",
        about(seconds)
    ))
}

impl ReadySweep<'_> {
    /// Why nothing, or not everything, would be recommended by what is planned.
    pub(super) fn too_little(&self, job: &SweepJob) -> Vec<TooLittle> {
        let repetitions = usize::try_from(job.plan.repeat).unwrap_or(usize::MAX);
        let repeat = FirstLook::of_repetitions(repetitions).map(|why| TooLittle {
            why,
            mend: Mend::Setting("repeat", FirstLook::REPETITIONS.to_string()),
        });
        let short = self
            .fastest_s(job)
            .and_then(|seconds| Some((seconds, FirstLook::of_seconds(seconds)?)))
            .map(|(seconds, why)| TooLittle {
                why,
                mend: self.longer(job, seconds),
            });
        short.into_iter().chain(repeat).collect()
    }

    /// What makes runs of so many seconds long enough.
    fn longer(&self, job: &SweepJob, seconds: f64) -> Mend {
        let expected = self.template.expected;
        match expected.bytes {
            Some(bytes) if !job.plan.contender.is_empty() => Mend::Objects {
                objects: rounded(expected.objects as f64 * ENOUGH_S / seconds.max(1e-3)),
                bytes: bytes / expected.objects.max(1),
            },
            _ => Mend::Setting("duration", ENOUGH_TIME.to_owned()),
        }
    }

    /// Seconds of fetching of the fastest configuration, as assumed before anything was measured.
    fn fastest_s(&self, job: &SweepJob) -> Option<f64> {
        if let Some(time) = job.plan.time() {
            return Some(time.as_secs_f64());
        }
        let work = (self.gets as f64, self.template.expected.bytes? as f64);
        let speed = speed(job, &self.cells);
        let of_store = match speed.store {
            Store::OnThisMachine if job.embedded.is_none() => {
                (work.1 / STORE_BYTES_PER_S).max(work.0 / STORE_OBJECTS_PER_S)
            }
            Store::OnThisMachine | Store::Distant => 0.0,
        };
        let seconds = |cell: &Cell| speed.seconds(configuration(cell), work).max(of_store);
        let known = |cell: &&Cell| !is_timed(&job.plan, &cell.program);
        self.cells
            .iter()
            .filter(known)
            .map(seconds)
            .reduce(f64::min)
    }
}

/// Up to a number with one digit and zeros: it is an estimate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the number is not negative"
)]
fn rounded(number: f64) -> u64 {
    let step = 10_f64.powf(number.max(1.0).log10().floor());
    ((number / step).ceil() * step) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::fixture;

    #[test]
    fn a_run_that_was_too_short_is_named() {
        let cell = fixture::cell();
        let law = crate::model::Law::new(crate::model::Model::parse("").unwrap());
        let mut job = fixture::job(std::path::Path::new("."), law);
        assert_eq!(too_short(&cell, 1.0, &job), None);
        let said = too_short(&cell, 0.25, &job).unwrap();
        assert_eq!(
            said,
            format!(
                "{cell} fetched for only 250 ms: the report recommends nothing from runs under 1 s; longer runs: --duration 5s"
            )
        );
        job.plan.contender.push(crate::sweep::plan::Contender {
            name: "python".to_owned(),
            command: "python3".to_owned(),
            ..Default::default()
        });
        assert!(
            too_short(&cell, 0.25, &job)
                .unwrap()
                .ends_with("longer runs take more or larger objects")
        );
        job.plan.contender[0].result.time = Some(crate::sweep::plan::TimedBy::Program);
        let timed = Cell {
            program: crate::cell::Program::Contender("python".to_owned()),
            ..cell
        };
        let said = too_short(&timed, 0.25, &job).unwrap();
        assert!(
            said.contains(" ran for only 250 ms: ")
                && said.ends_with("; a longer run takes more work for python"),
            "{said}"
        );
    }

    #[test]
    fn an_estimate_has_one_digit() {
        assert_eq!(
            [0.3, 1.0, 7.2, 5_042.0, 60_000.0].map(rounded),
            [1, 1, 8, 6_000, 60_000]
        );
    }
}
