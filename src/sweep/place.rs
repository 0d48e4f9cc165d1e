//! The places where a sweep can run, each with its launcher. The only file that knows all of them.

use super::ecs;
use super::fleet::FleetPlan;
use super::launcher::{Launcher, LauncherSetup, PlaceFacts};
use super::local::{self, Local, check_programs};
use super::model::{self, ModelLauncher};
use crate::exit::{Exit, Failure};
use crate::model::{Law, Model};

/// Where the cells of a sweep run.
#[derive(Clone, Debug)]
pub enum SweepPlace {
    /// Processes on this machine, one repetition at a time.
    Local,
    /// Tasks on Fargate.
    Ecs(Box<FleetPlan>),
    /// A law of platforms: nothing runs.
    Model(Box<Law>),
}

impl SweepPlace {
    /// The model of this file's text, whose objects come in a random order.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_model(text: &str, seed: u64) -> Result<Self, Failure> {
        let model =
            Model::parse(text).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        Ok(Self::Model(Box::new(Law::new(model).shuffled(seed))))
    }

    /// The law, where it is one.
    pub(super) fn law(&self) -> Option<&Law> {
        match self {
            Self::Model(law) => Some(law),
            Self::Local | Self::Ecs(_) => None,
        }
    }

    /// What is known of it before it is looked at.
    pub fn facts(&self) -> PlaceFacts {
        match self {
            Self::Local => local::FACTS,
            Self::Ecs(plan) => ecs::facts(plan),
            Self::Model(_) => model::FACTS,
        }
    }

    pub(super) async fn open(
        &self,
        setup: &LauncherSetup<'_>,
    ) -> Result<Box<dyn Launcher>, Failure> {
        Ok(match self {
            Self::Local => {
                check_programs(&setup.plan.contender)?;
                Box::new(Local::new(setup))
            }
            Self::Ecs(plan) => Box::new(ecs::prepare(plan, setup).await?),
            Self::Model(law) => Box::new(ModelLauncher::new(law)),
        })
    }
}
