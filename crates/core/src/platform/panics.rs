//! Panics: a defect of parfetch becomes one line for people, which says where it is, and whoever catches the panic gets the same line.

use std::any::Any;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

/// What begins a line about a panic.
const BEGINNING: &str = "internal error: ";

/// Lines of panics so far: one of them ends a process, and no process has many.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on every panic is remembered, and `show` gets its line at once, in place of what the standard library prints. A backtrace follows where
/// `RUST_BACKTRACE` asks for one.
pub fn remember(show: impl Fn(&str) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        let line = line(panic);
        lines().push(line.clone());
        show(&line);
        let backtrace = std::backtrace::Backtrace::capture();
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            show(&format!("backtrace: {backtrace}"));
        }
    }));
}

/// Whether this line was shown when the panic happened.
pub fn was_shown(line: &str) -> bool {
    lines().iter().any(|shown| shown == line)
}

/// The line of a panic that was caught: the last one that says what this one says.
pub fn caught(payload: &(dyn Any + Send)) -> String {
    let line = format!("{BEGINNING}{}", text(payload));
    lines()
        .iter()
        .rev()
        .find(|known| known.starts_with(&line))
        .cloned()
        .unwrap_or(line)
}

fn lines() -> std::sync::MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn line(panic: &PanicHookInfo<'_>) -> String {
    let place = panic
        .location()
        .map_or_else(String::new, |at| format!(" ({}:{})", at.file(), at.line()));
    format!("{BEGINNING}{}{place}", text(panic.payload()))
}

/// In one line, whatever it is.
fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    let text = text
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".to_owned());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_caught_is_one_line() {
        let caught_of = |panic: fn()| caught(&*std::panic::catch_unwind(panic).unwrap_err());
        assert_eq!(caught_of(|| panic!("a\n  b")), "internal error: a b");
        assert_eq!(
            caught_of(|| panic!("{} of {}", 1, 2)),
            "internal error: 1 of 2"
        );
        assert_eq!(
            caught_of(|| std::panic::panic_any(7)),
            "internal error: unknown"
        );
        assert!(!was_shown("internal error: a b"), "nobody remembers here");
    }
}
