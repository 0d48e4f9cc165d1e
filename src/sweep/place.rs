//! Where repetitions run: this machine or Fargate, behind one form.
//!
//! A place takes repetitions while it has room, and hands them back when they have ended. Owns nothing else: the order is the driver's.

use tokio::sync::watch;

use super::attempt::{Attempt, Finished, Misfit, Next};
use super::environment::RunTemplate;
use super::fleet::{Abandon, Fleet};
use super::local::{Local, Scene};
use crate::cell::Cell;
use crate::event::SweepEvent;
use crate::exit::Signal;
use crate::exit::{Exit, Failure};

/// A place.
pub(super) enum Place {
    /// This machine: one repetition at a time.
    Local(Box<Local>, Option<Box<Attempt>>),
    /// Tasks on Fargate.
    Ecs(Box<Fleet>),
}

impl Place {
    /// Whether a cell can run here.
    pub(super) fn check(&self, cell: &Cell) -> Result<(), Misfit> {
        match self {
            Self::Local(local, _) => local.check(cell),
            Self::Ecs(fleet) => fleet.check(cell),
        }
    }

    /// How cells are held here, in words.
    pub(super) fn words(&self, cell: &Cell) -> String {
        match self {
            Self::Local(local, _) => local.words(cell),
            Self::Ecs(fleet) => fleet.words(),
        }
    }

    /// The task definition of all tasks; none on this machine.
    pub(super) fn definition(&self) -> Option<String> {
        match self {
            Self::Local(..) => None,
            Self::Ecs(fleet) => Some(fleet.definition().to_owned()),
        }
    }

    /// Repetitions that run side by side.
    pub(super) fn width(&self) -> u64 {
        match self {
            Self::Local(..) => 1,
            Self::Ecs(fleet) => fleet.width(),
        }
    }

    /// Whether another repetition of this cell can be taken now.
    pub(super) fn has_room(&self, cell: &Cell) -> bool {
        match self {
            Self::Local(_, taken) => taken.is_none(),
            Self::Ecs(fleet) => fleet.has_room(cell),
        }
    }

    /// Whether nothing is going on.
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Local(_, taken) => taken.is_none(),
            Self::Ecs(fleet) => fleet.is_idle(),
        }
    }

    /// Takes an attempt on.
    pub(super) fn take(&mut self, attempt: Attempt, template: &RunTemplate) -> Result<(), Failure> {
        match self {
            Self::Local(_, taken) => {
                *taken = Some(Box::new(attempt));
                Ok(())
            }
            Self::Ecs(fleet) => fleet.take(attempt, template),
        }
    }

    /// Waits until one attempt has ended.
    pub(super) async fn next(
        &mut self,
        mut scene: Scene<'_>,
        mut stop: watch::Receiver<Option<Signal>>,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> Result<Next, Failure> {
        match self {
            Self::Local(local, taken) => {
                let attempt = *taken.take().expect("something was taken on");
                let record = local.attempt(&attempt, &mut scene, stop).await;
                let cell = attempt.cell().to_string();
                let record = record.map_err(|error| {
                    Failure::new(Exit::SetUp, format!("cannot run {cell}: {error}"))
                })?;
                if let Some(record) = record {
                    return Ok(Next::Finished(Box::new(Finished { attempt, record })));
                }
                // Nothing of it counts; the next attempt gets a folder of its own either way.
                let _kept = std::fs::remove_dir_all(&attempt.dir);
                Ok(Next::Stopped)
            }
            Self::Ecs(fleet) => fleet.next(scene.facts, &mut stop, on_event).await,
        }
    }

    /// Ends what is going on, before the sweep ends early; returns how many tasks go on all the same.
    pub(super) async fn abandon(
        &mut self,
        why: Abandon,
        on_event: &mut dyn FnMut(&SweepEvent),
    ) -> usize {
        match self {
            Self::Local(..) => 0,
            Self::Ecs(fleet) => fleet.abandon(why, on_event).await,
        }
    }

    /// Makes sure that nothing goes on after the end.
    pub(super) async fn tidy(&mut self, on_event: &mut dyn FnMut(&SweepEvent)) {
        if let Self::Ecs(fleet) = self {
            fleet.tidy(on_event).await;
        }
    }
}
