//! How much storage a task of a sweep has, and what it is asked for: the definition's, or as much more as its keys need.

use super::budget::AskedTask;
use super::state::Fleet;
use crate::cell::Cell;
use crate::exit::{Exit, Failure};
use crate::price::{FREE_STORAGE_GIB, KEY_LINE_BYTES, key_bytes, storage_gib};

impl Fleet {
    /// What a task of this cell is, for its price.
    pub(super) fn asked(&self, cell: &Cell) -> AskedTask {
        AskedTask {
            cpu_units: cell.cpu_units,
            memory_mib: cell.memory_mib,
            storage_gib: self.needed_gib(cell).max(self.defined_gib(cell)),
        }
    }

    /// What a start of this cell has to ask for: nothing where the definition gives enough.
    pub(super) fn more_storage_gib(&self, cell: &Cell) -> Option<u32> {
        let needed = self.needed_gib(cell);
        (needed > self.defined_gib(cell)).then_some(needed)
    }

    fn defined_gib(&self, cell: &Cell) -> u32 {
        let contender = self.plan.contenders.get(cell.program.name());
        let defined = contender.map_or(self.plan.storage_gib, |contender| contender.storage_gib);
        defined.unwrap_or(storage_gib(0.0))
    }

    /// What parfetch needs; of a contender nobody knows it.
    fn needed_gib(&self, cell: &Cell) -> u32 {
        if !cell.program.is_parfetch() {
            return storage_gib(0.0);
        }
        let keys = self.keys as f64 / f64::from(cell.shards.max(1));
        storage_gib(key_bytes(keys, KEY_LINE_BYTES))
    }

    /// Refuses a limit of money that could not be kept: the list has no price of the storage of these tasks.
    pub(super) fn storage_has_a_price(&self) -> Result<(), Failure> {
        let contenders = self.plan.contenders.values();
        let defined = contenders
            .map(|one| one.storage_gib)
            .chain([self.plan.storage_gib])
            .flatten();
        let needed = storage_gib(key_bytes(self.keys as f64, KEY_LINE_BYTES));
        let most = defined.fold(needed, u32::max);
        let is_priced = self
            .budget
            .price
            .is_none_or(|price| price.storage_usd_per_gb_hour.is_some());
        if is_priced || f64::from(most) <= FREE_STORAGE_GIB || self.budget.most_usd.is_none() {
            return Ok(());
        }
        let message = format!(
            "--max-cost cannot be kept: tasks have {most} GiB of disk, and there is no price of more than 20"
        );
        Err(Failure::new(Exit::SetUp, message).hint("--prices FILE gives one; --yes goes without"))
    }
}
