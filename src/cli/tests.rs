use std::ffi::OsString;

use clap::ColorChoice;

use super::build::{HelpForm, command};
use super::run::{BRIEF_EXAMPLES, EXAMPLES, RUN};
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
    for form in [
        HelpForm::Long,
        HelpForm::Short,
        HelpForm::Completions,
        HelpForm::Manual,
    ] {
        command(form, ColorChoice::Never).debug_assert();
    }
}

#[test]
fn no_subcommand_or_a_bare_flag_is_a_run() {
    let alone =
        |words: &[&str], variables| parse(words.iter().map(OsString::from), variables).map(|_| ());
    for variables in [
        Variables::default(),
        Variables::from([("AWS_REGION", "us-east-1")]),
    ] {
        assert!(matches!(
            alone(&["parfetch"], variables),
            Err(Unparsed::Nothing)
        ));
    }
    assert!(alone(&["parfetch", "run"], Variables::default()).is_ok());
    assert!(alone(&["parfetch"], Variables::from([("TAG", "x")])).is_ok());
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
    for (asked, plain) in [
        (&["help", "--help"][..], &["--help"][..]),
        (&["help", "-h"], &["-h"]),
        (&["help", "sweep", "-h"], &["sweep", "-h"]),
        (&["help", "help", "--help"], &["--help"]),
    ] {
        assert_eq!(text(asked), text(plain), "{asked:?}");
    }
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
        let options = short.split("Examples:").next().unwrap();
        for setting in of.settings.iter().chain(EVERYWHERE) {
            assert_eq!(
                options.contains(&format!("{} ", setting.dashed))
                    || options.contains(&format!("{}[", setting.dashed)),
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
            let mut root = command(HelpForm::Short, ColorChoice::Never).term_width(80);
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

/// A longer one would be broken by clap at any blank.
#[test]
fn no_example_is_longer_than_80_columns() {
    let ends = SUBCOMMANDS
        .iter()
        .flat_map(|of| [of.examples, of.brief_examples])
        .chain([EXAMPLES, BRIEF_EXAMPLES]);
    for line in ends
        .flat_map(str::lines)
        .filter(|line| line.starts_with("  "))
    {
        assert!(line.chars().count() <= 80, "{line}");
    }
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
            "s3:/images/2024",
            "is `s3:/images/2024`, which is not s3://bucket/prefix",
            "did you mean `s3://images/2024`?",
        ),
        (
            "s3//images",
            "is `s3//images`, which is not s3://bucket/prefix",
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
        (
            "127.0.0.1:8000",
            "is `127.0.0.1:8000`, which is not s3://bucket/prefix",
            "did you mean `http://127.0.0.1:8000/`?",
        ),
        (
            "u:PW@h:8000",
            "is `h:8000`, which is not s3://bucket/prefix",
            form,
        ),
        (
            "localhost:8000/a?b",
            "is `localhost:8000/a?b`, which is not s3://bucket/prefix",
            "did you mean `http://localhost:8000/a?b`?",
        ),
        (
            "localhost",
            "is `localhost`, which is not s3://bucket/prefix",
            "did you mean `http://localhost/`?",
        ),
        (
            "http:/x",
            "is `http:/x`, which is not s3://bucket/prefix",
            "did you mean `http://x/`?",
        ),
        (
            "https:/h:1/x",
            "is `https:/h:1/x`, which is not s3://bucket/prefix",
            "did you mean `https://h:1/x`?",
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
    ] {
        assert_eq!(
            place(&["run", word], []),
            Err(format!("SOURCE {what}\n{hint}")),
            "{word}"
        );
    }
    for word in ["arn:aws:s3:::data", "S3://images"] {
        assert!(
            place(&[word], []).unwrap_err().starts_with("SOURCE is "),
            "{word} is a run's"
        );
    }
}

/// Only a setting that the command has is meant, and clap's own guess where there is none.
#[test]
fn names_that_other_tools_have_are_known() {
    for (command, name, meant) in [
        ("sweep", "--programs", "--contender"),
        ("tune", "--command", "--contender"),
        ("run", "--workers=8", "--concurrency"),
        ("submit", "--threads", "--concurrency"),
        ("sweep", "--parallel", "--concurrency"),
        ("fill", "--jobs", "--concurrency"),
        ("doctor", "--endpoint", "--endpoint-url"),
        ("sweep", "--cpus", "--vcpu"),
        ("submit", "--ram", "--memory"),
        ("sweep", "--runs", "--repeat"),
        ("tune", "--runs", "--max-runs"),
        ("sweep", "--reps=3", "--repeat"),
        ("run", "--results", "--out"),
        ("doctor", "--dir", "--out"),
    ] {
        let wrong = place(&[command, "s3://b", name], []).unwrap_err();
        assert!(
            wrong.ends_with(&format!("did you mean `{meant}`?")),
            "{command} {name}: {wrong}"
        );
    }
    assert!(
        place(&["--jobs", "8"], [])
            .unwrap_err()
            .ends_with("did you mean `--concurrency`?"),
        "a run without its name"
    );
    for (command, name, not) in [
        ("run", "--cpus", "--vcpu"),
        ("run", "--program", "--contender"),
        ("report", "--results", "--out"),
        ("upload", "--reps", "--repeat"),
    ] {
        let wrong = place(&[command, "s3://b", name], []).unwrap_err();
        assert!(!wrong.contains(not), "{command} {name}: {wrong}");
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
    assert_eq!(
        wrong(&["sweep", "s3://b", "-vcpu", "1"]),
        "-vcpu has one dash, and names have two\ndid you mean `--vcpu`?"
    );
    assert_eq!(
        wrong(&["sweep", "s3://b", "--output", "json"]),
        "unexpected argument '--output' found\n`parfetch report FOLDER --output json` shows the results as JSON"
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
        wrong(&["127.0.0.1:8000"]),
        "`127.0.0.1:8000` is not a command\ndid you mean `http://127.0.0.1:8000/`?"
    );
    assert_eq!(
        wrong(&["upload", "d", "localhost:8000"]),
        "S3_URI is `localhost:8000`, which is not s3://bucket/prefix\ndid you mean `s3://localhost:8000`?"
    );
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
fn whoever_starts_a_run_elsewhere_sets_every_variable_of_it_or_empties_it() {
    use crate::plan::variables::{OF_THE_TASK, RunVariables, SHARD_COUNT, SHARDS_LEFT, example};
    let all = RunVariables::of(&example());
    let names = || RUN.iter().flat_map(|setting| setting.variables).copied();
    for name in names() {
        assert!(
            all.has(name) != OF_THE_TASK.contains(&name),
            "{name} belongs into plan::variables, once"
        );
    }
    let strangers: Vec<_> = all
        .complete()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| names().all(|known| known != name))
        .collect();
    assert_eq!(
        strangers,
        [SHARDS_LEFT, SHARD_COUNT],
        "those that are no settings of their own"
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
