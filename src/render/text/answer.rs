//! The answer, which stands first: what to run, how sure that is, and what qualifies it. At most 25 lines of 80 columns, so that it is seen as a whole.

use super::page::TextPage;
use super::view::Role;
use crate::analysis::advice::{Choice, Recommendation};
use crate::analysis::model::Study;
use crate::escape::terminal;
use crate::render::wording::{advice, answer, facts, sections};
use crate::shell;

/// Programs beside the first that are named.
const OTHERS: usize = 2;

/// Everything that is answered.
pub(super) fn render(page: &mut TextPage<'_>, study: &Study) {
    page.paragraph("  ", &terminal(&answer::what_was_measured(study)), 2);
    let Some((first, others)) = study.recommendations.split_first() else {
        return;
    };
    page.gap();
    whole(page, study, first);
    if !others.is_empty() {
        page.line(match others.len() {
            1 => "Cheapest for the other program (more with --all):".to_owned(),
            2..=OTHERS => "Cheapest for the other programs (more with --all):".to_owned(),
            all => format!("Cheapest for {OTHERS} of {all} other programs (the rest with --all):"),
        });
    }
    for other in others.iter().take(OTHERS) {
        page.paragraph("  ", &terminal(&answer::in_a_line(study, other)), 4);
    }
    for clocks in facts::clocks(study) {
        page.paragraph("Note: ", &terminal(&format!("{clocks}.")), 2);
    }
    let Some(note) = answer::elsewhere(&study.workload) else {
        return;
    };
    page.paragraph("Note: ", note, 2);
    if let Some(line) = answer::on_fargate(&study.workload) {
        page.line(format!("  {line}"));
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
    for (number, (label, choice)) in sections::choices(recommendation).into_iter().enumerate() {
        let title = format!(
            "{label}: {} ({})",
            answer::chosen(study, choice),
            answer::program(&recommendation.program)
        );
        page.line((page.paint)(Role::Best, &terminal(&title)));
        let said = if number == 0 {
            answer::in_full(study, choice)
        } else {
            answer::in_brief(study, choice)
        };
        page.paragraph("  ", &terminal(&said.paragraph()), 2);
        to_paste(page, choice);
        // What RunTask takes is long: once here, and all with `--all`. It is of a task of parfetch.
        let is_shown = number == 0 && recommendation.program.is_parfetch();
        if let Some(overrides) = choice.run_task_overrides.as_ref().filter(|_| is_shown) {
            page.line(format!(
                "  --overrides {}",
                terminal(&shell::word(overrides))
            ));
        }
    }
}

/// The variables of a choice: never broken. A first look is nothing to paste.
pub(super) fn to_paste(page: &mut TextPage<'_>, choice: &Choice) {
    if choice.first_look.is_some() {
        return;
    }
    page.line(format!("  {}", terminal(&sections::environment(choice))));
}
