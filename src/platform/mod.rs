//! What parfetch knows about the machine it runs on: limits, CPU, ECS task, clocks, and what processes use.
//!
//! Every fact is optional. What is unknown is `None`, never 0, and never a reason to stop: what went wrong becomes a note. Linux is whole;
//! elsewhere there are no files under `/proc` and `/sys/fs/cgroup`, and the values are `None`. Reads the machine and the metadata endpoint; changes
//! nothing but the soft limit of open files, and takes no decision of a run.

pub mod cgroup;
pub mod clock;
pub mod cpu;
pub mod ecs;
pub mod limits;
pub mod net;
pub mod usage;
