//! The model of a platform that fits what a folder measured: for questions that nobody wants to measure.

use std::path::Path;

use super::program::{space, vcpu_of};
use super::seen::{LookedAt, seen};
use crate::analysis::{self, CellReport, Reader};
use crate::cell::{Cell, Program};
use crate::exit::{Exit, Failure};
use crate::model::{ByMode, Model, ProgramCpu};
use crate::price::PriceList;
use crate::sweep::keys::bytes_of_first;
use crate::tune::{FittedPlatform, RunSeen};

/// The model of the newest sweep in a folder, as TOML.
///
/// # Errors
/// When there are too few figures for one.
pub fn fit(folder: &Path, prices: &PriceList) -> Result<String, Failure> {
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
    let mut programs: Vec<&Program> = study
        .cells
        .iter()
        .map(|report| &report.cell.program)
        .collect();
    programs.dedup();
    let mut fitted = Vec::new();
    for program in programs {
        let is_of = |report: &&CellReport| {
            let Cell {
                shards, factors, ..
            } = &report.cell;
            report.cell.program == *program && *shards <= 1 && factors.is_empty()
        };
        let reports: Vec<&CellReport> = study.cells.iter().filter(is_of).collect();
        if let Some(platform) = of_program(&reports, (mean, keys)) {
            fitted.push((program, platform));
        }
    }
    // The platform is that of parfetch's own client, where it was measured.
    fitted.sort_by_key(|(program, _)| !program.is_parfetch());
    let (_, platform) = fitted
        .first()
        .ok_or_else(|| nothing("no run has the figures that a model takes"))?;
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
    let runs = study.facts.observations;
    Ok(format!(
        "# A model that fits {runs} runs of {}. What no run showed is an assumption.\n{}",
        workload.source(),
        model.to_toml()
    ))
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
