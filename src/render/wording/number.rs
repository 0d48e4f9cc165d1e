//! Figures as a person reads them: scaled to the unit of their table, with the decimals that say something.

use crate::analysis::metric::{Metric, Unit};
use crate::analysis::model::Figure;
use crate::plan::Factors;
use crate::stats::location::most_confidence;
use crate::units;

/// What stands where nothing is known.
pub(crate) const UNKNOWN: &str = "–";

/// How the values of a metric are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    factor: f64,
    /// `MB/s`, or nothing for counts.
    pub(crate) unit: &'static str,
}

impl Scale {
    /// Plain ratios.
    pub(crate) const RATIO: Self = Self {
        factor: 1.0,
        unit: "",
    };

    /// One unit for all values of a metric, so that they compare.
    pub(crate) fn of(metric: Metric) -> Self {
        let (factor, unit) = match (metric, metric.unit()) {
            (Metric::TtfbP50 | Metric::TtfbP99 | Metric::LatencyP50 | Metric::LatencyP99, _) => {
                (1e3, "ms")
            }
            (_, Unit::BytesPerSecond) => (1e-6, "MB/s"),
            (_, Unit::Seconds) => (1.0, "s"),
            (_, Unit::SecondsPerGb) => (1.0, "s/GB"),
            (_, Unit::Share) => (100.0, "%"),
            (_, Unit::Bytes) => (1e-6, "MB"),
            (_, Unit::UsdPerTb) => (1.0, "$/TB"),
            (_, Unit::PerSecond) => (1.0, "/s"),
            (_, Unit::Count) => (1.0, ""),
        };
        Self { factor, unit }
    }

    /// Prices per TB as those of so many TB.
    pub(crate) const fn of_price(tb: f64) -> Self {
        Self {
            factor: tb,
            unit: "$",
        }
    }

    /// A value in this unit.
    pub(crate) fn apply(self, value: f64) -> f64 {
        value * self.factor
    }
}

/// `throughput, MB/s`: what a table is headed with.
pub(crate) fn heading(metric: Metric) -> String {
    let unit = Scale::of(metric).unit;
    match metric {
        Metric::UsdPerTb | Metric::TaskUsdPerTb | Metric::RequestsPerS => metric.name().to_owned(),
        _ if unit.is_empty() => metric.name().to_owned(),
        _ => format!("{}, {unit}", metric.name()),
    }
}

/// Why a figure has no interval: what so few repetitions can give.
pub(crate) fn no_interval(figure: &Figure) -> Option<String> {
    figure.interval.is_none().then(|| match figure.n {
        1 => "one repetition gives no interval".to_owned(),
        n => format!(
            "the range of {n} repetitions covers the median with {:.1} % confidence at most",
            most_confidence(n) * 100.0
        ),
    })
}

/// Decimals for a column: three significant digits of its largest value, but at least two of its smallest, and none below the first digit of the
/// smallest half interval, where digits are noise.
pub(crate) fn decimals(
    values: impl Iterator<Item = f64>,
    halves: impl Iterator<Item = f64>,
) -> usize {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in values.map(f64::abs).filter(|value| *value > 0.0) {
        low = low.min(value);
        high = high.max(value);
    }
    let half = halves.filter(|half| *half > 0.0).min_by(f64::total_cmp);
    if high > 0.0 {
        digits(high, 3)
            .min(half.map_or(9, |half| digits(half, 1)))
            .max(digits(low, 2))
    } else {
        0
    }
}

/// A value of four digits and more without those that its interval makes noise: three are left, where half of the interval is five times the last of them.
pub(crate) fn certain(value: f64, half: Option<f64>) -> f64 {
    let digit = 10_f64.powf((value.abs().log10().floor() - 2.0).max(0.0));
    match half {
        Some(half) if half >= 5.0 * digit => (value / digit).round() * digit,
        _ => value,
    }
}

/// Decimals that give a positive value so many significant digits; 9 at the most.
fn digits(value: f64, significant: i32) -> usize {
    let full = 10_f64.powi(significant - 1);
    let mut decimals = 0;
    let mut scaled = value;
    // What rounds up to the next power of ten has its digits already.
    while scaled < full - 0.05 && decimals < 9 {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

/// Seconds as a person says them: whole ones from ten on.
pub(crate) fn time(seconds: f64) -> String {
    let ns = nanoseconds(seconds);
    if ns < 10 * units::SECOND_NS {
        units::duration(ns)
    } else {
        units::duration_coarse(ns)
    }
}

/// Seconds as nanoseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are far below 2^63 ns, and the cast saturates"
)]
pub(crate) fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

/// A share that somebody set, or that is known roughly, in percent: `5 %`, `2.5 %`.
pub(crate) fn share(of: f64) -> String {
    format!("{} %", (of * 1_000.0).round() / 10.0)
}

/// US dollars with three significant digits.
pub(crate) fn usd(value: f64) -> String {
    format!("${}", units::three_digits(value))
}

pub(crate) use crate::units::plural;

/// GB of memory as Fargate names sizes (1024 MiB each).
pub(crate) fn memory(mib: u32) -> String {
    if mib == 0 {
        UNKNOWN.to_owned()
    } else {
        crate::cell::memory_gb(mib).to_string()
    }
}

/// vCPU as Fargate names sizes.
pub(crate) fn vcpu(units: u32) -> String {
    if units == 0 {
        UNKNOWN.to_owned()
    } else {
        (f64::from(units) / f64::from(crate::cell::UNITS_PER_VCPU)).to_string()
    }
}

/// The same with what it counts: `0.5 vCPU`, `1 vCPU`, `4 vCPUs`.
pub(crate) fn vcpus(units: u32) -> String {
    let s = if units > crate::cell::UNITS_PER_VCPU {
        "s"
    } else {
        ""
    };
    format!("{} vCPU{s}", vcpu(units))
}

/// `97 %`: a confidence of a limited number of draws, which are never all that there could be.
pub(crate) fn confidence(share: f64) -> String {
    of_draws(share, "above ", " %")
}

/// `97 of 100`
pub(crate) fn of_100(share: f64) -> String {
    of_draws(share, "more than ", " of 100")
}

fn of_draws(share: f64, above: &str, unit: &str) -> String {
    if share >= 1.0 {
        return format!("{above}99{unit}");
    }
    format!("{:.0}{unit}", (share * 100.0).floor())
}

/// `3 min 19 s to 3 min 31 s`, or one of them where they read the same.
pub(crate) fn span(low: String, high: &str) -> String {
    if low == high {
        low
    } else {
        format!("{low} to {high}")
    }
}

/// `, server uvicorn, workers 3`; empty without factors.
pub(crate) fn behind(factors: &Factors) -> String {
    factors
        .iter()
        .fold(String::new(), |mut text, (name, value)| {
            text.extend([", ", name, " ", value]);
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_decimals_that_its_values_need() {
        for (values, halves, expected) in [
            (vec![62.4, 63.1], vec![], 1),
            (vec![62.4, 63.1], vec![1.0, 0.96], 0),
            (vec![62.4, 63.1], vec![1.0, 0.2], 1),
            (vec![486.0, 1_973.0], vec![0.5], 0),
            (vec![9.5, 1_973.0], vec![5.0], 1),
            (vec![0.17, 0.18], vec![], 3),
            (vec![0.0, 0.0], vec![0.0], 0),
            (vec![0.0, 12.0], vec![], 1),
            (vec![99.96], vec![], 0),
            (vec![], vec![], 0),
        ] {
            assert_eq!(
                decimals(values.iter().copied(), halves.iter().copied()),
                expected,
                "{values:?}"
            );
        }
    }

    #[test]
    fn an_interval_says_how_many_digits_are_known() {
        for (value, half, expected) in [
            (1_301.0, Some(73.0), 1_300.0),
            (1_154.0, Some(73.0), 1_150.0),
            (1_973.0, Some(4.0), 1_973.0),
            (12_345.0, Some(500.0), 12_300.0),
            (1_015.0, Some(12.0), 1_015.0),
            (1_973.0, None, 1_973.0),
            (586.0, Some(73.0), 586.0),
            (0.0, Some(1.0), 0.0),
        ] {
            let found = certain(value, half);
            assert!((found - expected).abs() < 1e-9, "{value}: {found}");
        }
    }

    #[test]
    fn values_stand_in_the_unit_of_their_table() {
        assert_eq!(
            units::three_digits(Scale::of(Metric::Throughput).apply(1.973e9)),
            "1,973"
        );
        assert_eq!(
            units::three_digits(Scale::of(Metric::TtfbP99).apply(0.081_3)),
            "81.3"
        );
        assert_eq!(
            units::three_digits(Scale::of(Metric::CpuShare).apply(0.305)),
            "30.5"
        );
        assert_eq!(
            (
                heading(Metric::Throughput).as_str(),
                heading(Metric::FailedObjects).as_str()
            ),
            ("throughput, MB/s", "failed objects")
        );
        assert_eq!(
            (time(0.25).as_str(), time(24.4).as_str()),
            ("250 ms", "24 s")
        );
        assert_eq!(
            [0, 512, 24_105, 24_576].map(memory),
            ["–", "0.5", "23.54", "24"]
        );
        assert_eq!(
            [0, 512, 1_024, 4_096].map(vcpus),
            ["– vCPU", "0.5 vCPU", "1 vCPU", "4 vCPUs"]
        );
        assert_eq!(
            (time(200.2).as_str(), usd(0.0211).as_str()),
            ("3 min 20 s", "$0.0211")
        );
        assert_eq!([0.05, 0.025, 0.19].map(share), ["5 %", "2.5 %", "19 %"]);
        assert_eq!(
            [0.519, 0.999, 1.0].map(confidence),
            ["51 %", "99 %", "above 99 %"]
        );
        assert_eq!(
            [0.97, 1.0].map(of_100),
            ["97 of 100", "more than 99 of 100"]
        );
    }
}
