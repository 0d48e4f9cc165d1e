//! The namespace of metrics.

use super::reader::{SettingReader, usage};
use crate::cli::Given;
use crate::exit::Failure;

/// Most characters of a namespace.
const LONGEST: usize = 255;

/// The namespace of `--emf`, as `CloudWatch` takes it.
pub(super) fn namespace(reader: &SettingReader<'_>) -> Result<Option<String>, Failure> {
    let Some(Given { value, name }) = reader.0.get("emf") else {
        return Ok(None);
    };
    let known = |c: char| c.is_ascii_alphanumeric() || "._-/#: ".contains(c);
    let wrong = if value.len() > LONGEST {
        "is longer than 255 characters"
    } else if !value.chars().all(known) || value.trim().is_empty() || value.starts_with(':') {
        "is not a namespace of metrics"
    } else if value.starts_with("AWS/") {
        "begins with AWS/, which is not for others"
    } else {
        return Ok(Some(value.clone()));
    };
    Err(usage(
        format!("{name} is `{value}`, which {wrong}"),
        "a name like parfetch or team/parfetch: letters, digits and . - _ / # : and spaces",
    ))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Invocation, Variables, parse};

    fn namespace_of(value: &str) -> Result<Option<String>, String> {
        let arguments = ["parfetch", "run", "--emf", value].map(OsString::from);
        let Ok(Invocation::Run(raw)) = parse(arguments, Variables::default()) else {
            panic!("not a run")
        };
        namespace(&SettingReader(&raw)).map_err(|failure| failure.message)
    }

    #[test]
    fn a_namespace_is_one_that_cloudwatch_takes() {
        assert_eq!(
            namespace_of("team/parfetch #1").unwrap().as_deref(),
            Some("team/parfetch #1")
        );
        for wrong in ["AWS/S3", ":x", "ü", &"x".repeat(256)] {
            assert!(
                namespace_of(wrong)
                    .unwrap_err()
                    .starts_with(&format!("--emf is `{wrong}`, which ")),
                "{wrong}"
            );
        }
    }
}
