//! Fargate as a place of a sweep: the look at the account before it begins, and what holds for all of its tasks.

use std::collections::BTreeMap;

use super::environment::OF_TASKS;
use super::fleet::{
    AccountLimits, Budget, ContenderTask, DEFAULT_ARCHITECTURE, DefinitionRules, Fleet, FleetPlan,
    TaskPrice, VcpuQuota, contender_task,
};
use super::launcher::{LauncherSetup, PlaceFacts};
use crate::cloud::{Capacity, Cloud, Definition, Ecs, UNKNOWN_QUOTA_VCPU, fargate_vcpu};
use crate::estimate::CostConsent;
use crate::exit::{Exit, Failure};

/// What Fargate is as a place.
pub(super) fn facts(plan: &FleetPlan) -> PlaceFacts {
    PlaceFacts {
        name: "ecs",
        consent: Some(plan.consent),
        is_this_machine: false,
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

/// Looks at the account: the task definitions with their revisions, which hold for the whole sweep, the quota, the prices.
///
/// # Errors
/// When there is no such definition or container, or it cannot be read, or it does not serve.
pub(super) async fn prepare(plan: &FleetPlan, setup: &LauncherSetup<'_>) -> Result<Fleet, Failure> {
    let cloud = Cloud::load(setup.access).await?;
    let mut ecs = Ecs::new(&cloud, &plan.container);
    let mut notes = Vec::new();
    let own = own_definition(&ecs, (plan, setup), &mut notes).await?;
    let (contenders, others_arch) = contenders(&ecs, own.as_ref(), setup).await?;
    for task in contenders.values() {
        ecs.add(&task.definition, &task.container);
    }
    let quota = quota(&cloud, plan.capacity, &mut notes).await;
    let arch = own
        .as_ref()
        .and_then(|own| own.architecture.clone())
        .or(others_arch)
        .unwrap_or_else(|| DEFAULT_ARCHITECTURE.to_owned());
    let price = TaskPrice::of(
        setup.prices,
        (cloud.region(), &arch),
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
        definition: own.map(|own| own.arn).unwrap_or_default(),
        contenders,
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

/// parfetch's own; none where contenders run alone.
async fn own_definition(
    ecs: &Ecs,
    (plan, setup): (&FleetPlan, &LauncherSetup<'_>),
    notes: &mut Vec<String>,
) -> Result<Option<Definition>, Failure> {
    if setup.plan.client.is_empty() {
        return Ok(None);
    }
    let definition = ecs
        .definition(setup.definition.as_ref().unwrap_or(&plan.definition))
        .await?;
    let containers = &definition.containers;
    let Some(container) = containers.iter().find(|one| one.name == plan.container) else {
        let names: Vec<&str> = containers.iter().map(|one| one.name.as_str()).collect();
        let message = format!(
            "the task definition {} has no container `{}`",
            definition.arn, plan.container
        );
        return Err(Failure::new(Exit::SetUp, message).hint(format!(
            "it has {}: name one with --container",
            names.join(", ")
        )));
    };
    if container.is_sized {
        notes.push(format!(
            "the container {} has a size of its own in {}: it does not follow the task's",
            plan.container, definition.arn
        ));
    }
    Ok(Some(definition))
}

/// What contenders run as, and their architecture: that of parfetch's own tasks, or else of the first of them, as they have one price.
async fn contenders(
    ecs: &Ecs,
    own: Option<&Definition>,
    setup: &LauncherSetup<'_>,
) -> Result<(BTreeMap<String, ContenderTask>, Option<String>), Failure> {
    let arch = |definition: &Definition| {
        let known = definition.architecture.clone();
        known.unwrap_or_else(|| DEFAULT_ARCHITECTURE.to_owned())
    };
    let mut architecture = own.map(arch);
    let mut tasks = BTreeMap::new();
    for contender in &setup.plan.contender {
        let begun = setup.contender_definitions.get(&contender.name);
        let named = begun.or(contender.task_definition.as_ref());
        let Some(named) = named else { continue };
        let definition = ecs.definition(named).await?;
        let rules = DefinitionRules {
            architecture: architecture.get_or_insert_with(|| arch(&definition)),
            variables: &OF_TASKS,
        };
        let task = contender_task(contender, &definition, rules)?;
        tasks.insert(contender.name.clone(), task);
    }
    Ok((tasks, architecture))
}

async fn quota(cloud: &Cloud, capacity: Capacity, notes: &mut Vec<String>) -> VcpuQuota {
    let unknown = VcpuQuota {
        vcpu: UNKNOWN_QUOTA_VCPU,
        is_known: false,
    };
    let quota = match fargate_vcpu(cloud, capacity).await {
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
    quota
}
