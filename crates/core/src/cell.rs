//! One cell of a sweep: the factors that are varied, as plain data.
//!
//! Owns the cell's names (a readable slug for folders, a line for people). Knows nothing of how a cell is run or what came out of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::plan::variables::{SHARD, of_workers};
use crate::plan::{ClientKind, Factors, Mode};

/// CPU units of one vCPU, as ECS counts them.
pub const UNITS_PER_VCPU: u32 = 1024;

/// GB of memory as Fargate names sizes (1024 MiB each), to two decimals: that of other machines is no round number.
pub fn memory_gb(mib: u32) -> f64 {
    (f64::from(mib) / 1024.0 * 100.0).round() / 100.0
}

/// What fetches in a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// parfetch with this client.
    Client(ClientKind),
    /// Another program, by the name that the plan gives it.
    Contender(String),
}

impl Program {
    /// The word that stands in tables, file names and flags.
    pub fn name(&self) -> &str {
        match self {
            Self::Client(client) => client.as_str(),
            Self::Contender(name) => name,
        }
    }

    /// Whether it is parfetch itself.
    pub const fn is_parfetch(&self) -> bool {
        matches!(self, Self::Client(_))
    }
}

/// One combination of the factors.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cell {
    /// What fetches.
    pub program: Program,
    /// vCPU × 1024, of each shard.
    pub cpu_units: u32,
    /// Memory of each shard in MiB.
    pub memory_mib: u32,
    /// Concurrency model.
    pub mode: Mode,
    /// Workers of each shard.
    pub concurrency: u32,
    /// Runs side by side, each with its part of the keys.
    pub shards: u32,
    /// The server, and the sweep's own factors; empty without any.
    #[serde(default, skip_serializing_if = "Factors::is_empty")]
    pub factors: Factors,
}

impl Cell {
    /// vCPU of each shard.
    pub fn vcpu(&self) -> f64 {
        f64::from(self.cpu_units) / f64::from(UNITS_PER_VCPU)
    }

    /// The variables that make a run one of this configuration. With several shards each task needs its own number: as it stands here it is refused.
    pub fn variables(&self) -> Vec<(String, String)> {
        let client = match self.program {
            Program::Client(client) => Some(client),
            Program::Contender(_) => None,
        };
        let workers = of_workers(self.mode, self.concurrency, client)
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let shard = (self.shards > 1).then(|| (SHARD.to_owned(), format!("I/{}", self.shards)));
        workers.chain(shard).collect()
    }

    /// A name for folders: `lean-0.5vcpu-1024mib-async-x16`, with `-s4` behind it for four shards, then `-workers=3` for each factor.
    pub fn slug(&self) -> String {
        let Self {
            program,
            memory_mib,
            mode,
            concurrency,
            shards,
            factors,
            ..
        } = self;
        let parts = if *shards > 1 {
            format!("-s{shards}")
        } else {
            String::new()
        };
        format!(
            "{}-{}vcpu-{memory_mib}mib-{mode}-x{concurrency}{parts}{}",
            program.name(),
            self.vcpu(),
            factors.slug()
        )
    }
}

impl Cell {
    /// Its size, mode, workers and program, and what else tells it from others.
    fn words(&self) -> [String; 5] {
        let s = if self.cpu_units > UNITS_PER_VCPU {
            "s"
        } else {
            ""
        };
        let (vcpu, gb) = (self.vcpu(), memory_gb(self.memory_mib));
        let shards = (self.shards > 1).then(|| format!(" · {} shards", self.shards));
        let factors = (!self.factors.is_empty()).then(|| format!(" · {}", self.factors));
        [
            format!("{vcpu} vCPU{s} · {gb} GB"),
            self.mode.to_string(),
            self.concurrency.to_string(),
            self.program.name().to_owned(),
            shards.into_iter().chain(factors).collect(),
        ]
    }
}

impl fmt::Display for Cell {
    /// `0.5 vCPU · 1 GB · async × 16 · lean`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self.words()))
    }
}

fn line([size, mode, workers, program, rest]: [String; 5]) -> String {
    format!("{size} · {mode} × {workers} · {program}{rest}")
}

/// Many cells in few lines: `1 vCPU · 2 GB · async, thread × 1, 2, 4 · sdk, lean`.
pub fn lines(cells: &[Cell]) -> Vec<String> {
    const WORKERS_MODES_PROGRAMS: [usize; 3] = [2, 1, 3];
    let words = cells.iter().map(|cell| cell.words().map(|word| vec![word]));
    let mut groups: Vec<[Vec<String>; 5]> = words.collect();
    for joined in WORKERS_MODES_PROGRAMS {
        let mut fewer: Vec<[Vec<String>; 5]> = Vec::new();
        for group in groups {
            let is_like = |other: &&mut [Vec<String>; 5]| {
                (0..group.len()).all(|at| at == joined || other[at] == group[at])
            };
            match fewer.iter_mut().find(is_like) {
                Some(like) => like[joined].extend_from_slice(&group[joined]),
                None => fewer.push(group),
            }
        }
        groups = fewer;
    }
    let joined = |group: &[Vec<String>; 5]| line(group.each_ref().map(|words| words.join(", ")));
    groups.iter().map(joined).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(program: Program) -> Cell {
        Cell {
            program,
            cpu_units: 512,
            memory_mib: 1024,
            mode: Mode::Async,
            concurrency: 16,
            shards: 1,
            factors: Factors::default(),
        }
    }

    #[test]
    fn a_cell_has_a_name_for_folders_and_one_for_people() {
        let lean = cell(Program::Client(ClientKind::Lean));
        assert_eq!(
            (lean.slug().as_str(), lean.to_string().as_str()),
            (
                "lean-0.5vcpu-1024mib-async-x16",
                "0.5 vCPU · 1 GB · async × 16 · lean"
            )
        );
        let served = Cell {
            factors: Factors::default()
                .with("workers", "3")
                .with("server", "gunicorn"),
            ..lean.clone()
        };
        assert_eq!(
            (served.slug().as_str(), served.to_string().as_str()),
            (
                "lean-0.5vcpu-1024mib-async-x16-server=gunicorn-workers=3",
                "0.5 vCPU · 1 GB · async × 16 · lean · server gunicorn · workers 3"
            )
        );
        let sharded = Cell {
            shards: 4,
            cpu_units: 2048,
            memory_mib: 5120,
            ..cell(Program::Contender("python".to_owned()))
        };
        assert_eq!(sharded.slug(), "python-2vcpu-5120mib-async-x16-s4");
        assert_eq!(
            sharded.to_string(),
            "2 vCPUs · 5 GB · async × 16 · python · 4 shards"
        );
    }

    #[test]
    fn a_matrix_has_a_line_for_each_size_and_what_has_a_hole_has_more() {
        let mut cells = Vec::new();
        for (cpu_units, memory_mib) in [(512, 1024), (2048, 4096)] {
            for client in [ClientKind::Sdk, ClientKind::Lean] {
                for mode in [Mode::Async, Mode::Thread] {
                    cells.extend([1, 2, 16].map(|concurrency| Cell {
                        cpu_units,
                        memory_mib,
                        mode,
                        concurrency,
                        ..cell(Program::Client(client))
                    }));
                }
            }
        }
        assert_eq!(
            lines(&cells),
            [
                "0.5 vCPU · 1 GB · async, thread × 1, 2, 16 · sdk, lean",
                "2 vCPUs · 4 GB · async, thread × 1, 2, 16 · sdk, lean"
            ]
        );
        assert_eq!(
            lines(&cells[1..12]),
            [
                "0.5 vCPU · 1 GB · async × 2, 16 · sdk",
                "0.5 vCPU · 1 GB · thread × 1, 2, 16 · sdk",
                "0.5 vCPU · 1 GB · async, thread × 1, 2, 16 · lean"
            ]
        );
        let served = |workers| Cell {
            factors: Factors::default().with("workers", workers),
            ..cell(Program::Client(ClientKind::Lean))
        };
        assert_eq!(
            lines(&[served("1"), served("3")]),
            [
                "0.5 vCPU · 1 GB · async × 16 · lean · workers 1",
                "0.5 vCPU · 1 GB · async × 16 · lean · workers 3"
            ]
        );
    }

    #[test]
    fn a_contender_is_told_from_a_client_in_files() {
        let text = |program| serde_json::to_string(&cell(program).program).unwrap();
        assert_eq!(
            text(Program::Client(ClientKind::Sdk)),
            r#"{"client":"sdk"}"#
        );
        assert_eq!(
            text(Program::Contender("sdk".to_owned())),
            r#"{"contender":"sdk"}"#
        );
    }

    #[test]
    fn a_cell_without_factors_is_written_as_before() {
        let lean = cell(Program::Client(ClientKind::Lean));
        let text = serde_json::to_string(&lean).unwrap();
        assert!(!text.contains("factors"), "{text}");
        assert_eq!(serde_json::from_str::<Cell>(&text).unwrap(), lean);
    }
}
