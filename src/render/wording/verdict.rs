//! What limits a configuration, and the figures that it was judged by, in words.

use super::change::as_fast;
use super::notes;
use crate::analysis::grounds::{Doubt, Ground};
use crate::analysis::model::{CellReport, CellVerdict, Limit};
use crate::analysis::thresholds::REPETITIONS;
use crate::cell::Cell;
use crate::plan::factors::SERVER;
use crate::units;

/// What limits a configuration, in words that need no explanation. Files keep the words of [`Limit`].
pub(crate) const fn limit(word: Limit) -> &'static str {
    match word {
        Limit::Failed => "failed",
        Limit::ServerBound => "the embedded server is the limit",
        Limit::CpuBound => "the CPU is the limit",
        Limit::QuotaThrottled => "the CPU quota is the limit",
        Limit::S3Throttled => "the store throttles",
        Limit::KmsThrottled => "KMS throttles",
        Limit::Throttled => "the server throttles",
        Limit::TailBound => "the last objects decide",
        Limit::PerConnectionBound => "more workers are faster",
        Limit::NetworkBound => "the network is the limit",
        Limit::Unclear => "no limit found",
    }
}

/// The same of a configuration: a server that the sweep started is called by its name.
pub(crate) fn limit_of(report: &CellReport) -> String {
    match (report.verdict.word, report.cell.factors.get(SERVER)) {
        (Limit::ServerBound, Some(name)) => format!("the server {name} is the limit"),
        (word, _) => limit(word).to_owned(),
    }
}

/// Everything that it was judged by; what decided first.
pub(crate) fn because(verdict: &CellVerdict) -> Vec<String> {
    verdict.because.iter().map(ground).collect()
}

/// What decided; `None` where nothing is known.
pub(crate) fn decided(verdict: &CellVerdict) -> Option<String> {
    verdict.because.first().map(ground)
}

fn ground(ground: &Ground) -> String {
    match ground {
        Ground::Failure(reason) => reason.clone(),
        Ground::ServerShare(share) => format!(
            "the server used {} of its CPU time",
            units::percent(*share)
        ),
        Ground::CpuShare {
            share,
            vcpu,
            of_whole,
        } => {
            let doing = if *of_whole {
                "the whole program"
            } else {
                "fetching"
            };
            format!(
                "{doing} used {} of {}",
                units::percent(*share),
                units::vcpus(*vcpu)
            )
        }
        Ground::QuotaShare(share) => format!(
            "the CPU quota held it back for {} of the time",
            units::percent(*share)
        ),
        Ground::ThrottledShare(share) => {
            format!("{} of the attempts were throttled", units::percent(*share))
        }
        Ground::TailShare(share) => {
            format!("the tail took {} of the fetch time", units::percent(*share))
        }
        Ground::NoThroughput => "its throughput is not known".to_owned(),
        Ground::OneConcurrency => {
            "only several numbers of workers show whether the network or the single connection sets the rate".to_owned()
        }
        Ground::Faster { concurrency, gain } => {
            format!("{concurrency} workers are {}", as_fast(1.0 + *gain))
        }
        Ground::PerhapsFaster {
            concurrency,
            gain,
            in_all,
        } => format!(
            "{concurrency} workers are {}{}",
            as_fast(1.0 + *gain),
            in_all.map_or_else(|| ", which may be chance".to_owned(), in_all_runs)
        ),
        Ground::NoKnee(note) => note
            .map_or("its curve has no knee", notes::of_curve)
            .to_owned(),
        Ground::Falls => {
            "with more workers than the best the rate falls, and the CPU is not full"
                .to_owned()
        }
        Ground::Rising => {
            "these are the most workers that were measured, or nearly, and the rate was still rising"
                .to_owned()
        }
        Ground::Flat { from, to, doubt } => format!(
            "from {from} to {to} workers the rate changes by less than 5 %{}",
            doubt
                .as_ref()
                .map_or_else(|| ", and the CPU is not full".to_owned(), self::doubt)
        ),
    }
}

/// What to say of repetitions that are too few for any test although all of the one are below all of the other.
fn in_all_runs(n: usize) -> String {
    let all = if n == 1 {
        " in the one run of each".to_owned()
    } else {
        format!(" in all {n} runs of each")
    };
    format!("{all}; {REPETITIONS} runs of each would show whether that is chance")
}

fn doubt(doubt: &Doubt) -> String {
    match doubt {
        Doubt::SameMachine => {
            ": the store is on this machine, so it is not the network but the store or the CPUs that they share".to_owned()
        }
        Doubt::ReadUnknown => ", and what the program reads is not known".to_owned(),
        Doubt::CpuUnknown => ", and how busy the CPU was is not known".to_owned(),
        Doubt::Busy(share) => format!(
            " with {} of the vCPUs used: too much to say whether the network or the CPU is the limit",
            units::percent(*share)
        ),
        Doubt::Throttled(concurrency) => {
            format!(", and {concurrency} workers were throttled: that limit may be near")
        }
        Doubt::FasterInSize {
            cell,
            gain,
            is_significant,
        } => {
            let Cell {
                program,
                mode,
                concurrency,
                ..
            } = cell;
            let so = if *is_significant {
                ": not the network"
            } else {
                ", which may be chance among so many configurations"
            };
            format!(
                ", yet {} {mode} × {concurrency} is {} in the same size{so}",
                program.name(),
                as_fast(1.0 + *gain)
            )
        }
    }
}
