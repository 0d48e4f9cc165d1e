//! How a price list is written: TOML, one row per price, each with its source; what is wrong with a row is said by its name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::Date;
use time::macros::format_description;

use super::egress::Egress;
use super::list::{CapacityKind, PriceList, RequestRates, STANDARD};
use super::task::TaskRates;

/// Why a table of prices cannot be used; each names the row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not TOML, or a top-level key that is missing or unknown.
    #[error("not a table of prices: {0}")]
    Form(String),
    /// `dated` is not a date.
    #[error("`dated` is `{0}`, not a date like 2026-11-25")]
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

impl PriceList {
    /// Reads a list of the built-in one's form.
    ///
    /// # Errors
    /// When it is not of that form, has a key that is unknown, a price that is negative or not finite, a row without source, or two rows for one
    /// thing.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let file: File =
            toml::from_str(text).map_err(|error| PriceError::Form(in_line(text, &error)))?;
        if !is_date(&file.dated) {
            return Err(PriceError::Date(file.dated));
        }
        let mut list = Self {
            dated: file.dated,
            fargate: rows(
                "fargate",
                ["region", "arch"],
                file.fargate,
                FargateRow::check,
            )?,
            storage: rows(
                "fargate_storage",
                ["region", ""],
                file.fargate_storage,
                StorageRow::check,
            )?,
            addresses: rows(
                "public_ipv4",
                ["region", ""],
                file.public_ipv4,
                AddressRow::check,
            )?,
            s3: BTreeMap::new(),
            egress: rows("egress", ["region", "to"], file.egress, EgressRow::check)?,
            nat: rows("nat", ["region", ""], file.nat, NatRow::check)?,
            asked_egress: Egress::None,
        };
        // STANDARD first, wherever it stands: the other classes may take its price of LIST.
        let (standard, others): (Vec<_>, Vec<_>) = (1..)
            .zip(file.s3)
            .partition(|(_, row)| text_of(row, "storage_class") == STANDARD);
        for (number, row) in standard.into_iter().chain(others) {
            let name = Name {
                table: "s3",
                number,
                keys: ["region", "storage_class"],
            };
            let list_of_standard = list
                .s3
                .get(&(text_of(&row, "region").to_owned(), STANDARD.to_owned()))
                .map(|rates| rates.usd_per_1000_list);
            name.insert(row, &mut list.s3, |row: S3Row| row.check(list_of_standard))?;
        }
        Ok(list)
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
    fargate_storage: Vec<toml::Table>,
    #[serde(default)]
    public_ipv4: Vec<toml::Table>,
    #[serde(default)]
    s3: Vec<toml::Table>,
    #[serde(default)]
    egress: Vec<toml::Table>,
    #[serde(default)]
    nat: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FargateRow {
    region: String,
    arch: String,
    capacity: Option<String>,
    usd_per_vcpu_hour: f64,
    usd_per_gb_hour: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StorageRow {
    region: String,
    usd_per_gb_hour: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressRow {
    region: String,
    usd_per_hour: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct S3Row {
    region: String,
    storage_class: String,
    usd_per_1000_get: f64,
    usd_per_1000_list: Option<f64>,
    usd_per_gb_retrieved: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EgressRow {
    region: String,
    to: String,
    usd_per_gb: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NatRow {
    region: String,
    usd_per_gb: f64,
}

impl FargateRow {
    fn check(self) -> Result<((String, String, CapacityKind), TaskRates), String> {
        prices(&[
            ("usd_per_vcpu_hour", self.usd_per_vcpu_hour),
            ("usd_per_gb_hour", self.usd_per_gb_hour),
        ])?;
        if !["x86_64", "arm64"].contains(&self.arch.as_str()) {
            return Err(format!("`arch` is `{}`, not x86_64 or arm64", self.arch));
        }
        let capacity = match self.capacity.as_deref() {
            None | Some("on-demand") => CapacityKind::OnDemand,
            Some("spot") => CapacityKind::Spot,
            Some(other) => return Err(format!("`capacity` is `{other}`, not on-demand or spot")),
        };
        let rates = TaskRates {
            usd_per_vcpu_hour: self.usd_per_vcpu_hour,
            usd_per_gb_hour: self.usd_per_gb_hour,
        };
        Ok(((self.region, self.arch, capacity), rates))
    }
}

impl StorageRow {
    fn check(self) -> Result<(String, f64), String> {
        prices(&[("usd_per_gb_hour", self.usd_per_gb_hour)])?;
        Ok((self.region, self.usd_per_gb_hour))
    }
}

impl AddressRow {
    fn check(self) -> Result<(String, f64), String> {
        prices(&[("usd_per_hour", self.usd_per_hour)])?;
        Ok((self.region, self.usd_per_hour))
    }
}

impl S3Row {
    fn check(
        self,
        list_of_standard: Option<f64>,
    ) -> Result<((String, String), RequestRates), String> {
        present(&[("storage_class", &self.storage_class)])?;
        let list = self
            .usd_per_1000_list
            .or(list_of_standard)
            .ok_or("`usd_per_1000_list` is missing, and STANDARD of that region has none")?;
        prices(&[
            ("usd_per_1000_get", self.usd_per_1000_get),
            ("usd_per_1000_list", list),
            ("usd_per_gb_retrieved", self.usd_per_gb_retrieved),
        ])?;
        let rates = RequestRates {
            usd_per_1000_get: self.usd_per_1000_get,
            usd_per_1000_list: list,
            usd_per_gb_retrieved: self.usd_per_gb_retrieved,
        };
        Ok(((self.region, self.storage_class), rates))
    }
}

impl EgressRow {
    fn check(self) -> Result<((String, Egress), f64), String> {
        prices(&[("usd_per_gb", self.usd_per_gb)])?;
        match self.to.parse() {
            Ok(to @ (Egress::Internet | Egress::Region)) => {
                Ok(((self.region, to), self.usd_per_gb))
            }
            Ok(Egress::None) | Err(_) => {
                Err(format!("`to` is `{}`, not internet or region", self.to))
            }
        }
    }
}

impl NatRow {
    fn check(self) -> Result<(String, f64), String> {
        prices(&[("usd_per_gb", self.usd_per_gb)])?;
        Ok((self.region, self.usd_per_gb))
    }
}

/// The rows of one table by what they are the price of.
fn rows<R, K, V>(
    table: &'static str,
    keys: [&'static str; 2],
    written: Vec<toml::Table>,
    check: impl Fn(R) -> Result<(K, V), String>,
) -> Result<BTreeMap<K, V>, PriceError>
where
    R: DeserializeOwned,
    K: Ord,
{
    let mut found = BTreeMap::new();
    for (number, row) in (1..).zip(written) {
        Name {
            table,
            number,
            keys,
        }
        .insert(row, &mut found, &check)?;
    }
    Ok(found)
}

/// Takes out what is for who reads the file: `source` must be there; `note` may, and `dated`, where a row is older than the list.
fn take_remarks(row: &mut toml::Table) -> Result<(), String> {
    let mut text = |key: &str| match row.remove(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is not a text")),
    };
    let (source, dated, _note) = (text("source")?, text("dated")?, text("note")?);
    present(&[
        ("source", source.as_deref().ok_or("missing field `source`")?),
        ("region", text_of(row, "region")),
    ])?;
    match dated {
        Some(dated) if !is_date(&dated) => {
            Err(format!("`dated` is `{dated}`, not a date like 2026-11-25"))
        }
        _ => Ok(()),
    }
}

fn is_date(text: &str) -> bool {
    Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok()
}

/// How an error names a row.
struct Name {
    table: &'static str,
    number: usize,
    keys: [&'static str; 2],
}

impl Name {
    /// Reads, checks and files one row.
    fn insert<R, K, V>(
        &self,
        mut row: toml::Table,
        into: &mut BTreeMap<K, V>,
        check: impl FnOnce(R) -> Result<(K, V), String>,
    ) -> Result<(), PriceError>
    where
        R: DeserializeOwned,
        K: Ord,
    {
        let what: Vec<&str> = self
            .keys
            .iter()
            .map(|key| text_of(&row, key))
            .filter(|text| !text.is_empty())
            .collect();
        let row_name = format!("{} row {} ({})", self.table, self.number, what.join(" "));
        let fail = |reason: String| PriceError::Row {
            row: row_name.clone(),
            reason,
        };
        take_remarks(&mut row).map_err(fail)?;
        let row: R = row
            .try_into()
            .map_err(|error: toml::de::Error| fail(error.message().to_owned()))?;
        let (key, value) = check(row).map_err(fail)?;
        match into.insert(key, value) {
            None => Ok(()),
            Some(_) => Err(fail("there is a row for it already".to_owned())),
        }
    }
}

/// A text of a row, empty when it has none.
fn text_of<'row>(row: &'row toml::Table, key: &str) -> &'row str {
    row.get(key)
        .and_then(toml::Value::as_str)
        .unwrap_or_default()
}

fn present(texts: &[(&str, &str)]) -> Result<(), String> {
    match texts.iter().find(|(_, text)| text.trim().is_empty()) {
        None => Ok(()),
        Some((name, _)) => Err(format!("`{name}` is empty")),
    }
}

fn prices(prices: &[(&str, f64)]) -> Result<(), String> {
    match prices
        .iter()
        .find(|(_, usd)| !usd.is_finite() || *usd < 0.0)
    {
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
    use super::super::list::BUILT_IN;
    use super::*;
    use crate::fuzz::Target;

    const FARGATE: &str = "dated = \"2026-01-31\"\n[[fargate]]\nregion = \"eu-x-1\"\narch = \"arm64\"\nusd_per_vcpu_hour = 0.03\nusd_per_gb_hour = 1\n\
                           source = \"https://example.com/\"\n";

    fn error(text: &str) -> String {
        PriceList::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_table_may_have_few_rows_and_whole_numbers() {
        let list = PriceList::parse(FARGATE).unwrap();
        assert_eq!(
            (list.dated(), list.fargate("eu-x-1", "arm64")),
            (
                "2026-01-31",
                Some(TaskRates {
                    usd_per_vcpu_hour: 0.03,
                    usd_per_gb_hour: 1.0
                })
            )
        );
        assert_eq!(list.s3("eu-x-1", ""), None);
    }

    #[test]
    fn an_error_names_the_row() {
        for (from, to, expected) in [
            (
                "0.03",
                "-0.03",
                "fargate row 1 (eu-x-1 arm64): `usd_per_vcpu_hour` is -0.03, not a price",
            ),
            (
                "0.03",
                "nan",
                "fargate row 1 (eu-x-1 arm64): `usd_per_vcpu_hour` is NaN, not a price",
            ),
            (
                "= 1\n",
                "= inf\n",
                "fargate row 1 (eu-x-1 arm64): `usd_per_gb_hour` is inf, not a price",
            ),
            (
                "https://example.com/",
                " ",
                "fargate row 1 (eu-x-1 arm64): `source` is empty",
            ),
            (
                "\"arm64\"",
                "\"mips\"",
                "fargate row 1 (eu-x-1 mips): `arch` is `mips`, not x86_64 or arm64",
            ),
            (
                "usd_per_gb_hour = 1\n",
                "",
                "fargate row 1 (eu-x-1 arm64): missing field `usd_per_gb_hour`",
            ),
        ] {
            assert!(FARGATE.contains(from));
            assert_eq!(error(&FARGATE.replace(from, to)), expected);
        }
        let unknown = error(&format!("{FARGATE}usd_per_month = 3\n"));
        assert!(
            unknown.starts_with("fargate row 1 (eu-x-1 arm64): unknown field `usd_per_month`"),
            "{unknown}"
        );
        let row = FARGATE.split_once('\n').unwrap().1;
        assert_eq!(
            error(&format!("{FARGATE}{row}")),
            "fargate row 2 (eu-x-1 arm64): there is a row for it already"
        );
    }

    #[test]
    fn a_row_may_be_of_spot_or_older_than_the_list() {
        let spot = FARGATE.replace(
            "arch = \"arm64\"\n",
            "arch = \"arm64\"\ncapacity = \"spot\"\ndated = \"2025-12-31\"\n",
        );
        let list = PriceList::parse(&spot).unwrap();
        assert_eq!(
            (
                list.fargate("eu-x-1", "arm64"),
                list.fargate_of("eu-x-1", "arm64", CapacityKind::Spot)
                    .is_some()
            ),
            (None, true)
        );
        assert_eq!(
            error(&spot.replace("\"spot\"", "\"cheap\"")),
            "fargate row 1 (eu-x-1 arm64): `capacity` is `cheap`, not on-demand or spot"
        );
        assert_eq!(
            error(&spot.replace("2025-12-31", "last year")),
            "fargate row 1 (eu-x-1 arm64): `dated` is `last year`, not a date like 2026-11-25"
        );
        let row = |to: &str| {
            format!(
                "dated = \"2026-01-31\"\n[[egress]]\nregion = \"eu-x-1\"\nto = \"{to}\"\nusd_per_gb = 1\nsource = \"s\"\n"
            )
        };
        assert_eq!(
            error(&row("none")),
            "egress row 1 (eu-x-1 none): `to` is `none`, not internet or region"
        );
        assert!(PriceList::parse(&row("region")).is_ok());
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
        let list = PriceList::parse(&format!(
            "{dated}{}{standard}",
            row("eu-x-1", "GLACIER_IR", "")
        ))
        .unwrap();
        let expected = RequestRates {
            usd_per_1000_get: 2.0,
            usd_per_1000_list: 5.0,
            usd_per_gb_retrieved: 3.0,
        };
        assert_eq!(list.s3("eu-x-1", "GLACIER_IR"), Some(expected));
        let found = error(&format!(
            "{dated}{standard}{}",
            row("eu-x-2", "GLACIER_IR", "")
        ));
        assert_eq!(
            found,
            "s3 row 2 (eu-x-2 GLACIER_IR): `usd_per_1000_list` is missing, and STANDARD of that region has none"
        );
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(
            error("dated = ").starts_with("not a table of prices: line 1: "),
            "{}",
            error("dated = ")
        );
        assert_eq!(
            error(""),
            "not a table of prices: line 1: missing field `dated`"
        );
        assert_eq!(
            error("dated = \"soon\""),
            "`dated` is `soon`, not a date like 2026-11-25"
        );
        assert_eq!(
            error("dated = \"2026-02-30\""),
            "`dated` is `2026-02-30`, not a date like 2026-11-25"
        );
        let unknown = error("dated = \"2026-01-31\"\nlambda = []\n");
        assert!(
            unknown.starts_with("not a table of prices: line 2: unknown field `lambda`"),
            "{unknown}"
        );
    }

    #[test]
    fn fuzz_price_lists() {
        let words = &[
            "[[s3]]\n",
            "[[fargate]]\n",
            "[[nat]]\n",
            "nan",
            "inf",
            "-",
            "\"",
            "region = \"us-east-1\"\n",
            "\n",
            "=",
        ];
        let target = Target {
            name: "price-list",
            seeds: vec![BUILT_IN.into(), FARGATE.into()],
            words,
            cases: 300,
        };
        target.run(|bytes| {
            let Ok(list) = PriceList::parse(&String::from_utf8_lossy(bytes)) else {
                return;
            };
            let rates = list
                .fargate
                .values()
                .flat_map(|rates| [rates.usd_per_vcpu_hour, rates.usd_per_gb_hour]);
            let requests = list.s3.values().flat_map(|rates| {
                [
                    rates.usd_per_1000_get,
                    rates.usd_per_1000_list,
                    rates.usd_per_gb_retrieved,
                ]
            });
            let others = [
                list.storage.values(),
                list.addresses.values(),
                list.nat.values(),
            ]
            .into_iter()
            .flatten()
            .chain(list.egress.values());
            assert!(
                rates
                    .chain(requests)
                    .chain(others.copied())
                    .all(|price| price.is_finite() && price >= 0.0)
            );
        });
    }
}
