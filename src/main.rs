//! The program: everything is in the library, and the exit code is the only thing decided here.

use std::process::ExitCode;

fn main() -> ExitCode {
    parfetch::main(parfetch::internals::clock::now_ns())
}
