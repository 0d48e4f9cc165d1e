//! Values of headers, and bodies, go to the server and nowhere else. `Said` looks through everything that a run says and leaves.

use parfetch::internals::Mode;

use super::answering;
use crate::support::scripted::{Hold, Reply};
use crate::support::strict::{Invocation, SECRET, TOKEN};

#[test]
fn no_output_no_result_and_no_child_shows_a_header_or_a_body() {
    for mode in Mode::ALL {
        for noise in [
            &["-vvv", "--log-format", "json"][..],
            &["--output", "json", "-vvv"],
            &["-q"],
        ] {
            let hold = Hold::default();
            let of_server = hold.clone();
            let server = answering(move |_| {
                of_server.wait();
                Reply::ok("x")
            });
            let running = Invocation::bare(&[
                "run",
                &server.url(),
                "-n",
                "4",
                "-c",
                "2",
                "-X",
                "POST",
                "-m",
                mode.as_str(),
            ])
            .args(&[
                "-H",
                &format!("authorization: Bearer {SECRET}"),
                "-d",
                TOKEN,
            ])
            .args(noise)
            .start();
            server.wait_for(2, |_| true);
            let children = running.children();
            assert_eq!(children.len(), if mode == Mode::Process { 2 } else { 0 });
            for child in children {
                for file in ["environ", "cmdline"] {
                    let shown =
                        std::fs::read(format!("/proc/{}/{file}", child.as_raw_nonzero())).unwrap();
                    let shown = String::from_utf8_lossy(&shown);
                    assert!(
                        !shown.contains(SECRET) && !shown.contains(TOKEN),
                        "{file} of a child"
                    );
                }
            }
            hold.open();
            let said = running.end();
            said.exits(0);
            for request in server.requests() {
                assert_eq!(request.headers["authorization"], format!("Bearer {SECRET}"));
                assert_eq!(request.body, TOKEN.as_bytes());
            }
            let json = said.read(format!("parfetch-results/result_run_{mode}_2.json"));
            assert!(json.contains("\"authorization\""), "its name is stored");
        }
    }
}

#[test]
fn what_fails_shows_no_value_either() {
    for words in [
        &["-H", &format!("x {SECRET}")][..],
        &["-H", &format!("content-length: {SECRET}")],
        &["-H", &format!("x: {SECRET}\u{1}")],
        &["-H", &format!("x: {SECRET}"), "--expect", "nothing"],
        &["-H", &format!("x: {SECRET}"), "-d", TOKEN, "-D", "file"],
    ] {
        let said = Invocation::bare(&["run", "http://127.0.0.1:1/"])
            .args(words)
            .go();
        said.exits(2);
        assert_eq!(said.lines("hint: ").len(), 1, "{}", said.stderr);
    }
    let url = format!("http://user:{SECRET}@127.0.0.1:1/");
    Invocation::bare(&["run", &url]).go().fails(
        2,
        "SOURCE holds a user name or password",
        "send them as a header: -H 'authorization: …'",
    );
    // Nobody listens: the run fails, and says so without a value.
    let said = Invocation::bare(&[
        "run",
        "http://127.0.0.1:1/",
        "-vvv",
        "-H",
        &format!("x: {SECRET}"),
    ])
    .go();
    said.exits(3);
}
