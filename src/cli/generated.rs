//! What is generated from the command line for others: completions for shells, and pages of the manual.

use std::io;

use clap::ColorChoice;
use clap_complete::Shell;
use clap_mangen::Man;
use roff::{Roff, roman};

use super::build::{HelpForm, command};
use super::run;
use super::subcommands::SUBCOMMANDS;

#[derive(Clone, Debug)]
pub struct ManualPage {
    /// `parfetch-run`.
    pub name: String,
    /// Its source, for `man`.
    pub roff: String,
}

/// Completions for one of `SHELLS`; none for another.
pub fn completions(shell: &str) -> Option<String> {
    let shell: Shell = shell.parse().ok()?;
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut command(HelpForm::Completions, ColorChoice::Never),
        "parfetch",
        &mut script,
    );
    Some(String::from_utf8_lossy(&script).into_owned())
}

/// Every page of the manual: that of parfetch, and one a subcommand.
pub fn manual() -> Vec<ManualPage> {
    let mut root = command(HelpForm::Manual, ColorChoice::Never);
    root.build();
    let subcommands = root
        .get_subcommands()
        .filter(|subcommand| !subcommand.is_hide_set());
    let examples = |name: &str| {
        SUBCOMMANDS
            .iter()
            .find(|known| known.name == name)
            .map_or("", |known| known.examples)
    };
    let pages = subcommands.map(|subcommand| page(subcommand, examples(subcommand.get_name())));
    std::iter::once(page(&root, run::EXAMPLES))
        .chain(pages)
        .collect()
}

fn page(command: &clap::Command, examples: &str) -> ManualPage {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let mut roff = Vec::new();
    write(command, examples, &mut roff).expect("memory takes every byte");
    ManualPage {
        name,
        roff: String::from_utf8_lossy(&roff).into_owned(),
    }
}

fn write(command: &clap::Command, examples: &str, to: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone())
        .source(concat!("parfetch ", env!("CARGO_PKG_VERSION")))
        .manual("parfetch");
    man.render_title(to)?;
    // Names of variables and flags are not broken, nor filled up with blanks.
    Roff::new()
        .control("nh", [])
        .control("ad", ["l"])
        .to_writer(to)?;
    man.render_name_section(to)?;
    man.render_synopsis_section(to)?;
    man.render_description_section(to)?;
    man.render_options_section(to)?;
    if command.has_subcommands() {
        man.render_subcommands_section(to)?;
    }
    let mut end = Roff::new();
    end.control("SH", ["EXAMPLES"]);
    for line in examples.trim_start_matches("Examples:\n").lines() {
        if line.starts_with("  ") {
            // As it is typed, and in as many columns as in the help.
            end.control("in", ["0"]).control("nf", []);
        } else {
            end.control("in", ["7n"]).control("fi", []);
        }
        end.text([roman(line)]);
    }
    end.to_writer(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::SHELLS;

    #[test]
    fn nothing_that_is_generated_holds_a_terminal_escape() {
        for shell in SHELLS {
            let script = completions(shell).unwrap();
            assert!(
                !script.contains('\u{1b}') && script.contains("concurrency"),
                "{shell}"
            );
        }
        assert!(
            completions("bash").unwrap().contains("largest-first"),
            "words that a setting takes are offered"
        );
        assert!(completions("tcsh").is_none());
        let pages = manual();
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!(&names[..3], ["parfetch", "parfetch-tune", "parfetch-run"]);
        assert_eq!(
            names.len(),
            SUBCOMMANDS.len() + 1,
            "hidden ones have no page"
        );
        for ManualPage { name, roff } in &pages {
            assert!(
                !roff.contains('\u{1b}') && roff.contains(".SH EXAMPLES"),
                "{name}"
            );
        }
        assert!(
            pages[2].roff.contains("[default: 16]") && pages[2].roff.contains("CONCURRENCY"),
            "defaults and variables stand in the page"
        );
    }

    #[test]
    fn every_shell_of_the_list_is_known() {
        use clap::ValueEnum;
        let known: Vec<String> = Shell::value_variants()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(known, SHELLS);
    }
}
