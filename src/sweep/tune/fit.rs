//! The model of a platform that fits what a folder measured: for questions that nobody wants to measure.

use std::collections::BTreeSet;
use std::path::Path;

use super::program::{space, vcpu_of};
use super::seen::{LookedAt, seen};
use crate::analysis::{self, CellReport, Reader, Study};
use crate::cell::{Cell, Program};
use crate::exit::{Exit, Failure};
use crate::model::{ByMode, Model, ProgramCpu};
use crate::plan::ClientKind;
use crate::price::PriceList;
use crate::sweep::keys::bytes_of_first;
use crate::tune::{FittedPlatform, RunSeen};
use crate::units::plural;

/// A model of what a folder measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FittedModel {
    /// As TOML.
    pub text: String,
    /// What was measured and is not in it, and why: a line each.
    pub left_out: Vec<String>,
}

/// The model of the newest sweep in a folder.
///
/// # Errors
/// When there are too few figures for one, or it measured no bucket.
pub fn fit(folder: &Path, prices: &PriceList) -> Result<FittedModel, Failure> {
    let nothing = |what: &str| {
        Failure::new(Exit::Usage, format!("{}: {what}", folder.display()))
            .hint("name the folder of a sweep or a tune: parfetch-results/sweeps/ID")
    };
    let mut reader = Reader::default();
    reader.path(folder);
    reader.keep_newest_sweep();
    let studies = analysis::studies(reader.finish(), prices);
    let study = studies
        .first()
        .ok_or_else(|| nothing("there are no results"))?;
    let workload = &study.workload;
    if let Some(http) = &workload.http {
        let message = format!(
            "{}: it measured a web server ({}), and a model is of a bucket's objects",
            folder.display(),
            http.urls
        );
        return Err(Failure::new(Exit::Usage, message).hint(
            "no model of it is fitted: `parfetch report` has what was measured of each server",
        ));
    }
    let (Some(keys), Some(bytes)) = (workload.keys, workload.bytes.filter(|bytes| *bytes > 0))
    else {
        return Err(nothing("the sizes of the bucket's objects are not known"));
    };
    let mean = bytes as f64 / keys.max(1) as f64;
    let mut model = Model::default();
    model.bucket.objects = u32::try_from(keys)
        .unwrap_or(u32::MAX)
        .min(crate::model::MOST_OBJECTS);
    model.bucket.mean_bytes = mean;
    let list = folder.join("keys.tsv");
    if let Some(sigma) = list.is_file().then(|| spread(&list)).transpose()?.flatten() {
        model.bucket.sigma = sigma;
    }
    let (fitted, mut left_out) = programs(study, (mean, keys));
    let (of, platform) = fitted.first().ok_or_else(|| {
        let why = left_out.first();
        nothing(&why.map_or_else(
            || "no run has the figures that a model takes".to_owned(),
            |why| format!("nothing is left for a model: {why}"),
        ))
    })?;
    let second = fitted
        .iter()
        .skip(1)
        .filter(|(program, _)| program.is_parfetch());
    left_out.extend(second.map(|(program, _)| {
        let of = of.name();
        format!(
            "{}: a model has one client of parfetch, here {of}",
            program.name()
        )
    }));
    left_out.extend(studies.iter().skip(1).map(|other| {
        let source = other.workload.source();
        format!("{source}: a model is of one sweep, here the first of the folder")
    }));
    apply(platform, &mut model);
    for (program, platform) in fitted.iter().filter(|(program, _)| !program.is_parfetch()) {
        let own = ProgramCpu {
            request_s: Some(by_mode(platform.request_s)),
            byte_s: Some(platform.byte_s),
            per_worker: Some(platform.per_worker),
            usable: Some(by_mode(platform.usable)),
            serial_s: platform.serial_s,
        };
        model.program.insert(program.name().to_owned(), own);
    }
    let others = fitted.iter().skip(1);
    let others = others.filter(|(program, _)| !program.is_parfetch());
    let fits = others.fold(platform.runs, |all, (_, one)| all + one.runs);
    let runs = plural(fits as u64, "run");
    let lines = left_out
        .iter()
        .map(|line| format!("# Not in it: {}\n", line.replace(char::is_control, " ")));
    let text = format!(
        "# A model that fits {runs} of {}. What no run showed is an assumption.\n{}{}",
        workload.source(),
        lines.collect::<String>(),
        model.to_toml()
    );
    Ok(FittedModel { text, left_out })
}

/// The platform as each program saw it, the one that the model has first; and what is not in it.
fn programs(study: &Study, bucket: (f64, u64)) -> (Vec<(&Program, FittedPlatform)>, Vec<String>) {
    let all = study.cells.iter().map(|report| &report.cell.program);
    let programs: BTreeSet<&Program> = all.collect();
    let (mut fitted, mut left_out) = (Vec::new(), Vec::new());
    for program in programs {
        let cells = study.cells.iter();
        let mut own = cells.clone().filter(|one| one.cell.program == *program);
        if own.any(CellReport::is_timed_alone) {
            let name = program.name();
            left_out.push(format!(
                "{name}: its time alone is known, and a model is of what is read"
            ));
            continue;
        }
        let (reports, others): (Vec<&CellReport>, Vec<&CellReport>) = cells
            .filter(|report| report.cell.program == *program)
            .partition(|report| report.cell.shards <= 1 && report.cell.factors.is_empty());
        left_out.extend(not_alike(program, &others));
        match of_program(&reports, bucket) {
            Some(platform) => fitted.push((program, platform)),
            None if reports.is_empty() => {}
            None => {
                let name = program.name();
                left_out.push(format!("{name}: too few of its runs have figures"));
            }
        }
    }
    // The platform is that of parfetch's own client, where it was measured: of lean, if both were.
    fitted.sort_by_key(|(program, _)| {
        let is_lean = **program == Program::Client(ClientKind::Lean);
        (!program.is_parfetch(), !is_lean)
    });
    (fitted, left_out)
}

/// Configurations of a program that no model can have: its own factors are other programs or servers, and shards share what one task has alone.
fn not_alike(program: &Program, others: &[&CellReport]) -> Option<String> {
    let first = others.first()?;
    let names: BTreeSet<&str> = others
        .iter()
        .flat_map(|report| report.cell.factors.iter().map(|(name, _)| name))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let why = if first.cell.factors.is_empty() {
        "on several tasks, and a model is of one task".to_owned()
    } else {
        format!("with factors ({}), and a model has none", names.join(", "))
    };
    let count = plural(others.len() as u64, "configuration");
    Some(format!("{}: {count} {why}", program.name()))
}

fn of_program(reports: &[&CellReport], (mean, keys): (f64, u64)) -> Option<FittedPlatform> {
    let cells: Vec<&Cell> = reports.iter().map(|report| &report.cell).collect();
    let space = space(&cells);
    let mut runs: Vec<(Option<u32>, RunSeen)> = Vec::new();
    for report in reports {
        let cell = &report.cell;
        let config = (0..space.len()).find(|index| {
            let (size, mode, workers) = space.at(*index);
            (size.cpu_units, size.memory_mib) == (cell.cpu_units, cell.memory_mib)
                && (mode, workers) == (cell.mode, cell.concurrency)
        })?;
        let looked = LookedAt {
            config,
            mean_bytes: Some(mean),
            keys,
            is_soak: false,
        };
        let figures = report.observations.iter();
        runs.extend(figures.filter_map(|one| Some((one.position, seen(one, looked).ok()?))));
    }
    runs.sort_by_key(|(position, _)| *position);
    let runs: Vec<RunSeen> = runs.into_iter().map(|(_, run)| run).collect();
    let is_contender = !cells.first()?.program.is_parfetch();
    FittedPlatform::of(&space, &runs, (mean, is_contender))
}

fn apply(platform: &FittedPlatform, model: &mut Model) {
    model.store.first_byte_s = platform.first_byte_s;
    model.store.connection_bytes_per_s = platform.connection_bytes_per_s;
    model.store.max_requests_per_s = platform.max_requests_per_s;
    model.network.bytes_per_s = platform.network_bytes_per_s;
    model.network.exponent = platform.exponent;
    model.network.by_size = platform
        .by_size
        .iter()
        .map(|(size, factor)| (vcpu_of(*size).to_string(), *factor))
        .collect();
    if let Some((factor, at_s)) = platform.burst {
        model.network.burst_factor = factor.max(1.0);
        model.network.burst_s = at_s;
    }
    model.cpu.request_s = by_mode(platform.request_s);
    model.cpu.byte_s = platform.byte_s;
    model.cpu.per_worker = platform.per_worker;
    model.cpu.usable = by_mode(platform.usable);
    let small = ["0.25", "0.5"].map(str::to_owned);
    model.cpu.usable_by_size = small.into_iter().zip(platform.usable_small).collect();
    model.corner.power = platform.power;
    model.noise.sigma = platform.noise;
    model.start.start_up_s = platform.start_up_s;
    model.start.pull_s = platform.pull_s;
}

fn by_mode([r#async, thread, process]: [f64; 3]) -> ByMode {
    ByMode {
        r#async,
        thread,
        process,
    }
}

/// Standard deviation of the logarithm of the sizes in a key list.
fn spread(list: &Path) -> Result<Option<f64>, Failure> {
    let Some(sums) = bytes_of_first(list)? else {
        return Ok(None);
    };
    let logs: Vec<f64> = sums
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).max(1) as f64)
        .map(f64::ln)
        .collect();
    let count = logs.len().max(1) as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    Ok(Some((squares / count).sqrt()))
}
