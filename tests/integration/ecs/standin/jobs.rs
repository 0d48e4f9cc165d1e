//! Batch: array jobs, their children, retries, and the end of them.

use std::time::{Duration, Instant};

use aws_sdk_batch::error::ProvideErrorMetadata as _;
use aws_sdk_batch::operation::submit_job::builders::SubmitJobFluentBuilder;
use aws_sdk_batch::types::{
    ArrayProperties, ContainerOverrides, JobDetail, JobStatus, KeyValuePair, KeyValuesPair,
    ResourceRequirement, ResourceType,
};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{Account, over, source};
use crate::support::aws::{Fault, On, Setup};
use crate::support::scripted::DEADLINE;

/// Something that is wrong with a submission.
type Change = fn(SubmitJobFluentBuilder) -> SubmitJobFluentBuilder;

fn sized(vcpu: &str, memory: &str, variables: &[(&str, &str)]) -> ContainerOverrides {
    let requirement = |kind, value: &str| {
        ResourceRequirement::builder()
            .r#type(kind)
            .value(value)
            .build()
    };
    let pairs = variables
        .iter()
        .map(|(name, value)| KeyValuePair::builder().name(*name).value(*value).build())
        .collect();
    ContainerOverrides::builder()
        .resource_requirements(requirement(ResourceType::Vcpu, vcpu))
        .resource_requirements(requirement(ResourceType::Memory, memory))
        .set_environment(Some(pairs))
        .build()
}

impl Account {
    fn job(&self) -> SubmitJobFluentBuilder {
        let job = self
            .batch
            .submit_job()
            .job_name("parfetch-j")
            .job_queue("parfetch")
            .job_definition(self.aws.setup().job_definition_arn());
        job.container_overrides(sized("1", "2048", &[("CONCURRENCY", "2")]))
    }

    fn array(&self, size: i32) -> SubmitJobFluentBuilder {
        let count = size.to_string();
        let overrides = sized(
            "1",
            "2048",
            &[("CONCURRENCY", "1"), ("PARFETCH_SHARD_COUNT", &count)],
        );
        self.job()
            .container_overrides(overrides)
            .array_properties(ArrayProperties::builder().size(size).build())
    }

    fn submit(&self, job: SubmitJobFluentBuilder) -> String {
        self.wait(job.send()).unwrap().job_id().unwrap().to_owned()
    }

    fn describe(&self, id: &str) -> JobDetail {
        self.wait(self.batch.describe_jobs().jobs(id).send())
            .unwrap()
            .jobs()[0]
            .clone()
    }

    /// Looks at it until it is so.
    fn describe_until(&self, id: &str, wanted: impl Fn(&JobDetail) -> bool) -> JobDetail {
        let end = Instant::now() + DEADLINE;
        loop {
            let job = self.describe(id);
            if wanted(&job) {
                return job;
            }
            assert!(Instant::now() < end, "{job:?}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn over(&self, id: &str) -> JobDetail {
        self.describe_until(id, |job| {
            [JobStatus::Succeeded, JobStatus::Failed].contains(job.status().unwrap())
        })
    }
}

#[test]
fn children_know_their_place_and_no_more_run_than_the_queue_has_vcpu() {
    let source = source();
    let account = Account::new(Setup {
        max_vcpus: 2,
        ..over(&source)
    });
    let id = account.submit(account.array(3));
    let job = account.describe_until(&id, |job| {
        assert!(account.aws.jobs_running().len() <= 2);
        [JobStatus::Succeeded, JobStatus::Failed].contains(job.status().unwrap())
    });
    let summary = job.array_properties().unwrap().status_summary().unwrap();
    assert_eq!(
        (job.status(), summary["SUCCEEDED"], summary["FAILED"]),
        (Some(&JobStatus::Succeeded), 3, 0),
        "{job:?}"
    );
    let child = account.describe(&format!("{id}:2"));
    assert_eq!(
        (
            child.array_properties().unwrap().index(),
            child.container().unwrap().exit_code()
        ),
        (Some(2), Some(0))
    );
    assert_eq!(account.aws.containers().len(), 3);
    assert!(
        account
            .aws
            .containers()
            .values()
            .all(|facts| facts.credentials > 0)
    );
    let stored = source.s3().list(&source.results, "parfetch/");
    let fetched: Vec<_> = (0..3)
        .map(|index| {
            let ending = format!(".shard-{index}-of-3.json");
            let (key, _) = stored
                .iter()
                .find(|(key, _)| key.ends_with(&ending))
                .unwrap_or_else(|| panic!("no {ending} in {stored:?}"));
            let summary: serde_json::Value =
                serde_json::from_slice(&source.s3().get(&source.results, key)).unwrap();
            summary["totals"]["rows"]["ok"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(fetched.iter().sum::<u64>(), 20, "{fetched:?}");
    account.aws.finish();
}

#[test]
fn what_spot_takes_is_tried_again_and_what_fails_is_not() {
    let source = source();
    let setup = over(&source)
        .fault_times(On::Child(0), Fault::Spot("SpotInterruption"), 1)
        .fault_times(On::Child(1), Fault::OutOfMemory, 1)
        .fault(On::Child(2), Fault::CannotPull);
    let account = Account::new(setup);
    let id = account.submit(account.array(3));
    let job = account.over(&id);
    assert_eq!(job.status(), Some(&JobStatus::Failed));
    let ends = |index: u32| {
        account
            .describe(&format!("{id}:{index}"))
            .attempts()
            .iter()
            .map(|one| one.container().unwrap().exit_code())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (ends(0), ends(1), ends(2)),
        (
            vec![Some(143), Some(0)],
            vec![Some(137)],
            // A missing image is missing the next time too.
            vec![None]
        )
    );
    let failed = account
        .wait(
            account
                .batch
                .list_jobs()
                .array_job_id(&id)
                .job_status(JobStatus::Failed)
                .send(),
        )
        .unwrap();
    let failed: Vec<_> = failed
        .job_summary_list()
        .iter()
        .map(|job| job.array_properties().unwrap().index().unwrap())
        .collect();
    assert_eq!(failed, [1, 2]);
    account.aws.finish();
}

/// One that takes no notice of SIGTERM is killed when its time is over, and not before.
#[test]
fn a_child_that_does_not_end_is_killed_after_the_time_that_batch_gives() {
    let time = Setup::default().stop_timeout_of_batch;
    assert_eq!(time, Duration::from_secs(30));
    for (time, is_killed) in [(Duration::from_hours(1), false), (Duration::ZERO, true)] {
        let source = crate::support::source::Store::serving("objects=2000,size=1KiB,ttfb=1s");
        let account = Account::new(Setup {
            stop_timeout_of_batch: time,
            ..over(&source)
        });
        let id = account.submit(account.job());
        // Before that, SIGTERM would end it at once.
        let listens = || {
            let containers = account.aws.containers();
            containers.values().any(|facts| facts.credentials > 0)
        };
        account.describe_until(&id, |_| listens());
        let pid = i32::try_from(account.aws.jobs_running()[0]).unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        // Until its last thread stands still, a thread may take SIGTERM, the lower number, first.
        waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap();
        let ended = account
            .batch
            .terminate_job()
            .job_id(&id)
            .reason("enough")
            .send();
        account.wait(ended).unwrap();
        account.aws.time_passes();
        let is_over = account.describe(&id).status() == Some(&JobStatus::Failed);
        assert_eq!(is_over, is_killed, "after {time:?}");
        if !is_over {
            // SIGTERM waits until it goes on.
            let status =
                std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_pid())).unwrap();
            let waiting = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
            let waiting = u64::from_str_radix(waiting.unwrap().trim(), 16).unwrap();
            assert!(waiting & (1 << (15 - 1)) != 0, "{waiting:x}");
            kill_process(pid, Signal::CONT).unwrap();
        }
        let code = if is_killed { 137 } else { 143 };
        let job = account.over(&id);
        assert_eq!(job.container().unwrap().exit_code(), Some(code));
        account.aws.finish();
    }
}

#[test]
fn children_are_started_as_fast_as_fargate_starts_tasks() {
    let source = source();
    let account = Account::new(Setup {
        launches: (1, 10),
        ..over(&source)
    });
    let id = account.submit(account.array(4));
    account.over(&id);
    let started = |index: i32| {
        account
            .describe(&format!("{id}:{index}"))
            .started_at()
            .unwrap()
    };
    let all: Vec<i64> = (0..4).map(started).collect();
    let (first, last) = (all.iter().min().unwrap(), all.iter().max().unwrap());
    // One at once, the other three a tenth of a second apart.
    assert!(last - first >= 290, "{all:?}");
    account.aws.finish();
}

#[test]
fn a_job_without_an_array_is_found_by_name_and_can_be_ended() {
    let source = crate::support::source::Store::serving("objects=2000,size=1KiB,ttfb=1s");
    let account = Account::new(over(&source));
    let id = account.submit(account.job());
    let by_name = KeyValuesPair::builder()
        .name("JOB_NAME")
        .values("parfetch-*")
        .build();
    let list = || {
        account
            .wait(
                account
                    .batch
                    .list_jobs()
                    .job_queue("parfetch")
                    .filters(by_name.clone())
                    .send(),
            )
            .unwrap()
    };
    assert_eq!(list().job_summary_list().len(), 0, "not there yet");
    assert_eq!(list().job_summary_list()[0].job_id(), Some(id.as_str()));
    account.describe_until(&id, |job| job.status() == Some(&JobStatus::Running));
    account
        .wait(
            account
                .batch
                .cancel_job()
                .job_id(&id)
                .reason("too late")
                .send(),
        )
        .unwrap();
    assert_eq!(
        account.describe(&id).status(),
        Some(&JobStatus::Running),
        "what runs is not cancelled"
    );
    account
        .wait(
            account
                .batch
                .terminate_job()
                .job_id(&id)
                .reason("enough")
                .send(),
        )
        .unwrap();
    let job = account.over(&id);
    assert_eq!(
        (job.status(), job.status_reason()),
        (Some(&JobStatus::Failed), Some("enough"))
    );
    assert_eq!(
        (job.attempts().len(), job.container().unwrap().exit_code()),
        (1, Some(143))
    );
    account.aws.finish();
}

#[test]
fn submissions_that_break_a_rule_are_refused_and_remembered() {
    let source = source();
    let account = Account::new(over(&source));
    let array = |size| ArrayProperties::builder().size(size).build();
    let cases: [(Change, &str); 7] = [
        (
            |job| job.container_overrides(sized("1", "512", &[])),
            "not a supported combination",
        ),
        (
            |job| job.container_overrides(sized("3", "8192", &[])),
            "not a supported combination",
        ),
        (
            |job| job.container_overrides(sized("1", "2048", &[("AWS_BATCH_X", "1")])),
            "AWS_BATCH",
        ),
        (
            |job| job.container_overrides(sized("1", "2048", &[("A", &"x".repeat(40_000))])),
            "30 KiB",
        ),
        (
            |job| job.container_overrides(sized("1", "2048", &[("A", &"x".repeat(8_192))])),
            "at most 8192",
        ),
        (|job| job.job_name("a/b"), "valid pattern"),
        (
            |job| {
                job.timeout(
                    aws_sdk_batch::types::JobTimeout::builder()
                        .attempt_duration_seconds(59)
                        .build(),
                )
            },
            "at least 60",
        ),
    ];
    let sizes = [1, 10_001]
        .map(|size| account.job().array_properties(array(size)))
        .map(|job| (job, "between 2 and 10000"));
    for (job, text) in cases
        .into_iter()
        .map(|(change, text)| (change(account.job()), text))
        .chain(sizes)
    {
        let error = account.wait(job.send()).unwrap_err().into_service_error();
        assert!(
            error.code() == Some("ClientException") && error.message().unwrap().contains(text),
            "{text}: {error:?}"
        );
        assert_eq!(account.aws.take_violations().len(), 1);
    }
    let error = account
        .wait(account.job().job_queue("other").send())
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.message(), Some("JobQueue other not found."));
    account.aws.finish();
}
