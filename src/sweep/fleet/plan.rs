//! What a sweep on Fargate is told, resolved; and the look at the account before it begins.

use std::time::Duration;

use super::Fleet;
use super::budget::{Budget, TaskPrice};
use crate::cloud::{Capacity, Cloud, Ecs, Network, UNKNOWN_QUOTA_VCPU, fargate_vcpu};
use crate::exit::{Exit, Failure};
use crate::plan::Access;
use crate::price::PriceList;

/// What happens to running tasks when a sweep ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupt {
    /// They are stopped.
    Stop,
    /// They go on; the same sweep finds them again.
    Detach,
}

/// Whether money may be spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Consent {
    /// Nobody said so.
    None,
    /// As much as it takes.
    Yes,
    /// Up to so many USD.
    UpTo(f64),
}

/// Tasks on Fargate: what, where, how many, how long.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetPlan {
    /// Name or ARN of the cluster.
    pub cluster: String,
    /// Name or ARN of the task definition.
    pub definition: String,
    /// Container whose environment is overridden.
    pub container: String,
    /// Where tasks are in the network.
    pub network: Network,
    /// Which capacity they take.
    pub capacity: Capacity,
    /// Tasks at once.
    pub max_tasks: u32,
    /// From the wish to start a task until it runs.
    pub start_limit: Duration,
    /// From then until it ends.
    pub run_limit: Duration,
    /// From its end until it has stopped.
    pub stop_limit: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// The least time of a task's run, when time ends it; zero when it is not known.
    pub least: Duration,
    /// What happens to tasks when the sweep ends early.
    pub on_interrupt: OnInterrupt,
    /// Whether money may be spent.
    pub consent: Consent,
    /// Log group of the tasks, for messages.
    pub log_group: Option<String>,
}

impl Fleet {
    /// Looks at the account: the task definition with its revision, which holds for the whole sweep, the quota, the prices.
    ///
    /// # Errors
    /// When there is no such definition or container, or it cannot be read.
    pub(in crate::sweep) async fn prepare(
        plan: &FleetPlan,
        (access, prices): (&Access, &PriceList),
    ) -> Result<Self, Failure> {
        let cloud = Cloud::load(access).await?;
        let ecs = Ecs::new(&cloud);
        let definition = ecs.definition(&plan.definition).await?;
        let mut notes = Vec::new();
        if !definition.containers.contains(&plan.container) {
            let message = format!(
                "the task definition {} has no container `{}`",
                definition.arn, plan.container
            );
            return Err(Failure::new(Exit::SetUp, message).hint(format!(
                "it has {}: name one with --container",
                definition.containers.join(", ")
            )));
        }
        if definition.sized.contains(&plan.container) {
            notes.push(format!(
                "the container {} has a size of its own in {}: it does not follow the task's",
                plan.container, definition.arn
            ));
        }
        let quota = match fargate_vcpu(&cloud, plan.capacity).await {
            Ok(Some(vcpu)) => (vcpu, true),
            Ok(None) => (UNKNOWN_QUOTA_VCPU, false),
            Err(error) => {
                notes.push(error.message);
                (UNKNOWN_QUOTA_VCPU, false)
            }
        };
        if !quota.1 {
            notes.push(format!("the quota of Fargate vCPU is not known: {UNKNOWN_QUOTA_VCPU} are taken, as a new account has"));
        }
        let arch = definition.architecture.as_deref().unwrap_or("X86_64");
        let price = TaskPrice::of(prices, (cloud.region(), arch), plan.network.public_address);
        let most_usd = match plan.consent {
            Consent::UpTo(usd) => Some(usd),
            Consent::None | Consent::Yes => None,
        };
        if let (Err(what), Some(_)) = (&price, most_usd) {
            let message = format!("--max-cost cannot be kept: there is no price of {what}");
            return Err(Failure::new(Exit::SetUp, message)
                .hint("--prices FILE gives one; --yes goes without"));
        }
        let plan = FleetPlan {
            definition: definition.arn,
            ..plan.clone()
        };
        let mut fleet = Self::new(
            Box::new(ecs),
            plan,
            (quota, Budget::new(price.ok(), most_usd)),
        );
        fleet.notes = notes;
        Ok(fleet)
    }
}
