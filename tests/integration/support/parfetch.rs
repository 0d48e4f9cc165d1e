//! The built program, run with an environment that holds what a test gives it and nothing else.

use std::path::Path;
use std::time::Duration;

use super::source::Source;

/// After this a run counts as hung and is killed.
const DEADLINE: Duration = Duration::from_mins(10);

/// One run of the program, being put together.
pub(crate) struct Parfetch(assert_cmd::Command);

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code; none when a signal ended it.
    pub(crate) exit: Option<i32>,
    /// Everything on stdout.
    pub(crate) stdout: String,
    /// Everything on stderr.
    pub(crate) stderr: String,
}

impl Parfetch {
    /// With nothing in its environment.
    pub(crate) fn new() -> Self {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_parfetch"));
        command.env_clear().timeout(DEADLINE);
        Self(command)
    }

    /// `parfetch run` over a source: keys, endpoint and buckets by their variables.
    pub(crate) fn run(source: &Source) -> Self {
        let at = &source.endpoint;
        let mut this = Self::new()
            .env("AWS_ACCESS_KEY_ID", &at.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &at.secret_key)
            .env("AWS_REGION", &at.region)
            .env("AWS_ENDPOINT_URL", &at.url)
            .env("BUCKET_NAME", &source.bucket)
            .env("RESULT_BUCKET_NAME", &source.results)
            .env("PARFETCH_PROGRESS", "never");
        if !source.prefix.is_empty() {
            this = this.env("PARFETCH_PREFIX", &source.prefix);
        }
        this.arg("run")
    }

    /// One variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// One argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<str>) -> Self {
        self.0.arg(argument.as_ref());
        self
    }

    /// Several arguments.
    pub(crate) fn args<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Keeps the results in this folder.
    pub(crate) fn out(self, folder: &Path) -> Self {
        self.args([
            "--out",
            folder.to_str().expect("temporary folders have plain names"),
        ])
    }

    /// Runs it, and fails the test when it ends with another exit code.
    #[track_caller]
    pub(crate) fn exits(mut self, code: i32) -> Ran {
        let output = self.0.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran {
            exit: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert_eq!(ran.exit, Some(code), "{}\n{}", ran.stdout, ran.stderr);
        ran
    }
}
