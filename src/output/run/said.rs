//! Sentences about a run, each with what it means for its colour.

/// What a sentence means, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// The one thing to read.
    Strong,
    Caution,
    Bad,
    /// A line to paste: never broken.
    Command,
}

/// A sentence or a line to paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// A sentence that only informs.
pub(super) fn plain(text: impl Into<String>) -> Said {
    Said {
        tone: Tone::Plain,
        text: text.into(),
    }
}
