//! The machine: CPUs, memory, open files, and how many workers they serve.

use super::check::{Check, CheckOutcome};
use crate::plan::Mode;
use crate::platform::{Environment, Sources, inspect, limits};
use crate::run::most_workers;
use crate::units;

/// Workers of a run as it comes.
const DEFAULT_WORKERS: u64 = 16;
const SUBJECT: &str = "this machine";

pub(super) async fn check(sources: &Sources) -> Check {
    let environment = inspect(sources).await;
    let (_, files) = limits::raise_nofile();
    of(&environment, files)
}

fn of(environment: &Environment, files: Option<u64>) -> Check {
    let [tasks, threads, processes] = Mode::ALL.map(|mode| most_workers(mode, environment, files));
    let (vcpu, memory) = (&environment.vcpu, &environment.memory);
    let cpus = match (vcpu.limit_vcpu, vcpu.source) {
        (Some(limit), Some(source)) => format!(
            "{limit} {} ({})",
            if limit > 1.0 { "vCPUs" } else { "vCPU" },
            source.in_words()
        ),
        _ => "an unknown number of vCPUs".to_owned(),
    };
    let bytes = match (memory.limit_bytes, memory.source) {
        (Some(limit), Some(source)) => {
            format!("{} of memory ({})", units::memory(limit), source.in_words())
        }
        _ => "an unknown amount of memory".to_owned(),
    };
    let open = files.map_or_else(
        || "no limit of open files".to_owned(),
        |files| format!("{} open files", units::count(files)),
    );
    let [async_words, thread_words, process_words] = [tasks, threads, processes].map(units::count);
    let workers = format!(
        "at most {async_words} async, {thread_words} thread or {process_words} process workers"
    );
    let outcome = if tasks < DEFAULT_WORKERS {
        CheckOutcome::Failed
    } else if vcpu.limit_vcpu.is_none()
        || memory.limit_bytes.is_none()
        || vcpu.contradiction().is_some()
    {
        CheckOutcome::Warning
    } else {
        CheckOutcome::Ok
    };
    let check = Check::new(
        "machine",
        SUBJECT,
        outcome,
        format!("{cpus}, {bytes}, {open}: {workers}"),
    );
    let check = match (outcome, vcpu.contradiction()) {
        (CheckOutcome::Failed, _) => {
            check.hint("a run has 16 workers unless you set -c: raise the limit of open files (ulimit -n), or give it more memory")
        }
        (_, Some(contradiction)) => check.hint(contradiction),
        (CheckOutcome::Warning, _) => check.hint("what is unknown is missing in results; prices need both"),
        _ => check,
    };
    check
        .fact("vcpu", vcpu.limit_vcpu)
        .fact("vcpu_source", serde_json::json!(vcpu.source))
        .fact("memory_bytes", memory.limit_bytes)
        .fact("memory_source", serde_json::json!(memory.source))
        .fact("open_files", files)
        .fact("most_async_workers", tasks)
        .fact("most_thread_workers", threads)
        .fact("most_process_workers", processes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::limits::{MemoryLimit, VcpuLimit};

    fn environment() -> Environment {
        Environment {
            vcpu: VcpuLimit::choose(None, None, Some(2)),
            memory: MemoryLimit::choose(None, None, Some(8 << 30)),
            ..Environment::default()
        }
    }

    #[test]
    fn a_machine_in_words() {
        let check = of(&environment(), Some(65_535));
        assert_eq!(
            (check.outcome, check.text.as_str()),
            (
                CheckOutcome::Ok,
                "2 vCPUs (CPU affinity), 8 GB of memory (the machine's), 65,535 open files: at most 8,525 async, 4,096 thread or 710 process workers"
            )
        );
        assert_eq!(check.facts["most_async_workers"], 8_525);
    }

    #[test]
    fn too_few_files_would_stop_a_run() {
        let check = of(&environment(), Some(70));
        assert_eq!(check.outcome, CheckOutcome::Failed);
        assert!(
            check
                .text
                .ends_with("70 open files: at most 6 async, 1 thread or 2 process workers"),
            "{}",
            check.text
        );
        let unknown = of(&Environment::default(), None);
        assert_eq!(unknown.outcome, CheckOutcome::Warning);
        assert_eq!(unknown.facts["vcpu"], serde_json::Value::Null);
    }
}
