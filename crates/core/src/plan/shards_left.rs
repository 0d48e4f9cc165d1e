//! Which shards are left of a job, as a list that a variable holds: `3,7-12`.

use std::fmt::{self, Display};
use std::str::FromStr;

/// Shards in their order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardsLeft(pub Vec<u32>);

impl Display for ShardsLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut comma = "";
        while let Some(first) = rest.first() {
            let run = rest
                .iter()
                .zip(*first..)
                .take_while(|(shard, next)| *shard == next);
            let length = run.count();
            match rest[length - 1] {
                last if last == *first => write!(f, "{comma}{first}")?,
                last => write!(f, "{comma}{first}-{last}")?,
            }
            (rest, comma) = (&rest[length..], ",");
        }
        Ok(())
    }
}

impl FromStr for ShardsLeft {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a list of shards like 3,7-12");
        let mut shards = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
            let (first, last) = (number(first)?, number(last)?);
            let is_next = shards.last().is_none_or(|before| *before < first);
            // A job has no more children.
            if !is_next || last < first || last >= 10_000 {
                return Err(wrong());
            }
            shards.extend(first..=last);
        }
        Ok(Self(shards))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_from_its_text() {
        for (shards, text) in [
            (vec![3], "3"),
            (vec![0, 1, 2], "0-2"),
            (vec![3, 7, 8, 12], "3,7-8,12"),
        ] {
            assert_eq!(ShardsLeft(shards.clone()).to_string(), text);
            assert_eq!(text.parse(), Ok(ShardsLeft(shards)));
        }
        for wrong in ["", "a", "3,", "3,3", "5-3", "1,0", "0-4294967295", "-1"] {
            assert!(wrong.parse::<ShardsLeft>().is_err(), "{wrong}");
        }
    }
}
