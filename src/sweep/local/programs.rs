//! Whether the programs of contenders are there at all: said before anything is listed or measured.

use std::path::Path;

use super::super::plan::Contender;
use crate::exit::{Exit, Failure};
use crate::plan::template;

/// The program of each contender that is named by its path has to be there.
pub(in crate::sweep) fn check_programs(contenders: &[Contender]) -> Result<(), Failure> {
    for contender in contenders {
        let words = shlex::split(&contender.command).unwrap_or_default();
        let program = words.first().map_or("", String::as_str);
        let is_fixed = template::names(program).next().is_none();
        if !program.contains('/') || !is_fixed || Path::new(program).exists() {
            continue;
        }
        let message = format!(
            "the contender {} cannot start: there is no program {program}",
            contender.name
        );
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
