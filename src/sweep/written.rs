//! Lists of a plan file: values, or texts as on the command line (`"1..64"`), alone or among values.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::memory::{MEMORY, MemoryChoice};
use crate::plan::ranges::{Gathered, ListForm, VCPU, WHOLE};

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "not a list of values, nor a text like \"1..64\""
)]
enum List<T> {
    Text(String),
    Items(Vec<ListItem<T>>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ListItem<T> {
    Text(String),
    Value(T),
}

fn list<'de, T, D>(deserializer: D, listed: &ListForm<T>) -> Result<Vec<T>, D::Error>
where
    T: Clone + PartialEq + Deserialize<'de>,
    D: Deserializer<'de>,
{
    let items = match List::<T>::deserialize(deserializer)? {
        List::Text(text) => vec![ListItem::Text(text)],
        List::Items(items) => items,
    };
    let mut gathered = Gathered::empty();
    // A value twice is refused where the whole plan is checked.
    let mut again = Vec::new();
    for item in items {
        match item {
            ListItem::Text(text) => gathered.add_text(&text, listed).map_err(D::Error::custom)?,
            ListItem::Value(value) if gathered.add(value.clone()) => {}
            ListItem::Value(value) => again.push(value),
        }
    }
    let mut values = gathered.into_values();
    values.append(&mut again);
    Ok(values)
}

pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    list(deserializer, &WHOLE)
}

pub(super) fn vcpu<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    list(deserializer, &VCPU)
}

pub(super) fn memory<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<MemoryChoice>, D::Error> {
    list(deserializer, &MEMORY)
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "not a text, nor a list of texts")]
enum Texts {
    One(String),
    Many(Vec<String>),
}

/// A list of texts, or one text.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    })
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "not a text, a number, true or false")]
enum FactorValue {
    Text(String),
    Whole(i64),
    Number(f64),
    Switch(bool),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "not a list of values, nor a text like \"a,b\"")]
enum FactorValues {
    Text(String),
    Items(Vec<FactorValue>),
}

/// The table of factors: lists of values, or a text as on the command line.
pub(super) fn factors<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let table = BTreeMap::<String, FactorValues>::deserialize(deserializer)?;
    let text = |value: FactorValue| match value {
        FactorValue::Text(text) => text,
        FactorValue::Whole(number) => number.to_string(),
        FactorValue::Number(number) => number.to_string(),
        FactorValue::Switch(switch) => switch.to_string(),
    };
    let values = |values: FactorValues| match values {
        FactorValues::Text(list) => list.split(',').map(str::to_owned).collect(),
        FactorValues::Items(items) => items.into_iter().map(text).collect(),
    };
    Ok(table
        .into_iter()
        .map(|(name, list)| (name, values(list)))
        .collect())
}
