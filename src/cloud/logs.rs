//! The last lines of a container's output, from CloudWatch Logs. They explain a failure and no more, so whatever goes wrong here is silence.

use aws_sdk_cloudwatchlogs::Client;

use super::Cloud;

/// Lines that are asked for.
const LINES: i32 = 10;
/// Letters of a line at the most.
const LETTERS: usize = 500;

/// CloudWatch Logs.
#[derive(Clone, Debug)]
pub(super) struct Logs(Client);

impl Logs {
    pub(super) fn new(cloud: &Cloud) -> Self {
        Self(Client::new(cloud.config()))
    }

    /// The last lines of a stream, the oldest first.
    pub(super) async fn last_lines(&self, group: &str, stream: &str) -> Vec<String> {
        let asked = self
            .0
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .limit(LINES)
            .start_from_head(false)
            .send()
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(%error, group, stream, "log not read");
                return Vec::new();
            }
        };
        answer
            .events()
            .iter()
            .filter_map(|event| event.message())
            .flat_map(str::lines)
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.chars().take(LETTERS).collect())
            .collect()
    }
}
