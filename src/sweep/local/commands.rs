//! What a repetition runs: its processes with their commands and variables, and what stands in the braces of their texts.

use std::io;
use std::path::Path;

use super::super::attempt::Attempt;
use super::super::environment::RunTemplate;
use super::super::factors::{OUT, PORT, PlaceholderValues};
use super::super::plan::Contender;
use super::contender::out_path;
use super::cpus::cpus_each;
use super::launch::ProcessSpec;
use crate::cell::Program;
use crate::results::record::Limited;

/// What stands in the braces of an attempt's texts.
pub(super) fn values<'a>(
    attempt: &'a Attempt,
    template: &RunTemplate,
    port: Option<u16>,
) -> PlaceholderValues<'a> {
    let tag = template.tag(attempt);
    let out = out_path(attempt, &tag);
    let out = std::path::absolute(&out).unwrap_or(out);
    let values = PlaceholderValues::new(attempt.cell())
        .with("bucket", template.plan.source.bucket())
        .with("prefix", &template.prefix)
        .with(
            "results_bucket",
            template.results_bucket.as_deref().unwrap_or_default(),
        )
        .with("tag", tag)
        .with(OUT, out.to_string_lossy());
    match port {
        Some(port) => values.with(PORT, port.to_string()),
        None => values,
    }
}

/// The processes of an attempt, one a shard.
pub(super) fn processes(
    executable: &Path,
    (attempt, values): (&Attempt, &PlaceholderValues<'_>),
    (template, contenders): (&RunTemplate, &[Contender]),
    limited: &Limited,
) -> io::Result<Vec<ProcessSpec>> {
    let cell = attempt.cell();
    let (command, own) = match &cell.program {
        Program::Client(_) => {
            let executable = executable.as_os_str().to_owned();
            (vec![executable, "run".into()], Vec::new())
        }
        Program::Contender(name) => {
            let contender = contenders.iter().find(|contender| contender.name == *name);
            let contender =
                contender.ok_or_else(|| io::Error::other(format!("no command for {name}")))?;
            let out = ("PARFETCH_OUT".into(), values.fill("{out}")?.into());
            let mut own = values.environment(&contender.environment)?;
            own.push(out);
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
            let mut environment = template.environment(attempt, shard);
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
