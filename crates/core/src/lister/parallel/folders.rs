//! Where folders end: which listings with a delimiter are worth a request, and at which keys they say that the rest can be divided. Pure.
//!
//! All of it is a hint: a wrong one costs a request.

use crate::store::ListPage;

/// What ends a folder's name in a key.
pub(super) const DELIMITER: &str = "/";

/// Folders that are looked into, at the most: the outermost and the innermost of the first page's.
const LOOKS: usize = 8;

/// The folders, from `prefix` inwards, that all keys of the first page lie in.
pub(super) fn around(prefix: &str, first: &ListPage) -> Vec<String> {
    let (Some(a), Some(b)) = (first.keys.first(), first.keys.last()) else {
        return vec![prefix.to_owned()];
    };
    let shared: usize = a
        .key
        .chars()
        .zip(b.key.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let shared = &a.key[..shared];
    let inner = shared
        .match_indices(DELIMITER)
        .map(|(at, slash)| shared[..at + slash.len()].to_owned());
    let mut all: Vec<String> = std::iter::once(prefix.to_owned())
        .chain(inner.filter(|folder| folder.len() > prefix.len()))
        .collect();
    if all.len() > LOOKS {
        all.drain(LOOKS / 2..all.len() - LOOKS / 2);
    }
    all
}

/// Keys at which what is behind `last` can be divided into at most `parts` parts: beginnings of folders, and the end of the innermost one.
pub(super) fn boundaries(
    (folders, pages): (&[String], &[ListPage]),
    last: &str,
    parts: usize,
) -> Vec<String> {
    let mut all: Vec<&String> = pages
        .iter()
        .flat_map(|page| &page.prefixes)
        .filter(|folder| folders.iter().any(|around| folder.starts_with(around)))
        .collect();
    all.sort_unstable();
    all.dedup();
    let passed = all
        .iter()
        .filter(|folder| folder.as_str() <= last && !last.starts_with(folder.as_str()))
        .count();
    let ahead: Vec<&String> = all
        .into_iter()
        .filter(|folder| folder.as_str() > last)
        .collect();
    // The first page has passed so many: the rest is not worth more streams than it has pages.
    let parts = if passed == 0 {
        parts
    } else {
        parts.min(ahead.len().div_ceil(passed))
    };
    let step = ahead.len().div_ceil(parts.max(1)).max(1);
    let mut chosen: Vec<String> = ahead.into_iter().step_by(step).cloned().collect();
    let innermost = folders
        .last()
        .filter(|folder| folder.ends_with(DELIMITER) && last.starts_with(folder.as_str()));
    if let Some(end) = innermost
        .and_then(|folder| behind(folder))
        .filter(|end| end.as_str() > last)
        && !chosen
            .first()
            .is_some_and(|next| next.starts_with(parent(&end)))
    {
        chosen.insert(0, end);
    }
    chosen.sort_unstable();
    chosen
}

/// The least key behind everything in a folder: `a/` → `a0`, which comes next after the slash.
fn behind(folder: &str) -> Option<String> {
    Some(folder.strip_suffix(DELIMITER)?.to_owned() + "0")
}

fn parent(key: &str) -> &str {
    key.rfind(DELIMITER).map_or("", |at| &key[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::KeyRecord;

    fn page(keys: &[&str], prefixes: &[&str]) -> ListPage {
        let keys = keys
            .iter()
            .map(|key| KeyRecord {
                key: (*key).to_owned(),
                ..KeyRecord::default()
            })
            .collect();
        ListPage {
            keys,
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            ..ListPage::default()
        }
    }

    #[test]
    fn the_folders_around_a_page_are_looked_into() {
        assert_eq!(
            around("", &page(&["a/b/c/1", "a/b/d/2"], &[])),
            ["", "a/", "a/b/"]
        );
        assert_eq!(
            around("a/b", &page(&["a/b/c/1", "a/b/c/2"], &[])),
            ["a/b", "a/b/", "a/b/c/"]
        );
        assert_eq!(around("", &page(&["a", "b"], &[])), [""]);
        let deep = "a/".repeat(20);
        let looks = around("", &page(&[&deep, &deep], &[]));
        assert_eq!((looks.len(), looks[3].len(), looks[4].len()), (8, 6, 34));
    }

    #[test]
    fn folders_ahead_divide_the_rest() {
        let looks = [String::new(), "b/".to_owned()];
        let pages = [
            page(&[], &["a/", "b/", "c/", "d/"]),
            page(&[], &["b/1/", "b/2/", "b/3/"]),
        ];
        assert_eq!(boundaries((&looks, &pages), "b/2/x", 31), ["b/3/", "d/"]);
        let pages = [page(&[], &["b/", "c/", "d/", "e/"]), page(&[], &[])];
        assert_eq!(
            boundaries((&looks, &pages), "b/2/x", 31),
            ["c/", "d/", "e/"]
        );
        assert_eq!(boundaries((&looks, &pages), "b/2/x", 2), ["c/", "e/"]);
        // Nothing else is known: the rest of the folder, and what is behind it.
        assert_eq!(boundaries((&looks, &[]), "b/2/x", 31), ["b0"]);
        assert_eq!(boundaries((&looks[..1], &[]), "x", 2), Vec::<String>::new());
    }
}
