//! How many vCPU of Fargate an account may run at once, as Service Quotas tells it.

use aws_sdk_servicequotas::Client;

use super::Cloud;
use super::error::{CloudCall, CloudError, CloudErrorKind};
use super::tasks::Capacity;

/// What a new account has (AWS Batch's own words on Fargate): what is taken where the quota is not known.
pub const UNKNOWN_QUOTA_VCPU: f64 = 6.0;

/// Service code of Fargate.
const SERVICE: &str = "fargate";

/// «Fargate On-Demand vCPU resource count» and «Fargate Spot vCPU resource count».
const fn code(capacity: Capacity) -> &'static str {
    match capacity {
        Capacity::OnDemand => "L-3032A538",
        Capacity::Spot => "L-36FBB829",
    }
}

/// vCPU of Fargate that may run at once in this account and region; the default of all accounts where it has no value of its own; `None` where
/// Service Quotas does not know it.
///
/// # Errors
/// When there is no answer, or the credentials do not allow to ask.
pub async fn fargate_vcpu(cloud: &Cloud, capacity: Capacity) -> Result<Option<f64>, CloudError> {
    let client = Client::new(cloud.config());
    let own = client
        .get_service_quota()
        .service_code(SERVICE)
        .quota_code(code(capacity))
        .send()
        .await;
    let call = cloud.call(
        "read the quota of Fargate vCPU",
        "servicequotas:GetServiceQuota",
    );
    match own.map_err(|error| call.failed(&error)) {
        Ok(answer) => {
            return Ok(value(
                answer
                    .quota()
                    .and_then(aws_sdk_servicequotas::types::ServiceQuota::value),
            ));
        }
        Err(error) if error.kind == CloudErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let default = client
        .get_aws_default_service_quota()
        .service_code(SERVICE)
        .quota_code(code(capacity))
        .send()
        .await;
    let call = CloudCall {
        permission: "servicequotas:GetAWSDefaultServiceQuota",
        ..call
    };
    match default.map_err(|error| call.failed(&error)) {
        Ok(answer) => {
            Ok(value(answer.quota().and_then(
                aws_sdk_servicequotas::types::ServiceQuota::value,
            )))
        }
        Err(error) if error.kind == CloudErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A quota of nothing would be none.
fn value(value: Option<f64>) -> Option<f64> {
    value.filter(|vcpu| vcpu.is_finite() && *vcpu > 0.0)
}
