//! Who may do what: one pair of keys, an optional session token, and unsigned requests where they are allowed.

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::protocol::ServerCredentials;

/// Looks the one secret key up.
pub(super) struct Auth(pub(super) ServerCredentials);

#[async_trait::async_trait]
impl S3Auth for Auth {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key {
            return Ok(SecretKey::from(self.0.secret_key.clone()));
        }
        Err(s3_error!(
            InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records."
        ))
    }
}

/// Unsigned requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    Denied,
    Allowed,
}

/// What is asked of a request beside a good signature.
pub(super) struct AccessCheck {
    pub(super) token: Option<String>,
    pub(super) unsigned: Unsigned,
}

#[async_trait::async_trait]
impl S3Access for AccessCheck {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return match self.unsigned {
                Unsigned::Allowed => Ok(()),
                Unsigned::Denied => Err(s3_error!(AccessDenied, "Access Denied")),
            };
        }
        let Some(token) = &self.token else {
            return Ok(());
        };
        let header = context
            .headers()
            .get("x-amz-security-token")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        if header
            .or_else(|| token_in_query(context.uri().query()?))
            .as_ref()
            == Some(token)
        {
            return Ok(());
        }
        Err(s3_error!(
            InvalidToken,
            "The provided token is malformed or otherwise invalid."
        ))
    }
}

/// The token of a presigned URL.
fn token_in_query(query: &str) -> Option<String> {
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("X-Amz-Security-Token="))?;
    percent_encoding::percent_decode_str(value)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}
