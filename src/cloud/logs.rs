//! The last lines of a container's output, from CloudWatch Logs. They explain a failure and no more, so whatever goes wrong here is silence.

use aws_sdk_cloudwatchlogs::Client;

use super::Cloud;

/// Lines that are asked for.
const LINES: i32 = 10;
/// Letters of a line at the most.
const LETTERS: usize = 500;

/// CloudWatch Logs.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    client: Client,
    cloud: Cloud,
}

impl Logs {
    pub(super) fn new(cloud: &Cloud) -> Self {
        Self {
            client: Client::new(cloud.config()),
            cloud: cloud.clone(),
        }
    }

    /// The last lines of a stream, the oldest first.
    pub(super) async fn last_lines(&self, group: &str, stream: &str) -> Vec<String> {
        let asked = self
            .client
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
                let what = format!("read the log stream {stream} of {group}");
                let call = self.cloud.call(&what, "logs:GetLogEvents");
                tracing::info!(error = %call.failed(&error), "log not read");
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
