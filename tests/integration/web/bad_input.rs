//! What goes wrong: lists of URLs, certificates, servers that answer nobody or without end.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use parfetch::internals::{Mode, Outcome};

use super::{answering, results, run};
use crate::support::scripted::{Hold, Reply, Scripted, Turn};
use crate::support::strict::Invocation;

#[test]
fn a_list_of_urls_has_its_faults_named_by_line() {
    let list = |text: &str| {
        Invocation::bare(&["run", "--progress", "never", "--urls", "urls.txt"])
            .file("urls.txt", text)
            .go()
    };
    let hint = "a file of URLs has a URL a line; empty lines, and lines that begin with #, are passed over";
    for (text, error) in [
        (
            "http://127.0.0.1:1/\r\n\r\n# one\r\nnot a url\r\n",
            "urls.txt, line 4 is `not a url`, which is not a URL",
        ),
        (
            "http://127.0.0.1:1/\nhttp://127.0.0.1:1/a b\n",
            "urls.txt, line 2 has a character that cannot be sent in a URL",
        ),
        ("\n# none\n", "urls.txt has no URL"),
    ] {
        let said = list(text);
        said.exits(4);
        assert_eq!(
            (said.lines("error: "), said.lines("hint: ")),
            (vec![error], vec![hint]),
            "{}",
            said.stderr
        );
    }
    let said = list("http://127.0.0.1:1/\nhttp://127.0.0.1:2/\n");
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["urls.txt, line 2 is of http://127.0.0.1:2, and the first URL is of http://127.0.0.1:1"]
    );
    let said = run(&["--urls", "missing.txt"]);
    said.exits(4);
    assert!(
        said.lines("error: ")[0].starts_with("cannot read the URLs in missing.txt: "),
        "{}",
        said.stderr
    );
    let said = run(&["http://127.0.0.1:1/", "-D", "missing.json"]);
    said.exits(4);
    assert!(
        said.lines("error: ")[0].starts_with("cannot read the body in missing.json: "),
        "{}",
        said.stderr
    );
}

#[test]
fn a_name_without_an_address_is_said_once_before_any_request() {
    let said = run(&["http://no-such-host.invalid/", "-n", "10"]);
    said.exits(4);
    let errors = said.lines("error: ");
    assert!(
        errors.len() == 1
            && errors[0].starts_with("cannot find an address of no-such-host.invalid: "),
        "{}",
        said.stderr
    );
}

#[test]
fn a_server_that_is_not_there_is_as_many_failed_rows() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let said = run(&[&url, "-n", "7", "-c", "3"]);
    said.exits(3);
    let found = results(&said, "result_run_async_3");
    for row in &found.rows {
        assert_eq!(
            (
                row.outcome,
                row.error_codes.as_str(),
                row.attempts,
                row.status
            ),
            (Some(Outcome::Failed), "connect-refused", Some(1), None)
        );
    }
    assert_eq!(found.rows.len(), 7, "one try each");
}

#[test]
fn a_certificate_that_nobody_knows_is_a_failed_row() {
    let authority = crate::bad_input::tls::Authority::new("parfetch tests of URLs");
    let server = Scripted::turns(vec![authority.server("127.0.0.1")]);
    let trust = |words: &[&str]| {
        Invocation::bare(&[
            "run",
            "--progress",
            "never",
            &server.url(),
            "-n",
            "2",
            "-c",
            "1",
            "--expect",
            "2xx,404",
        ])
        .file("ca.pem", authority.pem())
        .args(words)
        .go()
    };
    let said = trust(&["--ca-bundle", "ca.pem"]);
    said.exits(0);
    let other = crate::bad_input::tls::Authority::new("another").pem();
    for mode in Mode::ALL {
        let said = Invocation::bare(&["run", "--progress", "never", &server.url(), "-n", "4"])
            .args(&["-c", "2", "-m", mode.as_str(), "--ca-bundle", "ca.pem"])
            .file("ca.pem", &other)
            .go();
        said.exits(3);
        let rows = results(&said, &format!("result_run_{}_2", mode.as_str())).rows;
        assert!(
            rows.iter().all(
                |row| (row.outcome, row.error_codes.as_str()) == (Some(Outcome::Failed), "tls")
            ),
            "{rows:?}"
        );
        let reason = "warning: the server's certificate is not trusted, so no request is sent (tls): name the authority's PEM file";
        assert_eq!(said.lines(reason).len(), 1, "{mode}: {}", said.stderr);
    }
    assert!(matches!(authority.server("127.0.0.1"), Turn::Tls(_)));
}

#[test]
fn an_answer_without_end_is_given_up_when_the_time_is_long_over() {
    let hold = Hold::default();
    let of_server = hold.clone();
    let server = answering(move |request| {
        if request.path() == "endless" {
            of_server.wait();
        }
        Reply::ok("x")
    });
    let (fine, endless) = (
        format!("{}/fine", server.url()),
        format!("{}/endless", server.url()),
    );
    let said = run(&[&fine, &endless, "-c", "2", "--duration", "1s"]);
    said.exits(3);
    let found = results(&said, "result_run_async_2");
    let ends: Vec<_> = found
        .rows
        .iter()
        .map(|row| (row.key == endless, row.outcome, row.error_codes.as_str()))
        .collect();
    assert!(
        ends.contains(&(false, Some(Outcome::Ok), ""))
            && ends.contains(&(true, Some(Outcome::Failed), "interrupted")),
        "{ends:?}"
    );
    assert!(
        said.lines("warning: ")
            .contains(&"answers that had not ended long after the time was up were given up"),
        "{}",
        said.stderr
    );
    hold.open();
    // Both workers were in such an answer to the end.
    assert!(found.summary.rates.tail_share.unwrap() < 0.5);
    // A limit of one's own comes first.
    let hold = Hold::default();
    let of_server = hold.clone();
    let silent = answering(move |_| {
        of_server.wait();
        Reply::ok("x")
    });
    let said = run(&[&silent.url(), "-n", "1", "--timeout", "500ms"]);
    said.exits(3);
    assert_eq!(
        results(&said, "result_run_async_16").rows[0].error_codes,
        "timeout"
    );
    hold.open();
}

/// Far more workers than the listen queue of the server has places (128), and a server that resets every fifth connection.
#[test]
fn resets_of_a_crowded_server_are_rows() {
    const WORKERS: usize = 10_000;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let _gone = stream.set_read_timeout(Some(Duration::from_secs(5)));
            // What is dropped with something unread is reset.
            if number % 5 != 0 {
                let mut request = [0; 4096];
                let _short = stream.read(&mut request);
                let _gone = stream.write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
                );
            }
        }
    });
    let workers = WORKERS.to_string();
    let said = run(&[&url, "-n", &workers, "-c", &workers]);
    said.exits(3);
    let found = results(&said, &format!("result_run_async_{WORKERS}"));
    assert_eq!(found.rows.len(), WORKERS);
    let (mut ok, mut broken) = (0, 0);
    for row in &found.rows {
        assert_eq!(row.attempts, Some(1));
        if row.outcome == Some(Outcome::Ok) {
            ok += 1;
            continue;
        }
        assert!(
            ["reset", "short-body", "connect"].contains(&row.error_codes.as_str()),
            "{row:?}"
        );
        broken += 1;
    }
    assert!(ok > 0 && broken > 0, "{ok} {broken}");
}
