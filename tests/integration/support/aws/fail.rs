//! An answer that is an error, as the three protocols say it.

use serde_json::{Map, Value};

use super::http::Answer;

/// An error.
#[derive(Clone, Debug)]
pub(super) struct Fail {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Further members.
    pub(super) more: Map<String, Value>,
    /// A request that no program should ever send.
    pub(super) is_violation: bool,
}

impl Fail {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            more: Map::new(),
            is_violation: false,
        }
    }

    /// `ClientException`.
    pub(super) fn client(message: impl Into<String>) -> Self {
        Self::new(400, "ClientException", message)
    }

    /// `InvalidParameterException`.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    pub(super) fn throttled() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    pub(super) fn server() -> Self {
        Self::new(
            500,
            "ServerException",
            "Service Unavailable. Please try again later.",
        )
    }

    /// It shows a program that is wrong.
    pub(super) fn violation(self) -> Self {
        Self {
            is_violation: true,
            ..self
        }
    }

    /// JSON 1.1: the name in the body.
    pub(super) fn json(&self) -> Answer {
        let mut body = self.more.clone();
        body.insert("__type".to_owned(), self.code.into());
        body.insert("message".to_owned(), self.message.clone().into());
        Answer::new(
            self.status,
            "application/x-amz-json-1.1",
            Value::Object(body).to_string(),
        )
    }

    /// JSON over REST: the name in a header.
    pub(super) fn rest(&self) -> Answer {
        let body = serde_json::json!({"message": self.message});
        Answer {
            error_type: Some(self.code.to_owned()),
            ..Answer::new(self.status, "application/json", body.to_string())
        }
    }

    /// The query protocol: XML.
    pub(super) fn xml(&self, namespace: &str) -> Answer {
        let sender = if self.status < 500 {
            "Sender"
        } else {
            "Receiver"
        };
        let (code, message) = (self.code, escaped(&self.message));
        let body = format!(
            "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{sender}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        );
        Answer::new(self.status, "text/xml", body)
    }
}

/// A text within XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
