//! Servers and factors of a sweep, from the outside: each repetition has a fresh server, which is ready before and gone after it; and what is wrong
//! with one is said.
//!
//! The servers are this binary itself: the test `acts_as_a_server` behaves as its environment says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use parfetch::internals::{FILE_NAME, Record};

use crate::support::parfetch::{Parfetch, Ran};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_parfetch");
const BEHAVIOUR: &str = "ACTS_AS_A_SERVER";

/// Not a test: what the servers of the others are.
#[test]
#[ignore = "the other tests start it"]
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "a program of its own, told by variables"
)]
fn acts_as_a_server() {
    let Ok(behaviour) = std::env::var(BEHAVIOUR) else {
        return;
    };
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    match behaviour.as_str() {
        "dies" => {
            // Standard error is all that is looked at.
            std::process::Command::new("sh")
                .args(["-c", "echo 'cannot import app' >&2"])
                .status()
                .unwrap();
            std::process::exit(3);
        }
        "listens-nowhere" => std::thread::park(),
        "ignores-term" => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let kind = tokio::signal::unix::SignalKind::terminate();
            // Once it is listened to, it ends the process no more.
            let _kept = runtime.block_on(async { tokio::signal::unix::signal(kind).unwrap() });
            answers(port, 200);
        }
        code => answers(port, code.parse().unwrap()),
    }
}

fn answers(port: u16, code: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut head = [0; 1024];
        let _read = stream.read(&mut head).unwrap_or_default();
        let _gone = stream.write_all(
            format!("HTTP/1.1 {code} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                .as_bytes(),
        );
    }
}

/// A plan with one server that behaves so, and two short repetitions.
fn plan(behaviour: &str, more: &str) -> String {
    let this = std::env::current_exe().unwrap();
    format!(
        "embedded = \"objects=5,size=1KiB\"\nvcpu = [1]\nclient = [\"lean\"]\nmode = [\"async\"]\nconcurrency = [2]\nrepeat = 1\n\
         server_ready = \"/ready\"\nserver_settle = \"0s\"\n{more}\n\
         [[server]]\nname = \"web\"\ncommand = \"'{}' --exact servers::acts_as_a_server --ignored --nocapture\"\n\
         [server.environment]\nPORT = \"{{port}}\"\n{BEHAVIOUR} = \"{behaviour}\"\n",
        this.display()
    )
}

fn sweep(out: &Path, plan: &str) -> Parfetch {
    let file = out.join("plan.toml");
    fs::write(&file, plan).unwrap();
    Parfetch::new()
        .args(["sweep", "--id", "s", "--plan", file.to_str().unwrap()])
        .out(out)
}

/// Every record below a sweep's folder, warm-ups too.
fn records(out: &Path) -> BTreeMap<PathBuf, Record> {
    let folders = |dir: &Path| {
        let entries = fs::read_dir(dir).unwrap();
        let all = entries.map(|entry| entry.unwrap().path());
        all.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let attempts = folders(&out.join("sweeps/s"));
    let attempts = attempts.iter().flat_map(|cell| folders(cell));
    attempts
        .filter_map(|dir| {
            let text = fs::read_to_string(dir.join(FILE_NAME)).ok()?;
            Some((dir, Record::from_json(&text).unwrap()))
        })
        .collect()
}

#[test]
fn each_repetition_has_a_fresh_server_that_is_gone_after_it() {
    let out = tempfile::tempdir().unwrap();
    let text = plan("{code}", "repeat = 2").replacen("repeat = 1\n", "", 1)
        + "[factor]\ncode = [200, 204]\n";
    sweep(out.path(), &text).exits(0);
    let found = records(out.path());
    assert_eq!(
        found.len(),
        5,
        "two values of a factor, each twice, and a warm-up of the server"
    );
    let mut ports = BTreeSet::new();
    for (dir, record) in &found {
        let server = record.started_server.as_ref().unwrap();
        assert_eq!(
            (server.name.as_str(), server.vcpu, record.failure.as_ref()),
            ("web", 1.0, None),
            "{}",
            dir.display()
        );
        assert!(server.ready_ns > 0 && server.processes >= 1, "{server:?}");
        assert!(
            TcpStream::connect(("127.0.0.1", server.port)).is_err(),
            "it is gone"
        );
        assert!(
            !dir.join("server").exists(),
            "what a good server said is not kept"
        );
        ports.insert(server.port);
    }
    assert!(ports.len() > 1, "each has a port of its own: {ports:?}");
    let slugs: BTreeSet<String> = found.values().map(|record| record.cell.slug()).collect();
    assert_eq!(
        slugs.into_iter().collect::<Vec<_>>(),
        [
            "lean-1vcpu-2048mib-async-x2-server=web-code=200",
            "lean-1vcpu-2048mib-async-x2-server=web-code=204"
        ]
    );
    // The same command has nothing to do; one with another factor is another sweep.
    let again = sweep(out.path(), &text).exits(0);
    assert_eq!(records(out.path()).len(), 5, "{}", again.stderr);
    let other = sweep(out.path(), &text.replace("[200, 204]", "[200]")).exits(2);
    assert!(
        other.stderr.contains("begun with another plan"),
        "{}",
        other.stderr
    );
    let report = Parfetch::new()
        .args(["report", "--format", "csv"])
        .arg(out.path().join("sweeps/s").to_str().unwrap())
        .exits(0);
    let header = report.stdout.lines().next().unwrap();
    assert!(header.contains(",factor_code,factor_server,"), "{header}");
}

/// The warm-up fails, so the sweep ends with one error and its hint.
fn refused(behaviour: &str, more: &str) -> (tempfile::TempDir, Ran) {
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(out.path(), &plan(behaviour, more)).exits(4);
    (out, ran)
}

#[test]
fn a_server_that_dies_says_why() {
    let (out, ran) = refused("dies", "");
    assert!(
        ran.stderr
            .contains("the server web ended with exit code 3: cannot import app"),
        "{}",
        ran.stderr
    );
    let (dir, record) = records(out.path()).into_iter().next().unwrap();
    assert_eq!(record.failure.unwrap().stderr, ["cannot import app"]);
    assert!(
        dir.join("server/stderr.log").exists(),
        "the whole of it is kept"
    );
}

#[test]
fn a_server_that_does_not_get_ready_says_what_was_seen() {
    let (_, ran) = refused("listens-nowhere", "server_timeout = \"500ms\"");
    assert!(
        ran.stderr
            .contains("the server web is not ready after 500 ms: nothing listens on its port"),
        "{}",
        ran.stderr
    );
    let (_, ran) = refused("500", "server_timeout = \"500ms\"");
    assert!(
        ran.stderr
            .contains("the server web is not ready after 500 ms: /ready answers 500"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_server_that_ignores_sigterm_is_killed_and_that_is_said_once() {
    let out = tempfile::tempdir().unwrap();
    let ran = sweep(out.path(), &plan("ignores-term", "")).exits(0);
    let said = ran
        .stderr
        .matches("the server web did not end within 10.0 s of SIGTERM and was killed");
    assert_eq!(said.count(), 1, "{}", ran.stderr);
    for record in records(out.path()).values() {
        let port = record.started_server.as_ref().unwrap().port;
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}

#[test]
fn a_contender_gets_its_factors_and_writes_its_csv_to_a_file() {
    let out = tempfile::tempdir().unwrap();
    // A whole CSV of parfetch, with its columns of times, under the name that the variable gives.
    let script = out.path().join("app.sh");
    fs::write(
        &script,
        format!(
            "set -e\ntest \"$1\" = \"$BUILD\"\ntest \"$2\" = \"$PARFETCH_OUT\"\nout=$PARFETCH_OUT\nunset RESULT_BUCKET_NAME\n\
             PARFETCH_OUT=$out.d '{EXECUTABLE}' run\nmv \"$out.d\"/*.csv \"$out\"\nrm -r \"$out.d\"\n"
        ),
    )
    .unwrap();
    let text = format!(
        "embedded = \"objects=5,size=1KiB\"\nvcpu = [1]\nclient = [\"lean\"]\nmode = [\"async\"]\nconcurrency = [2]\nrepeat = 1\n\
         [factor]\nbuild = [\"old one\", \"new\"]\n\
         [[contender]]\nname = \"app\"\ncommand = \"sh '{}' {{build}} {{out}}\"\n[contender.environment]\nBUILD = \"{{build}}\"\n",
        script.display()
    );
    sweep(out.path(), &text).exits(0);
    let found = records(out.path());
    let of = |program: &str| {
        found
            .values()
            .filter(|record| record.cell.program.name() == program && record.repetition > 0)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("lean").len(), 1, "no text of it names the factor");
    assert_eq!(of("app").len(), 2);
    for record in of("app") {
        let (result, times) = (
            record.contender.unwrap(),
            record.contender_times.as_ref().unwrap(),
        );
        assert_eq!(
            (result.objects, result.ok, times.timed),
            (Some(5), Some(5), 5)
        );
        assert_eq!(
            (times.distributions.latency.count, times.pids),
            (5, Some(1))
        );
        assert!((1..=2).contains(&times.in_flight_most));
    }
}

#[test]
fn what_is_wrong_with_factors_and_servers_is_said_at_once() {
    let refused = |words: &[&str]| {
        let ran = Parfetch::new()
            .args(["sweep", "--embedded=objects=5", "--dry-run"])
            .args(words.iter().copied())
            .exits(2);
        ran.stderr
    };
    for (words, message) in [
        (
            &["--factor", "workers=1,3"][..],
            "error: the factor workers is not used: nothing names {workers}\nhint: name it in a URL, or in the command of a server or contender, or leave the factor out\n",
        ),
        (
            &[
                "--server",
                "web=x --port {port} -w {workres}",
                "--factor",
                "workers=1",
            ],
            "error: the server web names {workres}, which has no value\nhint: did you mean `workers`?\n",
        ),
        (
            &["--contender", "app=x {port}"],
            "error: the contender app names {port}, which has no value\nhint: {port} is the port of a server of the sweep; --server NAME='COMMAND' starts one\n",
        ),
        (
            &["--server", "web=x {out}"],
            "error: the server web names {out}, which has no value\n",
        ),
        (
            &["--factor", "mode=a", "--contender", "app=x {mode}"],
            "error: the factor `mode`: this name has its value from parfetch\n",
        ),
        (
            &["--factor", "a=1,1", "--contender", "app=x {a}"],
            "error: the factor `a`: the value `1` is given twice\n",
        ),
        (
            &["--factor", "a", "--contender", "app=x {a}"],
            "error: --factor `a`: there is no `=`\n",
        ),
        (
            &["--server", "web='x"],
            "error: server `web`: its command has a quote that is not closed\n",
        ),
        (
            &["--server-ready", "/x"],
            "error: there is no server to wait for\n",
        ),
        (
            &["--server", "web=x", "--server-ready", "ready"],
            "error: server_ready is `ready`, which is not a path\n",
        ),
        (
            &["--server", "web=x", "--server-vcpu", "0.3"],
            "error: --server-vcpu is `0.3`, which is not a number of vCPUs\n",
        ),
    ] {
        let said = refused(words);
        assert!(said.starts_with(message), "{words:?}: {said}");
        assert!(said.contains("\nhint: "), "{words:?}: {said}");
    }
}
