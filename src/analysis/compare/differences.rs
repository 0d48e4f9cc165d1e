//! What else differs between two studies that are compared: where, when and of what they were made.

use crate::analysis::metric::Metric;
use crate::analysis::model::{Facts, Study, Workload};

/// Something that differs between two studies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Source buckets.
    Buckets,
    /// Their prefixes.
    Prefixes,
    /// Keys of a repetition at most.
    Limits,
    /// Random samples.
    Samples,
    /// Fixed durations.
    Durations,
    /// CPU work on bodies.
    Work,
    /// Orders and parts.
    Layouts,
    /// Frozen key lists.
    KeyLists,
    /// Numbers of keys.
    Keys,
    /// Sizes of all keys.
    Bytes,
    /// Regions.
    Regions,
    /// Endpoints; the port of an embedded server says nothing.
    Endpoints,
    /// Settings of the embedded server.
    Embedded,
    /// Where runs took place.
    Places,
    /// Architectures.
    Architectures,
    /// Machines.
    Machines,
    /// CPU models.
    CpuModels,
    /// Operating systems.
    Systems,
    /// How sizes were held.
    Limiting,
    /// CPUs of the client.
    ClientCpus,
    /// Whether CPUs were shared with the server.
    SharedCpus,
    /// Versions of parfetch.
    Versions,
}

/// Where the figures of a study come from.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyOrigin {
    /// What was fetched, and where.
    pub workload: Workload,
    /// What else is known of it.
    pub facts: Facts,
}

/// Two studies that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyPair {
    /// Before.
    pub base: StudyOrigin,
    /// After.
    pub new: StudyOrigin,
    /// What else differs between them.
    pub differences: Vec<Difference>,
    /// Whether the metric goes by time and one of them is a contender's, whose own time holds the start of its workers as parfetch's fetch time does not.
    pub is_timed_otherwise: bool,
}

impl StudyPair {
    pub(super) fn of(base: &Study, new: &Study, metric: Metric) -> Self {
        let by_time = matches!(
            metric,
            Metric::Throughput
                | Metric::Goodput
                | Metric::ActiveWindow
                | Metric::FetchTime
                | Metric::RequestsPerS
        );
        Self {
            base: StudyOrigin::of(base),
            new: StudyOrigin::of(new),
            differences: between(base, new),
            is_timed_otherwise: by_time && is_contender(base) != is_contender(new),
        }
    }
}

impl StudyOrigin {
    fn of(study: &Study) -> Self {
        Self {
            workload: study.workload.clone(),
            facts: study.facts.clone(),
        }
    }
}

fn is_contender(study: &Study) -> bool {
    let mut observations = study.cells.iter().flat_map(|cell| &cell.observations);
    observations.next().is_some_and(|one| one.is_contender)
}

/// Everything that differs.
pub(super) fn between(one: &Study, other: &Study) -> Vec<Difference> {
    Difference::ALL
        .into_iter()
        .filter(|difference| difference.is_between(one, other))
        .collect()
}

/// Whether they fetched other objects: another bucket, prefix or made-up bucket, whose keys or bytes are others too. A copy of a bucket is the same
/// objects, and a bucket that has grown is the same bucket.
pub(super) fn are_strangers(one: &Study, other: &Study) -> bool {
    let is_any = |of: &[Difference]| {
        of.iter()
            .any(|difference| difference.is_between(one, other))
    };
    is_any(&[
        Difference::Buckets,
        Difference::Prefixes,
        Difference::Embedded,
    ]) && is_any(&[Difference::Keys, Difference::Bytes])
}

impl Difference {
    /// In the order in which they are said.
    const ALL: [Self; 22] = [
        Self::Buckets,
        Self::Prefixes,
        Self::Limits,
        Self::Samples,
        Self::Durations,
        Self::Work,
        Self::Layouts,
        Self::KeyLists,
        Self::Keys,
        Self::Bytes,
        Self::Regions,
        Self::Endpoints,
        Self::Embedded,
        Self::Places,
        Self::Architectures,
        Self::Machines,
        Self::CpuModels,
        Self::Systems,
        Self::Limiting,
        Self::ClientCpus,
        Self::SharedCpus,
        Self::Versions,
    ];

    fn is_between(self, one: &Study, other: &Study) -> bool {
        match self {
            Self::Buckets => one.workload.bucket != other.workload.bucket,
            Self::Prefixes => one.workload.prefix != other.workload.prefix,
            Self::Limits => one.workload.limit != other.workload.limit,
            Self::Samples => sample(one) != sample(other),
            Self::Durations => one.workload.duration_ns != other.workload.duration_ns,
            Self::Work => one.workload.work != other.workload.work,
            Self::Layouts => one.workload.layout != other.workload.layout,
            Self::KeyLists => one.workload.keys_sha256 != other.workload.keys_sha256,
            Self::Keys => one.workload.keys != other.workload.keys,
            Self::Bytes => one.workload.bytes != other.workload.bytes,
            Self::Regions => one.workload.region != other.workload.region,
            Self::Endpoints => endpoint(one) != endpoint(other),
            Self::Embedded => one.workload.embedded != other.workload.embedded,
            Self::Places => one.workload.place.on != other.workload.place.on,
            Self::Architectures => one.workload.place.arch != other.workload.place.arch,
            Self::Machines => one.workload.place.machine != other.workload.place.machine,
            Self::CpuModels => one.facts.cpu_model != other.facts.cpu_model,
            Self::Systems => one.facts.system != other.facts.system,
            Self::Limiting => one.facts.limited_by != other.facts.limited_by,
            Self::ClientCpus => one.facts.client_cpus != other.facts.client_cpus,
            Self::SharedCpus => one.facts.shared_with_server != other.facts.shared_with_server,
            Self::Versions => one.facts.tool_versions != other.facts.tool_versions,
        }
    }
}

fn sample(study: &Study) -> Option<(u64, u64)> {
    let sample = study.workload.sample.as_ref();
    sample.map(|sample| (sample.keys, sample.seed))
}

fn endpoint(study: &Study) -> Option<&str> {
    let endpoint = study.workload.endpoint.as_deref();
    endpoint.filter(|_| study.workload.embedded.is_none())
}
