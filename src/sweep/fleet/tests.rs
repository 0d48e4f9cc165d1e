use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::collect::TaskResults;
use super::ledger::{Ledger, LedgerEntry};
use super::plan::{FleetPlan, OnInterrupt};
use super::repetition::CsvOfTask;
use super::state::SweepTasks;
use super::{AccountLimits, Budget, Fleet, TaskPrice, VcpuQuota};
use crate::cell::{Cell, Program};
use crate::cloud::{
    Capacity, CloudError, CloudErrorKind, Launch, Refusal, Started, TaskNetwork, TaskSeen,
    TaskTimes, Tasks, TasksSeen, overrides_length,
};
use crate::estimate::CostConsent;
use crate::event::SweepEvent;
use crate::exit::{Exit, Failure, Signal};
use crate::plan::variables::example;
use crate::plan::{ClientKind, Destination, Mode, ObjectSource, RunPlan, Selection};
use crate::price::TaskRates;
use crate::results::record::Record;
use crate::results::summary::{Outcomes, State, Summary, Totals};
use crate::store::StoreError;
use crate::sweep::attempt::{Attempt, Awaited, Todo};
use crate::sweep::environment::{ResultsLocation, RunTemplate};
use crate::sweep::fixture;
use crate::sweep::folder::LEDGER_FILE;
use crate::sweep::keys::ExpectedKeys;
use crate::sweep::launcher::{Abandon, EarlierSweep, Launcher};
use crate::sweep::matrix::Planned;

/// What the next `RunTask` answers instead of starting a task.
#[derive(Clone)]
enum StartAnswer {
    Refused(&'static str),
    Error(CloudErrorKind, &'static str),
    /// The task is started, and the answer is lost.
    Lost,
}

/// ECS as these tests need it: every look takes a task one state further.
#[derive(Default)]
struct Account {
    answers: Vec<StartAnswer>,
    /// By token.
    tasks: HashMap<String, String>,
    /// By ARN: how often it was looked at.
    looks: HashMap<String, usize>,
    tags: HashMap<String, Vec<(String, String)>>,
    /// States that a task goes through; it stays in the last.
    states: Vec<&'static str>,
    /// How the first task ends; the others end well.
    first_end: Option<TaskSeen>,
    /// The first task is not known to ECS.
    first_vanishes: bool,
    stopped: Vec<String>,
    /// So many calls that stop a task fail.
    stops_that_fail: u32,
    tokens: Vec<String>,
}

impl Account {
    fn seen(&mut self, arn: &str) -> Option<TaskSeen> {
        if self.first_vanishes && arn == "arn:0" {
            return None;
        }
        let look = self.looks.get_mut(arn)?;
        *look += 1;
        let status = if self.stopped.iter().any(|stopped| stopped == arn) {
            "STOPPED"
        } else {
            self.states[(*look - 1).min(self.states.len() - 1)]
        };
        let end = self
            .first_end
            .clone()
            .filter(|_| arn == "arn:0")
            .unwrap_or(TaskSeen {
                exit_code: Some(0),
                ..TaskSeen::default()
            });
        // A minute and a half of billed time.
        let times = TaskTimes {
            created: Some(1),
            pull_started: Some(1_000),
            stopped: Some(91_000),
            ..TaskTimes::default()
        };
        Some(TaskSeen {
            arn: arn.to_owned(),
            status: status.to_owned(),
            times,
            tags: self.tags[arn].clone(),
            ..end
        })
    }

    fn start(&mut self, launch: &Launch) -> String {
        let number = self.tasks.len();
        let arn = self
            .tasks
            .entry(launch.token.clone())
            .or_insert_with(|| format!("arn:{number}"))
            .clone();
        self.looks.entry(arn.clone()).or_default();
        self.tags.insert(arn.clone(), launch.tags.clone());
        arn
    }
}

#[derive(Clone, Default)]
struct FakeService(Rc<RefCell<Account>>);

fn error(kind: CloudErrorKind, message: &str) -> CloudError {
    CloudError {
        kind,
        code: String::new(),
        message: message.to_owned(),
        hint: String::new(),
        resources: Vec::new(),
    }
}

#[async_trait(?Send)]
impl Tasks for FakeService {
    async fn run(&self, launch: &Launch) -> Result<Started, CloudError> {
        let mut account = self.0.borrow_mut();
        account.tokens.push(launch.token.clone());
        if !account.answers.is_empty() {
            match account.answers.remove(0) {
                StartAnswer::Refused(reason) => {
                    return Ok(Started::Refused(Refusal {
                        reason: reason.to_owned(),
                        detail: String::new(),
                    }));
                }
                StartAnswer::Error(kind, message) => return Err(error(kind, message)),
                StartAnswer::Lost => {
                    account.start(launch);
                    return Err(error(CloudErrorKind::Unclear, "no answer"));
                }
            }
        }
        let arn = account.start(launch);
        Ok(Started::Task(Box::new(TaskSeen {
            arn,
            status: "PROVISIONING".to_owned(),
            ..TaskSeen::default()
        })))
    }

    async fn describe(&self, _: &str, arns: &[String]) -> Result<TasksSeen, CloudError> {
        let mut account = self.0.borrow_mut();
        let tasks: Vec<TaskSeen> = arns.iter().filter_map(|arn| account.seen(arn)).collect();
        let missing = arns
            .iter()
            .filter(|arn| tasks.iter().all(|task| task.arn != **arn))
            .cloned()
            .collect();
        Ok(TasksSeen { tasks, missing })
    }

    async fn stop(&self, _: &str, arn: &str, _: &str) -> Result<(), CloudError> {
        let mut account = self.0.borrow_mut();
        if account.stops_that_fail > 0 {
            account.stops_that_fail -= 1;
            return Err(error(CloudErrorKind::Unclear, "no answer"));
        }
        account.stopped.push(arn.to_owned());
        Ok(())
    }

    async fn list(&self, _: &str, _: &str) -> Result<Vec<String>, CloudError> {
        Ok(self.0.borrow().looks.keys().cloned().collect())
    }
}

/// A results bucket in which every task has left a complete summary, or none has.
struct FakeResults(bool);

#[async_trait(?Send)]
impl TaskResults for FakeResults {
    async fn fetch(&mut self, _: &str, names: &[String], dir: &Path) -> Result<(), StoreError> {
        for name in names.iter().filter(|_| self.0) {
            std::fs::write(dir.join(name), summary()).unwrap();
        }
        Ok(())
    }

    async fn fetch_csv(
        &mut self,
        csv: &CsvOfTask,
        path: &Path,
    ) -> Result<Option<String>, StoreError> {
        if self.0 {
            let rows = "a,1,1\r\nb,1,1\r\nc,1,1\r\nd,1,1\r\ne,1,1\r\n";
            let text = format!("Key (time = 2.5) sec,Size,CalcSize\r\n{rows}");
            std::fs::write(path, text).unwrap();
            return Ok(None);
        }
        Ok(Some(format!("no {}", csv.key)))
    }
}

fn summary() -> String {
    let mut summary: Summary = crate::results::summary::fixture::complete();
    summary.state = State::Complete;
    summary.environment.ecs = None;
    // The five keys of the sweep.
    summary.totals = Some(Totals {
        keys_listed: 5,
        asked_objects: Some(5),
        rows: Outcomes {
            ok: 5,
            ..Outcomes::default()
        },
        ..Totals::default()
    });
    summary.to_json().unwrap()
}

fn plan() -> FleetPlan {
    FleetPlan {
        cluster: "c".to_owned(),
        definition: "arn:aws:ecs:us-east-1:1:task-definition/parfetch:7".to_owned(),
        container: "parfetch".to_owned(),
        network: TaskNetwork::default(),
        capacity: Capacity::OnDemand,
        max_tasks: 2,
        start_limit: Duration::from_mins(15),
        run_limit: Duration::from_hours(1),
        stop_limit: Duration::from_mins(4),
        poll: Duration::from_secs(5),
        least: Duration::ZERO,
        on_interrupt: OnInterrupt::Stop,
        consent: CostConsent::Given,
        log_group: None,
        storage_gib: None,
        contenders: std::collections::BTreeMap::new(),
    }
}

fn template() -> RunTemplate {
    RunTemplate {
        contenders: Vec::new(),
        requests: None,
        prefix: String::new(),
        max_bytes: None,
        time_limit: Duration::from_hours(1),
        id: "s".to_owned(),
        inherited: Vec::new(),
        plan: RunPlan {
            source: ObjectSource::Bucket("source".to_owned()),
            selection: Selection {
                limit: Some(5),
                ..example().selection
            },
            destination: Destination::default(),
            ..example()
        },
        results_bucket: None,
        embedded: None,
        expected: ExpectedKeys {
            objects: 5,
            bytes: None,
            keys: None,
        },
    }
}

fn attempt(dir: &Path, (cpu_units, repetition, attempt): (u32, u32, u32)) -> Attempt {
    let cell = Cell {
        program: Program::Client(ClientKind::Lean),
        cpu_units,
        memory_mib: 2_048,
        mode: Mode::Async,
        concurrency: 1,
        shards: 1,
        factors: crate::plan::Factors::default(),
    };
    let dir = dir.join(format!("{cpu_units}-{repetition}-{attempt}"));
    std::fs::create_dir_all(&dir).unwrap();
    Attempt {
        todo: Todo {
            planned: Planned {
                cell,
                repetition,
                position: 0,
                amount: None,
            },
            attempt,
            number: Some(1),
            broken: attempt - 1,
        },
        dir,
        started_at: "2026-11-21T10:00:00Z".to_owned(),
    }
}

struct Harness {
    fake: FakeService,
    fleet: Fleet,
    dir: tempfile::TempDir,
    stop: watch::Receiver<Option<Signal>>,
    _tell: watch::Sender<Option<Signal>>,
    said: Vec<SweepEvent>,
}

impl Harness {
    fn new(results: FakeResults, set_up: impl FnOnce(&mut Account)) -> Self {
        Self::of(plan(), results, set_up)
    }

    fn of(plan: FleetPlan, results: FakeResults, set_up: impl FnOnce(&mut Account)) -> Self {
        let fake = FakeService::default();
        fake.0.borrow_mut().states = vec!["PENDING", "RUNNING", "STOPPED"];
        set_up(&mut fake.0.borrow_mut());
        let price = TaskPrice {
            rates: TaskRates {
                usd_per_vcpu_hour: 0.04,
                usd_per_gb_hour: 0.005,
            },
            address_usd_per_hour: 0.0,
            storage_usd_per_gb_hour: Some(0.01),
        };
        let most = if let CostConsent::UpTo(usd) = plan.consent {
            Some(usd)
        } else {
            None
        };
        let mut fleet = Fleet::new(
            Box::new(fake.clone()),
            plan,
            AccountLimits {
                quota: VcpuQuota {
                    vcpu: 6.0,
                    is_known: true,
                },
                budget: Budget::new(Some(price), most),
            },
        );
        let stored = ResultsLocation {
            bucket: "results".to_owned(),
            prefix: "parfetch/sweeps/s/".to_owned(),
            keys_sha256: "k".repeat(64),
        };
        fleet.own = Some(SweepTasks::new(
            &fixture::facts(),
            stored,
            Box::new(results),
        ));
        let (tell, stop) = watch::channel(None);
        Self {
            fake,
            fleet,
            dir: tempfile::tempdir().unwrap(),
            stop,
            _tell: tell,
            said: Vec::new(),
        }
    }

    fn take(&mut self, which: (u32, u32, u32)) {
        let attempt = attempt(self.dir.path(), which);
        self.fleet.take(attempt, &template()).unwrap();
    }

    async fn next(&mut self) -> Result<Awaited, Failure> {
        let said = &mut self.said;
        self.fleet
            .until_one_has_ended(&fixture::facts(), &mut self.stop, &mut |event| {
                said.push(event.clone());
            })
            .await
    }

    async fn record(&mut self) -> (Record, bool) {
        match self.next().await.unwrap() {
            Awaited::Finished(finished) => {
                let again = finished
                    .record
                    .failure
                    .as_ref()
                    .is_some_and(|failure| failure.again);
                (finished.record, again)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Tokens of the `RunTask` calls.
    fn tokens(&self) -> Vec<String> {
        self.fake.0.borrow().tokens.clone()
    }

    fn started(&self) -> usize {
        self.fake.0.borrow().tasks.len()
    }
}

fn reason(record: &Record) -> &str {
    record.failure.as_ref().unwrap().reason.as_str()
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_and_its_summary_comes_from_the_bucket() {
    let mut harness = Harness::new(FakeResults(true), |_| {});
    harness.take((1_024, 1, 1));
    let (record, again) = harness.record().await;
    assert_eq!((record.failure, again), (None, false));
    assert_eq!(record.summaries, ["result_s-00000-a1_async_1.json"]);
    let task = &record.tasks[0];
    assert_eq!(
        (task.arn.as_deref(), task.billed_ns, task.exit_code),
        (Some("arn:0"), Some(90_000_000_000), Some(0))
    );
    assert_eq!(
        (
            record.limited.cpu,
            record.limited.machine_cpus,
            record.outside
        ),
        (crate::results::record::Means::Fargate, None, None)
    );
    // 0.05 an hour for a minute and a half.
    assert!((harness.fleet.spent().unwrap().usd.unwrap() - 0.00125).abs() < 1e-12);
    assert!(harness.fleet.is_idle());
}

#[tokio::test(start_paused = true)]
async fn what_an_unanswered_start_left_in_the_bucket_is_taken_before_it_is_started_again() {
    for (left, starts) in [(true, 0), (false, 1)] {
        let mut harness = Harness::new(FakeResults(true), |_| {});
        let dir = attempt(harness.dir.path(), (1_024, 1, 1)).dir;
        Ledger::new(
            "2026-11-21T10:00:00Z".to_owned(),
            vec![LedgerEntry {
                shard: 0,
                tries: 0,
                arn: None,
            }],
        )
        .write(&dir)
        .unwrap();
        if !left {
            harness.fleet.own.as_mut().unwrap().results = Box::new(FakeResults(false));
        }
        harness.take((1_024, 1, 1));
        let (record, _) = harness.record().await;
        assert_eq!(
            (harness.started(), record.failure.is_none()),
            (starts, left)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_certainly_started_nothing_is_tried_again_under_another_token_and_what_is_unclear_under_the_same()
 {
    let capacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    let answers = vec![
        StartAnswer::Refused(capacity),
        StartAnswer::Error(CloudErrorKind::Throttled, "Rate exceeded"),
        StartAnswer::Lost,
        StartAnswer::Error(CloudErrorKind::Unclear, "no answer"),
    ];
    let mut harness = Harness::new(FakeResults(true), |account| account.answers = answers);
    harness.take((1_024, 1, 1));
    let (record, _) = harness.record().await;
    assert_eq!((record.failure, record.tasks[0].refused_starts), (None, 1));
    let tokens = harness.tokens();
    assert_eq!(tokens.len(), 5);
    assert!(
        tokens[0] != tokens[1]
            && tokens[1..]
                .iter()
                .all(|token| *token == tokens[1] && token.len() == 64)
    );
    assert_eq!(harness.started(), 1, "the one whose answer was lost");
}

#[tokio::test(start_paused = true)]
async fn a_size_that_the_account_does_not_take_is_not_asked_for_again() {
    let quota = "The requested CPU configuration is above your limit";
    let mut harness = Harness::new(FakeResults(true), |account| {
        account.answers = vec![StartAnswer::Refused(quota)];
    });
    harness.take((4_096, 1, 1));
    let (record, again) = harness.record().await;
    assert_eq!(
        (reason(&record), again),
        (format!("not started: {quota}").as_str(), false)
    );
    harness.take((4_096, 2, 1));
    assert_eq!(
        reason(&harness.record().await.0),
        format!("not started: {quota}")
    );
    harness.take((1_024, 1, 1));
    assert_eq!(harness.record().await.0.failure, None);
    assert_eq!(harness.tokens().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_concerns_every_task_ends_the_sweep() {
    let denied = StartAnswer::Error(
        CloudErrorKind::Denied,
        "cannot run a task of parfetch:7: not authorized (AccessDeniedException)",
    );
    let mut harness = Harness::new(FakeResults(true), |account| account.answers = vec![denied]);
    harness.take((1_024, 1, 1));
    let failure = harness.next().await.unwrap_err();
    assert_eq!(
        (failure.exit, failure.message.as_str()),
        (
            Exit::SetUp,
            "cannot run a task of parfetch:7: not authorized (AccessDeniedException)"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_broke_is_tried_three_times() {
    let spot = TaskSeen {
        exit_code: Some(143),
        stop_code: Some("SpotInterruption".to_owned()),
        ..TaskSeen::default()
    };
    for (attempt, again) in [(1, true), (2, true), (3, false)] {
        let mut harness = Harness::new(FakeResults(false), |account| {
            account.first_end = Some(spot.clone());
        });
        harness.take((1_024, 1, attempt));
        let (record, more) = harness.record().await;
        assert_eq!(
            (reason(&record), more),
            ("Spot took its capacity back", again)
        );
    }
    let mut harness = Harness::new(FakeResults(false), |account| account.first_vanishes = true);
    harness.take((1_024, 1, 1));
    let (record, again) = harness.record().await;
    assert_eq!(
        (reason(&record), again),
        ("missing: ECS does not know its task any more", true)
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_in_the_bucket_is_more_than_what_ecs_says() {
    let mut harness = Harness::new(FakeResults(true), |account| account.first_vanishes = true);
    harness.take((1_024, 1, 1));
    assert_eq!(harness.record().await.0.failure, None);
    let ended = TaskSeen {
        exit_code: Some(5),
        stop_code: Some("EssentialContainerExited".to_owned()),
        ..TaskSeen::default()
    };
    let mut harness = Harness::new(FakeResults(true), |account| account.first_end = Some(ended));
    harness.take((1_024, 1, 1));
    assert_eq!(reason(&harness.record().await.0), "ended with exit code 5");
    let mut harness = Harness::new(FakeResults(false), |_| {});
    harness.take((1_024, 1, 1));
    assert_eq!(
        reason(&harness.record().await.0),
        "wrote no summary, though its task ended well"
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_past_its_time_is_stopped() {
    let mut harness = Harness::new(FakeResults(false), |account| {
        account.states = vec!["PENDING", "RUNNING"];
        account.first_end = Some(TaskSeen {
            exit_code: Some(143),
            ..TaskSeen::default()
        });
    });
    harness.take((1_024, 1, 1));
    let (record, again) = harness.record().await;
    assert_eq!((reason(&record), again), ("did not end within 1h", false));
    assert_eq!(harness.fake.0.borrow().stopped, ["arn:0"]);
}

#[tokio::test(start_paused = true)]
async fn repetitions_side_by_side_name_each_other_and_keep_to_quota_and_number() {
    let mut harness = Harness::new(FakeResults(true), |_| {});
    harness.take((4_096, 1, 1));
    let cell = |cpu_units| {
        attempt(harness.dir.path(), (cpu_units, 9, 1))
            .cell()
            .clone()
    };
    let (small, large, huge) = (cell(2_048), cell(4_096), cell(8_192));
    assert!(
        harness.fleet.has_room(&small) && !harness.fleet.has_room(&large),
        "6 vCPU in all"
    );
    harness.take((1_024, 1, 1));
    assert!(!harness.fleet.has_room(&small), "2 tasks at once");
    let beside: Vec<Vec<String>> = [harness.record().await.0, harness.record().await.0]
        .into_iter()
        .map(|record| record.beside)
        .collect();
    assert_eq!(
        beside,
        [
            ["lean-1vcpu-2048mib-async-x1/r01-a1"],
            ["lean-4vcpu-2048mib-async-x1/r01-a1"]
        ]
    );
    let refused = |cell: &Cell| harness.fleet.check(cell).unwrap_err();
    let many = refused(&Cell { shards: 3, ..small });
    assert!(
        !many.is_too_large
            && many
                .failure
                .message
                .ends_with("needs 3 tasks at once, and --max-tasks is 2"),
        "{many:?}"
    );
    let huge = refused(&huge);
    assert!(
        huge.is_too_large
            && huge
                .failure
                .message
                .ends_with("needs 8 vCPUs at once, and the account's quota of Fargate is 6"),
        "{huge:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_end_before_time_stops_every_task_and_forgets_it() {
    let mut harness = Harness::new(FakeResults(true), |account| {
        account.states = vec!["RUNNING"];
    });
    harness.take((1_024, 1, 1));
    harness.take((1_024, 2, 1));
    let said = &mut Vec::new();
    harness.fleet.start_due(0.0, &harness.stop).await.unwrap();
    harness
        .fleet
        .abandon(Abandon::Interrupted, &mut |event| said.push(event.clone()))
        .await;
    let mut stopped = harness.fake.0.borrow().stopped.clone();
    stopped.sort();
    assert_eq!(stopped, ["arn:0", "arn:1"]);
    assert_eq!(*said, [SweepEvent::Warning("stopping 2 tasks".to_owned())]);
    assert!(
        !harness
            .dir
            .path()
            .join("1024-1-1")
            .join(LEDGER_FILE)
            .exists()
    );
    assert!(
        (harness.fleet.spent().unwrap().usd.unwrap() - 0.0025).abs() < 1e-12,
        "what they cost is known"
    );
    // And the next part of the sweep knows it too.
    let stopped = harness.fleet.take_stopped();
    let mut next = Harness::new(FakeResults(true), |_| {});
    next.fleet.remember(&EarlierSweep {
        records: Vec::new(),
        stopped,
    });
    assert_eq!(next.fleet.spent(), harness.fleet.spent());
}

#[tokio::test(start_paused = true)]
async fn detached_tasks_are_taken_up_again() {
    let detached = FleetPlan {
        on_interrupt: OnInterrupt::Detach,
        ..plan()
    };
    let mut harness = Harness::of(detached, FakeResults(true), |account| {
        account.states = vec!["RUNNING", "STOPPED"];
    });
    harness.take((1_024, 1, 1));
    harness.fleet.start_due(0.0, &harness.stop).await.unwrap();
    harness
        .fleet
        .abandon(Abandon::Interrupted, &mut |_| {})
        .await;
    assert!(harness.fake.0.borrow().stopped.is_empty());
    harness.take((1_024, 1, 1));
    assert_eq!(harness.record().await.0.failure, None);
    // Its ledger is lost, its tags are not.
    std::fs::remove_file(harness.dir.path().join("1024-1-1").join(LEDGER_FILE)).unwrap();
    harness.fleet.find().await.unwrap();
    harness.take((1_024, 1, 1));
    assert_eq!(harness.record().await.0.failure, None);
    assert_eq!((harness.started(), harness.tokens().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn no_task_is_started_beyond_the_money() {
    // A minute of 1 vCPU and 2 GB costs 0.00083, and each task lives for a minute and a half.
    let plan = FleetPlan {
        consent: CostConsent::UpTo(0.002),
        ..plan()
    };
    let mut harness = Harness::of(plan, FakeResults(true), |_| {});
    harness.take((1_024, 1, 1));
    assert_eq!(harness.record().await.0.failure, None);
    harness.take((1_024, 2, 1));
    assert!(matches!(harness.next().await.unwrap(), Awaited::Spent));
    assert_eq!(harness.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_go_on_are_counted_with_the_least_that_they_will_cost() {
    // 0.0015 is enough for one minute and not for two, whether the first has begun to cost anything or not.
    let plan = FleetPlan {
        consent: CostConsent::UpTo(0.0015),
        ..plan()
    };
    let mut harness = Harness::of(plan, FakeResults(true), |account| {
        account.states = vec!["PROVISIONING"];
    });
    harness.take((1_024, 1, 1));
    harness.take((1_024, 2, 1));
    let running = harness.fleet.running_usd();
    assert!(
        harness
            .fleet
            .start_due(running, &harness.stop)
            .await
            .unwrap()
    );
    let running = harness.fleet.running_usd();
    assert!((running - 0.05 / 60.0).abs() < 1e-12, "{running}");
    assert!(
        harness
            .fleet
            .start_due(running, &harness.stop)
            .await
            .unwrap()
    );
    assert_eq!(harness.started(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_gets_the_disk_that_its_keys_need_and_it_is_paid_for() {
    let mut harness = Harness::new(FakeResults(true), |_| {});
    let (attempt, template) = (attempt(harness.dir.path(), (1_024, 1, 1)), template());
    let fleet = &mut harness.fleet;
    let asked = |fleet: &Fleet| fleet.launch(&attempt, 0, &template).unwrap().storage_gib;
    let usd = |fleet: &Fleet| {
        fleet
            .usd(attempt.cell(), Duration::from_hours(1))
            .unwrap()
            .0
    };
    fleet.fetches(5).unwrap();
    assert_eq!(
        (asked(fleet), fleet.words(attempt.cell()).contains("disk")),
        (None, false)
    );
    let few = usd(fleet);
    // 19 GiB beyond what is free, at a cent an hour.
    fleet.fetches(100_000_000).unwrap();
    assert_eq!(asked(fleet), Some(39));
    assert!((usd(fleet) - few - 0.19).abs() < 1e-12, "{}", usd(fleet));
    assert!(
        fleet
            .words(attempt.cell())
            .contains(" with 39 GiB of disk,")
    );
    let halves = Cell {
        shards: 2,
        ..attempt.cell().clone()
    };
    assert_eq!(fleet.more_storage_gib(&halves), None, "19 GiB suffice");
    // The definition gives more, and that is paid for as well.
    fleet.plan.storage_gib = Some(50);
    assert_eq!(asked(fleet), None);
    assert!((usd(fleet) - few - 0.3).abs() < 1e-12, "{}", usd(fleet));
    // Without a price of storage, a limit of money cannot be kept.
    if let Some(price) = &mut fleet.budget.price {
        price.storage_usd_per_gb_hour = None;
    }
    assert!(fleet.fetches(5).is_ok());
    fleet.budget.most_usd = Some(1.0);
    let refused = fleet.fetches(5).unwrap_err().message;
    assert!(
        refused.starts_with("--max-cost cannot be kept: tasks have 50 GiB"),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_fails_is_told_again() {
    let mut harness = Harness::new(FakeResults(false), |account| {
        account.states = vec!["RUNNING"];
        account.stops_that_fail = 2;
        account.first_end = Some(TaskSeen {
            exit_code: Some(143),
            ..TaskSeen::default()
        });
    });
    harness.take((1_024, 1, 1));
    assert_eq!(reason(&harness.record().await.0), "did not end within 1h");
    assert_eq!(harness.fake.0.borrow().stopped, ["arn:0"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_started_unheard_is_stopped_for_the_repetition_that_is_given_up_alone() {
    let mut harness = Harness::new(FakeResults(false), |account| {
        account.answers = vec![StartAnswer::Lost, StartAnswer::Lost];
        account.states = vec!["RUNNING"];
    });
    harness.take((1_024, 1, 1));
    harness.take((1_024, 2, 1));
    harness.fleet.start_due(0.0, &harness.stop).await.unwrap();
    harness.fleet.sweep_up(0).await;
    assert_eq!(harness.fake.0.borrow().stopped, ["arn:0"]);
    assert!(
        harness.fleet.repetitions[1].tasks[0].was_unclear(),
        "the other is asked for again, under its token"
    );
}

/// Its start was not answered, and every later one was refused until its time to start was over.
#[tokio::test(start_paused = true)]
async fn a_task_whose_start_was_never_answered_is_stopped_when_its_repetition_is_given_up() {
    let mut harness = Harness::new(FakeResults(false), |account| {
        let refused = StartAnswer::Error(CloudErrorKind::Throttled, "Rate exceeded");
        account.answers = vec![StartAnswer::Lost];
        account.answers.resize(1_000, refused);
        account.states = vec!["RUNNING"];
    });
    harness.take((1_024, 1, 1));
    let (record, again) = harness.record().await;
    assert_eq!(
        (reason(&record), again),
        ("no task was started within 15m: Rate exceeded", false)
    );
    assert_eq!(harness.fake.0.borrow().stopped, ["arn:0"]);
    let mut tokens = harness.tokens();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "asked for under its token each time");
    assert_eq!(record.tasks[0].arn.as_deref(), Some("arn:0"));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_at_the_end_is_told_to_stop_and_told_of() {
    let mut harness = Harness::new(FakeResults(true), |account| {
        account.states = vec!["RUNNING"];
    });
    harness.take((1_024, 1, 1));
    harness.fleet.start_due(0.0, &harness.stop).await.unwrap();
    harness.fleet.repetitions.clear();
    let said = &mut Vec::new();
    harness
        .fleet
        .clean_up(&mut |event| said.push(event.clone()))
        .await;
    assert_eq!(harness.fake.0.borrow().stopped, ["arn:0"]);
    let told = "the task arn:0 of this sweep was still RUNNING: it was told to stop again";
    assert_eq!(*said, [SweepEvent::Warning(told.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_told_everything_and_no_secret() {
    let mut harness = Harness::new(FakeResults(true), |_| {});
    let attempt = attempt(harness.dir.path(), (1_024, 1, 2));
    let launch = harness.fleet.launch(&attempt, 0, &template()).unwrap();
    let value = |name: &str| {
        launch
            .environment
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(
        value("PARFETCH_KEYS"),
        Some("s3://results/parfetch/sweeps/s/keys-kkkkkkkkkkkk.tsv")
    );
    assert_eq!(
        value("PARFETCH_RESULT_PREFIX"),
        Some("parfetch/sweeps/s/lean-1vcpu-2048mib-async-x1/r01-a2/")
    );
    assert_eq!(
        (
            value("RESULT_BUCKET_NAME"),
            value("TAG"),
            value("PARFETCH_LIMIT")
        ),
        (Some("results"), Some("s-00000-a2"), Some("5"))
    );
    assert_eq!(
        (
            value("PARFETCH_PREFIX"),
            value("PARFETCH_DURATION"),
            value("PARFETCH_OUT")
        ),
        (Some(""), Some(""), Some(""))
    );
    // Later than the sweep itself ends it.
    assert_eq!(value("PARFETCH_RUN_TIMEOUT"), Some("1h 2m"));
    assert!(
        launch
            .environment
            .iter()
            .all(|(name, value)| !name.starts_with("AWS_") || value.is_empty()),
        "{:?}",
        launch.environment
    );
    assert!(
        overrides_length(&launch) < 4_000,
        "{}",
        overrides_length(&launch)
    );
    assert_eq!(launch.started_by.len(), "parfetch/s/".len() + 8);
    harness.take((1_024, 1, 2));
}
