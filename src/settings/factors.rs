//! Factors and servers of a sweep: how they are typed, and what holds for them from wherever they came.

use std::collections::{BTreeMap, BTreeSet};

use super::lists::given_twice;
use super::reader::{SettingReader, usage};
use crate::cli::Raw;
use crate::exit::Failure;
use crate::guess;
use crate::plan::factors::SERVER;
use crate::plan::template;
use crate::sweep::factors::{
    OF_A_BUCKET, OF_A_RUN, OUT, PORT, REQUESTS, texts_of_requests, texts_of_server,
};
use crate::sweep::plan::{ServerProgram, SweepPlan, cpu_units};
use crate::units;

const FACTOR_FORM: &str = "write it like --factor workers=1,3, and name it in braces: {workers}";
const SERVER_FORM: &str = "write it like --server uvicorn='uvicorn --port {port} app:app'";
/// Longest value of a factor.
const LONGEST: usize = 200;

/// What was typed, over the plan file.
pub(super) fn set(raw: &Raw, plan: &mut SweepPlan) -> Result<(), Failure> {
    if let Some(given) = raw.get("factor") {
        plan.factor = BTreeMap::new();
        for text in given.value.lines() {
            let wrong = |what: &str| usage(format!("--factor `{text}`: {what}"), FACTOR_FORM);
            let (name, values) = text
                .split_once('=')
                .ok_or_else(|| wrong("there is no `=`"))?;
            let values = values.split(',').map(str::to_owned).collect();
            if plan.factor.insert(name.to_owned(), values).is_some() {
                return Err(wrong("this factor is given twice"));
            }
        }
    }
    if let Some(given) = raw.get(SERVER) {
        let server = |text: &str| {
            let wrong = || usage(format!("--server `{text}`: there is no `=`"), SERVER_FORM);
            let (name, command) = text.split_once('=').ok_or_else(wrong)?;
            Ok(ServerProgram {
                name: name.to_owned(),
                command: command.to_owned(),
                environment: BTreeMap::new(),
            })
        };
        plan.server = given
            .value
            .lines()
            .map(server)
            .collect::<Result<_, Failure>>()?;
    }
    let reader = SettingReader(raw);
    reader.time("server-timeout")?;
    reader.wait("server-settle")?;
    for (flag, value) in [
        ("server-timeout", &mut plan.server_timeout),
        ("server-settle", &mut plan.server_settle),
    ] {
        if let Some(given) = raw.get(flag) {
            *value = Some(given.value.clone());
        }
    }
    if let Some(given) = raw.get("server-ready") {
        plan.server_ready = Some(given.value.clone());
    }
    if let Some(given) = raw.get("server-vcpu") {
        let vcpu = given
            .value
            .parse()
            .ok()
            .filter(|vcpu| cpu_units(*vcpu).is_some());
        plan.server_vcpu = Some(vcpu.ok_or_else(|| {
            usage(
                format!(
                    "{} is `{}`, which is not a number of vCPUs",
                    given.name, given.value
                ),
                VCPU_HINT,
            )
        })?);
    }
    Ok(())
}

const VCPU_HINT: &str = "a server has a whole number of quarters, up to 32: 0.25, 1, 2 …";

/// What holds for them all.
pub(super) fn check(plan: &SweepPlan) -> Result<(), Failure> {
    for (name, values) in &plan.factor {
        check_factor(name, values)?;
    }
    for server in &plan.server {
        check_server(server, plan)?;
    }
    check_rules(plan)?;
    let mut used = BTreeSet::new();
    for server in &plan.server {
        let what = format!("the server {}", server.name);
        for text in texts_of_server(server) {
            used.extend(check_names(text, &what, plan)?);
        }
    }
    for (what, text) in texts_of_requests(plan) {
        used.extend(check_names(text, &what, plan)?);
    }
    for contender in &plan.contender {
        let what = format!("the contender {}", contender.name);
        for text in contender.texts().chain(contender.result.csv.as_deref()) {
            used.extend(check_names(text, &what, plan)?);
        }
    }
    match plan
        .factor
        .keys()
        .find(|name| !used.contains(name.as_str()))
    {
        Some(name) => Err(usage(
            format!("the factor {name} is not used: nothing names {{{name}}}"),
            "name it in a URL, or in the command of a server or contender, or leave the factor out",
        )),
        None => Ok(()),
    }
}

fn check_factor(name: &str, values: &[String]) -> Result<(), Failure> {
    let wrong = |what: &str| {
        usage(
            format!("the factor `{}`: {what}", name.escape_debug()),
            FACTOR_FORM,
        )
    };
    if !template::is_name(name) {
        return Err(wrong(
            "a name has 1 to 32 of A-Z a-z 0-9 _ and begins with a letter",
        ));
    }
    if OF_A_RUN.contains(&name) || [PORT, OUT, REQUESTS, SERVER].contains(&name) {
        return Err(wrong("this name has its value from parfetch"));
    }
    if values.is_empty() || values.iter().any(String::is_empty) {
        return Err(wrong("a value is empty"));
    }
    if let Some(value) = given_twice(values) {
        return Err(wrong(&format!(
            "the value `{}` is given twice",
            value.escape_debug()
        )));
    }
    let is_odd = |value: &String| value.len() > LONGEST || value.chars().any(char::is_control);
    if values.iter().any(is_odd) {
        return Err(wrong(
            "a value has at most 200 bytes and no control characters",
        ));
    }
    Ok(())
}

fn check_server(server: &ServerProgram, plan: &SweepPlan) -> Result<(), Failure> {
    let ServerProgram {
        name,
        command,
        environment,
    } = server;
    let wrong = |what: &str| {
        usage(
            format!("server `{}`: {what}", name.escape_debug()),
            SERVER_FORM,
        )
    };
    let letters = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !letters || name.is_empty() || name.len() > 32 || name.starts_with('.') {
        return Err(wrong("a name has 1 to 32 of A-Z a-z 0-9 . _ -"));
    }
    if plan
        .server
        .iter()
        .filter(|other| other.name == *name)
        .count()
        > 1
    {
        return Err(wrong("it is given twice"));
    }
    check_command(command)
        .and_then(|()| check_environment(environment))
        .map_err(|what| wrong(&what))
}

/// Why a text is not a command.
pub(super) fn check_command(command: &str) -> Result<(), String> {
    match shlex::split(command) {
        Some(words) if !words.is_empty() => Ok(()),
        Some(_) => Err("its command is empty".to_owned()),
        None => Err("its command has a quote that is not closed".to_owned()),
    }
}

/// Why a table is not an environment.
pub(super) fn check_environment(environment: &BTreeMap<String, String>) -> Result<(), String> {
    let is_wrong = |(name, value): &(&String, &String)| {
        name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
    };
    match environment.iter().find(is_wrong) {
        Some((name, _)) => Err(format!("`{}` is not a variable", name.escape_debug())),
        None => Ok(()),
    }
}

/// When a server counts as ready, and how large it is.
fn check_rules(plan: &SweepPlan) -> Result<(), Failure> {
    let has_rules = plan.server_ready.is_some()
        || plan.server_timeout.is_some()
        || plan.server_settle.is_some()
        || plan.server_vcpu.is_some();
    if plan.server.is_empty() && has_rules {
        return Err(usage("there is no server to wait for", SERVER_FORM));
    }
    if let Some(path) = &plan.server_ready {
        let is_path = path.starts_with('/')
            && path.bytes().all(|byte| byte.is_ascii_graphic())
            && path.len() <= 1_000;
        if !is_path {
            return Err(usage(
                format!(
                    "server_ready is `{}`, which is not a path",
                    path.escape_debug()
                ),
                "write it like /healthcheck",
            ));
        }
    }
    for (name, text) in [
        ("server_timeout", &plan.server_timeout),
        ("server_settle", &plan.server_settle),
    ] {
        if let Some(text) = text
            && units::parse_duration(text).is_err()
        {
            return Err(usage(
                format!("{name} is `{text}`, which is not a length of time above 0"),
                "write it like 500ms, 10s or 2m",
            ));
        }
    }
    if let Some(vcpu) = plan.server_vcpu.filter(|vcpu| cpu_units(*vcpu).is_none()) {
        return Err(usage(
            format!("server_vcpu is {vcpu}, which is not a number of vCPUs"),
            VCPU_HINT,
        ));
    }
    Ok(())
}

/// The names in a text; an unknown one is an error.
fn check_names<'a>(text: &'a str, what: &str, plan: &SweepPlan) -> Result<Vec<&'a str>, Failure> {
    let names: Vec<&str> = template::names(text).collect();
    let of_bucket = |name: &&str| plan.is_web() && OF_A_BUCKET.contains(name);
    let mut known: Vec<&str> = OF_A_RUN.to_vec();
    known.retain(|name| !of_bucket(name));
    known.extend(plan.factor.keys().map(String::as_str));
    if !plan.server.is_empty() {
        known.extend([PORT, SERVER]);
    }
    if plan.is_web() && plan.requests.is_some() {
        known.push(REQUESTS);
    }
    if what.starts_with("the contender") {
        known.push(OUT);
    }
    match names.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(unknown((name, what), &known, plan)),
        None => Ok(names),
    }
}

fn unknown((name, what): (&str, &str), known: &[&str], plan: &SweepPlan) -> Failure {
    let hint = if name == PORT && plan.server.is_empty() {
        "{port} is the port of a server of the sweep; --server NAME='COMMAND' starts one".to_owned()
    } else {
        guess::hint(name, known.iter().copied()).unwrap_or_else(|| {
            format!("--factor {name}=A,B gives it values; {{{{{name}}}}} stands for the braces themselves")
        })
    };
    usage(format!("{what} names {{{name}}}, which has no value"), hint)
}
