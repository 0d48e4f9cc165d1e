//! What filling takes: objects, bytes, requests and money, and whether somebody has to agree to it first.

use super::request::{Amount, Consent, Content, LeftOut};
use crate::estimate::{ASK_USD, Ask, Usd};
use crate::exit::{Exit, Failure};
use crate::units;

/// From so many bytes on somebody has to agree, on this machine too: they fill a disk.
pub const ASK_BYTES: u64 = 1_000_000_000;

/// What is about to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// `s3://bench/`
    pub target: String,
    /// What is stored there.
    pub content: Content,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Originals that are not copied.
    pub left_out: LeftOut,
    /// Requests that store or copy.
    pub puts: u64,
    /// LIST requests.
    pub lists: u64,
    /// HEAD requests.
    pub heads: u64,
    /// What AWS charges, storage apart; `None` where the store is not AWS, or without a price.
    pub usd: Option<Usd>,
    /// Whether the bucket is made first.
    pub makes_bucket: bool,
    /// Whether the store is on this machine, where nobody pays.
    pub is_on_this_machine: bool,
}

impl Forecast {
    /// Lines for a person, each with its end.
    pub fn in_words(&self) -> String {
        let Self {
            target,
            objects,
            bytes,
            puts,
            lists,
            heads,
            ..
        } = self;
        let [objects, puts, lists, heads] =
            [objects, puts, lists, heads].map(|number| units::count(*number));
        let what = match &self.content {
            Content::Made(made) => format!(
                "{objects} made objects, {}, seed {}",
                made.sizes.in_words(),
                made.seed
            ),
            Content::Copied(copied) => format!("{objects} objects, copied from {}", copied.from),
        };
        let left_out = self.left_out.in_words();
        let left_out = if left_out.is_empty() {
            left_out
        } else {
            format!("left out: {left_out}\n")
        };
        let bucket = if self.makes_bucket {
            "the bucket does not exist and is created\n"
        } else {
            ""
        };
        let verb = self.verb();
        let price = self.usd.as_ref().map_or_else(
            || {
                "unknown, as the store is not at AWS or the price list has no price for it"
                    .to_owned()
            },
            Usd::in_words,
        );
        format!(
            "{target}: {what}\n{bucket}{left_out}bytes: {}\nrequests: {puts} {verb}, {lists} LIST, {heads} HEAD\nprice without storage: {price}\n",
            units::bytes(*bytes)
        )
    }

    /// `fill s3://bench/ with 2,000 objects, 5.24 GB`
    fn deed(&self) -> String {
        format!(
            "fill {} with {}",
            self.target,
            Amount {
                objects: self.objects,
                bytes: self.bytes
            }
        )
    }

    /// `; 2,000 PUT requests; $0.0100 at most: …`, where somebody may have to pay.
    fn cost(&self) -> String {
        if self.is_on_this_machine {
            return String::new();
        }
        let price = self
            .usd
            .as_ref()
            .map_or_else(|| "no price is known".to_owned(), Usd::in_words);
        format!(
            "; {} {} requests; {price}",
            units::count(self.puts),
            self.verb()
        )
    }

    const fn verb(&self) -> &'static str {
        if matches!(self.content, Content::Made(_)) {
            "PUT"
        } else {
            "COPY"
        }
    }

    /// Whether somebody has to agree.
    pub fn needs_asking(&self, consent: Consent) -> bool {
        consent == Consent::Needed
            && (self.bytes > ASK_BYTES
                || self.usd.as_ref().is_some_and(|usd| usd.bound() > ASK_USD))
    }

    /// Goes on when nothing has to be asked, or somebody says yes.
    pub(super) async fn agree(&self, consent: Consent, ask: Ask<'_>) -> Result<(), Failure> {
        if !self.needs_asking(consent) {
            return Ok(());
        }
        let hint = match self.content {
            Content::Made(_) => {
                "--dry-run only looks; fewer --objects or a smaller --size take less"
            }
            Content::Copied(_) => "--dry-run only looks; a smaller --sample takes less",
        };
        let Some(answer) = ask(&format!("{}{}. Continue?", self.deed(), self.cost())) else {
            let price = self
                .usd
                .as_ref()
                .map_or_else(String::new, |usd| format!(", {}", usd.amount()));
            return Err(Failure::new(
                Exit::Usage,
                format!("{}{price}: allow it with --yes", self.deed()),
            )
            .hint(hint));
        };
        match answer.await {
            Ok(true) => Ok(()),
            _ => Err(Failure::new(Exit::Usage, "nothing was stored").hint(hint)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::fill::{Copied, Made, Sizes};

    fn forecast(bytes: u64) -> Forecast {
        Forecast {
            target: "s3://bench/".to_owned(),
            content: Content::Made(Made {
                objects: 2_000.try_into().unwrap(),
                sizes: Sizes::Fixed(2_621_440),
                seed: 1,
            }),
            objects: 2_000,
            bytes,
            left_out: LeftOut::default(),
            puts: 2_000,
            lists: 1,
            heads: 0,
            usd: None,
            makes_bucket: false,
            is_on_this_machine: true,
        }
    }

    #[tokio::test]
    async fn more_than_a_gigabyte_is_asked_for() {
        let mut asked = Vec::new();
        let mut nobody = |question: &str| {
            asked.push(question.to_owned());
            None
        };
        forecast(1_000_000_000)
            .agree(Consent::Needed, &mut nobody)
            .await
            .unwrap();
        forecast(1_000_000_001)
            .agree(Consent::Given, &mut nobody)
            .await
            .unwrap();
        let failure = forecast(5_242_880_000)
            .agree(Consent::Needed, &mut nobody)
            .await
            .unwrap_err();
        assert_eq!(
            (failure.exit, failure.message.as_str()),
            (
                Exit::Usage,
                "fill s3://bench/ with 2,000 objects, 5.24 GB: allow it with --yes"
            )
        );
        assert_eq!(
            asked,
            ["fill s3://bench/ with 2,000 objects, 5.24 GB. Continue?"]
        );
        let elsewhere = Forecast {
            is_on_this_machine: false,
            ..forecast(5_242_880_000)
        };
        assert_eq!(elsewhere.cost(), "; 2,000 PUT requests; no price is known");
        for (answer, is_good) in [(true, true), (false, false)] {
            let mut person = |_: &str| {
                let (sender, receiver) = oneshot::channel();
                sender.send(answer).unwrap();
                Some(receiver)
            };
            assert_eq!(
                forecast(5_242_880_000)
                    .agree(Consent::Needed, &mut person)
                    .await
                    .is_ok(),
                is_good
            );
        }
    }

    #[test]
    fn the_forecast_in_words() {
        assert_eq!(
            forecast(5_242_880_000).in_words(),
            "s3://bench/: 2,000 made objects, 2.62 MB each, seed 1\nbytes: 5.24 GB\nrequests: 2,000 PUT, 1 LIST, 0 HEAD\n\
             price without storage: unknown, as the store is not at AWS or the price list has no price for it\n"
        );
        let copied = Forecast {
            content: Content::Copied(Copied {
                from: "s3://images/2024/".parse().unwrap(),
                sample: None,
            }),
            left_out: LeftOut {
                large: 2,
                ..LeftOut::default()
            },
            makes_bucket: true,
            ..forecast(10)
        };
        assert_eq!(
            copied.in_words().lines().take(3).collect::<Vec<_>>(),
            [
                "s3://bench/: 2,000 objects, copied from s3://images/2024/",
                "the bucket does not exist and is created",
                "left out: 2 larger than 5 GiB"
            ]
        );
    }
}
