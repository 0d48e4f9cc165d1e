//! The table of list prices: its form, its checks, its look-ups.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::Date;
use time::macros::format_description;

use super::task::TaskRates;

/// The table that comes with the program.
const BUILT_IN: &str = include_str!("../../data/prices.toml");

/// The storage class of an object that names none.
const STANDARD: &str = "STANDARD";

/// List prices of S3 in one region, for one storage class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRates {
    /// USD for 1,000 GET requests.
    pub usd_per_1000_get: f64,
    /// USD for 1,000 LIST requests, each of which is one page of up to 1,000 keys.
    pub usd_per_1000_list: f64,
    /// USD for each GB read, on top of the request; 0 for STANDARD.
    pub usd_per_gb_retrieved: f64,
}

/// Why a table of prices cannot be used; each names the row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not TOML, or a top-level key that is missing or unknown.
    #[error("not a table of prices: {0}")]
    Form(String),
    /// `dated` is not a date.
    #[error("`dated` is `{0}`, not a date like 2026-11-21")]
    Date(String),
    /// A row lacks a key, or has one that is unknown or of another type.
    #[error("{row}: {reason}")]
    Row {
        /// Such as `s3 row 2 (us-east-1 STANDARD_IA)`.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Dated list prices in USD.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceList {
    dated: String,
    /// By region and architecture.
    fargate: BTreeMap<(String, String), TaskRates>,
    /// By region and storage class.
    s3: BTreeMap<(String, String), RequestRates>,
    /// By region.
    nat: BTreeMap<String, f64>,
}

impl PriceList {
    /// The table that comes with the program; [`PriceList::dated`] says how old it is.
    ///
    /// # Panics
    /// Never: a test parses it.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test parses the built-in table")
    }

    /// Reads a table of the built-in one's form.
    ///
    /// # Errors
    /// When it is not of that form, has a key that is unknown, a price that is negative or not finite, a row without source, or two rows for one
    /// thing.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let file: File = toml::from_str(text).map_err(|error| PriceError::Form(in_line(text, &error)))?;
        if Date::parse(&file.dated, format_description!("[year]-[month]-[day]")).is_err() {
            return Err(PriceError::Date(file.dated));
        }
        let mut list = Self { dated: file.dated, fargate: BTreeMap::new(), s3: BTreeMap::new(), nat: BTreeMap::new() };
        for (number, row) in (1..).zip(file.fargate) {
            let name = Name { table: "fargate", number, keys: ["region", "arch"] };
            name.insert(row, &mut list.fargate, FargateRow::check)?;
        }
        // STANDARD first, wherever it stands: the other classes may take its price of LIST.
        let (standard, others): (Vec<_>, Vec<_>) = (1..).zip(file.s3).partition(|(_, row)| text_of(row, "storage_class") == STANDARD);
        for (number, row) in standard.into_iter().chain(others) {
            let name = Name { table: "s3", number, keys: ["region", "storage_class"] };
            let list_of_standard = list.s3.get(&(text_of(&row, "region").to_owned(), STANDARD.to_owned())).map(|rates| rates.usd_per_1000_list);
            name.insert(row, &mut list.s3, |row: S3Row| row.check(list_of_standard))?;
        }
        for (number, row) in (1..).zip(file.nat) {
            let name = Name { table: "nat", number, keys: ["region", ""] };
            name.insert(row, &mut list.nat, NatRow::check)?;
        }
        Ok(list)
    }

    /// The day on which the prices were looked up, as `2026-11-21`.
    pub fn dated(&self) -> &str {
        &self.dated
    }

    /// Prices of Fargate (on demand, Linux). `arch` as ECS, Docker or Rust writes it: `x86_64`, `X86_64`, `amd64`, `arm64`, `ARM64`, `aarch64`.
    pub fn fargate(&self, region: &str, arch: &str) -> Option<TaskRates> {
        let arch = match arch.to_ascii_lowercase().as_str() {
            "amd64" => "x86_64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            other => other.to_owned(),
        };
        self.fargate.get(&(region.to_owned(), arch)).copied()
    }

    /// Prices of S3's requests. An empty `storage_class` is STANDARD, as in a listing that leaves it out.
    pub fn s3(&self, region: &str, storage_class: &str) -> Option<RequestRates> {
        let storage_class = if storage_class.is_empty() { STANDARD } else { storage_class };
        self.s3.get(&(region.to_owned(), storage_class.to_owned())).copied()
    }

    /// USD for each GB that goes through a NAT gateway, its hours apart.
    pub fn nat_usd_per_gb(&self, region: &str) -> Option<f64> {
        self.nat.get(region).copied()
    }
}

/// The file as written; rows are read one by one, so that an error can name its row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    dated: String,
    #[serde(default)]
    fargate: Vec<toml::Table>,
    #[serde(default)]
    s3: Vec<toml::Table>,
    #[serde(default)]
    nat: Vec<toml::Table>,
}

/// `source` must be there, and `note` may; both are for who reads the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FargateRow {
    region: String,
    arch: String,
    usd_per_vcpu_hour: f64,
    usd_per_gb_hour: f64,
    source: String,
    #[serde(default, rename = "note")]
    _note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct S3Row {
    region: String,
    storage_class: String,
    usd_per_1000_get: f64,
    usd_per_1000_list: Option<f64>,
    usd_per_gb_retrieved: f64,
    source: String,
    #[serde(default, rename = "note")]
    _note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NatRow {
    region: String,
    usd_per_gb: f64,
    source: String,
    #[serde(default, rename = "note")]
    _note: String,
}

impl FargateRow {
    fn check(self) -> Result<((String, String), TaskRates), String> {
        present(&[("region", &self.region), ("source", &self.source)])?;
        prices(&[("usd_per_vcpu_hour", self.usd_per_vcpu_hour), ("usd_per_gb_hour", self.usd_per_gb_hour)])?;
        if !["x86_64", "arm64"].contains(&self.arch.as_str()) {
            return Err(format!("`arch` is `{}`, not x86_64 or arm64", self.arch));
        }
        let rates = TaskRates { usd_per_vcpu_hour: self.usd_per_vcpu_hour, usd_per_gb_hour: self.usd_per_gb_hour };
        Ok(((self.region, self.arch), rates))
    }
}

impl S3Row {
    fn check(self, list_of_standard: Option<f64>) -> Result<((String, String), RequestRates), String> {
        present(&[("region", &self.region), ("storage_class", &self.storage_class), ("source", &self.source)])?;
        let list = self.usd_per_1000_list.or(list_of_standard).ok_or("`usd_per_1000_list` is missing, and STANDARD of that region has none")?;
        prices(&[("usd_per_1000_get", self.usd_per_1000_get), ("usd_per_1000_list", list), ("usd_per_gb_retrieved", self.usd_per_gb_retrieved)])?;
        let rates =
            RequestRates { usd_per_1000_get: self.usd_per_1000_get, usd_per_1000_list: list, usd_per_gb_retrieved: self.usd_per_gb_retrieved };
        Ok(((self.region, self.storage_class), rates))
    }
}

impl NatRow {
    fn check(self) -> Result<(String, f64), String> {
        present(&[("region", &self.region), ("source", &self.source)])?;
        prices(&[("usd_per_gb", self.usd_per_gb)])?;
        Ok((self.region, self.usd_per_gb))
    }
}

/// How an error names a row.
struct Name {
    table: &'static str,
    number: usize,
    keys: [&'static str; 2],
}

impl Name {
    /// Reads, checks and files one row.
    fn insert<R, K, V>(&self, row: toml::Table, into: &mut BTreeMap<K, V>, check: impl FnOnce(R) -> Result<(K, V), String>) -> Result<(), PriceError>
    where
        R: DeserializeOwned,
        K: Ord,
    {
        let what: Vec<&str> = self.keys.iter().map(|key| text_of(&row, key)).filter(|text| !text.is_empty()).collect();
        let row_name = format!("{} row {} ({})", self.table, self.number, what.join(" "));
        let fail = |reason: String| PriceError::Row { row: row_name.clone(), reason };
        let row: R = row.try_into().map_err(|error: toml::de::Error| fail(error.message().to_owned()))?;
        let (key, value) = check(row).map_err(fail)?;
        match into.insert(key, value) {
            None => Ok(()),
            Some(_) => Err(fail("there is a row for it already".to_owned())),
        }
    }
}

/// A text of a row, empty when it has none.
fn text_of<'row>(row: &'row toml::Table, key: &str) -> &'row str {
    row.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

fn present(texts: &[(&str, &str)]) -> Result<(), String> {
    match texts.iter().find(|(_, text)| text.trim().is_empty()) {
        None => Ok(()),
        Some((name, _)) => Err(format!("`{name}` is empty")),
    }
}

fn prices(prices: &[(&str, f64)]) -> Result<(), String> {
    match prices.iter().find(|(_, usd)| !usd.is_finite() || *usd < 0.0) {
        None => Ok(()),
        Some((name, usd)) => Err(format!("`{name}` is {usd}, not a price")),
    }
}

/// The error in one line, and the line of the text it is about.
fn in_line(text: &str, error: &toml::de::Error) -> String {
    let reason = error.message().lines().collect::<Vec<_>>().join(", ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {reason}", before.matches('\n').count() + 1),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    const FARGATE: &str = "dated = \"2026-01-31\"\n[[fargate]]\nregion = \"eu-x-1\"\narch = \"arm64\"\nusd_per_vcpu_hour = 0.03\nusd_per_gb_hour = 1\n\
                           source = \"https://example.com/\"\n";

    fn error(text: &str) -> String {
        PriceList::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_table_says_what_its_sources_say() {
        let list = PriceList::built_in();
        assert_eq!(list.dated(), "2026-11-21");
        assert_eq!(list.fargate("us-east-1", "x86_64"), Some(TaskRates { usd_per_vcpu_hour: 0.04048, usd_per_gb_hour: 0.004_445 }));
        assert_eq!(list.fargate("us-east-1", "ARM64"), Some(TaskRates { usd_per_vcpu_hour: 0.03238, usd_per_gb_hour: 0.00356 }));
        assert_eq!(list.fargate("us-east-1", "aarch64"), list.fargate("us-east-1", "arm64"));
        assert_eq!(list.fargate("us-east-1", "amd64"), list.fargate("us-east-1", "x86_64"));
        assert_eq!(list.fargate("ap-northeast-1", "arm64"), None);
        let standard = RequestRates { usd_per_1000_get: 0.0004, usd_per_1000_list: 0.005, usd_per_gb_retrieved: 0.0 };
        assert_eq!(list.s3("us-east-1", "STANDARD"), Some(standard));
        assert_eq!(list.s3("us-east-1", ""), Some(standard));
        // Its source has no price of LIST: that of STANDARD.
        let glacier = RequestRates { usd_per_1000_get: 0.01, usd_per_1000_list: 0.005, usd_per_gb_retrieved: 0.03 };
        assert_eq!(list.s3("us-east-1", "GLACIER_IR"), Some(glacier));
        assert_eq!(list.s3("us-east-1", "DEEP_ARCHIVE"), None);
        assert_eq!(list.s3("mars-1", ""), None);
        assert_eq!((list.nat_usd_per_gb("us-east-1"), list.nat_usd_per_gb("mars-1")), (Some(0.045), None));
    }

    #[test]
    fn a_table_may_have_few_rows_and_whole_numbers() {
        let list = PriceList::parse(FARGATE).unwrap();
        assert_eq!(
            (list.dated(), list.fargate("eu-x-1", "arm64")),
            ("2026-01-31", Some(TaskRates { usd_per_vcpu_hour: 0.03, usd_per_gb_hour: 1.0 }))
        );
        assert_eq!(list.s3("eu-x-1", ""), None);
    }

    #[test]
    fn an_error_names_the_row() {
        for (from, to, expected) in [
            ("0.03", "-0.03", "fargate row 1 (eu-x-1 arm64): `usd_per_vcpu_hour` is -0.03, not a price"),
            ("0.03", "nan", "fargate row 1 (eu-x-1 arm64): `usd_per_vcpu_hour` is NaN, not a price"),
            ("= 1\n", "= inf\n", "fargate row 1 (eu-x-1 arm64): `usd_per_gb_hour` is inf, not a price"),
            ("https://example.com/", " ", "fargate row 1 (eu-x-1 arm64): `source` is empty"),
            ("\"arm64\"", "\"mips\"", "fargate row 1 (eu-x-1 mips): `arch` is `mips`, not x86_64 or arm64"),
            ("usd_per_gb_hour = 1\n", "", "fargate row 1 (eu-x-1 arm64): missing field `usd_per_gb_hour`"),
        ] {
            assert!(FARGATE.contains(from));
            assert_eq!(error(&FARGATE.replace(from, to)), expected);
        }
        let unknown = error(&format!("{FARGATE}usd_per_month = 3\n"));
        assert!(unknown.starts_with("fargate row 1 (eu-x-1 arm64): unknown field `usd_per_month`"), "{unknown}");
        let row = FARGATE.split_once('\n').unwrap().1;
        assert_eq!(error(&format!("{FARGATE}{row}")), "fargate row 2 (eu-x-1 arm64): there is a row for it already");
    }

    #[test]
    fn list_prices_come_from_standard_of_the_same_region_alone() {
        let row = |region: &str, class: &str, list: &str| {
            format!(
                "[[s3]]\nregion = \"{region}\"\nstorage_class = \"{class}\"\nusd_per_1000_get = 2\n{list}usd_per_gb_retrieved = 3\nsource = \"s\"\n"
            )
        };
        let dated = "dated = \"2026-01-31\"\n";
        let standard = row("eu-x-1", "STANDARD", "usd_per_1000_list = 5\n");
        // In any order.
        let list = PriceList::parse(&format!("{dated}{}{standard}", row("eu-x-1", "GLACIER_IR", ""))).unwrap();
        let expected = RequestRates { usd_per_1000_get: 2.0, usd_per_1000_list: 5.0, usd_per_gb_retrieved: 3.0 };
        assert_eq!(list.s3("eu-x-1", "GLACIER_IR"), Some(expected));
        let found = error(&format!("{dated}{standard}{}", row("eu-x-2", "GLACIER_IR", "")));
        assert_eq!(found, "s3 row 2 (eu-x-2 GLACIER_IR): `usd_per_1000_list` is missing, and STANDARD of that region has none");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(error("dated = ").starts_with("not a table of prices: line 1: "), "{}", error("dated = "));
        assert_eq!(error(""), "not a table of prices: line 1: missing field `dated`");
        assert_eq!(error("dated = \"soon\""), "`dated` is `soon`, not a date like 2026-11-21");
        assert_eq!(error("dated = \"2026-02-30\""), "`dated` is `2026-02-30`, not a date like 2026-11-21");
        let unknown = error("dated = \"2026-01-31\"\nlambda = []\n");
        assert!(unknown.starts_with("not a table of prices: line 2: unknown field `lambda`"), "{unknown}");
    }

    #[test]
    fn fuzz_price_lists() {
        let words = &["[[s3]]\n", "[[fargate]]\n", "[[nat]]\n", "nan", "inf", "-", "\"", "region = \"us-east-1\"\n", "\n", "="];
        let target = Target { name: "price-list", seeds: vec![BUILT_IN.into(), FARGATE.into()], words, cases: 300 };
        target.run(|bytes| {
            let Ok(list) = PriceList::parse(&String::from_utf8_lossy(bytes)) else { return };
            let rates = list.fargate.values().flat_map(|rates| [rates.usd_per_vcpu_hour, rates.usd_per_gb_hour]);
            let requests = list.s3.values().flat_map(|rates| [rates.usd_per_1000_get, rates.usd_per_1000_list, rates.usd_per_gb_retrieved]);
            assert!(rates.chain(requests).chain(list.nat.values().copied()).all(|price| price.is_finite() && price >= 0.0));
        });
    }
}
