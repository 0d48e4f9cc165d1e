//! CloudFormation's `DescribeStacks`, by queries and XML, and Service Quotas.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::fail::{Fail, escaped};
use super::process::Host;
use super::state::State;

/// The fields of a form, as the members of a request; `Action` and `Version` apart.
pub(super) fn form(body: &[u8]) -> (BTreeMap<String, String>, Value) {
    let text = String::from_utf8_lossy(body);
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)));
    let (about, members): (Vec<_>, Vec<_>) =
        pairs.partition(|(name, _)| ["Action", "Version"].contains(&name.as_str()));
    (
        about.into_iter().collect(),
        Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
        ),
    )
}

/// Answers a call.
pub(super) fn describe_stacks(host: &Host, _: &mut State, request: &Value) -> Result<Value, Fail> {
    let setup = &host.setup;
    let id = setup.arn(
        "cloudformation",
        &format!("stack/{}/b31c78c2-0000-4000-8000-000000000000", setup.name),
    );
    let name = request["StackName"].as_str().unwrap_or(&setup.name);
    if name != setup.name && name != id {
        return Err(Fail::new(
            400,
            "ValidationError",
            format!("Stack with id {name} does not exist"),
        ));
    }
    let outputs: Vec<_> = outputs(host)
        .into_iter()
        .map(|(name, value)| json!({"OutputKey": name, "OutputValue": value, "Description": name}))
        .collect();
    Ok(json!({"Stacks": [{
        "StackId": id, "StackName": setup.name, "CreationTime": 1_767_323_045, "StackStatus": setup.stack_status, "DisableRollback": false,
        "EnableTerminationProtection": false, "Tags": [], "Capabilities": ["CAPABILITY_IAM"], "Outputs": outputs,
    }]}))
}

/// Those of the template, with those of the test over them.
fn outputs(host: &Host) -> BTreeMap<String, String> {
    let setup = &host.setup;
    let all = [
        ("Region", setup.region.clone()),
        ("ClusterArn", setup.cluster_arn()),
        ("TaskDefinitionArn", setup.definition_arn()),
        (
            "TaskDefinitionRevisionArn",
            format!("{}:{}", setup.definition_arn(), setup.revision),
        ),
        ("TaskFamily", setup.name.clone()),
        ("ContainerName", "parfetch".to_owned()),
        ("Architecture", "X86_64".to_owned()),
        ("SubnetIds", setup.subnets.join(",")),
        ("SecurityGroupIds", setup.security_groups.join(",")),
        ("AssignPublicIp", "ENABLED".to_owned()),
        ("ResultsPrefix", "parfetch/".to_owned()),
        ("LogGroup", format!("/parfetch/{}", setup.name)),
        (
            "Image",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/parfetch:1.0.0".to_owned(),
        ),
        (
            "TaskRoleArn",
            format!(
                "arn:aws:iam::{}:role/{}-TaskRole",
                setup.account, setup.name
            ),
        ),
        (
            "CallerPolicyArn",
            format!(
                "arn:aws:iam::{}:policy/{}-CallerPolicy",
                setup.account, setup.name
            ),
        ),
        ("JobQueueArn", setup.queue_arn()),
        ("JobDefinitionArn", setup.job_definition_arn()),
        ("BatchMaxVcpus", setup.max_vcpus.to_string()),
        ("TaskDiskGiB", setup.storage_gib.to_string()),
    ];
    let mut all: BTreeMap<_, _> = all
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    all.extend(setup.outputs.clone());
    all
}

/// An answer of the query protocol.
pub(super) fn to_xml(operation: &str, namespace: &str, answer: &Value) -> String {
    format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{}</{operation}Result>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{operation}Response>",
        element("", answer)
    )
}

/// A value as the content of an element; times are texts in XML.
fn element(name: &str, value: &Value) -> String {
    let tagged = |name: &str, content: String| ["<", name, ">", &content, "</", name, ">"].concat();
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| tagged(name, element(name, value)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| tagged("member", element("", item)))
            .collect(),
        Value::String(text) => escaped(text),
        Value::Number(seconds) if name.ends_with("Time") => {
            parfetch::internals::clock::utc_text(seconds.as_u64().unwrap() * 1_000)
        }
        other => other.to_string(),
    }
}

/// The quotas of vCPU, on demand and on Spot.
const QUOTAS: [(&str, &str); 2] = [
    ("L-3032A538", "Fargate On-Demand vCPU resource count"),
    ("L-36FBB829", "Fargate Spot vCPU resource count"),
];

/// Answers `GetServiceQuota`: there is one only where the account's differs from the default.
pub(super) fn service_quota(host: &Host, _: &mut State, request: &Value) -> Result<Value, Fail> {
    quota(request, |place| host.setup.quota[place])
}

/// Answers `GetAWSDefaultServiceQuota`.
pub(super) fn default_quota(host: &Host, _: &mut State, request: &Value) -> Result<Value, Fail> {
    quota(request, |_| Some(host.setup.default_quota))
}

fn quota(request: &Value, value: impl Fn(usize) -> Option<f64>) -> Result<Value, Fail> {
    let place = QUOTAS
        .iter()
        .position(|(code, _)| request["QuotaCode"] == *code)
        .filter(|_| request["ServiceCode"] == "fargate");
    let missing = || {
        Fail::new(
            400,
            "NoSuchResourceException",
            "The request failed because the specified service quota does not exist.",
        )
    };
    let place = place.ok_or_else(missing)?;
    Ok(json!({"Quota": {
        "ServiceCode": "fargate", "ServiceName": "AWS Fargate", "QuotaCode": QUOTAS[place].0, "QuotaName": QUOTAS[place].1,
        "Value": value(place).ok_or_else(missing)?, "Unit": "None", "Adjustable": true, "GlobalQuota": false,
    }}))
}
