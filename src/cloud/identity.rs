//! Whose credentials these are, as STS tells it.

use aws_sdk_sts::Client;

use super::Cloud;
use super::error::{CloudError, CloudErrorKind};

/// Who sends requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// `arn:aws:iam::123456789012:user/reader`
    pub arn: String,
    /// The account's number.
    pub account: String,
}

/// Asks STS. No permission can be missing for this call.
///
/// # Errors
/// When the credentials are not valid ([`CloudErrorKind::Denied`]), or STS does not answer.
pub async fn identity(cloud: &Cloud) -> Result<CallerIdentity, CloudError> {
    let call = cloud.call(
        "ask STS whose credentials these are",
        "sts:GetCallerIdentity",
    );
    let answer = Client::new(cloud.config())
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| {
            let error = call.failed(&error);
            let hint = if error.kind == CloudErrorKind::Denied {
                "the credentials are wrong or expired: get new ones".to_owned()
            } else {
                error.hint
            };
            CloudError { hint, ..error }
        })?;
    Ok(CallerIdentity {
        arn: answer.arn.unwrap_or_default(),
        account: answer.account.unwrap_or_default(),
    })
}
