//! Which factors a configuration has, and what stands in the braces of a text.
//!
//! A configuration has the factors that its own texts name: those of its server, and of its contender or its requests. So a server that does not know
//! `{workers}` is measured once, and not once for each number of workers.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;

use super::plan::{Contender, ServerProgram, SweepPlan};
use crate::cell::{Cell, Program};
use crate::plan::factors::SERVER;
use crate::plan::template;
use crate::plan::{Factors, Mode};
use crate::results::record::ContenderSettings;

/// Names that every configuration has.
pub const OF_A_RUN: [&str; 9] = [
    "bucket",
    "concurrency",
    "keys",
    "memory_mib",
    "mode",
    "prefix",
    "results_bucket",
    "tag",
    "vcpu",
];
/// Those of them that say something of a bucket, and nothing where URLs are requested.
pub const OF_A_BUCKET: [&str; 3] = ["bucket", "keys", "prefix"];
/// The port of the server; only with one.
pub const PORT: &str = "port";
/// How many requests a repetition makes; only with URLs and a number. A contender that names it has to write as many rows.
pub const REQUESTS: &str = "requests";
/// Where a contender writes its CSV; only in its own texts.
pub const OUT: &str = "out";

/// Whether a contender takes its mode or its workers from its own texts, or has no result that is named after them: then it has the modes and the workers
/// that it names alone. One that does neither reads `MODE` and `CONCURRENCY`, as the study's program does.
fn has_own_settings(contender: &Contender) -> bool {
    contender.is_timed() || names(contender, "mode") || names(contender, "concurrency")
}

/// Whether a text of it names this in braces.
pub fn names(contender: &Contender, name: &str) -> bool {
    contender
        .texts()
        .flat_map(template::names)
        .any(|found| found == name)
}

/// What a contender is told of a configuration, so that somebody can run it so again.
pub(super) fn told(contender: &Contender, cell: &Cell) -> ContenderSettings {
    let values = PlaceholderValues::new(cell);
    // What a configuration does not decide stays in its braces.
    let fill = |text: &str| {
        let value = |name: &str| Some(values.value(name).unwrap_or_else(|| format!("{{{name}}}")));
        template::fill(text, value).unwrap_or_default()
    };
    let follows = |text: &&String| template::names(text).any(|name| values.value(name).is_some());
    let mut environment: BTreeMap<String, String> = if has_own_settings(contender) {
        BTreeMap::new()
    } else {
        cell.variables().into_iter().collect()
    };
    let own = contender.environment.iter();
    environment.extend(
        own.filter(|(_, text)| follows(text))
            .map(|(name, text)| (name.clone(), fill(text))),
    );
    ContenderSettings {
        environment,
        command: contender
            .task_command
            .iter()
            .map(|word| fill(word))
            .collect(),
    }
}

/// The modes in which a program is measured. One that has a single way of working counts as one process.
pub fn modes(plan: &SweepPlan, program: &Program) -> Vec<Mode> {
    match of_name(plan, program) {
        Some(contender) if !contender.mode.is_empty() => contender.mode.clone(),
        Some(contender) if has_own_settings(contender) && !names(contender, "mode") => {
            vec![Mode::Process]
        }
        _ => plan.mode.clone(),
    }
}

/// The numbers of workers with which a program is measured; one that takes no number counts as one worker.
pub fn concurrencies(plan: &SweepPlan, program: &Program) -> Vec<u32> {
    match of_name(plan, program) {
        Some(contender) if has_own_settings(contender) && !names(contender, "concurrency") => {
            vec![1]
        }
        _ => plan.concurrency.clone(),
    }
}

/// What a server says with braces in it.
pub fn texts_of_server(server: &ServerProgram) -> impl Iterator<Item = &str> {
    std::iter::once(server.command.as_str()).chain(server.environment.values().map(String::as_str))
}

/// What the requests of parfetch's own client say with braces in them, and what each text is; nothing where a bucket is read.
pub fn texts_of_requests(plan: &SweepPlan) -> impl Iterator<Item = (String, &str)> {
    let urls = plan.urls.iter();
    let urls = urls.map(|url| (format!("the URL `{url}`"), url.as_str()));
    let headers = plan.header.iter().filter_map(|header| {
        let value = header.value.as_deref()?;
        Some((format!("the header {}", header.name), value))
    });
    let body = plan.body.as_deref();
    urls.chain(headers)
        .chain(body.map(|body| ("the body".to_owned(), body)))
}

/// Whether nothing is expected of the rows of a contender: it asks a web server and not the bucket, as the sweep has none, or its texts name the port. One that
/// names the number of requests has a row for each.
pub(super) fn is_free(plan: &SweepPlan, contender: &Contender) -> bool {
    (plan.is_web() || names(contender, PORT)) && !names(contender, REQUESTS)
}

/// The contender that a program is.
pub(super) fn of_name<'a>(plan: &'a SweepPlan, program: &Program) -> Option<&'a Contender> {
    let Program::Contender(name) = program else {
        return None;
    };
    plan.contender
        .iter()
        .find(|contender| contender.name == *name)
}

/// Whether its time is all that is known of a program.
pub(super) fn is_timed(plan: &SweepPlan, program: &Program) -> bool {
    of_name(plan, program).is_some_and(Contender::is_timed)
}

/// Every combination of the factors that a program's configurations have, in the order of tables; one without factors when there are none.
pub(super) fn combinations(plan: &SweepPlan, program: &Program) -> Vec<Factors> {
    let mut all = Vec::new();
    for server in servers(plan) {
        let first = server.map_or_else(Factors::default, |server| {
            Factors::default().with(SERVER, &server.name)
        });
        let mut of_server = vec![first];
        for (name, values) in used(plan, program, server) {
            of_server = of_server
                .iter()
                .flat_map(|factors| values.iter().map(|value| factors.with(name, value)))
                .collect();
        }
        all.append(&mut of_server);
    }
    all
}

/// How many [`combinations`] there are, without making them.
pub fn count(plan: &SweepPlan, program: &Program) -> u64 {
    let of_server = |server| {
        used(plan, program, server)
            .map(|(_, values)| values.len() as u64)
            .fold(1, u64::saturating_mul)
    };
    servers(plan)
        .into_iter()
        .map(of_server)
        .fold(0, u64::saturating_add)
}

fn servers(plan: &SweepPlan) -> Vec<Option<&ServerProgram>> {
    if plan.server.is_empty() {
        vec![None]
    } else {
        plan.server.iter().map(Some).collect()
    }
}

/// The factors that the texts of these configurations name.
fn used<'a>(
    plan: &'a SweepPlan,
    program: &Program,
    server: Option<&ServerProgram>,
) -> impl Iterator<Item = (&'a String, &'a Vec<String>)> {
    let requests = program.is_parfetch().then(|| texts_of_requests(plan));
    let names: BTreeSet<String> = of_name(plan, program)
        .into_iter()
        .flat_map(Contender::texts)
        .chain(requests.into_iter().flatten().map(|(_, text)| text))
        .chain(server.into_iter().flat_map(texts_of_server))
        .flat_map(template::names)
        .map(str::to_owned)
        .collect();
    plan.factor
        .iter()
        .filter(move |(name, _)| names.contains(*name))
}

/// What stands in the braces of one repetition's texts.
#[derive(Debug)]
pub(super) struct PlaceholderValues<'a> {
    cell: &'a Cell,
    others: BTreeMap<&'static str, String>,
}

impl<'a> PlaceholderValues<'a> {
    /// Those that follow from the cell; the others are added.
    pub(super) fn new(cell: &'a Cell) -> Self {
        let others = BTreeMap::from([
            ("concurrency", cell.concurrency.to_string()),
            ("memory_mib", cell.memory_mib.to_string()),
            ("mode", cell.mode.to_string()),
            ("vcpu", cell.vcpu().to_string()),
        ]);
        Self { cell, others }
    }

    /// With one more.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.others.insert(name, value.into());
        self
    }

    fn value(&self, name: &str) -> Option<String> {
        let factor = self.cell.factors.get(name).map(str::to_owned);
        factor.or_else(|| self.others.get(name).cloned())
    }

    /// The text with its values.
    ///
    /// # Errors
    /// When it names what has none.
    pub(super) fn fill(&self, text: &str) -> io::Result<String> {
        template::fill(text, |name| self.value(name))
            .map_err(|name| io::Error::other(format!("{{{name}}} has no value here")))
    }

    /// The words of a command: it is split before it is filled, so a value is never more than one word.
    ///
    /// # Errors
    /// When it names what has no value, or is not a command.
    pub(super) fn command(&self, command: &str) -> io::Result<Vec<OsString>> {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        words
            .ok_or_else(|| io::Error::other(format!("`{command}` is not a command")))?
            .iter()
            .map(|word| self.fill(word).map(OsString::from))
            .collect()
    }

    /// Variables with their values.
    ///
    /// # Errors
    /// When one names what has no value.
    pub(super) fn environment(
        &self,
        variables: &BTreeMap<String, String>,
    ) -> io::Result<Vec<(OsString, OsString)>> {
        variables
            .iter()
            .map(|(name, text)| Ok((name.into(), self.fill(text)?.into())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ClientKind, Mode};

    const PLAN: &str = "
        [factor]
        workers = [1, 3]
        build = ['old', 'new']
        [[server]]
        name = 'gunicorn'
        command = 'gunicorn -w {workers} -b 127.0.0.1:{port}'
        [[server]]
        name = 'flask'
        command = 'flask run -p {port}'
        [[contender]]
        name = 'app'
        command = './{build}/fetch'
        environment = { N = '{workers}' }
    ";

    #[test]
    fn a_configuration_has_the_factors_that_its_own_texts_name() {
        let plan = SweepPlan::from_toml(PLAN).unwrap();
        let of = |program: &Program| {
            let all = combinations(&plan, program);
            assert_eq!(all.len() as u64, count(&plan, program));
            all.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&Program::Client(ClientKind::Lean)),
            [
                "server gunicorn · workers 1",
                "server gunicorn · workers 3",
                "server flask"
            ]
        );
        let app = of(&Program::Contender("app".to_owned()));
        assert_eq!(
            (app.len(), app[0].as_str()),
            (8, "server gunicorn · build old · workers 1")
        );
        let without = combinations(&SweepPlan::default(), &Program::Client(ClientKind::Sdk));
        assert_eq!(without, [Factors::default()]);
    }

    #[test]
    fn a_program_has_the_modes_and_workers_that_it_takes() {
        let plan = |rest: &str| {
            let head =
                "mode = ['async', 'thread']\nconcurrency = [2, 4]\n[[contender]]\nname = 'app'\n";
            SweepPlan::from_toml(&format!("{head}{rest}")).unwrap()
        };
        let app = Program::Contender("app".to_owned());
        let both = vec![Mode::Async, Mode::Thread];
        for (rest, expected) in [
            ("command = 'x'", (both.clone(), vec![2, 4])),
            (
                "command = 'x -w {concurrency}'",
                (vec![Mode::Process], vec![2, 4]),
            ),
            ("command = 'x {mode}'", (both, vec![1])),
            (
                "command = 'x {concurrency}'\nmodes = ['thread']",
                (vec![Mode::Thread], vec![2, 4]),
            ),
            (
                "command = 'x'\n[contender.result]\ntime = 'program'",
                (vec![Mode::Process], vec![1]),
            ),
        ] {
            let plan = plan(rest);
            let found = (modes(&plan, &app), concurrencies(&plan, &app));
            assert_eq!(found, expected, "{rest}");
        }
    }

    #[test]
    fn requests_have_the_factors_that_their_texts_name() {
        let text = "
            urls = 'http://127.0.0.1:{port}/{endpoint}'
            header = ['x-key: {key}']
            body = '{\"a\": {size}}'
            [factor]
            endpoint = ['sync', 'async']
            key = [1, 2]
            size = [1, 2, 3]
            other = [1, 2]
            [[contender]]
            name = 'app'
            command = 'app {other}'
        ";
        let plan = SweepPlan::from_toml(text).unwrap();
        let of = |program: &Program| combinations(&plan, program).len();
        assert_eq!(of(&Program::Client(ClientKind::Lean)), 2 * 2 * 3);
        assert_eq!(of(&Program::Contender("app".to_owned())), 2);
        assert!(is_free(&plan, &plan.contender[0]));
        let counted = text.replace("app {other}", "app {other} {requests}");
        let plan = SweepPlan::from_toml(&counted).unwrap();
        assert!(!is_free(&plan, &plan.contender[0]));
    }

    #[test]
    fn what_a_program_is_told_of_its_configuration_is_kept() {
        let cell = Cell {
            program: Program::Contender("app".to_owned()),
            cpu_units: 512,
            memory_mib: 1_024,
            mode: Mode::Thread,
            concurrency: 4,
            shards: 1,
            factors: Factors::default(),
        };
        let told = |rest: &str| {
            let text = format!("[[contender]]\nname = 'app'\n{rest}");
            let plan = SweepPlan::from_toml(&text).unwrap();
            let told = told(&plan.contender[0], &cell);
            let pairs = told
                .environment
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            (pairs.collect::<Vec<_>>().join(" "), told.command)
        };
        let contract = told("command = 'x'\nenvironment = { LEVEL = '3', RUN = '{tag}' }");
        assert_eq!(
            contract,
            ("CONCURRENCY=4 MODE=thread".to_owned(), Vec::new())
        );
        let own = told(
            "task_command = ['-n', '{concurrency}', '{bucket}']\nenvironment = { SIZE = '{vcpu}' }",
        );
        let command = ["-n", "4", "{bucket}"].map(str::to_owned).to_vec();
        assert_eq!(own, ("SIZE=0.5".to_owned(), command));
    }

    #[test]
    fn a_value_is_never_more_than_one_word() {
        let cell = Cell {
            program: Program::Client(ClientKind::Lean),
            cpu_units: 512,
            memory_mib: 1024,
            mode: Mode::Async,
            concurrency: 4,
            shards: 1,
            factors: Factors::default().with("text", "a b; 'c' $(d) {port}"),
        };
        let values = PlaceholderValues::new(&cell).with(PORT, "8000");
        assert_eq!(
            values
                .command("x -p {port} '{text}' {vcpu}:{concurrency}")
                .unwrap(),
            ["x", "-p", "8000", "a b; 'c' $(d) {port}", "0.5:4"]
        );
        assert_eq!(
            values.fill("{out}").unwrap_err().to_string(),
            "{out} has no value here"
        );
        assert!(values.command("").is_err() && values.command("'").is_err());
    }
}
