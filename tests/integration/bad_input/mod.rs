//! Bad input and failures: one clear line, one hint, the right exit code, and nothing lost.

mod settings;
