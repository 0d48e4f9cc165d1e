//! Judges one run that has ended, by the rules of [`super::verdict`].

use super::document::Summary;
use super::facts::{ServerFacts, State};
use super::verdict::{Finding, Limit, Verdict};
use crate::units;

/// Judges a finished run; `None` when nothing was measured.
pub(super) fn judge(summary: &Summary, server: Option<&ServerFacts>) -> Option<Verdict> {
    if summary.state == State::Running || summary.totals.is_none() {
        return None;
    }
    let findings = [
        failed(summary),
        server_bound(summary, server),
        cpu_bound(summary),
        quota_throttled(summary),
        throttled(summary),
        tail_bound(summary),
    ];
    let mut verdict = Verdict::of(findings.into_iter().flatten().collect());
    if verdict.word == Limit::Unclear {
        let what = match summary.settings.http {
            Some(_) => "more workers get more answers per second",
            None => "the network or the single connection sets the rate",
        };
        verdict
            .because
            .push(format!("run a sweep to find out whether {what}"));
    }
    Some(verdict)
}

fn failed(summary: &Summary) -> Option<Finding> {
    if let Some(flaw) = summary.flaw() {
        return Some(Finding {
            limit: Limit::Failed,
            holds: true,
            figure: flaw.in_words_of(summary.settings.noun()),
        });
    }
    let rows = summary.totals?.rows;
    if summary.state == State::Failed && rows.not_attempted > 0 {
        let figure = format!(
            "{} of {} {} not attempted",
            units::count(rows.not_attempted),
            units::plural(rows.sum(), summary.settings.noun()),
            units::were(rows.not_attempted)
        );
        return Some(Finding {
            limit: Limit::Failed,
            holds: true,
            figure,
        });
    }
    if rows.ok > 0 {
        return None;
    }
    let figure = match rows.failed {
        0 => format!("no {} was fetched", summary.settings.noun()),
        failed => format!("no fetch ended well, {} failed", units::count(failed)),
    };
    Some(Finding {
        limit: Limit::Failed,
        holds: rows.failed > 0,
        figure,
    })
}

fn server_bound(summary: &Summary, server: Option<&ServerFacts>) -> Option<Finding> {
    let server = server.filter(|server| server.threads > 0)?;
    let wall_ns = summary.phases.fetch_ns.filter(|ns| *ns > 0)?;
    let share = server.cpu_ns as f64 / (wall_ns as f64 * f64::from(server.threads));
    let threads = if server.threads == 1 {
        "thread's".to_owned()
    } else {
        format!("{} threads'", server.threads)
    };
    let figure = format!(
        "the server used {} of its {threads} time",
        units::percent(share)
    );
    Some(Finding::of_share(Limit::ServerBound, share, figure))
}

fn cpu_bound(summary: &Summary) -> Option<Finding> {
    let used = summary.cpu.used_vcpu?;
    let Some(limit) = summary.cpu.limit_vcpu.filter(|limit| *limit > 0.0) else {
        return Some(Finding::of_share(
            Limit::CpuBound,
            0.0,
            format!("fetching used {used:.2} vCPU of an unknown number"),
        ));
    };
    let share = used / limit;
    let figure = format!(
        "fetching used {used:.2} of {limit} vCPU ({})",
        units::percent(share)
    );
    Some(Finding::of_share(Limit::CpuBound, share, figure))
}

fn quota_throttled(summary: &Summary) -> Option<Finding> {
    let held_ns = summary.cpu.throttled_ns?;
    let share = held_ns as f64 / summary.phases.fetch_ns.filter(|ns| *ns > 0)? as f64;
    Some(Finding::of_share(
        Limit::QuotaThrottled,
        share,
        format!(
            "the CPU quota held it back for {} of the time",
            units::percent(share)
        ),
    ))
}

fn throttled(summary: &Summary) -> Option<Finding> {
    let attempts = summary
        .attempts
        .as_ref()
        .filter(|attempts| attempts.total > 0)?;
    let share = attempts.throttles as f64 / attempts.total as f64;
    let figure = format!(
        "{} of {} {} throttled ({})",
        units::count(attempts.throttles),
        units::plural(attempts.total, "attempt"),
        units::were(attempts.throttles),
        units::percent(share)
    );
    let limit = match summary.settings.http {
        Some(_) => Limit::Throttled,
        None if attempts.throttles_of_kms().saturating_mul(2) > attempts.throttles => {
            Limit::KmsThrottled
        }
        None => Limit::S3Throttled,
    };
    Some(Finding::of_share(limit, share, figure))
}

fn tail_bound(summary: &Summary) -> Option<Finding> {
    if summary.settings.http.is_some() {
        // Answers have no sizes that decide.
        return None;
    }
    let share = summary.rates.tail_share?;
    Some(Finding::of_share(
        Limit::TailBound,
        share,
        format!("the tail took {} of the fetch time", units::percent(share)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::summary::{Attempts, Outcomes, Totals, fixture};

    fn totals(rows: Outcomes) -> Totals {
        Totals {
            keys_listed: rows.sum(),
            rows,
            ..Totals::default()
        }
    }

    /// A run that shows nothing: 1 of 2 vCPU, nothing throttled, no tail.
    fn calm() -> Summary {
        let mut summary = Summary::running(fixture::header());
        summary.state = State::Complete;
        summary.totals = Some(totals(Outcomes {
            ok: 10,
            ..Outcomes::default()
        }));
        summary.attempts = Some(Attempts {
            total: 1_000,
            ..Attempts::default()
        });
        summary.phases.fetch_ns = Some(10_000_000_000);
        (summary.cpu.used_vcpu, summary.cpu.limit_vcpu) = (Some(1.0), Some(2.0));
        summary.rates.tail_share = Some(0.01);
        summary
    }

    fn word(change: fn(&mut Summary)) -> Limit {
        let mut summary = calm();
        change(&mut summary);
        judge(&summary, None).unwrap().word
    }

    fn set_throttles(summary: &mut Summary, throttles: u64) {
        summary.attempts = Some(Attempts {
            total: 1_000,
            throttles,
            ..Attempts::default()
        });
    }

    #[test]
    fn every_rule_begins_at_its_threshold() {
        assert_eq!(word(|_| ()), Limit::Unclear);
        assert_eq!(word(|s| s.cpu.used_vcpu = Some(1.899)), Limit::Unclear);
        assert_eq!(word(|s| s.cpu.used_vcpu = Some(1.9)), Limit::CpuBound);
        assert_eq!(word(|s| set_throttles(s, 9)), Limit::Unclear);
        assert_eq!(word(|s| set_throttles(s, 10)), Limit::S3Throttled);
        assert_eq!(word(|s| s.rates.tail_share = Some(0.199)), Limit::Unclear);
        assert_eq!(word(|s| s.rates.tail_share = Some(0.2)), Limit::TailBound);
        let of_a_server = |s: &mut Summary| {
            let url = "http://127.0.0.1:8000/".parse().unwrap();
            let source = crate::plan::HttpSource::get(crate::plan::Urls::Typed(vec![url]));
            s.settings.http = Some((&source).into());
            s.rates.tail_share = Some(0.9);
        };
        assert_eq!(word(of_a_server), Limit::Unclear);
        assert_eq!(word(|s| s.cpu.limit_vcpu = None), Limit::Unclear);
        assert_eq!(
            word(|s| s.cpu.throttled_ns = Some(999_999_999)),
            Limit::Unclear
        );
        assert_eq!(
            word(|s| s.cpu.throttled_ns = Some(1_000_000_000)),
            Limit::QuotaThrottled
        );
    }

    #[test]
    fn kms_has_a_word_of_its_own_where_most_refusals_are_its() {
        let by_kms = |kms: u64| {
            let mut summary = calm();
            set_throttles(&mut summary, 100);
            summary.attempts.as_mut().unwrap().by_code = [
                ("KMS.ThrottlingException".to_owned(), kms),
                ("SlowDown".to_owned(), 100 - kms),
            ]
            .into();
            judge(&summary, None).unwrap().word
        };
        assert_eq!(by_kms(50), Limit::S3Throttled);
        assert_eq!(by_kms(51), Limit::KmsThrottled);
    }

    #[test]
    fn the_server_is_the_limit_above_four_fifths_of_its_threads() {
        let server = |cpu_ns| ServerFacts {
            cpu_ns,
            threads: 2,
            report: serde_json::Value::Null,
        };
        assert_eq!(
            judge(&calm(), Some(&server(16_000_000_000))).unwrap().word,
            Limit::Unclear
        );
        let verdict = judge(&calm(), Some(&server(16_100_000_000))).unwrap();
        assert_eq!(verdict.word, Limit::ServerBound);
        assert_eq!(
            verdict.because[0],
            "the server used 80.5 % of its 2 threads' time"
        );
    }

    #[test]
    fn little_fetched_well_is_failed_and_an_empty_bucket_is_not() {
        let of = |ok, failed, vanished| {
            let mut summary = calm();
            summary.totals = Some(totals(Outcomes {
                ok,
                failed,
                vanished,
                ..Outcomes::default()
            }));
            judge(&summary, None).unwrap().word
        };
        assert_eq!(of(0, 0, 0), Limit::Unclear);
        assert_eq!(
            [of(0, 1, 0), of(0, 0, 20), of(1, 9, 0), of(98, 0, 2)],
            [Limit::Failed; 4]
        );
        assert_eq!([of(5, 5, 0), of(99, 0, 1)], [Limit::Unclear; 2]);
    }

    #[test]
    fn the_first_rule_wins_and_the_other_figures_stand_behind_it() {
        let mut summary = calm();
        summary.rates.tail_share = Some(0.5);
        set_throttles(&mut summary, 100);
        let verdict = judge(&summary, None).unwrap();
        assert_eq!(verdict.word, Limit::S3Throttled);
        assert_eq!(
            verdict.because,
            [
                "100 of 1,000 attempts were throttled (10.0 %)",
                "fetching used 1.00 of 2 vCPU (50.0 %)",
                "the tail took 50.0 % of the fetch time"
            ]
        );
    }

    #[test]
    fn a_run_that_goes_on_has_no_verdict() {
        let mut summary = calm();
        summary.state = State::Running;
        assert_eq!(judge(&summary, None), None);
    }

    #[test]
    fn words_are_the_same_in_files_and_on_screen() {
        for word in Limit::ALL {
            assert_eq!(serde_json::to_value(word).unwrap(), word.as_str());
        }
        // As 0.1.0 wrote it.
        assert_eq!(
            serde_json::from_value::<Limit>("inconclusive".into()).unwrap(),
            Limit::Unclear
        );
    }
}
