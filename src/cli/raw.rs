//! What was given for one subcommand, as it was typed or set.

use std::collections::HashMap;

use super::setting::Setting;
use super::values::Variables;

/// One value as it was given, and the name under which a person gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The text.
    pub value: String,
    /// `--concurrency`, or `CONCURRENCY` where the variable gave it.
    pub name: &'static str,
}

impl Given {
    /// Whether a person typed it as a flag.
    pub fn is_flag(&self) -> bool {
        self.name.starts_with("--")
    }

    /// Whether the environment gave it: a stack or a plan may give values too.
    pub fn is_variable(&self) -> bool {
        let is_of_variables =
            |byte: u8| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit();
        !self.name.is_empty() && self.name.bytes().all(is_of_variables)
    }
}

/// Everything that was given for one subcommand.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// The subcommand.
    pub command: &'static str,
    pub(super) settings: &'static [Setting],
    pub(super) values: HashMap<&'static str, Given>,
    /// The words that are not flags.
    pub words: Vec<String>,
    /// The environment, for the few variables that are not settings of parfetch's own.
    pub variables: Variables,
}

impl Raw {
    /// What was given for the setting whose flag is `--flag`.
    pub fn get(&self, flag: &str) -> Option<&Given> {
        self.values.get(flag)
    }

    /// Whether nothing was asked for: no word, and no value but of variables that other programs read as well.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
            && self
                .values
                .values()
                .all(|given| given.name.starts_with("AWS_"))
    }

    /// Whether nothing but the result, warnings and errors is to be said.
    pub fn is_quiet(&self) -> bool {
        self.values.contains_key("quiet")
    }

    /// The words that the setting takes, where it takes no others.
    pub fn choices(&self, flag: &str) -> &'static [&'static str] {
        self.settings
            .iter()
            .find(|setting| setting.flag == flag)
            .map_or(&[], |setting| setting.takes.choices())
    }

    /// Gives settings a value where a person gave none; `name` says in errors where it comes from. An empty value is none.
    pub fn below(
        &mut self,
        name: &'static str,
        values: impl IntoIterator<Item = (&'static str, String)>,
    ) {
        for (flag, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.values.entry(flag).or_insert(Given { value, name });
        }
    }
}
