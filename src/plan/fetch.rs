//! How each object is fetched.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::Work;

/// Time limits of one fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// HTTP GETs for one object at the most, 1 to [`MAX_ATTEMPTS`].
    pub attempts: u32,
    /// Longest time to a connection (name, TCP, TLS).
    pub connect_timeout: Duration,
    /// Longest time without a byte. Also how long a worker keeps trying to connect to a store that refuses.
    pub stall_timeout: Duration,
    /// Longest time of one fetch, all attempts and back-off; none by default.
    pub fetch_timeout: Option<Duration>,
}

/// The most attempts that can be asked for: every error code of a fetch stands in its row, and rows are of a fixed size.
pub const MAX_ATTEMPTS: u32 = 10;

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 5,
            connect_timeout: Duration::from_secs(3),
            stall_timeout: Duration::from_secs(10),
            fetch_timeout: None,
        }
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
