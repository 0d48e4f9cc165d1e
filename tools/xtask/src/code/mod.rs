//! The source of the program's crates as they are built, tests apart: which files there are, and their lines and items.
//!
//! `cargo xtask house` measures with it, and the architecture test holds what it finds.

pub(crate) mod findings;
mod functions;
mod imports;
pub(crate) mod names;

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::{Attribute, ImplItem, Item, ItemMod, Meta};

use functions::Function;
use imports::{Imports, Outline};
use names::Named;

/// Folders of the crates, each of which may name what the ones behind it have as `crate::NAME`.
pub(crate) const CRATES: [&str; 2] = ["", "crates/core"];

/// One file, as a module of its crate, without tests.
pub(crate) struct Source {
    /// `["run", "watch"]`; empty for the root.
    pub(crate) module: Vec<String>,
    pub(crate) path: PathBuf,
    pub(crate) code: String,
    pub(crate) functions: Vec<Function>,
    pub(crate) names: Vec<Named>,
    outline: Outline,
}

impl Source {
    /// The top-level module that it belongs to, or `lib` or `main`.
    pub(crate) fn room(&self) -> &str {
        match self.module.first() {
            Some(first) => first,
            None if self.path.ends_with("main.rs") => "main",
            None => "lib",
        }
    }

    pub(crate) fn lines(&self) -> usize {
        self.code.lines().count()
    }

    fn parse(text: &str, module: Vec<String>, path: PathBuf) -> Self {
        let file =
            syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut items: Vec<Item> = file.items.into_iter().flat_map(declared).collect();
        let mut tests = Vec::new();
        remove_tests(&mut items, &mut tests);
        let mut code = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            if !tests.iter().any(|range| range.contains(&number)) {
                code.push_str(line);
                code.push('\n');
            }
        }
        Self {
            functions: functions::of(&items),
            names: names::of(&items),
            outline: Outline::of(&items, &module),
            module,
            path,
            code,
        }
    }
}

/// Every file of the crates in `root` that is built without tests.
///
/// # Panics
/// When `root` has no crate that compiles.
pub(crate) fn read(root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for start in starts(root) {
        read_module(start, Vec::new(), &mut sources);
    }
    assert!(!sources.is_empty(), "no crate in {}", root.display());
    sources
}

/// The root module of each library and program.
pub(crate) fn starts(root: &Path) -> impl Iterator<Item = PathBuf> {
    let folders = CRATES.map(|folder| root.join(folder).join("src"));
    let files = folders.map(|folder| ["lib.rs", "main.rs"].map(|start| folder.join(start)));
    files.into_iter().flatten().filter(|path| path.exists())
}

fn read_module(path: PathBuf, module: Vec<String>, sources: &mut Vec<Source>) {
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let source = Source::parse(&text, module, path);
    let folder = source.path.parent().expect("a file is in a folder");
    let folder = match source.module.last() {
        Some(name) if source.path.file_stem().is_some_and(|stem| *stem == **name) => {
            folder.join(name)
        }
        _ => folder.to_owned(),
    };
    for child in source.outline.files() {
        let candidates = [
            folder.join(format!("{child}.rs")),
            folder.join(child).join("mod.rs"),
        ];
        let found = candidates.into_iter().find(|path| path.exists());
        let found = found.unwrap_or_else(|| panic!("{}: no {child}", folder.display()));
        let module = [source.module.as_slice(), std::slice::from_ref(child)].concat();
        read_module(found, module, sources);
    }
    sources.push(source);
}

/// What a macro gets that reads like items is declared by it: `words! { pub enum … }`.
fn declared(item: Item) -> Vec<Item> {
    if let Item::Macro(item) = &item
        && item.ident.is_none()
        && let Ok(file) = syn::parse2::<syn::File>(item.mac.tokens.clone())
        && !file.items.is_empty()
    {
        return file.items;
    }
    vec![item]
}

/// Takes out what is compiled for tests alone, and notes its lines.
fn remove_tests(items: &mut Vec<Item>, lines: &mut Vec<RangeInclusive<usize>>) {
    items.retain(|item| {
        let first = first_line(attributes_of(item));
        lines.extend(first.map(|first| first..=last_line(item)));
        first.is_none()
    });
    for item in items {
        match item {
            Item::Mod(ItemMod {
                content: Some((_, items)),
                ..
            }) => remove_tests(items, lines),
            Item::Impl(item) => item.items.retain(|item| {
                let ImplItem::Fn(function) = item else {
                    return true;
                };
                let first = first_line(&function.attrs);
                lines.extend(first.map(|first| first..=item.span().end().line));
                first.is_none()
            }),
            _ => {}
        }
    }
}

/// Where an item begins that is for tests alone.
fn first_line(attributes: &[Attribute]) -> Option<usize> {
    let first = attributes.first()?.pound_token.span.start().line;
    attributes.iter().any(is_for_tests).then_some(first)
}

fn last_line(item: &Item) -> usize {
    match item {
        // Its span would be made of all its tokens.
        Item::Mod(ItemMod {
            content: Some((brace, _)),
            ..
        }) => brace.span.close().end().line,
        _ => item.span().end().line,
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) => {
            // Fixtures serve the tests of both crates.
            let when = list.tokens.to_string();
            list.path.is_ident("cfg") && (when == "test" || when.starts_with("any (test ,"))
        }
        _ => false,
    }
}

/// Empty for the items that none of this crate's modules has.
fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
pub(crate) fn source_of(module: &str, text: &str) -> Source {
    let names = module.split("::").filter(|name| !name.is_empty());
    let path = format!("src/{}.rs", module.replace("::", "/"));
    Source::parse(text, names.map(ToOwned::to_owned).collect(), path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_have_is_no_code() {
        let source = source_of(
            "a::b",
            "//! Owns it.\n\nstruct Kept;\n\nimpl Kept {\n    #[cfg(test)]\n    fn gone() {}\n\n    fn stays() {}\n}\n\n\
             #[cfg(test)]\nmod fixture;\n\n/// Seldom.\n#[cfg(test)]\nmod tests {\n    fn gone() {}\n}\n",
        );
        assert_eq!(
            source.code,
            "//! Owns it.\n\nstruct Kept;\n\nimpl Kept {\n\n    fn stays() {}\n}\n\n\n"
        );
        assert_eq!(source.room(), "a");
        assert_eq!(source.functions.len(), 1);
        assert_eq!(source.outline.files().count(), 0);
    }
}
