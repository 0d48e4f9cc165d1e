//! The command line and the environment: every flag and variable in one table, and what was typed or set for each.
//!
//! Owns names and help texts. Takes values as they were typed: what they mean is decided in `settings`. The only reader of the environment.

mod doctor;
mod fill;
mod reports;
mod submit;
mod sweeps;
mod table;
mod values;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

pub use doctor::DOCTOR;
pub use fill::FILL;
pub use reports::{COMPARE, REPORT};
pub use submit::SUBMIT;
pub use sweeps::SWEEP;
pub use table::{RUN, SERVE, Setting, Takes, UPLOAD};
pub use values::{TIP, Variables};

/// One value as it was given, and the name under which a person gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The text.
    pub value: String,
    /// `--concurrency`, or `CONCURRENCY` where the variable gave it.
    pub name: &'static str,
}

/// Everything that was given for one subcommand.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    values: HashMap<&'static str, Given>,
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

    /// Gives settings a value where a person gave none; `name` says in errors where it comes from. An empty value is none.
    pub fn below(&mut self, name: &'static str, values: impl IntoIterator<Item = (&'static str, String)>) {
        for (flag, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.values.entry(flag).or_insert(Given { value, name });
        }
    }
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// `run`, also without its name.
    Run(Raw),
    /// `upload DIR [s3://…]`.
    Upload(Raw),
    /// `doctor [s3://…]`.
    Doctor(Raw),
    /// `fill s3://…`.
    Fill(Raw),
    /// `report SOURCE…`.
    Report(Raw),
    /// `compare BASE NEW`.
    Compare(Raw),
    /// `serve`.
    Serve(Raw),
    /// The embedded server of a run, spoken to through its pipes.
    ServeSupervised,
    /// `sweep`.
    Sweep(Raw),
    /// `submit`.
    Submit(Raw),
    /// A child of `--mode process`.
    Worker,
    /// A process that holds itself to a size before it becomes a program.
    Confined(Confined),
}

/// How a process is to hold itself, and what it becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confined {
    /// Control groups to enter.
    pub groups: Vec<PathBuf>,
    /// Numbers of CPUs.
    pub cpus: Vec<u32>,
    /// Process id of the parent.
    pub parent: Option<u32>,
    /// Program and arguments.
    pub command: Vec<OsString>,
}

/// Reads the arguments and the environment. No subcommand, or a bare flag first, means `run`.
///
/// # Errors
/// clap's: usage (exit 2), or a help or version text that was asked for (exit 0).
///
/// # Panics
/// Never: clap answers without a subcommand itself.
pub fn parse(arguments: impl IntoIterator<Item = OsString>, variables: Variables) -> Result<Invocation, clap::Error> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let bare = match arguments.get(1).and_then(|word| word.to_str()) {
        Some("-h" | "--help" | "-V" | "--version") => false,
        Some(word) => word.starts_with('-'),
        None => true,
    };
    if bare {
        arguments.insert(arguments.len().min(1), "run".into());
    }
    let matches = command().try_get_matches_from(arguments)?;
    let (name, matches) = matches.subcommand().expect("a subcommand is required");
    let given = |settings| collect(settings, matches, variables);
    Ok(match name {
        "upload" => Invocation::Upload(given(UPLOAD)?),
        "doctor" => Invocation::Doctor(given(DOCTOR)?),
        "fill" => Invocation::Fill(given(FILL)?),
        "report" => Invocation::Report(given(REPORT)?),
        "compare" => Invocation::Compare(given(COMPARE)?),
        "serve" if matches.get_flag("supervised") => Invocation::ServeSupervised,
        "serve" => Invocation::Serve(given(SERVE)?),
        "sweep" => Invocation::Sweep(given(SWEEP)?),
        "submit" => Invocation::Submit(given(SUBMIT)?),
        "worker" => Invocation::Worker,
        "confined" => Invocation::Confined(confined(matches)),
        _ => Invocation::Run(given(RUN)?),
    })
}

fn confined(matches: &ArgMatches) -> Confined {
    Confined {
        groups: matches.get_many::<PathBuf>("group").into_iter().flatten().cloned().collect(),
        cpus: matches.get_many::<u32>("cpus").into_iter().flatten().copied().collect(),
        parent: matches.get_one::<u32>("parent").copied(),
        command: matches.get_many::<OsString>("command").into_iter().flatten().cloned().collect(),
    }
}

/// Flags win over variables; of several variables the first that is set wins.
fn collect(settings: &'static [Setting], matches: &ArgMatches, variables: Variables) -> Result<Raw, clap::Error> {
    let mut values = HashMap::new();
    for setting in settings {
        let checked = |name, value: &str| match values::checked(setting, value) {
            Ok(value) => Ok(Given { value: value.to_owned(), name }),
            // One paragraph is what is wrong, the next what to try.
            Err(wrong) => Err(command().error(ErrorKind::InvalidValue, format!("{name} {wrong}\n\n  tip: {}", values::TIP))),
        };
        if let Some(value) = typed(setting, matches) {
            values.insert(setting.flag, checked(setting.dashed, &value)?);
            continue;
        }
        for name in setting.variables {
            if let Some(value) = variables.get(name).map(|value| checked(name, value)).transpose()?.filter(|given| !given.value.is_empty()) {
                values.insert(setting.flag, value);
                break;
            }
        }
    }
    let words = matches.try_get_many::<String>("words").ok().flatten().map(|words| words.cloned().collect()).unwrap_or_default();
    Ok(Raw { values, words, variables })
}

fn typed(setting: &Setting, matches: &ArgMatches) -> Option<String> {
    match setting.takes {
        Takes::Nothing => matches.get_flag(setting.flag).then(|| "true".to_owned()),
        Takes::Value(_) | Takes::Optional(_) => matches.get_one::<String>(setting.flag).cloned(),
        Takes::Many(_) => Some(matches.get_many::<String>(setting.flag)?.map(String::as_str).collect::<Vec<_>>().join("\n")),
    }
}

/// The whole command line, built from the table.
pub fn command() -> Command {
    let run = with_settings(Command::new("run").about(table::RUN_ABOUT).after_help(table::RUN_EXAMPLES), RUN);
    let upload = with_settings(Command::new("upload").about(table::UPLOAD_ABOUT).after_help(table::UPLOAD_EXAMPLES), UPLOAD)
        .arg(Arg::new("words").value_names(["DIR", "S3_URI"]).num_args(1..=2).required(true).help("The folder, and where its files go"));
    let report = with_settings(Command::new("report").about(reports::REPORT_ABOUT).after_help(reports::REPORT_EXAMPLES), REPORT)
        .arg(Arg::new("words").value_name("SOURCE").num_args(1..).required(true).help("Files, folders or s3://bucket/prefix"));
    let compare = with_settings(Command::new("compare").about(reports::COMPARE_ABOUT).after_help(reports::COMPARE_EXAMPLES), COMPARE)
        .arg(Arg::new("words").value_names(["BASE", "NEW"]).num_args(1..=2).required(true).help("Files, folders or s3://bucket/prefix"));
    let serve = with_settings(Command::new("serve").about(table::SERVE_ABOUT).after_help(table::SERVE_EXAMPLES), SERVE)
        .arg(Arg::new("supervised").long("supervised").action(ArgAction::SetTrue).hide(true));
    Command::new("parfetch")
        .version(env!("CARGO_PKG_VERSION"))
        .about(table::ABOUT)
        .after_help(table::EXAMPLES)
        .subcommand_required(true)
        .max_term_width(110)
        .subcommand(run)
        .subcommand(report)
        .subcommand(compare)
        .subcommand(upload)
        .subcommand(fill_command())
        .subcommand(serve)
        .subcommand(doctor_command())
        .subcommand(with_settings(Command::new("sweep").about(sweeps::SWEEP_ABOUT).after_help(sweeps::SWEEP_EXAMPLES), SWEEP))
        .subcommand(with_settings(Command::new("submit").about(submit::SUBMIT_ABOUT).after_help(submit::SUBMIT_EXAMPLES), SUBMIT))
        .subcommand(confined_command())
        .subcommand(Command::new("worker").hide(true).about("A child of --mode process; spoken to through its pipes"))
}

fn doctor_command() -> Command {
    with_settings(Command::new("doctor").about(doctor::DOCTOR_ABOUT).after_help(doctor::DOCTOR_EXAMPLES), DOCTOR)
        .arg(Arg::new("words").value_name("S3_URI").num_args(0..).help("The source: s3://bucket/prefix"))
}

fn fill_command() -> Command {
    with_settings(Command::new("fill").about(fill::FILL_ABOUT).after_help(fill::FILL_EXAMPLES), FILL)
        .arg(Arg::new("words").value_name("S3_URI").num_args(0..).help("The bucket to fill, and the prefix of its new keys: s3://bucket/prefix/"))
}

fn confined_command() -> Command {
    use clap::value_parser;
    Command::new("confined")
        .hide(true)
        .about("Holds itself to a size, then becomes a program; how a sweep starts its repetitions")
        .arg(Arg::new("group").long("group").action(ArgAction::Append).value_parser(value_parser!(PathBuf)))
        .arg(Arg::new("cpus").long("cpus").value_delimiter(',').value_parser(value_parser!(u32)))
        .arg(Arg::new("parent").long("parent").value_parser(value_parser!(u32)))
        .arg(Arg::new("command").num_args(1..).last(true).required(true).value_parser(value_parser!(OsString)))
}

fn with_settings(command: Command, settings: &'static [Setting]) -> Command {
    settings.iter().fold(command, |command, setting| command.arg(argument(setting)))
}

fn argument(setting: &'static Setting) -> Arg {
    let help = match setting.variables {
        [] => setting.help.to_owned(),
        variables => format!("{} [env: {}]", setting.help, variables.join(", ")),
    };
    let mut arg = Arg::new(setting.flag).long(setting.flag).help(help).help_heading(setting.heading);
    if let Some(short) = setting.short {
        arg = arg.short(short);
    }
    if let Some(alias) = setting.alias {
        arg = arg.visible_alias(alias);
    }
    match setting.takes {
        Takes::Nothing => arg.action(ArgAction::SetTrue),
        // `-1` is a wrong number, not a flag: settings says so.
        Takes::Value(name) => arg.value_name(name).allow_hyphen_values(true),
        Takes::Many(name) => arg.value_name(name).action(ArgAction::Append),
        Takes::Optional(name) => arg.value_name(name).num_args(0..=1).require_equals(true).default_missing_value(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], variables: Variables) -> Raw {
        let arguments = std::iter::once("parfetch").chain(words.iter().copied()).map(OsString::from);
        match parse(arguments, variables).unwrap() {
            Invocation::Run(raw) => raw,
            other => panic!("not a run: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn no_subcommand_or_a_bare_flag_is_a_run() {
        assert!(run(&[], Variables::default()).get("bucket").is_none());
        assert_eq!(run(&["--bucket", "b"], Variables::default()).get("bucket").unwrap().value, "b");
        assert_eq!(run(&["run", "-c", "-1"], Variables::default()).get("concurrency").unwrap().value, "-1");
    }

    #[test]
    fn a_flag_wins_and_an_empty_variable_is_unset() {
        let variables =
            || Variables::from([("CONCURRENCY", "4"), ("MODE", ""), ("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_S3", "http://b")]);
        let raw = run(&[], variables());
        assert_eq!(raw.get("concurrency"), Some(&Given { value: "4".to_owned(), name: "CONCURRENCY" }));
        assert_eq!(raw.get("mode"), None);
        assert_eq!(raw.get("endpoint-url").unwrap().value, "http://b");
        let raw = run(&["--parallelism", "8"], variables());
        assert_eq!(raw.get("concurrency"), Some(&Given { value: "8".to_owned(), name: "--concurrency" }));
    }

    #[test]
    fn embedded_takes_its_value_after_an_equals_sign_only() {
        assert_eq!(run(&["--embedded"], Variables::default()).get("embedded").unwrap().value, "");
        assert_eq!(run(&["--embedded=objects=5"], Variables::default()).get("embedded").unwrap().value, "objects=5");
    }

    #[test]
    fn what_stands_below_gives_way() {
        let mut raw = run(&["--bucket", "typed"], Variables::from([("MODE", "thread")]));
        raw.below("--stack", [("bucket", "b".to_owned()), ("mode", "async".to_owned()), ("prefix", String::new()), ("tag", "t".to_owned())]);
        assert_eq!((raw.get("bucket").unwrap().value.as_str(), raw.get("mode").unwrap().value.as_str()), ("typed", "thread"));
        assert_eq!((raw.get("prefix"), raw.get("tag")), (None, Some(&Given { value: "t".to_owned(), name: "--stack" })));
    }

    #[test]
    fn whoever_starts_a_run_elsewhere_knows_every_variable_of_it() {
        use crate::plan::variables::{OF_A_RUN, OF_THE_TASK};
        let known: Vec<_> = OF_A_RUN.into_iter().chain(OF_THE_TASK).collect();
        let of_table: Vec<_> = RUN.iter().flat_map(|setting| setting.variables).copied().collect();
        for name in &of_table {
            assert_eq!(known.iter().filter(|known| *known == name).count(), 1, "{name} belongs in one list of plan::variables");
        }
        let strangers: Vec<_> = known.into_iter().filter(|name| !of_table.contains(name)).collect();
        assert_eq!(strangers, ["PARFETCH_SHARD_COUNT"], "the one that is no setting of its own");
    }

    #[test]
    fn every_flag_stands_once_in_its_table() {
        for table in [RUN, FILL, DOCTOR, REPORT, COMPARE, UPLOAD, SERVE, SWEEP, SUBMIT] {
            let mut flags: Vec<_> = table.iter().map(|setting| setting.flag).collect();
            flags.sort_unstable();
            let count = flags.len();
            flags.dedup();
            assert_eq!(flags.len(), count);
            assert!(table.iter().all(|setting| setting.dashed.strip_prefix("--") == Some(setting.flag)));
        }
    }
}
