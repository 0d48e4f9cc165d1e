//! What a run or a sweep is about to fetch and to cost, and whether somebody has to agree to it first. Pure, but for the waiting for an answer.

mod words;

use tokio::sync::oneshot::Receiver;

pub use words::time;

use crate::exit::{Exit, Failure};
use crate::price::{Egress, PriceList, StoredClass};
use crate::units;

/// From so many bytes on somebody has to agree.
pub const ASK_BYTES: u64 = 20_000_000_000;
/// From so many US dollars on somebody has to agree.
pub const ASK_USD: f64 = 1.0;

/// What somebody agreed to beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// To whatever it is (`--yes`).
    pub yes: bool,
    /// To so many bytes, and no more (`--max-bytes`).
    pub max_bytes: Option<u64>,
}

/// What was agreed to, and where the bytes are thought to go until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostPolicy {
    /// What was agreed to.
    pub approval: Approval,
    /// Where the bytes are thought to go: to the internet, unless something else was said.
    pub egress: Egress,
}

/// Whether money may be spent on tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CostConsent {
    /// Nobody said so: the forecast is shown.
    NotGiven,
    /// As much as it takes.
    Given,
    /// Up to so many USD.
    UpTo(f64),
}

/// Asks a person, and returns where the answer will come; none when nobody is there.
pub type Ask<'a> = &'a mut dyn FnMut(&str) -> Option<Receiver<bool>>;

/// Bytes that are about to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// As listed.
    Listed(u64),
    /// As many as fit into the time that ends a run, by an assumed rate.
    Assumed(u64),
    /// Sizes of keys are not known.
    Unknown,
}

impl Bytes {
    /// Their number, as far as there is one.
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::Listed(bytes) | Self::Assumed(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }

    /// So many times as many.
    #[must_use]
    pub const fn times(self, runs: u64) -> Self {
        match self {
            Self::Listed(bytes) => Self::Listed(bytes.saturating_mul(runs)),
            Self::Assumed(bytes) => Self::Assumed(bytes.saturating_mul(runs)),
            Self::Unknown => Self::Unknown,
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Listed(bytes) => units::bytes(bytes),
            Self::Assumed(bytes) => format!("about {}", units::bytes(bytes)),
            Self::Unknown => "an unknown number of bytes".to_owned(),
        }
    }
}

/// What AWS will charge for reading, by list prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Usd {
    /// GET and LIST requests.
    pub requests: f64,
    /// The other region whose prices of requests were taken, where the bucket's own has none.
    pub requests_of: Option<String>,
    /// Retrieval, for storage classes that charge for it.
    pub retrieval: f64,
    /// Egress; `None` where the list has no price.
    pub egress: Option<f64>,
    /// Egress at the highest price that the list has of any region.
    pub dearest_egress: f64,
    /// Where to.
    pub to: Egress,
    /// Region of the bucket.
    pub region: String,
    /// Date of the list.
    pub dated: String,
}

impl Usd {
    /// For so many times as much.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            requests: self.requests * factor,
            retrieval: self.retrieval * factor,
            egress: self.egress.map(|usd| usd * factor),
            dearest_egress: self.dearest_egress * factor,
            ..self
        }
    }

    /// All of it, and egress without a price as dear as it is anywhere: what is unknown is not free.
    pub fn bound(&self) -> f64 {
        self.requests + self.retrieval + self.egress.unwrap_or(self.dearest_egress)
    }

    /// `$2.89 at most`, or what is known and what is missing.
    pub fn amount(&self) -> String {
        let known = self.requests + self.retrieval + self.egress.unwrap_or(0.0);
        let known = format!("${}", units::three_digits(known));
        match self.egress {
            Some(_) => format!("{known} at most"),
            None => format!(
                "{known} and {}, which has no price in the list",
                self.to.in_words()
            ),
        }
    }

    /// `$2.89 at most: egress to the internet $2.84, requests $0.05 (eu-central-1, prices of 2026-11-25)`
    pub fn in_words(&self) -> String {
        let dollars = |usd: f64| format!("${}", units::three_digits(usd));
        let mut parts = Vec::new();
        if let Some(usd) = self.egress.filter(|_| self.to != Egress::None) {
            parts.push(format!("{} {}", self.to.in_words(), dollars(usd)));
        }
        if self.retrieval > 0.0 {
            parts.push(format!("retrieval {}", dollars(self.retrieval)));
        }
        let of = self
            .requests_of
            .as_ref()
            .map_or_else(String::new, |region| format!(" as in {region}"));
        parts.push(format!("requests {}{of}", dollars(self.requests)));
        format!(
            "{}: {} ({}, prices of {})",
            self.amount(),
            parts.join(", "),
            self.region,
            self.dated
        )
    }
}

/// What of a run is paid by the request or by the byte.
#[derive(Clone, Debug)]
pub struct Paid<'a> {
    /// Region of the bucket.
    pub region: &'a str,
    /// GET requests.
    pub gets: u64,
    /// LIST requests.
    pub lists: u64,
    /// Bytes.
    pub bytes: Bytes,
    /// Where they go.
    pub egress: Egress,
    /// Storage classes of the keys that are fetched; empty = STANDARD.
    pub classes: Vec<StoredClass<'a>>,
}

/// Its price; `None` where the list has none for the requests.
pub fn usd(paid: &Paid<'_>, prices: &PriceList) -> Option<Usd> {
    let mix = prices.mix(paid.region, paid.classes.iter().copied()).ok()?;
    let bytes = paid.bytes.number().unwrap_or(0) as f64;
    Some(Usd {
        requests: paid.gets as f64 * mix.usd_per_get + paid.lists as f64 * mix.usd_per_list,
        requests_of: mix.of_region,
        retrieval: bytes * mix.usd_per_byte_retrieved,
        egress: prices.egress_usd(paid.region, paid.egress, bytes),
        dearest_egress: prices.dearest_egress_usd(paid.egress, bytes),
        to: paid.egress,
        region: paid.region.to_owned(),
        dated: prices.dated().to_owned(),
    })
}

/// What is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EstimateSource {
    /// A bucket.
    #[default]
    Bucket,
    /// A web server, which asks for no money that is known here.
    WebServer,
}

/// Runs of programs that do not say what they read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncountedRuns {
    /// How many.
    pub runs: u64,
    /// Names of the programs: `app, tool`.
    pub programs: String,
}

/// What is about to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// What it is: `run` or `sweep`.
    pub what: &'static str,
    /// Where it fetches from: `s3://images`.
    pub source: String,
    /// What that is.
    pub from: EstimateSource,
    /// Whether nobody pays for what is fetched: the server is on this machine, or the run is a task beside its bucket.
    pub is_free: bool,
    /// Runs, warm-ups included.
    pub runs: u64,
    /// Runs of them whose bytes, requests and time are not known, and not counted; `None` where all are.
    pub uncounted: Option<UncountedRuns>,
    /// Bytes of one run.
    pub bytes_of_run: Bytes,
    /// GET requests of all runs; `None` where time ends them.
    pub gets: Option<u64>,
    /// LIST requests.
    pub lists: u64,
    /// Seconds of fetching of all runs: what was asked for, or assumed.
    pub seconds: Option<f64>,
    /// How long it takes, in words, where runs of it were made before.
    pub measured: Option<String>,
    /// What AWS charges for reading; `None` where it is not AWS, or without a price.
    pub usd: Option<Usd>,
}

impl Estimate {
    /// Of the runs that are counted.
    pub fn bytes(&self) -> Bytes {
        self.bytes_of_run.times(self.counted())
    }

    fn counted(&self) -> u64 {
        let uncounted = self.uncounted.as_ref().map_or(0, |one| one.runs);
        self.runs.saturating_sub(uncounted)
    }

    /// Whether it goes on without a question.
    ///
    /// # Errors
    /// When it is more than was agreed to.
    pub fn needs_asking(&self, approval: Approval) -> Result<bool, Failure> {
        if let Some(most) = approval.max_bytes {
            return match self.bytes() {
                Bytes::Listed(bytes) if bytes > most => {
                    let (bytes, most) = (units::bytes(bytes), units::bytes(most));
                    let message = format!(
                        "this {} fetches {bytes} from {}, and --max-bytes is {most}",
                        self.what, self.source
                    );
                    Err(Failure::new(Exit::Usage, message).hint(
                        "a higher --max-bytes allows it; --sample, --limit or --prefix fetch less",
                    ))
                }
                // What is not known beforehand is held to while it is fetched.
                _ => Ok(false),
            };
        }
        let is_much =
            self.uncounted.is_some() || self.bytes().number().is_none_or(|bytes| bytes > ASK_BYTES);
        let is_dear = self.usd.as_ref().is_some_and(|usd| usd.bound() > ASK_USD);
        Ok(!self.is_free && !approval.yes && (is_much || is_dear))
    }

    /// Goes on when nothing has to be asked, or somebody says yes.
    ///
    /// # Errors
    /// When it is more than was agreed to, nobody can be asked, or the answer is no.
    pub async fn agree(&self, approval: Approval, ask: Ask<'_>) -> Result<(), Failure> {
        if !self.needs_asking(approval)? {
            return Ok(());
        }
        let hint = "--dry-run only looks; --sample, --limit or --prefix fetch less";
        let Some(answer) = ask(&self.question()) else {
            let usd = self
                .usd
                .as_ref()
                .map_or_else(String::new, |usd| format!(", for {}", usd.amount()));
            let message = format!(
                "this {} fetches {} from {}{usd}: allow it with --yes, or up to a size with --max-bytes SIZE",
                self.what,
                self.read_in_words(),
                self.source
            );
            return Err(Failure::new(Exit::Usage, message).hint(hint));
        };
        match answer.await {
            Ok(true) => Ok(()),
            _ => Err(
                Failure::new(Exit::Usage, format!("the {} was not started", self.what)).hint(hint),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(bytes: u64) -> Estimate {
        Estimate {
            what: "sweep",
            source: "s3://images".to_owned(),
            from: EstimateSource::Bucket,
            is_free: false,
            runs: 10,
            uncounted: None,
            bytes_of_run: Bytes::Listed(bytes / 10),
            gets: Some(1_000),
            lists: 2,
            seconds: Some(90.0),
            measured: None,
            usd: None,
        }
    }

    fn priced(bytes: u64, egress: Egress) -> Estimate {
        let paid = Paid {
            region: "us-east-1",
            gets: 1_000,
            lists: 2,
            bytes: Bytes::Listed(bytes),
            egress,
            classes: Vec::new(),
        };
        Estimate {
            usd: usd(&paid, &PriceList::built_in()),
            ..estimate(bytes)
        }
    }

    const NONE: Approval = Approval {
        yes: false,
        max_bytes: None,
    };

    fn agree(
        estimate: &Estimate,
        approval: Approval,
        answer: Option<bool>,
    ) -> (Result<(), Failure>, Vec<String>) {
        let mut asked = Vec::new();
        let mut ask = |question: &str| {
            asked.push(question.to_owned());
            let (sender, receiver) = tokio::sync::oneshot::channel();
            sender.send(answer?).unwrap();
            Some(receiver)
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let result = runtime.block_on(estimate.agree(approval, &mut ask));
        (result, asked)
    }

    #[test]
    fn much_is_asked_for_and_little_is_not() {
        assert!(!estimate(ASK_BYTES).needs_asking(NONE).unwrap());
        assert!(estimate(ASK_BYTES + 10).needs_asking(NONE).unwrap());
        assert!(
            Estimate {
                bytes_of_run: Bytes::Unknown,
                ..estimate(0)
            }
            .needs_asking(NONE)
            .unwrap()
        );
        assert!(
            !Estimate {
                is_free: true,
                ..estimate(u64::MAX)
            }
            .needs_asking(NONE)
            .unwrap(),
            "of this machine nobody is asked"
        );
        assert!(
            !estimate(u64::MAX)
                .needs_asking(Approval { yes: true, ..NONE })
                .unwrap()
        );
        // $1 is 11.9 GB of egress to the internet, or 2.5 million GETs.
        assert!(
            priced(12_000_000_000, Egress::Internet)
                .needs_asking(NONE)
                .unwrap()
        );
        assert!(
            !priced(11_000_000_000, Egress::Internet)
                .needs_asking(NONE)
                .unwrap()
        );
        assert!(
            !priced(12_000_000_000, Egress::None)
                .needs_asking(NONE)
                .unwrap()
        );
    }

    #[test]
    fn what_a_program_does_not_say_is_not_counted_and_is_asked_for() {
        let of = |runs| Estimate {
            uncounted: Some(UncountedRuns {
                runs,
                programs: "app".to_owned(),
            }),
            ..priced(1_000, Egress::None)
        };
        let mixed = Estimate {
            seconds: None,
            ..of(4)
        };
        assert_eq!(mixed.bytes(), Bytes::Listed(600));
        assert_eq!(
            mixed.in_words(),
            "bytes: 100 B per run, 600 B in 6 runs; what app reads is not known (4 runs)\n\
             requests: 1,000 GETs, 2 LIST requests, and those of app\n\
             time: not known, as it is what app takes\n\
             price of reading: $0.000410 at most: requests $0.000410 (us-east-1, prices of 2026-11-25); what app reads is not known\n"
        );
        assert!(mixed.needs_asking(NONE).unwrap());
        let alone = Estimate {
            bytes_of_run: Bytes::Unknown,
            gets: Some(0),
            lists: 1,
            usd: None,
            ..of(10)
        };
        assert_eq!(
            alone.in_words(),
            "bytes: what app reads is not known\n\
             requests: 1 LIST request, and those of app\n\
             time: not known, as it is what app takes\n\
             price of reading: what app reads is not known\n"
        );
        assert_eq!(
            alone.question(),
            "this sweep fetches what app reads, which is not known, from s3://images. Continue?"
        );
        let elsewhere = Estimate {
            usd: None,
            ..priced(1_000, Egress::None)
        };
        assert!(
            elsewhere.in_words().ends_with(
                "price of reading: unknown, as the store is not at AWS or the price list has no price for it; \
                 the result shows what it would cost with S3 and Fargate\n"
            ),
            "{}",
            elsewhere.in_words()
        );
    }

    #[test]
    fn egress_without_a_price_is_not_free() {
        let paid = |bytes| Paid {
            region: "xx-nowhere-1",
            gets: 1_000,
            lists: 2,
            bytes: Bytes::Listed(bytes),
            egress: Egress::Internet,
            classes: Vec::new(),
        };
        let of = |bytes| Estimate {
            usd: usd(&paid(bytes), &PriceList::built_in()),
            ..estimate(bytes)
        };
        assert!(
            of(19_000_000_000).needs_asking(NONE).unwrap(),
            "more than $1 wherever it has a price"
        );
        assert!(!of(100_000_000).needs_asking(NONE).unwrap());
        let words = of(100_000_000).in_words();
        assert!(
            words.contains("price of reading: $0.000410 and egress to the internet, which has no price in the list: requests $0.000410"),
            "{words}"
        );
    }

    #[test]
    fn a_limit_is_agreement_up_to_it() {
        let up_to = |most| Approval {
            yes: false,
            max_bytes: Some(most),
        };
        assert!(
            !estimate(50_000_000_000)
                .needs_asking(up_to(50_000_000_000))
                .unwrap()
        );
        let error = estimate(50_000_000_000)
            .needs_asking(up_to(49_000_000_000))
            .unwrap_err();
        assert_eq!(
            (error.exit, error.message.as_str()),
            (
                Exit::Usage,
                "this sweep fetches 50.0 GB from s3://images, and --max-bytes is 49.0 GB"
            )
        );
        let local = Estimate {
            is_free: true,
            ..estimate(100)
        };
        assert!(
            local.needs_asking(up_to(99)).is_err(),
            "it holds on this machine too, and with --yes"
        );
        assert!(
            local
                .needs_asking(Approval {
                    yes: true,
                    max_bytes: Some(99)
                })
                .is_err()
        );
        assert!(
            !Estimate {
                bytes_of_run: Bytes::Assumed(1_000),
                ..local
            }
            .needs_asking(up_to(99))
            .unwrap(),
            "a guess refuses nothing"
        );
    }

    #[test]
    fn nobody_there_is_a_line_that_names_both_ways() {
        let (result, asked) = agree(&priced(31_500_000_000, Egress::Internet), NONE, None);
        assert_eq!(
            result.unwrap_err().message,
            "this sweep fetches 31.5 GB from s3://images, for $2.64 at most: allow it with --yes, or up to a size with --max-bytes SIZE"
        );
        assert_eq!(
            asked,
            [
                "this sweep fetches 31.5 GB from s3://images: $2.64 at most: egress to the internet $2.64, requests $0.000410 (us-east-1, prices of 2026-11-25). Continue?"
            ]
        );
        assert_eq!(
            agree(&priced(31_500_000_000, Egress::Internet), NONE, Some(true)).0,
            Ok(())
        );
        assert_eq!(
            agree(&priced(31_500_000_000, Egress::Internet), NONE, Some(false))
                .0
                .unwrap_err()
                .message,
            "the sweep was not started"
        );
        assert_eq!(agree(&estimate(5), NONE, None), (Ok(()), Vec::new()));
    }

    #[test]
    fn the_outlook_in_words() {
        assert_eq!(
            priced(20_000_000_000, Egress::None).in_words(),
            "bytes: 2.00 GB per run, 20.0 GB in all 10 runs\n\
             requests: 1,000 GETs and 2 LIST requests\n\
             time: about 90 s of fetching, if S3 sends the first byte after 20 ms, and 90 MB/s per connection\n\
             price of reading: $0.000410 at most: requests $0.000410 (us-east-1, prices of 2026-11-25)\n"
        );
    }
}
