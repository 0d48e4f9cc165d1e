//! The answer, which stands first: what to run, how sure that is, and what qualifies it. At most 25 lines of 80 columns, so that it is seen as a whole.

use super::page::TextPage;
use super::tune::answers;
use super::view::Role;
use crate::analysis::advice::{Choice, Recommendation};
use crate::analysis::model::Study;
use crate::escape::terminal;
use crate::render::wording::sentence::sentence;
use crate::render::wording::served::WebAnswer;
use crate::render::wording::{advice, answer, facts, notes, others, sections};

/// Programs behind the first that are named.
const OTHERS: usize = 2;

/// Everything that is answered.
pub(super) fn render(page: &mut TextPage<'_>, study: &Study) {
    page.paragraph("  ", &terminal(&answer::what_was_measured(study)), 2);
    if let Some(sweeps) = others::other_sweeps(study) {
        page.paragraph("  ", &terminal(&sweeps), 2);
    }
    for left_out in notes::left_out(study) {
        page.paragraph("  ", &terminal(&left_out), 2);
    }
    if let Some(document) = &study.facts.tune {
        answers(page, document);
        let added = others::added(study);
        if !added.is_empty() {
            page.gap();
            page.line(format!("{}:", others::ADDED));
        }
        for other in added {
            page.paragraph("  ", &terminal(&others::in_a_line(study, other)), 4);
        }
        return qualified(page, study);
    }
    if let Some(web) = WebAnswer::of(study) {
        return of_web_server(page, study, &web);
    }
    let Some((first, rest)) = study.recommendations.split_first() else {
        return;
    };
    page.gap();
    whole(page, study, first);
    if !rest.is_empty() {
        let more = match rest.len().saturating_sub(OTHERS) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        page.line(format!(
            "{} (--all for all{more}):",
            others::others_title(study)
        ));
    }
    for other in rest.iter().take(OTHERS) {
        page.paragraph("  ", &terminal(&others::in_a_line(study, other)), 4);
    }
    for clocks in facts::clocks(study) {
        page.paragraph("Note: ", &terminal(&format!("{clocks}.")), 2);
    }
    qualified(page, study);
    let Some(note) = answer::elsewhere(&study.workload) else {
        return;
    };
    page.paragraph("Note: ", note, 2);
    if let Some(line) = answer::on_fargate(&study.workload) {
        page.line(format!("  {line}"));
    }
}

/// What nobody may miss who reads the answer.
fn qualified(page: &mut TextPage<'_>, study: &Study) {
    for note in notes::no_contrast(study)
        .iter()
        .chain(&notes::own_times(study))
    {
        page.paragraph("Note: ", &terminal(note), 2);
    }
}

/// Which configuration of a web server answers most requests a second.
fn of_web_server(page: &mut TextPage<'_>, study: &Study, web: &WebAnswer) {
    page.gap();
    let most = match &web.said {
        Ok(most) => most,
        Err(nothing) => return page.paragraph("", &sentence(nothing), 2),
    };
    page.line((page.paint)(Role::Best, &terminal(&most.headline)));
    page.paragraph("  ", &terminal(&most.in_full()), 2);
    for note in notes::own_times(study) {
        page.paragraph("Note: ", &terminal(&note), 2);
    }
    for clocks in facts::clocks(study) {
        page.paragraph("Note: ", &terminal(&format!("{clocks}.")), 2);
    }
}

fn whole(page: &mut TextPage<'_>, study: &Study, recommendation: &Recommendation) {
    if let Some(because) = recommendation.because.as_ref().map(advice::lack) {
        page.paragraph(
            "",
            &terminal(&format!(
                "{}: {because}.",
                answer::program(&recommendation.program)
            )),
            2,
        );
    }
    let goals = sections::choices(recommendation);
    for (number, goal) in goals.into_iter().enumerate() {
        let title = answer::headline(study, recommendation, goal);
        page.line((page.paint)(Role::Best, &terminal(&title)));
        let (mut said, is_first) = if number == 0 {
            (answer::in_full(study, goal), true)
        } else {
            (answer::in_brief(study, goal), false)
        };
        if is_first && !recommendation.program.is_parfetch() {
            said.rest.extend(others::against_others(study, goal.choice));
        }
        let again = said.again.take();
        page.paragraph("  ", &terminal(&said.paragraph()), 2);
        if let Some(again) = again {
            page.paragraph("  ", &terminal(&again.what), 2);
            if let Some(line) = again.line {
                page.line(format!("    {}", terminal(&line)));
            }
        }
        to_paste(page, goal.choice);
        // What RunTask takes is long: once here, and all with `--all`.
        if let Some(overrides) = goal.choice.run_task_overrides.as_ref().filter(|_| is_first) {
            page.overrides(overrides);
        }
    }
}

/// The variables of a choice: never broken. A first look is nothing to paste.
pub(super) fn to_paste(page: &mut TextPage<'_>, choice: &Choice) {
    if choice.first_look.is_some() {
        return;
    }
    let variables = sections::environment(choice);
    // A program that takes none of the factors has nothing to be told.
    if !variables.is_empty() {
        page.line(format!("  {}", terminal(&variables)));
    }
}
