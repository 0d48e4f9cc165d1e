//! What a task definition says of its containers.

use aws_sdk_ecs::types::{ContainerDefinition, LogConfiguration, LogDriver};

use super::tasks::{ContainerLog, DefinedContainer};

/// What matters of a container's definition.
pub(super) fn defined(container: &ContainerDefinition) -> DefinedContainer {
    let name = container.name().unwrap_or_default().to_owned();
    let option = |log: &LogConfiguration, name: &str| Some(log.options()?.get(name)?.clone());
    let log = container
        .log_configuration()
        .filter(|log| *log.log_driver() == LogDriver::Awslogs)
        .and_then(|log| {
            Some(ContainerLog {
                group: option(log, "awslogs-group")?,
                prefix: option(log, "awslogs-stream-prefix")?,
                container: name.clone(),
            })
        });
    DefinedContainer {
        is_sized: container.cpu() > 0
            || container.memory().is_some()
            || container.memory_reservation().is_some(),
        secrets: container
            .secrets()
            .iter()
            .map(|secret| secret.name().to_owned())
            .collect(),
        log,
        name,
    }
}
