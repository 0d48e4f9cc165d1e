//! Places as people write them: `s3://bucket/prefix` as a word, or in `--bucket` and `--result-bucket`, stands for two settings.

use std::collections::HashMap;

use super::raw::Given;
use super::subcommands::SUBCOMMANDS;
use super::values::TIP;
use super::words::{BucketSettings, Holds, SOURCE};

use crate::exit::{Exit, Failure};
use crate::guess;
use crate::plan::names::{check_bucket, shown, without_user};
use crate::plan::{HostPort, S3Uri};

/// How a place begins.
const SCHEME: &str = "s3://";
/// What stands in front of addresses that are none of S3's own form.
const ELSEWHERE: [&str; 3] = ["http://", "https://", "arn:"];
/// How to write it.
const FORM: &str = "write it like s3://images or s3://images/2024/";

/// Whether a first word is meant as a source, not as a subcommand.
pub(super) fn is_source(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.starts_with(SCHEME)
        || ELSEWHERE
            .iter()
            .any(|beginning| word.starts_with(beginning))
}

/// Whether a word is meant as the URL of a web server.
pub(crate) fn is_web_address(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.starts_with("http://") || word.starts_with("https://")
}

/// Puts what the flag of a place and its word stand for into the settings. The word wins over variables, and must not contradict flags.
pub(super) fn expand(
    place: BucketSettings,
    word: Option<&String>,
    values: &mut HashMap<&'static str, Given>,
) -> Result<(), Failure> {
    if values
        .get(place.bucket)
        .is_some_and(|given| given.is_flag() && given.value.starts_with(SCHEME))
    {
        let given = values.remove(place.bucket).expect("it was there");
        put(place, &given, values)?;
    }
    word.map_or(Ok(()), |word| {
        put(
            place,
            &Given {
                value: word.clone(),
                name: place.word,
            },
            values,
        )
    })
}

fn put(
    place: BucketSettings,
    given: &Given,
    values: &mut HashMap<&'static str, Given>,
) -> Result<(), Failure> {
    let S3Uri { bucket, mut key } = read(given)?;
    if place.holds == Holds::Files && !key.is_empty() && !key.ends_with('/') {
        key.push('/');
    }
    // `s3://images --prefix 2024/` is one place in two pieces.
    let is_completed = key.is_empty() && values.get(place.prefix).is_some_and(Given::is_flag);
    let prefix = (!is_completed).then_some((place.prefix, key));
    for (flag, value) in std::iter::once((place.bucket, bucket)).chain(prefix) {
        if let Some(other) = values
            .get(flag)
            .filter(|other| other.is_flag() && other.value != value)
        {
            let message = format!(
                "{} is {}, and {} names another place",
                given.name,
                shown(&given.value),
                other.name
            );
            return Err(
                Failure::new(Exit::Usage, message).hint(format!("leave {} out", other.name))
            );
        }
        values.insert(
            flag,
            Given {
                value,
                name: given.name,
            },
        );
    }
    if let Some(flag) = place
        .below
        .filter(|flag| values.get(flag).is_some_and(|other| !other.is_flag()))
    {
        values.remove(flag);
    }
    Ok(())
}

fn read(Given { value, name }: &Given) -> Result<S3Uri, Failure> {
    let refused =
        |what: &str, hint: &str| Failure::new(Exit::Usage, format!("{name} {what}")).hint(hint);
    if value.trim_matches(char::is_control) != value {
        return Err(refused(
            "begins or ends with a line end or control character",
            TIP,
        ));
    }
    let Some(rest) = value.strip_prefix(SCHEME) else {
        return Err(no_place(name, value));
    };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(refused(
            &format!("is {}, which names no bucket", shown(value)),
            FORM,
        ));
    }
    check_bucket(bucket).map_err(|wrong| refused(&wrong.what, &wrong.hint))?;
    Ok(S3Uri {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
    })
}

/// What stands behind the scheme, also where a letter of it is wrong: `S3://images`, `s3:/images`, `s3//images`.
fn without_scheme(value: &str) -> &str {
    let lower = value.to_ascii_lowercase();
    let written = ["s3://", "s3:/", "s3//", "s3:"]
        .into_iter()
        .find(|scheme| lower.starts_with(scheme));
    written.map_or(value, |scheme| &value[scheme.len()..])
}

/// The URL that a word without a scheme, or with half of one, was meant as: `127.0.0.1:8000`, `localhost`, `http:/x`.
pub(super) fn meant_url(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let half = ["http", "https"]
        .into_iter()
        .find(|scheme| lower.starts_with(&format!("{scheme}:/")));
    let (scheme, rest) = half.map_or(("http", word), |scheme| {
        (scheme, word[scheme.len() + 1..].trim_start_matches('/'))
    });
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_host = half.is_some() && !host.is_empty()
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<HostPort>().is_ok();
    // What may hold a password is not shown.
    let is_meant = is_host && !host.contains('@');
    is_meant.then(|| format!("{scheme}://{host}/{path}"))
}

/// Why a word without `s3://` is no place.
fn no_place(name: &str, value: &str) -> Failure {
    let refused =
        |what: &str, hint: &str| Failure::new(Exit::Usage, format!("{name} {what}")).hint(hint);
    if value.starts_with("arn:")
        && let Err(wrong) = check_bucket(value)
    {
        return refused(&wrong.what, &wrong.hint);
    }
    if is_source(value) && !value.to_ascii_lowercase().starts_with(SCHEME) {
        // It may hold a password, and is not shown.
        return refused(
            "is a web address, and only buckets are read",
            "write s3://bucket/prefix; --endpoint-url names another S3 endpoint",
        );
    }
    let meant = without_scheme(value);
    let is_bucket = !meant.starts_with('.')
        && check_bucket(meant.split('/').next().unwrap_or_default()).is_ok();
    let place = is_bucket.then(|| format!("{SCHEME}{meant}"));
    let url = meant_url(value).filter(|_| name == SOURCE.word);
    let hint = match (
        guess::slip(value, SUBCOMMANDS.iter().map(|of| of.name)),
        url.or(place),
    ) {
        // `parfetch -c 4 rnu`, `parfetch run sweep`.
        (Some(command), Some(place)) => format!(
            "{} A command stands first, and a bucket is written {place}",
            guess::meant(command)
        ),
        (None, Some(place)) => guess::meant(&place),
        (_, None) => FORM.to_owned(),
    };
    refused(
        &format!(
            "is {}, which is not s3://bucket/prefix",
            shown(&without_user(value))
        ),
        &hint,
    )
}
