//! The command line and the environment: every flag and variable in one table, and what was typed or set for each.
//!
//! Owns names and help texts. Takes values as they were typed: what they mean is decided in `settings`. The only reader of the environment.

mod build;
mod colour;
mod doctor;
mod fill;
mod generated;
mod letters;
mod places;
mod refusal;
mod reports;
mod subcommands;
mod submit;
mod sweeps;
mod table;
mod values;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, ColorChoice};

use crate::exit::{Exit, Failure};
use crate::plan::names::shown;
use crate::shell;
use build::{Form, command};
pub use colour::{colours, last_value};
pub use doctor::DOCTOR;
pub use fill::FILL;
pub use generated::{Page, SHELLS, completions, manual};
pub use reports::{COMPARE, REPORT};
pub use subcommands::{SUBCOMMANDS, Subcommand};
pub use submit::SUBMIT;
pub use sweeps::SWEEP;
pub use table::{EVERYWHERE, Setting, Takes};
pub use values::{TIP, Variables};

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
}

/// Everything that was given for one subcommand.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// The subcommand.
    pub command: &'static str,
    settings: &'static [Setting],
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
    /// `completions SHELL`.
    Completions(Raw),
    /// `man [COMMAND]`.
    Man(Raw),
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

/// Why there is nothing to do.
#[derive(Debug)]
pub enum Unparsed {
    /// A help or version text that was asked for.
    Asked(clap::Error),
    /// What was typed or set is wrong.
    Wrong(Failure),
}

impl From<clap::Error> for Unparsed {
    fn from(error: clap::Error) -> Self {
        if error.use_stderr() {
            Self::Wrong(refusal::refusal(&error))
        } else {
            Self::Asked(error)
        }
    }
}

/// Reads the arguments and the environment. No subcommand, or a bare flag or a source first, means `run`.
///
/// # Errors
/// When a text was asked for, and when something is wrong (exit 2).
///
/// # Panics
/// Never: clap answers without a subcommand itself.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variables: Variables,
) -> Result<Invocation, Unparsed> {
    let arguments = with_subcommand(arguments.into_iter().collect());
    let colour = colours(&arguments, &variables).map_or(ColorChoice::Auto, |wanted| {
        if wanted {
            ColorChoice::Always
        } else {
            ColorChoice::Never
        }
    });
    let matches = match command(Form::Long, colour).try_get_matches_from(&arguments) {
        Err(asked) if asked.kind() == ErrorKind::DisplayHelp && asks_briefly(&arguments) => {
            command(Form::Short, colour).try_get_matches_from(&arguments)
        }
        parsed => parsed,
    }?;
    let (name, matches) = matches.subcommand().expect("a subcommand is required");
    let Some(subcommand) = SUBCOMMANDS
        .iter()
        .find(|subcommand| subcommand.name == name)
    else {
        return Ok(if name == "confined" {
            Invocation::Confined(confined(matches))
        } else {
            Invocation::Worker
        });
    };
    if name == "serve" && matches.get_flag("supervised") {
        return Ok(Invocation::ServeSupervised);
    }
    let raw = collect(subcommand, matches, variables).map_err(Unparsed::Wrong)?;
    Ok(match name {
        "upload" => Invocation::Upload(raw),
        "report" => Invocation::Report(raw),
        "compare" => Invocation::Compare(raw),
        "serve" => Invocation::Serve(raw),
        "sweep" => Invocation::Sweep(raw),
        "submit" => Invocation::Submit(raw),
        "fill" => Invocation::Fill(raw),
        "doctor" => Invocation::Doctor(raw),
        "completions" => Invocation::Completions(raw),
        "man" => Invocation::Man(raw),
        _ => Invocation::Run(raw),
    })
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
    places::expand(places::RESULTS, None, &mut values)?;
    if let Some((index, place)) = subcommand.words.and_then(|words| words.place) {
        places::expand(place, words.get(index), &mut values)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], variables: Variables) -> Raw {
        let arguments = std::iter::once("parfetch")
            .chain(words.iter().copied())
            .map(OsString::from);
        match parse(arguments, variables).unwrap() {
            Invocation::Run(raw) => raw,
            other => panic!("not a run: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        for form in [Form::Long, Form::Short, Form::Completions, Form::Manual] {
            command(form, ColorChoice::Never).debug_assert();
        }
    }

    #[test]
    fn no_subcommand_or_a_bare_flag_is_a_run() {
        assert!(run(&[], Variables::default()).get("bucket").is_none());
        assert_eq!(
            run(&["--bucket", "b"], Variables::default())
                .get("bucket")
                .unwrap()
                .value,
            "b"
        );
        assert_eq!(
            run(&["run", "-c", "-1"], Variables::default())
                .get("concurrency")
                .unwrap()
                .value,
            "-1"
        );
    }

    #[test]
    fn quiet_and_verbose_are_settings_in_one_letter() {
        let of = |words: &[&str]| {
            let raw = run(
                words,
                Variables::from([
                    ("PARFETCH_PROGRESS", "auto"),
                    ("PARFETCH_LOG_LEVEL", "error"),
                ]),
            );
            (
                raw.is_quiet(),
                ["progress", "log-level"].map(|flag| raw.get(flag).unwrap().value.clone()),
            )
        };
        let levels =
            |quiet, progress: &str, level: &str| (quiet, [progress.to_owned(), level.to_owned()]);
        assert_eq!(of(&["run"]), levels(false, "auto", "error"));
        assert_eq!(of(&["-q"]), levels(true, "never", "error"));
        assert_eq!(of(&["-v", "run"]), levels(false, "auto", "info"));
        assert_eq!(of(&["-qvv", "run"]), levels(true, "never", "debug"));
        assert_eq!(
            of(&["--color", "never", "run", "-v", "--verbose", "-vvv"]),
            levels(false, "auto", "trace")
        );
        assert_eq!(
            of(&["-q", "--progress", "never"]),
            levels(true, "never", "error")
        );
        let wrong = |words: &[&str]| place(words, []).unwrap_err();
        assert_eq!(
            wrong(&["-q", "--progress", "auto"]),
            "--quiet is --progress never, and --progress is `auto`\nleave one of them out"
        );
        assert_eq!(
            wrong(&["-v", "--log-level=error"]),
            "--verbose is --log-level info, and --log-level is `error`\nleave one of them out"
        );
        assert_eq!(
            wrong(&["--color", "allways", "sweep"]),
            "--color is `allways`, which is not one of auto, always, never\ndid you mean `always`?"
        );
    }

    #[test]
    fn help_is_short_or_long() {
        let text = |words: &[&str]| {
            let arguments = std::iter::once("parfetch")
                .chain(words.iter().copied())
                .map(OsString::from);
            match parse(arguments, Variables::from([("NO_COLOR", "1")])) {
                Err(Unparsed::Asked(text)) => text.to_string(),
                other => panic!("{other:?}"),
            }
        };
        for of in SUBCOMMANDS {
            let (short, long) = (text(&[of.name, "-h"]), text(&[of.name, "--help"]));
            assert!(short.lines().count() <= 25, "{short}");
            assert!(
                short.starts_with(of.about)
                    && short.contains("[default: ")
                        == of
                            .settings
                            .iter()
                            .any(|one| one.brief.is_some() && !one.default.is_empty())
            );
            for setting in of.settings.iter().chain(EVERYWHERE) {
                assert_eq!(
                    short.contains(&format!("{} ", setting.dashed))
                        || short.contains(&format!("{}[", setting.dashed)),
                    setting.brief.is_some(),
                    "{short}"
                );
                assert!(
                    long.contains(setting.dashed) && long.contains(setting.heading),
                    "{}",
                    setting.dashed
                );
            }
            assert!(
                of.settings
                    .iter()
                    .filter(|setting| setting.brief.is_some())
                    .count()
                    <= 10
            );
            assert_eq!(text(&[of.name, "-qh"]), short);
            assert_eq!(text(&["help", of.name]), long);
        }
        assert!(text(&["-h"]).lines().count() <= 30 && text(&["--help"]).contains("Exit codes: "));
        assert_eq!(
            text(&["-c", "3", "-h"]),
            text(&["run", "-h"]),
            "a flag without a subcommand is of a run"
        );
    }

    /// How it looks at 80 columns; the width is clap's where there is no terminal (100), so it is set here.
    #[test]
    fn short_help_at_80_columns() {
        let all = std::iter::once("")
            .chain(SUBCOMMANDS.iter().map(|of| of.name))
            .map(|name| {
                let mut root = command(Form::Short, ColorChoice::Never).term_width(80);
                root.build();
                let of = if name.is_empty() {
                    &mut root
                } else {
                    root.find_subcommand_mut(name).unwrap()
                };
                format!(
                    "$ parfetch{} -h\n{}",
                    format!(" {name}").trim_end(),
                    of.render_help()
                )
            });
        insta::assert_snapshot!(all.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_flag_wins_and_an_empty_variable_is_unset() {
        let variables = || {
            Variables::from([
                ("CONCURRENCY", "4"),
                ("MODE", ""),
                ("AWS_ENDPOINT_URL", "http://a"),
                ("AWS_ENDPOINT_URL_S3", "http://b"),
            ])
        };
        let raw = run(&[], variables());
        assert_eq!(
            raw.get("concurrency"),
            Some(&Given {
                value: "4".to_owned(),
                name: "CONCURRENCY"
            })
        );
        assert_eq!(raw.get("mode"), None);
        assert_eq!(raw.get("endpoint-url").unwrap().value, "http://b");
        let raw = run(&["--parallelism", "8"], variables());
        assert_eq!(
            raw.get("concurrency"),
            Some(&Given {
                value: "8".to_owned(),
                name: "--concurrency"
            })
        );
    }

    fn place<const N: usize>(
        words: &[&str],
        variables: [(&str, &str); N],
    ) -> Result<[Option<String>; 4], String> {
        let arguments = std::iter::once("parfetch")
            .chain(words.iter().copied())
            .map(OsString::from);
        match parse(arguments, Variables::from(variables)) {
            Ok(
                Invocation::Run(raw)
                | Invocation::Sweep(raw)
                | Invocation::Submit(raw)
                | Invocation::Upload(raw),
            ) => Ok(["bucket", "prefix", "result-bucket", "result-prefix"]
                .map(|flag| raw.get(flag).map(|given| given.value.clone()))),
            Err(Unparsed::Wrong(failure)) => Err(format!(
                "{}\n{}",
                failure.message,
                failure.hint.unwrap_or_default()
            )),
            other => panic!("{other:?}"),
        }
    }

    /// `-` stands for none.
    fn some(values: [&str; 4]) -> [Option<String>; 4] {
        values.map(|value| (value != "-").then(|| value.to_owned()))
    }

    #[test]
    fn a_source_is_a_word_everywhere() {
        for words in [
            &["s3://b/p"][..],
            &["run", "s3://b/p"],
            &["sweep", "s3://b/p"],
            &["submit", "s3://b/p"],
            &["-b", "s3://b/p"],
        ] {
            assert_eq!(
                place(words, []),
                Ok(some(["b", "p", "-", "-"])),
                "{words:?}"
            );
        }
        for (words, found) in [
            (&["s3://b"][..], ["b", "", "-", "-"]),
            (&["s3://b/"], ["b", "", "-", "-"]),
            (&["s3://b/a//c/"], ["b", "a//c/", "-", "-"]),
            (&["s3://b", "--prefix", "p"], ["b", "p", "-", "-"]),
            (
                &["-b", "b", "--prefix", "p", "s3://b/p"],
                ["b", "p", "-", "-"],
            ),
            (&["s3://b/p", "-r", "s3://r"], ["b", "p", "r", ""]),
            (
                &["s3://b/p", "-r", "s3://r/laptop"],
                ["b", "p", "r", "laptop/"],
            ),
            (
                &["s3://b/p", "-r", "s3://r/laptop/"],
                ["b", "p", "r", "laptop/"],
            ),
            (
                &["s3://b", "-r", "s3://r", "--result-prefix", "x"],
                ["b", "", "r", "x"],
            ),
            (
                &["s3://b", "-r", "r", "--result-prefix", "x"],
                ["b", "", "r", "x"],
            ),
            (
                &["upload", "dir", "s3://r/laptop"],
                ["-", "-", "r", "laptop/"],
            ),
            (
                &["upload", "dir", "-r", "s3://r/laptop"],
                ["-", "-", "r", "laptop/"],
            ),
        ] {
            assert_eq!(place(words, []), Ok(some(found)), "{words:?}");
        }
    }

    #[test]
    fn a_word_wins_over_variables() {
        let variables = [
            ("BUCKET_NAME", "other"),
            ("PARFETCH_PREFIX", "x/"),
            ("RESULT_BUCKET_NAME", "there"),
            ("PARFETCH_RESULT_PREFIX", "y/"),
            ("PARFETCH_EMBEDDED", "objects=5"),
        ];
        assert_eq!(
            place(&["s3://b"], variables),
            Ok(some(["b", "", "there", "y/"])),
            "the whole bucket is meant"
        );
        assert_eq!(
            place(&["s3://b/p", "-r", "s3://r"], variables),
            Ok(some(["b", "p", "r", ""]))
        );
        assert_eq!(
            place(&["upload", "dir", "s3://r"], variables),
            Ok(some(["-", "-", "r", ""]))
        );
        assert_eq!(
            place(&["-b", "b"], variables),
            Ok(some(["b", "x/", "there", "y/"]))
        );
        let raw = run(
            &["s3://b"],
            Variables::from([("PARFETCH_EMBEDDED", "objects=5")]),
        );
        assert!(raw.get("embedded").is_none(), "a person named a bucket");
    }

    #[test]
    fn a_word_does_not_contradict_a_flag() {
        let wrong = |words: &[&str]| place(words, []).unwrap_err();
        assert_eq!(
            wrong(&["s3://b", "-b", "c"]),
            "SOURCE is `s3://b`, and --bucket names another place\nleave --bucket out"
        );
        assert_eq!(
            wrong(&["sweep", "s3://b/p", "--prefix", "q"]),
            "SOURCE is `s3://b/p`, and --prefix names another place\nleave --prefix out"
        );
        assert_eq!(
            wrong(&["s3://b/p", "-b", "s3://b/q"]),
            "SOURCE is `s3://b/p`, and --bucket names another place\nleave --bucket out"
        );
        let twice = "--result-bucket is `s3://r/x`, and --result-prefix names another place\nleave --result-prefix out";
        assert_eq!(
            wrong(&["s3://b", "-r", "s3://r/x", "--result-prefix", "y"]),
            twice
        );
        assert_eq!(
            wrong(&["upload", "d", "s3://r", "-r", "q"]),
            "S3_URI is `s3://r`, and --result-bucket names another place\nleave --result-bucket out"
        );
    }

    #[test]
    fn a_word_that_is_no_place_is_refused() {
        let form = "write it like s3://images or s3://images/2024/";
        for (word, what, hint) in [
            (
                "images",
                "is `images`, which is not s3://bucket/prefix",
                "did you mean `s3://images`?",
            ),
            (
                "images/2024",
                "is `images/2024`, which is not s3://bucket/prefix",
                "did you mean `s3://images/2024`?",
            ),
            (
                "S3://images",
                "is `S3://images`, which is not s3://bucket/prefix",
                "did you mean `s3://images`?",
            ),
            (
                "./images",
                "is `./images`, which is not s3://bucket/prefix",
                form,
            ),
            (
                "/tmp/x",
                "is `/tmp/x`, which is not s3://bucket/prefix",
                form,
            ),
            ("", "is ``, which is not s3://bucket/prefix", form),
            ("s3://", "is `s3://`, which names no bucket", form),
            ("s3:///p", "is `s3:///p`, which names no bucket", form),
            (
                "s3://a b",
                "is `a b`, which is not a bucket's name",
                "a bucket's name has letters, digits and - _ . without quotes",
            ),
            (
                "s3://b/p\n",
                "begins or ends with a line end or control character",
                TIP,
            ),
            (
                "arn:aws:s3:::data",
                "is `arn:aws:s3:::data`, and ARNs are not taken",
                "use the bucket's name: data",
            ),
            (
                "https://me:SECRET@h/x",
                "is a web address, and only buckets are read",
                "write s3://bucket/prefix; --endpoint-url names another S3 endpoint",
            ),
        ] {
            assert_eq!(
                place(&["run", word], []),
                Err(format!("SOURCE {what}\n{hint}")),
                "{word}"
            );
        }
        for word in ["arn:aws:s3:::data", "http://h/x", "S3://images"] {
            assert!(
                place(&[word], []).unwrap_err().starts_with("SOURCE is "),
                "{word} is a run's"
            );
        }
    }

    #[test]
    fn what_is_unknown_has_a_guess() {
        let wrong = |words: &[&str]| place(words, []).unwrap_err();
        assert_eq!(
            wrong(&["swep", "s3://b"]),
            "`swep` is not a command\ndid you mean `sweep`?"
        );
        assert_eq!(
            wrong(&["run", "--concurency", "3"]),
            "unexpected argument '--concurency' found\ndid you mean `--concurrency`?"
        );
        for word in ["rnu", "urn", "-q rnu"] {
            assert!(
                wrong(&word.split(' ').collect::<Vec<_>>())
                    .ends_with("is not a command\ndid you mean `run`?"),
                "{word}"
            );
        }
        let stands_first = "SOURCE is `rnu`, which is not s3://bucket/prefix\ndid you mean `run`? A command stands first, and a bucket is written s3://rnu";
        for words in [
            &["--embedded", "rnu"][..],
            &["-c", "4", "rnu"],
            &["run", "rnu"],
        ] {
            assert_eq!(wrong(words), stands_first, "{words:?}");
        }
        assert_eq!(
            wrong(&["images"]),
            "`images` is not a command\n`parfetch --help` lists the commands; a bucket to fetch is written s3://BUCKET"
        );
    }

    #[test]
    fn words_that_changed_places_are_said_to_have() {
        let wrong = |words: &[&str]| place(words, []).unwrap_err();
        assert_eq!(
            wrong(&["upload", "s3://r/x", "my dir"]),
            "DIR is `s3://r/x`, which is not a folder\nthe folder comes first: parfetch upload 'my dir' s3://r/x"
        );
        assert_eq!(
            wrong(&["run", "--embedded", "objects=5"]),
            "--embedded has no value, and `objects=5` is not a place\nwithout a blank between them: --embedded=objects=5"
        );
        assert_eq!(
            wrong(&["-b"]),
            "--bucket has no value\nwrite it like --bucket NAME"
        );
    }

    #[test]
    fn embedded_takes_its_value_after_an_equals_sign_only() {
        assert_eq!(
            run(&["--embedded"], Variables::default())
                .get("embedded")
                .unwrap()
                .value,
            ""
        );
        assert_eq!(
            run(&["--embedded=objects=5"], Variables::default())
                .get("embedded")
                .unwrap()
                .value,
            "objects=5"
        );
    }

    #[test]
    fn what_stands_below_gives_way() {
        let mut raw = run(
            &["--bucket", "typed"],
            Variables::from([("MODE", "thread")]),
        );
        raw.below(
            "--stack",
            [
                ("bucket", "b".to_owned()),
                ("mode", "async".to_owned()),
                ("prefix", String::new()),
                ("tag", "t".to_owned()),
            ],
        );
        assert_eq!(
            (
                raw.get("bucket").unwrap().value.as_str(),
                raw.get("mode").unwrap().value.as_str()
            ),
            ("typed", "thread")
        );
        assert_eq!(
            (raw.get("prefix"), raw.get("tag")),
            (
                None,
                Some(&Given {
                    value: "t".to_owned(),
                    name: "--stack"
                })
            )
        );
    }

    #[test]
    fn whoever_starts_a_run_elsewhere_knows_every_variable_of_it() {
        use super::table::RUN;
        use crate::plan::variables::{OF_A_RUN, OF_THE_TASK};
        let known: Vec<_> = OF_A_RUN.into_iter().chain(OF_THE_TASK).collect();
        let of_table: Vec<_> = RUN
            .iter()
            .flat_map(|setting| setting.variables)
            .copied()
            .collect();
        for name in &of_table {
            assert_eq!(
                known.iter().filter(|known| *known == name).count(),
                1,
                "{name} belongs in one list of plan::variables"
            );
        }
        let strangers: Vec<_> = known
            .into_iter()
            .filter(|name| !of_table.contains(name))
            .collect();
        assert_eq!(
            strangers,
            ["PARFETCH_SHARD_COUNT"],
            "the one that is no setting of its own"
        );
    }

    #[test]
    fn every_flag_stands_once_in_its_table() {
        for table in SUBCOMMANDS.iter().map(|subcommand| subcommand.settings) {
            let mut flags: Vec<_> = table.iter().map(|setting| setting.flag).collect();
            flags.sort_unstable();
            let count = flags.len();
            flags.dedup();
            assert_eq!(flags.len(), count);
            assert!(
                table
                    .iter()
                    .all(|setting| setting.dashed.strip_prefix("--") == Some(setting.flag))
            );
        }
    }
}
