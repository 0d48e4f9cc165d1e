//! The places where a sweep can run, each with its launcher. The only file that knows all of them.

use super::ecs;
use super::fleet::FleetPlan;
use super::launcher::{Launcher, LauncherSetup, PlaceFacts};
use super::local::{self, Local};
#[cfg(test)]
use super::model::{self, ModelLauncher};
use crate::exit::Failure;

/// Where the cells of a sweep run.
#[derive(Clone, Debug)]
pub enum SweepPlace {
    /// Processes on this machine, one repetition at a time.
    Local,
    /// Tasks on Fargate.
    Ecs(Box<FleetPlan>),
    /// A law of platforms: nothing runs.
    #[cfg(test)]
    Model(Box<crate::model::Law>),
}

impl SweepPlace {
    /// What is known of it before it is looked at.
    pub fn facts(&self) -> PlaceFacts {
        match self {
            Self::Local => local::FACTS,
            Self::Ecs(plan) => ecs::facts(plan),
            #[cfg(test)]
            Self::Model(_) => model::FACTS,
        }
    }

    pub(super) async fn open(
        &self,
        setup: &LauncherSetup<'_>,
    ) -> Result<Box<dyn Launcher>, Failure> {
        Ok(match self {
            Self::Local => Box::new(Local::new(setup)),
            Self::Ecs(plan) => Box::new(ecs::prepare(plan, setup).await?),
            #[cfg(test)]
            Self::Model(law) => Box::new(ModelLauncher::new(law)),
        })
    }
}
