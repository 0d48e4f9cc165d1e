//! The list prices of AWS: what is in the list, and its look-ups. How a list is written is in `rows`.

use std::collections::BTreeMap;

use super::egress::Egress;
use super::task::TaskRates;

/// The list that comes with the program.
pub(super) const BUILT_IN: &str = include_str!("../../data/prices.toml");

/// The storage class of an object that names none.
pub(super) const STANDARD: &str = "STANDARD";

/// Bytes of the GB that AWS bills for retrieval and transfer: «1 GB is 2^30 bytes» (<https://aws.amazon.com/s3/pricing/>).
pub const BILLED_GB_BYTES: f64 = 1_073_741_824.0;

/// The region whose requests are priced where the list has none of a region. Prices of requests differ by some 10 % from region to region.
pub const REFERENCE_REGION: &str = "us-east-1";

/// List prices of S3 in one region, for one storage class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestRates {
    /// USD for 1,000 GET requests.
    pub usd_per_1000_get: f64,
    /// USD for 1,000 LIST or PUT requests; one LIST is one page of up to 1,000 keys.
    pub usd_per_1000_list: f64,
    /// USD for each GB read ([`BILLED_GB_BYTES`]), on top of the request; 0 for STANDARD.
    pub usd_per_gb_retrieved: f64,
}

/// Whose capacity a task runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CapacityKind {
    /// At the list price.
    OnDemand,
    /// Spare capacity: cheaper, at a price that changes, and taken back when it is needed.
    Spot,
}

/// Dated list prices in USD.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceList {
    pub(super) dated: String,
    /// By region, architecture and capacity.
    pub(super) fargate: BTreeMap<(String, String, CapacityKind), TaskRates>,
    /// By region.
    pub(super) storage: BTreeMap<String, f64>,
    /// By region.
    pub(super) addresses: BTreeMap<String, f64>,
    /// By region and storage class.
    pub(super) s3: BTreeMap<(String, String), RequestRates>,
    /// By region and where to.
    pub(super) egress: BTreeMap<(String, Egress), f64>,
    /// By region.
    pub(super) nat: BTreeMap<String, f64>,
    /// What totals are asked to include.
    pub(super) asked_egress: Egress,
}

impl PriceList {
    /// The list that comes with the program; [`PriceList::dated`] says how old it is.
    ///
    /// # Panics
    /// Never: a test parses it.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test parses the built-in list")
    }

    /// The same list for bytes that go there: what a report prices with it includes that egress.
    #[must_use]
    pub fn with_egress(self, egress: Egress) -> Self {
        Self {
            asked_egress: egress,
            ..self
        }
    }

    /// Where the bytes go that a report prices.
    pub fn asked_egress(&self) -> Egress {
        self.asked_egress
    }

    /// The day on which the prices were looked up, as `2026-11-25`.
    pub fn dated(&self) -> &str {
        &self.dated
    }

    /// Prices of Fargate (Linux, on demand). `arch` as ECS, Docker or Rust writes it: `x86_64`, `X86_64`, `amd64`, `arm64`, `ARM64`, `aarch64`.
    pub fn fargate(&self, region: &str, arch: &str) -> Option<TaskRates> {
        self.fargate_of(region, arch, CapacityKind::OnDemand)
    }

    /// Prices of Fargate (Linux) for a kind of capacity. AWS changes those of Spot as it sees fit, and the built-in list has none.
    pub fn fargate_of(
        &self,
        region: &str,
        arch: &str,
        capacity: CapacityKind,
    ) -> Option<TaskRates> {
        let arch = match arch.to_ascii_lowercase().as_str() {
            "amd64" => "x86_64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            other => other.to_owned(),
        };
        self.fargate
            .get(&(region.to_owned(), arch, capacity))
            .copied()
    }

    /// USD for one GiB of ephemeral storage for one hour, beyond what is free ([`super::FREE_STORAGE_GIB`]).
    pub fn storage_usd_per_gb_hour(&self, region: &str) -> Option<f64> {
        self.storage.get(region).copied()
    }

    /// USD for one public IPv4 address for one hour.
    pub fn address_usd_per_hour(&self, region: &str) -> Option<f64> {
        self.addresses.get(region).copied()
    }

    /// Prices of S3's requests. An empty `storage_class` is STANDARD, as in a listing that leaves it out.
    pub fn s3(&self, region: &str, storage_class: &str) -> Option<RequestRates> {
        let storage_class = if storage_class.is_empty() {
            STANDARD
        } else {
            storage_class
        };
        self.s3
            .get(&(region.to_owned(), storage_class.to_owned()))
            .copied()
    }

    /// Prices of S3's requests, and the region that they are of: where the list has none of `region`, those of [`REFERENCE_REGION`], which whoever shows
    /// the price has to say.
    pub fn s3_or_reference<'region>(
        &self,
        region: &'region str,
        storage_class: &str,
    ) -> Option<(RequestRates, &'region str)> {
        let of = |region: &'region str| Some((self.s3(region, storage_class)?, region));
        of(region).or_else(|| of(REFERENCE_REGION))
    }

    /// USD for `bytes` that leave the bucket's region: at the price of the first terabytes of a month and without the free 100 GB, so at most that.
    /// 0 for [`Egress::None`]; `None` where the list has no price.
    pub fn egress_usd(&self, region: &str, egress: Egress, bytes: f64) -> Option<f64> {
        match egress {
            Egress::None => Some(0.0),
            Egress::Internet | Egress::Region => {
                Some(bytes / BILLED_GB_BYTES * self.egress.get(&(region.to_owned(), egress))?)
            }
        }
    }

    /// USD for `bytes` of egress at the highest price that the list has of it, whatever the region: a bound where a region has no price.
    pub fn dearest_egress_usd(&self, egress: Egress, bytes: f64) -> f64 {
        let known = self
            .egress
            .iter()
            .filter(|((_, kind), _)| *kind == egress)
            .map(|(_, usd)| *usd);
        bytes / BILLED_GB_BYTES * known.fold(0.0, f64::max)
    }

    /// USD for each GB ([`BILLED_GB_BYTES`]) that goes through a NAT gateway, its hours apart.
    pub fn nat_usd_per_gb(&self, region: &str) -> Option<f64> {
        self.nat.get(region).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The regions with a price of Fargate on x86: vCPU-hour and GB-hour in millionths of a dollar.
    const FARGATE: [(&str, u32, u32); 16] = [
        ("us-east-1", 40_480, 4_445),
        ("us-east-2", 40_480, 4_445),
        ("us-west-1", 46_560, 5_110),
        ("us-west-2", 40_480, 4_445),
        ("ca-central-1", 44_560, 4_865),
        ("eu-west-1", 40_480, 4_445),
        ("eu-west-2", 46_560, 5_110),
        ("eu-west-3", 48_600, 5_300),
        ("eu-central-1", 46_560, 5_110),
        ("eu-north-1", 44_500, 4_900),
        ("ap-south-1", 42_560, 4_655),
        ("ap-southeast-1", 50_560, 5_530),
        ("ap-southeast-2", 48_560, 5_320),
        ("ap-northeast-1", 50_560, 5_530),
        ("ap-northeast-2", 46_560, 5_110),
        ("sa-east-1", 69_600, 7_600),
    ];

    #[track_caller]
    fn assert_usd(found: Option<f64>, expected: f64) {
        assert!(
            found.is_some_and(|found| (found - expected).abs() < 1e-12),
            "{found:?} instead of {expected}"
        );
    }

    #[test]
    fn the_built_in_list_has_fargate_in_sixteen_regions() {
        let list = PriceList::built_in();
        for (region, vcpu, gb) in FARGATE {
            let rates = list.fargate(region, "x86_64").unwrap();
            assert_usd(Some(rates.usd_per_vcpu_hour), f64::from(vcpu) / 1e6);
            assert_usd(Some(rates.usd_per_gb_hour), f64::from(gb) / 1e6);
            assert_usd(list.address_usd_per_hour(region), 0.005);
        }
        assert_eq!(
            list.fargate
                .keys()
                .filter(|(_, arch, _)| arch == "x86_64")
                .count(),
            FARGATE.len()
        );
        assert!(
            list.fargate
                .keys()
                .all(|(.., capacity)| *capacity == CapacityKind::OnDemand),
            "Spot changes: none is built in"
        );
    }

    /// What orders configurations where a region has no price: one number for all regions and both architectures.
    #[test]
    fn a_vcpu_costs_as_much_as_nine_gb_everywhere() {
        for rates in PriceList::built_in().fargate.values() {
            let ratio = rates.usd_per_vcpu_hour / rates.usd_per_gb_hour;
            assert!((9.0..9.2).contains(&ratio), "{rates:?}");
            let relative = super::super::RELATIVE_RATES.usd_per_vcpu_hour
                / super::super::RELATIVE_RATES.usd_per_gb_hour;
            assert!((ratio / relative - 1.0).abs() < 0.01, "{rates:?}");
        }
    }

    #[test]
    fn the_built_in_list_says_what_its_sources_say() {
        let list = PriceList::built_in();
        assert_eq!(list.dated(), "2026-11-25");
        assert_eq!(
            list.fargate("us-east-1", "ARM64"),
            Some(TaskRates {
                usd_per_vcpu_hour: 0.03238,
                usd_per_gb_hour: 0.00356
            })
        );
        assert_eq!(
            list.fargate("us-east-1", "aarch64"),
            list.fargate("us-east-1", "arm64")
        );
        assert_eq!(
            list.fargate("us-east-1", "amd64"),
            list.fargate("us-east-1", "x86_64")
        );
        assert_eq!(
            (
                list.fargate("ap-northeast-1", "arm64"),
                list.fargate("mars-1", "x86_64")
            ),
            (None, None)
        );
        let standard = RequestRates {
            usd_per_1000_get: 0.0004,
            usd_per_1000_list: 0.005,
            usd_per_gb_retrieved: 0.0,
        };
        assert_eq!(
            (list.s3("us-east-1", "STANDARD"), list.s3("us-east-1", "")),
            (Some(standard), Some(standard))
        );
        // Its source has no price of LIST: that of STANDARD.
        let glacier = RequestRates {
            usd_per_1000_get: 0.01,
            usd_per_1000_list: 0.005,
            usd_per_gb_retrieved: 0.03,
        };
        assert_eq!(list.s3("us-east-1", "GLACIER_IR"), Some(glacier));
        assert_eq!(
            (list.s3("us-east-1", "DEEP_ARCHIVE"), list.s3("mars-1", "")),
            (None, None)
        );
        assert_eq!(
            (
                list.nat_usd_per_gb("us-east-1"),
                list.nat_usd_per_gb("mars-1")
            ),
            (Some(0.045), None)
        );
        assert_eq!(
            (
                list.storage_usd_per_gb_hour("us-east-1"),
                list.storage_usd_per_gb_hour("sa-east-1")
            ),
            (Some(0.000_111), None)
        );
    }

    #[test]
    fn requests_of_other_regions_are_priced_as_in_the_reference_and_say_so() {
        let list = PriceList::built_in();
        let (frankfurt, of) = list.s3_or_reference("eu-central-1", "").unwrap();
        assert_eq!((frankfurt.usd_per_1000_get, of), (0.00043, "eu-central-1"));
        assert_eq!(
            list.s3_or_reference("sa-east-1", ""),
            Some((list.s3(REFERENCE_REGION, "").unwrap(), REFERENCE_REGION))
        );
        // A class that the list has in one region alone.
        assert_eq!(
            list.s3_or_reference("eu-central-1", "STANDARD_IA")
                .unwrap()
                .1,
            REFERENCE_REGION
        );
        assert_eq!(list.s3_or_reference("us-east-1", "DEEP_ARCHIVE"), None);
    }

    #[test]
    fn egress_is_priced_by_the_gb_of_aws_and_never_guessed() {
        let list = PriceList::built_in();
        assert_usd(
            list.egress_usd("us-east-1", Egress::Internet, 10.0 * BILLED_GB_BYTES),
            0.9,
        );
        assert_usd(
            list.egress_usd("ap-northeast-1", Egress::Region, BILLED_GB_BYTES),
            0.09,
        );
        assert_eq!(list.egress_usd("mars-1", Egress::None, 1e12), Some(0.0));
        assert_eq!(
            (
                list.egress_usd("mars-1", Egress::Internet, 1.0),
                list.egress_usd("sa-east-1", Egress::Region, 1.0)
            ),
            (None, None)
        );
    }
}
