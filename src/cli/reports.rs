//! Settings of `report` and `compare`, and their help texts.

use super::setting::Takes::{Choice, Nothing, Value};
use super::setting::{Setting, settings, tables, under};
use super::shared::{PRICED, TO_RESULTS};

/// Settings of `report`.
pub const REPORT: &[Setting] = tables![
    settings! {
    "What is shown" {
        "format" -'f' /"output" [] Choice("FORMAT", &["text", "md", "csv", "json", "html"]), "text", "text, md, csv, json or html", "text, md, csv, json or html";
        "metric" [] Value("NAME,…"), "throughput", "Tables of these metrics (text, md)", "What the tables show";
        "all" [] Nothing, "", "Show everything: what limits each configuration, failures, notes, the method (text), and tables of every metric, or of the metrics in --metric (text, md)", "Show everything";
    }},
    &under("What is shown", PRICED),
    settings! {
    "Where it goes" {
        "out" -'o' [] Value("FILE"), "", "Write into this file instead of stdout", "Write into this file instead of stdout";
        "html" [] Value("FILE"), "", "Write the HTML page into this file as well", "Also write a page with charts";
    }},
    TO_RESULTS,
];

/// Settings of `compare`.
pub const COMPARE: &[Setting] = tables![
    settings! {
    "What is compared" {
        "metric" [] Value("NAME"), "throughput", "The metric that is compared", "What is compared";
        "programs" [] Value("BASE,NEW"), "", "Compare these two programs of one set of sweeps (or one program of each set) instead of each program with itself", "Two programs of one sweep";
        "fail-over" [] Value("PCT"), "", "End with exit code 6 if a significant loss, alone or of all together, is larger than PCT per cent", "Exit code 6 for a loss above PCT per cent";
    }},
    &under("What is compared", PRICED),
    settings! {
    "What is shown" {
        "format" -'f' /"output" [] Choice("FORMAT", &["text", "md", "csv", "json"]), "text", "text, md, csv or json", "text, md, csv or json";
        "all" [] Nothing, "", "Show how sure each difference is, what all configurations say together, and the method (text, md); csv and json hold everything", "Show probabilities and the method";
        "out" -'o' [] Value("FILE"), "", "Write into this file instead of stdout", "Write into this file";
    }},
    TO_RESULTS,
];

pub(super) const REPORT_ABOUT: &str =
    "Show what runs and sweeps found, and which configuration to take";

/// Examples below `report -h`.
pub(super) const REPORT_BRIEF: &str = "\
Examples:
  parfetch report
  parfetch report s3://results/sweeps/first --html first.html";

/// Examples below `report --help`.
pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  parfetch report         the newest sweep in ./parfetch-results
  parfetch report --all   the reasons behind the answer
  parfetch report s3://results/sweeps/study-1 --html study-1.html
  parfetch report ./a ./b --format md --all > report.md
  parfetch report ./out --metric ttfb_p99,cpu_per_gb
  parfetch report ./out --format csv --out table.csv

Metrics: throughput goodput active_window fetch_time start_and_fetch_time ttfb_p50 ttfb_p99 latency_p50 latency_p99 cpu_per_gb \
whole_cpu_per_gb cpu_share tail_share peak_memory usd_per_tb task_usd_per_tb attempts_per_object failed_objects throttles requests_per_s";

pub(super) const COMPARE_ABOUT: &str =
    "Compare two sets of results, one configuration after another";

/// Examples below `compare -h`.
pub(super) const COMPARE_BRIEF: &str = "\
Examples:
  parfetch compare ./before ./after --fail-over 5
  parfetch compare ./sweep --programs old,new";

/// Examples below `compare --help`.
pub(super) const COMPARE_EXAMPLES: &str = "\
Examples:
  parfetch compare ./before ./after
  parfetch compare s3://results/sweeps/a s3://results/sweeps/b --metric ttfb_p99
  parfetch compare ./before ./after --metric task_usd_per_tb   price of tasks
  parfetch compare ./main ./branch --fail-over 5               exit code 6: loss
  parfetch compare ./both --programs old,new                   of one sweep

Two sweeps at two times also differ by the time. So a configuration of two sweeps is better or worse only if it also changed in comparison \
with the others; `all` marks a change of all together. `~` marks what has no clear difference; --all shows the probabilities.
Metrics: as in `parfetch report --help`.";
