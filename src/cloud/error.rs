//! Why a call to AWS failed, in one line with its cause once, and what can be done about it.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use http::Uri;

use super::Cloud;
use crate::exit::{Exit, Failure};
use crate::plan::names::shown;
use crate::store::{set_endpoint, why_none};

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloudErrorKind {
    /// Too many calls: later.
    Throttled,
    /// No answer, or the service broke: whether the call had an effect is not known.
    Unclear,
    /// The same client token was used with other parameters.
    Conflict,
    /// The credentials do not allow it, or are none.
    Denied,
    /// What was named does not exist.
    NotFound,
    /// Anything else, for good.
    Refused,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudError {
    /// What kind.
    pub kind: CloudErrorKind,
    /// What the service calls it; empty where there was no answer.
    pub code: String,
    /// One line: what was tried, and the cause.
    pub message: String,
    /// What to try.
    pub hint: String,
    /// With [`CloudErrorKind::Conflict`]: what was made with that token.
    pub resources: Vec<String>,
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CloudError {}

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Self {
        Self::new(Exit::SetUp, error.message).hint(error.hint)
    }
}

/// A call in words, `run a task of parfetch:7`, and the permission that it takes, `ecs:RunTask`.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloudCall<'a> {
    pub(super) what: &'a str,
    pub(super) permission: &'a str,
    /// For the endpoint that is set in it.
    pub(super) config: &'a SdkConfig,
}

impl Cloud {
    /// A call in words, and the permission that it takes.
    pub(super) fn call<'a>(&'a self, what: &'a str, permission: &'a str) -> CloudCall<'a> {
        CloudCall {
            what,
            permission,
            config: self.config(),
        }
    }
}

impl CloudCall<'_> {
    /// Puts an SDK error into words.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let Some(response) = error
            .raw_response()
            .filter(|_| matches!(error, SdkError::ServiceError(_)))
        else {
            return self.no_answer(error);
        };
        let code = error.code().unwrap_or_default();
        self.answered(
            response.status().as_u16(),
            code,
            error.message().unwrap_or_default(),
        )
    }

    pub(super) fn answered(&self, status: u16, code: &str, text: &str) -> CloudError {
        use CloudErrorKind as Kind;
        let kind = kind(status, code, text);
        let named = if code.is_empty() {
            format!("HTTP {status}")
        } else {
            code.to_owned()
        };
        let text = text.trim().trim_end_matches('.').replace('\n', " ");
        let cause = if text.is_empty() {
            named
        } else {
            format!("{text} ({named})")
        };
        let hint = match kind {
            Kind::Throttled | Kind::Unclear => "the service is busy: try again later".to_owned(),
            Kind::Denied => format!(
                "grant {} to these credentials; the stack's output CallerPolicyArn names a policy that does",
                self.permission
            ),
            Kind::NotFound => self.with_endpoint("check the name and the region"),
            Kind::Conflict | Kind::Refused => self.with_endpoint("check what the message names"),
        };
        CloudError {
            kind,
            code: code.to_owned(),
            message: format!("cannot {}: {cause}", self.what),
            hint,
            resources: Vec::new(),
        }
    }

    /// The variable that names the endpoint of this service alone, and the endpoint that is asked where it is not AWS's own.
    fn endpoint(&self) -> (&'static str, Option<String>) {
        let (id, variable) = match self.permission.split(':').next() {
            Some("ecs") => ("ECS", "AWS_ENDPOINT_URL_ECS"),
            Some("batch") => ("Batch", "AWS_ENDPOINT_URL_BATCH"),
            Some("cloudformation") => ("CloudFormation", "AWS_ENDPOINT_URL_CLOUDFORMATION"),
            Some("logs") => ("CloudWatch Logs", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"),
            Some("servicequotas") => ("Service Quotas", "AWS_ENDPOINT_URL_SERVICE_QUOTAS"),
            _ => ("STS", "AWS_ENDPOINT_URL_STS"),
        };
        (
            variable,
            set_endpoint(self.config, id).map(|url| origin(&url)),
        )
    }

    fn with_endpoint(&self, hint: &str) -> String {
        self.endpoint().1.map_or_else(
            || hint.to_owned(),
            |url| format!("{hint}; the endpoint is {url}"),
        )
    }

    /// No answer came, or one that is none of AWS's.
    fn no_answer<E>(&self, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut deepest: &dyn std::error::Error = error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let no_credentials = why_none(error).map(|why| format!("no usable credentials: {why}"));
        let is_nowhere = no_credentials.is_some();
        let cause = no_credentials
            .unwrap_or_else(|| deepest.to_string().trim_end_matches('.').replace('\n', " "));
        let text = format!("{error:?}").to_ascii_lowercase();
        // Without credentials nothing was sent.
        let no_credentials = is_nowhere
            || matches!(error, SdkError::DispatchFailure(_))
                && (text.contains("credential") || text.contains("identity"));
        let (variable, endpoint) = self.endpoint();
        let (kind, hint) = match error {
            _ if no_credentials => (
                CloudErrorKind::Denied,
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a --profile, or give the machine a role".to_owned(),
            ),
            SdkError::ConstructionFailure(_) => (
                CloudErrorKind::Refused,
                "check the settings that the message names".to_owned(),
            ),
            _ if endpoint.is_some() => (
                CloudErrorKind::Unclear,
                format!("check this endpoint, which {variable}, AWS_ENDPOINT_URL or a profile sets, and that the server runs"),
            ),
            _ => (
                CloudErrorKind::Unclear,
                format!("check the network and the region: neither {variable} nor AWS_ENDPOINT_URL is set, so the endpoint is AWS's own"),
            ),
        };
        // Without credentials nobody was asked.
        let at = endpoint
            .filter(|_| !no_credentials)
            .map_or_else(String::new, |url| format!(" at {url}"));
        CloudError {
            kind,
            code: String::new(),
            message: format!("cannot {}{at}: {cause}", self.what),
            hint,
            resources: Vec::new(),
        }
    }
}

/// Scheme, host and port of an endpoint, which nobody checked: it may hold a password, or be no URL.
fn origin(url: &str) -> String {
    let parsed = url.trim().parse::<Uri>().ok();
    let parts = parsed
        .as_ref()
        .and_then(|uri| uri.scheme_str().zip(uri.authority()));
    let Some((scheme, authority)) = parts else {
        return shown(url.rsplit('@').next().unwrap_or_default());
    };
    let port = authority
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    format!("{scheme}://{}{port}", authority.host())
}

/// From what AWS documents and what people saw: throttles have several names, and EC2's come through ECS in an exception's text.
fn kind(status: u16, code: &str, text: &str) -> CloudErrorKind {
    use CloudErrorKind as Kind;
    match code {
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled" => Kind::Throttled,
        "InvalidParameterException" if text.contains("Request limit exceeded") => Kind::Throttled,
        "ConflictException" => Kind::Conflict,
        "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken" => Kind::Denied,
        "ClusterNotFoundException" | "NoSuchResourceException" | "ResourceNotFoundException" => {
            Kind::NotFound
        }
        _ if text.contains("TaskDefinition is inactive") => Kind::NotFound,
        "ValidationError" if text.contains("does not exist") => Kind::NotFound,
        // ECS says so of a definition that is not there or is no longer active.
        "ClientException"
            if text.contains("Unable to describe task definition")
                || text.contains("TaskDefinition not found") =>
        {
            Kind::NotFound
        }
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Unclear,
        _ if status == 401 || status == 403 => Kind::Denied,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    fn answered(status: u16, code: &str, text: &str) -> CloudError {
        CloudCall {
            what: "run a task of parfetch:7",
            permission: "ecs:RunTask",
            config: &SdkConfig::builder().build(),
        }
        .answered(status, code, text)
    }

    #[test]
    fn what_can_be_tried_again_is_told_from_what_cannot() {
        use CloudErrorKind as Kind;
        for (status, code, text, kind) in [
            (400, "ThrottlingException", "Rate exceeded", Kind::Throttled),
            (
                400,
                "InvalidParameterException",
                "Error retrieving security group information for [sg-1]: Request limit exceeded.",
                Kind::Throttled,
            ),
            (
                400,
                "InvalidParameterException",
                "No Container Instances",
                Kind::Refused,
            ),
            (500, "ServerException", "Service Unavailable", Kind::Unclear),
            (400, "ConflictException", "", Kind::Conflict),
            (
                400,
                "AccessDeniedException",
                "User is not authorized",
                Kind::Denied,
            ),
            (
                400,
                "ClusterNotFoundException",
                "Cluster not found.",
                Kind::NotFound,
            ),
            (
                400,
                "ClientException",
                "Unable to describe task definition",
                Kind::NotFound,
            ),
            (
                400,
                "InvalidParameterException",
                "TaskDefinition is inactive",
                Kind::NotFound,
            ),
            (
                400,
                "ClientException",
                "No Fargate configuration exists for given values",
                Kind::Refused,
            ),
            (
                400,
                "ValidationError",
                "Stack with id parfetch does not exist",
                Kind::NotFound,
            ),
        ] {
            assert_eq!(answered(status, code, text).kind, kind, "{code} {text}");
        }
    }

    #[test]
    fn a_provider_without_credentials_is_quoted_and_nothing_was_sent() {
        let none = CredentialsError::not_loaded("nothing in profiles");
        let failure = ConnectorError::other(none.into(), None);
        let call = CloudCall {
            what: "read the stack",
            permission: "",
            config: &SdkConfig::builder().build(),
        };
        let error = call.no_answer(&SdkError::<fmt::Error, _>::dispatch_failure(failure));
        assert_eq!(
            (error.kind, error.message.as_str()),
            (
                CloudErrorKind::Denied,
                "cannot read the stack: no usable credentials: nothing in profiles"
            )
        );
        assert!(error.hint.starts_with("set AWS_ACCESS_KEY_ID"), "{error:?}");
    }

    #[test]
    fn without_an_endpoint_of_ones_own_the_hint_says_so() {
        let failure = ConnectorError::io("Connection refused".into());
        let error = CloudCall {
            what: "list tasks",
            permission: "ecs:ListTasks",
            config: &SdkConfig::builder().build(),
        }
        .no_answer(&SdkError::<fmt::Error, _>::dispatch_failure(failure));
        assert_eq!(
            (error.message.as_str(), error.hint.as_str()),
            (
                "cannot list tasks: Connection refused",
                "check the network and the region: neither AWS_ENDPOINT_URL_ECS nor AWS_ENDPOINT_URL is set, so the endpoint is AWS's own"
            )
        );
    }

    #[test]
    fn an_endpoint_is_shown_without_what_nobody_may_see() {
        for (url, shown) in [
            ("http://127.0.0.1:4566/", "http://127.0.0.1:4566"),
            ("https://me:secret@[::1]:9/path?q", "https://[::1]:9"),
            ("https://ecs.example.com", "https://ecs.example.com"),
            ("me:secret@a b\u{1b}[31m", "`a b\\u{1b}[31m`"),
            ("nothing", "`nothing`"),
        ] {
            assert_eq!(origin(url), shown, "{url}");
        }
    }

    #[test]
    fn the_cause_stands_once() {
        let error = answered(400, "AccessDeniedException", "User: x is not authorized.");
        assert_eq!(
            error.message,
            "cannot run a task of parfetch:7: User: x is not authorized (AccessDeniedException)"
        );
        assert!(
            error
                .hint
                .starts_with("grant ecs:RunTask to these credentials"),
            "{}",
            error.hint
        );
        assert_eq!(
            answered(503, "", "").message,
            "cannot run a task of parfetch:7: HTTP 503"
        );
    }
}
