//! What the tasks of a sweep have cost so far, and whether another one may be started. Times are UTC in milliseconds since 1970. Pure.

use crate::cell::UNITS_PER_VCPU;
use crate::cloud::{PublicAddress, TaskTimes};
use crate::price::{
    FREE_STORAGE_GIB, PriceList, TaskRates, TaskSize, address_usd, billed_seconds, storage_usd,
    task_usd,
};
use crate::sweep::attempt::Stopped;
use crate::sweep::launcher::Spent;

/// Money.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::sweep) struct Budget {
    /// None where the price list knows none for a part of it.
    pub(super) price: Option<TaskPrice>,
    /// No more than that.
    pub(super) most_usd: Option<f64>,
    /// Of the tasks that have ended.
    pub(super) spent: Spent,
}

/// What a task costs by the hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::sweep) struct TaskPrice {
    pub(super) rates: TaskRates,
    /// Of its public address; 0 where it has none.
    pub(super) address_usd_per_hour: f64,
    /// Of a GB of its storage beyond what is free; none where the list has no price of it.
    pub(super) storage_usd_per_gb_hour: Option<f64>,
}

/// What a task was asked for, and costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AskedTask {
    pub(super) cpu_units: u32,
    pub(super) memory_mib: u32,
    /// GiB.
    pub(super) storage_gib: u32,
}

/// Seconds that a task is billed for: from the start of the image's pull to its stop (or until `now_ms`), a minute at least; none before the pull.
pub(super) fn billed_s(times: &TaskTimes, now_ms: u64) -> Option<f64> {
    let begin = times.pull_started?;
    let end = times.stopped.unwrap_or(now_ms);
    Some(billed_seconds(end.saturating_sub(begin) as f64 / 1e3))
}

impl TaskPrice {
    /// By the list.
    ///
    /// # Errors
    /// What the list has no price of: a total without it would be too low.
    pub(in crate::sweep) fn of(
        prices: &PriceList,
        (region, arch): (&str, &str),
        address: PublicAddress,
    ) -> Result<Self, String> {
        let rates = prices
            .fargate(region, arch)
            .ok_or_else(|| format!("Fargate on {arch} in {region}"))?;
        let address_usd_per_hour = match address {
            PublicAddress::Disabled => 0.0,
            PublicAddress::Enabled => prices
                .address_usd_per_hour(region)
                .ok_or_else(|| format!("public addresses in {region}"))?,
        };
        Ok(Self {
            rates,
            address_usd_per_hour,
            storage_usd_per_gb_hour: prices.storage_usd_per_gb_hour(region),
        })
    }

    /// USD for a task that lives for `seconds`; none where its storage has no price.
    fn usd(self, asked: AskedTask, seconds: f64) -> Option<f64> {
        let size = TaskSize {
            vcpu: f64::from(asked.cpu_units) / f64::from(UNITS_PER_VCPU),
            memory_mib: u64::from(asked.memory_mib),
        };
        let gib = f64::from(asked.storage_gib);
        let storage = if gib > FREE_STORAGE_GIB {
            storage_usd(self.storage_usd_per_gb_hour?, gib, seconds)
        } else {
            0.0
        };
        let address = address_usd(self.address_usd_per_hour, seconds);
        Some(task_usd(self.rates, size, seconds) + address + storage)
    }
}

impl Budget {
    pub(in crate::sweep) fn new(price: Option<TaskPrice>, most_usd: Option<f64>) -> Self {
        let spent = Spent {
            usd: price.map(|_| 0.0),
            ..Spent::default()
        };
        Self {
            price,
            most_usd,
            spent,
        }
    }

    /// A task has ended; none when it was not billed.
    pub(super) fn ended(
        &mut self,
        asked: AskedTask,
        times: &TaskTimes,
        now_ms: u64,
    ) -> Option<Stopped> {
        let stopped = Stopped {
            cpu_units: asked.cpu_units,
            memory_mib: asked.memory_mib,
            storage_gib: asked.storage_gib,
            billed_s: billed_s(times, now_ms)?,
        };
        self.add(stopped);
        Some(stopped)
    }

    /// Adds what a task was billed for.
    pub(super) fn add(
        &mut self,
        Stopped {
            cpu_units,
            memory_mib,
            storage_gib,
            billed_s,
        }: Stopped,
    ) {
        self.spent.tasks += 1;
        self.spent.billed_s += billed_s;
        let asked = AskedTask {
            cpu_units,
            memory_mib,
            storage_gib,
        };
        let usd = self.price(asked, billed_s);
        self.spent.usd = self.spent.usd.zip(usd).map(|(all, one)| all + one);
    }

    /// Price of one task that lives for `seconds`; none without a price.
    pub(super) fn price(&self, asked: AskedTask, seconds: f64) -> Option<f64> {
        self.price?.usd(asked, seconds)
    }

    /// Whether the money is used up, if tasks that go on have cost `running_usd` so far and `more_usd` would come.
    pub(super) fn is_used_up(&self, running_usd: f64, more_usd: f64) -> bool {
        self.most_usd
            .is_some_and(|most| self.spent.usd.unwrap_or(0.0) + running_usd + more_usd > most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const RATES: TaskRates = TaskRates {
        usd_per_vcpu_hour: 0.04,
        usd_per_gb_hour: 0.005,
    };
    const PRICE: TaskPrice = TaskPrice {
        rates: RATES,
        address_usd_per_hour: 0.0,
        storage_usd_per_gb_hour: None,
    };
    const ASKED: AskedTask = AskedTask {
        cpu_units: 1_024,
        memory_mib: 2_048,
        storage_gib: 20,
    };

    #[test]
    fn a_task_is_billed_from_its_pull_to_its_stop() {
        let times = |pull_started, stopped| TaskTimes {
            created: Some(1_000),
            pull_started,
            stopped,
            ..TaskTimes::default()
        };
        assert_eq!(billed_s(&times(None, Some(99_000)), 0), None);
        assert_eq!(billed_s(&times(Some(10_000), Some(12_000)), 0), Some(60.0));
        assert_eq!(billed_s(&times(Some(10_000), Some(100_001)), 0), Some(91.0));
        assert_eq!(billed_s(&times(Some(10_000), None), 130_000), Some(120.0));
    }

    #[test]
    fn money_by_hand() {
        let mut budget = Budget::new(Some(PRICE), Some(0.002));
        // 0.05 an hour: a minute and a half.
        budget.ended(
            ASKED,
            &TaskTimes {
                pull_started: Some(1_000),
                stopped: Some(91_000),
                ..TaskTimes::default()
            },
            0,
        );
        let usd = budget.spent.usd.unwrap();
        assert!((usd - 0.05 / 40.0).abs() < 1e-12, "{usd}");
        assert_eq!((budget.spent.tasks, budget.spent.billed_s), (1, 90.0));
        // 0.00125 spent; a minute more is 0.00083: 0.00208.
        assert!(budget.is_used_up(0.0, budget.price(ASKED, 60.0).unwrap()));
        assert!(!budget.is_used_up(0.0007, 0.0));
        assert!(!Budget::new(Some(PRICE), None).is_used_up(1e9, 1e9));
        let mut unknown = Budget::new(None, None);
        unknown.ended(
            ASKED,
            &TaskTimes {
                pull_started: Some(1),
                ..TaskTimes::default()
            },
            5,
        );
        assert_eq!(unknown.spent.usd, None);
    }

    #[test]
    fn a_public_address_costs_on_top() {
        let prices = PriceList::built_in();
        let of = |region, address| TaskPrice::of(&prices, (region, "X86_64"), address);
        let without = of("us-east-1", PublicAddress::Disabled).unwrap();
        let with = of("us-east-1", PublicAddress::Enabled).unwrap();
        // Half a cent an hour.
        let mut budgets = [without, with].map(|price| Budget::new(Some(price), None));
        let [without, with] = budgets.map(|budget| budget.price(ASKED, 7_200.0).unwrap());
        assert!((with - without - 0.01).abs() < 1e-12, "{without} {with}");
        let times = TaskTimes {
            pull_started: Some(1_000),
            stopped: Some(7_201_000),
            ..TaskTimes::default()
        };
        budgets[1].ended(ASKED, &times, 0);
        assert!((budgets[1].spent.usd.unwrap() - with).abs() < 1e-12);
        assert_eq!(
            of("mars-1", PublicAddress::Disabled).unwrap_err(),
            "Fargate on X86_64 in mars-1"
        );
    }

    #[test]
    fn storage_beyond_what_is_free_costs_on_top() {
        let prices = PriceList::built_in();
        let of = |region, storage_gib| {
            let price = TaskPrice::of(&prices, (region, "X86_64"), PublicAddress::Disabled);
            let asked = AskedTask {
                storage_gib,
                ..ASKED
            };
            Budget::new(price.ok(), None).price(asked, 3_600.0)
        };
        let more = of("us-east-1", 120).unwrap() - of("us-east-1", 20).unwrap();
        assert!((more - 100.0 * 0.000_111).abs() < 1e-12, "{more}");
        // There the list has a price of tasks, and none of storage.
        assert!(of("sa-east-1", 20).is_some());
        assert_eq!(of("sa-east-1", 21), None);
    }

    #[test]
    fn a_list_without_a_price_of_addresses_has_none_of_a_task_with_one() {
        let text = "dated = \"2026-11-25\"\n[[fargate]]\nregion = \"us-east-1\"\narch = \"x86_64\"\nusd_per_vcpu_hour = 0.04\nusd_per_gb_hour = 0.005\nsource = \"x\"\n";
        let prices = PriceList::parse(text).unwrap();
        let of = |address| TaskPrice::of(&prices, ("us-east-1", "x86_64"), address);
        assert_eq!(
            (of(PublicAddress::Disabled), of(PublicAddress::Enabled)),
            (Ok(PRICE), Err("public addresses in us-east-1".to_owned()))
        );
    }
}
