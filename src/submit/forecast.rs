//! What a job would take: requests, time, money, and what limits it first. Arithmetic over the plan, list prices, and assumptions that are named.
//!
//! A forecast is no measurement: nothing of S3 or Fargate is in it but the constants below, whose sources are in docs/scale.md.

use super::document::ShardKeys;
use super::job::{BatchJob, Division};
use super::money::JobPrice;
use super::tally::KeyTally;
use crate::price::{
    Egress, FREE_STORAGE_GIB, NoPrice, PriceList, StoredClass, TaskSize, key_bytes, storage_usd,
    task_usd,
};
use crate::speed::{Bound, TaskTime, task_time};

/// Seconds that are paid for beside fetching: from the pull of the image to the first request, and the writing of results.
pub const PAID_BESIDE_S: f64 = 30.0;
/// Tasks that Fargate starts at once for an account in a region (its quotas of launches).
pub const STARTED_AT_ONCE: u32 = 100;
/// Tasks that it starts each second from then on.
pub const STARTED_PER_S: f64 = 20.0;
/// Objects of the results that each child stores: the summary when it begins, the CSV, the summary when it ends.
const RESULTS_OF_A_CHILD: u64 = 3;

/// What a job would take.
#[derive(Clone, Debug, PartialEq)]
pub struct JobForecast {
    /// The job in one line.
    pub title: String,
    /// Children.
    pub shards: u32,
    /// What was listed.
    pub keys: u64,
    /// Its bytes; `None` when a size is not known.
    pub bytes: Option<u64>,
    /// Least and most keys of a shard.
    pub keys_of_shards: (u64, u64),
    /// Least and most bytes of a shard.
    pub bytes_of_shards: Option<(u64, u64)>,
    /// Bytes of the largest object.
    pub largest: u64,
    /// Bytes of the key files, about; none where children list.
    pub manifest_bytes: Option<u64>,
    /// LIST requests.
    pub lists: u64,
    /// GETs of objects and of key files.
    pub gets: u64,
    /// PUTs of key files, of the job's document and of results.
    pub puts: u64,
    /// What every child is told.
    pub environment: Vec<(String, String)>,
    /// Children at once, as the queue's vCPU allow.
    pub at_once: u32,
    /// vCPU of the queue, where they are known.
    pub most_vcpu: Option<f64>,
    /// How long the child with most to do takes.
    pub slowest: TaskTime,
    /// From the first start to the last end: as assumed, and where tasks are slow.
    pub elapsed_s: (f64, f64),
    /// Until Fargate has started every child that runs at once.
    pub starts_s: f64,
    /// Disk of the child with most keys, about.
    pub disk_bytes: f64,
    /// What a child has.
    pub task_disk_gib: u32,
    /// GETs per second of the children at once.
    pub gets_per_s: f64,
    /// Folders in which keys are.
    pub folders: u64,
    /// Price, or why there is none: a total without a part of it would be too low.
    pub usd: Result<JobPrice, String>,
    /// Region of the bucket.
    pub region: String,
    /// Where the bytes go.
    pub egress: Egress,
    /// Date of the price list.
    pub prices_dated: String,
}

/// What a forecast is made of beside the job.
pub(super) struct ForecastInput<'a> {
    pub(super) tally: &'a KeyTally,
    pub(super) parts: &'a [ShardKeys],
    /// LIST requests of one listing.
    pub(super) pages: u64,
    /// Of the bucket.
    pub(super) region: &'a str,
    /// Of the tasks.
    pub(super) home: &'a str,
    pub(super) prices: &'a PriceList,
}

impl JobForecast {
    pub(super) fn of(job: &BatchJob, basis: &ForecastInput<'_>) -> Self {
        let ForecastInput {
            tally,
            parts,
            pages,
            region,
            prices,
            ..
        } = basis;
        let shards = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let once: Vec<TaskTime> = parts
            .iter()
            .map(|part| time_of(job, (tally, *part)))
            .collect();
        let times: Vec<TaskTime> = once.iter().map(|time| lived(job, *time)).collect();
        let rounds = rounds(job, (tally, parts), &once);
        let slowest = times
            .iter()
            .copied()
            .reduce(|a, b| if b.seconds > a.seconds { b } else { a });
        let slowest = slowest.unwrap_or(TaskTime {
            seconds: 0.0,
            slow_s: 0.0,
            bound: Bound::Connections,
        });
        let at_once = at_once(job, shards);
        let waves = shards.div_ceil(at_once);
        let by_manifest = job.division == Division::Manifest;
        let files = if by_manifest { u64::from(shards) } else { 0 };
        let lists = if by_manifest {
            *pages
        } else {
            pages * (1 + u64::from(shards))
        };
        let puts = files + 2 + RESULTS_OF_A_CHILD * u64::from(shards);
        let rates: f64 = once
            .iter()
            .zip(*parts)
            .map(|(time, part)| gets_of(tally, *part) / time.seconds.max(f64::MIN_POSITIVE))
            .sum();
        let least_and_most = |values: &mut dyn Iterator<Item = u64>| {
            values.fold((u64::MAX, 0), |(least, most), value| {
                (least.min(value), most.max(value))
            })
        };
        let bytes_of_parts: Option<Vec<u64>> = parts.iter().map(|part| part.bytes).collect();
        let keys_of_shards = least_and_most(&mut parts.iter().map(|part| part.keys));
        let line = tally.manifest_bytes as f64 / tally.keys.max(1) as f64;
        // The last of them is started late, or the last wave is.
        let elapsed_s = |seconds: f64| {
            let each = PAID_BESIDE_S + seconds;
            (f64::from(waves) * each).max(starts_s(shards) + each)
        };
        Self {
            title: title(job, (tally, shards)),
            shards,
            keys: tally.keys,
            bytes: tally.bytes(),
            keys_of_shards,
            disk_bytes: key_bytes(keys_of_shards.1 as f64, line),
            starts_s: starts_s(at_once),
            bytes_of_shards: bytes_of_parts.map(|bytes| least_and_most(&mut bytes.into_iter())),
            largest: tally.largest,
            manifest_bytes: by_manifest.then_some(tally.manifest_bytes),
            lists,
            gets: whole(tally.gets as f64 * rounds) + files,
            puts,
            environment: job.environment(shards),
            at_once,
            most_vcpu: job.queue.most_vcpu,
            slowest,
            elapsed_s: (elapsed_s(slowest.seconds), elapsed_s(slowest.slow_s)),
            task_disk_gib: job.queue.disk_gib,
            gets_per_s: rates * f64::from(at_once) / f64::from(shards.max(1)),
            folders: tally.folders,
            usd: usd(
                job,
                basis,
                &JobWork {
                    times: &times,
                    lists_and_puts: lists + puts,
                    rounds,
                },
            ),
            region: (*region).to_owned(),
            egress: job.run.egress,
            prices_dated: prices.dated().to_owned(),
        }
    }
}

/// `job first: 8 children of 0.5 vCPU and 1 GB, async × 16, lean, for 2,503 keys of s3://images/`
fn title(job: &BatchJob, (tally, shards): (&KeyTally, u32)) -> String {
    let from = super::document::source_words(&job.run.selection, job.run.source.bucket());
    let from = if job.embedded.is_some() {
        "the embedded server".to_owned()
    } else {
        from
    };
    let plural = if shards == 1 { "child" } else { "children" };
    let (run, memory) = (&job.run, f64::from(job.size.1) / 1024.0);
    let (shards, keys) = (
        crate::units::count(u64::from(shards)),
        crate::units::plural(tally.keys, "key"),
    );
    format!(
        "job {}: {shards} {plural} of {} vCPU and {memory} GB, {} × {}, {}, for {keys} of {from}",
        job.id,
        job.vcpu(),
        run.mode,
        run.concurrency,
        run.client
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the number of shards before"
)]
fn at_once(job: &BatchJob, shards: u32) -> u32 {
    let shards = shards.max(1);
    let fitting = job
        .queue
        .most_vcpu
        .map_or(f64::INFINITY, |most| (most / job.vcpu()).floor());
    fitting.clamp(1.0, f64::from(shards)) as u32
}

/// Until Fargate has started so many tasks.
fn starts_s(tasks: u32) -> f64 {
    f64::from(tasks.saturating_sub(STARTED_AT_ONCE)) / STARTED_PER_S
}

/// GETs of a shard: parts of objects by the mean of all.
fn gets_of(tally: &KeyTally, part: ShardKeys) -> f64 {
    part.keys as f64 * tally.gets as f64 / tally.keys.max(1) as f64
}

fn time_of(job: &BatchJob, (tally, part): (&KeyTally, ShardKeys)) -> TaskTime {
    let bytes = part.bytes.map_or_else(
        || part.keys as f64 * tally.known.1 as f64 / tally.known.0.max(1) as f64,
        |bytes| bytes as f64,
    );
    task_time(
        (gets_of(tally, part), bytes),
        job.vcpu(),
        f64::from(job.run.concurrency.get()),
    )
}

/// How long a child fetches: once through its keys, or as long as it was told.
fn lived(job: &BatchJob, once: TaskTime) -> TaskTime {
    let Some(duration) = job.run.duration else {
        return once;
    };
    TaskTime {
        seconds: duration.as_secs_f64(),
        slow_s: duration.as_secs_f64(),
        ..once
    }
}

/// How often the children go round their keys, by GETs: once, or as often as fits.
fn rounds(job: &BatchJob, (tally, parts): (&KeyTally, &[ShardKeys]), once: &[TaskTime]) -> f64 {
    let Some(duration) = job.run.duration else {
        return 1.0;
    };
    let fitting = |time: &TaskTime| duration.as_secs_f64() / time.seconds.max(f64::MIN_POSITIVE);
    let gets: f64 = once
        .iter()
        .zip(parts)
        .map(|(time, part)| gets_of(tally, *part) * fitting(time))
        .sum();
    gets / tally.gets.max(1) as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what a number of GETs can be before"
)]
fn whole(number: f64) -> u64 {
    number.round().clamp(0.0, 1e18) as u64
}

/// What the children do together.
struct JobWork<'a> {
    /// How long each lives.
    times: &'a [TaskTime],
    lists_and_puts: u64,
    /// How often they go round their keys.
    rounds: f64,
}

/// The price of tasks, requests and egress, or why there is none. PUT is sold at LIST's price.
fn usd(job: &BatchJob, basis: &ForecastInput<'_>, work: &JobWork<'_>) -> Result<JobPrice, String> {
    let ForecastInput {
        tally,
        parts,
        region,
        home,
        prices,
        ..
    } = *basis;
    let (arch, to) = (&job.queue.arch, job.run.egress);
    let no_task = || {
        NoPrice::Task {
            region: home.to_owned(),
            arch: arch.clone(),
        }
        .to_string()
    };
    let rates = prices.fargate(home, arch).ok_or_else(no_task)?;
    let size = TaskSize {
        vcpu: job.vcpu(),
        memory_mib: u64::from(job.size.1),
    };
    let JobWork {
        times,
        lists_and_puts,
        rounds,
    } = *work;
    let gib = f64::from(job.queue.disk_gib);
    let disk = match prices.storage_usd_per_gb_hour(home) {
        _ if gib <= FREE_STORAGE_GIB => 0.0,
        Some(usd) => usd,
        None => {
            return Err(NoPrice::Storage {
                region: home.to_owned(),
            }
            .to_string());
        }
    };
    let task = |fetching_s: f64| {
        let seconds = fetching_s + PAID_BESIDE_S;
        task_usd(rates, size, seconds) + storage_usd(disk, gib, seconds)
    };
    let no_class = |class: String| {
        NoPrice::Class {
            class,
            region: region.to_owned(),
        }
        .to_string()
    };
    let standard = prices.mix(region, []).map_err(no_class)?;
    let classes = tally
        .classes
        .iter()
        .map(|(name, (gets, bytes))| StoredClass {
            name,
            objects: *gets,
            bytes: *bytes,
        });
    let mix = prices.mix(region, classes).map_err(no_class)?;
    if tally.bytes().is_none() && (to != Egress::None || mix.usd_per_byte_retrieved > 0.0) {
        return Err(format!(
            "the sizes of {} are not known, and bytes are paid for",
            crate::units::plural(tally.keys - tally.known.0, "key")
        ));
    }
    let read = rounds
        * tally
            .classes
            .values()
            .map(|(_, bytes)| *bytes as f64)
            .sum::<f64>();
    let gets = rounds * tally.gets as f64;
    let files = if job.division == Division::Manifest {
        parts.len()
    } else {
        0
    };
    let requests =
        lists_and_puts as f64 * standard.usd_per_list + files as f64 * standard.usd_per_get;
    let no_egress = || {
        NoPrice::Egress {
            to,
            region: region.to_owned(),
        }
        .to_string()
    };
    let egress = prices.egress_usd(region, to, read).ok_or_else(no_egress)?;
    Ok(JobPrice {
        tasks: times.iter().map(|time| task(time.seconds)).sum(),
        slow_tasks: times.iter().map(|time| task(time.slow_s)).sum(),
        requests: requests + gets * mix.usd_per_get + read * mix.usd_per_byte_retrieved,
        egress: (to != Egress::None).then_some(egress),
        requests_of: mix.of_region.or(standard.of_region),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::submit::fixture::job;
    use crate::submit::limits::JobLimit;

    fn tally(keys: u64, bytes: u64) -> KeyTally {
        let classes = BTreeMap::from([("STANDARD".to_owned(), (keys, bytes))]);
        KeyTally {
            keys,
            known: (keys, bytes),
            largest: bytes / keys,
            gets: keys,
            classes,
            folders: 1,
            manifest_bytes: 60 * keys,
        }
    }

    fn forecast(job: &BatchJob, of: (&KeyTally, u64)) -> JobForecast {
        forecast_in("us-east-1", job, of)
    }

    fn forecast_in(region: &str, job: &BatchJob, (tally, shards): (&KeyTally, u64)) -> JobForecast {
        let part = ShardKeys {
            keys: tally.keys / shards,
            bytes: Some(tally.known.1 / shards),
        };
        let parts = vec![part; usize::try_from(shards).unwrap()];
        JobForecast::of(
            job,
            &ForecastInput {
                tally,
                parts: &parts,
                pages: tally.keys.div_ceil(1_000),
                region,
                home: "us-east-1",
                prices: &PriceList::built_in(),
            },
        )
    }

    #[test]
    fn a_task_waits_for_the_slowest_of_three() {
        // 1,000 × 20 ms and 9 GB at 90 MB/s, over 10 workers: 2 s + 10 s.
        assert_eq!(
            task_time((1_000.0, 9e9), 2.0, 10.0),
            TaskTime {
                seconds: 14.4,
                slow_s: 28.8,
                bound: Bound::Network
            }
        );
        assert_eq!(
            task_time((1_000.0, 9e9), 2.0, 4.0),
            TaskTime {
                seconds: 30.0,
                slow_s: 39.0,
                bound: Bound::Connections
            }
        );
        // 10⁹ bytes × 0.221e-9 + 10⁶ × 16.1e-6 = 16.321 s, on a quarter of a vCPU.
        let cpu = task_time((1e6, 1e9), 0.25, 1_000.0);
        assert!(
            cpu.bound == Bound::Cpu && (cpu.seconds - 65.284).abs() < 1e-9,
            "{cpu:?}"
        );
    }

    #[test]
    fn a_forecast_counts_every_request_and_a_minute_at_least() {
        let job = job();
        // 8 shards of 1,000 keys of 900 kB: 1,000 × 20 ms + 0.9 GB ÷ 90 MB/s = 30 s of one worker, 1.875 s of 16.
        let forecast = forecast(&job, (&tally(8_000, 7_200_000_000), 8));
        assert_eq!(
            (forecast.lists, forecast.gets, forecast.puts),
            (8, 8_008, 8 + 2 + 24)
        );
        assert_eq!(
            (forecast.keys_of_shards, forecast.bytes_of_shards),
            ((1_000, 1_000), Some((900_000_000, 900_000_000)))
        );
        assert!(
            (forecast.slowest.seconds - 1.875).abs() < 1e-9,
            "{:?}",
            forecast.slowest
        );
        assert_eq!(forecast.at_once, 8);
        // 0.9 GB at half of 625 MB/s: 2.88 s.
        let (least, most) = forecast.elapsed_s;
        assert!(
            (least - 31.875).abs() < 1e-9 && (most - 32.88).abs() < 1e-9,
            "{most}"
        );
        assert!(
            forecast
                .in_words()
                .contains("32 s to 33 s in all: 2 s to 3 s of fetching"),
            "{}",
            forecast.in_words()
        );
        assert!(
            (forecast.gets_per_s - 8_000.0 / 1.875).abs() < 1e-6,
            "{}",
            forecast.gets_per_s
        );
        // Half a vCPU and 1 GB for a minute each: 8 ÷ 60 × (0.5 × 0.04048 + 0.004445); 42 LIST and PUT, 8,008 GET.
        let usd = forecast.usd.as_ref().unwrap();
        assert!(
            (usd.tasks - 8.0 / 60.0 * 0.024_685).abs() < 1e-12,
            "{usd:?}"
        );
        assert!(
            (usd.requests - (42.0 * 0.005 + 8_008.0 * 0.0004) / 1e3).abs() < 1e-12,
            "{usd:?}"
        );
        assert_eq!(
            forecast.limits(),
            [JobLimit::Minute, JobLimit::Task(Bound::Connections)]
        );
    }

    #[test]
    fn a_small_queue_runs_the_children_in_waves() {
        let mut job = job();
        job.queue.most_vcpu = Some(1.7);
        let forecast = forecast(&job, (&tally(8_000, 7_200_000_000), 8));
        assert_eq!(
            (forecast.at_once, forecast.limits()[0]),
            (3, JobLimit::Quota)
        );
        assert!((forecast.elapsed_s.0 - 3.0 * 31.875).abs() < 1e-9);
    }

    #[test]
    fn what_fargate_limits_is_said_beforehand() {
        let mut job = job();
        let (small, large) = (
            tally(10_000_000, 25_000_000_000),
            tally(100_000_000, 250_000_000_000_000),
        );
        let many = forecast(&job, (&small, 10_000));
        // 9,900 tasks at 20 a second.
        assert!((many.starts_s - 495.0).abs() < 1e-9 && many.elapsed_s.0 > 525.0);
        assert_eq!(
            many.limits(),
            [
                JobLimit::Interfaces,
                JobLimit::Starts,
                JobLimit::Prefixes,
                JobLimit::Minute,
                JobLimit::Task(Bound::Connections)
            ]
        );
        assert!(forecast(&job, (&small, 100)).starts_s.abs() < f64::EPSILON);
        let one = forecast(&job, (&large, 1));
        // 319.3 bytes and a line of 60 for each of 10⁸ keys.
        assert!(
            (one.disk_bytes - 3.793e10).abs() < 1e7,
            "{}",
            one.disk_bytes
        );
        assert_eq!(one.limits()[..2], [JobLimit::TimeOut, JobLimit::Disk]);
        job.queue.disk_gib = 50;
        let with_disk = forecast(&job, (&large, 1));
        assert!(!with_disk.limits().contains(&JobLimit::Disk));
        // 30 GiB beyond what is free, for as long as the task lives.
        let hours = (one.slowest.seconds + PAID_BESIDE_S).ceil() / 3_600.0;
        let more = with_disk.usd.unwrap().tasks - one.usd.as_ref().unwrap().tasks;
        assert!((more - 30.0 * 0.000_111 * hours).abs() < 1e-9, "{more}");
        job.queue.disk_gib = 20;
        job.queue.most_vcpu = Some(6.0);
        let waves = forecast(&job, (&small, 10_000));
        assert_eq!((waves.at_once, waves.starts_s), (12, 0.0));
    }

    #[test]
    fn with_a_duration_gets_are_as_many_as_fit() {
        let mut job = job();
        job.run.duration = Some(std::time::Duration::from_mins(5));
        // Once takes 1.875 s: 160 rounds of 8,000 keys, at the same rate.
        let forecast = forecast(&job, (&tally(8_000, 7_200_000_000), 8));
        assert_eq!((forecast.gets, forecast.lists), (1_280_008, 8));
        assert!(
            (forecast.gets_per_s - 8_000.0 / 1.875).abs() < 1e-6
                && (forecast.elapsed_s.0 - 330.0).abs() < 1e-9
                && (forecast.elapsed_s.1 - 330.0).abs() < 1e-9,
            "{forecast:?}"
        );
        let usd = forecast.usd.as_ref().unwrap();
        assert!(
            (usd.tasks - 8.0 * 330.0 / 3_600.0 * 0.024_685).abs() < 1e-12,
            "{usd:?}"
        );
        assert!(
            (usd.requests - (42.0 * 0.005 + 1_280_008.0 * 0.0004) / 1e3).abs() < 1e-9,
            "{usd:?}"
        );
    }

    #[test]
    fn children_that_list_pay_for_it() {
        let mut job = job();
        job.division = Division::Hash;
        let forecast = forecast(&job, (&tally(8_000, 7_200_000_000), 8));
        assert_eq!(
            (
                forecast.lists,
                forecast.gets,
                forecast.puts,
                forecast.manifest_bytes
            ),
            (8 * 9, 8_000, 26, None)
        );
    }

    #[test]
    fn requests_of_a_region_without_prices_are_priced_as_in_another_and_it_is_said() {
        let tally = tally(8_000, 7_200_000_000);
        let (here, there) = (
            forecast(&job(), (&tally, 8)),
            forecast_in("sa-east-1", &job(), (&tally, 8)),
        );
        assert_eq!(
            there.usd.as_ref().unwrap().requests_of.as_deref(),
            Some("us-east-1")
        );
        assert_eq!(
            there.usd.as_ref().unwrap().total().0.to_bits(),
            here.usd.as_ref().unwrap().total().0.to_bits()
        );
        assert!(
            there
                .in_words()
                .contains(" (sa-east-1, requests priced as in us-east-1, prices of "),
            "{}",
            there.in_words()
        );
        assert!(
            !here.in_words().contains("priced as in"),
            "{}",
            here.in_words()
        );
    }

    #[test]
    fn egress_is_in_the_price_where_it_is_asked_for() {
        let mut job = job();
        let tally = tally(8, 100 << 30);
        let without = forecast(&job, (&tally, 8)).usd.unwrap();
        job.run.egress = Egress::Internet;
        let with = forecast(&job, (&tally, 8));
        let usd = with.usd.clone().unwrap();
        // 100 GB of 2^30 bytes.
        assert!(
            (usd.egress.unwrap() - 9.0).abs() < 1e-9
                && (usd.total().0 - without.total().0 - 9.0).abs() < 1e-9,
            "{usd:?}"
        );
        assert!(
            with.in_words().contains(", egress to the internet $9.00 ("),
            "{}",
            with.in_words()
        );
        let unknown = KeyTally {
            known: (7, 7),
            ..tally.clone()
        };
        assert_eq!(
            forecast(&job, (&unknown, 8)).usd,
            Err("the sizes of 1 key are not known, and bytes are paid for".to_owned())
        );
        job.run.egress = Egress::Region;
        let nowhere = forecast_in("sa-east-1", &job, (&tally, 8));
        assert_eq!(
            nowhere.usd,
            Err(
                "the price list has no price of egress to another region from sa-east-1".to_owned()
            )
        );
    }

    #[test]
    fn retrieval_is_sold_by_gb_of_powers_of_two() {
        let classes = BTreeMap::from([("STANDARD_IA".to_owned(), (1_000, 100 << 30))]);
        let usd = forecast(
            &job(),
            (
                &KeyTally {
                    classes,
                    ..tally(1_000, 100 << 30)
                },
                8,
            ),
        )
        .usd
        .unwrap();
        // 34 LIST and PUT and 8 key files; 1,000 GETs and 100 GB of that class.
        let lists = 1 + 8 + 2 + 24;
        let expected = f64::from(lists) * 0.005 / 1e3 + 8.0 * 0.0004 / 1e3 + 0.001 + 100.0 * 0.01;
        assert!(
            (usd.requests - expected).abs() < 1e-12,
            "{usd:?} instead of {expected}"
        );
    }

    #[test]
    fn what_has_no_price_has_no_total() {
        let mut tally = tally(8, 8);
        tally.classes.insert("X".to_owned(), (1, 1));
        let none = forecast(&job(), (&tally, 8));
        assert_eq!(
            none.usd,
            Err("the price list has no price of requests for X in us-east-1".to_owned())
        );
        assert!(
            none.in_words().contains(
                "not known: the price list has no price of requests for X in us-east-1\n"
            ),
            "{}",
            none.in_words()
        );
        let limits = forecast(
            &job(),
            (
                &KeyTally {
                    largest: 7,
                    ..tally
                },
                8,
            ),
        )
        .limits();
        assert_eq!(
            limits,
            [
                JobLimit::LargestObject,
                JobLimit::Minute,
                JobLimit::Task(Bound::Connections)
            ]
        );
    }
}
