//! Fargate as a place of a sweep: the look at the account before it begins, and what holds for all of its tasks.

use super::fleet::{AccountLimits, Budget, Fleet, FleetPlan, TaskPrice, VcpuQuota};
use super::launcher::{LauncherSetup, PlaceFacts};
use crate::cloud::{Capacity, Cloud, Ecs, UNKNOWN_QUOTA_VCPU, fargate_vcpu};
use crate::estimate::CostConsent;
use crate::exit::{Exit, Failure};

/// What Fargate is as a place.
pub(super) fn facts(plan: &FleetPlan) -> PlaceFacts {
    PlaceFacts {
        name: "ecs",
        consent: Some(plan.consent),
        is_in_region: true,
        stores_results: true,
        left_running: Some("tasks that run stay running, and cost money"),
        // AWS changes the prices of Spot as it sees fit, and money is kept to what tasks can cost at the most.
        prices: match plan.capacity {
            Capacity::Spot => "those of On-Demand (what Spot costs is not known, and is less)",
            Capacity::OnDemand => "on demand",
        },
    }
}

/// Looks at the account: the task definition with its revision, which holds for the whole sweep, the quota, the prices.
///
/// # Errors
/// When there is no such definition or container, or it cannot be read.
pub(super) async fn prepare(plan: &FleetPlan, setup: &LauncherSetup<'_>) -> Result<Fleet, Failure> {
    let cloud = Cloud::load(setup.access).await?;
    let ecs = Ecs::new(&cloud, &plan.container);
    let definition = ecs
        .definition(setup.definition.as_ref().unwrap_or(&plan.definition))
        .await?;
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
    let unknown = VcpuQuota {
        vcpu: UNKNOWN_QUOTA_VCPU,
        is_known: false,
    };
    let quota = match fargate_vcpu(&cloud, plan.capacity).await {
        Ok(Some(vcpu)) => VcpuQuota {
            vcpu,
            is_known: true,
        },
        Ok(None) => unknown,
        Err(error) => {
            notes.push(error.message);
            unknown
        }
    };
    if !quota.is_known {
        notes.push(format!("the quota of Fargate vCPU is not known: {UNKNOWN_QUOTA_VCPU} are taken, as a new account has"));
    }
    let arch = definition.architecture.as_deref().unwrap_or("X86_64");
    let price = TaskPrice::of(
        setup.prices,
        (cloud.region(), arch),
        plan.network.public_address,
    );
    let most_usd = match plan.consent {
        CostConsent::UpTo(usd) => Some(usd),
        CostConsent::NotGiven | CostConsent::Given => None,
    };
    if let (Err(what), Some(_)) = (&price, most_usd) {
        let message = format!("--max-cost cannot be kept: there is no price of {what}");
        return Err(
            Failure::new(Exit::SetUp, message).hint("--prices FILE gives one; --yes goes without")
        );
    }
    let plan = FleetPlan {
        definition: definition.arn,
        ..plan.clone()
    };
    let mut fleet = Fleet::new(
        Box::new(ecs),
        plan,
        AccountLimits {
            quota,
            budget: Budget::new(price.ok(), most_usd),
        },
    );
    fleet.notes = notes;
    Ok(fleet)
}
