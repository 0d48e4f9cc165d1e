//! parfetch
fn main() {}
