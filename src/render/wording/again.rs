//! What to type where too little was measured: the same sweep again, with enough runs that last long enough.

use std::collections::BTreeSet;
use std::path::Path;

use super::tune_sure::beyond_limit;
use crate::analysis::advice::{Choice, FirstLook};
use crate::analysis::metric::Metric;
use crate::analysis::model::{CellReport, NOT_RECORDED, Study, Workload};
use crate::analysis::thresholds::{ENOUGH_S, REPETITIONS, SETTLED_S};
use crate::cell::{Cell, Program};
use crate::plan::Mode;
use crate::results::{DEFAULT_OUT, PLAN_FILE};
use crate::shell;
use crate::units;

/// How the answer becomes a recommendation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextCommand {
    /// What to do, as a sentence; with the line behind it where there is one.
    pub(crate) what: String,
    /// The line to paste; `None` where it is not known, as the bucket is too small.
    pub(crate) line: Option<String>,
}

/// After a choice that is a first look.
pub(crate) fn next_command(study: &Study, choice: &Choice) -> Option<NextCommand> {
    let program = &study.cells.get(choice.cell)?.cell.program;
    Some(again(study, program, choice.first_look?))
}

/// After a first look at this program for this reason.
fn again(study: &Study, program: &Program, why: FirstLook) -> NextCommand {
    let timed = of(study, program).find(|cell| cell.is_timed_alone());
    if let Some(tune) = &study.facts.tune {
        let what = match why {
            FirstLook::Repetitions(_) => {
                format!(
                    "More runs give a recommendation: the command of the tune {}{} continues it.",
                    tune.id,
                    beyond_limit(tune)
                )
            }
            FirstLook::Short(_) if timed.is_some() => {
                "Longer runs need more work for the program.".to_owned()
            }
            FirstLook::Short(_) | FirstLook::Unlike(_) if study.workload.http.is_some() => {
                format!("A new tune with -z {ENOUGH_S}s has longer runs.")
            }
            FirstLook::Short(_) | FirstLook::Unlike(_) => {
                "A larger bucket gives a tune longer runs.".to_owned()
            }
        };
        return NextCommand { what, line: None };
    }
    let workload = &study.workload;
    if workload.embedded.as_deref() == Some(NOT_RECORDED) {
        return NextCommand {
            what: format!(
                "For a recommendation, sweep such an embedded server (`parfetch sweep --embedded=… --repeat {REPETITIONS}`)."
            ),
            line: None,
        };
    }
    let shortest_s = shortest_s(study, program);
    // A contender fetches the whole bucket, once.
    let must_grow = shortest_s < SETTLED_S && !program.is_parfetch();
    if let Some(timed) = timed.filter(|_| must_grow) {
        let name = timed.cell.program.name();
        return NextCommand {
            what: format!("A recommendation needs longer runs: give {name} more to do."),
            line: None,
        };
    }
    let enough = workload.keys.map(|keys| grown(keys, shortest_s));
    if must_grow && workload.embedded.is_none() {
        let of = enough.map_or_else(String::new, |keys| {
            format!(" of about {} such objects", units::count(keys))
        });
        return NextCommand {
            what: format!(
                "A recommendation needs longer runs, and other programs fetch the whole bucket: sweep a bucket{of} (`parfetch fill` makes one)."
            ),
            line: None,
        };
    }
    let mut words = source(study, enough.filter(|_| must_grow));
    words.extend(["--repeat".to_owned(), repetitions(study).to_string()]);
    if matches!(why, FirstLook::Unlike(_)) {
        words.extend(["--sample".to_owned(), "auto".to_owned()]);
    } else if shortest_s < SETTLED_S && program.is_parfetch() {
        words.extend(["--duration".to_owned(), format!("{ENOUGH_S}s")]);
    } else if !must_grow {
        words.extend(continued(study));
    }
    let line = shell::line(words.iter().map(String::as_str));
    let has_factors = study.cells.iter().any(|cell| !cell.cell.factors.is_empty());
    let unknown = study.facts.plan.is_none() && (has_contenders(study) || has_factors);
    NextCommand {
        what: if unknown {
            "For a recommendation, run this with the contenders, servers and factors of that sweep:"
                .to_owned()
        } else {
            "For a recommendation, run:".to_owned()
        },
        line: Some(line),
    }
}

/// The configurations of a program.
fn of<'a>(study: &'a Study, program: &Program) -> impl Iterator<Item = &'a CellReport> {
    let cells = study.cells.iter();
    cells.filter(move |cell| cell.cell.program == *program)
}

/// The shortest median of the fetch times of a program's configurations.
fn shortest_s(study: &Study, program: &Program) -> f64 {
    let times = of(study, program).filter_map(|cell| Some(cell.figure(Metric::FetchTime)?.median));
    times.fold(f64::INFINITY, f64::min)
}

fn has_contenders(study: &Study) -> bool {
    study
        .cells
        .iter()
        .any(|cell| !cell.cell.program.is_parfetch())
}

/// Enough of the same objects: rounded up to a hundred.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of keys, far below 2^53"
)]
fn grown(keys: u64, shortest_s: f64) -> u64 {
    let wanted = keys as f64 * (ENOUGH_S / shortest_s).max(1.0);
    ((wanted / 100.0).ceil() * 100.0) as u64
}

fn repetitions(study: &Study) -> usize {
    let planned = study.facts.planned_repetitions.unwrap_or(0);
    usize::try_from(planned).unwrap_or(0).max(REPETITIONS)
}

/// The plan of the sweep. The first keys are not like the bucket: a plan that asks for them does not serve.
fn plan(study: &Study) -> Option<&String> {
    let plan = study.facts.plan.as_ref();
    plan.filter(|_| study.workload.limit.is_none())
}

/// `parfetch sweep` with what the sweep had; with so many objects of a made-up bucket.
fn source(study: &Study, objects: Option<u64>) -> Vec<String> {
    let workload = &study.workload;
    let mut words = vec!["parfetch".to_owned(), "sweep".to_owned()];
    let plan = plan(study);
    match (&workload.embedded, objects) {
        (Some(settings), Some(objects)) => words.push(embedded(&with_objects(settings, objects))),
        (Some(settings), None) if plan.is_none() => words.push(embedded(settings)),
        // In the plan too, but a variable like BUCKET_NAME wins over a plan.
        (None, _) if plan.is_none() || workload.http.is_none() => words.push(workload.source()),
        _ => {}
    }
    words.extend(place(workload, study.facts.results.as_deref()));
    match plan {
        Some(plan) => words.extend(["--plan".to_owned(), plan.clone()]),
        None => words.extend(factors(study)),
    }
    words
}

fn embedded(settings: &str) -> String {
    if settings.is_empty() {
        "--embedded".to_owned()
    } else {
        format!("--embedded={settings}")
    }
}

/// What makes the line go on with the sweep, so that only the missing repetitions are measured; nothing where its folder is not known.
fn continued(study: &Study) -> Vec<String> {
    let (Some(plan), [id]) = (plan(study), study.facts.sweeps.as_slice()) else {
        return Vec::new();
    };
    let Some(out) = plan.strip_suffix(&format!("/sweeps/{id}/{PLAN_FILE}")) else {
        return Vec::new();
    };
    let mut words = vec!["--id".to_owned(), id.clone()];
    if !Path::new(DEFAULT_OUT).ends_with(out) {
        words.extend(["-o".to_owned(), out.to_owned()]);
    }
    words
}

/// The same settings of the embedded server with another number of objects.
fn with_objects(settings: &str, objects: u64) -> String {
    let others = settings
        .split(',')
        .filter(|setting| !setting.is_empty() && !setting.starts_with("objects="));
    std::iter::once(format!("objects={objects}"))
        .chain(others.map(str::to_owned))
        .collect::<Vec<_>>()
        .join(",")
}

/// Where objects come from and results go.
fn place(workload: &Workload, results: Option<&str>) -> Vec<String> {
    let endpoint = workload
        .endpoint
        .iter()
        .flat_map(|endpoint| ["--endpoint-url", endpoint.as_str()]);
    let results = results.iter().flat_map(|results| ["-r", *results]);
    let on = workload.place.is_fargate().then_some(["--on", "ecs"]);
    endpoint
        .chain(results)
        .chain(on.into_iter().flatten())
        .map(str::to_owned)
        .collect()
}

/// The factors of the configurations.
fn factors(study: &Study) -> Vec<String> {
    let of_parfetch: Vec<&Cell> = study
        .cells
        .iter()
        .map(|report| &report.cell)
        .filter(|cell| cell.program.is_parfetch())
        .collect();
    let all: Vec<&Cell> = study.cells.iter().map(|report| &report.cell).collect();
    let numbers = |of: fn(&Cell) -> u32| -> String {
        let values: BTreeSet<u32> = all.iter().map(|cell| of(cell)).collect();
        list(values.iter().map(u32::to_string))
    };
    let vcpus: BTreeSet<u32> = all.iter().map(|cell| cell.cpu_units).collect();
    let vcpus = list(
        vcpus
            .iter()
            .map(|units| (f64::from(*units) / 1_024.0).to_string()),
    );
    let clients: BTreeSet<&str> = of_parfetch.iter().map(|cell| cell.program.name()).collect();
    let modes = Mode::ALL.into_iter();
    let modes = modes.filter(|mode| all.iter().any(|cell| cell.mode == *mode));
    let mut words = Vec::new();
    let mut add = |flag: &str, value: String| {
        if !value.is_empty() {
            words.extend([flag.to_owned(), value]);
        }
    };
    add("--client", list(clients.iter().map(ToString::to_string)));
    add("--vcpu", vcpus);
    add("-m", list(modes.map(|mode| mode.to_string())));
    add("-c", numbers(|cell| cell.concurrency));
    if all.iter().any(|cell| cell.shards > 1) {
        add("--shards", numbers(|cell| cell.shards));
    }
    words
}

fn list(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::super::tune::tests::document as tuned;
    use super::*;
    use crate::analysis::fixture::{Sweep, contender, lean};
    use crate::results::tune::StoppedBecause;

    /// What follows a first look at the program of the first configuration.
    fn again(study: &Study, why: FirstLook) -> NextCommand {
        super::again(study, &study.cells[0].cell.program, why)
    }

    fn line(study: &Study, why: FirstLook) -> String {
        again(study, why).line.unwrap()
    }

    #[test]
    fn the_line_measures_the_same_often_and_long_enough() {
        // 8 GB at 500 MB/s take 16 s, at 10,000 MB/s 0.8 s.
        let three = Sweep::new("s1")
            .cell(&lean(1_024, Mode::Async, 16), &[500.0; 3])
            .cell(&lean(2_048, Mode::Thread, 4), &[500.0; 3]);
        let mut study = three.study();
        study.workload.limit = None;
        assert_eq!(
            line(&study, FirstLook::Repetitions(3)),
            "parfetch sweep s3://images --client lean --vcpu 1,2 -m async,thread -c 4,16 --repeat 6"
        );
        study.facts.results = Some("s3://results/a".to_owned());
        study.facts.plan = Some("./out/sweeps/s1/plan.toml".to_owned());
        assert_eq!(
            line(&study, FirstLook::Repetitions(3)),
            "parfetch sweep s3://images -r s3://results/a --plan ./out/sweeps/s1/plan.toml --repeat 6 --id s1 -o ./out"
        );
        for out in ["parfetch-results", "./parfetch-results"] {
            study.facts.plan = Some(format!("{out}/sweeps/s1/plan.toml"));
            assert!(line(&study, FirstLook::Repetitions(3)).ends_with(" --repeat 6 --id s1"));
        }
        // What nobody recorded cannot be pasted.
        study.workload.embedded = Some(NOT_RECORDED.to_owned());
        assert_eq!(again(&study, FirstLook::Repetitions(3)).line, None);
        let mut short = Sweep::new("s1")
            .with(|facts| facts.embedded = Some("network=s3".to_owned()))
            .cell(&lean(1_024, Mode::Async, 16), &[10_000.0; 6])
            .study();
        short.workload.limit = None;
        assert_eq!(
            line(&short, FirstLook::Short(0.8)),
            "parfetch sweep --embedded=network=s3 --client lean --vcpu 1 -m async -c 16 --repeat 6 --duration 5s"
        );
    }

    #[test]
    fn a_tune_of_urls_needs_more_time_and_no_larger_bucket() {
        let mut study = Sweep::new("s1")
            .cell(&lean(1_024, Mode::Async, 16), &[10_000.0; 6])
            .study();
        let mut at_limit = tuned(Vec::new());
        at_limit.stopped_because = Some(StoppedBecause::MaxRuns);
        study.facts.tune = Some(Box::new(at_limit));
        assert!(
            again(&study, FirstLook::Repetitions(1))
                .what
                .ends_with("the command of the tune first with a higher limit continues it.")
        );
        study.facts.tune = Some(Box::new(tuned(Vec::new())));
        let said = |study: &Study| again(study, FirstLook::Short(0.8)).what;
        assert_eq!(said(&study), "A larger bucket gives a tune longer runs.");
        study.workload.http = Some(crate::sweep::fixture::requests());
        assert_eq!(said(&study), "A new tune with -z 5s has longer runs.");
    }

    #[test]
    fn another_program_needs_more_objects() {
        let cell = contender("python", &lean(1_024, Mode::Thread, 16));
        let sweep = |embedded: Option<&str>| {
            let embedded = embedded.map(str::to_owned);
            Sweep::new("s1")
                .with(move |facts| {
                    facts.embedded.clone_from(&embedded);
                    facts.limit = None;
                    (facts.keys, facts.bytes) = (3_200, Some(8_000_000_000));
                })
                .cell(&cell, &[10_000.0; 6])
                .study()
        };
        // 0.8 s for 3,200 objects.
        let mut embedded = sweep(Some("objects=3200,network=s3"));
        embedded.facts.plan = Some("./out/sweeps/s1/plan.toml".to_owned());
        assert_eq!(
            line(&embedded, FirstLook::Short(0.8)),
            "parfetch sweep --embedded=objects=20000,network=s3 --plan ./out/sweeps/s1/plan.toml --repeat 6"
        );
        let said = again(&sweep(None), FirstLook::Short(0.8));
        assert!(
            said.line.is_none() && said.what.contains("20,000 such objects"),
            "{said:?}"
        );
    }

    #[test]
    fn what_a_program_needs_is_not_said_of_another() {
        let app = contender("app", &lean(1_024, Mode::Thread, 16));
        let mut study = Sweep::new("s1")
            .with(|facts| facts.limit = None)
            .cell(&lean(1_024, Mode::Async, 16), &[500.0; 3])
            .cell(&app, &[10_000.0; 3])
            .study();
        study.facts.plan = Some("plan.toml".to_owned());
        let of = |place: usize, study: &Study| {
            super::again(
                study,
                &study.cells[place].cell.program,
                FirstLook::Repetitions(3),
            )
        };
        let (mine, app) = if study.cells[0].cell.program.is_parfetch() {
            (0, 1)
        } else {
            (1, 0)
        };
        // 16 s of lean are long enough, 0.8 s of the other program are not.
        assert_eq!(
            of(mine, &study).line.unwrap(),
            "parfetch sweep s3://images --plan plan.toml --repeat 6"
        );
        assert!(
            of(app, &study).what.contains("sweep a bucket"),
            "{:?}",
            of(app, &study)
        );
    }
}
