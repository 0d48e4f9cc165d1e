//! Whether the programs of contenders are there at all: said before anything is listed or measured.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::super::plan::Contender;
use crate::exit::{Exit, Failure};
use crate::plan::template;

/// The program of each contender that is named by its path has to be there.
pub(in crate::sweep) fn check_programs(contenders: &[Contender]) -> Result<(), Failure> {
    for contender in contenders {
        let words = shlex::split(&contender.command).unwrap_or_default();
        let program = words.first().map_or("", String::as_str);
        let is_fixed = template::names(program).next().is_none();
        if !program.contains('/') || !is_fixed {
            continue;
        }
        let found = fs::metadata(program).ok();
        let is_there = found.is_some();
        let what = match found {
            None => format!("there is no program {program}"),
            Some(found) if found.is_dir() => format!("{program} is a folder"),
            Some(found) if found.permissions().mode() & 0o111 == 0 => {
                format!("{program} is not executable")
            }
            Some(_) => continue,
        };
        let message = format!("the contender {} cannot start: {what}", contender.name);
        if is_there {
            return Err(Failure::new(Exit::SetUp, message)
                .hint("name a program; a script without `chmod +x` needs its interpreter in front, like python3"));
        }
        let is_ready = program.ends_with(&format!("/bin/{}", contender.name));
        return Err(Failure::new(Exit::SetUp, message).hint(if is_ready {
            format!(
                "contenders/install.sh {} installs it (in a copy of parfetch's repository); parfetch installs nothing by itself",
                contender.name
            )
        } else {
            "name the program by its path from here, or by its whole path".to_owned()
        }));
    }
    Ok(())
}
