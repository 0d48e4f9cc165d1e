//! What a run costs, and the sizes in which Fargate sells: a dated list of prices, arithmetic on it, and the pairs of vCPU and memory.
//!
//! Owns no measurement. A price that is not in the list is `None`, never a guess; what a total leaves out is its caller's to say.

mod bill;
mod disk;
mod egress;
mod list;
mod requests;
mod rows;
mod size;
mod task;

pub use bill::{NoPrice, Usage, bill};
pub use disk::{KEY_LINE_BYTES, key_bytes, storage_gib};
pub use egress::Egress;
pub use list::{BILLED_GB_BYTES, CapacityKind, PriceList};
pub use requests::{RequestMix, StoredClass};
pub use size::{CPU_UNITS, fargate_memories, holding_size, memory_for_peak, nearest_sizes};
pub use task::{
    BELOW_MINIMUM, FREE_STORAGE_GIB, MINIMUM_SECONDS, RELATIVE_RATES, TaskRates, TaskSize,
    address_usd, billed_seconds, storage_usd, task_usd,
};
