//! clap's errors in parfetch's own form: one line, and a hint.

use clap::error::{ContextKind, ContextValue};

use super::places::meant_url;
use super::setting::{Setting, Takes};
use super::shared::EVERYWHERE;
use super::subcommands::{SUBCOMMANDS, Subcommand};
use crate::exit::{Exit, Failure};
use crate::guess;
use crate::plan::names::{shown, without_user};

/// What to try where nothing similar is known.
const HELP: &str = "`parfetch --help` and `parfetch COMMAND --help` show what there is";
/// The same for a first word that is no subcommand.
const COMMANDS: &str =
    "`parfetch --help` lists the commands; a bucket to fetch is written s3://BUCKET";
/// Where clap says what is similar.
const SIMILAR: [ContextKind; 3] = [
    ContextKind::SuggestedArg,
    ContextKind::SuggestedSubcommand,
    ContextKind::SuggestedValue,
];

/// What to type for a rate of requests.
const NO_RATE: &str =
    "each worker waits for its answer before the next request; vegeta and wrk2 keep a rate";

/// Options of hey, oha, wrk and of other subcommands that parfetch has otherwise, and what to type instead.
const OF_OTHER_TOOLS: [(&str, &str); 19] = [
    ("-q", NO_RATE),
    (
        "-cpus",
        "all CPUs are used; `taskset -c 0,1 parfetch …` uses two",
    ),
    (
        "-k",
        "connections are kept alive, and certificates always checked; --ca-bundle FILE trusts another authority",
    ),
    ("--http2", "requests are HTTP/1.1"),
    (
        "-L",
        "redirects are never followed: request the URL that they lead to",
    ),
    ("-I", "-X HEAD sends HEAD requests"),
    ("-T", "-H 'content-type: …' sends it"),
    ("-A", "-H 'accept: …' sends it"),
    ("-a", "-H 'authorization: Basic …' sends it"),
    ("-x", "requests to URLs go through no proxy"),
    ("-R", NO_RATE),
    ("-p", "-c is the number of workers"),
    ("--latency", "the summary always shows percentiles"),
    (
        "--disable-keepalive",
        "--no-keep-alive opens a connection for each request",
    ),
    (
        "--insecure",
        "certificates are always checked; --ca-bundle FILE trusts another authority",
    ),
    (
        "--output",
        "`parfetch report FOLDER --output json` shows the results as JSON",
    ),
    ("--json", "--output json writes the summary as JSON"),
    ("--no-tui", "--progress never shows no progress"),
    (
        "--host",
        "-H 'host: …' sends it; --connect-to HOST:PORT connects elsewhere",
    ),
];

/// Names that other tools and people have for settings, and the settings: the first that the command has is meant.
const OTHER_NAMES: [(&[&str], &[&str]); 7] = [
    (
        &["program", "programs", "command", "cmd", "competitor"],
        &["contender"],
    ),
    (
        &[
            "worker",
            "workers",
            "thread",
            "threads",
            "parallel",
            "jobs",
            "connections",
            "processes",
        ],
        &["concurrency"],
    ),
    (&["endpoint", "endpoint_url"], &["endpoint-url"]),
    (&["cpu", "cpus", "cores"], &["vcpu"]),
    (&["mem", "ram", "memory-limit"], &["memory"]),
    (
        &[
            "run",
            "runs",
            "rep",
            "reps",
            "repeats",
            "repetitions",
            "iterations",
            "rounds",
        ],
        &["repeat", "max-runs"],
    ),
    (
        &[
            "results",
            "result-dir",
            "output-dir",
            "out-dir",
            "dir",
            "folder",
        ],
        &["out"],
    ),
];

/// The first paragraph of clap's text is what is wrong.
pub(super) fn refusal(error: &clap::Error, of: Option<&Subcommand>) -> Failure {
    let text = error.to_string();
    let paragraph: Vec<_> = text
        .trim_start_matches("error: ")
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    // The most similar one stands last.
    let similar = SIMILAR.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(one) => Some(one.as_str()),
        ContextValue::Strings(all) => all.last().map(String::as_str),
        _ => None,
    });
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) {
        return no_command(word, similar);
    }
    if let (Some(ContextValue::String(argument)), Some(ContextValue::String(value))) = (
        error.get(ContextKind::InvalidArg),
        error.get(ContextKind::InvalidValue),
    ) && value.is_empty()
    {
        // `--bucket <NAME>`
        let flag = argument.split(' ').next().unwrap_or(argument);
        return Failure::new(Exit::Usage, format!("{flag} has no value")).hint(format!(
            "write it like {}",
            argument.replace(['<', '>'], "")
        ));
    }
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) {
        let other_name = || Some(guess::meant(other_name(typed, of?)?.dashed));
        let hint = of_other_tools(typed).map(str::to_owned);
        if let Some(hint) = hint.or_else(other_name) {
            return Failure::new(Exit::Usage, paragraph.join(" ")).hint(hint);
        }
    }
    Failure::new(Exit::Usage, paragraph.join(" "))
        .hint(similar.map_or_else(|| HELP.to_owned(), guess::meant))
}

/// What to type instead of an option of another program.
fn of_other_tools(option: &str) -> Option<&'static str> {
    let mut known = OF_OTHER_TOOLS.iter();
    known
        .find(|(name, _)| *name == option)
        .map(|(_, hint)| *hint)
}

/// The setting of this command that is meant by another name. Results do not go into the file of a report.
fn other_name(option: &str, of: &Subcommand) -> Option<&'static Setting> {
    let name = option.strip_prefix("--")?;
    let (_, meant) = OTHER_NAMES
        .iter()
        .find(|(names, _)| names.contains(&name))?;
    meant.iter().find_map(|flag| {
        let mut settings = of.settings.iter();
        settings.find(|setting| setting.flag == *flag && setting.takes != Takes::Value("FILE"))
    })
}

/// `-cpus 2` and `-q 10` of hey, which would be letters of parfetch's own and a source.
pub(super) fn with_a_number(option: &str, value: &str) -> Option<Failure> {
    let is_meant = ["-cpus", "-q"].contains(&option) && value.parse::<f64>().is_ok();
    let hint = of_other_tools(option).filter(|_| is_meant)?;
    let message = format!("{option} {value} is an option of another program");
    Some(Failure::new(Exit::Usage, message).hint(hint))
}

/// `-vcpu 1`, which would be the letters `-v` and `-c pu`.
pub(super) fn one_dash(word: &str) -> Option<Failure> {
    let name = word.strip_prefix('-')?.split('=').next()?;
    let mut settings = SUBCOMMANDS
        .iter()
        .flat_map(|of| of.settings)
        .chain(EVERYWHERE);
    let meant = settings.find(|setting| setting.flag == name)?;
    let message = format!("-{name} has one dash, and names have two");
    Some(Failure::new(Exit::Usage, message).hint(guess::meant(meant.dashed)))
}

/// A first word that is neither a command nor a place.
fn no_command(word: &str, similar: Option<&str>) -> Failure {
    // What is one slip away is meant rather than what clap takes for similar.
    let names = || SUBCOMMANDS.iter().map(|of| of.name);
    let similar = guess::slip(word, names())
        .or(similar)
        .or_else(|| guess::guess(word, names()));
    let url = meant_url(word);
    Failure::new(
        Exit::Usage,
        format!("{} is not a command", shown(&without_user(word))),
    )
    .hint(
        url.as_deref()
            .or(similar)
            .map_or_else(|| COMMANDS.to_owned(), guess::meant),
    )
}
