//! A question to the person at the terminal.

use std::io::{self, IsTerminal, Write};

use tokio::sync::oneshot::{Receiver, channel};

/// Asks; none where there is no terminal on both sides. Anything but yes is no, the end of the input too.
///
/// A thread of its own waits for the answer: signals are heard meanwhile, and it does not keep the process.
pub(super) fn ask(question: &str) -> Option<Receiver<bool>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    write!(io::stderr(), "{question} [y/N] ").ok()?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        // Nobody waits any more: the run was interrupted.
        let _gone = sender
            .send(read.is_ok() && ["y", "yes"].contains(&line.trim().to_lowercase().as_str()));
    });
    Some(receiver)
}
