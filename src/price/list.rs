//! The price list: its file form, what is wrong with one, and look-ups.

use serde::Deserialize;

/// The built-in list.
const BUILT_IN: &str = include_str!("../../data/prices.toml");

/// Prices of one day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    dated: String,
    #[serde(default)]
    fargate: Vec<FargateRow>,
    #[serde(default)]
    s3: Vec<S3Row>,
    #[serde(default)]
    nat: Vec<NatRow>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FargateRow {
    region: String,
    arch: String,
    usd_per_vcpu_hour: f64,
    usd_per_gb_hour: f64,
    source: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct S3Row {
    region: String,
    storage_class: String,
    usd_per_1000_get: f64,
    usd_per_1000_list: f64,
    usd_per_gb_retrieved: f64,
    source: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct NatRow {
    region: String,
    usd_per_gb: f64,
    source: String,
}

/// What a Fargate task costs, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskRates {
    /// A vCPU for an hour.
    pub usd_per_vcpu_hour: f64,
    /// A GB (1,024 MiB) of memory for an hour.
    pub usd_per_gb_hour: f64,
}

/// What requests to S3 cost, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRates {
    /// 1,000 GETs.
    pub usd_per_1000_get: f64,
    /// 1,000 listing pages.
    pub usd_per_1000_list: f64,
    /// Reading a GB (10⁹ bytes) of this storage class.
    pub usd_per_gb_retrieved: f64,
}

/// Why a text is no price list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// Not TOML, or a field that is missing, not known, or of another kind.
    #[error("{0}")]
    Form(String),
    /// A row that cannot be right.
    #[error("row {row}: {what}")]
    Row {
        /// Which: `fargate us-east-1 x86_64`.
        row: String,
        /// What is wrong with it.
        what: String,
    },
}

impl PriceList {
    /// The list that comes with this program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the built-in list is one")
    }

    /// Reads a list.
    ///
    /// # Errors
    /// In one line: not of this form, or a row with a negative or infinite price, without a source, or there twice.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let list: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let message = error.message().trim().replace('\n', " ");
            PriceError::Form(line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}")))
        })?;
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), PriceError> {
        let fargate = self
            .fargate
            .iter()
            .map(|row| (format!("fargate {} {}", row.region, row.arch), vec![row.usd_per_vcpu_hour, row.usd_per_gb_hour], &row.source));
        let s3 = self.s3.iter().map(|row| {
            let prices = vec![row.usd_per_1000_get, row.usd_per_1000_list, row.usd_per_gb_retrieved];
            (format!("s3 {} {}", row.region, row.storage_class), prices, &row.source)
        });
        let nat = self.nat.iter().map(|row| (format!("nat {}", row.region), vec![row.usd_per_gb], &row.source));
        let mut names: Vec<String> = Vec::new();
        for (row, prices, source) in fargate.chain(s3).chain(nat) {
            let wrong = |what: &str| Err(PriceError::Row { row: row.clone(), what: what.to_owned() });
            if let Some(price) = prices.iter().find(|price| !price.is_finite() || **price < 0.0) {
                return wrong(&format!("{price} is no price"));
            }
            if source.trim().is_empty() {
                return wrong("it has no source");
            }
            if names.contains(&row) {
                return wrong("it stands there twice");
            }
            names.push(row);
        }
        Ok(())
    }

    /// The day of the prices, `2026-11-21`.
    pub fn dated(&self) -> &str {
        &self.dated
    }

    /// What tasks cost in a region on an architecture (`x86_64`; `arm64` or `aarch64`).
    pub fn fargate(&self, region: &str, arch: &str) -> Option<TaskRates> {
        let arch = if arch == "aarch64" { "arm64" } else { arch };
        let row = self.fargate.iter().find(|row| row.region == region && row.arch == arch)?;
        Some(TaskRates { usd_per_vcpu_hour: row.usd_per_vcpu_hour, usd_per_gb_hour: row.usd_per_gb_hour })
    }

    /// What requests cost in a region for objects of a storage class; an empty one is `STANDARD`, as in listings.
    pub fn s3(&self, region: &str, storage_class: &str) -> Option<RequestRates> {
        let class = if storage_class.is_empty() { "STANDARD" } else { storage_class };
        let row = self.s3.iter().find(|row| row.region == region && row.storage_class == class)?;
        let S3Row { usd_per_1000_get, usd_per_1000_list, usd_per_gb_retrieved, .. } = *row;
        Some(RequestRates { usd_per_1000_get, usd_per_1000_list, usd_per_gb_retrieved })
    }

    /// What a NAT gateway takes for a GB.
    pub fn nat_usd_per_gb(&self, region: &str) -> Option<f64> {
        self.nat.iter().find(|row| row.region == region).map(|row| row.usd_per_gb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_knows_what_has_a_source_and_nothing_else() {
        let list = PriceList::built_in();
        assert_eq!(list.dated().len(), 10);
        assert_eq!(list.fargate("us-east-1", "x86_64"), Some(TaskRates { usd_per_vcpu_hour: 0.04048, usd_per_gb_hour: 0.004_445 }));
        assert_eq!(list.fargate("us-east-1", "aarch64"), list.fargate("us-east-1", "arm64"));
        assert_eq!((list.fargate("eu-west-1", "x86_64"), list.s3("us-east-1", "DEEP_ARCHIVE"), list.nat_usd_per_gb("eu-west-1")), (None, None, None));
        assert_eq!(list.s3("us-east-1", ""), list.s3("us-east-1", "STANDARD"));
        let infrequent = RequestRates { usd_per_1000_get: 0.001, usd_per_1000_list: 0.005, usd_per_gb_retrieved: 0.01 };
        assert_eq!(list.s3("us-east-1", "STANDARD_IA"), Some(infrequent));
        assert_eq!(list.nat_usd_per_gb("us-east-1"), Some(0.045));
    }

    fn error(text: &str) -> String {
        PriceList::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_list_that_cannot_be_right_is_refused_in_one_line() {
        assert!(error("").contains("missing field `dated`"));
        assert!(error("dated = \"x\"\ncolour = 1\n").starts_with("line 2: unknown field `colour`"));
        let row = |price: &str, source: &str| format!("[[nat]]\nregion = \"r\"\nusd_per_gb = {price}\nsource = \"{source}\"\n");
        let list = |rows: &str| format!("dated = \"2026-01-01\"\n{rows}");
        assert_eq!(error(&list(&row("-0.1", "s"))), "row nat r: -0.1 is no price");
        assert_eq!(error(&list(&row("inf", "s"))), "row nat r: inf is no price");
        assert_eq!(error(&list(&row("0.1", " "))), "row nat r: it has no source");
        assert_eq!(error(&list(&(row("0.1", "s") + &row("0.2", "s")))), "row nat r: it stands there twice");
        assert!(PriceList::parse(&list(&row("0.1", "s"))).is_ok());
    }
}
