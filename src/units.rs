//! Bytes, rates and times as a person reads and types them. Rates and sizes are decimal (MB, GB); pure functions, no I/O.
