//! The command line as clap knows it, built from the tables: to be parsed, and for every text that shows it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ColorChoice, Command, ValueHint, value_parser};

use super::run;
use super::setting::{Setting, Takes};
use super::shared::EVERYWHERE;
use super::subcommands::{SUBCOMMANDS, Subcommand};
use super::words::Words;

/// What the command line is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HelpForm {
    /// To parse, and `--help`: every setting under its heading.
    Long,
    /// `-h`: the settings that matter most.
    Short,
    /// Completions: with the words that settings take.
    Completions,
    /// Manual pages: without examples, which are set as they stand.
    Manual,
}

/// The whole command line.
pub(super) fn command(form: HelpForm, colour: ColorChoice) -> Command {
    let root = Command::new("parfetch")
        .version(env!("CARGO_PKG_VERSION"))
        .about(run::ABOUT)
        .color(colour)
        .subcommand_required(true)
        .disable_help_flag(true)
        .disable_help_subcommand(form == HelpForm::Manual)
        .max_term_width(110)
        .args(
            EVERYWHERE
                .iter()
                .map(|setting| argument(setting, form).global(true)),
        )
        .arg(help(form))
        .subcommands(SUBCOMMANDS.iter().map(|of| subcommand(of, form)));
    let root = with_end(root, form, (run::EXAMPLES, run::BRIEF_EXAMPLES));
    root.subcommand(confined())
        .subcommand(
            Command::new("worker")
                .hide(true)
                .about("A child of --mode process; spoken to through its pipes"),
        )
        .subcommand(
            Command::new("guard").hide(true).about(
                "Ends the programs of a sweep that was killed; learns of them through its pipe",
            ),
        )
}

fn subcommand(of: &'static Subcommand, form: HelpForm) -> Command {
    let command = Command::new(of.name)
        .about(of.about)
        .disable_help_flag(true)
        .args(of.settings.iter().map(|setting| argument(setting, form)));
    let mut command = with_end(
        command.arg(help(form)),
        form,
        (of.examples, of.brief_examples),
    );
    if let Some(words) = of.words {
        command = command
            .override_usage(format!("parfetch {} [OPTIONS] {}", of.name, words.usage))
            .arg(word(words, form));
    }
    if of.name == "serve" {
        command.arg(
            Arg::new("supervised")
                .long("supervised")
                .action(ArgAction::SetTrue)
                .hide(true),
        )
    } else {
        command
    }
}

/// What stands below the settings.
fn with_end(
    command: Command,
    form: HelpForm,
    (long, short): (&'static str, &'static str),
) -> Command {
    match form {
        HelpForm::Long => command.after_help(long),
        HelpForm::Short => command.after_help(short),
        HelpForm::Completions | HelpForm::Manual => command,
    }
}

fn help(form: HelpForm) -> Arg {
    let arg = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help);
    if form == HelpForm::Short {
        arg.help("This help; --help explains every setting")
    } else {
        arg.help("Every setting; -h shows those that matter most")
    }
}

/// The words of a subcommand. What is missing is said by settings, after what is wrong.
fn word(words: Words, form: HelpForm) -> Arg {
    let arg = Arg::new("words").value_names(words.names).help(words.help);
    let arg = if words.most == 1 {
        arg
    } else {
        arg.num_args(1..=words.most)
    };
    match (form, words.choices) {
        (HelpForm::Completions, [_, ..]) => {
            arg.value_parser(PossibleValuesParser::new(words.choices))
        }
        (HelpForm::Completions, []) => arg.value_hint(ValueHint::AnyPath),
        _ => arg,
    }
}

fn argument(setting: &'static Setting, form: HelpForm) -> Arg {
    let arg = Arg::new(setting.flag)
        .long(setting.flag)
        .help(text(setting, form));
    let arg = if form == HelpForm::Short {
        arg.hide(setting.brief.is_none())
    } else {
        arg.help_heading(setting.heading)
    };
    let arg = if let Some(short) = setting.short {
        arg.short(short)
    } else {
        arg
    };
    let arg = if let Some(alias) = setting.alias {
        arg.alias(alias)
    } else {
        arg
    };
    let arg = match setting.takes {
        Takes::Nothing => arg.action(ArgAction::SetTrue),
        Takes::Times => arg.action(ArgAction::Count),
        // `-1` is a wrong number, not a flag: settings says so.
        Takes::Value(name) | Takes::Choice(name, _) | Takes::Choices(name, _) => {
            arg.value_name(name).allow_hyphen_values(true)
        }
        Takes::Many(name) => arg.value_name(name).action(ArgAction::Append),
        Takes::Optional(name) => arg
            .value_name(name)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(""),
    };
    if form == HelpForm::Completions {
        completed(arg, setting)
    } else {
        arg
    }
}

/// What a shell may offer as a value.
fn completed(arg: Arg, setting: &'static Setting) -> Arg {
    match setting.takes {
        Takes::Choice(_, words) => arg.value_parser(PossibleValuesParser::new(words)),
        Takes::Value(name) if name.starts_with("FILE") || name.starts_with("PATH") => {
            arg.value_hint(ValueHint::FilePath)
        }
        Takes::Value("DIR") => arg.value_hint(ValueHint::DirPath),
        _ => arg,
    }
}

/// What a setting does, its default, and what else sets it.
fn text(setting: &Setting, form: HelpForm) -> String {
    let mut parts = vec![
        if form == HelpForm::Short {
            setting.brief.unwrap_or(setting.help)
        } else {
            setting.help
        }
        .to_owned(),
    ];
    if !setting.default.is_empty() {
        parts.push(format!("[default: {}]", setting.default));
    }
    if form != HelpForm::Short {
        parts.extend(setting.alias.map(|alias| format!("[alias: --{alias}]")));
        if !setting.variables.is_empty() {
            parts.push(format!("[env: {}]", setting.variables.join(", ")));
        }
    }
    parts.join(" ")
}

fn confined() -> Command {
    Command::new("confined")
        .hide(true)
        .about("Holds itself to a size, then becomes a program; how a sweep starts its repetitions")
        .arg(
            Arg::new("group")
                .long("group")
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("cpus")
                .long("cpus")
                .value_delimiter(',')
                .value_parser(value_parser!(u32)),
        )
        .arg(
            Arg::new("parent")
                .long("parent")
                .value_parser(value_parser!(u32)),
        )
        .arg(
            Arg::new("command")
                .num_args(1..)
                .last(true)
                .required(true)
                .value_parser(value_parser!(OsString)),
        )
}
