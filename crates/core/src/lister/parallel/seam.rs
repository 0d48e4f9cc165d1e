//! Where two ranges meet: does the store list the first key of the second behind the last key of the first? Pure.

use crate::sample::KeyRecord;

/// What the store lists behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// It has not been seen.
    Unknown,
    Nothing,
    Key(String),
}

/// The seam behind a range that has a key.
#[derive(Debug)]
pub(super) struct Seam {
    /// The last key of that range.
    at: String,
    behind: Behind,
    asked: bool,
}

impl Seam {
    pub(super) fn new(at: String, behind: Behind) -> Self {
        Self {
            at,
            behind,
            asked: false,
        }
    }

    /// Whether the next range follows, as far as is known: behind which key it was asked for, and its first key, once it is known. `None` stands for no
    /// range at all.
    pub(super) fn is_closed(&self, next: Option<(&str, Option<&str>)>) -> bool {
        match (&self.behind, next) {
            (Behind::Nothing, None) => true,
            (Behind::Key(key), Some((_, Some(first)))) => key == first,
            // The page behind the very key was the range's first.
            (Behind::Unknown, Some((after, Some(_)))) => after == self.at,
            _ => false,
        }
    }

    /// The key behind which to ask; `None` when that is under way.
    pub(super) fn ask(&mut self) -> Option<String> {
        (!std::mem::replace(&mut self.asked, true)).then(|| self.at.clone())
    }
}

/// Two neighbours in a page. Asked for what is behind the first, a store that begins where it is told to answers with the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    pub(super) key: String,
    pub(super) next: String,
}

impl Neighbours {
    /// Two of one folder: some stores go on behind the folder that they are given a key of.
    pub(super) fn of_a_folder(keys: &[KeyRecord]) -> Option<Self> {
        let folder = |record: &KeyRecord| {
            record
                .key
                .rfind(super::folders::DELIMITER)
                .map(|at| record.key[..at].to_owned())
        };
        let pair = keys
            .windows(2)
            .find(|pair| folder(&pair[0]).is_some_and(|first| folder(&pair[1]) == Some(first)))?;
        Some(Self::of(pair))
    }

    /// Any two.
    pub(super) fn of_a_page(keys: &[KeyRecord]) -> Option<Self> {
        keys.windows(2)
            .nth(keys.len() / 2 - usize::from(keys.len() > 1))
            .map(Self::of)
    }

    fn of(pair: &[KeyRecord]) -> Self {
        Self {
            key: pair[0].key.clone(),
            next: pair[1].key.clone(),
        }
    }
}

/// The store has to list the second of two neighbours behind the first.
pub(super) struct Proof {
    pub(super) neighbours: Neighbours,
    pub(super) asked: bool,
    pub(super) given: bool,
}

impl Proof {
    pub(super) fn of(neighbours: Neighbours) -> Self {
        Self {
            neighbours,
            asked: false,
            given: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seam_is_closed_by_what_was_seen() {
        let seam = |behind| Seam::new("m".to_owned(), behind);
        assert!(seam(Behind::Nothing).is_closed(None));
        assert!(!seam(Behind::Nothing).is_closed(Some(("p", Some("q")))));
        assert!(seam(Behind::Key("q".to_owned())).is_closed(Some(("p", Some("q")))));
        assert!(!seam(Behind::Key("q".to_owned())).is_closed(Some(("p", Some("r")))));
        assert!(!seam(Behind::Key("q".to_owned())).is_closed(None));
        assert!(seam(Behind::Unknown).is_closed(Some(("m", Some("r")))));
        assert!(!seam(Behind::Unknown).is_closed(Some(("n", Some("r")))));
        assert!(!seam(Behind::Unknown).is_closed(Some(("m", None))));
        let mut once = seam(Behind::Unknown);
        assert_eq!((once.ask().as_deref(), once.ask()), (Some("m"), None));
    }

    #[test]
    fn neighbours_are_of_one_folder_where_there_are_such() {
        let page = |keys: &[&str]| {
            keys.iter()
                .map(|key| KeyRecord {
                    key: (*key).to_owned(),
                    ..KeyRecord::default()
                })
                .collect::<Vec<_>>()
        };
        let pair = |key: &str, next: &str| {
            Some(Neighbours {
                key: key.to_owned(),
                next: next.to_owned(),
            })
        };
        assert_eq!(
            Neighbours::of_a_folder(&page(&["a/1", "b/1", "c/1", "e/1", "e/2"])),
            pair("e/1", "e/2")
        );
        assert_eq!(
            Neighbours::of_a_folder(&page(&["a/1", "b/1", "c", "d"])),
            None
        );
        assert_eq!(
            Neighbours::of_a_page(&page(&["a", "b", "c", "d"])),
            pair("b", "c")
        );
        assert_eq!(Neighbours::of_a_page(&page(&["a", "b"])), pair("a", "b"));
        assert_eq!(Neighbours::of_a_page(&page(&["a"])), None);
        assert_eq!(Neighbours::of_a_page(&[]), None);
    }
}
