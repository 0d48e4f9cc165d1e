//! What a run says while it goes on: the only interface between the run and what a person sees.
//!
//! Events are facts; nothing here draws or writes anything.

use crate::cell::Program;

/// Live counters of a run, read about ten times a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Fetches ended, whatever their outcome.
    pub ended: u64,
    /// Fetches ended as `failed`.
    pub failed: u64,
    /// Body bytes read from sockets, failed attempts too.
    pub bytes: u64,
}

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    /// The run begins; the line that says what will be done.
    Started {
        /// `parfetch s3://images → s3://results · async × 32 · lean client · 2 vCPUs (…) · us-east-1`
        title: String,
    },
    /// So many keys are listed by now.
    Listing {
        /// Keys so far.
        keys: u64,
        /// What one of them is: `key`, or `URL`.
        what: &'static str,
    },
    /// The listing is complete.
    Listed {
        /// Keys to fetch.
        keys: u64,
        /// What one of them is: `key`, or `URL`.
        what: &'static str,
        /// Their size as listed; `None` where it is not known.
        bytes: Option<u64>,
        /// Time it took.
        elapsed_ns: u64,
    },
    /// A random sample of the keys takes their place.
    Sampled {
        /// `3,500 of 1,000,000 keys at random, seed 1`
        words: String,
        /// Bytes of the sample as listed; `None` where they are not known.
        bytes: Option<u64>,
    },
    /// A person is asked whether to go on.
    Asking,
    /// The barrier is open: fetching begins.
    Fetching {
        /// Fetches to do; `None` when time, not a number, ends the run.
        units: Option<u64>,
        /// What they are: `objects`, or `objects and parts`.
        what: &'static str,
        /// Length of a run that time ends.
        duration_ns: Option<u64>,
        /// Workers.
        concurrency: u32,
    },
    /// Where the run is.
    Progress {
        /// The counters.
        live: Live,
        /// Time since the epoch.
        elapsed_ns: u64,
    },
    /// Every worker is done.
    Fetched,
    /// Something a person should know; also in the summary.
    Warning(String),
    /// The same, which the sentences of the summary say again.
    Account(String),
    /// A signal arrived: no more keys are handed out.
    Interrupted,
}

/// Time that is left, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Not longer than this: some of what is left was not measured yet.
    AtMost(u64),
    /// As long as the same took before.
    About(u64),
}

/// What happens in a sweep, as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum SweepEvent {
    /// So many keys are listed by now.
    Listing {
        /// Keys so far.
        keys: u64,
    },
    /// The sweep begins or goes on; the line that says what will be done.
    Planned {
        /// `sweep study-1: 30 configurations × 6 runs …`
        title: String,
        /// Runs in all, warm-ups apart.
        runs: u64,
        /// Of them done before.
        done: u64,
    },
    /// A person is asked whether to go on.
    Asking,
    /// A run that an earlier command of this sweep made.
    RunBefore {
        /// What fetched.
        program: Program,
        /// Its cell in words.
        cell: String,
        /// How fast it was; none where it failed or that is not known.
        rate: Option<RunRate>,
        /// Whether it failed, or some of its fetches did.
        has_failures: bool,
    },
    /// A run begins.
    RunStarted {
        /// Its number among all runs, from 1; none for a warm-up.
        number: Option<u64>,
        /// Its cell in words.
        cell: String,
        /// What is left of the sweep; none before every program has run once.
        left: Option<Left>,
    },
    /// A task of a run is in another state: `PENDING`, `RUNNING` …
    TaskState {
        /// The run's cell in words.
        cell: String,
        /// As ECS calls it.
        state: String,
    },
    /// A run has ended.
    RunEnded {
        /// Its number; none for a warm-up.
        number: Option<u64>,
        /// What fetched.
        program: Program,
        /// Its cell in words.
        cell: String,
        /// How fast it was; none where that is not known.
        rate: Option<RunRate>,
        /// Why it failed.
        failure: Option<String>,
        /// Whether it failed, or some of its fetches did.
        has_failures: bool,
    },
    /// Something a person should know.
    Warning(String),
    /// A signal arrived: the run that goes on is ended and does not count.
    Interrupted,
    /// All runs are done.
    Done,
}

/// How fast a run of a sweep was: what was read well ÷ fetch time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunRate {
    /// Of objects.
    BytesPerS(f64),
    /// Of a web server.
    RequestsPerS(f64),
}

impl RunRate {
    /// The number alone: runs of one sweep have the same unit.
    pub fn number(self) -> f64 {
        match self {
            Self::BytesPerS(rate) | Self::RequestsPerS(rate) => rate,
        }
    }

    /// The same unit with another number.
    #[must_use]
    pub fn with(self, number: f64) -> Self {
        match self {
            Self::BytesPerS(_) => Self::BytesPerS(number),
            Self::RequestsPerS(_) => Self::RequestsPerS(number),
        }
    }
}

/// Children of a job, by where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Children {
    /// Not started yet.
    pub waiting: u64,
    /// On their way.
    pub starting: u64,
    /// Fetching.
    pub running: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Ended otherwise.
    pub failed: u64,
}

impl Children {
    /// All that there are.
    pub fn all(&self) -> u64 {
        self.waiting + self.starting + self.running + self.ended()
    }

    /// Those that have ended.
    pub fn ended(&self) -> u64 {
        self.succeeded + self.failed
    }
}

/// What happens to a job of many tasks, as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEvent {
    /// So many keys are listed by now.
    Listing {
        /// Keys so far.
        keys: u64,
    },
    /// The job in one line.
    Planned {
        /// `job first: 8 children of 0.5 vCPU …`
        title: String,
    },
    /// So many key files are stored by now.
    Storing {
        /// Stored.
        done: u64,
        /// All of them.
        of: u64,
    },
    /// The job is there, or was there before.
    Submitted {
        /// Its id.
        id: String,
        /// Whether an earlier command submitted it.
        before: bool,
    },
    /// Where its children are.
    Children(Children),
    /// Something a person should know.
    Warning(String),
    /// A signal arrived: the job is ended.
    Interrupted,
    /// It is over.
    Over,
}

/// What happens while a bucket is filled, as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum FillEvent {
    /// So many keys are listed by now.
    Listing {
        /// Keys so far.
        keys: u64,
    },
    /// A person is asked whether to go on.
    Asking,
    /// Storing begins.
    Planned {
        /// `filling s3://bench/ with 2,000 objects, 5.24 GB`
        title: String,
        /// Objects in all.
        objects: u64,
    },
    /// How far it is.
    Progress {
        /// Objects that are there, those of before too.
        done: u64,
        /// Objects stored now.
        stored: u64,
        /// Their bytes.
        stored_bytes: u64,
    },
    /// Something a person should know.
    Warning(String),
    /// No more objects are stored.
    Over,
}
