//! Task definitions beside parfetch's own: those of other people's programs, with one revision each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::setup::Setup;

/// How many milliseconds a container with these variables ran.
pub(super) type RanMs = fn(&BTreeMap<String, String>) -> u64;

/// A task definition with one container that matters.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) container: String,
    /// What its image starts; the command follows.
    pub(crate) entry: Vec<String>,
    /// The image's own command, which an override replaces.
    pub(crate) command: Vec<String>,
    /// Of the container: variables that the definition sets.
    pub(crate) environment: Vec<(String, String)>,
    /// What ECS says of that; none: as long as it did.
    pub(crate) ran_ms: Option<RanMs>,
    /// Members of the definition that differ.
    pub(crate) definition: Value,
    /// Members of its container that differ.
    pub(crate) container_definition: Value,
}

impl Family {
    /// A definition whose container `app` runs this program.
    pub(crate) fn of(name: &str, entry: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            container: "app".to_owned(),
            entry: entry.iter().map(|word| (*word).to_owned()).collect(),
            command: Vec::new(),
            environment: Vec::new(),
            ran_ms: None,
            definition: json!({}),
            container_definition: json!({}),
        }
    }

    pub(super) fn arn(&self, setup: &Setup) -> String {
        setup.arn("ecs", &format!("task-definition/{}:1", self.name))
    }

    /// As `DescribeTaskDefinition` tells it.
    pub(super) fn describe(&self, setup: &Setup) -> Value {
        let environment: Vec<_> = self
            .environment
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let mut container = json!({
            "name": self.container, "image": format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/{}:1", self.name), "cpu": 0, "essential": true,
            "environment": environment, "portMappings": [], "mountPoints": [], "volumesFrom": [],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": format!("/{}", self.name), "awslogs-region": setup.region, "awslogs-stream-prefix": "ecs",
            }},
        });
        put_over(&mut container, &self.container_definition);
        let mut definition = json!({
            "taskDefinitionArn": self.arn(setup), "family": self.name, "revision": 1, "status": "ACTIVE", "networkMode": "awsvpc",
            "cpu": "1024", "memory": "2048", "requiresCompatibilities": ["FARGATE"], "compatibilities": ["EC2", "FARGATE"],
            "containerDefinitions": [container], "volumes": [], "placementConstraints": [],
        });
        put_over(&mut definition, &self.definition);
        definition
    }
}

fn put_over(value: &mut Value, others: &Value) {
    for (name, other) in others.as_object().into_iter().flatten() {
        value[name] = other.clone();
    }
}

impl Setup {
    /// With another task definition.
    pub(crate) fn family(mut self, family: Family) -> Self {
        self.families.push(family);
        self
    }

    /// The family that a name or an ARN means.
    pub(super) fn family_of(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| {
            let with_revision = format!("{}:1", family.name);
            [&family.name, &with_revision, &family.arn(self)].contains(&&name.to_owned())
        })
    }
}
