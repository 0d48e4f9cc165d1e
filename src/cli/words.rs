//! What is not a flag: the words of a subcommand, and the place that one of them may name.

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
    /// Whether URLs of web servers may stand there instead.
    pub(super) urls: bool,
    /// Which of them, counted from 0, is a place that settings name as well.
    pub(super) place: Option<(usize, BucketSettings)>,
}

pub(super) const NO_WORDS: Words = Words {
    names: &[],
    usage: "",
    most: 0,
    help: "",
    choices: &[],
    urls: false,
    place: None,
};

/// A place that two settings name: a bucket and what keys in it begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketSettings {
    /// How its word is called.
    pub(super) word: &'static str,
    /// The setting of the bucket.
    pub(super) bucket: &'static str,
    /// The setting of the prefix.
    pub(super) prefix: &'static str,
    /// A setting whose variable gives way to a word.
    pub(super) below: Option<&'static str>,
    /// Whether the prefix is a folder, so that a slash belongs behind it.
    pub(super) holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Keys,
    Files,
}

/// What is fetched.
pub(super) const SOURCE: BucketSettings = BucketSettings {
    word: "SOURCE",
    bucket: "bucket",
    prefix: "prefix",
    below: Some("embedded"),
    holds: Holds::Keys,
};
/// Where results go. `report s3://results/laptop` reads the folder `laptop`, so that is where they go.
pub(super) const RESULTS: BucketSettings = BucketSettings {
    word: "S3_URI",
    bucket: "result-bucket",
    prefix: "result-prefix",
    below: None,
    holds: Holds::Files,
};
