//! Exit codes, and the one form in which a failure reaches a person: one line, and a hint.
//!
//! Owns [`Failure`]; decides nothing about what failed.

use std::fmt;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All good: also `archived` and single `vanished` objects, and an empty bucket.
    Good = 0,
    /// Unexpected.
    Unexpected = 1,
    /// Usage.
    Usage = 2,
    /// Finished, some fetches failed; or nothing was fetched, or more than 1 % had vanished or were of another size than listed.
    FetchesFailed = 3,
    /// Set-up: credentials, bucket, region, endpoint, listing, results place not writable.
    SetUp = 4,
    /// Results not stored.
    NotStored = 5,
    /// `compare --fail-over`: a significant loss is larger than allowed.
    Worse = 6,
    /// SIGINT: partial results stored.
    Interrupted = 130,
    /// SIGTERM: partial results stored.
    Terminated = 143,
}

/// How a process ended that ran parfetch elsewhere, by its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildExit {
    /// 0.
    Good,
    /// 3: its figures count, and the failed fetches are among them.
    FetchesFailed,
    /// 137: by SIGKILL, which is how the kernel ends what has no memory left.
    Killed,
    /// 143: by SIGTERM.
    Terminated,
    /// Any other.
    Other(i32),
}

impl ChildExit {
    /// What an exit code means.
    pub const fn of(code: i32) -> Self {
        match code {
            0 => Self::Good,
            3 => Self::FetchesFailed,
            137 => Self::Killed,
            143 => Self::Terminated,
            code => Self::Other(code),
        }
    }

    /// Whether the figures of the run count.
    pub const fn has_figures(self) -> bool {
        match self {
            Self::Good | Self::FetchesFailed => true,
            Self::Killed | Self::Terminated | Self::Other(_) => false,
        }
    }
}

impl fmt::Display for ChildExit {
    /// `exit code 137, killed: out of memory, most likely`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("exit code 0"),
            Self::FetchesFailed => f.write_str("exit code 3, some fetches failed"),
            Self::Killed => f.write_str("exit code 137, killed: out of memory, most likely"),
            Self::Terminated => f.write_str("exit code 143, terminated"),
            Self::Other(code) => write!(f, "exit code {code}"),
        }
    }
}

/// A signal that asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// How a process ends that this signal ended.
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why parfetch ends early: `message` is one line in lower case, what and where, the cause once; `hint` says what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Exit code.
    pub exit: Exit,
    /// One line.
    pub message: String,
    /// One line, when there is something to try.
    pub hint: Option<String>,
}

/// What finds a sweep or a job again, for hints. Without its id the same command begins another one, which costs time and money.
pub fn same_command(id: &str) -> String {
    format!("the same command with --id {id}")
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
