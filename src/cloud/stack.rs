//! What a CloudFormation stack says of itself: its outputs by name.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;

use super::Cloud;
use super::error::{CloudError, CloudErrorKind};

/// The outputs of a stack, by name.
pub type Outputs = BTreeMap<String, String>;

/// The outputs of the stack `name`.
///
/// # Errors
/// When there is no such stack here, or it is not whole: being made, gone, or failed.
pub async fn outputs_of(cloud: &Cloud, name: &str) -> Result<Outputs, CloudError> {
    let what = format!("read the stack {name} in {}", cloud.region());
    let call = cloud.call(&what, "cloudformation:DescribeStacks");
    let answer = Client::new(cloud.config())
        .describe_stacks()
        .stack_name(name)
        .send()
        .await
        .map_err(|error| call.failed(&error))?;
    let none = || call.answered(400, "ValidationError", "it does not exist");
    let stack = answer.stacks().first().ok_or_else(none)?;
    let status = stack
        .stack_status()
        .map_or("", aws_sdk_cloudformation::types::StackStatus::as_str);
    if !is_whole(status) {
        let hint =
            "wait until it is CREATE_COMPLETE or UPDATE_COMPLETE, or deploy it again".to_owned();
        return Err(CloudError {
            hint,
            kind: CloudErrorKind::Refused,
            ..call.answered(400, status, "the stack is not ready")
        });
    }
    Ok(stack
        .outputs()
        .iter()
        .filter_map(|output| {
            Some((
                output.output_key()?.to_owned(),
                output.output_value()?.to_owned(),
            ))
        })
        .collect())
}

/// A stack whose last change went through or was taken back; one that is being updated still is as it was before.
fn is_whole(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_stack_is_taken() {
        assert!(
            ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
                .into_iter()
                .all(is_whole)
        );
        assert!(
            ![
                "CREATE_IN_PROGRESS",
                "ROLLBACK_COMPLETE",
                "DELETE_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                ""
            ]
            .into_iter()
            .any(is_whole)
        );
    }
}
