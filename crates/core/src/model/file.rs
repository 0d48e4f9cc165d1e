//! The file of a model: its keys, their meanings and their defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::effects::{ByMode, Corner, ModeFactors, Noise, Start, Throttle};

/// Everything that a model says; each key is optional, and an unknown one is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Of all random numbers.
    pub seed: u64,
    /// What is fetched.
    pub bucket: BucketModel,
    /// Who sends it.
    pub store: StoreModel,
    /// What a task's network carries.
    pub network: NetworkModel,
    /// What parfetch needs of a processor.
    pub cpu: CpuModel,
    /// What contenders need of it, by their names.
    pub program: BTreeMap<String, ProgramCpu>,
    /// How limits meet.
    pub corner: Corner,
    /// How modes differ.
    pub mode: ModeFactors,
    /// What asking for too much costs.
    pub throttle: Throttle,
    /// How runs differ.
    pub noise: Noise,
    /// What a task does besides fetching.
    pub start: Start,
}

/// Objects of a bucket at most: each has its size in memory.
pub const MOST_OBJECTS: u32 = 10_000_000;

/// Why a text is not a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Not TOML, an unknown key, or a value of another type.
    #[error("not a model of a platform: {0}")]
    Form(String),
    /// A value with which no run would end.
    #[error("not a model of a platform: `{key}` is {value}, and must be {wanted}")]
    Value {
        /// Such as `store.connection_bytes_per_s`.
        key: &'static str,
        /// As it stands there.
        value: String,
        /// What it may be.
        wanted: &'static str,
    },
}

/// The objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BucketModel {
    /// How many.
    pub objects: u32,
    /// Mean size.
    pub mean_bytes: f64,
    /// Standard deviation of the log of sizes (lognormal); 0 = all alike.
    pub sigma: f64,
    /// Exponent of a Pareto distribution of sizes in place of the lognormal one (1.2: very heavy, 3: hardly); 0 = lognormal.
    pub pareto: f64,
    /// How sizes lie in the listing.
    pub listed: ListedOrder,
    /// Folders with a mean size of their own, where `listed` is `clustered`.
    pub clusters: u32,
    /// Standard deviation of the log of the folders' mean sizes.
    pub cluster_sigma: f64,
}

/// How sizes lie in the listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListedOrder {
    /// Anyhow.
    #[default]
    Random,
    /// Folder by folder.
    Clustered,
    /// The large ones first.
    LargeFirst,
    /// The small ones first.
    SmallFirst,
}

impl Default for BucketModel {
    fn default() -> Self {
        Self {
            objects: 200_000,
            mean_bytes: 2.5e6,
            sigma: 0.6,
            pareto: 0.0,
            listed: ListedOrder::Random,
            clusters: 12,
            cluster_sigma: 0.8,
        }
    }
}

/// The store, as one connection and as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreModel {
    /// Seconds from a request to the first byte of its answer.
    pub first_byte_s: f64,
    /// Bytes a second of one connection.
    pub connection_bytes_per_s: f64,
    /// Requests a second: what is asked above it is answered 503, and asked again.
    pub max_requests_per_s: f64,
    /// How many times an ordinary fetch the last one of a run takes.
    pub last_fetch: f64,
    /// Standard deviation of the log of that.
    pub last_fetch_sigma: f64,
}

impl Default for StoreModel {
    fn default() -> Self {
        Self {
            first_byte_s: 0.02,
            connection_bytes_per_s: 9e7,
            max_requests_per_s: 5_500.0,
            last_fetch: 1.5,
            last_fetch_sigma: 0.2,
        }
    }
}

/// A task of v vCPU carries `bytes_per_s` × v ^ `exponent` for as long as it runs, and more while a burst lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkModel {
    /// Of one vCPU, sustained.
    pub bytes_per_s: f64,
    /// How it grows with vCPU.
    pub exponent: f64,
    /// Factors of single sizes, by vCPU: `{ "0.5" = 0.9 }`.
    pub by_size: BTreeMap<String, f64>,
    /// The burst's rate over the sustained one; 1 = no burst.
    pub burst_factor: f64,
    /// How long a burst lasts when all of it is used.
    pub burst_s: f64,
    /// What ends it.
    pub burst: BurstEnd,
    /// With `refill`: seconds for which the rate is low until there is credit again.
    pub refill_s: f64,
}

/// By which rule the high rate is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BurstEnd {
    /// `burst_s` × (`burst_factor` − 1) × network bytes above the sustained rate, whoever uses them.
    #[default]
    Credit,
    /// `burst_s` seconds, used or not.
    Time,
    /// A credit that fills up again: then low and high rates alternate.
    Refill,
}

impl Default for NetworkModel {
    fn default() -> Self {
        let by_size = BTreeMap::new();
        Self {
            bytes_per_s: 3e8,
            exponent: 0.7,
            by_size,
            burst_factor: 1.0,
            burst_s: 300.0,
            burst: BurstEnd::Credit,
            refill_s: 20.0,
        }
    }
}

/// CPU seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CpuModel {
    /// Of a request.
    pub request_s: ByMode,
    /// Of a byte.
    pub byte_s: f64,
    /// By this share of `request_s` more for each worker.
    pub per_worker: f64,
    /// Share of the vCPU that can be used.
    pub usable: ByMode,
    /// Factors of it for single sizes, by vCPU.
    pub usable_by_size: BTreeMap<String, f64>,
}

impl Default for CpuModel {
    fn default() -> Self {
        Self {
            request_s: ByMode {
                r#async: 2.0e-5,
                thread: 2.6e-5,
                process: 3.0e-5,
            },
            byte_s: 3e-10,
            per_worker: 0.0005,
            usable: ByMode {
                r#async: 0.99,
                thread: 0.98,
                process: 0.97,
            },
            usable_by_size: BTreeMap::new(),
        }
    }
}

/// A contender: the keys of [`CpuModel`], and its lock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProgramCpu {
    /// As in `[cpu]`; what is missing is as there.
    pub request_s: Option<ByMode>,
    /// As in `[cpu]`.
    pub byte_s: Option<f64>,
    /// As in `[cpu]`.
    pub per_worker: Option<f64>,
    /// As in `[cpu]`.
    pub usable: Option<ByMode>,
    /// Seconds of a request in which one worker at a time can be (of each process).
    pub serial_s: f64,
}

impl Model {
    /// Reads a model.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or a value with which no run would end.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let model: Self =
            toml::from_str(text).map_err(|error| ModelError::Form(error.message().to_owned()))?;
        model.check()?;
        Ok(model)
    }

    /// The file.
    ///
    /// # Panics
    /// Never: a model is plain data.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a model is plain data")
    }

    fn check(&self) -> Result<(), ModelError> {
        let Self {
            bucket,
            store,
            network,
            corner,
            noise,
            ..
        } = self;
        let positive = [
            ("bucket.mean_bytes", bucket.mean_bytes),
            ("store.connection_bytes_per_s", store.connection_bytes_per_s),
            ("store.max_requests_per_s", store.max_requests_per_s),
            ("network.bytes_per_s", network.bytes_per_s),
            ("corner.power", corner.power),
        ];
        let not_negative = [
            ("store.first_byte_s", store.first_byte_s),
            ("bucket.sigma", bucket.sigma),
            ("noise.sigma", noise.sigma),
            ("noise.second", noise.second),
            ("network.burst_s", network.burst_s),
        ];
        let wrong = |key, value: f64, wanted| {
            Err(ModelError::Value {
                key,
                value: value.to_string(),
                wanted,
            })
        };
        if let Some((key, value)) = positive
            .into_iter()
            .find(|(_, value)| value.is_nan() || *value <= 0.0)
        {
            return wrong(key, value, "above 0");
        }
        if let Some((key, value)) = not_negative
            .into_iter()
            .find(|(_, value)| !value.is_finite() || *value < 0.0)
        {
            return wrong(key, value, "0 or more");
        }
        if bucket.objects > MOST_OBJECTS {
            return wrong(
                "bucket.objects",
                f64::from(bucket.objects),
                "10000000 or less",
            );
        }
        if bucket.objects == 0 {
            return wrong("bucket.objects", 0.0, "1 or more");
        }
        if network.burst_factor.is_nan() || network.burst_factor < 1.0 {
            return wrong("network.burst_factor", network.burst_factor, "1 or more");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effects::NoiseKind;

    #[test]
    fn every_key_is_optional_and_none_is_unknown() {
        assert_eq!(Model::parse("").unwrap(), Model::default());
        let model = Model::parse(
            "seed = 7\n[network]\nby_size = { \"0.5\" = 0.9 }\nburst = \"refill\"\n[corner]\npower = inf\n[program.python]\nserial_s = 0.0008\n\
             [cpu]\nrequest_s = { async = 1e-5, thread = 2e-5, process = 3e-5 }\n[noise]\nkind = \"ar1\"",
        )
        .unwrap();
        assert_eq!(
            (model.seed, model.network.burst, model.noise.kind),
            (7, BurstEnd::Refill, NoiseKind::Ar1)
        );
        assert!(
            model.corner.power.is_infinite()
                && (model.program["python"].serial_s - 0.0008).abs() < 1e-12
        );
        let error = Model::parse("[store]\nfirst_bite_s = 1")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("not a model of a platform: unknown field `first_bite_s`"),
            "{error}"
        );
        let text = model.to_toml();
        assert_eq!(Model::parse(&text).unwrap(), model);
    }

    #[test]
    fn values_with_which_no_run_ends_are_refused() {
        for (text, expected) in [
            (
                "[network]\nbytes_per_s = 0.0",
                "`network.bytes_per_s` is 0, and must be above 0",
            ),
            (
                "[network]\nburst_factor = 0.5",
                "`network.burst_factor` is 0.5, and must be 1 or more",
            ),
            (
                "[bucket]\nobjects = 0",
                "`bucket.objects` is 0, and must be 1 or more",
            ),
            (
                "[store]\nfirst_byte_s = -1.0",
                "`store.first_byte_s` is -1, and must be 0 or more",
            ),
        ] {
            assert_eq!(
                Model::parse(text).unwrap_err().to_string(),
                format!("not a model of a platform: {expected}")
            );
        }
    }
}
