//! What a run costs, and the sizes in which Fargate sells: a dated table of list prices, arithmetic on it, and the pairs of vCPU and memory.
//!
//! Owns no measurement. A price that is not in the table is `None`, never a guess; what a total leaves out is its caller's to say.

mod list;
mod size;
mod task;

pub use list::{PriceError, PriceList, RequestRates};
pub use size::{CPU_UNITS, fargate_memories, nearest_sizes};
pub use task::{MINIMUM_SECONDS, TaskRates, TaskSize, billed_seconds, task_usd};
