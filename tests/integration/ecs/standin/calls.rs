//! Requests: those that break a rule, those that no model has, those without a signature; quotas and stacks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use aws_sdk_ecs::error::ProvideErrorMetadata as _;
use aws_sdk_ecs::operation::run_task::builders::RunTaskFluentBuilder;
use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem, ContainerOverride, KeyValuePair, LaunchType,
    NetworkConfiguration, Tag, TaskOverride,
};

use super::{Account, over, source};
use crate::support::aws::{Fault, Setup};

/// Something that is wrong with a request.
type Change = fn(RunTaskFluentBuilder) -> RunTaskFluentBuilder;

fn sized(cpu: &str, memory: &str) -> TaskOverride {
    TaskOverride::builder().cpu(cpu).memory(memory).build()
}

fn with_variable(name: &str, value: &str) -> TaskOverride {
    let pair = KeyValuePair::builder().name(name).value(value).build();
    let container = ContainerOverride::builder()
        .name("parfetch")
        .environment(pair)
        .build();
    TaskOverride::builder()
        .cpu("1024")
        .memory("2048")
        .container_overrides(container)
        .build()
}

fn spot() -> CapacityProviderStrategyItem {
    CapacityProviderStrategyItem::builder()
        .capacity_provider("FARGATE_SPOT")
        .weight(1)
        .build()
        .unwrap()
}

#[test]
fn what_breaks_a_rule_is_refused_and_remembered() {
    let cases: [(Change, &str, &str); 16] = [
        (|task| task.count(11), "InvalidParameterException", "Count"),
        (|task| task.count(0), "InvalidParameterException", "Count"),
        (
            |task| task.overrides(with_variable("A", &"x".repeat(8_192))),
            "InvalidParameterException",
            "8192",
        ),
        (
            |task| task.capacity_provider_strategy(spot()),
            "InvalidParameterException",
            "both",
        ),
        (
            |task| task.set_launch_type(None),
            "InvalidParameterException",
            "Container Instances",
        ),
        (
            |task| task.launch_type(LaunchType::Ec2),
            "InvalidParameterException",
            "Container Instances",
        ),
        (
            |task| task.launch_type("NOPE".into()),
            "InvalidParameterException",
            "`NOPE` is none of",
        ),
        (
            |task| task.network_configuration(NetworkConfiguration::builder().build()),
            "InvalidParameterException",
            "awsvpc",
        ),
        (
            |task| task.overrides(sized("1024", "512")),
            "ClientException",
            "No Fargate configuration",
        ),
        (
            |task| task.overrides(sized("3072", "8192")),
            "ClientException",
            "No Fargate configuration",
        ),
        (
            |task| task.started_by("a b"),
            "InvalidParameterException",
            "startedBy",
        ),
        (
            |task| task.client_token("x".repeat(65)),
            "InvalidParameterException",
            "clientToken",
        ),
        (
            |task| task.client_token("a b"),
            "InvalidParameterException",
            "clientToken",
        ),
        (
            |task| task.tags(Tag::builder().key("aws:x").build()),
            "InvalidParameterException",
            "aws:",
        ),
        (
            |task| task.tags(Tag::builder().key("a").value("(").build()),
            "InvalidParameterException",
            "does not match",
        ),
        (
            |task| task.overrides(with_variable("AWS_SECRET_ACCESS_KEY", "x")),
            "InvalidParameterException",
            "must not be",
        ),
    ];
    let source = source();
    let account = Account::new(Setup {
        launches: (100, 100),
        ..over(&source)
    });
    for (number, (change, code, text)) in cases.into_iter().enumerate() {
        let error = account
            .wait(change(account.task("t")).send())
            .expect_err(&format!("case {number}"))
            .into_service_error();
        assert_eq!(error.code(), Some(code), "case {number}: {error:?}");
        assert!(
            error.message().unwrap().contains(text),
            "case {number}: {error:?}"
        );
        assert_eq!(account.aws.take_violations().len(), 1, "case {number}");
    }
    assert!(account.aws.tasks().is_empty());
    let many = (0..101).map(|number| format!("t{number}")).collect();
    account
        .wait(
            account
                .ecs
                .describe_tasks()
                .cluster("parfetch")
                .set_tasks(Some(many))
                .send(),
        )
        .unwrap_err();
    assert_eq!(account.aws.take_violations().len(), 1);
    account.aws.finish();
}

#[test]
fn what_is_not_there_is_refused_and_nobodys_fault() {
    let cases: [(Change, &str, &str); 5] = [
        (
            |task| task.cluster("other"),
            "ClusterNotFoundException",
            "Cluster not found",
        ),
        (
            |task| task.task_definition("parfetch:8"),
            "ClientException",
            "TaskDefinition not found",
        ),
        (
            |task| task.task_definition("other"),
            "ClientException",
            "TaskDefinition not found",
        ),
        (
            |task| task.network_configuration(elsewhere(&["subnet-1"], &[])),
            "InvalidParameterException",
            "The subnet ID",
        ),
        (
            |task| task.network_configuration(elsewhere(&["subnet-0123456789abcdef0"], &["sg-1"])),
            "InvalidParameterException",
            "security group",
        ),
    ];
    let source = source();
    let account = Account::new(over(&source));
    for (change, code, text) in cases {
        let error = account
            .wait(change(account.task("t")).send())
            .unwrap_err()
            .into_service_error();
        assert!(
            error.code() == Some(code) && error.message().unwrap().contains(text),
            "{error:?}"
        );
    }
    account.aws.finish();
}

fn elsewhere(subnets: &[&str], groups: &[&str]) -> NetworkConfiguration {
    let owned = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let vpc = aws_sdk_ecs::types::AwsVpcConfiguration::builder()
        .set_subnets(owned(subnets))
        .set_security_groups(owned(groups))
        .build()
        .unwrap();
    NetworkConfiguration::builder()
        .awsvpc_configuration(vpc)
        .build()
}

/// Sends a request as it stands; answers with its status and body.
fn raw(account: &Account, headers: &str, body: &str) -> (u16, String) {
    let mut stream =
        TcpStream::connect(account.aws.url().strip_prefix("http://").unwrap()).unwrap();
    let length = body.len();
    let target = "x-amz-target: AmazonEC2ContainerServiceV20141113.StopTask\r\ncontent-type: application/x-amz-json-1.1";
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: h\r\n{target}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (
        answer.split(' ').nth(1).unwrap().parse().unwrap(),
        answer.split("\r\n\r\n").nth(1).unwrap().to_owned(),
    )
}

fn signed(scope: &str) -> String {
    let signature = "0".repeat(64);
    format!(
        "x-amz-date: 20260102T030405Z\r\nauthorization: AWS4-HMAC-SHA256 Credential=AKID/20260102/{scope}/aws4_request, \
         SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}\r\n"
    )
}

#[test]
fn requests_are_held_against_the_model() {
    let account = Account::new(Setup::default());
    for (body, text) in [
        (r#"{"task":"t","grace":1}"#, "grace: no such member"),
        (r#"{"task":1}"#, "task: is 1, which is no string"),
        ("{}", "task is missing"),
        ("[]", "the body: is [], which is no structure"),
    ] {
        let (status, answer) = raw(&account, &signed("us-east-1/ecs"), body);
        assert!(
            status == 400 && answer.contains("InvalidParameterException") && answer.contains(text),
            "{status} {answer}"
        );
        assert_eq!(account.aws.take_violations().len(), 1);
    }
    let (status, _) = raw(&account, &signed("us-east-1/ecs"), "{");
    assert_eq!((status, account.aws.take_violations().len()), (404, 1));
    account.aws.finish();
}

#[test]
fn requests_are_signed_for_the_service_and_the_region() {
    let account = Account::new(Setup::default());
    let unsigned = signed("us-east-1/ecs").replace(";x-amz-target", "");
    for headers in [
        String::new(),
        signed("us-east-1/batch"),
        signed("eu-central-1/ecs"),
        unsigned,
    ] {
        let (status, answer) = raw(&account, &headers, r#"{"task":"t","cluster":"parfetch"}"#);
        assert!(
            status == 403 && answer.contains("InvalidSignatureException"),
            "{status} {answer}"
        );
        assert_eq!(account.aws.take_violations().len(), 1);
    }
    let (status, answer) = raw(
        &account,
        &signed("us-east-1/ecs"),
        r#"{"task":"t","cluster":"parfetch"}"#,
    );
    assert!(
        status == 400 && answer.contains("The referenced task was not found."),
        "{status} {answer}"
    );
    account.aws.finish();
}

#[test]
fn any_call_can_be_in_trouble_for_a_while() {
    let account = Account::new(
        Setup::default()
            .trouble("DescribeTasks", Fault::Throttled, [1, 1])
            .trouble("DescribeTasks", Fault::ServerError, [2, 1]),
    );
    let codes: Vec<_> = (0..5)
        .map(|_| {
            account
                .wait(
                    account
                        .ecs
                        .describe_tasks()
                        .cluster("parfetch")
                        .tasks("t")
                        .send(),
                )
                .err()
        })
        .map(|error| error.map(|error| error.into_service_error().code().unwrap().to_owned()))
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some("ThrottlingException".to_owned()),
            None,
            Some("ServerException".to_owned()),
            None
        ]
    );
    account.aws.finish();
}

#[test]
fn quotas_are_the_accounts_own_or_the_default() {
    let account = Account::new(Setup {
        quota: [Some(32.0), None],
        ..Setup::default()
    });
    let own = |code: &str| {
        let answer = account.wait(
            account
                .quotas
                .get_service_quota()
                .service_code("fargate")
                .quota_code(code)
                .send(),
        );
        answer.map_err(|error| error.into_service_error().code().unwrap().to_owned())
    };
    assert_eq!(
        own("L-3032A538").unwrap().quota().unwrap().value(),
        Some(32.0)
    );
    for code in ["L-36FBB829", "L-00000000"] {
        assert_eq!(own(code).unwrap_err(), "NoSuchResourceException");
    }
    let default = account
        .wait(
            account
                .quotas
                .get_aws_default_service_quota()
                .service_code("fargate")
                .quota_code("L-36FBB829")
                .send(),
        )
        .unwrap();
    assert_eq!(default.quota().unwrap().value(), Some(6.0));
    account.aws.finish();
}

#[test]
fn a_stack_tells_its_outputs() {
    let source = source();
    let account = Account::new(over(&source));
    let answer = account
        .wait(
            account
                .stacks
                .describe_stacks()
                .stack_name("parfetch")
                .send(),
        )
        .unwrap();
    let stack = &answer.stacks()[0];
    let output = |name: &str| {
        stack
            .outputs()
            .iter()
            .find(|output| output.output_key() == Some(name))
            .and_then(|output| output.output_value())
    };
    assert_eq!(stack.stack_status().unwrap().as_str(), "CREATE_COMPLETE");
    assert_eq!(
        output("ClusterArn"),
        Some("arn:aws:ecs:us-east-1:123456789012:cluster/parfetch")
    );
    assert_eq!(output("ResultsBucket"), Some(source.results.as_str()));
    assert_eq!(
        (output("SourceBucket"), output("SourcePrefix")),
        (Some(source.bucket.as_str()), None)
    );
    let error = account
        .wait(account.stacks.describe_stacks().stack_name("other").send())
        .unwrap_err()
        .into_service_error();
    assert_eq!(
        (error.code(), error.message()),
        (
            Some("ValidationError"),
            Some("Stack with id other does not exist")
        )
    );
    let definition = |name: &str| {
        let answer = account.wait(
            account
                .ecs
                .describe_task_definition()
                .task_definition(name)
                .send(),
        );
        answer.map_err(|error| error.into_service_error().code().unwrap().to_owned())
    };
    let latest = definition(output("TaskFamily").unwrap()).unwrap();
    assert_eq!(
        latest.task_definition().unwrap().task_definition_arn(),
        output("TaskDefinitionRevisionArn")
    );
    for name in [
        "other",
        "parfetch:8",
        "parfetch:",
        output("TaskDefinitionArn").unwrap(),
    ] {
        assert_eq!(definition(name).unwrap_err(), "ClientException", "{name}");
    }
    account.aws.finish();
}

#[test]
fn outputs_are_those_of_the_template() {
    let template = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/template.yaml"),
    )
    .unwrap();
    let outputs = template.split("\nOutputs:\n").nth(1).unwrap();
    let names = outputs
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with([' ', '#']));
    let account = Account::new(over(&source()));
    let answer = account
        .wait(account.stacks.describe_stacks().send())
        .unwrap();
    let here: Vec<_> = answer.stacks()[0]
        .outputs()
        .iter()
        .filter_map(|output| output.output_key())
        .collect();
    // The contender, the prefix and the repository are conditional.
    let missing: Vec<_> = names.filter(|name| !here.contains(name)).collect();
    assert_eq!(
        missing,
        ["ContenderFamily", "SourcePrefix", "RepositoryUri"]
    );
    account.aws.finish();
}
