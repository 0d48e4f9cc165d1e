//! What a plan has too little of for a recommendation, what mends it, and how that is said.

use crate::analysis::FirstLook;
use crate::plan::{Access, S3Uri};
use crate::shell;
use crate::units::{self, SECOND_NS, plural};

/// What a plan has too little of.
#[derive(Clone, Debug, PartialEq)]
pub struct TooLittle {
    /// Why nothing would be recommended.
    pub(super) why: FirstLook,
    /// What mends it.
    pub mend: Mend,
}

/// What makes enough of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Mend {
    /// This setting of the sweep.
    Setting(&'static str, String),
    /// More objects: a contender reads all of them, and once.
    Objects {
        /// How many.
        objects: u64,
        /// Of so many bytes each.
        bytes: u64,
    },
}

impl TooLittle {
    /// Whether runs are too short.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(self.why, FirstLook::Short(_))
    }

    /// `2 repetitions of each configuration are too few: the report recommends nothing from fewer than 6`
    pub fn why(&self) -> String {
        match self.why {
            FirstLook::Repetitions(repetitions) => {
                let are = if repetitions == 1 { "is" } else { "are" };
                format!(
                    "{} of each configuration {are} too few: the report recommends nothing from fewer than {}",
                    plural(repetitions as u64, "repetition"),
                    FirstLook::REPETITIONS
                )
            }
            FirstLook::Short(seconds) => format!(
                "the fastest runs may fetch for only {}: {TOO_SHORT}",
                about(seconds)
            ),
            FirstLook::Unlike(_) => "the objects are unlike those of the bucket".to_owned(),
        }
    }

    /// The same, and what mends it: `… (--repeat 6)`
    pub fn in_words(&self) -> String {
        let why = self.why();
        match &self.mend {
            Mend::Setting(flag, value) => format!("{why} (--{flag} {value})"),
            Mend::Objects { .. } => format!(
                "{why}. A contender reads every object once, so it takes more or larger objects"
            ),
        }
    }

    /// The line that makes a bucket with enough objects, where that is what it takes. Not in the source, which is only read; none for the embedded server.
    pub fn fill_line(&self, source: &str, access: &Access) -> Option<String> {
        let Mend::Objects { objects, bytes } = self.mend else {
            return None;
        };
        if source.is_empty() {
            return None;
        }
        let place = S3Uri {
            bucket: format!("{source}-large"),
            key: String::new(),
        };
        let (objects, size) = (objects.to_string(), bytes.to_string());
        let words = [
            "parfetch",
            "fill",
            &place.to_string(),
            "--objects",
            &objects,
            "--size",
            &size,
            "--create-bucket",
        ]
        .map(str::to_owned);
        let words: Vec<String> = words.into_iter().chain(access.words()).collect();
        Some(shell::line(words.iter().map(String::as_str)))
    }
}

pub(super) const TOO_SHORT: &str = "the report recommends nothing from runs under 1 s";

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fractions of a second"
)]
pub(super) fn about(seconds: f64) -> String {
    units::duration((seconds * SECOND_NS as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(mend: Mend) -> TooLittle {
        TooLittle {
            why: FirstLook::of_seconds(0.119).unwrap(),
            mend,
        }
    }

    #[test]
    fn it_says_what_is_too_little_and_what_mends_it() {
        let of_time = short(Mend::Setting("duration", "5s".to_owned()));
        assert_eq!(
            of_time.in_words(),
            "the fastest runs may fetch for only 119 ms: the report recommends nothing from runs under 1 s (--duration 5s)"
        );
        assert_eq!(of_time.fill_line("source", &Access::default()), None);
        let few = TooLittle {
            why: FirstLook::of_repetitions(1).unwrap(),
            mend: Mend::Setting("repeat", "6".to_owned()),
        };
        assert_eq!(
            few.in_words(),
            "1 repetition of each configuration is too few: the report recommends nothing from fewer than 6 (--repeat 6)"
        );
    }

    #[test]
    fn a_contender_takes_more_objects_in_another_bucket() {
        let objects = short(Mend::Objects {
            objects: 6_000,
            bytes: 397_000,
        });
        let access = Access {
            endpoint_url: Some("http://127.0.0.1:9000".to_owned()),
            ..Access::default()
        };
        assert_eq!(
            objects.fill_line("source", &access).as_deref(),
            Some(
                "parfetch fill s3://source-large/ --objects 6000 --size 397000 --create-bucket --endpoint-url http://127.0.0.1:9000"
            )
        );
    }
}
