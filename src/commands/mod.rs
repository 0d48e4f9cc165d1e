//! One file a subcommand: glue between what was typed and what is done.

mod ask;
mod compare;
mod console;
mod dispatch;
mod doctor;
mod ended;
mod environment;
mod fill;
mod generated;
mod name;
mod process;
mod report;
mod run;
mod serve;
mod signals;
mod sources;
mod stack;
mod submit;
mod sweep;
mod tune;
mod upload;

pub use dispatch::main;
