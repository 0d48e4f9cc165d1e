//! What the embedded server is asked to be: the objects, the network, the faults. Plain validated data and its `k=v,k=v` form; does nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parse::{GivenPairs, amount, probability, rate, size, time_ns, whole};

/// How object sizes are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SizeRange {
    /// Every object is as large as `size`.
    #[default]
    Fixed,
    /// Lognormal with a mean of `size` and a sigma (of the logarithm) of 1: the median is 0.61 × `size`, the largest of 100,000 about 45 × `size`.
    Lognormal,
}

/// A named network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Only what is asked for key by key.
    #[default]
    None,
    /// What S3 looks like from the same region, as assumed: first byte after 12 ms (median; p99 60 ms, lognormal), 90 MB/s a connection,
    /// 5,500 requests/s, 80 ms a listing page.
    S3,
}

/// Which keys the source bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyStyle {
    /// `data/00/000000123.bin`.
    #[default]
    Plain,
    /// Keys of every troublesome kind among plain ones.
    Awkward,
}

/// Probabilities of faults. All but `missing` are drawn anew for each GET, from the seed, the key and how often that key was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Faults {
    /// The connection is reset, before the head or in mid-body.
    pub reset: f64,
    /// Head and half of the body, then silence.
    pub stall: f64,
    /// The connection is closed cleanly before the announced length.
    pub short: f64,
    /// 500 `InternalError`.
    pub internal_error: f64,
    /// 503 `SlowDown`.
    pub slow_down: f64,
    /// 400 `ExpiredToken`.
    pub expired_token: f64,
    /// Listed, and always 404 `NoSuchKey`; by key alone.
    pub missing: f64,
}

impl Faults {
    /// True when some GET may be answered with a fault that its repetition may not see.
    pub fn any_transient(&self) -> bool {
        self.transient_sum() > 0.0
    }

    fn transient_sum(&self) -> f64 {
        self.reset
            + self.stall
            + self.short
            + self.internal_error
            + self.slow_down
            + self.expired_token
    }
}

/// Everything that can be set, with the defaults of [`Options::default`]. Rates are per second, sizes bytes, times nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Options {
    /// Objects in the source bucket, up to 1,000,000,000.
    pub objects: u64,
    /// Size of an object, or the mean of the sizes.
    pub size_bytes: u64,
    /// How sizes are spread.
    pub sizes: SizeRange,
    /// Everything drawn follows from this.
    pub seed: u64,
    /// Median time from a GET's head to the first byte of the answer.
    pub ttfb_ns: u64,
    /// 99th percentile of the same, lognormal; none = always the median.
    pub ttfb_p99_ns: Option<u64>,
    /// Bandwidth of each connection.
    pub connection_rate_bytes_per_s: Option<u64>,
    /// Bandwidth of all source bodies together.
    pub total_rate_bytes_per_s: Option<u64>,
    /// GETs and HEADs of the source answered; more get 503 `SlowDown`.
    pub request_rate_per_s: Option<u64>,
    /// Time that a listing page of the source takes.
    pub list_delay_ns: u64,
    /// The named network that the values above come from, where not set by themselves.
    pub network: Network,
    /// Probabilities of faults.
    pub faults: Faults,
    /// Most keys of a listing page.
    pub page_keys: u32,
    /// Which keys there are.
    pub keys: KeyStyle,
    /// Folders that the plain keys are spread over, 1 to 10,000: `p0007/000000123.bin`; none = `data/00/000000123.bin` in up to 100.
    pub prefixes: Option<u32>,
    /// Share of the keys listed as `GLACIER`, whose GET answers 403 `InvalidObjectState`.
    pub archived_share: f64,
}

/// Keys hold their index in nine digits.
pub(super) const MAX_OBJECTS: u64 = 1_000_000_000;

/// Folders hold their number in four digits.
const MAX_PREFIXES: u64 = 10_000;

/// S3's own largest object.
const MAX_SIZE: u64 = 5 << 40;

/// S3's own largest listing page.
const MAX_PAGE: u64 = 1_000;

/// Every key that [`Options`] is written with, in the order of the reference.
const NAMES: [&str; 22] = [
    "objects",
    "size",
    "sizes",
    "seed",
    "ttfb",
    "ttfb-p99",
    "conn-rate",
    "total-rate",
    "request-rate",
    "list-delay",
    "network",
    "fault-reset",
    "fault-stall",
    "fault-short",
    "fault-500",
    "fault-slowdown",
    "fault-expired",
    "fault-missing",
    "page",
    "keys",
    "prefixes",
    "archived",
];

impl Default for Options {
    fn default() -> Self {
        Self {
            objects: 1_000,
            size_bytes: 256 << 10,
            sizes: SizeRange::Fixed,
            seed: 1,
            ttfb_ns: 0,
            ttfb_p99_ns: None,
            connection_rate_bytes_per_s: None,
            total_rate_bytes_per_s: None,
            request_rate_per_s: None,
            list_delay_ns: 0,
            network: Network::None,
            faults: Faults::default(),
            page_keys: 1_000,
            keys: KeyStyle::Plain,
            prefixes: None,
            archived_share: 0.0,
        }
    }
}

impl Options {
    /// Whether fetches wait for this server as for one that is far away, and not for the CPU alone.
    pub fn is_distant(&self) -> bool {
        self.ttfb_ns > 0
            || self.connection_rate_bytes_per_s.is_some()
            || self.total_rate_bytes_per_s.is_some()
            || self.request_rate_per_s.is_some()
    }

    /// Takes over the values of a named network.
    fn apply(&mut self, network: Network) {
        self.network = network;
        match network {
            Network::None => {}
            Network::S3 => {
                self.ttfb_ns = 12_000_000;
                self.ttfb_p99_ns = Some(60_000_000);
                self.connection_rate_bytes_per_s = Some(90_000_000);
                self.request_rate_per_s = Some(5_500);
                self.list_delay_ns = 80_000_000;
            }
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "objects" => self.objects = whole(value, 0, MAX_OBJECTS)?,
            "size" => self.size_bytes = size(value, MAX_SIZE)?,
            "sizes" => {
                self.sizes = word(
                    value,
                    &[
                        ("fixed", SizeRange::Fixed),
                        ("lognormal", SizeRange::Lognormal),
                    ],
                )?;
            }
            "seed" => self.seed = whole(value, 0, u64::MAX)?,
            "ttfb" => self.ttfb_ns = time_ns(value)?,
            "ttfb-p99" => self.ttfb_p99_ns = Some(time_ns(value)?),
            "conn-rate" => self.connection_rate_bytes_per_s = Some(rate(value)?),
            "total-rate" => self.total_rate_bytes_per_s = Some(rate(value)?),
            "request-rate" => self.request_rate_per_s = Some(amount(value)?),
            "list-delay" => self.list_delay_ns = time_ns(value)?,
            "network" => {} // taken over first, in `from_str`
            "page" => {
                self.page_keys = u32::try_from(whole(value, 1, MAX_PAGE)?).expect("at most 1,000");
            }
            "keys" => {
                self.keys = word(
                    value,
                    &[("plain", KeyStyle::Plain), ("awkward", KeyStyle::Awkward)],
                )?;
            }
            "prefixes" => {
                self.prefixes =
                    Some(u32::try_from(whole(value, 1, MAX_PREFIXES)?).expect("at most 10,000"));
            }
            "archived" => self.archived_share = probability(value)?,
            _ => *self.fault_mut(name).ok_or("not a key")? = probability(value)?,
        }
        Ok(())
    }

    fn fault_mut(&mut self, name: &str) -> Option<&mut f64> {
        Some(match name {
            "fault-reset" => &mut self.faults.reset,
            "fault-stall" => &mut self.faults.stall,
            "fault-short" => &mut self.faults.short,
            "fault-500" => &mut self.faults.internal_error,
            "fault-slowdown" => &mut self.faults.slow_down,
            "fault-expired" => &mut self.faults.expired_token,
            "fault-missing" => &mut self.faults.missing,
            _ => return None,
        })
    }

    fn checked(self, given: &GivenPairs<'_>) -> Result<Self, String> {
        if self.faults.transient_sum() > 1.0 {
            return Err(
                "the faults' probabilities (without fault-missing) add up to more than 1"
                    .to_owned(),
            );
        }
        if let Some(p99) = self.ttfb_p99_ns
            && (self.ttfb_ns == 0 || p99 < self.ttfb_ns)
        {
            // A p99 that only the network brought gives way to a median set by hand.
            if given.value("ttfb-p99").is_some() {
                return Err(
                    "ttfb-p99 needs a ttfb (the median) above 0 and not above it".to_owned(),
                );
            }
            return Ok(Self {
                ttfb_p99_ns: None,
                ..self
            });
        }
        Ok(self)
    }
}

fn word<T: Copy>(value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("is not one of {}", all.join(", "))
    })
}

impl FromStr for Options {
    type Err = String;

    /// Reads `k=v,k=v`; the empty text is the default. A named network comes first, whatever the order, so that single keys override it.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = &NAMES;
        let given = GivenPairs::read(text, names)?;
        let mut options = Self::default();
        if let Some(value) = given.value("network") {
            let network = word(value, &[("none", Network::None), ("s3", Network::S3)]);
            options.apply(network.map_err(|why| format!("network=`{value}` {why}"))?);
        }
        for (name, value) in given.iter() {
            options
                .set(name, value)
                .map_err(|why| format!("{name}=`{value}` {why}"))?;
        }
        options.checked(&given)
    }
}

impl fmt::Display for Options {
    /// The `k=v,k=v` that reads back as these options; only what differs from the default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut base = Self::default();
        let mut parts: Vec<String> = Vec::new();
        if self.network == Network::S3 {
            base.apply(Network::S3);
            parts.push("network=s3".to_owned());
        }
        let mut number = |name: &str, value: Option<u64>, default: Option<u64>, unit: &str| {
            if let Some(value) = value.filter(|_| value != default) {
                parts.push(format!("{name}={value}{unit}"));
            }
        };
        number("objects", Some(self.objects), Some(base.objects), "");
        number("size", Some(self.size_bytes), Some(base.size_bytes), "");
        number("seed", Some(self.seed), Some(base.seed), "");
        number("ttfb", Some(self.ttfb_ns), Some(base.ttfb_ns), "ns");
        number("ttfb-p99", self.ttfb_p99_ns, base.ttfb_p99_ns, "ns");
        number(
            "conn-rate",
            self.connection_rate_bytes_per_s,
            base.connection_rate_bytes_per_s,
            "",
        );
        number(
            "total-rate",
            self.total_rate_bytes_per_s,
            base.total_rate_bytes_per_s,
            "",
        );
        number(
            "request-rate",
            self.request_rate_per_s,
            base.request_rate_per_s,
            "",
        );
        number(
            "list-delay",
            Some(self.list_delay_ns),
            Some(base.list_delay_ns),
            "ns",
        );
        number(
            "page",
            Some(u64::from(self.page_keys)),
            Some(u64::from(base.page_keys)),
            "",
        );
        number("prefixes", self.prefixes.map(u64::from), None, "");
        if self.sizes == SizeRange::Lognormal {
            parts.push("sizes=lognormal".to_owned());
        }
        if self.keys == KeyStyle::Awkward {
            parts.push("keys=awkward".to_owned());
        }
        let mut shares = self.clone();
        for name in NAMES.iter().filter(|name| name.starts_with("fault-")) {
            let share = *shares
                .fault_mut(name)
                .expect("every name that begins with fault- is a fault");
            if share > 0.0 {
                parts.push(format!("{name}={share}"));
            }
        }
        if self.archived_share > 0.0 {
            parts.push(format!("archived={}", self.archived_share));
        }
        f.write_str(&parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    fn error(text: &str) -> String {
        text.parse::<Options>().unwrap_err()
    }

    #[test]
    fn every_key_is_read() {
        let text = "objects=5,size=16MiB,sizes=lognormal,seed=9,ttfb=12ms,ttfb-p99=1s,conn-rate=90MB/s,total-rate=1.5GB/s,request-rate=100/s,\
                    list-delay=80ms,network=none,fault-reset=0.01,fault-stall=0.02,fault-short=0.03,fault-500=0.04,fault-slowdown=0.05,\
                    fault-expired=0.06,fault-missing=0.5,page=10,keys=awkward,prefixes=12,archived=0.25";
        let faults = Faults {
            reset: 0.01,
            stall: 0.02,
            short: 0.03,
            internal_error: 0.04,
            slow_down: 0.05,
            expired_token: 0.06,
            missing: 0.5,
        };
        let expected = Options {
            objects: 5,
            size_bytes: 16_777_216,
            sizes: SizeRange::Lognormal,
            seed: 9,
            ttfb_ns: 12_000_000,
            ttfb_p99_ns: Some(1_000_000_000),
            connection_rate_bytes_per_s: Some(90_000_000),
            total_rate_bytes_per_s: Some(1_500_000_000),
            request_rate_per_s: Some(100),
            list_delay_ns: 80_000_000,
            network: Network::None,
            faults,
            page_keys: 10,
            keys: KeyStyle::Awkward,
            prefixes: Some(12),
            archived_share: 0.25,
        };
        assert_eq!(text.parse(), Ok(expected));
        assert_eq!(text.split(',').count(), NAMES.len());
        assert_eq!("".parse(), Ok(Options::default()));
    }

    #[test]
    fn the_s3_network_is_fixed_and_single_keys_override_it() {
        let s3: Options = "network=s3".parse().unwrap();
        assert_eq!(
            (s3.ttfb_ns, s3.ttfb_p99_ns, s3.list_delay_ns),
            (12_000_000, Some(60_000_000), 80_000_000)
        );
        assert_eq!(
            (s3.connection_rate_bytes_per_s, s3.request_rate_per_s),
            (Some(90_000_000), Some(5_500))
        );
        let changed: Options = "list-delay=1ms,network=s3,ttfb=100ms".parse().unwrap();
        assert_eq!(
            (changed.ttfb_ns, changed.ttfb_p99_ns, changed.list_delay_ns),
            (100_000_000, None, 1_000_000)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_there_is() {
        assert_eq!(
            error("object=5"),
            "`object` is not a key of the embedded server; did you mean `objects`?"
        );
        assert!(error("x=5").starts_with(
            "`x` is not a key of the embedded server; there are objects, size, sizes, seed, ttfb"
        ));
        assert_eq!(
            error("objects=many"),
            "objects=`many` is not a whole number"
        );
        assert_eq!(
            error("size=1XB"),
            "size=`1XB` is not a size such as 1000, 256KiB, 16MiB or 1MB"
        );
        assert_eq!(error("network=lte"), "network=`lte` is not one of none, s3");
        assert_eq!(
            error("fault-reset=2"),
            "fault-reset=`2` is not a number from 0 to 1"
        );
        assert_eq!(error("prefixes=0"), "prefixes=`0` is not from 1 to 10000");
        assert_eq!(error("page=0"), "page=`0` is not from 1 to 1000");
        assert_eq!(error("conn-rate=0"), "conn-rate=`0` is not above 0");
        assert_eq!(
            error("ttfb=fast"),
            "ttfb=`fast` is not a time such as 12ms or 1s"
        );
        assert_eq!(
            error("ttfb=300years"),
            "ttfb=`300years` is longer than a year"
        );
        assert_eq!(error("seed"), "`seed` is not key=value");
        assert_eq!(error("seed=1,seed=2"), "`seed` is given twice");
        assert!(error("fault-reset=0.6,fault-500=0.6").contains("more than 1"));
        assert!(error("ttfb-p99=1ms").starts_with("ttfb-p99 needs a ttfb"));
    }

    #[test]
    fn options_are_written_as_they_are_read() {
        for text in [
            "",
            "network=s3",
            "objects=7,size=1000,sizes=lognormal,keys=awkward,fault-500=0.5,archived=0.1",
            "network=s3,list-delay=1ns,page=3,prefixes=200",
            "network=s3,ttfb=0ms",
        ] {
            let options: Options = text.parse().unwrap();
            assert_eq!(
                options.to_string().parse(),
                Ok(options.clone()),
                "{options}"
            );
        }
        assert_eq!(
            "network=s3,seed=3".parse::<Options>().unwrap().to_string(),
            "network=s3,seed=3"
        );
    }

    #[test]
    fn fuzz_options_of_the_server() {
        let words = &[
            "=",
            ",",
            "network=s3",
            "ttfb=",
            "ttfb-p99=",
            "MiB",
            "ms",
            "fault-500=0.5",
            "nan",
            "sizes=lognormal",
            "e9",
        ];
        let seeds = vec![
            b"objects=7,size=1000,sizes=lognormal,ttfb=12ms,ttfb-p99=60ms".to_vec(),
            b"network=s3,conn-rate=1MB,prefixes=2".to_vec(),
        ];
        Target {
            name: "server-options",
            seeds,
            words,
            cases: 20_000,
        }
        .run(|bytes| {
            let Ok(options) = String::from_utf8_lossy(bytes).parse::<Options>() else {
                return;
            };
            assert_eq!(
                options.to_string().parse(),
                Ok(options.clone()),
                "{options}"
            );
        });
    }
}
