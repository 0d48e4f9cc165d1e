//! A distribution of times: an HDR histogram with its count, sum, smallest and largest value kept exact beside it.
//!
//! Owns recording, merging and the form in which distributions stand in result files. Percentiles of several runs come from merged
//! histograms; percentiles are never averaged.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// The longest time that is told apart from longer ones: 24 hours.
pub const HIGHEST_NS: u64 = 86_400_000_000_000;

/// Significant decimal digits: a percentile is at most 0.1 % off.
const DIGITS: u8 = 3;

/// Times in nanoseconds: 1 ns to 24 h with three significant digits; longer ones count as 24 h in percentiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    hdr: hdrhistogram::Histogram<u64>,
    sum_ns: u64,
    min_ns: u64,
    max_ns: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let hdr = hdrhistogram::Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS)
            .expect("the bounds are valid constants");
        Self {
            hdr,
            sum_ns: 0,
            min_ns: u64::MAX,
            max_ns: 0,
        }
    }
}

impl Histogram {
    /// Adds one time.
    pub fn record(&mut self, ns: u64) {
        self.hdr.saturating_record(ns);
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds every time of `other`: the result is the histogram of both.
    ///
    /// # Panics
    /// Never: all histograms have the same bounds.
    pub fn merge(&mut self, other: &Self) {
        self.hdr
            .add(&other.hdr)
            .expect("every histogram has the same bounds");
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Times recorded.
    pub fn count(&self) -> u64 {
        self.hdr.len()
    }

    /// Sum of all times.
    pub const fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// The shortest time, exact; `None` when nothing was recorded.
    pub fn min_ns(&self) -> Option<u64> {
        (!self.hdr.is_empty()).then_some(self.min_ns)
    }

    /// The longest time, exact; `None` when nothing was recorded.
    pub fn max_ns(&self) -> Option<u64> {
        (!self.hdr.is_empty()).then_some(self.max_ns)
    }

    /// The mean, to the nearest nanosecond; `None` when nothing was recorded.
    pub fn mean_ns(&self) -> Option<u64> {
        let count = self.count();
        let half = count / 2;
        self.sum_ns.saturating_add(half).checked_div(count)
    }

    /// The smallest recorded time that at least `quantile` (0 to 1) of all times do not exceed, to three significant digits and within
    /// the exact smallest and largest; `None` when nothing was recorded.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let value = self.hdr.value_at_quantile(quantile);
        (!self.hdr.is_empty()).then(|| value.clamp(self.min_ns, self.max_ns))
    }

    /// How many times are at most `ns` (to three significant digits).
    pub fn count_up_to(&self, ns: u64) -> u64 {
        match self.max_ns() {
            None => 0,
            Some(max) if ns >= max => self.count(),
            Some(_) => self.hdr.count_between(0, ns),
        }
    }

    /// The form in which this distribution stands in a result file.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            count: self.count(),
            sum_ns: (self.count() > 0).then_some(self.sum_ns),
            min_ns: self.min_ns(),
            max_ns: self.max_ns(),
            mean_ns: self.mean_ns(),
            p10_ns: self.quantile(0.10),
            p25_ns: self.quantile(0.25),
            p50_ns: self.quantile(0.50),
            p75_ns: self.quantile(0.75),
            p90_ns: self.quantile(0.90),
            p95_ns: self.quantile(0.95),
            p99_ns: self.quantile(0.99),
            p99_9_ns: self.quantile(0.999),
            hdr_v2_base64: (self.count() > 0).then(|| self.encode()),
        }
    }

    fn encode(&self) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&self.hdr, &mut bytes)
            .expect("writing to memory does not fail, and the counts fit their type");
        STANDARD.encode(bytes)
    }
}

/// A distribution of times in a result file: every value in nanoseconds, null when nothing was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// Times recorded.
    pub count: u64,
    /// Sum of all times, exact.
    pub sum_ns: Option<u64>,
    /// The shortest time, exact.
    pub min_ns: Option<u64>,
    /// The longest time, exact.
    pub max_ns: Option<u64>,
    /// The mean, to the nearest nanosecond.
    pub mean_ns: Option<u64>,
    /// 10 % of all times do not exceed this one. Percentiles have three significant digits.
    pub p10_ns: Option<u64>,
    /// 25 % of all times do not exceed this one.
    pub p25_ns: Option<u64>,
    /// The median.
    pub p50_ns: Option<u64>,
    /// 75 % of all times do not exceed this one.
    pub p75_ns: Option<u64>,
    /// 90 % of all times do not exceed this one.
    pub p90_ns: Option<u64>,
    /// 95 % of all times do not exceed this one.
    pub p95_ns: Option<u64>,
    /// 99 % of all times do not exceed this one.
    pub p99_ns: Option<u64>,
    /// 99.9 % of all times do not exceed this one.
    pub p99_9_ns: Option<u64>,
    /// The whole histogram: `HdrHistogram`'s compressed V2 encoding in base64. Merge these, never the percentiles.
    pub hdr_v2_base64: Option<String>,
}

/// Why a distribution of a result file cannot be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not base64.
    #[error("the histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Not an encoded histogram.
    #[error("the histogram cannot be decoded: {0}")]
    Encoding(String),
    /// A histogram of longer times than are measured here, or numbers that contradict it.
    #[error("the histogram does not fit its count, smallest and largest value")]
    Contradiction,
}

/// Longest encoding before compression: every count of the bounds above in nine bytes is a third of it.
const MOST_BYTES: u32 = 1 << 20;

/// Refuses what would be unpacked to something larger than any histogram here: the reader makes room for as much as the head claims.
fn check_head(bytes: &[u8]) -> Result<(), SnapshotError> {
    /// Cookie of the compressed encoding, and the length of what is compressed.
    const OUTER: usize = 8;
    let damaged = |what: &str| SnapshotError::Encoding(what.to_owned());
    let packed = bytes.get(OUTER..).ok_or_else(|| damaged("too short"))?;
    if bytes[..3] != [0x1c, 0x84, 0x93] || bytes[3] & 0x0f != 4 {
        return Err(damaged("not the compressed V2 encoding"));
    }
    // Cookie, length, offset, significant digits: four bytes each, most significant first.
    let mut head = [0; 16];
    flate2::read::ZlibDecoder::new(packed)
        .read_exact(&mut head)
        .map_err(|error| damaged(&error.to_string()))?;
    let number = |at: usize| {
        head[at..]
            .first_chunk()
            .map_or(u32::MAX, |bytes| u32::from_be_bytes(*bytes))
    };
    if number(4) > MOST_BYTES {
        Err(damaged("too large"))
    } else if number(12) > u32::from(DIGITS) {
        Err(SnapshotError::Contradiction)
    } else {
        Ok(())
    }
}

impl Snapshot {
    /// The histogram as it was when the snapshot was taken.
    ///
    /// # Errors
    /// When the encoded histogram is damaged or contradicts the numbers beside it.
    pub fn histogram(&self) -> Result<Histogram, SnapshotError> {
        let mut whole = Histogram::default();
        let Some(text) = &self.hdr_v2_base64 else {
            let is_empty =
                self.count == 0 && (self.sum_ns, self.min_ns, self.max_ns) == (None, None, None);
            return if is_empty {
                Ok(whole)
            } else {
                Err(SnapshotError::Contradiction)
            };
        };
        let bytes = STANDARD.decode(text)?;
        check_head(&bytes)?;
        let hdr: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| SnapshotError::Encoding(error.to_string()))?;
        // Adding to bounds of our own refuses what was written with other ones.
        whole
            .hdr
            .add(&hdr)
            .map_err(|_| SnapshotError::Contradiction)?;
        let (Some(sum), Some(min), Some(max)) = (self.sum_ns, self.min_ns, self.max_ns) else {
            return Err(SnapshotError::Contradiction);
        };
        let all = |each: u64| each.saturating_mul(self.count);
        if self.count == 0 || whole.count() != self.count || !(all(min)..=all(max)).contains(&sum) {
            return Err(SnapshotError::Contradiction);
        }
        (whole.sum_ns, whole.min_ns, whole.max_ns) = (sum, min, max);
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        use std::io::Write;
        let mut snapshot = of(&[5, 7]).snapshot();
        let mut head = Vec::new();
        for number in [0x1c84_9303_u32, 2_000_000_000, 0, 3] {
            head.extend(number.to_be_bytes());
        }
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&head).unwrap();
        packed.write_all(&vec![0; 1 << 20]).unwrap();
        let packed = packed.finish().unwrap();
        let mut bytes = 0x1c84_9304_u32.to_be_bytes().to_vec();
        bytes.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
        bytes.extend(packed);
        snapshot.hdr_v2_base64 = Some(STANDARD.encode(bytes));
        assert_eq!(
            snapshot.histogram().unwrap_err().to_string(),
            "the histogram cannot be decoded: too large"
        );
        snapshot.hdr_v2_base64 = Some(STANDARD.encode(0x1c84_9303_u32.to_be_bytes().repeat(9)));
        assert!(
            snapshot.histogram().is_err(),
            "what is not compressed claims a length too"
        );
    }

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record(*value);
        }
        histogram
    }

    #[test]
    fn numbers_agree_with_a_hand_computation() {
        let values: Vec<u64> = (1..=100).map(|i| i * 1_000_000).collect();
        let snapshot = of(&values).snapshot();
        assert_eq!(
            (snapshot.count, snapshot.sum_ns),
            (100, Some(5_050_000_000))
        );
        assert_eq!(
            (snapshot.min_ns, snapshot.max_ns, snapshot.mean_ns),
            (Some(1_000_000), Some(100_000_000), Some(50_500_000))
        );
        for (found, exact) in [
            (snapshot.p10_ns, 10_000_000),
            (snapshot.p25_ns, 25_000_000),
            (snapshot.p50_ns, 50_000_000),
            (snapshot.p75_ns, 75_000_000),
            (snapshot.p90_ns, 90_000_000),
            (snapshot.p95_ns, 95_000_000),
            (snapshot.p99_ns, 99_000_000),
            (snapshot.p99_9_ns, 100_000_000),
        ] {
            let found = found.unwrap();
            assert!(
                (exact..=exact + exact / 1_000).contains(&found),
                "{found} for {exact}"
            );
        }
    }

    #[test]
    fn one_value_is_every_percentile_exactly() {
        let snapshot = of(&[123_456_789]).snapshot();
        for value in [
            snapshot.min_ns,
            snapshot.p10_ns,
            snapshot.p50_ns,
            snapshot.p99_9_ns,
            snapshot.max_ns,
            snapshot.mean_ns,
        ] {
            assert_eq!(value, Some(123_456_789));
        }
    }

    #[test]
    fn nothing_recorded_is_null_and_never_zero() {
        let snapshot = Histogram::default().snapshot();
        assert_eq!(snapshot, Snapshot::default());
        assert_eq!(snapshot.histogram().unwrap(), Histogram::default());
        let empty = Snapshot {
            max_ns: Some(5),
            ..snapshot
        };
        assert!(
            matches!(empty.histogram(), Err(SnapshotError::Contradiction)),
            "the longest of no times"
        );
    }

    #[test]
    fn longer_than_a_day_saturates_and_keeps_its_exact_maximum() {
        let histogram = of(&[HIGHEST_NS * 3]);
        assert_eq!(
            (histogram.count(), histogram.max_ns(), histogram.sum_ns()),
            (1, Some(HIGHEST_NS * 3), HIGHEST_NS * 3)
        );
        assert_eq!(histogram.quantile(0.5), Some(HIGHEST_NS * 3));
    }

    #[test]
    fn counts_up_to_a_bound_include_it() {
        let histogram = of(&[0, 1_000, 2_000, 2_000, 9_000_000]);
        let counts: Vec<u64> = [0, 999, 1_000, 2_000, 8_000_000, 9_000_000, u64::MAX]
            .into_iter()
            .map(|ns| histogram.count_up_to(ns))
            .collect();
        assert_eq!(counts, [1, 1, 2, 4, 4, 5, 5]);
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        let good = of(&[5, 6]).snapshot();
        let with = |change: fn(&mut Snapshot)| {
            let mut bad = good.clone();
            change(&mut bad);
            bad.histogram()
        };
        assert!(matches!(
            with(|s| s.hdr_v2_base64 = Some("?".to_owned())),
            Err(SnapshotError::Base64(_))
        ));
        assert!(matches!(
            with(|s| s.hdr_v2_base64 = Some("AAAA".to_owned())),
            Err(SnapshotError::Encoding(_))
        ));
        assert!(matches!(
            with(|s| s.count = 3),
            Err(SnapshotError::Contradiction)
        ));
        assert!(matches!(
            with(|s| s.max_ns = None),
            Err(SnapshotError::Contradiction)
        ));
        assert!(matches!(
            with(|s| s.sum_ns = Some(1)),
            Err(SnapshotError::Contradiction)
        ));
        assert!(matches!(
            with(|s| s.hdr_v2_base64 = None),
            Err(SnapshotError::Contradiction)
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn merging_equals_the_histogram_of_both(a in times(), b in times()) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }

        #[test]
        fn a_snapshot_reads_back_as_its_histogram(values in times()) {
            let histogram = of(&values);
            prop_assert_eq!(histogram.snapshot().histogram().unwrap(), histogram);
        }

        #[test]
        fn quantiles_grow_and_stay_near_the_exact_ones(mut values in prop::collection::vec(1_u64..HIGHEST_NS, 1..200)) {
            let histogram = of(&values);
            values.sort_unstable();
            let mut last = 0;
            for (numerator, quantile) in [(1_usize, 0.1), (5, 0.5), (9, 0.9), (10, 1.0)] {
                let found = histogram.quantile(quantile).unwrap();
                let exact = values[(values.len() * numerator).div_ceil(10) - 1];
                prop_assert!(found >= last && found.abs_diff(exact) <= exact / 1_000, "{} for {}", found, exact);
                last = found;
            }
        }
    }

    fn times() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(
            prop_oneof![
                0_u64..1_000,
                0_u64..10_000_000_000,
                Just(HIGHEST_NS),
                Just(HIGHEST_NS + 7)
            ],
            0..200,
        )
    }
}
