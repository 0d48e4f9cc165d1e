//! A defect of parfetch, made on purpose: one line, exit code 1, and a results place that does not say «running» for ever.

use crate::support::scripted::Scripted;
use crate::support::strict::Invocation;

const STEM: &str = "result_run_async_1";

fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_panic_stores_that_the_run_failed() {
    for point in ["listed", "fetch", "credentials", "rows", "csv"] {
        for (bucket, out) in [(true, true), (true, false), (false, true)] {
            let server = Scripted::start(3, |_| None);
            let mut run =
                Invocation::run(&server).env(&[("PARFETCH_TEST_FAULT", &format!("{point}=panic"))]);
            if !bucket {
                run = run.unset(&["RESULT_BUCKET_NAME"]);
            }
            if out {
                run = run.args(&["-o", "out"]);
            }
            let said = run.go();
            said.exits(1);
            let [line] = said.lines("error: ")[..] else {
                panic!("{point}: {}", said.stderr)
            };
            let place = line
                .strip_prefix(&format!("internal error: asked for by a test at {point} ("))
                .unwrap_or_else(|| panic!("{line}"));
            assert!(
                ["src/", "crates/core/src/"]
                    .iter()
                    .any(|folder| place.starts_with(folder)),
                "{line}"
            );
            let hint = "this is a defect of parfetch: please report this line, the command and the version";
            assert_eq!(
                said.lines("hint: ").last(),
                Some(&hint),
                "{point}: {}",
                said.stderr
            );
            let here = out.then(|| said.read(format!("out/{STEM}.json")));
            let there = bucket.then(|| {
                String::from_utf8(server.stored(&format!("results/{STEM}.json")).unwrap()).unwrap()
            });
            for summary in here.into_iter().chain(there) {
                let summary = parsed(&summary);
                assert_eq!(summary["state"], "failed", "{point}");
                assert!(
                    summary["warnings"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|warning| warning == line),
                    "{point}: {}",
                    summary["warnings"]
                );
            }
        }
    }
}

#[test]
fn a_panic_is_an_object_where_lines_are() {
    let server = Scripted::start(3, |_| None);
    let run = Invocation::run(&server)
        .env(&[("PARFETCH_TEST_FAULT", "listed=panic")])
        .args(&["--log-format", "json"]);
    let said = run.go();
    said.exits(1);
    let lines: Vec<_> = said
        .stderr
        .lines()
        .map(parsed)
        .filter(|line| line["level"] == "error" || line["level"] == "ERROR")
        .collect();
    assert!(
        lines.iter().any(|line| line["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("internal error: asked for"))),
        "{}",
        said.stderr
    );
}
