//! Readings around the fetch phase: CPU, memory, interfaces, throttling, the embedded server's own account.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{Board, EngineReport, Queue};
use crate::plan::ClientKind;
use crate::platform::Sources;
use crate::platform::cgroup::ThrottleCounter;
use crate::platform::clock::now_ns;
use crate::platform::net::{self, InterfaceBytes};
use crate::platform::usage::{self, CpuTimes};
use crate::results::summary::{
    CpuFacts, FetchFacts, Header, Interface, Memory, Series, ServerFacts,
};
use crate::server::{Embedded, ServerReport};

/// First wait between two samples of memory.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// A sample walks over the page tables of every process: at most one part in so many of the time goes there.
const SAMPLE_SHARE: u32 = 1000;

/// Readings of a run's fetch phase.
pub(super) struct Gauges {
    epoch_ns: u64,
    proc: PathBuf,
    throttle: Option<ThrottleCounter>,
    cpu: Option<CpuTimes>,
    interfaces: Option<InterfaceBytes>,
    throttled_ns: Option<u64>,
    memory: Memory,
    next_sample: Instant,
    active_window_ns: Option<u64>,
    board: Arc<Board>,
    server: Option<ServerReport>,
}

impl Gauges {
    /// Reads everything that is read twice for the first time. The epoch is now, after the readings.
    pub(super) fn at_epoch(sources: &Sources, board: &Arc<Board>) -> Self {
        let throttle = sources.with_roots(ThrottleCounter::find);
        let mut gauges = Self {
            epoch_ns: 0,
            proc: sources.proc.clone(),
            throttled_ns: throttle.as_ref().and_then(ThrottleCounter::read_ns),
            throttle,
            interfaces: net::read(&sources.proc),
            cpu: None,
            memory: Memory::default(),
            next_sample: Instant::now(),
            active_window_ns: None,
            board: Arc::clone(board),
            server: None,
        };
        gauges.sample_memory(board);
        gauges.cpu = usage::cpu_times();
        gauges.epoch_ns = now_ns();
        gauges
    }

    pub(super) fn epoch_ns(&self) -> u64 {
        self.epoch_ns
    }

    pub(super) fn elapsed_ns(&self) -> u64 {
        now_ns().saturating_sub(self.epoch_ns)
    }

    /// Adds up the PSS of this process and its children, when it is time to.
    pub(super) fn sample_memory(&mut self, board: &Board) {
        let begin = Instant::now();
        if begin < self.next_sample {
            return;
        }
        let own = usage::pss_bytes(std::process::id());
        // A child that has just gone holds nothing.
        let sum = own.map(|own| {
            own + board
                .child_pids()
                .into_iter()
                .filter_map(usage::pss_bytes)
                .sum::<u64>()
        });
        self.memory.peak_pss_bytes = self.memory.peak_pss_bytes.max(sum);
        self.memory.samples += u64::from(sum.is_some());
        self.next_sample = begin + SAMPLE_EVERY.max(begin.elapsed() * SAMPLE_SHARE);
    }

    /// The second readings, right after the last worker has ended.
    pub(super) async fn at_end(&mut self, queue: &Queue, server: Option<&mut Embedded>) {
        self.cpu = self
            .cpu
            .zip(usage::cpu_times())
            .map(|(first, now)| now - first);
        self.interfaces = self
            .interfaces
            .zip(net::read(&self.proc))
            .map(|(first, now)| now - first);
        let throttled = self.throttle.as_ref().and_then(ThrottleCounter::read_ns);
        self.throttled_ns = self
            .throttled_ns
            .zip(throttled)
            .map(|(first, now)| now.saturating_sub(first));
        self.active_window_ns = queue.empty_at_ns();
        if let Some(server) = server {
            // Its account is an extra: without it the run has its results all the same.
            self.server = server
                .report()
                .await
                .inspect_err(|error| tracing::warn!(%error, "the embedded server gave no account"))
                .ok();
        }
        self.next_sample = Instant::now();
        let board = Arc::clone(&self.board);
        self.sample_memory(&board);
    }

    /// CPU of the whole run so far, user and system, children that have ended included: read as late as there is a summary to put it into.
    pub(super) fn whole_run() -> (Option<u64>, Option<u64>) {
        let whole = usage::cpu_times()
            .zip(usage::children_cpu_times())
            .map(|(own, children)| own + children);
        whole.map(|cpu| (cpu.user_ns, cpu.sys_ns)).unzip()
    }

    /// The readings, for the summary. `engine` is the workers' own account, where they have one.
    pub(super) fn facts(&self, header: &Header, engine: Option<&EngineReport>) -> FetchFacts {
        let series = self.board.series.snapshot();
        let children_rss = engine.and_then(|engine| engine.children_rss_bytes);
        FetchFacts {
            active_window_ns: self.active_window_ns,
            received_bytes: Some(series.iter().sum()),
            series: Some(Series {
                interval_ns: 1_000_000_000,
                bytes: series,
                fetches: Vec::new(),
            }),
            // The SDK's pool does not tell.
            connections_opened: self
                .board
                .connections()
                .filter(|_| header.settings.client == ClientKind::Lean),
            cpu: self.cpu_facts(header, engine),
            memory: Memory {
                peak_rss_bytes: usage::peak_rss_bytes()
                    .zip(children_rss)
                    .map(|(own, children)| own + children),
                ..self.memory
            },
            interface: Interface {
                rx_bytes: self.interfaces.map(|bytes| bytes.rx_bytes),
                tx_bytes: self.interfaces.map(|bytes| bytes.tx_bytes),
                loopback_rx_bytes: self.interfaces.map(|bytes| bytes.loopback_rx_bytes),
            },
            server: self.server.as_ref().and_then(|report| {
                Some(ServerFacts {
                    cpu_ns: report.cpu_ns,
                    threads: report.threads,
                    report: serde_json::to_value(report).ok()?,
                })
            }),
        }
    }

    fn cpu_facts(&self, header: &Header, engine: Option<&EngineReport>) -> CpuFacts {
        let fetch = self
            .cpu
            .zip(engine.and_then(|engine| engine.children_fetch))
            .map(|(own, children)| own + children);
        CpuFacts {
            fetch_user_ns: fetch.map(|cpu| cpu.user_ns),
            fetch_sys_ns: fetch.map(|cpu| cpu.sys_ns),
            limit_vcpu: header.environment.vcpu.limit_vcpu,
            throttled_ns: self.throttled_ns,
        }
    }
}
