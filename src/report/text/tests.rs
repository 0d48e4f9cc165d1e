//! What the terminal shows, as a whole.

use super::*;
use crate::output::Style;
use crate::report::sample::{HOSTILE, hostile, sketch};

fn rendered(study: Study, width: usize, style: Style) -> String {
    let paint = |role, text: &str| match role {
        Role::Best | Role::Heading => style.strong(text),
        Role::Failed => style.bad(text),
        Role::Caution => style.caution(text),
    };
    let emphasis = if style == Style::Plain { Emphasis::Unseen } else { Emphasis::Seen };
    render_text(&[study], &View { width, metrics: &[Metric::Throughput], paint: &paint, emphasis })
}

#[test]
fn a_report_of_80_columns() {
    let text = rendered(sketch(), 80, Style::Plain);
    insta::assert_snapshot!(text);
    let wide = |line: &&str| line.chars().count() > 80 && !line.contains("--overrides") && !line.contains("s3://results/sweeps");
    assert_eq!(text.lines().filter(wide).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_report_of_120_columns_with_colours() {
    insta::assert_snapshot!(rendered(sketch(), 120, Style::Coloured));
}

#[test]
fn colours_add_nothing_to_the_text_but_their_legend() {
    let plain = rendered(sketch(), 100, Style::Plain);
    let coloured = console::strip_ansi_codes(&rendered(sketch(), 100, Style::Coloured)).into_owned();
    let without_legend = |text: &str| {
        let text = text.replace("bold: best of its program and size · ", "");
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_legend(&plain), without_legend(&coloured));
}

#[test]
fn other_metrics_have_tables_of_their_own() {
    let study = sketch();
    let paint = |_, text: &str| text.to_owned();
    let text = render_text(&[study], &View { width: 80, metrics: &[Metric::TtfbP99, Metric::PeakMemory], paint: &paint, emphasis: Emphasis::Unseen });
    assert!(text.contains("TTFB p99, ms: median of 6, below it its 95 % interval · client lean · lower"), "{text}");
    assert!(text.contains("81.3–81.3"), "{text}");
    assert!(text.contains("peak memory, MB: not known of any cell"), "{text}");
}

#[test]
fn names_are_text() {
    let text = rendered(hostile(), 80, Style::Plain);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    assert!(text.contains("=a|b<script>") && text.contains("\\n*d*\\u{1b}[2J\\u{202e}"), "{text}");
    assert!(!text.contains(HOSTILE));
}
