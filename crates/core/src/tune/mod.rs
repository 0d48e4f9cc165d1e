//! Which configuration to measure next, and when to stop: the strategy of `tune`, as pure code. What was measured goes in, what to measure comes out.
//!
//! Runs nothing and reads no clock: the same runs lead to the same decisions, so a tune that was killed goes on to the same answer. `sweep` makes the runs that it
//! asks for.
//!
//! # What is known
//!
//! A run fetches the first objects of one frozen random order of all keys, as many as last about 30 seconds (5 on a machine of one's own), but at least 20 and two for each worker. It
//! shows objects a second while every worker was busy ([`RunSeen`]), CPU seconds of an object, the share of answers that said "too fast", the tail, and
//! whether the rate dropped. The mean size of what it fetched is part of the law, so that a short run at one worker and a long one at many are comparable.
//!
//! A law of the platform (`crate::law`, the one of the report) says how fast each configuration is: the lowest of connections, CPU, network of the size,
//! store and lock, rounded where two meet. Its parameters have wide distributions before the first run. What the law does not have is a deviation of each
//! configuration: alike for those with about as many workers, of the same mode or of the same size. Noise has a size and a kind, both read from the runs:
//! independent, or like the run before; all may drift. A run that is far too slow counts less, as nothing is fast by accident.
//!
//! `posterior` finds the most likely parameters. `draws` draws 400 sets of parameters (by the curvature there, then by how likely each is) and for each the
//! deviations that go with it. `judge` computes what the whole bucket would take in each configuration and draw: tail once, start of the workers, listing,
//! bursts, price with its one-minute minimum. So each draw has a best configuration, and each configuration a loss against it. The chance to be as good
//! as the best is the share of draws in which the loss is at most `within`; the incumbent is what has the least mean loss.
//!
//! # What is measured
//!
//! 1. Seven runs at the ends and in the middle of the space (eight for a contender).
//! 2. Blocks: the incumbent, and the configurations with which most could be gained, in a random order. A block compares runs of one time.
//! 3. Soaks: a burst's credit belongs to the size, and half a minute never sees its end. So after every 16 runs a size that is in question runs once until
//!    the bucket is fetched, 15 minutes at most. A drop holds for its size, unless other runs of that size should have seen it and did not. A soak that is
//!    slow throughout says nothing.
//! 4. The stop: the chance is high enough, the incumbent ran three times, so did its neighbours (size, mode, half to four times the workers) that are
//!    nearly as good, those that are not ran once, and its size has no burst of which nothing is known. Or no run is left.
//!
//! The law answers nothing by itself: what is recommended was measured. Of those that are as good, within a mean loss of 1 %, the smallest task counts, then
//! async before threads before processes, then the fewest workers.
//!
//! # What its confidence means
//!
//! It is a chance under the law with its deviations, as far as the platform behaves as such platforms do. It is no test with a guarantee. `tests` holds it
//! against platforms whose truth is known, also such that no law describes: there "sure" is right less often.

mod answer;
mod draws;
mod goal;
mod judge;
mod platform;
mod posterior;
mod question;
mod seen;
mod space;
mod tuner;

#[cfg(test)]
mod tests;

pub use goal::{Terms, TuneGoal};
pub use platform::FittedPlatform;
pub use posterior::MOST_NOISE;
pub use question::{Dropped, Extreme, Found, Next, StopReason, TuneQuestion, WantedRun, Why};
pub use seen::{CpuUse, RunSeen, SeenDrop};
pub use space::{Size, Space, SpaceEdge};
pub use tuner::Tuner;
