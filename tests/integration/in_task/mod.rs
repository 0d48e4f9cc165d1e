//! A run as a task of ECS has it: credentials of a role that expire, the metadata of the task, a log that programs read.

mod credentials;
mod lines;
mod metadata;
mod network;
mod role;
mod store;
