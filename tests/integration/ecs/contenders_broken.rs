//! Every row of the tables of failures in infra/README.md, for a contender's task: it is known by its CSV or its container's time alone, has no summary,
//! and does not end by itself when its time is over.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use super::contenders::{plan, shell, study};
use super::{Ended, Scene};
use crate::support::aws::{Fault, Form, On, Setup, Status};
use crate::support::source::{Source, Store};

/// A contender that is timed, with one worker and with four.
const TIMED: &str = "[contender.environment]\nWORKERS = \"{concurrency}\"\n[contender.result]\ntime = \"program\"\n";
const FIRST: &str = "study-1vcpu-2048mib-process-x1";
const SECOND: &str = "study-1vcpu-2048mib-process-x4";
/// A healthy task needs seconds to start and end where other programs have the CPUs.
const HEALTHY: &str = "12s";

fn second() -> On {
    On::tags(&[("parfetch:cell", SECOND), ("parfetch:repetition", "1")])
}

/// A sweep of the timed contender whose image is this script, on an account that is changed so.
fn timed(script: &str, change: impl FnOnce(Setup) -> Setup) -> (Scene, String) {
    let scene = Scene::new(|setup| change(setup.family(shell(script))));
    let file = plan(&scene, TIMED);
    (scene, file)
}

fn ends(scene: &Scene, plan: &str, more: &[&str], code: i32) -> Ended {
    scene.sweep(&[&["--plan", plan][..], more].concat(), code)
}

fn reason(scene: &Scene, attempt: &str) -> Option<String> {
    scene.failures()[attempt].clone()
}

#[test]
fn starts_that_are_refused_for_a_while_are_waited_out() {
    for fault in [
        Fault::Capacity,
        Fault::Throttled,
        Fault::ServerError,
        Fault::Quota(Form::Exception),
        Fault::TaskQuota(Form::Failure),
    ] {
        let (scene, plan) = timed("sleep 0.1", |setup| setup.fault_times(second(), fault, 2));
        ends(&scene, &plan, &[], 0);
        let started = scene.aws.tasks().len();
        assert_eq!((scene.aws.calls("RunTask").len(), started), (5, 3));
        assert!(scene.failures().values().all(Option::is_none));
        scene.finish();
    }
}

#[test]
fn a_size_that_the_account_may_never_have_fails_and_the_others_continue() {
    let large = "study-2vcpu-4096mib-process-x1";
    let fault = Fault::AboveLimit(Form::Exception);
    let (scene, plan) = timed("sleep 0.1", |setup| setup.fault(On::cell(large), fault));
    ends(&scene, &plan, &["--vcpu", "1,2", "-c", "1"], 3);
    let why = reason(&scene, &format!("{large}/r01-a1")).unwrap();
    assert!(why.contains("above your limit"), "{why}");
    assert_eq!(reason(&scene, &format!("{FIRST}/r01-a1")), None);
    scene.finish();
}

#[test]
fn a_size_above_the_quota_is_refused_before_the_start() {
    let (scene, plan) = timed("sleep 0.1", |setup| Setup {
        quota: [Some(6.0), Some(6.0)],
        ..setup
    });
    let ended = scene.start(&["--plan", &plan, "--vcpu", "1,16"]).end();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    assert!(scene.aws.tasks().is_empty());
    scene.finish();
}

#[test]
fn what_concerns_every_task_ends_the_sweep() {
    for (fault, words) in [
        (Fault::MissingDefinition, "TaskDefinition not found"),
        (Fault::AccessDenied, "is not authorized"),
        (Fault::NoProvider, "hint: add FARGATE_SPOT to the cluster"),
        (Fault::Blocked, "hint: AWS blocked this account"),
    ] {
        let (scene, plan) = timed("sleep 0.1", |setup| setup.fault(second(), fault));
        let ended = ends(&scene, &plan, &[], 4);
        assert!(
            ended.stderr.contains(words) && ended.stderr.contains("hint: "),
            "{}",
            ended.stderr
        );
        scene.finish();
    }
    let (scene, plan) = timed("sleep 0.1", |setup| setup);
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("\"study\"\n[", "\"other\"\n[")).unwrap();
    let ended = ends(&scene, &plan, &[], 4);
    assert!(
        ended.stderr.contains("Unable to describe task definition"),
        "{}",
        ended.stderr
    );
    assert!(scene.aws.tasks().is_empty());
    scene.finish();
}

#[test]
fn an_image_that_cannot_be_pulled_ends_the_sweep_at_its_warm_up() {
    let (scene, plan) = timed("sleep 0.1", |setup| setup.fault(On::All, Fault::CannotPull));
    let ended = ends(&scene, &plan, &[], 4);
    assert!(
        ended.stderr.contains("CannotPullContainerError") && ended.stderr.contains("hint: "),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.aws.tasks().len(), 1);
    scene.finish();
    let (scene, plan) = timed("sleep 0.1", |setup| {
        setup.fault(second(), Fault::CannotPull)
    });
    ends(&scene, &plan, &[], 3);
    let why = reason(&scene, &format!("{SECOND}/r01-a1")).unwrap();
    assert!(why.contains("CannotPullContainerError"), "{why}");
    scene.finish();
}

#[test]
fn what_the_platform_breaks_is_tried_again_three_times_in_all() {
    for (fault, times, limits, words) in [
        (Fault::HostLost, 2, &[][..], "machine"),
        (
            Fault::Vanishes,
            1,
            &["--start-timeout", HEALTHY],
            "missing: ECS does not know",
        ),
        (Fault::Spot("SpotInterruption"), 3, &[], "Spot"),
    ] {
        let (scene, plan) = timed("sleep 0.4", |setup| {
            setup.fault_times(second(), fault, times)
        });
        let is_lost = times == 3;
        ends(&scene, &plan, limits, if is_lost { 3 } else { 0 });
        for attempt in 1..=times {
            let why = reason(&scene, &format!("{SECOND}/r01-a{attempt}")).unwrap();
            assert!(why.contains(words), "{why}");
        }
        let last = format!("{SECOND}/r01-a{}", times + 1);
        assert_eq!(scene.failures().get(&last), (!is_lost).then_some(&None));
        scene.finish();
    }
}

#[test]
fn a_task_that_does_not_start_in_time_is_stopped() {
    for (state, words) in [
        (Status::Provisioning, "did not run within 12s"),
        (Status::Pending, "PENDING"),
    ] {
        let (scene, plan) = timed("sleep 0.1", |setup| {
            setup.fault(second(), Fault::Stuck(state))
        });
        ends(&scene, &plan, &["--start-timeout", HEALTHY], 3);
        let why = reason(&scene, &format!("{SECOND}/r01-a1")).unwrap();
        assert!(why.contains(words), "{why}");
        assert_eq!(scene.aws.calls("StopTask").len(), 1);
        scene.finish();
    }
}

/// A CSV that is complete says more than the state of its task.
#[test]
fn a_complete_csv_counts_where_ecs_does_not_say_how_its_task_ended() {
    let cell = "study-1vcpu-2048mib-async-x4";
    for (fault, limits) in [
        (Fault::Forgotten, &[][..]),
        (Fault::Stuck(Status::Stopping), &["--stop-timeout", "3s"]),
    ] {
        let scene = Scene::new(|setup| {
            setup.family(study()).fault(
                On::tags(&[("parfetch:cell", cell), ("parfetch:repetition", "1")]),
                fault,
            )
        });
        let file = plan(&scene, "");
        ends(&scene, &file, limits, 0);
        let record = &scene.records()[&format!("{cell}/r01-a1")];
        assert_eq!(
            (&record["failure"], &record["contender"]["ok"]),
            (&Value::Null, &20.into())
        );
        scene.finish();
    }
}

#[test]
fn processes_that_it_leaves_end_with_its_container() {
    let left = tempfile::NamedTempFile::new().unwrap();
    let script = format!("sleep 600 & echo $! > {}; sleep 0.1", left.path().display());
    let (scene, plan) = timed(&script, |setup| setup);
    ends(&scene, &plan, &["-c", "1"], 0);
    let pid = fs::read_to_string(left.path()).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
    scene.finish();
}

/// Objects, and what a CSV of them says, a row each.
fn objects() -> (Source, Vec<String>) {
    let source = Store::serving("objects=20,size=1KiB");
    let row = |(key, size): &(String, u64)| format!("{key},{size},{size}");
    let rows = source.objects.iter().map(row).collect();
    (source, rows)
}

/// How a sweep ends whose contender leaves this as its CSV.
fn with_csv(source: Source, write: impl Fn(&Path)) -> String {
    let made = tempfile::NamedTempFile::new().unwrap();
    write(made.path());
    let folder = source.results_folder().unwrap().display().to_string();
    let script = format!(
        "cp --sparse=always '{}' \"{folder}/result_${{TAG}}_${{MODE}}_${{CONCURRENCY}}.csv\"",
        made.path().display()
    );
    let scene = Scene::over(source, |setup| setup.family(shell(&script)));
    let plan = plan(&scene, "modes = [\"async\"]\n");
    let ended = scene.sweep(&["--plan", &plan, "-c", "1"], 4);
    assert!(ended.stderr.contains("\nhint: "), "{}", ended.stderr);
    assert_eq!(
        scene.aws.tasks().len(),
        1,
        "nothing comes after its warm-up"
    );
    scene.finish();
    ended.stderr
}

#[test]
fn a_csv_that_is_not_of_the_keys_ends_the_sweep_at_its_warm_up() {
    type Change = fn(&mut Vec<String>);
    let cases: [(Change, &str); 5] = [
        (
            |rows| drop(rows.pop()),
            "its CSV has 19 rows, and the key list 20",
        ),
        (
            |rows| rows[3] = rows[4].clone(),
            "its CSV has other keys than the key list, or a key twice",
        ),
        (
            |rows| rows[0] = rows[0].replace(",1024,1024", ",1024,1023"),
            "1 of its objects are not as long as announced",
        ),
        (
            |rows| rows[0] = rows[0].replace("1024", "1023"),
            "its sizes add up to 20,479 bytes, and those of the key list to 20,480",
        ),
        (
            |rows| rows.clear(),
            "its CSV has 0 rows, and the key list 20",
        ),
    ];
    for (change, words) in cases {
        let (source, mut rows) = objects();
        change(&mut rows);
        let head = "Key (time = 0.5) sec,Size,CalcSize".to_owned();
        rows.insert(0, head);
        let said = with_csv(source, |path| {
            fs::write(path, rows.join("\n") + "\n").unwrap();
        });
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn what_is_no_csv_ends_the_sweep_at_its_warm_up() {
    let said = with_csv(objects().0, |path| fs::write(path, "Traceback\n").unwrap());
    assert!(said.contains("result_s-00000-a1_async_1.csv: "), "{said}");
    // Of four gigabytes nothing is taken.
    let said = with_csv(objects().0, |path| {
        fs::File::create(path).unwrap().set_len(4 << 30).unwrap();
    });
    assert!(
        said.contains("stored no result result_s-00000-a1_async_1.csv in the results bucket: "),
        "{said}"
    );
}

#[test]
fn of_what_it_writes_without_end_the_last_line_is_told_and_cut() {
    let script = "head -c 30000000 /dev/zero | tr '\\0' x; echo; head -c 5000 /dev/zero | tr '\\0' y; exit 7";
    let (scene, plan) = timed(script, |setup| setup);
    let ended = ends(&scene, &plan, &["-c", "1"], 4);
    assert!(
        ended.stderr.contains("ended with exit code 7: yyy") && ended.stderr.len() < 4_000,
        "{}",
        ended.stderr.len()
    );
    scene.finish();
}

#[test]
fn an_interrupt_stops_it() {
    let (scene, plan) = timed("exec sleep 600", |setup| setup);
    let going = scene.start(&["--plan", &plan]);
    going.until(&scene.aws, |tasks| {
        tasks.iter().any(|task| task.pid.is_some())
    });
    going.signal(Signal::INT);
    assert_eq!(going.end().code, Some(130));
    assert_eq!(scene.aws.tasks()[0].exit_code, Some(143));
    scene.finish();
}

/// It has no limit of its own: who started it stops it, or whoever types the same command.
#[test]
fn after_a_kill_it_runs_until_the_same_command_stops_it() {
    let (scene, plan) = timed("exec sleep 600", |setup| setup);
    let words = ["--plan", &plan, "-c", "1", "--run-timeout", "1s"];
    let going = scene.start(&["--plan", &plan, "-c", "1"]);
    going.until(&scene.aws, |tasks| {
        tasks.iter().any(|task| task.pid.is_some())
    });
    going.kill();
    assert_eq!(scene.aws.tasks()[0].exit_code, None);
    ends(&scene, &plan, &words[2..], 3);
    let tasks = scene.aws.tasks();
    assert!(
        tasks.iter().all(|task| task.exit_code == Some(143)),
        "{tasks:#?}"
    );
    let why = reason(&scene, &format!("{FIRST}/r01-a1")).unwrap();
    assert_eq!(why, "did not end within 1s");
    scene.finish();
}

#[test]
fn when_the_money_is_used_up_nothing_starts_and_a_higher_limit_continues() {
    let (scene, plan) = timed("sleep 0.3", |setup| {
        setup.fault_times(second(), Fault::Spot("SpotInterruption"), 2)
    });
    let paid = |most: &str| {
        let mut command = scene.bare(&["--plan", &plan, "--on", "ecs", "--stack", "parfetch"]);
        command.args(["--poll-interval", "50ms", "--max-cost", most]);
        super::Going::of(command).end()
    };
    // A minute of 1 vCPU and 2 GB costs $0.00082 and an address: four tasks, and five would be too much.
    let ended = paid("0.0037");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("--max-cost is used up"),
        "{}",
        ended.stderr
    );
    assert_eq!(scene.aws.tasks().len(), 4);
    assert_eq!(paid("1").code, Some(0));
    assert_eq!(reason(&scene, &format!("{SECOND}/r01-a3")), None);
    scene.finish();
}

#[test]
fn what_cannot_be_a_task_is_refused_in_one_line() {
    for (contender, message, hint) in [
        (
            "[contender.environment]\nLIST = \"{out}\"\n",
            "the contender study names {out}, which is a file on this machine",
            "{results_bucket}",
        ),
        (
            "[contender.environment]\nMY_SECRET = \"x\"\n",
            "the contender study: the variable MY_SECRET looks like a secret",
            "`secrets`",
        ),
        (
            "task_command = [\"{worker}\"]\n",
            "the contender study names {worker}, which has no value",
            "--factor",
        ),
        (
            "[factor]\nworkers = [1]\n",
            "the factor workers is not used: nothing names {workers}",
            "leave the factor out",
        ),
    ] {
        let scene = Scene::new(|setup| setup);
        let file = plan(&scene, contender);
        let ended = ends(&scene, &file, &[], 2);
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert!(
            lines.len() == 2 && lines[0].contains(message) && lines[1].contains(hint),
            "{lines:?}"
        );
        scene.finish();
    }
    let scene = Scene::new(|setup| setup);
    let ended = scene.sweep(&["--vcpu", "1", "--contender", "here=python3 x.py"], 2);
    assert!(
        ended
            .stderr
            .contains("the contender here has no task definition, which it needs on Fargate"),
        "{}",
        ended.stderr
    );
    scene.finish();
}
