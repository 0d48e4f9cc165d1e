//! The answer of a tune in words.

use std::str::FromStr as _;

use super::number::{plural, share, time};
use super::sentence::{OF_A_MODEL, as_first_look, sentence};
use super::tune_served::{self, configuration, cpu_units, without_workers};
use super::tune_steps::{contradicted, nothing, unsteady};
use super::tune_sure::{LIKELY, first_look, how_sure};
use super::whole::WholeBucketTime;
use super::{notes, verdict};
use crate::analysis::notes::Note;
use crate::analysis::{container_overrides, task_overrides};
use crate::plan::ClientKind;
use crate::plan::variables::of_workers;
use crate::results::summary::Limit;
use crate::results::tune::{
    EdgeWord, GoalWord, ProgramAnswer, TuneDocument, TunedChoice, TunedConfiguration,
};
use crate::shell;
use crate::units;

/// Configurations that are named one by one.
const NAMED: usize = 4;
/// What an answer says, before it is laid out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AnswerWords {
    /// `Cheapest with the lean client`, `A first look: cheapest with the lean client`
    pub(crate) label: String,
    /// `0.5 vCPU, 1 GB, async × 32`
    pub(crate) headline: String,
    pub(crate) sentences: Vec<String>,
    /// `MODE=async CONCURRENCY=32`; none for a first look.
    pub(crate) line: Option<String>,
    /// What `RunTask` takes; none for a first look, and for a program that the image does not hold.
    pub(crate) overrides: Option<String>,
}

impl AnswerWords {
    pub(crate) fn title(&self) -> String {
        format!("{}: {}", self.label, self.headline)
    }
}

/// What the answer is the answer to.
fn title(document: &TuneDocument) -> String {
    match (document.goal, document.deadline_s) {
        _ if document.urls.is_some() => "Most requests/s".to_owned(),
        (GoalWord::Cheapest, Some(most)) => format!("Cheapest in {} or less", time(most)),
        (GoalWord::Cheapest, None) => "Cheapest".to_owned(),
        (GoalWord::Fastest, _) => "Fastest".to_owned(),
        (GoalWord::Balanced, _) => "Least price × time".to_owned(),
    }
}

/// `with the lean client`, `for python`; of a web server `of gunicorn, workers 3`
fn whose(answer: &ProgramAnswer, document: &TuneDocument) -> String {
    let program = &answer.program;
    let factors = tune_served::factors(&answer.factors);
    let of = match (ClientKind::from_str(program), document.urls.is_some()) {
        (Ok(_), true) => String::new(),
        (Ok(_), false) => format!(" with the {program} client"),
        (Err(_), _) => format!(" for {program}"),
    };
    if factors.is_empty() {
        of
    } else {
        format!("{of} of {factors}")
    }
}

/// The answer of one program.
pub(crate) fn answer(answer: &ProgramAnswer, document: &TuneDocument) -> AnswerWords {
    let title = title(document);
    let whose = whose(answer, document);
    let Some(choice) = answer.choice(document.goal) else {
        return AnswerWords {
            label: format!("{title}{whose}"),
            headline: "nothing is known".to_owned(),
            sentences: vec![nothing(answer, document).to_owned()],
            line: None,
            overrides: None,
        };
    };
    let too_late = too_late(choice, document);
    let title = if too_late.is_some() {
        "Closest to the deadline".to_owned()
    } else {
        title
    };
    let first_look = first_look(answer, document);
    let is_first_look = first_look.is_some();
    let mut sentences = vec![
        takes(choice, (answer, document)),
        first_look.map_or_else(|| how_sure(answer, document), |said| said.join(" ")),
    ];
    sentences.extend(contradicted(answer, (choice, document)));
    sentences.extend(unsteady(answer, document));
    sentences.extend(too_late);
    sentences.extend(may_be_late(choice, document));
    sentences.extend(minimum(choice));
    sentences.extend(ties(answer, document));
    sentences.extend(open(answer, document));
    sentences.extend(answer.limit.and_then(|word| limit(word, document)));
    sentences.extend(edges(answer));
    sentences.extend(not_seen(answer, (choice, document)));
    sentences.extend(other_goal(answer, document));
    // URLs have one client, and no task.
    let client = ClientKind::from_str(&answer.program)
        .ok()
        .filter(|_| document.urls.is_none());
    let of = &choice.configuration;
    let variables = variables(answer, of, client);
    let pairs = variables
        .iter()
        .map(|(name, value)| format!("{name}={}", shell::word(value)));
    let title = if is_first_look {
        as_first_look(&title)
    } else {
        title
    };
    AnswerWords {
        label: format!("{title}{whose}"),
        headline: configuration(of, document),
        sentences,
        // A program that takes nothing of its configuration gets nothing. A first look is nothing to paste.
        line: Some(pairs.collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty() && !is_first_look),
        overrides: overrides(answer, of, &variables)
            .filter(|_| document.urls.is_none() && !is_first_look),
    }
}

/// What runs the program so again: a contender has variables of its own.
fn variables(
    answer: &ProgramAnswer,
    of: &TunedConfiguration,
    client: Option<ClientKind>,
) -> Vec<(String, String)> {
    if let Some(settings) = &answer.settings {
        return settings.environment.clone().into_iter().collect();
    }
    of_workers(of.mode, of.concurrency, client)
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// What `RunTask` takes of the task that ran it.
fn overrides(
    answer: &ProgramAnswer,
    of: &TunedConfiguration,
    variables: &[(String, String)],
) -> Option<String> {
    let size = (cpu_units(of), of.memory_mib);
    match (&answer.settings, &answer.container) {
        (Some(settings), Some(container)) => Some(container_overrides(
            size,
            (container, variables),
            &settings.command,
        )),
        _ => ClientKind::from_str(&answer.program)
            .is_ok()
            .then(|| task_overrides(size, variables)),
    }
}

fn takes(choice: &TunedChoice, (answer, document): (&ProgramAnswer, &TuneDocument)) -> String {
    if let Some(rates) = choice.requests_per_s {
        return format!("It has {}.", tune_served::rate(rates));
    }
    WholeBucketTime::of_tune(choice, (answer, document)).in_full()
}

fn too_late(choice: &TunedChoice, document: &TuneDocument) -> Option<String> {
    let most = document.deadline_s?;
    (choice.seconds[1] > most).then(|| {
        format!(
            "This is later than {}: no configuration that was measured is in time.",
            time(most)
        )
    })
}

fn may_be_late(choice: &TunedChoice, document: &TuneDocument) -> Option<String> {
    let most = document.deadline_s?;
    let [_, middle, high] = choice.seconds;
    let [said_most, said_high] = [most, high].map(time);
    (middle <= most && high > most && said_most != said_high).then(|| {
        format!("It may be late: its time can be {said_high}, and the deadline is {said_most}.")
    })
}

fn minimum(choice: &TunedChoice) -> Option<String> {
    choice.is_minimum.then(|| {
        "Of configurations with the same price, those that are more than 10 % slower come last."
            .to_owned()
    })
}

/// Configurations in groups of their size and mode: `0.5 vCPU, 1 GB, thread × 16, 32; …`.
fn named(configurations: &[TunedConfiguration], document: &TuneDocument) -> String {
    let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
    for of in configurations {
        let name = without_workers(of, document);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, workers)) => workers.push(of.concurrency),
            None => groups.push((name, vec![of.concurrency])),
        }
    }
    let rest: usize = groups.iter().skip(NAMED).map(|(_, all)| all.len()).sum();
    let mut names: Vec<String> = groups
        .iter_mut()
        .take(NAMED)
        .map(|(name, workers)| {
            workers.sort_unstable();
            let workers: Vec<String> = workers.iter().map(u32::to_string).collect();
            format!("{name} × {}", workers.join(", "))
        })
        .collect();
    if rest > 0 {
        names.push(format!("and {rest} more"));
    }
    names.join("; ")
}

fn ties(answer: &ProgramAnswer, document: &TuneDocument) -> Option<String> {
    // Where little is known, much looks alike. A first look has no confidence.
    if answer.confidence.is_none_or(|sure| sure < LIKELY) {
        return None;
    }
    let are = match answer.tied_with.len() {
        0 => return None,
        1 => "1 other is as good".to_owned(),
        count => format!("{count} others are as good"),
    };
    Some(format!("{are}: {}.", named(&answer.tied_with, document)))
}

/// What may be better, and how many runs would show it.
fn open(answer: &ProgramAnswer, document: &TuneDocument) -> Option<String> {
    if answer.open.is_empty() || answer.first_look_runs.is_some() {
        return None;
    }
    let runs = plural(answer.runs_needed.unwrap_or(0), "run");
    let noise = share(answer.noise.unwrap_or(0.0));
    // At the end of what is looked for, no figure is known.
    let (noise, runs) = if answer.noise_is_more {
        (format!("at least {noise}"), format!("at least {runs}"))
    } else {
        (noise, format!("about {runs}"))
    };
    Some(format!(
        "Open: {}. Runs vary by {noise}: {runs} of each would show a difference of {}.",
        named(&answer.open, document),
        share(document.within)
    ))
}

fn limit(word: Limit, document: &TuneDocument) -> Option<String> {
    if word == Limit::Unclear {
        return None;
    }
    if document.urls.is_some() && word == Limit::NetworkBound {
        return Some("More workers get no more answers per second.".to_owned());
    }
    Some(format!("{}.", units::upper_first(verdict::limit(word))))
}

fn edges(answer: &ProgramAnswer) -> Option<String> {
    let names: Vec<&str> = answer
        .edges
        .iter()
        .map(|edge| match edge {
            EdgeWord::FewestWorkers => "the fewest workers",
            EdgeWord::MostWorkers => "the most workers",
            EdgeWord::SmallestTask => "the smallest task",
            EdgeWord::LargestTask => "the largest task",
        })
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "It is at the edge of what could be measured ({}): better may lie beyond.",
            names.join(", ")
        )
    })
}

/// How much longer the whole bucket takes than any run of its size before it is said.
const LONGER: f64 = 1.5;

fn not_seen(
    answer: &ProgramAnswer,
    (choice, document): (&TunedChoice, &TuneDocument),
) -> Option<String> {
    let seen_s = answer.seen_for_s?;
    if document.urls.is_some() {
        return None;
    }
    (choice.seconds[1] > LONGER * seen_s).then(|| {
        format!(
            "No run of this size was longer than {}: whether its rate drops later was not seen.",
            time(seen_s)
        )
    })
}

/// What the other end of the scale takes: faster for more money, or cheaper for more time.
fn other_goal(answer: &ProgramAnswer, document: &TuneDocument) -> Option<String> {
    let chosen = answer
        .choice(document.goal)
        .filter(|_| document.urls.is_none())?;
    let (label, other) = match document.goal {
        GoalWord::Cheapest | GoalWord::Balanced => ("Fastest", answer.fastest.as_ref()?),
        GoalWord::Fastest => ("Cheapest", answer.cheapest.as_ref()?),
    };
    (other.configuration != chosen.configuration).then(|| {
        let said = format!(
            "{label} of what was measured: {}: {}.",
            configuration(&other.configuration, document),
            WholeBucketTime::of_tune(other, (answer, document)).in_a_line()
        );
        let contradicted = contradicted(answer, (other, document));
        std::iter::once(said)
            .chain(contradicted)
            .collect::<Vec<_>>()
            .join(" ")
    })
}

/// That its modes cannot be compared, as a sweep says it.
pub(crate) fn no_contrast(document: &TuneDocument) -> Option<String> {
    let ran = document.steps.iter().filter(|step| step.seen.is_some());
    let modes = ran.map(|step| step.configuration.mode);
    let note = Note::no_contrast(modes, document.client_cpus)?;
    Some(sentence(&notes::note(&note)))
}

/// What runs elsewhere than on Fargate cannot say.
pub(crate) fn elsewhere(document: &TuneDocument) -> Option<&'static str> {
    match document.on.as_str() {
        _ if document.urls.is_some() => None,
        "model" => Some(OF_A_MODEL),
        "local" => Some("Measured on this machine: CPU, network and store are not Fargate's."),
        _ => None,
    }
}

#[cfg(test)]
pub(in crate::render) mod tests {
    use super::*;
    use crate::plan::Mode;
    use crate::render::wording::tune_steps::{effort, left_out, step};
    use crate::results::tune::{
        DroppedSize, ExpectedRate, StepFigures, StepReason, StoppedBecause, TuneStep,
    };

    fn configured(vcpu: f64, mode: Mode, concurrency: u32) -> TunedConfiguration {
        TunedConfiguration {
            vcpu,
            memory_mib: 1_024,
            mode,
            concurrency,
        }
    }

    fn stepped(run: u64, of: TunedConfiguration, objects_per_s: f64) -> TuneStep {
        TuneStep {
            run,
            program: "lean".to_owned(),
            factors: crate::plan::Factors::default(),
            configuration: of,
            repetition: 1,
            why: StepReason::Start,
            keys: Some(100),
            duration_s: None,
            expected_objects_per_s: Some(objects_per_s),
            expected_s: None,
            seen: Some(StepFigures {
                objects_per_s: Some(objects_per_s),
                bytes_per_s: Some(objects_per_s * 1e6),
                fetch_s: 5.0,
                tail_s: Some(0.1),
                throttled: Some(0.0),
                cpu_share: None,
                drop_at_s: None,
            }),
            failure: None,
        }
    }

    pub(in crate::render) fn document(steps: Vec<TuneStep>) -> TuneDocument {
        TuneDocument {
            schema: crate::results::tune::SCHEMA.to_owned(),
            version: 1,
            tool_version: "0.2.0".to_owned(),
            id: "first".to_owned(),
            on: "local".to_owned(),
            urls: None,
            goal: GoalWord::Cheapest,
            deadline_s: None,
            within: 0.05,
            wanted_confidence: 0.95,
            objects: 1_000,
            object_bytes: Some(1_000_000_000),
            answers: Vec::new(),
            left_out: Vec::new(),
            runs: steps.len() as u64,
            most_runs: 150,
            bytes: 2_000_000_000,
            seconds: 40.0,
            usd_spent: None,
            client_cpus: None,
            stopped_because: Some(StoppedBecause::Sure),
            steps,
        }
    }

    #[test]
    fn a_step_is_compared_with_the_run_that_it_is_most_alike() {
        let steps = vec![
            stepped(1, configured(1.0, Mode::Async, 1), 50.0),
            stepped(2, configured(1.0, Mode::Async, 16), 700.0),
            stepped(3, configured(1.0, Mode::Async, 32), 987.0),
            stepped(4, configured(1.0, Mode::Async, 32), 987.0),
            stepped(5, configured(0.5, Mode::Async, 16), 350.0),
            // Nothing before has its mode or its size.
            stepped(6, configured(0.25, Mode::Process, 1), 30.0),
        ];
        let document = document(steps);
        let lines: Vec<String> = document
            .steps
            .iter()
            .map(|one| step(one, &document))
            .collect();
        assert_eq!(
            lines,
            [
                "  1/150  1 vCPU, 1 GB, async × 1: 50.0 MB/s",
                "  2/150  1 vCPU, 1 GB, async × 16: 700 MB/s; 1 → 16 workers: 14 times as fast",
                "  3/150  1 vCPU, 1 GB, async × 32: 987 MB/s; 16 → 32 workers: 41 % faster",
                "  4/150  1 vCPU, 1 GB, async × 32: 987 MB/s; again: as fast as before",
                "  5/150  0.5 vCPU, 1 GB, async × 16: 350 MB/s; 50 % slower than with 1 vCPU",
                "  6/150  0.25 vCPU, 1 GB, process × 1: 30.0 MB/s",
            ]
        );
    }

    #[test]
    fn of_empty_objects_the_steps_say_how_many() {
        let empty = |run, workers, rate: f64| {
            let mut one = stepped(run, configured(1.0, Mode::Async, workers), rate);
            if let Some(seen) = &mut one.seen {
                seen.bytes_per_s = Some(0.0);
            }
            one
        };
        let document = document(vec![empty(1, 1, 50.0), empty(2, 4, 100.0)]);
        let line = step(&document.steps[1], &document);
        assert!(
            line.contains(" objects/s; 1 → 4 workers: 2.0 times as fast"),
            "{line}"
        );
    }

    #[test]
    fn runs_that_differ_by_times_are_said_beside_the_confidence() {
        let of = configured(1.0, Mode::Async, 32);
        let said = |slow: f64, on: &str| {
            let again = TuneStep {
                repetition: 2,
                ..stepped(3, of, slow)
            };
            let other = stepped(2, configured(1.0, Mode::Async, 1), 3.0);
            let steps = vec![stepped(1, of, 424.0), other, again];
            let document = TuneDocument {
                on: on.to_owned(),
                ..document(steps)
            };
            let answer = ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean));
            unsteady(&answer, &document)
        };
        assert_eq!(
            said(46.0, "local").as_deref(),
            Some(
                "Runs of 1 vCPU, 1 GB, async × 32 differ by a factor of 9.2: was there other work on this machine?"
            )
        );
        assert_eq!(
            said(46.0, "ecs").as_deref(),
            Some("Runs of 1 vCPU, 1 GB, async × 32 differ by a factor of 9.2.")
        );
        assert_eq!(said(300.0, "local"), None);
    }

    /// Without a price.
    fn chosen(configuration: TunedConfiguration, seconds: [f64; 3]) -> TunedChoice {
        TunedChoice {
            configuration,
            seconds,
            usd: None,
            usd_requests: None,
            usd_retrieval: None,
            usd_egress: None,
            requests_per_s: None,
            is_minimum: false,
            is_of_on_demand: false,
            runs: 3,
        }
    }

    #[test]
    fn a_time_that_no_run_of_the_choice_showed_is_said() {
        let of = configured(1.0, Mode::Async, 32);
        let said = |rates: [f64; 3]| {
            let steps = rates.iter().zip(1..);
            let document = document(steps.map(|(rate, run)| stepped(run, of, *rate)).collect());
            let answered = ProgramAnswer {
                cheapest: Some(chosen(of, [1.5, 2.6, 4.8])),
                ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
            };
            answer(&answered, &document).sentences.join(" ")
        };
        // 1,000 objects.
        let slower = "Each of its 3 runs was slower, at 5.00 s to 5.56 s for the whole bucket: the runs of this tune contradict each other.";
        assert!(said([200.0, 180.0, 190.0]).contains(slower));
        let one_in_the_range = said([210.0, 180.0, 190.0]);
        assert!(!one_in_the_range.contains("slower"), "{one_in_the_range}");
    }

    #[test]
    fn a_run_that_was_faster_than_the_time_of_its_configuration_is_said() {
        let (cheapest, fastest) = (
            configured(1.0, Mode::Async, 32),
            configured(2.0, Mode::Async, 32),
        );
        let said = |rate: f64| {
            let steps = vec![stepped(1, cheapest, 100.0), stepped(2, fastest, rate)];
            let answered = ProgramAnswer {
                cheapest: Some(chosen(cheapest, [9.0, 10.5, 12.0])),
                fastest: Some(chosen(fastest, [7.14, 7.83, 8.6])),
                // 10 s at its rate, and 0.5 s around.
                curve: vec![ExpectedRate {
                    configuration: cheapest,
                    objects_per_s: Some(100.0),
                    run_s: None,
                }],
                ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
            };
            answer(&answered, &document(steps)).sentences.join(" ")
        };
        let faster = "7.83 s. Its only run was faster, at 6.50 s for the whole bucket: the other runs of this tune say that it is slower.";
        let found = said(1_000.0 / 6.0);
        assert!(found.ends_with(faster), "{found}");
        // 6.7 s are below the range, but not with what is around them.
        let in_the_range = said(1_000.0 / 6.7);
        assert!(!in_the_range.contains("faster, at"), "{in_the_range}");
    }

    #[test]
    fn cpus_that_were_shared_are_said_where_modes_were_compared() {
        let said = |modes: [Mode; 2], client_cpus| {
            let steps = modes.into_iter().zip(1..);
            let steps = steps.map(|(mode, run)| stepped(run, configured(1.0, mode, 4), 100.0));
            no_contrast(&TuneDocument {
                client_cpus,
                ..document(steps.collect())
            })
        };
        let both = [Mode::Thread, Mode::Process];
        assert_eq!(
            said(both, Some(0)).as_deref(),
            Some(
                "The client shared its CPUs with the server: threads and processes cannot be compared here, as they differ only on several CPUs, nor can sizes: a larger one takes CPU from the server."
            )
        );
        assert_eq!(
            [
                said(both, Some(2)),
                said(both, None),
                said([Mode::Async, Mode::Thread], Some(0))
            ],
            [None, None, None]
        );
    }

    #[test]
    fn a_line_of_a_program_that_is_only_timed_says_which_way_it_went() {
        let timed = |run, workers, fetch_s| {
            let mut one = stepped(run, configured(1.0, Mode::Thread, workers), 1.0);
            one.seen = one.seen.map(|seen| StepFigures {
                objects_per_s: None,
                bytes_per_s: None,
                fetch_s,
                ..seen
            });
            one
        };
        let document = document(vec![timed(1, 16, 4.0), timed(2, 32, 4.3)]);
        let line = step(&document.steps[1], &document);
        assert!(
            line.ends_with(": 4.30 s a run; 16 → 32 workers: 7 % slower"),
            "{line}"
        );
    }

    #[test]
    fn runs_below_a_second_recommend_nothing() {
        let of = configured(1.0, Mode::Async, 32);
        let answered = ProgramAnswer {
            cheapest: Some(chosen(of, [0.5, 0.6, 0.7])),
            tied_with: vec![configured(1.0, Mode::Async, 16)],
            ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
        };
        let said = |first_look_s: Option<f64>| {
            let answered = ProgramAnswer {
                confidence: first_look_s.is_none().then_some(1.0),
                first_look_s,
                ..answered.clone()
            };
            answer(&answered, &document(Vec::new())).sentences
        };
        let (enough, short) = (said(None), said(Some(0.4)));
        assert!(enough[1].starts_with("Sure (above 99 %)"), "{enough:?}");
        let ties = |said: &[String]| said.iter().any(|one| one.contains("as good"));
        assert_eq!((ties(&enough), ties(&short)), (true, false));
        assert_eq!(
            short[1],
            "Not a recommendation yet: its runs fetched for only 400 ms. A larger bucket gives longer runs."
        );
        let of_urls = TuneDocument {
            urls: Some("http://h/".to_owned()),
            ..document(Vec::new())
        };
        let short = ProgramAnswer {
            confidence: None,
            first_look_s: Some(0.4),
            ..answered.clone()
        };
        assert_eq!(
            answer(&short, &of_urls).sentences[1],
            "Not a recommendation yet: its runs lasted only 400 ms. A new tune with -z 5s has longer runs."
        );
        let timed = ProgramAnswer {
            is_timed_alone: true,
            first_look_s: Some(0.4),
            ..answered
        };
        assert_eq!(
            answer(&timed, &document(Vec::new())).sentences[1],
            "Not a recommendation yet: its runs took only 400 ms. Longer runs need more work for the program."
        );
    }

    #[test]
    fn where_the_minimum_is_billed_a_faster_one_of_the_same_price_is_better_too() {
        let said = |seconds: f64, is_minimum: bool| {
            let answered = ProgramAnswer {
                cheapest: Some(TunedChoice {
                    is_minimum,
                    ..chosen(configured(0.5, Mode::Async, 32), [seconds; 3])
                }),
                confidence: Some(1.0),
                ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
            };
            how_sure(&answered, &document(Vec::new()))
        };
        let of_time = "than 5 % cheaper, as far";
        assert!(said(67.0, false).contains(of_time));
        assert_eq!(
            said(4.6, true),
            said(67.0, false).replace(
                of_time,
                "than 5 % cheaper, or as cheap and more than 22 % faster, as far"
            )
        );
        let on_fargate = TuneDocument {
            on: "ecs".to_owned(),
            ..document(Vec::new())
        };
        let answered = ProgramAnswer {
            cheapest: Some(TunedChoice {
                is_minimum: true,
                ..chosen(configured(0.5, Mode::Async, 32), [4.6; 3])
            }),
            ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
        };
        assert!(
            how_sure(&answered, &on_fargate).contains("22 % faster with the pull of its image, as")
        );
    }

    #[test]
    fn a_chance_that_too_few_runs_show_says_by_how_many() {
        let said = |runs: u64| {
            let answered = ProgramAnswer {
                cheapest: Some(TunedChoice {
                    runs,
                    ..chosen(configured(0.5, Mode::Async, 32), [67.0; 3])
                }),
                confidence: Some(1.0),
                ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
            };
            how_sure(&answered, &document(Vec::new()))
        };
        assert!(said(3).starts_with("Sure (above 99 %): "));
        assert!(said(2).starts_with("Likely (above 99 %, by 2 runs of it): "));
    }

    #[test]
    fn a_size_that_is_left_out_says_how_much_more_it_costs() {
        let said = |worse: f64, deadline_s: Option<f64>| {
            let answered = ProgramAnswer {
                dropped: vec![DroppedSize {
                    configuration: configured(2.0, Mode::Async, 32),
                    worse,
                    runs: 0,
                }],
                ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
            };
            let document = TuneDocument {
                deadline_s,
                ..document(Vec::new())
            };
            let line = left_out(&answered, &document).remove(0);
            let said = line.split_once("configuration is ").unwrap().1;
            said.split_once(" (").unwrap().0.to_owned()
        };
        assert_eq!(said(0.21, None), "about 21 % more expensive");
        assert_eq!(said(3.0, None), "about 4.0 times as expensive");
        assert_eq!(said(-0.08, None), "slower, and at most a little cheaper");
        assert_eq!(said(0.21, Some(60.0)), "about 21 % worse in price and time");
        assert_eq!(said(900.0, Some(60.0)), "too late, or far more expensive");
    }

    #[test]
    fn the_answer_says_what_it_is_sure_of_and_what_is_open() {
        let choice = |of, seconds| TunedChoice {
            configuration: of,
            seconds,
            usd: Some([0.0004, 0.0005, 0.0006]),
            usd_requests: Some(0.0004),
            usd_retrieval: Some(0.0),
            usd_egress: None,
            requests_per_s: None,
            is_minimum: false,
            is_of_on_demand: false,
            runs: 3,
        };
        let of = ProgramAnswer {
            cheapest: Some(choice(configured(0.5, Mode::Async, 32), [63.0, 67.0, 71.0])),
            fastest: Some(choice(
                configured(4.0, Mode::Async, 128),
                [24.0, 25.0, 27.0],
            )),
            confidence: Some(0.78),
            tied_with: vec![configured(0.5, Mode::Thread, 32)],
            open: vec![
                configured(0.5, Mode::Async, 64),
                configured(0.5, Mode::Async, 16),
            ],
            runs_needed: Some(52),
            noise: Some(0.1),
            limit: Some(Limit::CpuBound),
            seen_for_s: Some(5.0),
            ..ProgramAnswer::nothing(&crate::cell::Program::Client(ClientKind::Lean))
        };
        let words = answer(&of, &document(Vec::new()));
        assert_eq!(
            words.title(),
            "Cheapest with the lean client: 0.5 vCPU, 1 GB, async × 32"
        );
        assert_eq!(
            words.line.as_deref(),
            Some("MODE=async CONCURRENCY=32 PARFETCH_CLIENT=lean")
        );
        let expected = [
            "The whole bucket, 1.00 GB, takes 67 s (63 s to 71 s) and would cost $0.000900 on Fargate ($0.000800 to $0.00100; requests $0.000400).",
            "Likely (78 %): no other configuration is more than 5 % cheaper, as far as the platform behaves as such platforms do.",
            "1 other is as good: 0.5 vCPU, 1 GB, thread × 32.",
            "Open: 0.5 vCPU, 1 GB, async × 16, 64. Runs vary by 10 %: about 52 runs of each would show a difference of 5 %.",
            "The CPU is the limit.",
            "No run of this size was longer than 5.00 s: whether its rate drops later was not seen.",
            "Fastest of what was measured: 4 vCPUs, 1 GB, async × 128: 25 s, $0.000900.",
        ];
        assert_eq!(words.sentences, expected);
        let late = TuneDocument {
            deadline_s: Some(60.0),
            ..document(Vec::new())
        };
        let late = answer(&of, &late);
        assert_eq!(
            late.label, "Closest to the deadline with the lean client",
            "{:?}",
            late.sentences
        );
        let in_time = TuneDocument {
            deadline_s: Some(70.0),
            ..document(Vec::new())
        };
        let in_time = answer(&of, &in_time);
        assert_eq!(
            in_time.label,
            "Cheapest in 70 s or less with the lean client"
        );
        let may_be_late = "It may be late: its time can be 71 s, and the deadline is 70 s.";
        assert!(
            in_time.sentences.iter().any(|one| one == may_be_late),
            "{in_time:?}"
        );
        let ended = ProgramAnswer {
            confidence: None,
            first_look_runs: Some(2),
            ..of.clone()
        };
        assert!(words.overrides.is_some());
        let first = answer(&ended, &document(Vec::new()));
        assert_eq!((&first.line, &first.overrides), (&None, &None));
        let said = first.sentences;
        assert_eq!(
            said[1],
            "Not a recommendation yet: the tune ended after 2 runs of it. The same command with `--id first` continues it."
        );
        assert!(!said.iter().any(|one| one.contains('%')), "{said:?}");
        assert_eq!(
            answer(&ended, &document(Vec::new())).title(),
            "A first look: cheapest with the lean client: 0.5 vCPU, 1 GB, async × 32"
        );
        let at_limit = TuneDocument {
            stopped_because: Some(StoppedBecause::MaxRuns),
            ..document(Vec::new())
        };
        assert!(
            answer(&ended, &at_limit).sentences[1]
                .ends_with(" The same command with `--id first` and a higher limit continues it.")
        );
        let none = TuneDocument {
            stopped_because: Some(StoppedBecause::Interrupted),
            ..document(Vec::new())
        };
        assert_eq!(
            effort(&none),
            "No run was made. Stopped: it was interrupted."
        );
        // The most that is looked for is no figure.
        let noisy = ProgramAnswer {
            noise: Some(0.19),
            noise_is_more: true,
            runs_needed: Some(188),
            ..of
        };
        let said = answer(&noisy, &document(Vec::new())).sentences;
        assert!(
            said[3].ends_with("Runs vary by at least 19 %: at least 188 runs of each would show a difference of 5 %."),
            "{said:?}"
        );
    }
}
