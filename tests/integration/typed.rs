//! What people type besides settings: how much is said and in which colours, completions and the manual.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::scripted::{Reply, Scripted};
use crate::support::strict::Invocation;

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_are_as_wanted_also_in_a_pipe_and_before_the_arguments_are_understood() {
    let is_coloured = |words: &[&str], variables: &[(&str, &str)]| {
        let said = Invocation::new(words).env(variables).go();
        said.exits(2);
        said.stderr.contains(ESCAPE)
    };
    let force = ("CLICOLOR_FORCE", "1");
    for words in [
        &["--bogus"][..],
        &["run"],
        &["sweep", "-c", "0"],
        &["report", "nowhere"],
        &["swep"],
    ] {
        let with = |flag: &'static str| [words, &[flag][..]].concat();
        assert!(!is_coloured(words, &[]), "{words:?}");
        assert!(is_coloured(words, &[force]), "{words:?}");
        assert!(
            !is_coloured(words, &[force, ("NO_COLOR", "1")]),
            "{words:?}"
        );
        assert!(
            is_coloured(
                &with("--color=always"),
                &[("NO_COLOR", "1"), ("TERM", "dumb")]
            ),
            "{words:?}"
        );
        assert!(!is_coloured(&with("--color=never"), &[force]), "{words:?}");
    }
    for words in [&["--help"][..], &["run", "-h"], &["help", "sweep"]] {
        let help = |flag: &'static str| Invocation::new(&[words, &[flag][..]].concat()).go().stdout;
        let help = |flag| {
            if words[0] == "help" {
                Invocation::new(&[&[flag][..], words].concat()).go().stdout
            } else {
                help(flag)
            }
        };
        assert!(
            help("--color=always").contains(ESCAPE) && !help("--color=auto").contains(ESCAPE),
            "{words:?}"
        );
    }
}

#[test]
fn a_report_has_colours_where_they_are_wanted_and_a_file_has_none() {
    let said = Invocation::new(&["--embedded=objects=3,size=1", "-q"]).go();
    said.exits(0);
    assert_eq!(said.stderr, "", "-q leaves the summary alone");
    let folder = said
        .folder
        .path()
        .join("parfetch-results")
        .display()
        .to_string();
    let report =
        |words: &[&str]| Invocation::new(&[&["report", folder.as_str()][..], words].concat()).go();
    assert!(
        report(&["--color", "always"])
            .exits(0)
            .stdout
            .contains(ESCAPE)
    );
    assert!(!report(&[]).exits(0).stdout.contains(ESCAPE));
    let written = report(&["--color", "always", "--out", "report.txt"]);
    assert!(!written.exits(0).read("report.txt").contains(ESCAPE));
}

/// A person gets a first help; a task that lacks its settings has not succeeded.
#[test]
fn nothing_typed_and_nothing_set_says_what_parfetch_is() {
    let said = Invocation::new(&[]).go();
    said.exits(2);
    assert!(
        said.stdout
            .starts_with("Measures how fast your S3 bucket can be read")
            && said.stdout.contains("  parfetch run --embedded  ")
            && said.stderr.is_empty(),
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80));
    let said = Invocation::new(&[])
        .env(&[("RESULT_BUCKET_NAME", "results")])
        .go();
    assert!(
        said.exits(2)
            .stderr
            .starts_with("error: no source bucket is given"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_typed_source_alone_leaves_its_results_here() {
    let server = Scripted::start(2, |_| None);
    let variables = [("AWS_ENDPOINT_URL", server.url())];
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let said = Invocation::new(&["run", "s3://source"])
        .env(&variables)
        .go();
    said.exits(0);
    assert!(
        said.files()
            .contains(&"parfetch-results/result_run_async_16.csv".to_owned()),
        "{:?}",
        said.files()
    );
    let said = Invocation::new(&["run"])
        .env(&variables)
        .env(&[("BUCKET_NAME", "source")])
        .go();
    assert!(
        said.exits(2)
            .stderr
            .starts_with("error: no place for the results is given"),
        "a container would lose them: {}",
        said.stderr
    );
    let task = [("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1:1/v4")];
    let said = Invocation::new(&["run", "s3://source"])
        .env(&variables)
        .env(&task)
        .go();
    assert!(
        said.exits(2)
            .stderr
            .starts_with("error: no place for the results is given"),
        "and so would a task: {}",
        said.stderr
    );
}

#[test]
fn verbose_says_what_is_done() {
    let listed = |words: &[&str]| {
        let said = Invocation::new(&[&["--embedded=objects=3,size=1"][..], words].concat()).go();
        said.exits(0);
        said.stderr.contains("INFO")
    };
    assert!(listed(&["-v"]) && listed(&["-q", "-v"]) && !listed(&[]));
}

#[test]
fn completions_complete() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("parfetch.bash");
    fs::write(
        &script,
        &Invocation::new(&["completions", "bash"])
            .env(&[("CLICOLOR_FORCE", "1")])
            .go()
            .exits(0)
            .stdout,
    )
    .unwrap();
    let completed = |words: &str, count: usize| {
        let line = format!(
            ". {}; COMP_WORDS=({words}); COMP_CWORD={count}; _parfetch parfetch \"${{COMP_WORDS[{count}]}}\" \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[@]}}\"",
            script.display(),
            count - 1
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &line])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(
        completed("parfetch run --mode ''", 3),
        "async thread process"
    );
    assert_eq!(completed("parfetch sw", 1), "sweep");
    assert_eq!(completed("parfetch completions z", 2), "zsh");
    let refused = |words: &[&str], error: &str, hint: &str| {
        Invocation::new(words).go().fails(2, error, hint);
    };
    refused(
        &["completions", "fsh"],
        "SHELL is `fsh`, which is not one of bash, elvish, fish, powershell, zsh",
        "did you mean `fish`?",
    );
    refused(
        &["completions"],
        "no shell is named",
        "parfetch completions SHELL: bash, elvish, fish, powershell, zsh",
    );
}

#[test]
fn the_manual_is_a_page_or_a_folder_of_pages() {
    let page = Invocation::new(&["man", "run"])
        .env(&[("CLICOLOR_FORCE", "1")])
        .go();
    page.exits(0);
    assert!(
        page.stdout.contains(".TH parfetch-run 1")
            && page.stdout.contains(".SH EXAMPLES")
            && !page.stdout.contains(ESCAPE),
        "{}",
        page.stdout
    );
    assert!(
        Invocation::new(&["man"])
            .go()
            .exits(0)
            .stdout
            .contains(".TH parfetch 1")
    );
    let said = Invocation::new(&["man", "--out", "share/man1"]).go();
    said.exits(0);
    assert_eq!(said.stdout.lines().count(), said.files().len());
    assert_eq!(said.read("share/man1/parfetch-run.1"), page.stdout);
    Invocation::new(&["man", "swep"]).go().fails(
        2,
        "COMMAND is `swep`, which has no page",
        "did you mean `sweep`?",
    );
}

#[test]
fn what_is_wrong_is_said_before_the_stack_is_asked() {
    let cloud = Scripted::start(0, |_| Some(Reply::error(400, "ValidationError")));
    for words in [
        &["sweep", "--on", "ecs", "--stack", "none", "-c", "abc"][..],
        &["submit", "--stack", "none", "-c", "abc"],
    ] {
        let said = Invocation::new(words)
            .env(&[("AWS_ENDPOINT_URL_CLOUDFORMATION", &cloud.url())])
            .go();
        said.exits(2);
        assert!(
            said.stderr.starts_with("error: --concurrency"),
            "{}",
            said.stderr
        );
    }
    assert!(cloud.requests().is_empty(), "nothing was asked");
}

/// util-linux's `script` gives a terminal.
#[cfg(target_os = "linux")]
#[test]
fn one_terminal_shows_once_what_a_summary_says_too() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!(
        "{} run --embedded=objects=20,fault-missing=1 -o {}",
        env!("CARGO_BIN_EXE_parfetch"),
        folder.path().display()
    );
    let said = |shell: String| {
        let ran = Command::new("script")
            .args(["-qec", &shell, "/dev/null"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let both = said(line.clone());
    assert!(both.contains("Nothing was fetched: 20 missing."), "{both}");
    let warns = "the figures of this run do not count";
    assert!(!both.contains(warns), "{both}");
    // The summary goes elsewhere.
    let alone = said(format!("{line} > /dev/null"));
    assert!(alone.contains(warns), "{alone}");
}
