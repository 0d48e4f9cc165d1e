//! `--stack NAME`: what a CloudFormation stack says of itself stands below flags and variables.

use super::process::block_on;
use super::signals::Signals;
use crate::cli::Raw;
use crate::cloud::{Cloud, outputs_of};
use crate::exit::{Exit, Failure};
use crate::settings;

/// Which output stands for which flag: infra/template.yaml has them all.
pub(super) type OutputFlags = [(&'static str, &'static str)];

/// Puts the outputs of the stack that `--stack` names where nothing else was given; each pair is an output's name and its flag's.
pub(super) fn fill(raw: &mut Raw, meaning: &OutputFlags, signals: &Signals) -> Result<(), Failure> {
    let Some(given) = raw.get("stack").cloned() else {
        return Ok(());
    };
    let access = settings::access(raw)?;
    let outputs = block_on(signals.or(async {
        let cloud = Cloud::load(&access).await?;
        Ok(outputs_of(&cloud, &given.value).await?)
    }))?;
    let known: Vec<_> = meaning
        .iter()
        .filter_map(|(output, flag)| Some((*flag, outputs.get(*output)?.clone())))
        .collect();
    if known.is_empty() {
        let message = format!(
            "the stack {} has none of the outputs that parfetch reads",
            given.value
        );
        return Err(Failure::new(Exit::SetUp, message)
            .hint("infra/template.yaml makes a stack that has them"));
    }
    raw.below("--stack", known);
    Ok(())
}
