//! Typed values out of what was given, each error with the flag or variable under which a person gave it.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::cli::{Given, Raw};
use crate::exit::{Exit, Failure};
use crate::guess;
use crate::plan::MIN_PART_SIZE;
use crate::units;

/// A usage failure: what is wrong, and what to try.
pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message).hint(hint)
}

pub(super) fn part_size(text: &str) -> Result<NonZeroU64, String> {
    let size = units::parse_size(text).map_err(|_| format!("is `{text}`, which is not a size"))?;
    NonZeroU64::new(size)
        .filter(|size| size.get() >= MIN_PART_SIZE)
        .ok_or_else(|| format!("is {text}, less than 1 MiB"))
}

/// Reads typed values out of [`Raw`].
pub(super) struct SettingReader<'a>(pub(super) &'a Raw);

impl SettingReader<'_> {
    pub(super) fn text(&self, flag: &str) -> Option<String> {
        self.0.get(flag).map(|given| given.value.clone())
    }

    pub(super) fn path(&self, flag: &str) -> Option<PathBuf> {
        self.text(flag).map(PathBuf::from)
    }

    pub(super) fn switch(&self, flag: &str) -> Result<bool, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else {
            return Ok(false);
        };
        match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(usage(
                format!("{name} is `{value}`, which is neither yes nor no"),
                "use 1, true, yes, on or 0, false, no, off",
            )),
        }
    }

    /// A value of a closed set of words.
    pub(super) fn word<T: FromStr<Err = String>>(&self, flag: &str) -> Result<Option<T>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|error| {
            let hint = guess::hint(value, self.0.choices(flag).iter().copied());
            usage(
                format!("{name}: {error}"),
                hint.unwrap_or_else(|| {
                    format!("`parfetch {} --help` explains --{flag}", self.0.command)
                }),
            )
        })
    }

    pub(super) fn one_of<T: Copy>(
        &self,
        flag: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else {
            return Ok(None);
        };
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let found = words
            .iter()
            .find(|(word, _)| word == value)
            .map(|(_, meaning)| Some(*meaning));
        found.ok_or_else(|| {
            let hint = guess::hint(value, known.iter().copied()).unwrap_or_else(|| {
                format!("`parfetch {} --help` explains --{flag}", self.0.command)
            });
            usage(
                format!(
                    "{name} is `{value}`, which is not one of {}",
                    known.join(", ")
                ),
                hint,
            )
        })
    }

    pub(super) fn number(
        &self,
        flag: &str,
        range: std::ops::RangeInclusive<u64>,
        what: &str,
    ) -> Result<Option<u64>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else {
            return Ok(None);
        };
        // What a sweep takes.
        let is_list = flag == "concurrency" && (value.contains(',') || value.contains(".."));
        let one =
            || "it takes one number; `parfetch sweep` takes lists and ranges of workers".to_owned();
        let hint = if is_list {
            one()
        } else {
            format!(
                "{what}: a whole number from {} to {}",
                range.start(),
                range.end()
            )
        };
        match value.parse::<u64>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            Ok(_) => Err(usage(
                format!(
                    "{name} is {value}, outside {} to {}",
                    range.start(),
                    range.end()
                ),
                hint,
            )),
            Err(_) => Err(usage(
                format!(
                    "{name} is `{value}`, which is not a whole number from {} to {}",
                    range.start(),
                    range.end()
                ),
                hint,
            )),
        }
    }

    pub(super) fn part_size(&self) -> Result<Option<NonZeroU64>, Failure> {
        let Some(Given { value, name }) = self.0.get("part-size") else {
            return Ok(None);
        };
        part_size(value).map(Some).map_err(|wrong| {
            usage(
                format!("{name} {wrong}"),
                "write it like 8MiB: parts have 1 MiB at least",
            )
        })
    }

    pub(super) fn time(&self, flag: &str) -> Result<Option<Duration>, Failure> {
        let is_long = |time: &Duration| !time.is_zero();
        self.checked_time(flag, ("above 0", &is_long))
    }

    /// A time to wait, which may be none.
    pub(super) fn wait(&self, flag: &str) -> Result<Option<Duration>, Failure> {
        self.checked_time(flag, ("from 0s on", &|_| true))
    }

    fn checked_time(
        &self,
        flag: &str,
        (which, is_allowed): (&str, &dyn Fn(&Duration) -> bool),
    ) -> Result<Option<Duration>, Failure> {
        let Some(Given { value, name }) = self.0.get(flag) else {
            return Ok(None);
        };
        let time = units::parse_duration(value).ok().filter(is_allowed);
        time.map(Some).ok_or_else(|| {
            usage(
                format!("{name} is `{value}`, which is not a length of time {which}"),
                "write it like 500ms, 10s, 20m or 1h 30m",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::cli::{Invocation, SUBCOMMANDS, Subcommand, Unparsed, Variables, parse};
    use crate::exit::Failure;
    use crate::settings::{self, SweepInput, TuneInput};

    fn read(words: &[&str]) -> Result<(), Failure> {
        let arguments = std::iter::once("parfetch")
            .chain(words.iter().copied())
            .map(OsString::from);
        match parse(arguments, Variables::default()) {
            Ok(Invocation::Run(raw)) => settings::run(&raw).map(|_| ()),
            Ok(Invocation::Tune(raw)) => {
                let input = TuneInput {
                    plan: None,
                    model: None,
                    urls: None,
                    id: "t",
                };
                settings::tune(&raw, input).map(|_| ())
            }
            Ok(Invocation::Sweep(raw)) => settings::sweep(
                &raw,
                SweepInput {
                    urls: None,
                    plan: None,
                    id: "s",
                },
            )
            .map(|_| ()),
            Ok(Invocation::Submit(raw)) => settings::submit(&raw, "now").map(|_| ()),
            Ok(Invocation::Report(raw)) => settings::report(&raw).map(|_| ()),
            Ok(Invocation::Compare(raw)) => settings::compare(&raw).map(|_| ()),
            Ok(Invocation::Upload(raw)) => settings::upload(&raw).map(|_| ()),
            Ok(Invocation::Serve(raw)) => settings::serve(&raw).map(|_| ()),
            Ok(Invocation::Fill(raw)) => settings::fill(&raw).map(|_| ()),
            Ok(Invocation::Doctor(raw)) => settings::doctor(&raw).map(|_| ()),
            Err(Unparsed::Wrong(failure)) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_choice_of_the_tables_is_one_and_a_slip_of_it_has_a_guess() {
        for Subcommand { name, settings, .. } in SUBCOMMANDS {
            for setting in *settings {
                for choice in setting.takes.choices() {
                    let wrong = read(&[name, setting.dashed, choice])
                        .err()
                        .map_or_else(String::new, |failure| failure.message);
                    assert!(
                        !wrong.starts_with(setting.dashed),
                        "{name} {}: {wrong}",
                        setting.dashed
                    );
                    let slip = format!("{choice}x");
                    let failure = read(&[name, setting.dashed, &slip]).unwrap_err();
                    assert!(
                        failure.message.starts_with(setting.dashed),
                        "{name}: {}",
                        failure.message
                    );
                    let meant = failure.hint.unwrap();
                    assert!(
                        meant == format!("did you mean `{choice}`?") || choice.len() < 3,
                        "{name} {}: {meant}",
                        failure.message
                    );
                }
            }
        }
    }

    #[test]
    fn a_server_may_need_no_time_after_it_is_ready() {
        let settle = |time| {
            read(&[
                "sweep",
                "http://127.0.0.1:{port}/",
                "--server",
                "web=x {port}",
                "--server-settle",
                time,
            ])
        };
        assert_eq!(settle("0s"), Ok(()));
        assert_eq!(
            settle("soon").unwrap_err().message,
            "--server-settle is `soon`, which is not a length of time from 0s on"
        );
        assert_eq!(
            read(&["sweep", "--server-timeout", "0s"])
                .unwrap_err()
                .message,
            "--server-timeout is `0s`, which is not a length of time above 0"
        );
    }

    #[test]
    fn what_is_typed_wrongly_comes_before_what_is_missing() {
        for (words, message) in [
            (
                &["-c", "abc"][..],
                "--concurrency is `abc`, which is not a whole number from 1 to 65535",
            ),
            (
                &["run", "--emf", "AWS/x"],
                "--emf is `AWS/x`, which begins with AWS/, which is not for others",
            ),
            (
                &["s3://b", "--max-bytes", "x"],
                "--max-bytes is `x`, which is not a size above 0",
            ),
            (
                &["upload", "--region", "x y"],
                "--region is `x y`, which is not a region's name",
            ),
            (&["run"], "no source bucket is given"),
            (&["upload"], "no folder is given"),
            (&["upload", "dir"], "no results bucket is given"),
            (
                &["s3://b", "--embedded"],
                "SOURCE names a bucket, and --embedded fetches from a server of its own",
            ),
        ] {
            assert_eq!(read(words).unwrap_err().message, message, "{words:?}");
        }
        assert_eq!(
            read(&["-c", "1..64"]).unwrap_err().hint.unwrap(),
            "it takes one number; `parfetch sweep` takes lists and ranges of workers"
        );
        assert!(
            read(&["s3://b"]).is_ok() && read(&["-b", "b"]).is_ok(),
            "results stay here when the source is typed"
        );
        assert!(
            read(&["s3://b", "-r", "s3://r/x"]).is_ok()
                && read(&["upload", "dir", "s3://r"]).is_ok()
        );
    }
}
