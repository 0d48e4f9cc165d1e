//! What the whole bucket takes with one configuration: time and price, in the same words whether a sweep predicts them or a tune found them. Of a program whose
//! time alone is known it is one run.

use super::number::{span, time, usd};
use crate::analysis::Prediction;
use crate::results::tune::{ProgramAnswer, TuneDocument, TunedChoice};
use crate::units;

/// The whole bucket with one configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WholeBucketTime {
    is_one_run: bool,
    /// None where sizes are not known.
    bytes: Option<u64>,
    seconds: f64,
    /// What one run takes in 95 % of all cases; none with too few runs.
    seconds_range: Option<[f64; 2]>,
    /// None where it is not known.
    price: Option<WholeBucketPrice>,
}

/// What is paid for it: for the task, for requests, and for what else the price list has.
#[derive(Clone, Debug, PartialEq)]
struct WholeBucketPrice {
    total: f64,
    range: Option<[f64; 2]>,
    /// None where what was read is not known.
    requests: Option<f64>,
    retrieval: Option<f64>,
    egress: Option<f64>,
    is_minimum: bool,
    paid: PaidBy,
}

/// Whose price it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PaidBy {
    Task,
    /// Its price is that of On-Demand, which is higher.
    TaskOnSpot,
    /// Nothing ran on Fargate.
    Nobody,
}

impl WholeBucketTime {
    pub(crate) fn of_prediction(prediction: &Prediction) -> Self {
        let price = prediction.cost.as_ref().map(|cost| WholeBucketPrice {
            total: cost.usd_total(),
            range: prediction.usd_interval.map(|found| [found.low, found.high]),
            requests: cost.usd_requests,
            retrieval: cost.usd_retrieval,
            egress: cost.usd_egress,
            is_minimum: cost.is_minimum,
            paid: match (cost.is_hypothetical, cost.is_of_on_demand) {
                (true, _) => PaidBy::Nobody,
                (false, true) => PaidBy::TaskOnSpot,
                (false, false) => PaidBy::Task,
            },
        });
        Self {
            is_one_run: prediction.bucket.is_none(),
            bytes: prediction.bucket.map(|bucket| bucket.bytes),
            seconds: prediction.seconds,
            seconds_range: prediction.interval.map(|found| [found.low, found.high]),
            price,
        }
    }

    pub(crate) fn of_tune(
        choice: &TunedChoice,
        (answer, document): (&ProgramAnswer, &TuneDocument),
    ) -> Self {
        let [low, middle, high] = choice.seconds;
        let requests = choice.usd_requests;
        let is_known = requests.is_some() || answer.is_timed_alone;
        let price = choice.usd.filter(|_| is_known).map(|task| {
            let (retrieval, egress) = (choice.usd_retrieval, choice.usd_egress);
            let beside: f64 = [requests, retrieval, egress].into_iter().flatten().sum();
            let [low, middle, high] = task.map(|usd| usd + beside);
            WholeBucketPrice {
                total: middle,
                range: Some([low, high]),
                requests,
                retrieval,
                egress,
                is_minimum: choice.is_minimum,
                paid: match (document.on.as_str(), choice.is_of_on_demand) {
                    ("local", _) => PaidBy::Nobody,
                    (_, true) => PaidBy::TaskOnSpot,
                    (_, false) => PaidBy::Task,
                },
            }
        });
        Self {
            is_one_run: answer.is_timed_alone,
            bytes: document.object_bytes,
            seconds: middle,
            seconds_range: Some([low, high]),
            price,
        }
    }

    /// `The whole bucket, 118 GB, takes 67 s (63 s to 71 s) and costs $0.0212 (requests $0.0184).`
    pub(crate) fn in_full(&self) -> String {
        let price = self
            .price
            .as_ref()
            .map(|price| price.in_words(price.parts()));
        self.sentence(price)
    }

    /// The same without what the price consists of, as that has been said of another.
    pub(crate) fn in_brief(&self) -> String {
        let price = self.price.as_ref();
        self.sentence(price.map(|price| price.in_words(Vec::new())))
    }

    fn sentence(&self, price: Option<String>) -> String {
        let bytes = self
            .bytes
            .map_or_else(String::new, |bytes| format!(", {},", units::bytes(bytes)));
        let price = price.map_or_else(
            || "; its price is not known".to_owned(),
            |price| format!(" and {price}"),
        );
        let what = if self.is_one_run {
            "One run".to_owned()
        } else {
            format!("The whole bucket{bytes}")
        };
        format!("{what} takes {}{price}.", self.how_long())
    }

    /// `67 s, $0.0212`: of what stands beside the answer the middle is enough.
    pub(crate) fn in_a_line(&self) -> String {
        let price = self.price.as_ref().map_or_else(String::new, |price| {
            let at_most = match price.paid {
                PaidBy::TaskOnSpot => "at most ",
                PaidBy::Task | PaidBy::Nobody => "",
            };
            format!(", {at_most}{}", usd(price.total))
        });
        let about = match self.seconds_range {
            None => "about ",
            Some(_) => "",
        };
        let of = if self.is_one_run { " a run" } else { "" };
        format!("{about}{}{of}{price}", time(self.seconds))
    }

    /// `3 min 25 s (3 min 19 s to 3 min 31 s)`
    fn how_long(&self) -> String {
        let middle = time(self.seconds);
        match self.seconds_range {
            None => format!("about {middle}"),
            Some([low, high]) => within(middle, [time(low), time(high)]),
        }
    }
}

impl WholeBucketPrice {
    /// `costs $0.0212 ($0.0211 to $0.0213; requests $0.0184)`
    fn in_words(&self, parts: Vec<String>) -> String {
        let (costs, at) = match self.paid {
            PaidBy::Task => ("costs", ""),
            PaidBy::TaskOnSpot => (
                "costs at most",
                " at On-Demand prices, as the price of Spot is not known",
            ),
            PaidBy::Nobody => ("would cost", " on Fargate"),
        };
        let range = self.range.and_then(|range| {
            let [low, high] = range.map(usd);
            (low != high).then(|| span(low, &high))
        });
        let all: Vec<String> = range.into_iter().chain(parts).collect();
        let all = if all.is_empty() {
            String::new()
        } else {
            format!(" ({})", all.join("; "))
        };
        format!("{costs} {}{at}{all}", usd(self.total))
    }

    /// What it consists of besides the task.
    fn parts(&self) -> Vec<String> {
        let requests = match self.requests {
            Some(requests) => format!(
                "requests {}{}",
                usd(requests),
                transfer(self.retrieval, self.egress)
            ),
            None => TASK_ALONE.to_owned(),
        };
        let minimum = self
            .is_minimum
            .then(|| "the minimum of 1 minute is billed".to_owned());
        std::iter::once(requests).chain(minimum).collect()
    }
}

/// What is said of the price of a run that does not say what it read.
pub(super) const TASK_ALONE: &str = "the task alone: what the program reads is not known";

/// `, retrieval $1.20, egress $9.00`: what is not in every price.
pub(crate) fn transfer(retrieval: Option<f64>, egress: Option<f64>) -> String {
    let retrieval = retrieval.filter(|usd| *usd > 0.0);
    let parts = [(retrieval, "retrieval"), (egress, "egress")];
    parts
        .into_iter()
        .filter_map(|(money, what)| Some(format!(", {what} {}", usd(money?))))
        .collect()
}

/// `67 s (63 s to 71 s)`, or the first alone where all read the same.
fn within(middle: String, [low, high]: [String; 2]) -> String {
    if low == middle && high == middle {
        middle
    } else {
        format!("{middle} ({})", span(low, &high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(seconds_range: Option<[f64; 2]>, range: Option<[f64; 2]>) -> WholeBucketTime {
        WholeBucketTime {
            is_one_run: false,
            bytes: Some(1_000_000_000),
            seconds: 7.6,
            seconds_range,
            price: Some(WholeBucketPrice {
                total: 0.0212,
                range,
                requests: Some(0.0184),
                retrieval: Some(0.0),
                egress: None,
                is_minimum: false,
                paid: PaidBy::Task,
            }),
        }
    }

    #[test]
    fn a_range_stands_behind_its_middle() {
        let known = whole(Some([6.94, 8.41]), Some([0.0211, 0.0213]));
        assert_eq!(
            known.in_full(),
            "The whole bucket, 1.00 GB, takes 7.60 s (6.94 s to 8.41 s) and costs $0.0212 ($0.0211 to $0.0213; requests $0.0184)."
        );
        assert_eq!(
            known.in_brief(),
            "The whole bucket, 1.00 GB, takes 7.60 s (6.94 s to 8.41 s) and costs $0.0212 ($0.0211 to $0.0213)."
        );
        assert_eq!(known.in_a_line(), "7.60 s, $0.0212");
        // What reads the same says nothing more, and without a range it is a rough figure.
        assert_eq!(
            whole(Some([7.6, 7.6]), Some([0.0212, 0.0212])).in_brief(),
            "The whole bucket, 1.00 GB, takes 7.60 s and costs $0.0212."
        );
        assert_eq!(whole(None, None).in_a_line(), "about 7.60 s, $0.0212");
    }

    #[test]
    fn one_run_is_not_the_bucket_and_has_no_requests() {
        let mut run = whole(Some([6.94, 8.41]), None);
        run.is_one_run = true;
        run.price.as_mut().unwrap().requests = None;
        assert_eq!(
            run.in_full(),
            "One run takes 7.60 s (6.94 s to 8.41 s) and costs $0.0212 (the task alone: what the program reads is not known)."
        );
        assert_eq!(run.in_a_line(), "7.60 s a run, $0.0212");
    }

    #[test]
    fn a_price_says_whose_it_is_and_what_is_in_it() {
        let price = |paid, is_minimum| {
            let mut known = whole(None, None);
            let price = known.price.as_mut().unwrap();
            (price.paid, price.is_minimum, price.egress) = (paid, is_minimum, Some(9.0));
            known.in_full().split_once(" and ").unwrap().1.to_owned()
        };
        assert_eq!(
            price(PaidBy::Nobody, true),
            "would cost $0.0212 on Fargate (requests $0.0184, egress $9.00; the minimum of 1 minute is billed)."
        );
        assert_eq!(
            price(PaidBy::TaskOnSpot, false),
            "costs at most $0.0212 at On-Demand prices, as the price of Spot is not known (requests $0.0184, egress $9.00)."
        );
        let nothing = WholeBucketTime {
            price: None,
            ..whole(None, None)
        };
        assert_eq!(
            nothing.in_full(),
            "The whole bucket, 1.00 GB, takes about 7.60 s; its price is not known."
        );
    }
}
