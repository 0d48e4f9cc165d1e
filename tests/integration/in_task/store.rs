//! An S3 that takes the credentials of a [`Role`] while they are valid, and nothing else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parfetch::internals::clock;

use super::role::Role;
use crate::support::scripted::{Reply, Request, Scripted};
use crate::support::sigv4::Signed;

/// The store.
pub(super) struct Store {
    pub(super) server: Scripted,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Default)]
struct Notes {
    refused: Vec<String>,
    used: BTreeSet<String>,
}

impl Store {
    /// 60 objects of one byte, which take `latency` each.
    pub(super) fn of(role: &Role, latency: Duration) -> Self {
        let notes = Arc::<Mutex<Notes>>::default();
        let (role, book) = (role.clone(), Arc::clone(&notes));
        let server = Scripted::busy(60, move |request| {
            if let Err((status, code)) = check(&role, request, &book) {
                book.lock()
                    .unwrap()
                    .refused
                    .push(format!("{code}: {} {}", request.method, request.target));
                return Some(Reply::error(status, code));
            }
            if request.is_fetch() {
                std::thread::sleep(latency);
            }
            in_parts(request)
        });
        Self { server, notes }
    }

    /// Requests that were refused, and why.
    pub(super) fn refused(&self) -> Vec<String> {
        self.notes.lock().unwrap().refused.clone()
    }

    /// Access keys that fetches were signed with.
    pub(super) fn used(&self) -> usize {
        self.notes.lock().unwrap().used.len()
    }
}

/// Takes a file that comes in parts, and forgets it.
fn in_parts(request: &Request) -> Option<Reply> {
    let result = |name: &str| {
        Reply::ok(format!(
            "<?xml version=\"1.0\"?><{name}><UploadId>1</UploadId><ETag>\"e\"</ETag></{name}>"
        ))
    };
    match request.method.as_str() {
        "POST" if request.target.contains("uploads") => {
            Some(result("InitiateMultipartUploadResult"))
        }
        "POST" => Some(result("CompleteMultipartUploadResult")),
        "PUT" if request.target.contains("partNumber=") => Some(Reply::Answer(
            200,
            vec![("etag", "\"e\"".to_owned())],
            Vec::new(),
        )),
        _ => None,
    }
}

fn check(role: &Role, request: &Request, book: &Mutex<Notes>) -> Result<(), (u16, &'static str)> {
    let signed = Signed::of(request).ok_or((403, "AccessDenied"))?;
    let pair = role
        .pair(&signed.access_key)
        .ok_or((403, "InvalidAccessKeyId"))?;
    if request.headers.get("x-amz-security-token") != Some(&pair.token) {
        return Err((400, "InvalidToken"));
    }
    if clock::unix_ms() > pair.expires_ms {
        return Err((400, "ExpiredToken"));
    }
    if !signed.is_by(&pair.secret, request) {
        return Err((403, "SignatureDoesNotMatch"));
    }
    if request.is_fetch() {
        book.lock().unwrap().used.insert(signed.access_key);
    }
    Ok(())
}
