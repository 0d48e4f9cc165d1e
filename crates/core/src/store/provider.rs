//! What credential providers answer, checked before it comes near a header: a key file, a secret or a metadata service may add a line end, and the
//! SDK's signer panics at one. Where they have none, their error says so in words: whoever shows the innermost cause shows the same.

use std::error::Error;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, Result, SharedCredentialsProvider, future,
};

use super::transport::find;
use crate::plan::names::{control_in, trimmed};

/// A provider whose answers can be signed with, and whose errors can be shown.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) provider: SharedCredentialsProvider,
    /// That is named, for the error.
    pub(super) profile: Option<String>,
}

impl ProvideCredentials for Checked {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = self.provider.provide_credentials().await;
            checked(found.map_err(|error| in_words(error, self.profile.as_deref()))?)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider
            .fallback_on_interrupt()
            .and_then(|found| checked(found).ok())
    }
}

/// The error of a chain in which no provider has credentials names every provider, over half a screen, or only the one that is asked last: the
/// metadata service of an instance, which may be turned off.
fn in_words(error: CredentialsError, profile: Option<&str>) -> CredentialsError {
    let no_instance = find::<ImdsError>(&error)
        .is_some_and(|error| !matches!(error, ImdsError::ErrorResponse(_)));
    if !no_instance && !cause(&error).starts_with("no credentials found in chain") {
        return error;
    }
    let profiles =
        profile.map_or_else(|| "profiles".to_owned(), |name| format!("profile `{name}`"));
    CredentialsError::not_loaded(format!(
        "nothing in the environment, in {profiles}, of a task role or of an instance"
    ))
}

/// Why there are no credentials, of an error that a provider is the cause of.
pub fn why_none(error: &(dyn Error + 'static)) -> Option<String> {
    find::<CredentialsError>(error).map(|error| cause(error))
}

/// The innermost cause, which names the file, variable or address.
pub(super) fn cause(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    let text = text.trim_end_matches('.');
    let status = text
        .strip_prefix("Non-success status from HTTP credential provider: StatusCode(")
        .and_then(|rest| rest.strip_suffix(')'));
    status.map_or_else(
        || text.to_owned(),
        |status| format!("the task's credentials endpoint answered {status}"),
    )
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
    fn a_status_is_told_in_words() {
        let error = CredentialsError::provider_error(
            "Non-success status from HTTP credential provider: StatusCode(429)",
        );
        assert_eq!(
            cause(&error),
            "the task's credentials endpoint answered 429"
        );
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
