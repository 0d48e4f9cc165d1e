//! The measures of a checkout, alone or beside those of another one.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::code::findings::{self, CIRCLES, Finding, UPWARD};
use crate::code::names::{Kind, Named};
use crate::code::{CRATES, Source, read, starts};

pub(crate) const USAGE: &str = "cargo xtask house [FOLDER] [--compare FOLDER|COMMIT] [--list]";

/// Rooms that are shown, the largest first.
const ROOMS: usize = 6;
/// Longest file.
const FILE: usize = 400;

#[derive(Debug, Default, PartialEq)]
struct Asked {
    folder: Option<PathBuf>,
    compare: Option<String>,
    list: bool,
}

pub(crate) fn main(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let asked = asked(arguments)?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = asked.folder.unwrap_or_else(|| here.clone());
    let now = measured(&folder)?;
    let mut columns = vec![&now];
    let before;
    if let Some(other) = asked.compare {
        before = if Path::new(&other).is_dir() {
            measured(Path::new(&other))?
        } else {
            measured(checkout(&here, &other)?.path())?
        };
        columns.insert(0, &before);
    }
    let mut text = table(&columns);
    if asked.list {
        text.push_str(&list(&now));
    }
    print!("{text}");
    Ok(())
}

fn asked(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => asked.list = true,
            "--compare" => {
                asked.compare = Some(arguments.next().ok_or(USAGE)?.clone());
            }
            folder if !folder.starts_with('-') && asked.folder.is_none() => {
                asked.folder = Some(PathBuf::from(folder));
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(asked)
}

/// The sources of a commit, in a folder that is removed with the value.
fn checkout(repository: &Path, commit: &str) -> Result<TempDir, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut archive = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["archive", commit])
        .stdout(Stdio::piped())
        .spawn()?;
    let packed = archive.stdout.take().ok_or("no pipe")?;
    let unpacked = Command::new("tar")
        .args(["-x", "-C"])
        .arg(folder.path())
        .stdin(packed)
        .status()?;
    if !archive.wait()?.success() || !unpacked.success() {
        return Err(format!("{commit} is neither a folder nor a commit of this repository").into());
    }
    Ok(folder)
}

struct Measures {
    lines: usize,
    code: usize,
    files: usize,
    /// Of each function, in order.
    lengths: Vec<usize>,
    public_items: usize,
    public_modules: usize,
    rooms: BTreeMap<String, usize>,
    /// What there should be none of.
    found: Vec<(String, Vec<Finding>)>,
}

/// Of a copy with rustfmt's defaults: a file of `rustfmt.toml` would make lines, and so functions, of another length.
fn measured(folder: &Path) -> Result<Measures, Box<dyn Error>> {
    let copy = tempfile::tempdir()?;
    for one in CRATES {
        let source = Path::new(one).join("src");
        if folder.join(&source).exists() {
            copy_folder(&folder.join(&source), &copy.path().join(&source))?;
        }
    }
    let formatted = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .args(starts(copy.path()))
        .current_dir(copy.path())
        .status()
        .map_err(|error| format!("rustfmt: {error}"))?;
    if !formatted.success() {
        return Err(format!("rustfmt cannot format {}", folder.display()).into());
    }
    Ok(measures(&read(copy.path())))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn measures(sources: &[Source]) -> Measures {
    let mut lengths: Vec<usize> = sources
        .iter()
        .flat_map(|source| &source.functions)
        .map(|function| function.lines)
        .collect();
    lengths.sort_unstable();
    let mut rooms = BTreeMap::new();
    for source in sources {
        *rooms.entry(source.room().to_owned()).or_default() += source.lines();
    }
    let root = sources.iter().find(|source| source.room() == "lib");
    let public = |name: &&Named| name.public;
    let is_module = |name: &&Named| name.kind == Kind::Module;
    Measures {
        lines: sources.iter().map(Source::lines).sum(),
        code: sources.iter().map(lines_of_code).sum(),
        files: sources.len(),
        lengths,
        public_items: sources
            .iter()
            .flat_map(|source| &source.names)
            .filter(public)
            .count(),
        public_modules: root.map_or(0, |root| {
            root.names.iter().filter(public).filter(is_module).count()
        }),
        rooms,
        found: found(sources),
    }
}

fn lines_of_code(source: &Source) -> usize {
    let lines = source.code.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// What the architecture test forbids, with what others hold or nobody does.
fn found(sources: &[Source]) -> Vec<(String, Vec<Finding>)> {
    let long_files = sources.iter().filter(|source| source.lines() > FILE);
    let others = [
        (
            "files over 400 lines",
            long_files
                .map(|source| Finding {
                    name: source.module.join("::"),
                    place: source.lines().to_string(),
                })
                .collect(),
        ),
        (
            "functions over 60 lines",
            findings::functions_over(sources, 60),
        ),
        (
            "functions with more than 4 parameters",
            findings::of_functions(sources, |f| f.parameters > 4),
        ),
    ];
    let rules = findings::rules(sources);
    others
        .into_iter()
        .chain(rules.into_iter().map(|rule| (rule.what, rule.found)))
        .map(|(measure, found)| (measure.to_owned(), found))
        .collect()
}

/// The smallest value that is as large as this share of all.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn rows(of: &Measures) -> Vec<(String, String)> {
    let shape = [50, 95, 100].map(|percent| percentile(&of.lengths, percent).to_string());
    let mut rows: Vec<(String, String)> = [
        ("product lines, without tests", thousands(of.lines)),
        ("… without blank lines and comments", thousands(of.code)),
        ("files", thousands(of.files)),
        ("functions", thousands(of.lengths.len())),
        ("… lines, p50/p95/max", shape.join("/")),
        ("public items", thousands(of.public_items)),
        ("public modules", thousands(of.public_modules)),
    ]
    .map(|(measure, value)| (measure.to_owned(), value))
    .into();
    for (measure, found) in &of.found {
        let files: usize = found
            .iter()
            .map(|finding| finding.place.split(", ").count())
            .sum();
        let count = if measure == UPWARD {
            files
        } else {
            found.len()
        };
        rows.push((measure.clone(), thousands(count)));
        if measure == CIRCLES {
            rows.push(("… files in them".to_owned(), thousands(files)));
        }
    }
    rows
}

fn table(columns: &[&Measures]) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let heads: &[&str] = if columns.len() == 1 {
        &[""]
    } else {
        &["before", "after"]
    };
    lines.push(
        [""].iter()
            .chain(heads)
            .map(|head| (*head).to_owned())
            .collect(),
    );
    let mut all: Vec<_> = columns
        .iter()
        .map(|column| rows(column).into_iter())
        .collect();
    while let Some((measure, value)) = all[0].next() {
        let others = all[1..]
            .iter_mut()
            .filter_map(Iterator::next)
            .map(|(_, value)| value);
        lines.push([measure, value].into_iter().chain(others).collect());
    }
    for room in largest(columns) {
        let values = columns.iter().map(|column| {
            column
                .rooms
                .get(&room)
                .map_or("–".to_owned(), |lines| thousands(*lines))
        });
        lines.push(
            [format!("room {room}, lines")]
                .into_iter()
                .chain(values)
                .collect(),
        );
    }
    let widths: Vec<usize> = (0..=columns.len())
        .map(|at| {
            lines
                .iter()
                .map(|line| line[at].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in lines
        .iter()
        .filter(|line| line.iter().any(|cell| !cell.is_empty()))
    {
        let _ = write!(text, "{:<1$}", line[0], widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}

/// The rooms that are among the largest of one column.
fn largest(columns: &[&Measures]) -> Vec<String> {
    let mut largest = Vec::new();
    for column in columns {
        let mut rooms: Vec<_> = column.rooms.iter().collect();
        rooms.sort_by_key(|(_, lines)| std::cmp::Reverse(**lines));
        for (room, _) in rooms.into_iter().take(ROOMS) {
            if !largest.contains(room) {
                largest.push(room.clone());
            }
        }
    }
    largest
}

fn list(of: &Measures) -> String {
    let mut text = String::new();
    for (measure, found) in of.found.iter().filter(|(_, found)| !found.is_empty()) {
        let _ = writeln!(text, "\n{measure}:");
        for Finding { name, place } in found {
            let _ = writeln!(text, "  {name}: {place}");
        }
    }
    text
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_crate_is_measured_as_rustfmt_writes_it() {
        let folder = crate_of(&[
            ("rustfmt.toml", "max_width = 200\n"),
            (
                "src/lib.rs",
                "pub mod a;\nmod b;\n#[cfg(test)]\nmod tests;\n",
            ),
            (
                "src/a/mod.rs",
                "use crate::b::B;\n/// Runs it.\npub fn run(on: bool) -> B { B }\npub struct A;\n",
            ),
            (
                "src/b.rs",
                "//! B.\n\npub(crate) struct B;\nfn f(_: super::a::A) {}\nstruct A;\n",
            ),
            ("src/main.rs", "fn main() {}\n"),
            ("src/tests.rs", "fn gone() {}\n"),
        ]);
        let measures = measured(folder.path()).unwrap();
        assert_eq!(
            (
                measures.files,
                measures.public_items,
                measures.public_modules
            ),
            (4, 3, 1)
        );
        assert_eq!(measures.lengths, [1, 1, 3]);
        assert_eq!(measures.rooms["a"], 6);
        let text = table(&[&measures, &measures]);
        let row = |measure: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(measure))
                .unwrap()
                .split_whitespace()
                .collect::<Vec<_>>()
        };
        assert_eq!(row("circles of files"), ["1", "1"]);
        assert_eq!(row("… files in them"), ["2", "2"]);
        assert_eq!(row("type names of two types or more"), ["1", "1"]);
        assert_eq!(row("functions with a bool parameter"), ["1", "1"]);
        assert_eq!(row("comments that only repeat a name"), ["1", "1"]);
        assert!(list(&measures).contains("type names of two types or more:\n  A: a, b\n"));
    }

    #[test]
    fn a_percentile_is_a_value_that_is_there() {
        let values: Vec<usize> = (1..=20).collect();
        assert_eq!(
            [50, 95, 100].map(|percent| percentile(&values, percent)),
            [10, 19, 20]
        );
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(
            [0, 999, 1000, 71_530].map(thousands),
            ["0", "999", "1,000", "71,530"]
        );
    }

    #[test]
    fn a_folder_and_what_to_compare_with_come_in_any_order() {
        let words = |text: &str| text.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        let expected = Asked {
            folder: Some(PathBuf::from("a")),
            compare: Some("b".to_owned()),
            list: true,
        };
        assert_eq!(asked(&words("--list --compare b a")), Ok(expected));
        assert!(asked(&words("--compare")).is_err());
        assert!(asked(&words("a b")).is_err());
    }
}
