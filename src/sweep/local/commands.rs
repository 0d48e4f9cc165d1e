//! What a repetition runs: its processes with their commands and variables, and what stands in the braces of their texts.

use std::io;
use std::path::Path;

use super::super::attempt::Attempt;
use super::super::environment::RunTemplate;
use super::super::factors::{OUT, PORT, PlaceholderValues};
use super::contender::out_path;
use super::cpus::cpus_each;
use super::launch::ProcessSpec;
use crate::cell::Program;
use crate::plan::{KeySource, ObjectSource};
use crate::results::record::Limited;

/// What stands in the braces of an attempt's texts on this machine.
pub(super) fn values<'a>(
    attempt: &'a Attempt,
    template: &RunTemplate,
    port: Option<u16>,
) -> io::Result<PlaceholderValues<'a>> {
    let values = template.values(attempt);
    let values = match &template.plan.selection.source {
        KeySource::File(keys) => values.with("keys", keys.to_string_lossy()),
        _ => values,
    };
    let values = match port {
        Some(port) => values.with(PORT, port.to_string()),
        None => values,
    };
    let key = template
        .contender(attempt)
        .map(|contender| values.fill(contender.csv()))
        .transpose()?;
    Ok(match key {
        Some(key) => {
            let out = out_path(attempt, &key);
            let out = std::path::absolute(&out).unwrap_or(out);
            values.with(OUT, out.to_string_lossy())
        }
        None => values,
    })
}

/// What parfetch's own client reads.
fn source(
    (attempt, values): (&Attempt, &PlaceholderValues<'_>),
    template: &RunTemplate,
) -> io::Result<ObjectSource> {
    Ok(match &template.requests {
        Some(requests) if attempt.cell().program.is_parfetch() => {
            ObjectSource::Http(Box::new(requests.filled(values, &attempt.dir)?))
        }
        _ => template.plan.source.clone(),
    })
}

/// The processes of an attempt, one a shard.
pub(super) fn processes(
    executable: &Path,
    (attempt, values): (&Attempt, &PlaceholderValues<'_>),
    template: &RunTemplate,
    limited: &Limited,
) -> io::Result<Vec<ProcessSpec>> {
    let cell = attempt.cell();
    let source = source((attempt, values), template)?;
    let (command, own) = match &cell.program {
        Program::Client(_) => {
            let executable = executable.as_os_str().to_owned();
            (vec![executable, "run".into()], Vec::new())
        }
        Program::Contender(name) => {
            let contender = template.contender(attempt);
            let contender =
                contender.ok_or_else(|| io::Error::other(format!("no command for {name}")))?;
            let mut own = values.environment(&contender.environment)?;
            if !contender.is_timed() {
                own.push(("PARFETCH_OUT".into(), values.fill("{out}")?.into()));
            }
            (values.command(&contender.command)?, own)
        }
    };
    let each = cpus_each(cell);
    let cpus = limited.cpus.chunks(each.max(1));
    (0..cell.shards)
        .zip(cpus)
        .map(|(shard, cpus)| {
            let dir = if cell.shards > 1 {
                attempt.dir.join(format!("shard-{shard}"))
            } else {
                attempt.dir.clone()
            };
            std::fs::create_dir_all(&dir)?;
            let mut environment = template.environment(attempt, shard, &source);
            environment.extend(own.iter().cloned());
            Ok(ProcessSpec {
                command: command.clone(),
                environment,
                dir,
                cpus: cpus.to_vec(),
            })
        })
        .collect()
}
