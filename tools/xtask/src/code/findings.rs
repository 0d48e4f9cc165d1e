//! What the architecture test forbids, and the measures show: every place of it.

use std::collections::BTreeMap;

use super::functions::Function;
use super::names::Kind;
use super::{Imports, Source};

/// Rules whose findings are groups of files.
pub(crate) const UPWARD: &str = "imports that run up inside a room";
pub(crate) const CIRCLES: &str = "circles of files";

/// What is found, by a name that stays when it moves, and where.
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) place: String,
}

pub(crate) fn functions_over(sources: &[Source], lines: usize) -> Vec<Finding> {
    of_functions(sources, |function| function.lines > lines)
}

/// Functions that take more than two names in one tuple.
pub(crate) fn large_tuples(sources: &[Source]) -> Vec<Finding> {
    of_functions(sources, |function| function.tuple > 2)
}

pub(crate) fn of_functions(sources: &[Source], wanted: impl Fn(&Function) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in sources {
        for function in source.functions.iter().filter(|function| wanted(function)) {
            found.push(Finding {
                place: source.module.join("::"),
                name: function.name.clone(),
            });
        }
    }
    found
}

/// Names that are those of two types or more.
pub(crate) fn types_of_one_name(sources: &[Source]) -> Vec<Finding> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        for name in source.names.iter().filter(|name| name.kind == Kind::Type) {
            let module = source.module.join("::");
            places.entry(name.name.clone()).or_default().push(module);
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
        .into_iter()
        .map(|(name, places)| Finding {
            name,
            place: places.join(", "),
        })
        .collect()
}

/// Files that use what the glue of a folder above them defines, by that glue.
pub(crate) fn upward_imports(imports: &Imports) -> Vec<Finding> {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, above) in imports.upward() {
        files.entry(above).or_default().push(file);
    }
    let found = files.into_iter();
    found
        .map(|(above, files)| Finding {
            name: format!("{above} ({})", files.len()),
            place: files.join(", "),
        })
        .collect()
}

/// The first file of each circle with how many there are, and all.
pub(crate) fn circles(imports: &Imports) -> Vec<Finding> {
    let circles = imports.circles().into_iter();
    circles
        .map(|files| Finding {
            name: format!("{} ({})", files[0], files.len()),
            place: files.join(", "),
        })
        .collect()
}

/// Items whose comment says no more than their name.
pub(crate) fn repeated_comments(sources: &[Source]) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in sources {
        for name in source.names.iter().filter(|name| name.repeated) {
            found.push(Finding {
                name: name.name.clone(),
                place: source.module.join("::"),
            });
        }
    }
    found
}

/// What the architecture test forbids, and where it is found.
pub(crate) struct Rule {
    pub(crate) what: &'static str,
    pub(crate) found: Vec<Finding>,
}

pub(crate) fn rules(sources: &[Source]) -> [Rule; 7] {
    let imports = Imports::of(sources);
    let rule = |what, found| Rule { what, found };
    [
        rule("functions over 100 lines", functions_over(sources, 100)),
        rule(
            "functions with more than 2 names in a tuple",
            large_tuples(sources),
        ),
        rule(
            "functions with a bool parameter",
            of_functions(sources, |function| function.bools > 0),
        ),
        rule(
            "type names of two types or more",
            types_of_one_name(sources),
        ),
        rule(UPWARD, upward_imports(&imports)),
        rule(CIRCLES, circles(&imports)),
        rule(
            "comments that only repeat a name",
            repeated_comments(sources),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::source_of;
    use super::*;

    #[test]
    fn a_name_of_two_types_is_found_once_with_all_its_places() {
        let sources = [
            source_of("a", "struct One;\nenum Two {}\nimpl One { type Two = u8; }"),
            source_of("b::c", "type Two = u8;\nfn f() { struct One; }"),
        ];
        let found = types_of_one_name(&sources);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].place.as_str()),
            ("Two", "a, b::c")
        );
    }

    #[test]
    fn functions_are_found_with_their_file() {
        let sources = [source_of("a::b", "fn f(_: (u8, u8, u8)) {\n\n}\nfn g() {}")];
        for found in [functions_over(&sources, 2), large_tuples(&sources)] {
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].name.as_str(), found[0].place.as_str()),
                ("f", "a::b")
            );
        }
    }
}
