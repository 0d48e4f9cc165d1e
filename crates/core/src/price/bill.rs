//! What one run costs: the task, its storage, the requests, retrieval and egress, by one list.

use std::fmt;

use super::egress::Egress;
use super::list::PriceList;
use super::requests::StoredClass;
use super::task::{
    FREE_STORAGE_GIB, MINIMUM_SECONDS, TaskSize, billed_seconds, storage_usd, task_usd,
};

/// What a run used, as far as AWS bills it.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage<'a> {
    /// Region of the bucket, which sets the price of requests and egress.
    pub bucket_region: &'a str,
    /// Region of the task.
    pub task_region: &'a str,
    /// Architecture of the task.
    pub arch: &'a str,
    /// Its size.
    pub size: TaskSize,
    /// Its ephemeral storage in GiB; up to 20 are free.
    pub storage_gib: f64,
    /// How long it lived, as far as is known.
    pub seconds: f64,
    /// GETs that are billed: neither answers of 5xx nor connections that failed.
    pub gets: u64,
    /// LIST requests.
    pub lists: u64,
    /// PUTs, parts of uploads too.
    pub puts: u64,
    /// Bytes that were read, of failed attempts too.
    pub bytes: u64,
    /// Where they went.
    pub egress: Egress,
    /// Storage classes of the keys.
    pub classes: Vec<StoredClass<'a>>,
}

/// US dollars for one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// vCPU and memory, for the time that is billed.
    pub usd_task: f64,
    /// Ephemeral storage beyond what is free.
    pub usd_storage: f64,
    /// GET, LIST and PUT.
    pub usd_requests: f64,
    /// Bytes read from storage classes that charge for it.
    pub usd_retrieval: f64,
    /// Bytes that left the region; `None` where that was not asked for.
    pub usd_egress: Option<f64>,
    /// Seconds that the task is billed for.
    pub billed_s: f64,
    /// Whether these are the minute that every task is billed for at least.
    pub is_minimum: bool,
    /// The other region whose prices of requests were taken; `None` where the bucket's region has its own.
    pub requests_of: Option<String>,
}

impl Bill {
    pub fn usd_total(&self) -> f64 {
        self.usd_task
            + self.usd_storage
            + self.usd_requests
            + self.usd_retrieval
            + self.usd_egress.unwrap_or(0.0)
    }
}

/// Why there is no price: the list has none for a part, and a total without it would be too low.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPrice {
    /// vCPU and memory.
    Task {
        /// Of the task.
        region: String,
        /// Of the task.
        arch: String,
    },
    /// Ephemeral storage beyond what is free.
    Storage {
        /// Of the task.
        region: String,
    },
    /// Requests for this storage class.
    Class {
        /// Its name.
        class: String,
        /// Of the bucket.
        region: String,
    },
    /// Egress.
    Egress {
        /// Where to.
        to: Egress,
        /// Of the bucket.
        region: String,
    },
}

impl fmt::Display for NoPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task { region, arch } => write!(
                f,
                "the price list has no price of Fargate on {arch} in {region}"
            ),
            Self::Storage { region } => write!(
                f,
                "the price list has no price of more than 20 GB of storage in {region}"
            ),
            Self::Class { class, region } => write!(
                f,
                "the price list has no price of requests for {class} in {region}"
            ),
            Self::Egress { to, region } => write!(
                f,
                "the price list has no price of {} from {region}",
                to.in_words()
            ),
        }
    }
}

/// Prices a run.
///
/// # Errors
/// When the list has no price for a part of it.
pub fn bill(list: &PriceList, usage: &Usage<'_>) -> Result<Bill, NoPrice> {
    let Usage {
        bucket_region,
        task_region,
        arch,
        size,
        storage_gib,
        seconds,
        ..
    } = *usage;
    let task = list
        .fargate(task_region, arch)
        .ok_or_else(|| NoPrice::Task {
            region: task_region.to_owned(),
            arch: arch.to_owned(),
        })?;
    let storage = list.storage_usd_per_gb_hour(task_region);
    let usd_storage = match storage {
        _ if storage_gib <= FREE_STORAGE_GIB => 0.0,
        Some(usd_per_gb_hour) => storage_usd(usd_per_gb_hour, storage_gib, seconds),
        None => {
            return Err(NoPrice::Storage {
                region: task_region.to_owned(),
            });
        }
    };
    let mix = list.mix(bucket_region, usage.classes.iter().copied());
    let mix = mix.map_err(|class| NoPrice::Class {
        class,
        region: bucket_region.to_owned(),
    })?;
    let bytes = usage.bytes as f64;
    let egress = list.egress_usd(bucket_region, usage.egress, bytes);
    let usd_egress = egress.ok_or_else(|| NoPrice::Egress {
        to: usage.egress,
        region: bucket_region.to_owned(),
    })?;
    Ok(Bill {
        usd_task: task_usd(task, size, seconds),
        usd_storage,
        usd_requests: usage.gets as f64 * mix.usd_per_get
            + (usage.lists + usage.puts) as f64 * mix.usd_per_list,
        usd_retrieval: bytes * mix.usd_per_byte_retrieved,
        usd_egress: (usage.egress != Egress::None).then_some(usd_egress),
        billed_s: billed_seconds(seconds),
        is_minimum: seconds < MINIMUM_SECONDS,
        requests_of: mix.of_region,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> Usage<'static> {
        Usage {
            bucket_region: "us-east-1",
            task_region: "us-east-1",
            arch: "x86_64",
            size: TaskSize {
                vcpu: 2.0,
                memory_mib: 4_096,
            },
            storage_gib: 20.0,
            seconds: 90.0,
            gets: 10_000,
            lists: 10,
            puts: 3,
            bytes: 1 << 30,
            egress: Egress::None,
            classes: Vec::new(),
        }
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn every_part_by_hand() {
        let list = PriceList::built_in();
        let plain = bill(&list, &usage()).unwrap();
        // 2 vCPU and 4 GB for 90 s; 10,000 GET, 13 LIST and PUT.
        close(
            plain.usd_task,
            90.0 / 3_600.0 * (2.0 * 0.04048 + 4.0 * 0.004_445),
        );
        close(plain.usd_requests, 0.004 + 0.000_065);
        assert_eq!(
            (plain.usd_storage, plain.usd_retrieval, plain.usd_egress),
            (0.0, 0.0, None)
        );
        assert_eq!(
            (plain.billed_s, plain.is_minimum, plain.requests_of.clone()),
            (90.0, false, None)
        );
        let classes = vec![StoredClass {
            name: "STANDARD_IA",
            objects: 1,
            bytes: 1,
        }];
        let all = Usage {
            storage_gib: 120.0,
            seconds: 10.0,
            egress: Egress::Internet,
            classes,
            ..usage()
        };
        let all = bill(&list, &all).unwrap();
        close(all.usd_storage, 100.0 * 0.000_111 / 60.0);
        close(all.usd_requests, 0.01 + 0.000_065);
        close(all.usd_retrieval, 0.01);
        close(all.usd_egress.unwrap(), 0.09);
        close(all.billed_s, 60.0);
        assert!(all.is_minimum);
        close(
            all.usd_total(),
            all.usd_task + all.usd_storage + 0.010_065 + 0.01 + 0.09,
        );
    }

    #[test]
    fn the_bucket_s_region_sets_requests_and_the_task_s_region_the_task() {
        let list = PriceList::built_in();
        let apart = Usage {
            bucket_region: "eu-central-1",
            task_region: "sa-east-1",
            ..usage()
        };
        let found = bill(&list, &apart).unwrap();
        close(
            found.usd_task,
            90.0 / 3_600.0 * (2.0 * 0.0696 + 4.0 * 0.0076),
        );
        close(found.usd_requests, 0.0043 + 13.0 * 0.0054 / 1e3);
        let elsewhere = bill(
            &list,
            &Usage {
                bucket_region: "sa-east-1",
                ..usage()
            },
        )
        .unwrap();
        assert_eq!(elsewhere.requests_of.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn a_part_without_a_price_leaves_no_total() {
        let list = PriceList::built_in();
        let why = |usage: Usage<'_>| bill(&list, &usage).unwrap_err().to_string();
        assert_eq!(
            why(Usage {
                task_region: "mars-1",
                ..usage()
            }),
            "the price list has no price of Fargate on x86_64 in mars-1"
        );
        let storage = Usage {
            task_region: "sa-east-1",
            storage_gib: 21.0,
            ..usage()
        };
        assert_eq!(
            why(storage),
            "the price list has no price of more than 20 GB of storage in sa-east-1"
        );
        let egress = Usage {
            bucket_region: "sa-east-1",
            egress: Egress::Region,
            ..usage()
        };
        assert_eq!(
            why(egress),
            "the price list has no price of egress to another region from sa-east-1"
        );
        let class = Usage {
            classes: vec![StoredClass {
                name: "X",
                objects: 1,
                bytes: 1,
            }],
            ..usage()
        };
        assert_eq!(
            why(class),
            "the price list has no price of requests for X in us-east-1"
        );
    }
}
