//! One run by the law: its seconds, its bursts, its tail.

use super::file::BurstEnd;
use super::law::Law;
use crate::cell::Cell;

/// Into how many stretches of one mean size a run is cut.
const STRETCHES: usize = 128;
/// Less of an object than this is rounding: what is added up in parts never meets its sum exactly.
const NOTHING: f64 = 1e-6;
/// Of the sustained rate, while a credit fills up.
const FILLING: f64 = 0.8;

/// How much a run fetches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunAmount {
    /// The first so many of the listing.
    Objects(u64),
    /// So many at random over the listing, in proportion within size classes.
    #[cfg(any(test, feature = "fixtures"))]
    Sample(u64),
    /// The listing, again and again, for so many seconds.
    Seconds(f64),
}

/// By how much a run differs from what the law says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// How many times as long as the law says everything takes.
    pub slower: f64,
    /// How many times as long as an ordinary fetch the last one takes.
    pub last: f64,
}

/// Objects of one size, as far as there is time for them.
#[derive(Clone, Copy)]
struct SizedPart {
    objects: f64,
    size: f64,
    end_s: f64,
}

/// A run that is under way.
struct RunState {
    ran: Ran,
    credit: Credit,
    chance: Chance,
}

/// The end of a run: the place in the listing behind its last object, how many objects are in work, and what the network carries.
#[derive(Clone, Copy)]
struct FetchEnd {
    place: usize,
    in_work: f64,
}

/// Some time of a run with one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// How long.
    pub seconds: f64,
    /// Bytes.
    pub bytes: f64,
    /// Objects.
    pub objects: f64,
}

/// Times, amounts and the way of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ran {
    /// Epoch to the last end.
    pub fetch_s: f64,
    /// Epoch to the moment the queue is empty; `None` where there are fewer objects than workers.
    pub window_s: Option<f64>,
    /// Bytes until then.
    pub window_bytes: f64,
    /// Objects.
    pub objects: f64,
    /// Their bytes.
    pub bytes: f64,
    /// Answers that said «too fast».
    pub refused: f64,
    /// CPU seconds.
    pub cpu_s: f64,
    /// The way there; the tail last.
    pub stretches: Vec<Stretch>,
    /// When a burst ended for the first time.
    pub dropped_s: Option<f64>,
}

impl Ran {
    /// What of its stretches falls into each second.
    pub(super) fn each_second(&self, value: fn(&Stretch) -> f64) -> Vec<f64> {
        let mut seconds = vec![0.0; place(self.fetch_s.ceil().max(1.0))];
        let mut now = 0.0;
        for stretch in &self.stretches {
            let (from, to) = (now, now + stretch.seconds);
            now = to;
            let of = seconds.iter_mut().enumerate();
            for (second, sum) in of.take(place(to) + 1).skip(place(from)) {
                let within = (to.min(second as f64 + 1.0) - from.max(second as f64)).max(0.0);
                *sum += value(stretch) * within / stretch.seconds.max(1e-12);
            }
        }
        seconds
    }
}

/// The second in which a time lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and times are not negative"
)]
fn place(seconds: f64) -> usize {
    seconds as usize
}

/// Whether the current state of a credit is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CreditPhase {
    Over,
    GoesOn,
}

/// The network of a task over time.
struct Credit {
    kind: BurstEnd,
    /// Sustained, bytes a second.
    network: f64,
    slower: f64,
    factor: f64,
    /// Bytes above the sustained rate.
    left: f64,
    /// Of the current state, for kinds that go by the clock.
    until_s: f64,
    refill_s: f64,
    is_high: bool,
}

impl Credit {
    fn new(law: &Law, cell: &Cell, slower: f64) -> Self {
        let asked = &law.model.network;
        let network = law.network(cell) / slower;
        Self {
            kind: asked.burst,
            network,
            slower,
            factor: asked.burst_factor,
            left: asked.burst_s * (asked.burst_factor - 1.0) * network * slower,
            until_s: if asked.burst == BurstEnd::Time {
                asked.burst_s
            } else {
                f64::INFINITY
            },
            refill_s: asked.refill_s,
            is_high: asked.burst_factor > 1.0,
        }
    }

    /// Bytes a second now.
    fn rate(&self) -> f64 {
        match (self.is_high, self.kind) {
            (true, _) => self.network * self.factor,
            (false, BurstEnd::Refill) if self.factor > 1.0 => self.network * FILLING,
            (false, _) => self.network,
        }
    }

    /// For how long that lasts, when so many bytes a second are used from `now` on.
    fn lasts_s(&self, now_s: f64, used: f64) -> f64 {
        let excess = used - self.network;
        match self.kind {
            _ if self.factor <= 1.0 => f64::INFINITY,
            BurstEnd::Time if self.is_high => (self.until_s - now_s).max(0.0),
            BurstEnd::Refill if !self.is_high => (self.until_s - now_s).max(0.0),
            _ if self.is_high && excess > 0.0 => self.left / excess,
            _ => f64::INFINITY,
        }
    }

    /// After so many seconds; what [`Self::lasts_s`] said is over with them, or not yet.
    fn pass(&mut self, (now_s, seconds): (f64, f64), used: f64, phase: CreditPhase) {
        if self.kind != BurstEnd::Time {
            self.left -= (used - self.network) * seconds;
        }
        if phase == CreditPhase::Over {
            self.is_high = !self.is_high && self.kind == BurstEnd::Refill;
            self.until_s = if self.is_high {
                f64::INFINITY
            } else {
                now_s + seconds + self.refill_s
            };
            self.left = self.left.max(0.0);
        }
    }
}

impl Law {
    /// Fetches so much with this configuration.
    pub fn run(&self, cell: &Cell, amount: RunAmount, chance: Chance) -> Ran {
        let count = self.sums.len() - 1;
        let of = |objects| usize::try_from(objects).unwrap_or(count).min(count);
        let (goal, end_s) = match amount {
            #[cfg(any(test, feature = "fixtures"))]
            RunAmount::Sample(objects) => (of(objects), f64::INFINITY),
            RunAmount::Objects(objects) => (of(objects), f64::INFINITY),
            RunAmount::Seconds(seconds) => (usize::MAX, seconds),
        };
        let workers = f64::from(cell.concurrency);
        let in_tail = workers / 2.0;
        // Half of what is in flight when the queue is empty is still to come.
        let until = if goal == usize::MAX {
            f64::INFINITY
        } else {
            (goal as f64 - in_tail).max(0.0)
        };
        let step = goal.min(count).div_ceil(STRETCHES).max(1);
        let mut state = RunState {
            ran: Ran::default(),
            credit: Credit::new(self, cell, chance.slower),
            chance,
        };
        let mut at = 0;
        while until - state.ran.objects > NOTHING && state.ran.fetch_s < end_s {
            let to = (at + step).min(count);
            let size = (self.sums[to] - self.sums[at]) / (to - at) as f64;
            let objects = ((to - at) as f64).min(until - state.ran.objects);
            self.stretch(
                cell,
                &mut state,
                SizedPart {
                    objects,
                    size,
                    end_s,
                },
            );
            at = if to == count { 0 } else { to };
        }
        let has_window = goal == usize::MAX || goal > cell.concurrency as usize;
        (state.ran.window_s, state.ran.window_bytes) =
            (has_window.then_some(state.ran.fetch_s), state.ran.bytes);
        let place = if goal == usize::MAX { at.max(1) } else { goal };
        self.tail(
            cell,
            &mut state,
            FetchEnd {
                place,
                in_work: in_tail,
            },
        );
        let mut ran = state.ran;
        ran.cpu_s = ran.cpu_s.min(cell.vcpu() * self.usable(cell) * ran.fetch_s);
        ran
    }

    /// So many objects of one size, or until the end.
    fn stretch(&self, cell: &Cell, state: &mut RunState, part: SizedPart) {
        let RunState { ran, credit, .. } = state;
        let SizedPart {
            objects,
            size,
            end_s,
        } = part;
        let slower = credit.slower;
        let mut left = objects;
        while left > NOTHING / 2.0 && ran.fetch_s < end_s {
            let flow = self.flow(cell, size, credit.rate() * slower);
            let rate = flow.objects_per_s / slower;
            let lasts_s = credit.lasts_s(ran.fetch_s, rate * size);
            let seconds = (left / rate)
                .min(lasts_s)
                .min(end_s - ran.fetch_s)
                .max(1e-9);
            let done = rate * seconds;
            let ends = seconds >= lasts_s;
            if ends && credit.is_high {
                ran.dropped_s = ran.dropped_s.or(Some(ran.fetch_s + seconds));
            }
            let phase = if ends {
                CreditPhase::Over
            } else {
                CreditPhase::GoesOn
            };
            credit.pass((ran.fetch_s, seconds), rate * size, phase);
            ran.fetch_s += seconds;
            ran.objects += done;
            ran.bytes += done * size;
            ran.refused += done * flow.refused / (1.0 - flow.refused);
            ran.cpu_s += done * flow.cpu_s / (1.0 - flow.refused);
            ran.stretches.push(Stretch {
                seconds,
                bytes: done * size,
                objects: done,
            });
            left -= done;
        }
    }

    /// The last fetches: the slowest of them, the longest of them, and what the network needs for all of them.
    fn tail(&self, cell: &Cell, state: &mut RunState, end: FetchEnd) {
        let RunState {
            ran,
            credit,
            chance,
        } = state;
        let FetchEnd { place, in_work } = end;
        let store = &self.model.store;
        let from = place.saturating_sub(cell.concurrency as usize);
        let bytes = self.sums[place] - self.sums[from];
        let of = (place - from).max(1) as f64;
        let fetch_s = |size: f64| store.first_byte_s + size / store.connection_bytes_per_s;
        let longest = (from..place)
            .map(|at| fetch_s(self.sums[at + 1] - self.sums[at]))
            .fold(0.0, f64::max);
        let objects = in_work.min(of);
        let all_s = objects * bytes / of / credit.rate();
        let seconds =
            ((fetch_s(bytes / of) * chance.last).max(longest * 0.75) * chance.slower).max(all_s);
        ran.fetch_s += seconds;
        ran.objects += objects;
        ran.bytes += objects * bytes / of;
        ran.cpu_s += objects * self.flow(cell, bytes / of, self.network(cell)).cpu_s;
        ran.stretches.push(Stretch {
            seconds,
            bytes: objects * bytes / of,
            objects,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Program;
    use crate::model::Model;
    use crate::plan::{ClientKind, Mode};

    fn law(text: &str) -> Law {
        let text = format!(
            "[bucket]\nobjects = 20000\nsigma = 0.0\nmean_bytes = 1e6\n[corner]\npower = inf\n{text}"
        );
        Law::new(Model::parse(&text).unwrap())
    }

    fn cell(concurrency: u32) -> Cell {
        let program = Program::Client(ClientKind::Lean);
        Cell {
            program,
            cpu_units: 1_024,
            memory_mib: 2_048,
            mode: Mode::Async,
            concurrency,
            shards: 1,
            factors: crate::plan::Factors::default(),
        }
    }

    const ONE: Chance = Chance {
        slower: 1.0,
        last: 1.0,
    };

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 0.01 * expected.abs(),
            "{found} is not {expected}"
        );
    }

    #[test]
    fn a_burst_lasts_until_its_credit_is_used() {
        // 100 MB/s sustained, 400 MB/s for 30 s: a credit of 9 GB; 20 GB: 12 GB in 30 s, 8 GB in 80 s.
        let law = law(
            "[network]\nbytes_per_s = 1e8\nburst_factor = 4.0\nburst_s = 30.0\n[cpu]\nbyte_s = 1e-12",
        );
        let ran = law.run(&cell(64), RunAmount::Objects(20_000), ONE);
        close(ran.fetch_s, 110.0);
        close(ran.dropped_s.unwrap(), 30.0);
        // Eight workers carry 8 ÷ (0.02 + 0.0111) = 257 MB/s: 9 GB above 100 MB/s last for 57 s.
        let slower = law.run(&cell(8), RunAmount::Objects(20_000), ONE);
        close(slower.dropped_s.unwrap(), 9e9 / (257.1e6 - 1e8));
        // Two workers never use it.
        assert_eq!(
            law.run(&cell(2), RunAmount::Objects(20_000), ONE).dropped_s,
            None
        );
    }

    #[test]
    fn other_bursts_end_by_the_clock_or_come_again() {
        let text = "[network]\nbytes_per_s = 1e8\nburst_factor = 4.0\nburst_s = 30.0\n[cpu]\nbyte_s = 1e-12";
        let clock = law(&text.replace("burst_s", "burst = \"time\"\nburst_s"));
        close(
            clock
                .run(&cell(8), RunAmount::Objects(20_000), ONE)
                .dropped_s
                .unwrap(),
            30.0,
        );
        let refill = law(&text.replace("burst_s", "burst = \"refill\"\nrefill_s = 10.0\nburst_s"));
        let ran = refill.run(&cell(64), RunAmount::Objects(20_000), ONE);
        // On average what is sustained, less the credit that is left at the end.
        assert!((109.0..114.0).contains(&ran.fetch_s), "{}", ran.fetch_s);
        let fast = ran
            .stretches
            .iter()
            .filter(|stretch| stretch.bytes / stretch.seconds > 3e8)
            .count();
        assert!(fast > 40 && ran.stretches.len() > fast, "{fast}");
    }

    #[test]
    fn a_run_is_its_stretches_and_its_tail() {
        let law = law("");
        let ran = law.run(
            &cell(16),
            RunAmount::Objects(5_000),
            Chance {
                slower: 2.0,
                last: 3.0,
            },
        );
        let sum = |of: fn(&Stretch) -> f64| ran.stretches.iter().map(of).sum::<f64>();
        close(sum(|stretch| stretch.seconds), ran.fetch_s);
        close(ran.objects, 5_000.0);
        close(sum(|stretch| stretch.bytes), 5e9);
        // (5,000 − 8) ÷ (300 ÷ 2), and three times a fetch of 31 ms, in a run that takes twice as long.
        close(ran.window_s.unwrap(), 4_992.0 / 150.0);
        close(ran.fetch_s - ran.window_s.unwrap(), 3.0 * 0.0311 * 2.0);
        let timed = law.run(&cell(16), RunAmount::Seconds(10.0), ONE);
        close(timed.window_s.unwrap(), 10.0);
    }

    #[test]
    fn a_run_of_any_number_of_objects_ends() {
        // Parts of a run that a burst cuts never add up to its objects exactly; what was missing by rounding was once waited for without end.
        let law = law(
            "[network]\nbytes_per_s = 1.3e8\nburst = \"refill\"\nburst_factor = 3.7\nburst_s = 0.7\nrefill_s = 0.3",
        );
        for objects in (100..20_000).step_by(37) {
            close(
                law.run(&cell(7), RunAmount::Objects(objects), ONE).objects,
                objects as f64,
            );
        }
    }

    #[test]
    fn fewer_objects_than_workers_have_no_window() {
        let ran = law("").run(&cell(64), RunAmount::Objects(10), ONE);
        assert_eq!(ran.window_s, None);
        assert!(ran.fetch_s > 0.03 && ran.objects <= 32.0, "{ran:?}");
    }
}
