//! What a fill is asked to do, what it gets from outside, and what came of it.

use std::fmt;
use std::num::NonZeroU32;

use tokio::sync::watch::Receiver;

use super::objects::Made;
use crate::estimate::Ask;
use crate::event::FillEvent;
use crate::exit::Signal;
use crate::plan::{Access, KeySample, S3Uri};
use crate::price::PriceList;
use crate::units;

#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// Bucket and prefix of the objects. The prefix is empty or ends with a slash.
    pub target: S3Uri,
    /// The objects.
    pub content: Content,
    /// Whether a bucket that does not exist is made.
    pub missing: Missing,
    /// Whether any size is agreed to.
    pub consent: Consent,
    /// Objects at once.
    pub concurrency: NonZeroU32,
    /// How S3 is reached.
    pub access: Access,
}

/// Where objects come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// They are made.
    Made(Made),
    /// They are copied.
    Copied(Copied),
}

/// Objects that are copied.
#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    /// Bucket and prefix of the originals.
    pub from: S3Uri,
    /// Which of them; none = all.
    pub sample: Option<KeySample>,
}

/// What happens when the bucket does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is made.
    Create,
    /// That is an error.
    Refuse,
}

/// Whether a size was agreed to beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Any size.
    Given,
    /// Whether a person agreed to more than 1 GB.
    Needed,
}

/// What comes from outside.
pub struct FillContext<'a> {
    /// What requests cost.
    pub prices: &'a PriceList,
    /// Set once a signal has come.
    pub signal: Receiver<Option<Signal>>,
    /// Gets every event.
    pub on_event: &'a mut dyn FnMut(&FillEvent),
    /// Asks a person.
    pub ask: Ask<'a>,
}

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            objects: self.objects + other.objects,
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// `2,000 objects, 5.24 GB`
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}",
            units::plural(self.objects, "object"),
            units::bytes(self.bytes)
        )
    }
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// All objects that were asked for.
    pub wanted: Amount,
    /// Stored now.
    pub stored: Amount,
    /// There before, and left.
    pub found: Amount,
    /// Originals that went between listing and copying.
    pub missing: u64,
    /// Originals that cannot be copied.
    pub left_out: LeftOut,
    /// Time of storing, in ns.
    pub elapsed_ns: u64,
    /// What ended it early.
    pub signal: Option<Signal>,
}

/// Originals of the sample that are not copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Larger than one request copies.
    pub large: u64,
    /// In a storage class that cannot be read.
    pub archived: u64,
    /// Whose key is too long behind the prefix.
    pub long: u64,
}

impl LeftOut {
    /// `2 above 5 GiB, 1 archived`; empty when nothing is left out.
    pub fn in_words(self) -> String {
        let Self {
            large,
            archived,
            long,
        } = self;
        let parts = [
            (large, "larger than 5 GiB"),
            (archived, "archived"),
            (long, "with a key too long behind the prefix"),
        ];
        let parts = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", units::count(count)));
        parts.collect::<Vec<_>>().join(", ")
    }
}
