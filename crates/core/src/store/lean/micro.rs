//! Writing a request and reading an answer, each by itself: for the micro-benchmarks, and for nothing else.

use aws_credential_types::Credentials as AwsCredentials;

use super::reader::{ResponseReader, Wanted};
use super::request::RequestWriter;
use crate::store::attempt::{BodyHead, BodySink, Target};
use crate::store::credentials::{CredentialFeed, Credentials};
use crate::store::endpoint::Endpoint;

/// Writes signed requests, with the long session token of a task's role.
pub struct Signing {
    writer: RequestWriter,
    request: Vec<u8>,
}

impl Default for Signing {
    fn default() -> Self {
        let endpoint = Endpoint {
            https: true,
            host: "bucket.s3.eu-west-1.amazonaws.com".to_owned(),
            port: 443,
            authority: "bucket.s3.eu-west-1.amazonaws.com".to_owned(),
            base_path: "/".to_owned(),
            signing_region: "eu-west-1".to_owned(),
        };
        let credentials = AwsCredentials::new(
            "ASIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            Some("T".repeat(850)),
            None,
            "micro",
        );
        let (feed, _sender, _asked) = CredentialFeed::remote(Credentials::new(&credentials, 1));
        Self {
            writer: RequestWriter::new(&endpoint, Some(feed)),
            request: Vec::new(),
        }
    }
}

impl Signing {
    /// Writes the request for a key; its length in bytes.
    pub fn get(&mut self, key: &str) -> usize {
        self.writer.get(Target::whole(key), &mut self.request);
        self.request.len()
    }
}

/// Reads answers.
pub struct Reading {
    reader: ResponseReader,
    counted: Counted,
}

#[derive(Default)]
struct Counted(u64);

impl BodySink for Counted {
    fn head(&mut self, _head: &BodyHead<'_>) {}

    fn chunk(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            reader: ResponseReader::new(),
            counted: Counted::default(),
        }
    }
}

impl Reading {
    /// Reads one whole answer; body bytes counted so far.
    ///
    /// # Panics
    /// When it is not a whole answer.
    pub fn answer(&mut self, bytes: &[u8]) -> u64 {
        self.reader.begin(Wanted::Object(None));
        assert!(
            self.reader.feed(bytes, &mut self.counted).is_ok() && self.reader.is_done(),
            "a whole answer"
        );
        self.counted.0
    }
}
