//! The variables that set what a run does, by name. Whoever starts a run elsewhere gives every one of them a value or empties it: what a task's own
//! definition says of them is not meant for that run.

use std::collections::BTreeMap;

/// The variables of a run, but for those of the task. A test of the table of settings holds this list.
pub(crate) const OF_A_RUN: [&str; 38] = [
    "BUCKET_NAME",
    "RESULT_BUCKET_NAME",
    "CONCURRENCY",
    "MODE",
    "TAG",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "PARFETCH_PREFIX",
    "PARFETCH_KEYS",
    "PARFETCH_LIMIT",
    "PARFETCH_SAMPLE",
    "PARFETCH_SEED",
    "PARFETCH_SHARD",
    "PARFETCH_SHARD_COUNT",
    "PARFETCH_DURATION",
    "PARFETCH_CLIENT",
    "PARFETCH_WORK",
    "PARFETCH_PART_SIZE",
    "PARFETCH_ORDER",
    "PARFETCH_ATTEMPTS",
    "PARFETCH_CONNECT_TIMEOUT",
    "PARFETCH_STALL_TIMEOUT",
    "PARFETCH_TIMEOUT",
    "PARFETCH_VIRTUAL_HOST",
    "PARFETCH_NO_SIGN_REQUEST",
    "PARFETCH_REQUEST_PAYER",
    "PARFETCH_RESULT_PREFIX",
    "PARFETCH_OUT",
    "PARFETCH_NO_OVERWRITE",
    "PARFETCH_ALLOW_RESULTS_IN_SOURCE",
    "PARFETCH_EMBEDDED",
    "PARFETCH_EGRESS",
    "PARFETCH_YES",
    "PARFETCH_MAX_BYTES",
    "PARFETCH_PRICES",
    "PARFETCH_PROGRESS",
    "PARFETCH_OUTPUT",
];

/// Variables that are the task's own business: where it is, which files its image has, how its log looks. They change nothing of what is measured.
#[cfg(test)]
pub(crate) const OF_THE_TASK: [&str; 7] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "PARFETCH_SPOOL_DIR",
    "PARFETCH_LOG_LEVEL",
    "PARFETCH_LOG_FORMAT",
    "PARFETCH_EMF",
];

/// Every variable of a run: with the value it has in `set`, where the last of a name holds, else empty, which means unset.
pub(crate) fn complete(set: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, String> = OF_A_RUN
        .iter()
        .map(|name| ((*name).to_owned(), String::new()))
        .collect();
    all.extend(set);
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_emptied() {
        let all = complete(
            [("MODE", "async"), ("MODE", "thread"), ("OTHER", "x")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let value = |name: &str| {
            all.iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(
            (
                value("MODE"),
                value("OTHER"),
                value("PARFETCH_VIRTUAL_HOST")
            ),
            (Some("thread"), Some("x"), Some(""))
        );
        assert_eq!(all.len(), OF_A_RUN.len() + 1);
    }
}
