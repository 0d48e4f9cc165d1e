//! The environment as it is meant. Libraries read it by themselves (credentials, endpoints, proxies, certificates) and take an empty variable for a
//! value and a line end for a part of it. A process cannot safely change its own environment, so it is replaced by itself in a clean one.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::cli::{Invocation, TIP, Variables};
use crate::exit::{Exit, Failure};

/// Returns where nothing has to change.
pub(super) fn settle(invocation: &Invocation) -> Result<(), Failure> {
    let (Invocation::Run(raw)
    | Invocation::Upload(raw)
    | Invocation::Fill(raw)
    | Invocation::Doctor(raw)
    | Invocation::Report(raw)
    | Invocation::Compare(raw)
    | Invocation::Serve(raw)
    | Invocation::Sweep(raw)
    | Invocation::Submit(raw)) = invocation
    else {
        // Children: their parent has done it.
        return Ok(());
    };
    replace(&raw.variables)
}

fn replace(variables: &Variables) -> Result<(), Failure> {
    let changes = variables
        .changes()
        .map_err(|wrong| Failure::new(Exit::Usage, wrong).hint(TIP))?;
    if changes.is_empty() {
        return Ok(());
    }
    let names = changes
        .iter()
        .map(|change| change.name)
        .collect::<Vec<_>>()
        .join(", ");
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Unexpected,
            format!("cannot start again without the blanks in {names}: {error}"),
        )
        .hint("leave them out, and empty variables")
    };
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    let mut arguments = std::env::args_os();
    command
        .arg0(arguments.next().unwrap_or_else(|| "parfetch".into()))
        .args(arguments);
    for change in changes {
        match change.value {
            Some(value) => command.env(change.name, value),
            None => command.env_remove(change.name),
        };
    }
    // Returns only when it fails.
    Err(failed(command.exec()))
}
