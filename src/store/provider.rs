//! What credential providers answer, checked before it comes near a header: a key file, a secret or a metadata service may add a line end, and the
//! SDK's signer panics at one.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, Result, SharedCredentialsProvider, future,
};

use crate::plan::names::{control_in, trimmed};

/// A provider whose answers can be signed with.
#[derive(Debug)]
pub(super) struct Checked(pub(super) SharedCredentialsProvider);

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { checked(self.0.provide_credentials().await?) })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0
            .fallback_on_interrupt()
            .and_then(|found| checked(found).ok())
    }
}

/// The credentials without what stands around them; an error where that does not suffice, which never shows them.
fn checked(found: Credentials) -> Result {
    let (key, secret) = (
        trimmed(found.access_key_id()),
        trimmed(found.secret_access_key()),
    );
    let token = found
        .session_token()
        .map(trimmed)
        .filter(|token| !token.is_empty());
    for (name, value) in [
        ("access key ID", key),
        ("secret access key", secret),
        ("session token", token.unwrap_or("-")),
    ] {
        let wrong = if value.is_empty() {
            Some("is empty".to_owned())
        } else if let Some(what) = control_in(value) {
            Some(format!("contains {what}"))
        } else {
            (!value.is_ascii()).then(|| "contains letters that no header takes".to_owned())
        };
        if let Some(wrong) = wrong {
            return Err(CredentialsError::invalid_configuration(format!(
                "the {name} {wrong}"
            )));
        }
    }
    if (key, secret, token)
        == (
            found.access_key_id(),
            found.secret_access_key(),
            found.session_token(),
        )
    {
        return Ok(found);
    }
    let mut builder = Credentials::builder()
        .access_key_id(key)
        .secret_access_key(secret)
        .provider_name("parfetch");
    builder.set_session_token(token.map(str::to_owned));
    builder.set_expiry(found.expiry());
    builder.set_account_id(found.account_id().cloned());
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        key: &str,
        secret: &str,
        token: Option<&str>,
    ) -> std::result::Result<(String, String, Option<String>), String> {
        let found = checked(Credentials::new(
            key,
            secret,
            token.map(str::to_owned),
            None,
            "test",
        ));
        let texts = |found: Credentials| {
            (
                found.access_key_id().to_owned(),
                found.secret_access_key().to_owned(),
                found.session_token().map(str::to_owned),
            )
        };
        found
            .map(texts)
            .map_err(|error| std::error::Error::source(&error).unwrap().to_string())
    }

    #[test]
    fn line_ends_around_keys_are_cut() {
        assert_eq!(
            of("AKID\r\n", " secret\n", Some("tok\n")),
            Ok(("AKID".into(), "secret".into(), Some("tok".into())))
        );
        assert_eq!(
            of("AKID", "secret", Some("\n")),
            Ok(("AKID".into(), "secret".into(), None))
        );
    }

    #[test]
    fn what_no_header_takes_is_refused_and_not_shown() {
        assert_eq!(
            of("AK\nID", "s", None),
            Err("the access key ID contains a line end".into())
        );
        assert_eq!(
            of("AKID", "s", Some("VERY\x1bSECRET")),
            Err("the session token contains a control character".into())
        );
        assert_eq!(
            of("AKID", "\n", None),
            Err("the secret access key is empty".into())
        );
        assert_eq!(
            of("AKÏD", "s", None),
            Err("the access key ID contains letters that no header takes".into())
        );
    }
}
