//! Values as they are meant: without the line ends and blanks that secrets, files with CRLF and shells put around them, and empty ones unset.

use std::collections::HashMap;

use super::setting::{Setting, Takes};
use crate::plan::names::{control_in, trimmed};

/// What to try when a value has a line end where none can be.
pub const TIP: &str = "write the value on one line, without line ends in or around it";

/// Settings in which blanks count: what keys begin with, and paths.
const AS_GIVEN: [&str; 16] = [
    "prefix",
    "result-prefix",
    "keys",
    "out",
    "html",
    "spool-dir",
    "ca-bundle",
    "results-dir",
    "tls-cert",
    "tls-key",
    "prices",
    "plan",
    "embedded",
    "options",
    "body-file",
    "urls",
];

/// Variables that libraries read by themselves and put into headers, addresses and paths.
const OF_LIBRARIES: [&str; 20] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Variables of proxies, also in small letters.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/// The environment variables that were set, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    values: HashMap<String, String>,
    /// Names of those whose value is not UTF-8.
    unreadable: Vec<String>,
}

/// A variable that libraries would take otherwise than it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableChange<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is to be; `None` = unset.
    pub value: Option<&'a str>,
}

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        let mut all = Self::default();
        for (name, value) in
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        {
            match value.into_string() {
                Ok(value) => _ = all.values.insert(name, value),
                Err(_) => all.unreadable.push(name),
            }
        }
        all
    }

    /// Names with their values, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of `name`; an empty one means unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Sets one of them.
    #[cfg(test)]
    pub(crate) fn set(&mut self, name: String, value: String) {
        self.values.insert(name, value);
    }

    /// What has to change in the environment before a library may read it.
    ///
    /// # Errors
    /// What is wrong with a variable, its name first and its value nowhere.
    pub fn changes(&self) -> Result<Vec<VariableChange<'_>>, String> {
        let ours = |name: &str| {
            name.starts_with("PARFETCH_") || name.starts_with("AWS_") || is_of_libraries(name)
        };
        if let Some(name) = self.unreadable.iter().find(|name| ours(name)) {
            return Err(format!("{name} is not UTF-8"));
        }
        // To the libraries that is a rule for names and none for addresses.
        let no_proxies = ["NO_PROXY", "no_proxy"]
            .into_iter()
            .find_map(|name| self.get(name))
            .is_some_and(|list| list.split(',').any(|entry| entry.trim() == "*"));
        let mut changes = Vec::new();
        for (name, value) in self
            .all()
            .filter(|(name, _)| name.starts_with("AWS_") || is_of_libraries(name))
        {
            let meant = trimmed(value);
            match control_in(meant) {
                Some(what) if is_of_libraries(name) => {
                    return Err(format!("{name} contains {what}"));
                }
                None if meant.is_empty()
                    || (no_proxies && is_proxy(name) && !name.eq_ignore_ascii_case("NO_PROXY")) =>
                {
                    changes.push(VariableChange { name, value: None });
                }
                None if meant != value => changes.push(VariableChange {
                    name,
                    value: Some(meant),
                }),
                Some(_) | None => {}
            }
        }
        Ok(changes)
    }
}

fn is_of_libraries(name: &str) -> bool {
    OF_LIBRARIES.contains(&name) || name.starts_with("AWS_ENDPOINT_URL") || is_proxy(name)
}

fn is_proxy(name: &str) -> bool {
    PROXIES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let values = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            values,
            unreadable: Vec::new(),
        }
    }
}

/// The value of a setting as it is meant; else what is wrong with it, as a predicate.
pub(super) fn checked<'a>(setting: &Setting, value: &'a str) -> Result<&'a str, String> {
    if matches!(setting.takes, Takes::Many(_)) || setting.flag == "body" {
        // Lines of their own, and what is sent as it stands; what they may hold is for their reader to say.
        return Ok(value);
    }
    if !AS_GIVEN.contains(&setting.flag) {
        let meant = trimmed(value);
        return control_in(meant).map_or(Ok(meant), |what| Err(format!("contains {what}")));
    }
    // Keys and names of files may hold control characters, but nobody means one at their end.
    let inner = value.trim_matches(char::is_control);
    if inner == value {
        Ok(value)
    } else {
        Err("begins or ends with a line end or control character".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::SUBCOMMANDS;
    use crate::cli::run::RUN;

    fn setting(flag: &str) -> &'static Setting {
        RUN.iter().find(|setting| setting.flag == flag).unwrap()
    }

    #[test]
    fn what_stands_around_a_value_is_cut_where_it_cannot_be_meant() {
        assert_eq!(checked(setting("bucket"), "data\r\n"), Ok("data"));
        assert_eq!(checked(setting("prefix"), " a "), Ok(" a "));
        assert_eq!(
            checked(setting("prefix"), "a\n").unwrap_err(),
            "begins or ends with a line end or control character"
        );
        assert_eq!(checked(setting("prefix"), "a\nb"), Ok("a\nb"));
        assert_eq!(
            checked(setting("tag"), "a\x1bb").unwrap_err(),
            "contains a control character"
        );
    }

    #[test]
    fn what_libraries_read_is_cut_emptied_or_refused_by_name() {
        let variables = Variables::from([
            ("AWS_ACCESS_KEY_ID", "AKID\n"),
            ("AWS_ENDPOINT_URL", " "),
            ("no_proxy", "a"),
            ("OTHER", "x\n"),
        ]);
        let mut changes = variables.changes().unwrap();
        changes.sort_by_key(|change| change.name);
        let expected = [
            VariableChange {
                name: "AWS_ACCESS_KEY_ID",
                value: Some("AKID"),
            },
            VariableChange {
                name: "AWS_ENDPOINT_URL",
                value: None,
            },
        ];
        assert_eq!(changes, expected);
        let proxies = Variables::from([("https_proxy", "http://p"), ("NO_PROXY", "a, *")]);
        assert_eq!(
            proxies.changes(),
            Ok(vec![VariableChange {
                name: "https_proxy",
                value: None
            }])
        );
        let wrong = Variables::from([("AWS_SECRET_ACCESS_KEY", "a\nb")])
            .changes()
            .unwrap_err();
        assert_eq!(wrong, "AWS_SECRET_ACCESS_KEY contains a line end");
        assert_eq!(
            Variables::from([("AWS_NOTES", "two\nlines\n")]).changes(),
            Ok(Vec::new()),
            "no library reads it"
        );
    }

    #[test]
    fn every_variable_of_libraries_in_the_tables_is_known_here() {
        for setting in SUBCOMMANDS
            .iter()
            .flat_map(|subcommand| subcommand.settings)
        {
            for name in setting
                .variables
                .iter()
                .filter(|name| name.starts_with("AWS_"))
            {
                assert!(is_of_libraries(name), "{name}");
            }
        }
    }
}
