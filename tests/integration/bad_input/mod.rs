//! Bad input and failures: one clear line, one hint, the right exit code, and nothing lost.

mod answers;
mod clock;
mod credentials;
mod endpoint;
mod fill;
mod gateways;
mod keys;
mod objects;
mod panics;
mod parts;
mod results;
mod settings;
mod signals;
pub(crate) mod tls;
mod upload;
mod values;
