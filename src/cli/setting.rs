//! What a setting is: flag, variables, help; and how tables of settings are written.

use crate::plan::{ClientKind, Mode, Order, Work};
use crate::price::Egress;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A switch. Its variable takes `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`.
    Nothing,
    /// A switch that may be given several times.
    Times,
    /// A value, called so in the help.
    Value(&'static str),
    /// One of these words.
    Choice(&'static str, &'static [&'static str]),
    /// Some of these words, with commas between them.
    Choices(&'static str, &'static [&'static str]),
    /// A value after `=`, or none.
    Optional(&'static str),
    /// A value, as often as there are; they are kept as lines.
    Many(&'static str),
}

impl Takes {
    /// The words that it takes, where it takes no others.
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Choice(_, words) | Self::Choices(_, words) => words,
            Self::Nothing | Self::Times | Self::Value(_) | Self::Optional(_) | Self::Many(_) => &[],
        }
    }
}

/// A row of the settings tables: its names, what it takes, and its help. Flags, variables, help and docs/settings.md are made of it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its flag without the dashes; also its name in the code.
    pub flag: &'static str,
    /// Its flag as typed.
    pub dashed: &'static str,
    /// One-letter flag.
    pub short: Option<char>,
    /// Another flag for the same.
    pub alias: Option<&'static str>,
    /// Variables that set it; the first that is set and not empty wins.
    pub variables: &'static [&'static str],
    /// What it takes.
    pub takes: Takes,
    /// Default, as shown; empty = none.
    pub default: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// The same in few words, for `-h`; none = it stands in `--help` alone.
    pub brief: Option<&'static str>,
    /// Group in the help.
    pub heading: &'static str,
}

/// How a command takes a setting that others have too.
impl Setting {
    /// With another sentence.
    pub(super) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// In `-h` as well, in these words.
    pub(super) const fn brief(self, brief: &'static str) -> Self {
        Self {
            brief: Some(brief),
            ..self
        }
    }

    /// In `--help` alone.
    pub(super) const fn long(self) -> Self {
        Self {
            brief: None,
            ..self
        }
    }

    /// With another default.
    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// As a flag alone.
    pub(super) const fn typed(self) -> Self {
        Self {
            variables: &[],
            ..self
        }
    }

    /// In another group of the help.
    pub(super) const fn under(self, heading: &'static str) -> Self {
        Self { heading, ..self }
    }
}

/// Settings in another group of the help.
pub(super) const fn under<const N: usize>(
    heading: &'static str,
    mut settings: [Setting; N],
) -> [Setting; N] {
    let mut at = 0;
    while at < N {
        settings[at] = settings[at].under(heading);
        at += 1;
    }
    settings
}

/// Settings of these tables together.
pub(super) const fn count(tables: &[&[Setting]]) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < tables.len() {
        sum += tables[at].len();
        at += 1;
    }
    sum
}

/// One table of several. `N` is their [`count`].
pub(super) const fn joined<const N: usize>(tables: &[&[Setting]]) -> [Setting; N] {
    let mut all = [tables[0][0]; N];
    let (mut next, mut table) = (0, 0);
    while table < tables.len() {
        let mut at = 0;
        while at < tables[table].len() {
            all[next] = tables[table][at];
            next += 1;
            at += 1;
        }
        table += 1;
    }
    all
}

/// Rows of a table: `"heading" { "flag" -'f' /"alias" ["VARIABLE"] takes, "default", "help", "in few words"; … }`.
macro_rules! settings {
    ($($heading:literal { $($flag:literal $(-$short:literal)? $(/$alias:literal)? [$($variable:literal),*] $takes:expr, $default:literal, $help:literal $(, $brief:literal)?;)* })*) => {
        &[$($(Setting {
            flag: $flag,
            dashed: concat!("--", $flag),
            short: settings!(@option $($short)?),
            alias: settings!(@option $($alias)?),
            variables: &[$($variable),*],
            takes: $takes,
            default: $default,
            help: $help,
            brief: settings!(@option $($brief)?),
            heading: $heading,
        },)*)*]
    };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
}

/// The same rows, each under a name by which commands take it.
macro_rules! shared {
    ($($heading:literal { $($name:ident = $flag:literal $(-$short:literal)? $(/$alias:literal)? [$($variable:literal),*] $takes:expr, $default:literal, $help:literal $(, $brief:literal)?;)* })*) => {
        $($(pub(super) const $name: Setting = settings! { $heading { $flag $(-$short)? $(/$alias)? [$($variable),*] $takes, $default, $help $(, $brief)?; } }[0];)*)*
    };
}

/// One table of several.
macro_rules! tables {
    ($($table:expr),* $(,)?) => {{
        const TABLES: &[&[crate::cli::Setting]] = &[$($table),*];
        const ALL: [crate::cli::Setting; crate::cli::setting::count(TABLES)] = crate::cli::setting::joined(TABLES);
        &ALL
    }};
}

pub(super) use {settings, shared, tables};

pub(super) const MODES: &[&str] = Mode::WORDS;
pub(super) const CLIENTS: &[&str] = ClientKind::WORDS;
pub(super) const WORKS: &[&str] = Work::WORDS;
pub(super) const ORDERS: &[&str] = Order::WORDS;
pub(super) const EGRESS: &[&str] = Egress::WORDS;
pub(super) const WHEN: &[&str] = &["auto", "never"];
pub(super) const FORMATS: &[&str] = &["text", "json"];
pub(super) const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];
