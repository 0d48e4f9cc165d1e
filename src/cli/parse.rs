//! From arguments and environment to what to do.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, ColorChoice};

use super::build::{HelpForm, command};
use super::colour::colours;
use super::invocation::{Confined, Invocation};
use super::raw::{Given, Raw};
use super::setting::{Setting, Takes};
use super::shared::EVERYWHERE;
use super::subcommands::{SUBCOMMANDS, Subcommand};
use super::values::{self, TIP, Variables};
use super::words::{RESULTS, Words};
use super::{letters, places, refusal};
use crate::exit::{Exit, Failure};
use crate::plan::names::shown;
use crate::shell;

/// Why there is nothing to do.
#[derive(Debug)]
pub enum Unparsed {
    /// A help or version text that was asked for.
    Asked(clap::Error),
    /// What was typed or set is wrong.
    Wrong(Failure),
    /// Nothing was typed, and nothing is set.
    Nothing,
}

impl Unparsed {
    fn of(error: clap::Error, arguments: &[OsString]) -> Self {
        if error.use_stderr() {
            let name = first_of_its_own(arguments);
            let subcommand = SUBCOMMANDS
                .iter()
                .find(|subcommand| name.is_some_and(|name| name == subcommand.name));
            Self::Wrong(refusal::refusal(&error, subcommand))
        } else {
            Self::Asked(error)
        }
    }
}

/// Reads the arguments and the environment. No subcommand, or a bare flag or a source first, means `run`.
///
/// # Errors
/// When a text was asked for, when nothing was, and when something is wrong (exit 2).
///
/// # Panics
/// Never: clap answers without a subcommand itself.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variables: Variables,
) -> Result<Invocation, Unparsed> {
    let typed: Vec<OsString> = arguments.into_iter().collect();
    let is_alone = typed.len() <= 1;
    let arguments = with_subcommand(typed);
    if let Some(wrong) = arguments
        .iter()
        .find_map(|word| refusal::one_dash(word.to_str()?))
    {
        return Err(Unparsed::Wrong(wrong));
    }
    let of_another = |pair: &[OsString]| match pair {
        [option, value] => refusal::with_a_number(option.to_str()?, value.to_str()?),
        _ => None,
    };
    let is_url = |word: &OsString| word.to_str().is_some_and(places::is_web_address);
    // Elsewhere a number may be a folder's name.
    if arguments.iter().any(is_url)
        && let Some(wrong) = arguments.windows(2).find_map(of_another)
    {
        return Err(Unparsed::Wrong(wrong));
    }
    let colour = colours(&arguments, &variables).map_or(ColorChoice::Auto, |wanted| {
        if wanted {
            ColorChoice::Always
        } else {
            ColorChoice::Never
        }
    });
    let matches = match command(HelpForm::Long, colour).try_get_matches_from(&arguments) {
        Err(asked) if asked.kind() == ErrorKind::DisplayHelp && asks_briefly(&arguments) => {
            command(HelpForm::Short, colour).try_get_matches_from(&arguments)
        }
        parsed => parsed,
    }
    .map_err(|error| Unparsed::of(error, &arguments))?;
    let (name, matches) = matches.subcommand().expect("a subcommand is required");
    let Some(subcommand) = SUBCOMMANDS
        .iter()
        .find(|subcommand| subcommand.name == name)
    else {
        return Ok(match name {
            "confined" => Invocation::Confined(confined(matches)),
            "worker" => Invocation::Worker,
            "guard" => Invocation::Guard,
            name => unreachable!("clap knows no {name}"),
        });
    };
    if name == "serve" && matches.get_flag("supervised") {
        return Ok(Invocation::ServeSupervised);
    }
    let raw = collect(subcommand, matches, variables).map_err(Unparsed::Wrong)?;
    if is_alone && raw.is_empty() {
        return Err(Unparsed::Nothing);
    }
    Ok((subcommand.invocation)(raw))
}

/// Whether these words are of a `run` without its name: a flag, or a source.
pub fn begins_a_run(first: &str) -> bool {
    first.starts_with('-') || places::is_source(first)
}

/// Whether help was asked for by `-h`, alone or behind other letters.
fn asks_briefly(arguments: &[OsString]) -> bool {
    let is_brief =
        |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('h');
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    words.clone().any(is_brief) && !words.any(|word| word == "--help")
}

/// With `run` in front of what follows the program's name, where there is no subcommand.
fn with_subcommand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_text = |word: &str| ["-h", "--help", "-V", "--version"].contains(&word);
    // `help --help`, `help run -h`: the flag is enough.
    if arguments
        .iter()
        .any(|word| word == "-h" || word == "--help")
    {
        while arguments.get(1).is_some_and(|word| word == "help") {
            arguments.remove(1);
        }
    }
    let is_run = first_of_its_own(&arguments).is_none_or(|word| {
        word.to_str()
            .is_some_and(|word| begins_a_run(word) && !is_text(word))
    });
    if is_run {
        arguments.insert(arguments.len().min(1), "run".into());
    }
    arguments
}

/// The first word behind the settings that stand in front of every subcommand: `parfetch -q sweep …`.
fn first_of_its_own(arguments: &[OsString]) -> Option<&OsString> {
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--color") => _ = words.next(),
            Some(flag) if letters::stand_in(flag) => {}
            _ => return Some(word),
        }
    }
    None
}

fn confined(matches: &ArgMatches) -> Confined {
    Confined {
        groups: matches
            .get_many::<PathBuf>("group")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        cpus: matches
            .get_many::<u32>("cpus")
            .into_iter()
            .flatten()
            .copied()
            .collect(),
        parent: matches.get_one::<u32>("parent").copied(),
        command: matches
            .get_many::<OsString>("command")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
    }
}

/// Flags win over variables; of several variables the first that is set wins.
fn collect(
    subcommand: &'static Subcommand,
    matches: &ArgMatches,
    variables: Variables,
) -> Result<Raw, Failure> {
    let mut values = HashMap::new();
    for setting in subcommand.settings.iter().chain(EVERYWHERE) {
        let checked = |name, value: &str| match values::checked(setting, value) {
            Ok(value) => Ok(Given {
                value: value.to_owned(),
                name,
            }),
            Err(wrong) => Err(Failure::new(Exit::Usage, format!("{name} {wrong}")).hint(TIP)),
        };
        if let Some(value) = typed(setting, matches) {
            values.insert(setting.flag, checked(setting.dashed, &value)?);
            continue;
        }
        for name in setting.variables {
            if let Some(value) = variables
                .get(name)
                .map(|value| checked(name, value))
                .transpose()?
                .filter(|given| !given.value.is_empty())
            {
                values.insert(setting.flag, value);
                break;
            }
        }
    }
    let words: Vec<String> = matches
        .try_get_many("words")
        .ok()
        .flatten()
        .map(|words| words.cloned().collect())
        .unwrap_or_default();
    swapped(subcommand, &words, &values)?;
    // Results go where their flag says also where no word names them.
    places::expand(RESULTS, None, &mut values)?;
    if let Some(Words {
        urls,
        place: Some((index, place)),
        ..
    }) = subcommand.words
    {
        // Settings read URLs themselves.
        let word = words.get(index);
        let is_url = urls && word.is_some_and(|word| places::is_web_address(word));
        places::expand(place, word.filter(|_| !is_url), &mut values)?;
    }
    letters::expand(&mut values)?;
    Ok(Raw {
        command: subcommand.name,
        settings: subcommand.settings,
        values,
        words,
        variables,
    })
}

/// Words that stand where others belong, and say so by their form.
fn swapped(
    subcommand: &Subcommand,
    words: &[String],
    values: &HashMap<&'static str, Given>,
) -> Result<(), Failure> {
    let wrong = |what: String, hint: String| Err(Failure::new(Exit::Usage, what).hint(hint));
    match (subcommand.name, words) {
        ("upload", [place, dir]) if places::is_source(place) && !places::is_source(dir) => {
            let right = shell::line(["parfetch", "upload", dir.as_str(), place.as_str()]);
            wrong(
                format!("DIR is {}, which is not a folder", shown(place)),
                format!("the folder comes first: {right}"),
            )
        }
        (_, [word])
            if word.contains('=')
                && values
                    .get("embedded")
                    .is_some_and(|given| given.is_flag() && given.value.is_empty()) =>
        {
            let right = shell::word(&format!("--embedded={word}"));
            wrong(
                format!(
                    "--embedded has no value, and {} is not a place",
                    shown(word)
                ),
                format!("without a blank between them: {right}"),
            )
        }
        _ => Ok(()),
    }
}

fn typed(setting: &Setting, matches: &ArgMatches) -> Option<String> {
    match setting.takes {
        Takes::Nothing => matches.get_flag(setting.flag).then(|| "true".to_owned()),
        Takes::Times => Some(matches.get_count(setting.flag))
            .filter(|times| *times > 0)
            .map(|times| times.to_string()),
        Takes::Value(_) | Takes::Choice(..) | Takes::Choices(..) | Takes::Optional(_) => {
            matches.get_one::<String>(setting.flag).cloned()
        }
        Takes::Many(_) => Some(
            matches
                .get_many::<String>(setting.flag)?
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    }
}
