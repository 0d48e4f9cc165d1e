//! Values as secrets, env files and servers give them: with line ends, quotes, names of other things. Cut or refused by name, never a panic.

use crate::support::scripted::{Reply, Scripted};
use crate::support::strict::{Invocation, SECRET, TOKEN};

const TIP: &str = "write the value on one line, without line ends in or around it";

#[test]
fn line_ends_and_blanks_around_values_are_cut() {
    for (client, mode) in [("lean", "async"), ("sdk", "thread"), ("lean", "process")] {
        let server = Scripted::start(3, |_| None);
        let (secret, token) = (format!("{SECRET}\n"), format!("{TOKEN}\r\n"));
        let mode = format!(" {mode}\r");
        let said = Invocation::run(&server)
            .env(&[
                ("AWS_ACCESS_KEY_ID", "AKIDTEST\n"),
                ("AWS_SECRET_ACCESS_KEY", &secret),
                ("AWS_SESSION_TOKEN", &token),
            ])
            .env(&[
                ("AWS_REGION", "us-east-1\r\n"),
                ("AWS_ENDPOINT_URL", &format!("{}\n", server.url())),
                ("BUCKET_NAME", "source\r"),
            ])
            .env(&[
                ("CONCURRENCY", "1\r\n"),
                ("MODE", &mode),
                ("PARFETCH_CLIENT", &format!("{client}\n")),
                ("HTTPS_PROXY", " "),
            ])
            .go();
        said.exits(0);
        assert!(
            server
                .requests()
                .iter()
                .all(|request| request.headers["authorization"].contains("Credential=AKIDTEST/")),
            "{client} {mode}"
        );
        assert!(
            server
                .requests()
                .iter()
                .all(|request| request.headers["x-amz-security-token"] == TOKEN),
            "{client} {mode}"
        );
    }
}

#[test]
fn what_is_still_no_value_is_refused_by_name_and_not_shown() {
    let refused = |variable: (&str, &str), error: &str, hint: &str| {
        let said = Invocation::new(&["run", "-o", "out"])
            .env(&[("BUCKET_NAME", "source"), variable])
            .go();
        said.fails(2, error, hint);
    };
    refused(
        ("AWS_ACCESS_KEY_ID", "AK\nID"),
        "AWS_ACCESS_KEY_ID contains a line end",
        TIP,
    );
    refused(
        ("AWS_SECRET_ACCESS_KEY", "a\x1bb"),
        "AWS_SECRET_ACCESS_KEY contains a control character",
        TIP,
    );
    refused(
        ("BUCKET_NAME", "so\rurce"),
        "BUCKET_NAME contains a line end",
        TIP,
    );
    refused(
        ("PARFETCH_PREFIX", "logs/\n"),
        "PARFETCH_PREFIX begins or ends with a line end or control character",
        TIP,
    );
    let region = "a region is like eu-west-1: letters, digits and - _ . without quotes";
    refused(
        ("AWS_REGION", "\"us-east-1\""),
        "AWS_REGION is `\"us-east-1\"`, which is not a region's name",
        region,
    );
    let bucket = "a bucket's name has letters, digits and - _ . without quotes";
    refused(
        ("BUCKET_NAME", "\"source\""),
        "BUCKET_NAME is `\"source\"`, which is not a bucket's name",
        bucket,
    );
    let arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/myap";
    let error = format!("BUCKET_NAME is `{arn}`, and ARNs are not taken");
    refused(
        ("BUCKET_NAME", arn),
        &error,
        "use the access point's alias, which ends in -s3alias",
    );
    let mrap = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap";
    let said = Invocation::new(&["run", "-o", "out", "-b", mrap, "--client", "sdk"]).go();
    said.exits(2);
    assert!(
        said.stderr.contains("--bucket is `arn:")
            && said
                .stderr
                .contains("multi-region access points are not supported"),
        "{}",
        said.stderr
    );
}

#[test]
fn an_endpoint_never_shows_what_may_be_a_secret() {
    let plain = "write it like http://127.0.0.1:9000 or https://s3.example.com";
    let refused = |url: &str, error: &str, hint: &str| {
        Invocation::new(&["run", "-o", "out", "-b", "source", "--endpoint-url", url])
            .go()
            .fails(2, error, hint);
    };
    refused(
        &format!("user:{SECRET}@h:9000"),
        "--endpoint-url holds a user name or password",
        plain,
    );
    let query = format!("leave out what follows the path; {plain}");
    refused(
        &format!("http://h/?token={SECRET}"),
        "--endpoint-url holds a query or a fragment",
        &query,
    );
    refused(
        "h:9000",
        "--endpoint-url is `h:9000`, which is not a URL",
        "write the scheme in front: http://h:9000 or https://h:9000",
    );
}

#[test]
fn credentials_from_programs_and_files_are_checked_too() {
    let server = Scripted::start(2, |_| None);
    let with = |json: &str| {
        let config = format!(
            "[default]\nregion = us-east-1\ncredential_process = printf '{}'\n",
            json.replace('\\', "\\\\")
        );
        let invocation = Invocation::bare(&["run"]).file("profile", config);
        let config = invocation.folder().join("profile").display().to_string();
        let said = [
            ("AWS_CONFIG_FILE", config.as_str()),
            ("AWS_ENDPOINT_URL", &server.url()),
            ("BUCKET_NAME", "source"),
            ("CONCURRENCY", "1"),
        ];
        invocation.env(&said).args(&["-o", "out"]).go()
    };
    with(r#"{"Version":1,"AccessKeyId":"AKID\n","SecretAccessKey":"s\r\n"}"#).exits(0);
    let said = with(r#"{"Version":1,"AccessKeyId":"AK\nID","SecretAccessKey":"s"}"#);
    said.exits(4);
    assert_eq!(
        said.lines("error: "),
        ["no usable credentials: the access key ID contains a line end"]
    );
}

#[test]
fn a_region_in_a_profile_is_checked() {
    let server = Scripted::start(1, |_| None);
    let invocation = Invocation::run(&server)
        .unset(&["AWS_REGION"])
        .file("profile", "[default]\nregion = us east\n");
    let config = invocation.folder().join("profile").display().to_string();
    let hint = "a region is like eu-west-1: letters, digits and - _ . without quotes";
    invocation.env(&[("AWS_CONFIG_FILE", &config)]).go().fails(
        4,
        "the region in the profile is `us east`, which is not a region's name",
        hint,
    );
}

#[test]
fn a_region_in_an_answer_is_checked() {
    let server = Scripted::start(1, |request| {
        let xml = "<?xml version=\"1.0\"?><Error><Code>PermanentRedirect</Code><Message>Gone.</Message><Region>a\u{1b}b</Region></Error>";
        request.is_listing().then(|| {
            Reply::Answer(
                301,
                vec![("content-type", "application/xml".to_owned())],
                xml.as_bytes().to_vec(),
            )
        })
    });
    let said = Invocation::run(&server)
        .unset(&["RESULT_BUCKET_NAME"])
        .args(&["-o", "out"])
        .go();
    let error = "cannot list s3://source: the bucket is in another region, which the answer calls `a\\u{1b}b` (PermanentRedirect)";
    said.fails(4, error, "set AWS_REGION to the bucket's region");
}

#[test]
fn an_empty_endpoint_is_unset_for_every_service() {
    for empty in ["", " \n"] {
        let cloud = Scripted::start(0, |_| Some(Reply::error(400, "ValidationError")));
        // Where the variable is not set, that of the profile counts. An endpoint of the service alone would hide it.
        let invocation =
            Invocation::new(&["submit", "--stack", "none", "--shards", "2", "--dry-run"]).file(
                "profile",
                format!("[default]\nendpoint_url = {}\n", cloud.url()),
            );
        let config = invocation.folder().join("profile").display().to_string();
        let said = invocation
            .env(&[
                ("AWS_ENDPOINT_URL", empty),
                ("AWS_CONFIG_FILE", &config),
                ("AWS_PROFILE", ""),
            ])
            .go();
        said.exits(4);
        assert!(!cloud.requests().is_empty(), "{}", said.stderr);
    }
}

#[test]
fn an_endpoint_under_a_path_needs_no_last_slash() {
    for (client, slash) in [("lean", ""), ("sdk", ""), ("lean", "/"), ("sdk", "/")] {
        let server = Scripted::start(0, |request| {
            match request.path().strip_prefix("s3/source") {
                Some("" | "/") if request.is_listing() => {
                    Some(Reply::page(&["a", "b"], "<IsTruncated>false</IsTruncated>"))
                }
                Some("/a" | "/b") => Some(Reply::ok("x")),
                _ => Some(Reply::error(404, "NotFound")),
            }
        });
        let url = format!("{}/s3{slash}", server.url());
        let said = Invocation::run_at(&url)
            .unset(&["RESULT_BUCKET_NAME"])
            .args(&["-o", "out", "--client", client])
            .go();
        said.exits(0);
        assert_eq!(
            server
                .requests()
                .iter()
                .filter(|request| request.is_fetch())
                .count(),
            2,
            "{client} {slash}"
        );
    }
}
