//! clap's errors in parfetch's own form: one line, and a hint.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::{Exit, Failure};

/// What to try where nothing similar is known.
const HELP: &str = "`parfetch --help` and `parfetch COMMAND --help` show what there is";
/// The same for a first word that is no subcommand.
const COMMANDS: &str = "`parfetch --help` lists the commands; a bucket to fetch is written s3://BUCKET";
/// Where clap says what is similar.
const SIMILAR: [ContextKind; 3] = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];

/// The first paragraph of clap's text is what is wrong.
pub(super) fn refusal(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let paragraph: Vec<_> = text.trim_start_matches("error: ").lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    // The most similar one stands last.
    let similar = SIMILAR.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(one) => Some(one.as_str()),
        ContextValue::Strings(all) => all.last().map(String::as_str),
        _ => None,
    });
    let hint = match (similar, error.kind()) {
        (Some(similar), _) => format!("did you mean {similar}?"),
        (None, ErrorKind::InvalidSubcommand) => COMMANDS.to_owned(),
        (None, _) => HELP.to_owned(),
    };
    Failure::new(Exit::Usage, paragraph.join(" ")).hint(hint)
}
