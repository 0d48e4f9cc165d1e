//! The reference page of settings is generated from the table in the code; this test holds the kept page against it.

use std::fmt::Write as _;
use std::path::PathBuf;

use parfetch::internals::{EVERYWHERE, SUBCOMMANDS, Setting, Subcommand, Takes};

fn page() -> String {
    let mut page = String::from(
        "# Settings\n\nGenerated from the table in the code by `cargo test --test integration write_the_reference_page -- --ignored`. \
         A flag wins over its variable; an empty variable means unset.\n",
    );
    let everywhere = ("…, with every subcommand", EVERYWHERE);
    let subcommands = SUBCOMMANDS
        .iter()
        .map(|Subcommand { name, settings, .. }| (*name, *settings))
        .filter(|(_, settings)| !settings.is_empty());
    for (name, settings) in subcommands.chain([everywhere]) {
        write!(page, "\n## parfetch {name}\n").unwrap();
        let mut heading = "";
        for setting in settings {
            if setting.heading != heading {
                heading = setting.heading;
                write!(page, "\n### {heading}\n\n| flag | variable | default | meaning |\n|---|---|---|---|\n").unwrap();
            }
            writeln!(page, "{}", row(setting)).unwrap();
        }
    }
    page
}

fn row(setting: &Setting) -> String {
    let value = match setting.takes {
        Takes::Nothing | Takes::Times => String::new(),
        Takes::Value(name)
        | Takes::Choice(name, _)
        | Takes::Choices(name, _)
        | Takes::Many(name) => format!(" {name}"),
        Takes::Optional(name) => format!("[={name}]"),
    };
    let mut flags = format!("`--{}{value}`", setting.flag);
    if let Some(short) = setting.short {
        write!(flags, ", `-{short}`").unwrap();
    }
    if let Some(alias) = setting.alias {
        write!(flags, ", `--{alias}`").unwrap();
    }
    let variables = setting
        .variables
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "| {} | {variables} | {} | {} |",
        flags.replace('|', "\\|"),
        setting.default,
        setting.help.replace('|', "\\|")
    )
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")
}

#[test]
fn the_kept_reference_page_is_the_generated_one() {
    let kept = std::fs::read_to_string(path()).unwrap();
    assert!(
        kept == page(),
        "docs/settings.md is not what the table says; write it anew as its first lines say"
    );
}

#[test]
#[ignore = "writes docs/settings.md; run it after a change of the table"]
fn write_the_reference_page() {
    std::fs::create_dir_all(path().parent().unwrap()).unwrap();
    std::fs::write(path(), page()).unwrap();
}
