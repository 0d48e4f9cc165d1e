//! Whether a request is signed for the service and the region that it went to. The signature itself is not computed.

use super::super::scripted::Request;

/// What a signature has to say.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// What is wrong with the signature of this request, if anything.
pub(super) fn wrong_with(request: &Request, scope: &Scope<'_>) -> Option<String> {
    let Some(header) = request.headers.get("authorization") else {
        return Some("it is not signed".to_owned());
    };
    let Some(rest) = header.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Some(format!("`{header}` is no AWS4-HMAC-SHA256"));
    };
    let part = |name: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let Some(date) = request
        .headers
        .get("x-amz-date")
        .filter(|date| date.len() == 16 && date.ends_with('Z'))
    else {
        return Some("it has no x-amz-date".to_owned());
    };
    let credential = part("Credential").unwrap_or_default();
    let expected = format!(
        "/{}/{}/{}/aws4_request",
        &date[..8],
        scope.region,
        scope.service
    );
    if !credential.ends_with(&expected) || credential.len() == expected.len() {
        return Some(format!(
            "its credential is `{credential}`, which does not end in {expected}"
        ));
    }
    let signed: Vec<_> = part("SignedHeaders")
        .unwrap_or_default()
        .split(';')
        .collect();
    let must = ["host", "x-amz-date", "x-amz-target", "x-amz-security-token"];
    if let Some(unsigned) = must
        .iter()
        .find(|name| request.headers.contains_key(**name) && !signed.contains(name))
    {
        return Some(format!("{unsigned} is not signed"));
    }
    let signature = part("Signature").unwrap_or_default();
    let whole = signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!whole).then(|| format!("its signature is `{signature}`"))
}
