//! The account of a run: what was asked for against what became of it, and the one judgement of a finished run that runs, sweeps, jobs and reports share.
//!
//! Both sides are counted apart: asked for is what the listing (and, in a run that time ends, the queue) says; done is what the rows say.

use super::document::Summary;
use super::facts::State;
use super::parts::{NotAsListed, Outcomes, Totals};
use crate::units;

/// Why the figures of a run that has ended do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// Rows are missing or doubled: an error of the program.
    Unbalanced {
        /// Objects asked for, or their bytes.
        asked: u64,
        /// What the rows add up to.
        rows: u64,
        /// What is counted: `objects` or `bytes`.
        unit: &'static str,
    },
    /// Nothing ended the run early, and yet objects were not attempted.
    NotAttempted {
        /// So many objects.
        objects: u64,
        /// Of so many.
        asked: u64,
    },
    /// There were objects to fetch, and none was fetched.
    Nothing(Outcomes),
    /// More than 1 % of the objects were gone when they were fetched.
    Vanished {
        /// So many objects.
        objects: u64,
        /// Of so many that were tried.
        tried: u64,
    },
    /// More than 1 % of the objects had another size than was listed.
    OtherSize {
        /// So many objects.
        objects: u64,
        /// Of so many that were tried.
        tried: u64,
    },
    /// Less than half of the objects were fetched.
    Few {
        /// So many objects.
        ok: u64,
        /// Of so many that were tried.
        tried: u64,
    },
}

impl Flaw {
    /// Whether the run cannot be called complete: not every object has its outcome.
    pub const fn is_incomplete(self) -> bool {
        matches!(self, Self::Unbalanced { .. } | Self::NotAttempted { .. })
    }

    /// One line, without an end mark.
    pub fn in_words(self) -> String {
        self.in_words_of("object")
    }

    /// The same, of rows that are of something else: `request`.
    pub fn in_words_of(self, noun: &str) -> String {
        match self {
            Self::Unbalanced { asked, rows, unit } => format!(
                "the account does not add up: {} {unit} were asked for, and the rows hold {} {unit}; this is an error in parfetch",
                units::count(asked),
                units::count(rows)
            ),
            Self::NotAttempted { objects, asked } => {
                format!(
                    "{} of {} {} not attempted, although nothing ended the run early",
                    units::count(objects),
                    units::plural(asked, noun),
                    units::were(objects)
                )
            }
            Self::Nothing(rows) => {
                let counts = [
                    (rows.failed, "failed"),
                    (rows.vanished, "missing"),
                    (rows.archived, "archived"),
                ];
                let counts: Vec<String> = counts
                    .into_iter()
                    .filter(|(count, _)| *count > 0)
                    .map(|(count, what)| format!("{} {what}", units::count(count)))
                    .collect();
                let colon = if counts.is_empty() { "" } else { ": " };
                format!("nothing was fetched{colon}{}", counts.join(", "))
            }
            Self::Vanished { objects, tried } => {
                format!(
                    "{} of {} {} missing when fetched, which is more than 1 %",
                    units::count(objects),
                    units::plural(tried, noun),
                    units::were(objects)
                )
            }
            Self::OtherSize { objects, tried } => {
                format!(
                    "{} of {} {} of another size than listed, which is more than 1 %",
                    units::count(objects),
                    units::plural(tried, noun),
                    units::were(objects)
                )
            }
            Self::Few { ok, tried } => format!(
                "only {} of {} {} fetched",
                units::count(ok),
                units::plural(tried, noun),
                units::were(ok)
            ),
        }
    }
}

impl Outcomes {
    /// Objects of every outcome together.
    pub fn sum(&self) -> u64 {
        [
            self.ok,
            self.failed,
            self.vanished,
            self.archived,
            self.not_attempted,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// Those that a request was sent for: the outcome of the others was known before.
    pub fn tried(&self) -> u64 {
        [self.ok, self.failed, self.vanished]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

impl Totals {
    /// Why the run that ended in this state is not a good one, by its own account.
    pub fn flaw(&self, state: State) -> Option<Flaw> {
        if state == State::Running {
            return None;
        }
        if state == State::Complete {
            self.unbalanced()
                .or_else(|| self.not_attempted())
                .or_else(|| self.too_few())
        } else {
            self.unbalanced()
        }
    }

    fn unbalanced(&self) -> Option<Flaw> {
        let differs = |asked: Option<u64>, rows: Option<u64>, unit| {
            let (asked, rows) = (asked?, rows?);
            (asked != rows).then_some(Flaw::Unbalanced { asked, rows, unit })
        };
        let bytes = self.row_bytes.map(|bytes| bytes.sum());
        differs(self.asked_objects, Some(self.rows.sum()), "objects")
            .or_else(|| differs(self.asked_bytes, bytes, "bytes"))
    }

    fn not_attempted(&self) -> Option<Flaw> {
        let objects = self.rows.not_attempted.saturating_sub(self.cut_by_time);
        (objects > 0).then(|| Flaw::NotAttempted {
            objects,
            asked: self.asked_objects.unwrap_or_else(|| self.rows.sum()),
        })
    }

    /// What is judged of several shards together, as one shard may have little to fetch.
    fn too_few(&self) -> Option<Flaw> {
        let rows = self.rows;
        let tried = rows.tried();
        if rows.ok == 0 && tried + rows.archived > 0 {
            Some(Flaw::Nothing(rows))
        } else if rows.vanished.saturating_mul(100) > tried {
            Some(Flaw::Vanished {
                objects: rows.vanished,
                tried,
            })
        // Another `ETag` alone does not count: there are stores whose listing never has the ETag of the object, and all bytes came.
        } else if let Some(objects) = self
            .not_as_listed
            .map(|found| found.size)
            .filter(|size| size.saturating_mul(100) > tried)
        {
            Some(Flaw::OtherSize { objects, tried })
        } else if rows.ok < tried.div_ceil(2) {
            Some(Flaw::Few { ok: rows.ok, tried })
        } else {
            None
        }
    }

    /// With the totals of another shard of the same run.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        let both = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
        Self {
            keys_listed: self.keys_listed.saturating_add(other.keys_listed),
            listed_bytes: both(self.listed_bytes, other.listed_bytes),
            rounds: self.rounds.max(other.rounds),
            asked_objects: both(self.asked_objects, other.asked_objects),
            asked_bytes: both(self.asked_bytes, other.asked_bytes),
            cut_by_time: self.cut_by_time.saturating_add(other.cut_by_time),
            rows: self.rows.with(&other.rows),
            not_as_listed: self
                .not_as_listed
                .zip(other.not_as_listed)
                .map(|(one, other)| one.with(&other)),
            row_bytes: self
                .row_bytes
                .zip(other.row_bytes)
                .map(|(one, other)| one.with(&other)),
            goodput_bytes: self.goodput_bytes.saturating_add(other.goodput_bytes),
            received_bytes: both(self.received_bytes, other.received_bytes),
        }
    }
}

/// Why the complete runs of one repetition, one a shard, give no figures together. What is a share of all objects is judged of all shards: one of them may
/// have little to fetch.
pub fn judge(shards: &[Option<Totals>]) -> Option<Flaw> {
    let known = || shards.iter().flatten();
    let mut alone = known().filter_map(|totals| totals.flaw(State::Complete));
    let decided = alone.find(|flaw| {
        flaw.is_incomplete() || matches!(flaw, Flaw::Nothing(rows) if rows.failed > 0)
    });
    let all = known()
        .copied()
        .reduce(|sum, shard| sum.with(&shard))
        .filter(|all| all.rows.sum() > 0);
    decided.or_else(|| {
        all.map_or(Some(Flaw::Nothing(Outcomes::default())), |all| {
            all.flaw(State::Complete)
        })
    })
}

impl NotAsListed {
    /// Both together.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            size: self.size.saturating_add(other.size),
            etag: self.etag.saturating_add(other.etag),
        }
    }
}

impl Outcomes {
    /// Both together.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            ok: self.ok.saturating_add(other.ok),
            failed: self.failed.saturating_add(other.failed),
            vanished: self.vanished.saturating_add(other.vanished),
            archived: self.archived.saturating_add(other.archived),
            not_attempted: self.not_attempted.saturating_add(other.not_attempted),
        }
    }
}

impl Summary {
    /// The totals as [`Totals::flaw`] judges them: where an earlier version did not write what was asked for, as far as other fields say it.
    pub fn account(&self) -> Option<Totals> {
        let mut totals = self.totals?;
        if totals.asked_objects.is_none() {
            match self.settings.duration_ns {
                None => totals.asked_objects = Some(totals.keys_listed),
                // Which of these rows the time cut off was not written.
                Some(_) if self.settings.part_size_bytes.is_some() => {
                    totals.cut_by_time = totals.rows.not_attempted;
                }
                Some(_) => {}
            }
        }
        Some(totals)
    }

    /// Why this run is not a good one, by its own account. `None` also for one without totals: its state says what it is.
    pub fn flaw(&self) -> Option<Flaw> {
        self.account()?.flaw(self.state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::results::summary::fixture;

    fn totals(rows: Outcomes) -> Totals {
        Totals {
            keys_listed: rows.sum(),
            asked_objects: Some(rows.sum()),
            rows,
            ..Totals::default()
        }
    }

    /// `ok`, `failed`, `vanished`, `archived`, `not_attempted`.
    fn of([ok, failed, vanished, archived, not_attempted]: [u64; 5]) -> Outcomes {
        Outcomes {
            ok,
            failed,
            vanished,
            archived,
            not_attempted,
        }
    }

    #[track_caller]
    fn says(rows: Outcomes, expected: Option<&str>) {
        assert_eq!(
            totals(rows)
                .flaw(State::Complete)
                .map(Flaw::in_words)
                .as_deref(),
            expected
        );
    }

    #[test]
    fn a_share_of_objects_must_have_been_fetched() {
        says(of([0, 0, 0, 0, 0]), None);
        says(of([20, 0, 0, 3, 0]), None);
        says(of([99, 0, 1, 0, 0]), None);
        says(
            of([98, 0, 2, 0, 0]),
            Some("2 of 100 objects were missing when fetched, which is more than 1 %"),
        );
        says(
            of([0, 0, 20, 0, 0]),
            Some("nothing was fetched: 20 missing"),
        );
        says(of([0, 0, 0, 7, 0]), Some("nothing was fetched: 7 archived"));
        says(
            of([0, 3, 1, 0, 0]),
            Some("nothing was fetched: 3 failed, 1 missing"),
        );
        says(of([1, 1, 0, 5, 0]), None);
        says(of([1, 2, 0, 0, 0]), Some("only 1 of 3 objects was fetched"));
    }

    #[test]
    fn few_objects_may_be_others_than_were_listed() {
        let with = |rows| Totals {
            not_as_listed: Some(NotAsListed {
                rows,
                size: rows,
                etag: 0,
            }),
            ..totals(of([198, 1, 1, 5, 0]))
        };
        assert_eq!(with(2).flaw(State::Complete), None);
        let flaw = with(3).flaw(State::Complete).unwrap();
        assert_eq!(
            flaw.in_words(),
            "3 of 200 objects were of another size than listed, which is more than 1 %"
        );
        let tags = Totals {
            not_as_listed: Some(NotAsListed {
                rows: 200,
                size: 0,
                etag: 200,
            }),
            ..with(0)
        };
        assert_eq!(
            tags.flaw(State::Complete),
            None,
            "a store whose listing has other tags than its objects"
        );
    }

    #[test]
    fn complete_means_that_every_object_was_attempted() {
        says(
            of([19_232, 0, 0, 0, 768]),
            Some("768 of 20,000 objects were not attempted, although nothing ended the run early"),
        );
        let left = totals(of([3, 0, 0, 0, 17]));
        assert_eq!(
            left.flaw(State::Interrupted),
            None,
            "that is what an interruption is"
        );
        let cut = Totals {
            cut_by_time: 17,
            ..left
        };
        assert_eq!(
            cut.flaw(State::Complete),
            None,
            "the time ended between their parts"
        );
    }

    #[test]
    fn rows_that_are_missing_or_doubled_are_an_error_whatever_the_state() {
        for state in [State::Complete, State::Interrupted, State::Failed] {
            let doubled = Totals {
                asked_objects: Some(9),
                ..totals(of([10, 0, 0, 0, 0]))
            };
            assert_eq!(
                doubled.flaw(state),
                Some(Flaw::Unbalanced {
                    asked: 9,
                    rows: 10,
                    unit: "objects"
                })
            );
            let bytes = Totals {
                asked_bytes: Some(70),
                row_bytes: Some(of([60, 5, 4, 0, 0])),
                ..totals(of([8, 1, 1, 0, 0]))
            };
            assert_eq!(
                bytes.flaw(state),
                Some(Flaw::Unbalanced {
                    asked: 70,
                    rows: 69,
                    unit: "bytes"
                })
            );
        }
    }

    #[test]
    fn summaries_of_earlier_versions_are_judged_by_what_they_say() {
        let mut summary = fixture::complete();
        let old = |rows, keys_listed| {
            Some(Totals {
                keys_listed,
                rows,
                ..Totals::default()
            })
        };
        summary.totals = old(of([19_232, 0, 0, 0, 768]), 20_000);
        assert_eq!(
            summary.flaw(),
            Some(Flaw::NotAttempted {
                objects: 768,
                asked: 20_000
            })
        );
        summary.totals = old(of([19_232, 0, 0, 0, 0]), 20_000);
        assert_eq!(
            summary.flaw(),
            Some(Flaw::Unbalanced {
                asked: 20_000,
                rows: 19_232,
                unit: "objects"
            })
        );
        summary.settings.duration_ns = Some(1);
        assert_eq!(
            summary.flaw(),
            None,
            "how many rounds were asked for was not written"
        );
        summary.totals = old(of([50, 0, 0, 0, 2]), 20);
        assert!(summary.flaw().is_some());
        summary.settings.part_size_bytes = std::num::NonZeroU64::new(1 << 20);
        assert_eq!(
            summary.flaw(),
            None,
            "the time may have ended between parts"
        );
    }

    #[test]
    fn shards_are_judged_together() {
        let shard = |rows| Some(totals(rows));
        // One of 50 is 2 %, and of all it is 1 in 1,000.
        assert_eq!(
            judge(&[shard(of([49, 0, 1, 0, 0])), shard(of([950, 0, 0, 0, 0]))]),
            None
        );
        assert_eq!(
            judge(&[shard(of([49, 0, 1, 0, 0])), None]),
            Some(Flaw::Vanished {
                objects: 1,
                tried: 50
            })
        );
        assert_eq!(
            judge(&[shard(of([0, 0, 0, 9, 0])), shard(of([5, 0, 0, 0, 0])), None]),
            None,
            "a shard of archived objects takes nothing from the others"
        );
        assert_eq!(
            judge(&[shard(of([0, 0, 0, 9, 0])), None]),
            Some(Flaw::Nothing(of([0, 0, 0, 9, 0])))
        );
        assert_eq!(
            judge(&[None, None]).map(Flaw::in_words).as_deref(),
            Some("nothing was fetched")
        );
        assert_eq!(
            judge(&[shard(of([900, 0, 0, 0, 0])), shard(of([9, 0, 0, 0, 1]))]),
            Some(Flaw::NotAttempted {
                objects: 1,
                asked: 10
            })
        );
        assert_eq!(
            judge(&[shard(of([900, 0, 0, 0, 0])), shard(of([0, 9, 0, 0, 0]))]),
            Some(Flaw::Nothing(of([0, 9, 0, 0, 0])))
        );
    }

    proptest! {
        /// Whatever the counts: complete and without a flaw means that all were attempted, half of them came, and 1 % at most were gone.
        #[test]
        fn no_flaw_means_what_it_says(counts in prop::array::uniform5(0..300_u64), asked in 0..1_500_u64, exact in any::<bool>()) {
            let [ok, failed, vanished, archived, not_attempted] = counts;
            let rows = of([ok, failed, vanished, archived, not_attempted / 100]);
            let asked = if exact { rows.sum() } else { asked };
            let totals = Totals { asked_objects: Some(asked), rows, ..Totals::default() };
            let is_good = totals.flaw(State::Complete).is_none();
            let tried = ok + failed + vanished;
            let expected = asked == rows.sum() && rows.not_attempted == 0 && 2 * ok >= tried && 100 * vanished <= tried && (ok > 0 || rows.sum() == 0);
            prop_assert_eq!(is_good, expected);
        }

        /// The account of shards closes when that of each does.
        #[test]
        fn shards_add_up(shards in prop::collection::vec(prop::array::uniform5(0..1_000_u64), 1..9)) {
            let each: Vec<Totals> = shards.iter().map(|counts| totals(of(*counts))).collect();
            let all = each[1..].iter().fold(each[0], Totals::with);
            prop_assert_eq!(all.rows.sum(), shards.iter().flatten().sum::<u64>());
            prop_assert_eq!(all.flaw(State::Interrupted), None);
        }
    }
}
