//! The tasks: a word, what it is for, and the commands behind it, which run in the folder of the repository.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::house;

struct Task {
    word: &'static str,
    about: &'static str,
    /// One after another; the last one takes further arguments.
    commands: &'static [&'static str],
}

const TASKS: &[Task] = &[
    Task {
        word: "check",
        about: "what a push runs: format, clippy, unit and architecture tests",
        commands: &[".ci/run --quick"],
    },
    Task {
        word: "test",
        about: "all tests; words after it choose some",
        commands: &["cargo test --locked"],
    },
    Task {
        word: "ci",
        about: "everything that must pass before a change is merged",
        commands: &[".ci/run"],
    },
    Task {
        word: "minio",
        about: "the behaviour tests against a real MinIO (--keep: only start one)",
        commands: &["infra/minio/run.sh"],
    },
    Task {
        word: "bench",
        about: "parfetch beside other programs, with figures (--short: does it work?)",
        commands: &["python3 bench/run.py"],
    },
    Task {
        word: "page",
        about: "write the sample pages of the report and open them in a browser",
        commands: &[
            "cargo test -q --locked --lib write_the_sample_pages -- --ignored",
            "tests/page/run.sh",
        ],
    },
    Task {
        word: "schema",
        about: "write schema/summary-v1.json and schema/tune-v1.json from the types",
        commands: &["cargo test -q --locked --lib regenerate_the_kept_schema -- --ignored"],
    },
    Task {
        word: "settings",
        about: "write docs/settings.md from the table of settings",
        commands: &[
            "cargo test -q --locked --test integration write_the_reference_page -- --ignored",
        ],
    },
    Task {
        word: "snapshots",
        about: "run the tests and review the snapshots that differ (cargo install cargo-insta)",
        commands: &["cargo insta test --review --test-runner cargo-test -- --locked"],
    },
    Task {
        word: "house",
        about: "measure the code ([FOLDER] [--compare FOLDER|COMMIT] [--list])",
        commands: &[],
    },
];

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let Some((word, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return Ok(ExitCode::SUCCESS);
    };
    if word == "house" {
        return house::main(rest).map(|()| ExitCode::SUCCESS);
    }
    let task = TASKS.iter().find(|task| task.word == word);
    let Some(task) = task else {
        return Err(format!("there is no task `{word}`\n\n{}", usage()).into());
    };
    let (last, first) = task.commands.split_last().ok_or("a task has a command")?;
    for command in first {
        let code = start(command, &[])?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    start(last, rest).map(ExitCode::from)
}

fn usage() -> String {
    let mut text = String::from("cargo xtask TASK [ARGUMENTS]\n\n");
    for task in TASKS {
        let _ = writeln!(text, "  {:<10} {}", task.word, task.about);
    }
    text
}

fn start(command: &str, rest: &[String]) -> Result<u8, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut words = command.split(' ');
    let program = words.next().unwrap_or_default();
    let path = if program.contains('/') {
        root.join(program)
    } else {
        program.into()
    };
    let status = Command::new(path)
        .args(words)
        .args(rest)
        .current_dir(&root)
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_of_a_task_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for command in TASKS.iter().flat_map(|task| task.commands) {
            for word in command.split(' ').filter(|word| word.contains('/')) {
                assert!(root.join(word).exists(), "{command}");
            }
        }
    }

    /// A filter that fits no test runs none, and says that all is well.
    #[test]
    fn every_test_of_a_task_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for command in TASKS.iter().flat_map(|task| task.commands) {
            for word in command.split(' ').filter(|word| word.contains('_')) {
                let found = Command::new("grep")
                    .args(["-rqE", &format!("fn {word}\\(")])
                    .args([
                        root.join("src"),
                        root.join("crates"),
                        root.join("tests/integration"),
                    ])
                    .status();
                assert!(word.contains('/') || found.unwrap().success(), "{word}");
            }
        }
    }

    #[test]
    fn a_task_that_is_none_is_answered_with_all() {
        let error = run(&["brew".to_owned()]).unwrap_err().to_string();
        assert!(
            error.contains("`brew`") && error.contains("  settings "),
            "{error}"
        );
    }
}
