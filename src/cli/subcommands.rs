//! The subcommands that take settings: their tables, words and texts, in the order of the help.

use super::invocation::Invocation;
use super::pages::{self, MAN, SHELLS};
use super::raw::Raw;
use super::setting::Setting;
use super::words::{NO_WORDS, RESULTS, SOURCE, Words};
use super::{doctor, fill, reports, run, serve, submit, sweeps, tune, upload};

/// A word after `parfetch`, with the settings that it takes and its help.
#[derive(Clone, Copy, Debug)]
pub struct Subcommand {
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub(super) invocation: fn(Raw) -> Invocation,
    /// Its settings.
    pub settings: &'static [Setting],
    /// What is not a flag.
    pub(super) words: Option<Words>,
    /// One sentence.
    pub(super) about: &'static str,
    /// Stands at the end of `--help`.
    pub(super) examples: &'static str,
    /// Stands at the end of `-h`.
    pub(super) brief_examples: &'static str,
}

/// What a tune and a job fetch.
const SOURCE_WORD: Option<Words> = Some(Words {
    names: &["SOURCE"],
    usage: "[SOURCE]",
    most: 1,
    help: "What to fetch: s3://bucket or s3://bucket/prefix",
    place: Some((0, SOURCE)),
    ..NO_WORDS
});

/// A bucket, or several URLs.
const SOURCE_WORDS: Option<Words> = Some(Words {
    names: &["SOURCE"],
    usage: "[SOURCE]",
    most: usize::MAX,
    help: "What to fetch: s3://bucket, s3://bucket/prefix, or URLs",
    urls: true,
    place: Some((0, SOURCE)),
    ..NO_WORDS
});

/// Files, folders or prefixes of a bucket.
const READ: &str = "Files, folders or s3://bucket/prefix";

/// In the order of the help.
pub const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "tune",
        invocation: Invocation::Tune,
        settings: tune::TUNE,
        words: SOURCE_WORDS,
        about: tune::TUNE_ABOUT,
        examples: tune::TUNE_EXAMPLES,
        brief_examples: tune::TUNE_BRIEF,
    },
    Subcommand {
        name: "run",
        invocation: Invocation::Run,
        settings: run::RUN,
        words: Some(Words {
            names: &["SOURCE"],
            usage: "[SOURCE]",
            most: usize::MAX,
            help: "What to fetch: s3://bucket, s3://bucket/prefix, or URLs of one web server (http://…, https://…)",
            urls: true,
            place: Some((0, SOURCE)),
            ..NO_WORDS
        }),
        about: run::RUN_ABOUT,
        examples: run::RUN_EXAMPLES,
        brief_examples: run::RUN_BRIEF,
    },
    Subcommand {
        name: "sweep",
        invocation: Invocation::Sweep,
        settings: sweeps::SWEEP,
        words: SOURCE_WORDS,
        about: sweeps::SWEEP_ABOUT,
        examples: sweeps::SWEEP_EXAMPLES,
        brief_examples: sweeps::SWEEP_BRIEF,
    },
    Subcommand {
        name: "report",
        invocation: Invocation::Report,
        settings: reports::REPORT,
        words: Some(Words {
            names: &["SOURCE"],
            usage: "[SOURCE]...",
            most: usize::MAX,
            help: "Files, folders or s3://bucket/prefix; without one ./parfetch-results, of which the newest sweep is shown",
            ..NO_WORDS
        }),
        about: reports::REPORT_ABOUT,
        examples: reports::REPORT_EXAMPLES,
        brief_examples: reports::REPORT_BRIEF,
    },
    Subcommand {
        name: "compare",
        invocation: Invocation::Compare,
        settings: reports::COMPARE,
        words: Some(Words {
            names: &["BASE", "NEW"],
            usage: "<BASE> [NEW]",
            most: 2,
            help: READ,
            ..NO_WORDS
        }),
        about: reports::COMPARE_ABOUT,
        examples: reports::COMPARE_EXAMPLES,
        brief_examples: reports::COMPARE_BRIEF,
    },
    Subcommand {
        name: "submit",
        invocation: Invocation::Submit,
        settings: submit::SUBMIT,
        words: SOURCE_WORD,
        about: submit::SUBMIT_ABOUT,
        examples: submit::SUBMIT_EXAMPLES,
        brief_examples: submit::SUBMIT_BRIEF,
    },
    Subcommand {
        name: "upload",
        invocation: Invocation::Upload,
        settings: upload::UPLOAD,
        words: Some(Words {
            names: &["DIR", "S3_URI"],
            usage: "<DIR> [S3_URI]",
            most: 2,
            help: "The folder, and where its files go: s3://bucket/folder",
            place: Some((1, RESULTS)),
            ..NO_WORDS
        }),
        about: upload::UPLOAD_ABOUT,
        examples: upload::UPLOAD_EXAMPLES,
        brief_examples: upload::UPLOAD_BRIEF,
    },
    Subcommand {
        name: "fill",
        invocation: Invocation::Fill,
        settings: fill::FILL,
        words: Some(Words {
            names: &["S3_URI"],
            usage: "<S3_URI>",
            most: usize::MAX,
            help: "The bucket to fill, and the prefix of its new keys: s3://bucket/prefix/",
            ..NO_WORDS
        }),
        about: fill::FILL_ABOUT,
        examples: fill::FILL_EXAMPLES,
        brief_examples: fill::FILL_BRIEF,
    },
    Subcommand {
        name: "serve",
        invocation: Invocation::Serve,
        settings: serve::SERVE,
        words: None,
        about: serve::SERVE_ABOUT,
        examples: serve::SERVE_EXAMPLES,
        brief_examples: serve::SERVE_BRIEF,
    },
    Subcommand {
        name: "doctor",
        invocation: Invocation::Doctor,
        settings: doctor::DOCTOR,
        words: Some(Words {
            names: &["SOURCE"],
            usage: "[SOURCE]",
            most: 1,
            help: "The source: s3://bucket or s3://bucket/prefix",
            place: Some((0, SOURCE)),
            ..NO_WORDS
        }),
        about: doctor::DOCTOR_ABOUT,
        examples: doctor::DOCTOR_EXAMPLES,
        brief_examples: doctor::DOCTOR_BRIEF,
    },
    Subcommand {
        name: "completions",
        invocation: Invocation::Completions,
        settings: &[],
        words: Some(Words {
            names: &["SHELL"],
            usage: "<SHELL>",
            most: 1,
            help: "bash, elvish, fish, powershell or zsh",
            choices: SHELLS,
            ..NO_WORDS
        }),
        about: pages::COMPLETIONS_ABOUT,
        examples: pages::COMPLETIONS_EXAMPLES,
        brief_examples: pages::COMPLETIONS_EXAMPLES,
    },
    Subcommand {
        name: "man",
        invocation: Invocation::Man,
        settings: MAN,
        words: Some(Words {
            names: &["COMMAND"],
            usage: "[COMMAND]",
            most: 1,
            help: "A subcommand; without one the page of parfetch",
            ..NO_WORDS
        }),
        about: pages::MAN_ABOUT,
        examples: pages::MAN_EXAMPLES,
        brief_examples: pages::MAN_EXAMPLES,
    },
];
