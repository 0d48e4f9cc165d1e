//! How fast S3 and a Fargate task are assumed to be before anything was measured. Arithmetic with named assumptions; their sources are in docs/scale.md.

/// Bytes per second of one connection to S3 (its user guide: one request for each 85 to 90 MB/s).
pub const CONNECTION_BYTES_PER_S: f64 = 90e6;
/// Seconds to the first byte of an object.
pub const FIRST_BYTE_S: f64 = 0.02;
/// Bytes per second of one task's network, 5 Gbit/s: AWS publishes no figure.
pub const TASK_BYTES_PER_S: f64 = 625e6;
/// CPU seconds of the client `lean` for a request over https, its first 16 KiB in it (bench/README.md).
pub const CPU_S_PER_REQUEST: f64 = 16.1e-6;
/// CPU seconds for a byte over https (bench/README.md: 0.221 s/GB at 8 MiB).
pub const CPU_S_PER_BYTE: f64 = 0.221e-9;

/// So much longer a task may take than these figures say: people saw Fargate tasks of one size 30 % apart.
pub const SLOW_TASK: f64 = 1.3;
/// So much longer its network may take: nobody promises a rate for more than minutes, and half of it is taken.
pub const SLOW_NETWORK: f64 = 2.0;

/// What holds a task back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The rate of its connections, and the time to first bytes.
    Connections,
    /// The task's network.
    Network,
    /// Its CPU.
    Cpu,
}

/// The longest of what a task has to wait for, and what that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskTime {
    /// Seconds of fetching.
    pub seconds: f64,
    /// The same for a slow task.
    pub slow_s: f64,
    /// What sets them.
    pub bound: Bound,
}

/// Time of a shard with so many GETs and bytes, at so many vCPU and workers.
pub fn task_time((gets, bytes): (f64, f64), vcpu: f64, concurrency: f64) -> TaskTime {
    // A worker without a GET helps nobody.
    let connections =
        (gets * FIRST_BYTE_S + bytes / CONNECTION_BYTES_PER_S) / concurrency.min(gets.max(1.0));
    let bounds = [
        (connections, Bound::Connections),
        (bytes / TASK_BYTES_PER_S, Bound::Network),
        (
            (gets * CPU_S_PER_REQUEST + bytes * CPU_S_PER_BYTE) / vcpu,
            Bound::Cpu,
        ),
    ];
    let (seconds, bound) = bounds
        .into_iter()
        .fold((0.0, Bound::Connections), |most, next| {
            if next.0 > most.0 { next } else { most }
        });
    let slow = |(seconds, bound): (f64, Bound)| match bound {
        Bound::Network => seconds * SLOW_NETWORK,
        Bound::Connections | Bound::Cpu => seconds * SLOW_TASK,
    };
    TaskTime {
        seconds,
        slow_s: bounds.map(slow).into_iter().fold(0.0, f64::max),
        bound,
    }
}

/// What serves the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// S3, or something that behaves like it: each fetch waits for it.
    Distant,
    /// A server on this machine: only the CPU holds a client back.
    OnThisMachine,
}

/// One configuration that fetches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Configuration {
    /// vCPU of each shard.
    pub vcpu: f64,
    /// Workers of each shard.
    pub concurrency: f64,
    /// Shards side by side.
    pub shards: f64,
}

/// Configurations, and what they fetch from.
#[derive(Clone, Debug, PartialEq)]
pub struct AssumedSpeed {
    /// What serves the objects.
    pub store: Store,
    /// All that fetch.
    pub configurations: Vec<Configuration>,
}

impl AssumedSpeed {
    /// Seconds in which a configuration fetches so many objects of so many bytes together.
    pub fn seconds(&self, configuration: Configuration, (gets, bytes): (f64, f64)) -> f64 {
        let Configuration {
            vcpu,
            concurrency,
            shards,
        } = configuration;
        let (gets, bytes) = (gets / shards, bytes / shards);
        match self.store {
            Store::Distant => task_time((gets, bytes), vcpu, concurrency).seconds,
            Store::OnThisMachine => (gets * CPU_S_PER_REQUEST + bytes * CPU_S_PER_BYTE) / vcpu,
        }
    }

    /// Objects of this mean size that the fastest of the configurations fetches in a second.
    pub fn objects_per_s(&self, mean_bytes: f64) -> f64 {
        /// So many that no worker is without one.
        const MANY: f64 = 1e6;
        let rate = |configuration: &Configuration| {
            MANY / self.seconds(*configuration, (MANY, MANY * mean_bytes))
        };
        self.configurations.iter().map(rate).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= expected.abs() * 1e-9,
            "{found} is not {expected}"
        );
    }

    fn of(vcpu: f64, concurrency: f64) -> Configuration {
        Configuration {
            vcpu,
            concurrency,
            shards: 1.0,
        }
    }

    #[test]
    fn the_fastest_configuration_sets_the_pace() {
        let speed = |store| AssumedSpeed {
            store,
            configurations: vec![of(1.0, 1.0), of(4.0, 16.0), of(2.0, 16.0)],
        };
        // 16 workers, each 20 ms and 9 MB at 90 MB/s: below the network's 625 MB/s.
        close(speed(Store::Distant).objects_per_s(0.9e6), 16.0 / 0.03);
        // Large ones are the network's.
        close(speed(Store::Distant).objects_per_s(1e9), 0.625);
        // On this machine only the CPU counts.
        close(
            speed(Store::OnThisMachine).objects_per_s(1e6),
            4.0 / (16.1e-6 + 0.221e-3),
        );
    }

    #[test]
    fn shards_share_the_work() {
        let speed = AssumedSpeed {
            store: Store::Distant,
            configurations: Vec::new(),
        };
        let two = Configuration {
            shards: 2.0,
            ..of(1.0, 16.0)
        };
        close(
            speed.seconds(two, (2e4, 2e10)),
            speed.seconds(of(1.0, 16.0), (1e4, 1e10)),
        );
    }
}
