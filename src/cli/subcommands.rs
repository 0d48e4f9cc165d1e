//! The subcommands that take settings: their tables, words and texts, in the order of the help.

use super::generated::SHELLS;
use super::places::{Place, RESULTS, SOURCE};
use super::table::{self, MAN, RUN, SERVE, Setting, UPLOAD};
use super::{COMPARE, DOCTOR, FILL, REPORT, SUBMIT, SWEEP, doctor, fill, reports, submit, sweeps};

/// One subcommand.
#[derive(Clone, Copy, Debug)]
pub struct Subcommand {
    /// Its name.
    pub name: &'static str,
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

/// The words of a subcommand that are not flags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// How each is called.
    pub(super) names: &'static [&'static str],
    /// How the usage shows them all.
    pub(super) usage: &'static str,
    /// How many there may be.
    pub(super) most: usize,
    /// What they are.
    pub(super) help: &'static str,
    /// What they may be, where they may be nothing else.
    pub(super) choices: &'static [&'static str],
    /// Which of them, counted from 0, is a place that settings name as well.
    pub(super) place: Option<(usize, Place)>,
}

const NO_WORDS: Words = Words {
    names: &[],
    usage: "",
    most: 0,
    help: "",
    choices: &[],
    place: None,
};

/// What a run, a sweep and a job fetch.
const SOURCE_WORD: Option<Words> = Some(Words {
    names: &["SOURCE"],
    usage: "[SOURCE]",
    most: 1,
    help: "What to fetch: s3://bucket or s3://bucket/prefix",
    place: Some((0, SOURCE)),
    ..NO_WORDS
});

/// Files, folders or prefixes of a bucket.
const READ: &str = "Files, folders or s3://bucket/prefix";

/// All of them.
pub const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "run",
        settings: RUN,
        words: SOURCE_WORD,
        about: table::RUN_ABOUT,
        examples: table::RUN_EXAMPLES,
        brief_examples: table::RUN_BRIEF,
    },
    Subcommand {
        name: "sweep",
        settings: SWEEP,
        words: SOURCE_WORD,
        about: sweeps::SWEEP_ABOUT,
        examples: sweeps::SWEEP_EXAMPLES,
        brief_examples: sweeps::SWEEP_BRIEF,
    },
    Subcommand {
        name: "report",
        settings: REPORT,
        words: Some(Words {
            names: &["SOURCE"],
            usage: "<SOURCE>...",
            most: usize::MAX,
            help: READ,
            ..NO_WORDS
        }),
        about: reports::REPORT_ABOUT,
        examples: reports::REPORT_EXAMPLES,
        brief_examples: reports::REPORT_BRIEF,
    },
    Subcommand {
        name: "compare",
        settings: COMPARE,
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
        settings: SUBMIT,
        words: SOURCE_WORD,
        about: submit::SUBMIT_ABOUT,
        examples: submit::SUBMIT_EXAMPLES,
        brief_examples: submit::SUBMIT_BRIEF,
    },
    Subcommand {
        name: "upload",
        settings: UPLOAD,
        words: Some(Words {
            names: &["DIR", "S3_URI"],
            usage: "<DIR> [S3_URI]",
            most: 2,
            help: "The folder, and where its files go: s3://bucket/folder",
            place: Some((1, RESULTS)),
            ..NO_WORDS
        }),
        about: table::UPLOAD_ABOUT,
        examples: table::UPLOAD_EXAMPLES,
        brief_examples: table::UPLOAD_BRIEF,
    },
    Subcommand {
        name: "fill",
        settings: FILL,
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
        settings: SERVE,
        words: None,
        about: table::SERVE_ABOUT,
        examples: table::SERVE_EXAMPLES,
        brief_examples: table::SERVE_BRIEF,
    },
    Subcommand {
        name: "doctor",
        settings: DOCTOR,
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
        settings: &[],
        words: Some(Words {
            names: &["SHELL"],
            usage: "<SHELL>",
            most: 1,
            help: "bash, elvish, fish, powershell or zsh",
            choices: SHELLS,
            ..NO_WORDS
        }),
        about: table::COMPLETIONS_ABOUT,
        examples: table::COMPLETIONS_EXAMPLES,
        brief_examples: table::COMPLETIONS_EXAMPLES,
    },
    Subcommand {
        name: "man",
        settings: MAN,
        words: Some(Words {
            names: &["COMMAND"],
            usage: "[COMMAND]",
            most: 1,
            help: "A subcommand; without one the page of parfetch",
            ..NO_WORDS
        }),
        about: table::MAN_ABOUT,
        examples: table::MAN_EXAMPLES,
        brief_examples: table::MAN_EXAMPLES,
    },
];
