//! How each object is fetched.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::Work;

/// Time limits of one fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// HTTP GETs for one object at the most, 1 to [`MAX_ATTEMPTS`].
    pub attempts: u32,
    /// Longest time to a connection (name, TCP, TLS); none = as long as the system tries.
    pub connect_timeout: Option<Duration>,
    /// Longest time without a byte. Also how long a worker keeps trying to connect to a store that refuses. None = no limit: only web servers may be
    /// silent for as long as they like.
    pub stall_timeout: Option<Duration>,
    /// Longest time of one fetch, all attempts and back-off; none by default.
    pub fetch_timeout: Option<Duration>,
}

/// The most attempts that can be asked for: every error code of a fetch stands in its row, and rows are of a fixed size.
pub const MAX_ATTEMPTS: u32 = 10;

/// Longest time without a byte, unless something else was said.
const STALL: Duration = Duration::from_secs(10);

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 5,
            connect_timeout: Some(Duration::from_secs(3)),
            stall_timeout: Some(STALL),
            fetch_timeout: None,
        }
    }
}

impl Limits {
    /// For a web server: a load test hides no failure, and waits for an answer as long as it takes.
    pub const OF_A_WEB_SERVER: Self = Self {
        attempts: 1,
        connect_timeout: None,
        stall_timeout: None,
        fetch_timeout: None,
    };

    /// Longest silence of a call that needs a limit.
    pub fn stall(&self) -> Duration {
        self.stall_timeout.unwrap_or(STALL)
    }
}

/// How each object is fetched: passed whole from the plan to the worker, so that another setting of a fetch touches its users alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchOptions {
    /// Time limits and attempts.
    pub limits: Limits,
    /// CPU work on its bytes.
    pub work: Work,
}
