//! What a reader must know of a study, of its cells and of their predictions, as data: `render` says it in words.

use crate::plan::Mode;
use crate::price::Egress;
use crate::results::record::LeftOutCells;

/// Fewest CPUs with which threads and processes can differ: on one they take turns.
const CONTRAST_CPUS: u32 = 2;

/// How many configurations have short runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShortRuns {
    /// So many.
    pub cells: usize,
    /// Of so many.
    pub of: usize,
    /// The shortest median of a configuration.
    pub shortest_s: f64,
}

/// Of a study.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// The first round differed from the others by this share.
    WarmUp(f64),
    /// From its first runs to its last the sweep changed by this share.
    Drift(f64),
    /// This share of what repetitions differ by goes with the time, and is taken off.
    OfTime(f64),
    /// Repetitions failed.
    Failed {
        /// So many.
        failed: u64,
        /// Of so many.
        of: u64,
    },
    /// Runs of these versions of parfetch are put together.
    Versions(Vec<String>),
    /// So many sweeps over the same keys are put together.
    Sweeps(usize),
    /// Sizes were held by these different means.
    Limits(Vec<String>),
    /// Threads and processes cannot be told apart: the client had one CPU, or shared all of its own with the server.
    NoContrast {
        /// The latter.
        is_shared: bool,
    },
    /// Contenders' rates are by another time than parfetch's.
    ContendersTime,
    /// These programs write no CSV: what they read is not known.
    TimedAlone(Vec<String>),
    /// Repetitions that were planned and are not here: not done yet, or their documents are left out.
    FewerThanPlanned {
        /// Configurations that lack some.
        cells: usize,
        /// Of so many.
        of: usize,
        /// Repetitions that were planned.
        planned: usize,
    },
    /// Configurations that were asked for, and that the place had no room for.
    LeftOut(LeftOutCells),
    /// A quota is given out in periods of 100 ms: in a run of a few of them, what was left over and what was not used yet weigh too much.
    ShortRuns(ShortRuns),
    /// The same of programs whose time alone is known.
    ShortPrograms(ShortRuns),
    /// Too few repetitions for any difference in a family to be significant.
    TooFew {
        /// The family's program.
        program: String,
        /// Its cells with figures.
        cells: usize,
        /// Repetitions of the one with the fewest.
        fewest: usize,
        /// How many would do; `None` when that is beyond all reason.
        needed: Option<usize>,
    },
    /// How tests are corrected, with so many curves.
    Tests(usize),
    /// Of its prices.
    Price(PriceNote),
}

/// Of the prices of a study.
#[derive(Clone, Debug, PartialEq)]
pub enum PriceNote {
    /// None: the region is not known.
    NoRegion,
    /// None: the list lacks something.
    NotListed {
        /// Date of the list.
        dated: String,
        /// What it lacks.
        what: Unlisted,
        /// Of this region.
        region: String,
    },
    /// None: the tasks had public addresses, which the list has no price of.
    AddressNotListed,
    /// Those of requests are another region's.
    RequestsOf {
        /// That one.
        of: String,
        /// The study's own.
        region: String,
    },
    /// What they are.
    Are {
        /// Of this region.
        region: String,
        /// Date of the list.
        dated: String,
        /// Whether the cells did not run on Fargate.
        is_hypothetical: bool,
        /// Whether the pull of the image is in them.
        with_pull: bool,
    },
    /// What a NAT gateway costs for a TB, US dollars.
    Nat(f64),
    /// The tasks ran on Spot, which the list has no price of.
    SpotNotListed,
    /// Those that ran on Spot have its price.
    Spot,
    /// Those that ran on Spot in part have the price of On-Demand.
    SpotInPart,
    /// What the public address of a task costs in an hour, US dollars; it is in the price.
    Address(f64),
}

impl Note {
    /// That the modes of these runs cannot be compared, by the CPUs that the client had to itself; `None` where they can, and where that is not known.
    pub(crate) fn no_contrast(
        modes: impl Iterator<Item = Mode>,
        client_cpus: Option<u32>,
    ) -> Option<Self> {
        let modes: Vec<Mode> = modes.collect();
        let has_both = modes.contains(&Mode::Thread) && modes.contains(&Mode::Process);
        client_cpus
            .filter(|cpus| has_both && *cpus < CONTRAST_CPUS)
            .map(|cpus| Self::NoContrast {
                is_shared: cpus == 0,
            })
    }
}

impl PriceNote {
    /// Whether it says why there is no price.
    pub(crate) const fn is_lack(&self) -> bool {
        matches!(
            self,
            Self::NoRegion | Self::NotListed { .. } | Self::AddressNotListed
        )
    }
}

/// What a price list lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// Fargate tasks of this architecture.
    Fargate(String),
    /// A storage class of the bucket.
    Classes,
    /// Bytes that leave the region.
    Egress(Egress),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellNote {
    /// Its size is not known, so there is no price.
    NoSize,
    /// It is priced as a task of another size.
    PricedAs {
        /// CPU units of that task.
        cpu_units: u32,
        /// Its memory, MiB.
        memory_mib: u32,
        /// Whether its vCPU are the measured ones, and its memory holds the measured peak.
        by_peak: bool,
    },
    /// So many of its repetitions took more than one try.
    Tries(usize),
    /// So many of its repetitions shared the time with others of the sweep.
    Overlapped(usize),
    /// Its shards are put together by UTC.
    Clocks,
    /// A repetition's own time is far less than the time of its process.
    OwnTime {
        /// What the program wrote, in the repetition where the two differ most.
        own_s: f64,
        /// How long its process ran, from outside.
        wall_s: f64,
    },
}

/// Of a curve: why it has no knee, or what its knee lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveNote {
    /// It has one concurrency.
    OnePoint,
    /// Its fastest cell measured the server.
    ServerBound,
    /// The knee is the highest concurrency measured.
    KneeAtEnd,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PredictionNote {
    /// Objects of the bucket are not as large as those measured: fetch time by objects ÷ by bytes.
    OtherSizes(f64),
    /// These phases are not known and not in it.
    Without(Vec<PredictedPhase>),
    /// Repetitions were held to a number of keys.
    HeldToKeys,
    /// So many objects failed in the repetitions.
    FailedObjects(u64),
    /// A task is billed for so many seconds more than it runs.
    BilledMore(f64),
}

/// What the time of a task consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredictedPhase {
    /// From the start of the process to the listing.
    StartUp,
    /// Listing.
    Listing,
    /// Starting the workers.
    WorkerStart,
    /// Writing results.
    WriteBack,
    /// All that a contender does besides fetching, as seen from outside.
    Outside,
    /// Fetching.
    Fetch,
    /// All of a program whose time alone is known.
    WholeProgram,
}
