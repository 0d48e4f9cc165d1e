//! What a person sees of a command: progress, the form of results, the log.

use super::reader::SettingReader;
use crate::cli::Raw;
use crate::exit::Failure;

pub(super) const FORMATS: &[(&str, Format)] = &[("text", Format::Text), ("json", Format::Json)];

/// When progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressWhen {
    /// A bar on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// Warnings only.
    Never,
}

/// A form of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// How log lines look and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important level that is shown.
    pub level: Level,
    /// Text or JSON.
    pub format: Format,
}

/// A log level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    Error,
    #[default]
    Warn,
    Info,
    Debug,
    Trace,
}

pub(super) fn progress_when(reader: &SettingReader<'_>) -> Result<ProgressWhen, Failure> {
    Ok(reader
        .one_of(
            "progress",
            &[("auto", ProgressWhen::Auto), ("never", ProgressWhen::Never)],
        )?
        .unwrap_or_default())
}

/// What stands in the log, for every subcommand.
pub fn log(raw: &Raw) -> Result<LogSettings, Failure> {
    let levels = [
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("info", Level::Info),
        ("debug", Level::Debug),
        ("trace", Level::Trace),
    ];
    Ok(LogSettings {
        level: SettingReader(raw)
            .one_of("log-level", &levels)?
            .unwrap_or_default(),
        format: SettingReader(raw)
            .one_of("log-format", FORMATS)?
            .unwrap_or_default(),
    })
}
