//! What a contender's task definition has to be so that its tasks can be started in every size of a sweep, and are what is measured.

use super::plan::ContenderTask;
use crate::cloud::{DefinedContainer, Definition};
use crate::exit::{Exit, Failure};
use crate::sweep::plan::Contender;

/// What holds for every definition of a sweep.
#[derive(Clone, Copy, Debug)]
pub(in crate::sweep) struct DefinitionRules<'a> {
    /// The architecture that prices are taken for, as ECS calls it.
    pub(in crate::sweep) architecture: &'a str,
    /// Variables that every contender's task gets.
    pub(in crate::sweep) variables: &'a [&'a str],
}

/// Architecture of a definition that names none.
pub(in crate::sweep) const DEFAULT_ARCHITECTURE: &str = "X86_64";

/// The task of a contender with this definition.
///
/// # Errors
/// What of it ECS would refuse, or would not be what the sweep says of it.
pub(in crate::sweep) fn contender_task(
    contender: &Contender,
    definition: &Definition,
    rules: DefinitionRules<'_>,
) -> Result<ContenderTask, Failure> {
    let wrong = |what: String, hint: &str| {
        let message = format!(
            "the task definition {} of the contender {} {what}",
            definition.arn, contender.name
        );
        Err(Failure::new(Exit::SetUp, message).hint(hint.to_owned()))
    };
    if definition.status != "ACTIVE" {
        return wrong(
            format!("is {}", definition.status),
            "register it again (aws ecs register-task-definition), or name a revision that is active",
        );
    }
    let system = definition.system.as_deref().unwrap_or("LINUX");
    let arch = definition
        .architecture
        .as_deref()
        .unwrap_or(DEFAULT_ARCHITECTURE);
    if !definition.is_for_fargate || system != "LINUX" || definition.network_mode != "awsvpc" {
        return wrong(
            "is not for Linux on Fargate".to_owned(),
            "it needs requiresCompatibilities FARGATE, the network mode awsvpc, and an operating system family LINUX",
        );
    }
    if arch != rules.architecture {
        return wrong(
            format!(
                "is for {arch}, and the other tasks of the sweep for {}: they have other prices",
                rules.architecture
            ),
            "measure them in two sweeps, or build both images for one architecture",
        );
    }
    let container = match (&contender.container, definition.containers.as_slice()) {
        (None, [one]) => one,
        (None, _) => {
            return wrong(
                format!("has the containers {}", named(definition)),
                "name the one that is measured: container = \"NAME\", or --contender NAME='task-definition=FAMILY,container=NAME'",
            );
        }
        (Some(name), all) => match all.iter().find(|container| container.name == *name) {
            Some(container) => container,
            None => {
                return wrong(
                    format!("has no container `{name}`"),
                    &format!("it has {}", named(definition)),
                );
            }
        },
    };
    if container.is_sized {
        return wrong(
            format!(
                "gives the container {} a size of its own, which does not follow the task's",
                container.name
            ),
            "take cpu, memory and memoryReservation out of the container, and leave those of the task",
        );
    }
    if let Some(secret) = secret(contender, container, rules) {
        return wrong(
            format!(
                "has a secret {secret}, and the sweep sets a variable of this name: ECS refuses both"
            ),
            "take the secret out of the definition, or give it another name",
        );
    }
    Ok(ContenderTask {
        definition: definition.arn.clone(),
        container: container.name.clone(),
        storage_gib: definition.storage_gib,
        log: container.log.clone(),
    })
}

fn named(definition: &Definition) -> String {
    let names: Vec<&str> = definition
        .containers
        .iter()
        .map(|container| container.name.as_str())
        .collect();
    names.join(", ")
}

/// A secret with the name of a variable that its tasks get.
fn secret<'a>(
    contender: &Contender,
    container: &'a DefinedContainer,
    rules: DefinitionRules<'_>,
) -> Option<&'a String> {
    container.secrets.iter().find(|secret| {
        contender.environment.contains_key(*secret) || rules.variables.contains(&secret.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ContainerLog;

    fn definition() -> Definition {
        let container = |name: &str| DefinedContainer {
            name: name.to_owned(),
            log: Some(ContainerLog::default()),
            ..DefinedContainer::default()
        };
        Definition {
            arn: "arn:study:3".to_owned(),
            containers: vec![container("agent"), container("app")],
            status: "ACTIVE".to_owned(),
            network_mode: "awsvpc".to_owned(),
            is_for_fargate: true,
            ..Definition::default()
        }
    }

    fn contender(container: Option<&str>) -> Contender {
        Contender {
            name: "python".to_owned(),
            container: container.map(str::to_owned),
            environment: [("LEVEL".to_owned(), "{concurrency}".to_owned())].into(),
            ..Contender::default()
        }
    }

    const RULES: DefinitionRules<'_> = DefinitionRules {
        architecture: DEFAULT_ARCHITECTURE,
        variables: &["TAG"],
    };

    #[test]
    fn a_definition_that_serves_gives_its_task() {
        let task = contender_task(&contender(Some("app")), &definition(), RULES).unwrap();
        assert_eq!(
            (task.definition.as_str(), task.container.as_str()),
            ("arn:study:3", "app")
        );
        let mut alone = definition();
        alone.containers.remove(0);
        let task = contender_task(&contender(None), &alone, RULES).unwrap();
        assert_eq!(task.container, "app");
    }

    #[test]
    fn what_does_not_serve_is_named_with_what_to_do() {
        type Change = fn(&mut Definition);
        let cases: [(Change, Option<&str>, &str, &str); 10] = [
            (
                |one| one.status = "INACTIVE".to_owned(),
                Some("app"),
                "is INACTIVE",
                "register it again",
            ),
            (
                |one| one.is_for_fargate = false,
                Some("app"),
                "is not for Linux on Fargate",
                "requiresCompatibilities",
            ),
            (
                |one| one.network_mode = "bridge".to_owned(),
                Some("app"),
                "is not for Linux on Fargate",
                "awsvpc",
            ),
            (
                |one| one.system = Some("WINDOWS_SERVER_2022_CORE".to_owned()),
                Some("app"),
                "is not for Linux",
                "LINUX",
            ),
            (
                |one| one.architecture = Some("ARM64".to_owned()),
                Some("app"),
                "is for ARM64, and the other tasks of the sweep for X86_64",
                "two sweeps",
            ),
            (
                |_| {},
                None,
                "has the containers agent, app",
                "container = \"NAME\"",
            ),
            (
                |_| {},
                Some("web"),
                "has no container `web`",
                "it has agent, app",
            ),
            (
                |one| one.containers[1].is_sized = true,
                Some("app"),
                "gives the container app a size of its own",
                "memoryReservation",
            ),
            (
                |one| one.containers[1].secrets = vec!["TAG".to_owned()],
                Some("app"),
                "has a secret TAG",
                "another name",
            ),
            (
                |one| one.containers[1].secrets = vec!["LEVEL".to_owned()],
                Some("app"),
                "has a secret LEVEL",
                "another name",
            ),
        ];
        for (change, container, message, hint) in cases {
            let mut changed = definition();
            change(&mut changed);
            let failure = contender_task(&contender(container), &changed, RULES).unwrap_err();
            let begin = "the task definition arn:study:3 of the contender python ";
            assert!(
                failure.message.starts_with(&format!("{begin}{message}"))
                    && failure
                        .hint
                        .as_deref()
                        .is_some_and(|said| said.contains(hint)),
                "{failure:?}"
            );
        }
        let mut other = definition();
        other.containers[0].is_sized = true;
        assert!(contender_task(&contender(Some("app")), &other, RULES).is_ok());
    }
}
