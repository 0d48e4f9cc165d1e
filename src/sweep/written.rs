//! Lists of a plan file: values, or texts as on the command line (`"1..64"`), alone or among values.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::plan::{MEMORY, MemoryChoice};
use crate::plan::ranges::{Gathered, Listed, VCPU, WHOLE};

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "not a list of values, nor a text like \"1..64\""
)]
enum List<T> {
    Text(String),
    Items(Vec<Item<T>>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item<T> {
    Text(String),
    Value(T),
}

fn list<'de, T, D>(deserializer: D, listed: &Listed<T>) -> Result<Vec<T>, D::Error>
where
    T: Clone + PartialEq + Deserialize<'de>,
    D: Deserializer<'de>,
{
    let items = match List::<T>::deserialize(deserializer)? {
        List::Text(text) => vec![Item::Text(text)],
        List::Items(items) => items,
    };
    let mut gathered = Gathered::empty();
    // A value twice is refused where the whole plan is checked.
    let mut again = Vec::new();
    for item in items {
        match item {
            Item::Text(text) => gathered.add_text(&text, listed).map_err(D::Error::custom)?,
            Item::Value(value) if gathered.add(value.clone()) => {}
            Item::Value(value) => again.push(value),
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
