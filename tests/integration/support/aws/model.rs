//! The published models of the services (`tests/models/aws.json`), and what of a request or an answer is not as they say.

use std::sync::OnceLock;

use serde_json::{Map, Value};

/// One service's model.
#[derive(Clone, Copy)]
pub(super) struct Service {
    /// As AWS's own packages call it: `ecs`, `service-quotas`.
    pub(super) name: &'static str,
    model: &'static Value,
}

/// Whether what is required has to be there: real answers leave out what does not apply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Answer,
}

fn models() -> &'static Value {
    static MODELS: OnceLock<Value> = OnceLock::new();
    MODELS.get_or_init(|| serde_json::from_str(include_str!("../../../models/aws.json")).unwrap())
}

impl Service {
    pub(super) fn of(name: &'static str) -> Self {
        let model = &models()["services"][name];
        assert!(model.is_object(), "tests/models/extract.py has no {name}");
        Self { name, model }
    }

    fn metadata(&self, name: &str) -> &'static str {
        self.model["metadata"][name].as_str().unwrap_or_default()
    }

    /// What requests are signed for.
    pub(super) fn signing_name(&self) -> &'static str {
        self.metadata("signingName")
    }

    /// The namespace of its XML.
    pub(super) fn namespace(&self) -> &'static str {
        self.metadata("xmlNamespace")
    }

    /// The version that a query names.
    pub(super) fn version(&self) -> &'static str {
        self.metadata("apiVersion")
    }

    /// The operation that `X-Amz-Target` names.
    pub(super) fn targeted<'a>(&self, target: &'a str) -> Option<&'a str> {
        let name = target
            .strip_prefix(self.metadata("targetPrefix"))?
            .strip_prefix('.')?;
        self.operation(name).map(|_| name)
    }

    /// The operation with this method and path.
    pub(super) fn at(&self, method: &str, path: &str) -> Option<&'static str> {
        let operations = self.model["operations"].as_object()?;
        let found = operations.iter().find(|(_, operation)| {
            operation["method"] == method && operation["requestUri"] == path
        });
        found.map(|(name, _)| name.as_str())
    }

    pub(super) fn operation(&self, name: &str) -> Option<&'static Value> {
        self.model["operations"].get(name)
    }

    /// What is wrong with the request of an operation.
    pub(super) fn wrong_with_request(&self, operation: &str, body: &Value) -> Vec<String> {
        self.wrong(self.shape_of(operation, "input"), body, Side::Request)
    }

    /// What is wrong with the answer of an operation.
    pub(super) fn wrong_with_answer(&self, operation: &str, body: &Value) -> Vec<String> {
        self.wrong(self.shape_of(operation, "output"), body, Side::Answer)
    }

    fn shape_of(&self, operation: &str, end: &str) -> &'static str {
        self.operation(operation).unwrap()[end].as_str().unwrap()
    }

    fn wrong(&self, shape: &str, value: &Value, side: Side) -> Vec<String> {
        let mut check = Check {
            shapes: self.model["shapes"].as_object().unwrap(),
            side,
            wrong: Vec::new(),
        };
        check.value(shape, value, "");
        check.wrong
    }
}

struct Check {
    shapes: &'static Map<String, Value>,
    side: Side,
    wrong: Vec<String>,
}

impl Check {
    fn say(&mut self, path: &str, what: &str) {
        let path = if path.is_empty() { "the body" } else { path };
        self.wrong.push(format!("{path}: {what}"));
    }

    fn value(&mut self, name: &str, value: &Value, path: &str) {
        let shape = &self.shapes[name];
        let kind = shape["type"].as_str().unwrap();
        let fits = match kind {
            "structure" | "map" => value.is_object(),
            "list" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok()),
            "long" => value.is_i64(),
            "double" | "float" | "timestamp" => value.is_number(),
            _ => panic!("shapes of the type {kind} are not known here"),
        };
        if !fits {
            return self.say(path, &format!("is {value}, which is no {kind}"));
        }
        match value {
            Value::Object(members) if kind == "structure" => self.structure(shape, members, path),
            Value::Object(entries) => self.map(shape, entries, path),
            Value::Array(items) => {
                self.bounds(shape, (items.len() as f64, "items"), path);
                let member = shape["member"]["shape"].as_str().unwrap();
                items.iter().enumerate().for_each(|(place, item)| {
                    self.value(member, item, &format!("{path}[{place}]"));
                });
            }
            Value::String(text) => self.text(shape, text, path),
            Value::Number(number) => {
                self.bounds(shape, (number.as_f64().unwrap(), "its value"), path);
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn structure(&mut self, shape: &'static Value, members: &Map<String, Value>, path: &str) {
        for (name, value) in members {
            let path = format!("{path}{}{name}", if path.is_empty() { "" } else { "." });
            match shape["members"][name]["shape"].as_str() {
                Some(member) => self.value(member, value, &path),
                None => self.say(&path, "no such member"),
            }
        }
        let required = shape["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        if self.side == Side::Request {
            let missing: Vec<_> = required
                .filter(|name| !members.contains_key(*name))
                .collect();
            for name in missing {
                self.say(path, &format!("{name} is missing"));
            }
        }
    }

    fn map(&mut self, shape: &'static Value, entries: &Map<String, Value>, path: &str) {
        self.bounds(shape, (entries.len() as f64, "entries"), path);
        for (key, value) in entries {
            self.value(
                shape["key"]["shape"].as_str().unwrap(),
                &Value::String(key.clone()),
                &format!("{path}[{key}]"),
            );
            self.value(
                shape["value"]["shape"].as_str().unwrap(),
                value,
                &format!("{path}[{key}]"),
            );
        }
    }

    fn text(&mut self, shape: &Value, text: &str, path: &str) {
        self.bounds(shape, (text.chars().count() as f64, "characters"), path);
        if let Some(values) = shape["enum"].as_array()
            && !values.iter().any(|value| value == text)
        {
            self.say(path, &format!("`{text}` is none of {}", shape["enum"]));
        }
        if let Some(pattern) = shape["pattern"].as_str() {
            let whole = serde_json::json!({"pattern": format!("^(?:{pattern})$")});
            if !jsonschema::is_valid(&whole, &Value::String(text.to_owned())) {
                self.say(path, &format!("`{text}` does not match {pattern}"));
            }
        }
    }

    fn bounds(&mut self, shape: &Value, (size, of): (f64, &str), path: &str) {
        if shape["min"].as_f64().is_some_and(|least| size < least)
            || shape["max"].as_f64().is_some_and(|most| size > most)
        {
            self.say(
                path,
                &format!(
                    "{of}: {size} is not within {} and {}",
                    shape["min"], shape["max"]
                ),
            );
        }
    }
}
