//! What may be fetched without a question.

use super::fetching::egress;
use super::reader::{SettingReader, usage};
use crate::cli::{Given, Raw};
use crate::estimate::{Approval, CostPolicy};
use crate::exit::Failure;
use crate::price::Egress;
use crate::units;

pub(super) fn max_bytes(raw: &Raw) -> Result<Option<u64>, Failure> {
    let wrong = |Given { value, name }: &Given| {
        usage(
            format!("{name} is `{value}`, which is not a size above 0"),
            "write it like 50GB",
        )
    };
    let size = |given: &Given| {
        units::parse_size(&given.value)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| wrong(given))
    };
    raw.get("max-bytes").map(size).transpose()
}

/// What `--yes`, `--max-bytes` and `--egress` say.
pub(super) fn cost_policy(raw: &Raw) -> Result<CostPolicy, Failure> {
    let reader = SettingReader(raw);
    let max_bytes = max_bytes(raw)?;
    let egress = if raw.get("egress").is_some() {
        egress(&reader)?
    } else {
        Egress::Internet
    };
    Ok(CostPolicy {
        approval: Approval {
            yes: reader.switch("yes")?,
            max_bytes,
        },
        egress,
    })
}
