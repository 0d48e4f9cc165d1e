//! Lines that parfetch suggests can be pasted: they are taken from what it prints and given to a shell, and those that stand in its texts are parsed.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use parfetch::internals::{Unparsed, Variables, parse};

use crate::support::scripted::Scripted;
use crate::support::strict::{Invocation, SECRET, Said};
use crate::words::{files, texts};

/// Options of the embedded server that need no quotes, and keep a run waiting.
const OPTIONS: &str = "objects=60,size=1KiB,ttfb=5ms,seed=7";

/// Gives a line to a shell, in the folder in which it was suggested.
#[track_caller]
fn paste(said: &Said, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_parfetch"))
        .parent()
        .unwrap()
        .to_str()
        .unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", line])
        .current_dir(said.folder.path())
        .env_clear()
        .stdin(Stdio::null());
    shell
        .env("PATH", format!("{program}:/usr/bin:/bin"))
        .env("HOME", said.folder.path());
    shell
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", "us-east-1");
    let output = shell.output().unwrap();
    assert!(
        output.status.success(),
        "{line}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The line that begins so, without its beginning.
fn after<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.trim_start().strip_prefix(beginning))
}

#[test]
fn what_a_run_suggests_is_a_sweep_of_the_same_objects() {
    let embedded = format!("--embedded={OPTIONS}");
    let run = || Invocation::new(&[embedded.as_str(), "-c", "2", "-q", "-o", "my results"]).go();
    // On a machine that stands still now and then, a run may find that its end or its CPU was the limit.
    let found = (0..10).find_map(|_| {
        let said = run();
        let line = after(&said.exits(0).stdout, "parfetch sweep ").map(str::to_owned)?;
        Some((said, line))
    });
    let (said, line) = found.expect("one of ten runs has no limit");
    assert_eq!(line, format!("{embedded} -c 2,4,8"));
    let plan = paste(&said, &format!("parfetch sweep {line} --print-plan"));
    assert!(
        plan.contains(&format!("embedded = \"{OPTIONS}\""))
            && plan.contains("concurrency = [2, 4, 8]"),
        "{plan}"
    );
}

#[test]
fn what_a_sweep_and_its_report_suggest_shows_it_again() {
    let words = [
        "sweep",
        "--embedded=objects=6,size=1KiB",
        "--vcpu",
        "1",
        "-m",
        "async",
        "--client",
        "lean",
        "-c",
        "1,2",
        "--repeat",
        "1",
    ];
    let said = Invocation::new(&[&words[..], &["--id", "s", "-o", "my results"]].concat()).go();
    let again = after(&said.exits(0).stderr, "again, in any form: ")
        .unwrap()
        .to_owned();
    assert_eq!(again, "parfetch report 'my results/sweeps/s'");
    let report = paste(&said, &again);
    let in_full = after(&report, "parfetch report ").unwrap();
    assert!(paste(&said, &format!("parfetch report {in_full}")).len() > report.len());
    // Another plan under the same name is refused, and what continues the sweep is named.
    let refused = Invocation::new(
        &[
            &words[..],
            &["--seed", "2", "--id", "s", "-o", "my results"],
        ]
        .concat(),
    );
    copy(said.folder.path(), refused.folder());
    let refused = refused.go();
    let hint = after(
        &refused.exits(2).stderr,
        "hint: choose another --id, or continue it as it was begun: ",
    )
    .unwrap();
    let flag = hint
        .strip_suffix(" instead of the settings that differ")
        .unwrap();
    assert_eq!(flag, "--plan 'my results/sweeps/s/plan.toml'");
    paste(
        &refused,
        &format!("parfetch sweep {flag} --id s -o 'my results' -q"),
    );
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn what_fill_and_doctor_suggest_goes_to_the_same_endpoint() {
    let server = Scripted::start(0, |_| None);
    let url = server.url();
    let said = Invocation::new(&[
        "fill",
        "s3://source/it's new/",
        "-n",
        "2",
        "--size",
        "1KiB",
        "--endpoint-url",
        &url,
        "-q",
    ])
    .go();
    let next = after(&said.exits(0).stdout, "next: ").unwrap().to_owned();
    assert!(
        next.starts_with("parfetch \"s3://source/it's new/\" --endpoint-url http://127.0.0.1:"),
        "{next}"
    );
    paste(&said, &format!("{next} --dry-run"));
    let said = Invocation::new(&["doctor", "s3://source", "--endpoint-url", &url]).go();
    let line = after(&said.exits(0).stdout, "parfetch fill ")
        .unwrap()
        .to_owned();
    paste(&said, &format!("parfetch fill {line} --dry-run"));
    // What the environment has set is set there as well.
    let variables = [("AWS_ENDPOINT_URL", url.as_str())];
    let said = Invocation::new(&["doctor", "s3://source"])
        .env(&variables)
        .go();
    assert_eq!(
        after(&said.exits(0).stdout, "parfetch fill "),
        Some("s3://source/ --objects 2000 --size 256KiB")
    );
    let said = Invocation::new(&["fill", "s3://source/new/", "-n", "2", "-q"])
        .env(&variables)
        .go();
    assert_eq!(
        after(&said.exits(0).stdout, "next: "),
        Some("parfetch s3://source/new/")
    );
}

/// A command as it stands in a text: between backticks, on a line of its own, or as the beginning of a hint; without what follows it.
fn commands(text: &str) -> Vec<String> {
    // A command that goes on below.
    let text = text.replace(" \\\n      ", " ");
    let quoted = text.split('`').skip(1).step_by(2);
    let lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with("parfetch ") && !line.contains('`'));
    let cut = |line: &str| {
        let line = line.trim();
        let end = ["  ", " > ", " | ", ", or ", "; ", ": "]
            .iter()
            .filter_map(|end| line.find(end))
            .min()
            .unwrap_or(line.len());
        line[..end].to_owned()
    };
    quoted
        .chain(lines)
        .map(cut)
        .filter(|line| line.starts_with("parfetch ") && !line.contains("{}"))
        .collect()
}

#[test]
fn every_command_that_stands_in_a_text_is_one() {
    let mut found = 0;
    let mut wrong = Vec::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for line in texts(&fs::read_to_string(&path).unwrap())
            .iter()
            .flat_map(|text| commands(text))
        {
            let Some(words) = shlex::split(&line) else {
                panic!("{}: {line}", path.display())
            };
            // `parfetch COMMAND --help` names none, and the words of `$(…)` are those of another program.
            let is_none = words
                .get(1)
                .is_some_and(|word| word == "COMMAND" || !word.is_ascii());
            if is_none || line.contains("$(") {
                continue;
            }
            found += 1;
            match parse(words.into_iter().map(OsString::from), Variables::default()) {
                Ok(_) | Err(Unparsed::Asked(_) | Unparsed::Nothing) => {}
                Err(Unparsed::Wrong(failure)) => {
                    wrong.push(format!("{}: `{line}`: {}", path.display(), failure.message));
                }
            }
        }
    }
    assert!(found > 60, "the texts are where they were: {found}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
