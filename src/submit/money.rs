//! What a job costs: its parts, and the least and the most of them together.

/// USD of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobPrice {
    /// Fargate.
    pub tasks: f64,
    /// Fargate, where tasks are slow.
    pub slow_tasks: f64,
    /// Requests to S3, and retrieval where a storage class asks for it.
    pub requests: f64,
    /// Bytes that leave the bucket's region; `None` where that was not asked for.
    pub egress: Option<f64>,
    /// The other region whose prices of requests were taken; `None` where the bucket's region has its own.
    pub requests_of: Option<String>,
}

impl JobPrice {
    /// The least and the most.
    pub fn total(&self) -> (f64, f64) {
        let others = self.requests + self.egress.unwrap_or(0.0);
        (self.tasks + others, self.slow_tasks + others)
    }
}
