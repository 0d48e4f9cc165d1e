//! Prices of requests for keys of several storage classes.

use super::list::{BILLED_GB_BYTES, PriceList, STANDARD};

/// The keys of one storage class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredClass<'a> {
    /// Its name; empty is STANDARD.
    pub name: &'a str,
    /// Keys.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// US dollars for one request or byte, weighted by the storage classes of the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestMix {
    /// For one GET: by the keys of each class.
    pub usd_per_get: f64,
    /// For one LIST or PUT, which are sold at STANDARD's price.
    pub usd_per_list: f64,
    /// For one byte read: by the bytes of each class.
    pub usd_per_byte_retrieved: f64,
    /// The other region whose prices were taken for at least one class; `None` where every price is of the region itself.
    pub of_region: Option<String>,
}

impl PriceList {
    /// Prices for keys of these classes; without any, as if all were STANDARD.
    ///
    /// # Errors
    /// The first class that has a price neither in this region nor in `price::list::REFERENCE_REGION`: it is not taken for a cheaper one.
    pub fn mix<'a>(
        &self,
        region: &str,
        classes: impl IntoIterator<Item = StoredClass<'a>>,
    ) -> Result<RequestMix, String> {
        let mut of_region = None;
        let mut rates = |class: &str| {
            let (rates, of) = self
                .s3_or_reference(region, class)
                .ok_or_else(|| class.to_owned())?;
            if of != region {
                of_region = Some(of.to_owned());
            }
            Ok::<_, String>(rates)
        };
        let standard = rates(STANDARD)?;
        let classes: Vec<StoredClass<'_>> = classes
            .into_iter()
            .filter(|class| class.objects > 0)
            .collect();
        let objects: f64 = classes.iter().map(|class| class.objects as f64).sum();
        let bytes: f64 = classes
            .iter()
            .map(|class| class.bytes as f64)
            .sum::<f64>()
            .max(1.0);
        let mut mix = RequestMix {
            usd_per_list: standard.usd_per_1000_list / 1e3,
            ..RequestMix::default()
        };
        if classes.is_empty() {
            mix.usd_per_get = standard.usd_per_1000_get / 1e3;
        }
        for class in classes {
            let rates = rates(if class.name.is_empty() {
                STANDARD
            } else {
                class.name
            })?;
            mix.usd_per_get += rates.usd_per_1000_get / 1e3 * class.objects as f64 / objects;
            mix.usd_per_byte_retrieved +=
                rates.usd_per_gb_retrieved / BILLED_GB_BYTES * class.bytes as f64 / bytes;
        }
        mix.of_region = of_region;
        Ok(mix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, objects: u64, bytes: u64) -> StoredClass<'_> {
        StoredClass {
            name,
            objects,
            bytes,
        }
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < expected.abs() * 1e-12,
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn requests_are_weighted_by_keys_and_retrieval_by_bytes() {
        let list = PriceList::built_in();
        let mix = list
            .mix(
                "us-east-1",
                [
                    class("", 3, 100),
                    class("STANDARD_IA", 1, 300),
                    class("DEEP_ARCHIVE", 0, 0),
                ],
            )
            .unwrap();
        // (3 × 0.0004 + 0.001) ÷ 4 a thousand, the listing as in STANDARD, 0.01 a GB for 300 of 400 bytes.
        close(mix.usd_per_get, 0.00055 / 1e3);
        close(mix.usd_per_byte_retrieved, 0.0075 / 1_073_741_824.0);
        close(mix.usd_per_list, 0.005 / 1e3);
        assert_eq!(mix.of_region, None);
        let none = list.mix("us-east-1", []).unwrap();
        close(none.usd_per_get, 0.0004 / 1e3);
    }

    #[test]
    fn another_region_s_prices_are_named_and_an_unknown_class_is_not_taken_for_a_cheap_one() {
        let list = PriceList::built_in();
        assert_eq!(
            list.mix("eu-central-1", [class("STANDARD", 1, 1)])
                .unwrap()
                .of_region,
            None
        );
        assert_eq!(
            list.mix("eu-central-1", [class("GLACIER_IR", 1, 1)])
                .unwrap()
                .of_region
                .as_deref(),
            Some("us-east-1")
        );
        assert_eq!(
            list.mix("us-east-1", [class("NEW_CLASS", 1, 1)]),
            Err("NEW_CLASS".to_owned())
        );
    }
}
