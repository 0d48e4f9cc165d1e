//! Contenders of a plan file on this machine: what they get, what they are measured by, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use parfetch::internals::{FILE_NAME, Record};

use crate::support::parfetch::{Parfetch, Ran};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_parfetch");
/// Twenty objects, and one repetition of each configuration.
const HEAD: &str = "embedded = \"objects=20,size=1KiB\"\nvcpu = [1]\nclient = []\nmode = [\"async\", \"thread\"]\nconcurrency = [1, 4]\nrepeat = 1\n";

fn sweep(out: &Path, contender: &str) -> Parfetch {
    let file = out.join("plan.toml");
    fs::write(
        &file,
        format!("{HEAD}[[contender]]\nname = \"app\"\n{contender}"),
    )
    .unwrap();
    Parfetch::new()
        .args(["sweep", "--id", "s", "--plan", file.to_str().unwrap()])
        .out(out)
}

/// The records by the names of their configurations, warm-ups left out.
fn records(out: &Path) -> BTreeMap<String, Record> {
    let mut found = BTreeMap::new();
    for cell in fs::read_dir(out.join("sweeps/s")).unwrap() {
        let cell = cell.unwrap();
        let Ok(attempts) = fs::read_dir(cell.path()) else {
            continue;
        };
        for attempt in attempts {
            let Ok(text) = fs::read_to_string(attempt.unwrap().path().join(FILE_NAME)) else {
                continue;
            };
            let record = Record::from_json(&text).unwrap();
            if record.repetition > 0 {
                found.insert(cell.file_name().into_string().unwrap(), record);
            }
        }
    }
    found
}

#[test]
fn a_program_without_a_csv_is_measured_by_its_time() {
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(
        out.path(),
        "command = \"sh -c 'sleep 0.$((8 / WORKERS))'\"\n\
         [contender.environment]\nWORKERS = \"{concurrency}\"\n[contender.result]\ntime = \"program\"\n",
    )
    .exits(0);
    let found = records(out.path());
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "app-1vcpu-2048mib-process-x1",
            "app-1vcpu-2048mib-process-x4"
        ],
        "its mode is no factor"
    );
    let one = &found["app-1vcpu-2048mib-process-x1"];
    let result = one.contender.unwrap();
    assert_eq!(
        (&one.failure, result.objects, result.goodput_bytes),
        (&None, None, None)
    );
    assert!(result.fetch_ns >= 800_000_000, "{}", result.fetch_ns);
    // What it read is not known: no form counts it.
    let folder = out.path().to_str().unwrap();
    let said = |words: &[&str]| {
        let report = Parfetch::new().args(["report", folder]);
        report.args(words.iter().copied()).exits(0).stdout
    };
    for text in [ran.stdout.clone(), said(&[]), said(&["--all"])] {
        assert!(
            text.contains("Time of a run, s:") && !text.contains("requests $"),
            "{text}"
        );
    }
    assert!(said(&["--all"]).contains("no CSV says what these programs read: app."));
}

/// The program is a shell that holds what it got against what it should get.
#[test]
fn a_program_gets_what_its_texts_name() {
    let out = tempfile::tempdir().unwrap();
    let script = out.path().join("app.sh");
    fs::write(
        &script,
        format!(
            "set -e\ntest \"$SIZE\" = '1 vCPU 2048'\ntest \"$1\" = \"$CONCURRENCY\"\ntest -f \"$2\"\ntest \"$RUN\" = \"$TAG\"\n\
             test \"$PARFETCH_OUT\" = \"$3\"\nunset RESULT_BUCKET_NAME\nPARFETCH_OUT=$3.d '{EXECUTABLE}' run\nmv \"$3.d\"/*.csv \"$3\"\nrm -r \"$3.d\"\n"
        ),
    )
    .unwrap();
    let contender = format!(
        "command = \"sh '{}' {{concurrency}} {{keys}} {{out}}\"\nmodes = [\"thread\"]\n\
         [contender.environment]\nSIZE = \"{{vcpu}} vCPU {{memory_mib}}\"\nRUN = \"{{tag}}\"\n\
         [contender.result]\ncsv = \"runs/{{tag}}.csv\"\n",
        script.display()
    );
    sweep(out.path(), &contender).exits(0);
    let found = records(out.path());
    assert_eq!(found.len(), 2);
    for record in found.values() {
        assert_eq!(
            (record.contender.unwrap().ok, record.cell.mode.as_str()),
            (Some(20), "thread")
        );
    }
}

#[test]
fn what_ends_badly_without_a_csv_is_a_failure() {
    for (command, said) in [
        (
            "sh -c 'echo cause >&2; exit 137'",
            "ended with exit code 137: cause",
        ),
        ("sh -c 'kill -9 $$'", "was ended by signal 9"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let text = format!("command = \"{command}\"\n[contender.result]\ntime = \"program\"\n");
        let ran = sweep(out.path(), &text).exits(4);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

/// What it leaves behind is ended with it, and does not keep the sweep.
#[test]
fn processes_that_a_program_leaves_do_not_stay() {
    let out = tempfile::tempdir().unwrap();
    let pid = out.path().join("pid");
    let text = format!(
        "command = \"sh -c 'sleep 600 >/dev/null 2>&1 & echo $! > {}'\"\n[contender.result]\ntime = \"program\"\n",
        pid.display()
    );
    sweep(out.path(), &text).exits(0);
    let pid = fs::read_to_string(pid).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(
        state.is_empty() || state.contains(") Z "),
        "it still runs: {state}"
    );
}

#[test]
fn ready_contenders_are_named_and_never_installed() {
    let printed = |words: &[&str]| {
        let ran = Parfetch::new().args(["sweep", "--embedded", "--print-plan"]);
        ran.args(words.iter().copied())
    };
    let plan = printed(&["--contender", "@boto3,@go"]).exits(0).stdout;
    for part in [
        "name = \"boto3\"\ncommand = \"./parfetch-contenders/bin/boto3\"\nmode = [\"thread\", \"process\"]\n\
         task_definition = \"parfetch-contender\"\ntask_command = [\"boto3\"]\n",
        "name = \"go\"\ncommand = \"./parfetch-contenders/bin/go\"\nmode = [\"async\"]\n",
    ] {
        assert!(plan.contains(part), "{plan}");
    }
    let wrong = printed(&["--contender", "@boto"]).exits(2).stderr;
    assert_eq!(
        wrong,
        "error: `@boto` is not a ready contender\nhint: did you mean `boto3`?\n"
    );
    let here = printed(&["--contender", "@go", "--contender-dir", ""]);
    let here = here.exits(0).stdout;
    assert!(here.contains("command = \"bin/go\"\n"), "{here}");
    let missing = Parfetch::new()
        .args([
            "sweep",
            "--embedded=objects=5",
            "--dry-run",
            "--contender",
            "@s5cmd",
        ])
        .args(["--contender-dir", "/nowhere"])
        .exits(4);
    assert_eq!(
        missing.stderr.lines().collect::<Vec<_>>(),
        [
            "error: the contender s5cmd cannot start: there is no program /nowhere/bin/s5cmd",
            "hint: contenders/install.sh s5cmd installs it (in a copy of parfetch's repository); parfetch installs nothing by itself"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_contender_is_said_with_what_to_do() {
    let refused = |text: &str, more: &[&str]| -> Ran {
        let out = tempfile::tempdir().unwrap();
        let plan = sweep(out.path(), text);
        plan.args(more.iter().copied()).arg("--dry-run").exits(2)
    };
    let timed = "command = \"x\"\n[contender.result]\ntime = \"program\"\n";
    for (text, more, message, hint) in [
        (
            "",
            &[][..],
            "contender `app`: its command is empty",
            "write it like",
        ),
        (
            "task_definition = \"family\"\n",
            &[],
            "the contender app has no command for this machine: it has a task definition alone",
            "--on ecs",
        ),
        (
            "command = \"x\"\ncontainer = \"app\"\n",
            &[],
            "contender `app`: a container and a task_command belong to a task_definition, which is missing",
            "task-definition=",
        ),
        (
            "command = \"x {worker}\"\n",
            &["--factor", "workers=1,2"],
            "the contender app names {worker}, which has no value",
            "did you mean `workers`?",
        ),
        (
            "command = \"x\"\n",
            &["--factor", "workers=1,2"],
            "the factor workers is not used: nothing names {workers}",
            "name it in a URL, or in the command of a server or contender",
        ),
        (
            "command = \"x\"\n[contender.result]\ncsv = \"a.csv\"\n",
            &[],
            "contender `app`: the key of its CSV has no {tag}",
            "an older CSV",
        ),
        (
            "command = \"x\"\n[contender.result]\ncsv = \"../{tag}.csv\"\n",
            &[],
            "contender `app`: `../{tag}.csv` is not a key for its CSV",
            "runs/{tag}.csv",
        ),
        (
            "command = \"x\"\n[contender.result]\ncsv = \"{tag}.csv\"\ntime = \"program\"\n",
            &[],
            "contender `app`: it has both a CSV and a time of the program",
            "leave csv out",
        ),
        (
            timed,
            &["--limit", "5"],
            "contender `app`: its time alone is measured, and a limit means nothing to it",
            "leave it out",
        ),
        (
            "command = \"x\"\n[contender.environment]\nCONCURRENCY = \"4\"\n",
            &[],
            "contender `app`: its variable CONCURRENCY is one that the sweep sets by itself",
            "its value is {concurrency}",
        ),
        (
            "command = \"x\"\n[contender.environment]\nAWS_REGION = \"eu-west-1\"\n",
            &[],
            "contender `app`: its variable AWS_REGION is one that the sweep sets by itself",
            "--region",
        ),
        (
            timed,
            &["--sample", "5"],
            "the contender app lists the bucket by itself: a sample does not reach it",
            "parfetch fill s3://bench/ --from",
        ),
        (
            "command = \"x\"\n[contender.result]\ntime = \"task\"\n",
            &[],
            "unknown variant `task`, expected `program`",
            "--print-plan",
        ),
    ] {
        let stderr = refused(text, more).stderr;
        let mut lines = stderr.lines();
        let (error, said) = (
            lines.next().unwrap_or_default(),
            lines.next().unwrap_or_default(),
        );
        assert!(
            error.contains(message) && said.starts_with("hint: ") && said.contains(hint),
            "{text}{more:?}: {stderr}"
        );
    }
}

/// Neither in a sweep's forecast nor in a tune's, and nobody takes it for agreed to.
#[test]
fn what_a_timed_program_reads_is_not_foreseen() {
    let out = tempfile::tempdir().unwrap();
    let timed = "command = \"true\"\n[contender.result]\ntime = \"program\"\n";
    let plan = out.path().join("tune.toml");
    fs::write(
        &plan,
        format!("vcpu = [1]\nclient = []\n[[contender]]\nname = \"app\"\n{timed}"),
    )
    .unwrap();
    let tune = Parfetch::new()
        .args(["tune", "--embedded=objects=20,size=1KiB", "--dry-run"])
        .args(["--plan", plan.to_str().unwrap()])
        .out(out.path());
    let alone = sweep(out.path(), timed).arg("--dry-run").exits(0);
    for said in [&alone.stdout, &tune.exits(0).stdout] {
        assert!(
            said.contains("\nbytes: what app reads is not known\n")
                && said.contains("\nrequests: 1 LIST request, and those of app\n")
                && said.contains("\ntime: not known, as it is what app takes\n")
                && !said.contains("GET")
                && !said.contains("kB per run"),
            "{said}"
        );
    }
    assert!(!alone.stderr.contains("fetch for only"), "{}", alone.stderr);
    let beside = sweep(out.path(), timed)
        .args(["--client", "lean", "-c", "1", "--repeat", "2", "--dry-run"])
        .args(["--max-bytes", "1MB"])
        .exits(0);
    assert!(
        beside
            .stdout
            .contains(" per run, 102 kB in 5 runs; what app reads is not known (3 runs)\n")
            && beside
                .stdout
                .contains("\nrequests: 100 GETs, 1 LIST request, and those of app\n")
            && beside.stderr.contains(
                "warning: --max-bytes does not count what app reads, which is not known\n"
            ),
        "{}{}",
        beside.stdout,
        beside.stderr
    );
    // Nobody can know whether it fails.
    let work = sweep(out.path(), timed).args(["--work", "md5", "--dry-run"]);
    let said = work.exits(0).stderr;
    assert!(!said.contains("six variables"), "{said}");
    // Those bytes are enough: what the program reads ends no sweep.
    let whole = sweep(out.path(), timed)
        .args(["--client", "lean", "-c", "1", "--repeat", "2"])
        .args(["--max-bytes", "103KB"])
        .exits(0);
    assert!(
        !whole.stderr.contains("--max-bytes is used up"),
        "{}",
        whole.stderr
    );
}

/// A program whose path has blanks, a quote and letters that are not ASCII.
fn script(out: &Path, text: &str) -> String {
    let dir = out.join("it's a füll dir");
    fs::create_dir_all(&dir).unwrap();
    let file = dir.join("app.sh");
    fs::write(&file, text).unwrap();
    format!(
        "command = \"sh \\\"{}\\\"\"\nmodes = [\"thread\"]\n",
        file.display()
    )
}

/// Each in one short line with a hint, with exit code 4, and nothing stays.
#[test]
fn what_a_program_leaves_in_the_place_of_its_csv_is_told_in_one_line() {
    const HEAD: &str = "echo 'Key (time = 2.0) sec,Size,CalcSize' > $PARFETCH_OUT; ";
    let rows = |row: &str| format!("{HEAD} for i in 1 2 3; do echo {row} >> $PARFETCH_OUT; done");
    let header =
        |time: &str| format!("echo 'Key (time = {time}) sec,Size,CalcSize' > $PARFETCH_OUT");
    for (text, said) in [
        ("exit 0".to_owned(), "stored no result result_"),
        (
            ": > $PARFETCH_OUT".to_owned(),
            "the first line is not `Key (time = …) sec,Size,CalcSize…` but ``",
        ),
        (
            "printf '\\377\\376K\\000e\\000' > $PARFETCH_OUT".to_owned(),
            "not CSV: ",
        ),
        (
            "head -c 300000 /dev/zero | tr '\\0' x > $PARFETCH_OUT".to_owned(),
            "sec,Size,CalcSize…` but `xxxx",
        ),
        (
            "head -c 3000000 /dev/zero > $PARFETCH_OUT".to_owned(),
            "it has 3.00 MB, and a CSV of these keys has 1.13 MB at most",
        ),
        (header("NaN"), "the first line is not "),
        (header("-1.0"), "the first line is not "),
        (header("1e300"), "its header says 1"),
        (header("0"), "its header says 0 seconds"),
        (rows("a,NaN,1"), "row 1: Size is `NaN`, not a whole number"),
        (
            rows("a,1,-1"),
            "row 1: CalcSize is `-1`, not a whole number",
        ),
        (rows("a,1"), "not CSV: "),
        (
            rows("a,18446744073709551615,18446744073709551615"),
            "its CSV has 3 rows, and the key list 20",
        ),
        (
            "ln -s /dev/zero $PARFETCH_OUT".to_owned(),
            "PARFETCH_OUT is a link, and the CSV itself has to be there",
        ),
        (
            "mkfifo $PARFETCH_OUT".to_owned(),
            "PARFETCH_OUT is neither a file nor a folder",
        ),
        (
            "mkdir $PARFETCH_OUT; mkfifo $PARFETCH_OUT/x".to_owned(),
            "PARFETCH_OUT names the file of the CSV, and the program made a folder there",
        ),
        (
            "rm -r \"${PARFETCH_OUT%/*}\"".to_owned(),
            "stored no result result_",
        ),
    ] {
        let out = tempfile::tempdir().unwrap();
        let ran = sweep(out.path(), &script(out.path(), &text)).exits(4);
        let error = ran
            .stderr
            .lines()
            .find(|line| line.starts_with("error: "))
            .unwrap();
        assert!(
            error.contains(said) && ran.stderr.lines().all(|line| line.len() < 800),
            "{text}: {}",
            ran.stderr
        );
        let last = ran.stderr.lines().last().unwrap();
        assert!(
            last.starts_with("hint: what it wrote is in "),
            "{text}: {}",
            ran.stderr
        );
    }
}

/// Complete, with the times of its workers added up.
#[test]
fn a_time_that_is_longer_than_the_program_ran_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let text = "echo 'Key (time = 4000) sec,Size,CalcSize' > $PARFETCH_OUT\n\
                grep -v '^#' \"$KEYS\" | awk '{print $1\",\"$2\",\"$2}' >> $PARFETCH_OUT\n";
    let plan = script(out.path(), text) + "[contender.environment]\nKEYS = \"{keys}\"\n";
    let ran = sweep(out.path(), &plan).exits(4);
    let said = "failed: its header says 1 h 7 min, and the whole program ran for ";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn a_program_that_cannot_be_started_is_told_before_anything_is_listed() {
    for (make, said) in [
        ("mkdir", " is a folder"),
        ("touch", " is not executable"),
        ("true", ": there is no program "),
    ] {
        let out = tempfile::tempdir().unwrap();
        let program = out.path().join("my app");
        std::process::Command::new(make)
            .arg(&program)
            .status()
            .unwrap();
        let text = format!("command = '\"{}\"'\n", program.display());
        let ran = sweep(out.path(), &text).exits(4);
        assert!(
            ran.stderr
                .starts_with("error: the contender app cannot start: ")
                && ran.stderr.contains(said)
                && ran.stderr.contains("\nhint: "),
            "{}",
            ran.stderr
        );
    }
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(out.path(), "command = 'no-such-program-anywhere'\n").exits(4);
    assert!(
        ran.stderr
            .contains("cannot start no-such-program-anywhere: No such file or directory"),
        "{}",
        ran.stderr
    );
}

/// It takes no notice of SIGTERM, and has left its session twice over.
#[test]
fn what_takes_no_notice_and_hides_is_ended_all_the_same() {
    let out = tempfile::tempdir().unwrap();
    let pids = out.path().join("pids");
    let text = format!(
        "trap '' TERM\nsetsid sh -c 'setsid sh -c \"trap : TERM; echo \\$\\$ >> {pids}; while :; do sleep 1; done\" & exit' &\n\
         echo $$ >> {pids}\nwhile :; do sleep 1; done\n",
        pids = pids.display()
    );
    let plan = script(out.path(), &text) + "[contender.result]\ntime = \"program\"\n";
    let ran = sweep(out.path(), &plan)
        .args(["-c", "1", "--run-timeout", "1s"])
        .exits(3);
    assert!(
        ran.stderr.contains("did not end within 1.00 s"),
        "{}",
        ran.stderr
    );
    let pids = fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 4, "of a warm-up and a run: {pids}");
    for pid in pids.lines() {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
}

#[test]
fn secrets_that_a_program_prints_are_not_in_what_is_stored() {
    let out = tempfile::tempdir().unwrap();
    let text = "command = \"sh -c 'env >&2; env; echo $DB_PASSWORD >&2; exit 1'\"\n[contender.environment]\nDB_PASSWORD = \"correct-horse\"\n";
    let ran = sweep(out.path(), text)
        .env("AWS_SECRET_ACCESS_KEY", "battery/staple")
        .exits(4);
    assert!(
        ran.stderr.contains("ended with exit code 1: ***"),
        "{}",
        ran.stderr
    );
    let found = std::process::Command::new("grep")
        .args(["-rlE", "correct-horse|battery/staple"])
        .arg(out.path().join("sweeps"))
        .output()
        .unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(
        found.lines().all(|file| file.ends_with("plan.toml")),
        "{found}"
    );
}

#[test]
fn a_corrected_command_begins_anew_as_long_as_nothing_was_measured() {
    let out = tempfile::tempdir().unwrap();
    let timed = |command: &str| {
        format!("command = \"{command}\"\n[contender.result]\ntime = \"program\"\n")
    };
    sweep(out.path(), &timed("sh -c 'exit 9'")).exits(4);
    sweep(out.path(), &timed("true")).exits(0);
    let measured = records(out.path()).len();
    assert!(measured > 0);
    let ran = sweep(out.path(), &timed("sh -c 'exit 0'")).exits(2);
    assert!(
        ran.stderr.contains("begun with another plan"),
        "{}",
        ran.stderr
    );
    assert_eq!(records(out.path()).len(), measured);
}
