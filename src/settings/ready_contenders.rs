//! The contenders that come with parfetch, by name: `@boto3`. `contenders/` has their programs; nothing here installs one.

use std::path::Path;

use super::reader::{SettingReader, usage};
use crate::cli::Raw;
use crate::exit::Failure;
use crate::guess;
use crate::plan::Mode;
use crate::sweep::plan::Contender;

/// Folder into which `contenders/install.sh` puts them.
const FOLDER: &str = "./parfetch-contenders";
/// Stack whose task definition runs them where none is named.
const STACK: &str = "parfetch";

/// Each with the modes that it has.
const READY: [(&str, &[Mode]); 6] = [
    ("boto3", &[Mode::Thread, Mode::Process]),
    ("aioboto3", &[Mode::Async]),
    ("obstore", &[Mode::Async]),
    ("awscrt", &[Mode::Async]),
    ("s5cmd", &[Mode::Async]),
    ("go", &[Mode::Async]),
];

/// `@boto3,@s5cmd`.
pub(super) fn named(text: &str, raw: &Raw) -> Result<Vec<Contender>, Failure> {
    let reader = SettingReader(raw);
    let folder = reader
        .text("contender-dir")
        .unwrap_or_else(|| FOLDER.to_owned());
    let stack = reader.text("stack").unwrap_or_else(|| STACK.to_owned());
    let one = |word: &str| {
        let name = word.trim().strip_prefix('@').unwrap_or(word);
        let known = READY.iter().find(|(known, _)| *known == name);
        let (name, modes) = known.ok_or_else(|| unknown(word))?;
        // An empty folder is the one that parfetch is started in, and not the root.
        let program = Path::new(&folder).join("bin").join(name);
        let program = program.to_string_lossy().into_owned();
        Ok(Contender {
            name: (*name).to_owned(),
            command: shlex::try_quote(&program)
                .map_or(program.clone(), std::borrow::Cow::into_owned),
            mode: modes.to_vec(),
            task_definition: Some(format!("{stack}-contender")),
            task_command: vec![(*name).to_owned()],
            ..Contender::default()
        })
    };
    text.split(',').map(one).collect()
}

fn unknown(word: &str) -> Failure {
    let names = READY.map(|(name, _)| name);
    let hint = guess::hint(word.trim_start_matches('@'), names)
        .unwrap_or_else(|| format!("there are @{}", names.join(", @")));
    usage(format!("`{word}` is not a ready contender"), hint)
}
