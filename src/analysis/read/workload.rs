//! What a run of its own fetched, where, and which cell it is of.

use crate::analysis::model::{NOT_RECORDED, Place, Sampled, Workload};
use crate::cell::{Cell, Program, UNITS_PER_VCPU};
use crate::plan::{Layout, Work};
use crate::platform::Environment;
use crate::results::summary::{SampleFacts, Summary};

/// Bytes of a MiB.
pub(super) const MIB: u64 = 1 << 20;

pub(super) fn workload(summary: &Summary) -> Workload {
    let (settings, sample) = (&summary.settings, summary.sample.as_ref());
    let work: Work = settings.work;
    Workload {
        bucket: settings.bucket.clone(),
        http: settings.http.clone(),
        prefix: settings.selection.prefix.clone(),
        limit: settings.selection.limit,
        sample: sample.map(Sampled::from),
        duration_ns: settings.duration_ns,
        work: Some(work),
        layout: Some(Layout {
            order: settings.order,
            part_size: settings.part_size_bytes,
        }),
        keys_sha256: None,
        keys: sample
            .map(|sample| sample.of_keys)
            .or(summary.totals.map(|totals| totals.keys_listed)),
        bytes: if let Some(sample) = sample {
            sample.of_bytes
        } else {
            summary.totals.and_then(|totals| totals.listed_bytes)
        },
        region: summary.region.clone(),
        endpoint: summary
            .endpoint
            .clone()
            .or_else(|| settings.access.endpoint_url.clone()),
        // Its port differs from run to run.
        embedded: summary.server.is_some().then(|| NOT_RECORDED.to_owned()),
        place: place(&summary.environment),
    }
    .without_ephemeral_port()
}

impl From<&SampleFacts> for Sampled {
    fn from(facts: &SampleFacts) -> Self {
        Self {
            asked: facts.asked.clone(),
            seed: facts.seed,
            keys: facts.keys,
            bytes: facts.bytes,
        }
    }
}

impl Workload {
    /// An embedded server listens wherever there is a free port: its address tells nothing.
    pub(super) fn without_ephemeral_port(mut self) -> Self {
        if self.embedded.is_some() {
            self.endpoint = None;
        }
        self
    }
}

/// Where a run took place, by its environment.
fn place(environment: &Environment) -> Place {
    let arch = Some(environment.arch.clone()).filter(|arch| !arch.is_empty());
    let launch = environment
        .ecs
        .as_ref()
        .map(|ecs| ecs.launch_type.as_deref().unwrap_or("FARGATE"));
    let on = match launch {
        None => "local",
        Some("FARGATE") => "fargate",
        Some(_) => "ecs on ec2",
    };
    let model = environment.cpu.model.as_deref().filter(|_| on != "fargate");
    let machine = model.map(|model| {
        environment.cpu.online.map_or_else(
            || model.to_owned(),
            |online| format!("{model}, {online} CPUs"),
        )
    });
    Place {
        on: on.to_owned(),
        arch,
        machine,
    }
}

pub(super) fn cell(summary: &Summary) -> Cell {
    let limit = summary
        .cpu
        .limit_vcpu
        .or(summary.environment.vcpu.limit_vcpu);
    Cell {
        program: Program::Client(summary.settings.client),
        cpu_units: limit.map_or(0, |vcpu| units(vcpu * f64::from(UNITS_PER_VCPU))),
        memory_mib: summary
            .environment
            .memory
            .limit_bytes
            .and_then(|bytes| u32::try_from(bytes / MIB).ok())
            .unwrap_or(0),
        mode: summary.settings.mode,
        concurrency: summary.settings.concurrency,
        shards: 1,
        factors: crate::plan::Factors::default(),
    }
}

/// To the nearest unit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the type's range before"
)]
fn units(value: f64) -> u32 {
    value.round().clamp(0.0, f64::from(u32::MAX)) as u32
}
