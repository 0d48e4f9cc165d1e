//! `parfetch completions` and `parfetch man`.

use std::fs;
use std::path::Path;

use super::console::print;
use crate::cli::{ManualPage, Raw, SHELLS, completions, manual};
use crate::exit::{Exit, Failure};
use crate::guess::hint;

/// Prints the completions of a shell.
pub(super) fn for_shell(raw: &Raw) -> Result<Exit, Failure> {
    let known = SHELLS.join(", ");
    let Some(shell) = raw.words.first() else {
        return Err(Failure::new(Exit::Usage, "no shell is named")
            .hint(format!("parfetch completions SHELL: {known}")));
    };
    let script = completions(shell).ok_or_else(|| {
        let message = format!(
            "SHELL is `{}`, which is not one of {known}",
            shell.escape_debug()
        );
        Failure::new(Exit::Usage, message).hint(
            hint(shell, SHELLS.iter().copied()).unwrap_or_else(|| "name one of them".to_owned()),
        )
    })?;
    print(&script)
}

/// Prints a page of the manual, or writes all of them.
pub(super) fn pages(raw: &Raw) -> Result<Exit, Failure> {
    let pages = manual();
    let page = page_of(&pages, raw.words.first().map(String::as_str))?;
    match raw.get("out") {
        None => print(&page.roff),
        Some(folder) => write(&pages, Path::new(&folder.value)),
    }
}

/// The page of a subcommand, by its name or that of the page.
fn page_of<'a>(pages: &'a [ManualPage], named: Option<&str>) -> Result<&'a ManualPage, Failure> {
    let Some(named) = named else {
        return Ok(&pages[0]);
    };
    let short = |page: &'a ManualPage| page.name.strip_prefix("parfetch-").unwrap_or(&page.name);
    pages
        .iter()
        .find(|page| page.name == named || short(page) == named)
        .ok_or_else(|| {
            let message = format!("COMMAND is `{}`, which has no page", named.escape_debug());
            let others = || {
                format!(
                    "there are pages of {}",
                    pages.iter().map(short).collect::<Vec<_>>().join(", ")
                )
            };
            Failure::new(Exit::Usage, message)
                .hint(hint(named, pages.iter().map(short)).unwrap_or_else(others))
        })
}

fn write(pages: &[ManualPage], folder: &Path) -> Result<Exit, Failure> {
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new(
            Exit::Usage,
            format!("cannot write {}: {error}", path.display()),
        )
        .hint("choose another --out")
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut names = String::new();
    for ManualPage { name, roff } in pages {
        let path = folder.join(format!("{name}.1"));
        fs::write(&path, roff).map_err(|error| failed(&path, &error))?;
        names.extend([path.display().to_string(), "\n".to_owned()]);
    }
    print(&names)
}
