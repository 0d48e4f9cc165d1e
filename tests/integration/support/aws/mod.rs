//! A strict stand-in for AWS beside S3: ECS, Batch, Service Quotas, CloudFormation, and what a Fargate task finds around itself.
//!
//! Each request is held against the published model of its service and against the rules that the documentation adds; what breaks one is answered as
//! AWS does, and remembered as a violation, of which a test allows none. Tasks and jobs really run `parfetch run`, or the program of
//! another definition, with what their definition, their overrides and Fargate give them and nothing else. Faults come where a test wants them.

mod batch;
mod fail;
mod family;
mod faults;
mod group;
mod http;
mod job;
mod logs;
mod metadata;
mod model;
mod process;
mod retry;
mod run_task;
mod setup;
mod sign;
mod size;
mod stack;
mod state;
mod task;
mod tasks;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use self::fail::Fail;
use self::http::{Answer, Server};
use self::job::JobStatus;
use self::model::Service;
use self::process::Host;
use self::state::State;
use super::scripted::{DEADLINE, Request};

pub(crate) use self::family::Family;
pub(crate) use self::faults::{Fault, Form, On};
pub(crate) use self::process::Facts;
pub(crate) use self::setup::{Pace, Setup};
pub(crate) use self::state::Call;
pub(crate) use self::task::Status;

/// How often time passes for tasks and jobs.
const TICK: Duration = Duration::from_millis(5);
/// How often whoever waits looks whether the program that it waits for has ended: that is no news of the account's.
const LOOK: Duration = Duration::from_millis(100);

/// The account, as long as it is kept.
pub(crate) struct Aws {
    account: Arc<Account>,
    _server: Server,
}

struct Account {
    host: Host,
    state: Mutex<State>,
    news: Condvar,
    _folder: TempDir,
}

impl Drop for Aws {
    /// Ends every program here and now: the threads that share the account may outlive it, and the test process may not wait for them.
    fn drop(&mut self) {
        let mut state = self
            .account
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (tasks, jobs) = (
            std::mem::take(&mut state.tasks),
            std::mem::take(&mut state.jobs),
        );
        drop(state);
        drop((tasks, jobs));
    }
}

/// A task as a test sees it.
#[derive(Clone, Debug)]
pub(crate) struct TaskView {
    pub(crate) arn: String,
    pub(crate) status: Status,
    pub(crate) exit_code: Option<i32>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) size: (u32, u32),
    /// Of its process, while there is one.
    pub(crate) pid: Option<u32>,
    /// What it said.
    pub(crate) log: String,
    /// What the endpoints in it were asked; none before it ran.
    pub(crate) facts: Option<Facts>,
}

/// What answers an operation.
type Operation = fn(&Host, &mut State, &Value) -> Result<Value, Fail>;

impl Aws {
    /// Starts it on a port of 127.0.0.1.
    pub(crate) fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let host = Host {
            setup,
            url,
            folder: folder.path().to_owned(),
        };
        let state = Mutex::new(State::new(&host));
        let account = Arc::new(Account {
            host,
            state,
            news: Condvar::new(),
            _folder: folder,
        });
        let (answering, ticking) = (Arc::downgrade(&account), Arc::downgrade(&account));
        // A client that keeps its connection does not keep the account.
        let server = Server::start(listener, move |request| {
            answering.upgrade()?.handle(request)
        });
        std::thread::spawn(move || tick(&ticking));
        Self {
            account,
            _server: server,
        }
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.account.host.setup
    }

    pub(crate) fn url(&self) -> &str {
        &self.account.host.url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.account.state.lock().unwrap()
    }

    /// Calls of an operation so far.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Call> {
        self.state()
            .calls
            .iter()
            .filter(|call| call.operation == operation)
            .cloned()
            .collect()
    }

    /// All calls so far.
    pub(crate) fn all_calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Tasks in the order of their starts.
    pub(crate) fn tasks(&self) -> Vec<TaskView> {
        views(&self.account.host, &self.state())
    }

    /// What the containers' endpoints were asked, by the container's id: tasks' and jobs'.
    pub(crate) fn containers(&self) -> BTreeMap<String, Facts> {
        self.state().containers.clone()
    }

    /// Process ids of jobs that run.
    pub(crate) fn jobs_running(&self) -> Vec<u32> {
        let state = self.state();
        let children = state.jobs.iter().flat_map(|job| &job.children);
        children.filter_map(job::Child::pid).collect()
    }

    /// Time passes for tasks and jobs once, here and now.
    pub(crate) fn time_passes(&self) {
        self.state().advance(&self.account.host);
    }

    /// A day passes: client tokens and tasks that have stopped are forgotten, and troubles are over.
    pub(crate) fn a_day_passes(&self) {
        let mut state = self.state();
        state.tokens.clear();
        state.troubles.clear();
        let stopped = state.tasks.iter_mut();
        stopped
            .filter(|task| task.status == Status::Stopped)
            .for_each(|task| task.has_vanished = true);
    }

    /// Takes a task's Spot capacity back.
    pub(crate) fn reclaim(&self, arn: &str) {
        let mut state = self.state();
        state
            .tasks
            .iter_mut()
            .find(|task| task.arn == arn)
            .unwrap()
            .stop("SpotInterruption", "Your Spot Task was interrupted.");
    }

    /// What was wrong with requests since the last time.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state().violations)
    }

    /// Waits until the tasks are so.
    #[track_caller]
    pub(crate) fn wait_for(&self, wanted: impl Fn(&[TaskView]) -> bool) {
        self.wait_while(|| None, wanted);
    }

    /// The same, as long as whoever makes them so goes on: `ended` says how it ended.
    #[track_caller]
    pub(crate) fn wait_while(
        &self,
        ended: impl Fn() -> Option<String>,
        wanted: impl Fn(&[TaskView]) -> bool,
    ) {
        let end = Instant::now() + DEADLINE;
        let mut state = self.state();
        loop {
            // Asked before the tasks are looked at, so that the last that it did is seen.
            let ended = ended();
            let tasks = views(&self.account.host, &state);
            if wanted(&tasks) {
                return;
            }
            if let Some(said) = ended {
                panic!("it ended before: {said}\n{tasks:#?}");
            }
            let left = end.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("not so in time: {tasks:#?}"));
            let news = self.account.news.wait_timeout(state, left.min(LOOK));
            state = news.unwrap().0;
        }
    }

    /// Ends the test: nothing was wrong with any request, nothing is left running, and nothing was started twice.
    #[track_caller]
    pub(crate) fn finish(self) {
        assert_eq!(self.take_violations(), [""; 0]);
        let state = self.state();
        let running = |task: &&task::Task| {
            task.status != Status::Stopped
                && !task.has_vanished
                && task.fault != Some(Fault::Stuck(Status::Stopping))
        };
        let left: Vec<_> = state
            .tasks
            .iter()
            .filter(running)
            .map(|task| (&task.arn, task.status))
            .collect();
        assert!(left.is_empty(), "still there: {left:?}");
        let children = state.jobs.iter().flat_map(|job| &job.children);
        assert_eq!(
            children
                .filter(|child| child.status == JobStatus::Running)
                .count(),
            0,
            "jobs that still run"
        );
        let mut starts: Vec<_> = state
            .tasks
            .iter()
            .map(|task| task.tags.clone())
            .filter(|tags| !tags.is_empty())
            .collect();
        let count = starts.len();
        starts.sort();
        starts.dedup();
        assert_eq!(
            starts.len(),
            count,
            "started twice: {:?}",
            state
                .tasks
                .iter()
                .map(|task| &task.tags)
                .collect::<Vec<_>>()
        );
    }
}

fn views(host: &Host, state: &State) -> Vec<TaskView> {
    let view = |task: &task::Task| TaskView {
        arn: task.arn.clone(),
        status: task.status,
        exit_code: task.exit_code(),
        tags: task.tags.iter().cloned().collect(),
        environment: task.environment.clone(),
        size: (task.cpu_units, task.memory_mib),
        pid: task
            .process
            .as_ref()
            .filter(|_| task.exit_code().is_none())
            .map(process::Process::pid),
        log: std::fs::read_to_string(host.folder.join(task.container_id()).join("log"))
            .unwrap_or_default(),
        facts: state.containers.get(&task.container_id()).cloned(),
    };
    state.tasks.iter().map(view).collect()
}

/// Lets time pass as long as somebody keeps the account.
fn tick(account: &Weak<Account>) {
    while let Some(account) = account.upgrade() {
        if account
            .state
            .lock()
            .is_ok_and(|mut state| state.advance(&account.host))
        {
            account.news.notify_all();
        }
        drop(account);
        std::thread::sleep(TICK);
    }
}

impl Account {
    fn handle(&self, request: &Request) -> Option<Answer> {
        let path = request.target.split('?').next().unwrap_or_default();
        if request.method == "GET" {
            return Some(self.inside(request, path));
        }
        let Some((service, operation, body)) = asked(request, path) else {
            self.state.lock().unwrap().violations.push(format!(
                "{} {}: no such operation",
                request.method, request.target
            ));
            return Some(Fail::new(404, "UnknownOperationException", "").json());
        };
        let mut state = self.state.lock().unwrap();
        let said = self.answered(&mut state, (request, service), (&operation, &body));
        let error = said.as_ref().err().map(|fail| fail.code);
        if let Some(fail) = said.as_ref().err().filter(|fail| fail.is_violation) {
            state
                .violations
                .push(format!("{operation}: {}", fail.message));
        }
        state.calls.push(Call {
            operation: operation.clone(),
            body,
            error,
        });
        let is_lost = std::mem::take(&mut state.is_answer_lost);
        drop(state);
        self.news.notify_all();
        let held = self.host.setup.held.as_ref();
        if let Some((_, hold)) = held.filter(|(held, _)| *held == operation && said.is_ok()) {
            hold.wait();
        }
        (!is_lost).then(|| written(service, &operation, said))
    }

    fn answered(
        &self,
        state: &mut State,
        (request, service): (&Request, Service),
        (operation, body): (&str, &Value),
    ) -> Result<Value, Fail> {
        let scope = sign::Scope {
            region: &self.host.setup.region,
            service: service.signing_name(),
        };
        if let Some(wrong) = sign::wrong_with(request, &scope) {
            return Err(Fail::new(403, "InvalidSignatureException", wrong).violation());
        }
        let wrong = service.wrong_with_request(operation, body);
        if !wrong.is_empty() {
            return Err(Fail::new(400, invalid(service), wrong.join("; ")).violation());
        }
        if let Some(fault) = faults::trouble(&mut state.troubles, operation) {
            return Err(run_task::call_fault(fault));
        }
        let answer = (operation_of(service, operation))(&self.host, state, body)?;
        let wrong = service.wrong_with_answer(operation, &answer);
        state.violations.extend(
            wrong
                .into_iter()
                .map(|wrong| format!("the stand-in's own answer to {operation}: {wrong}")),
        );
        Ok(answer)
    }

    /// What a container asks of its surroundings.
    fn inside(&self, request: &Request, path: &str) -> Answer {
        let mut state = self.state.lock().unwrap();
        self.news.notify_all();
        if let Some(rest) = path.strip_prefix("/v4/") {
            let (id, rest) = rest
                .find('/')
                .map_or((rest, ""), |place| rest.split_at(place));
            return metadata::metadata(&self.host, (id, rest), state.containers.get_mut(id));
        }
        let id = path.strip_prefix("/v2/credentials/").unwrap_or_default();
        metadata::credentials(&self.host, request, state.containers.get_mut(id))
    }
}

/// The service, the operation and the body of a call.
fn asked(request: &Request, path: &str) -> Option<(Service, String, Value)> {
    let json = || {
        if request.body.is_empty() {
            Some(Value::Object(serde_json::Map::new()))
        } else {
            serde_json::from_slice(&request.body).ok()
        }
    };
    if let Some(target) = request.headers.get("x-amz-target") {
        let services = ["ecs", "service-quotas", "logs"].map(Service::of);
        let (service, operation) = services
            .into_iter()
            .find_map(|service| Some((service, service.targeted(target)?.to_owned())))?;
        let is_typed = request
            .headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/x-amz-json-1.1");
        return Some((service, operation, json().filter(|_| is_typed)?));
    }
    if path != "/" {
        let service = Service::of("batch");
        return Some((
            service,
            service.at(&request.method, path)?.to_owned(),
            json()?,
        ));
    }
    let (service, (about, body)) = (Service::of("cloudformation"), stack::form(&request.body));
    let operation = about.get("Action")?.clone();
    let is_known = service.operation(&operation).is_some()
        && about
            .get("Version")
            .is_some_and(|version| version == service.version());
    is_known.then_some((service, operation, body))
}

fn operation_of(service: Service, operation: &str) -> Operation {
    match (service.name, operation) {
        ("ecs", "RunTask") => run_task::run_task,
        ("ecs", "DescribeTasks") => tasks::describe_tasks,
        ("ecs", "ListTasks") => tasks::list_tasks,
        ("ecs", "StopTask") => tasks::stop_task,
        ("ecs", "DescribeTaskDefinition") => tasks::describe_definition,
        ("batch", "SubmitJob") => batch::submit_job,
        ("batch", "DescribeJobs") => batch::describe_jobs,
        ("batch", "ListJobs") => batch::list_jobs,
        ("batch", "TerminateJob") => batch::terminate_job,
        ("batch", "CancelJob") => batch::cancel_job,
        ("service-quotas", "GetServiceQuota") => stack::service_quota,
        ("service-quotas", "GetAWSDefaultServiceQuota") => stack::default_quota,
        ("logs", "GetLogEvents") => logs::get_log_events,
        ("cloudformation", "DescribeStacks") => stack::describe_stacks,
        (service, operation) => panic!(
            "{service} has an operation {operation} in its model, and here nobody answers it"
        ),
    }
}

/// How a service calls a request that is not as its model says.
fn invalid(service: Service) -> &'static str {
    match service.name {
        "ecs" | "logs" => "InvalidParameterException",
        "batch" => "ClientException",
        "service-quotas" => "IllegalArgumentException",
        _ => "ValidationError",
    }
}

/// The answer in the protocol of its service.
fn written(service: Service, operation: &str, said: Result<Value, Fail>) -> Answer {
    match (service.name, said) {
        ("batch", Ok(answer)) => Answer::new(200, "application/json", answer.to_string()),
        ("batch", Err(fail)) => fail.rest(),
        ("cloudformation", Ok(answer)) => Answer::new(
            200,
            "text/xml",
            stack::to_xml(operation, service.namespace(), &answer),
        ),
        ("cloudformation", Err(fail)) => fail.xml(service.namespace()),
        (_, Ok(answer)) => Answer::new(200, "application/x-amz-json-1.1", answer.to_string()),
        (_, Err(fail)) => fail.json(),
    }
}
