//! Which file uses what is defined in which other file: circles, and imports that run up inside a room.
//!
//! A re-export is followed to where the item is defined, and by itself uses nothing. So a `mod.rs` that only declares and re-exports its files
//! is below them all, and one that uses them is above them: then they must not use what it defines.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Item, ItemUse, UseTree, Visibility};

use super::Source;

/// Edges between files, by their modules (`run::watch`; `run` is `run/mod.rs` or `run.rs`).
pub(crate) struct Imports {
    edges: BTreeMap<String, BTreeSet<String>>,
}

type ModulePath = Vec<String>;

/// What one file declares, and the paths that it uses.
pub(super) struct Outline {
    /// The file itself first, then the modules inside it.
    modules: Vec<(ModulePath, Module)>,
    references: Vec<Reference>,
}

#[derive(Default)]
struct Module {
    file: String,
    items: BTreeSet<String>,
    /// Modules inside it, and whether each has a file of its own.
    children: BTreeMap<String, bool>,
    bindings: BTreeMap<String, ModulePath>,
    globs: Vec<ModulePath>,
}

/// A path in the code of a module.
struct Reference {
    from: ModulePath,
    path: ModulePath,
    /// `use path::*`.
    is_glob: bool,
}

impl Outline {
    pub(super) fn of(items: &[Item], module: &[String]) -> Self {
        let mut modules = Vec::new();
        declare(module, items, (&module.join("::"), &mut modules));
        modules.reverse();
        let mut uses = Uses {
            module: module.to_vec(),
            references: Vec::new(),
        };
        for item in items {
            uses.visit_item(item);
        }
        Self {
            modules,
            references: uses.references,
        }
    }

    /// The names of the modules that have files of their own.
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        let children = self.modules.iter().flat_map(|(_, module)| &module.children);
        children.filter_map(|(name, has_file)| has_file.then_some(name))
    }
}

fn declare(
    path: &[String],
    items: &[Item],
    (file, modules): (&str, &mut Vec<(ModulePath, Module)>),
) {
    let mut module = Module {
        file: file.to_owned(),
        ..Module::default()
    };
    for item in items {
        match item {
            Item::Mod(inner) => {
                let name = inner.ident.to_string();
                if let Some((_, items)) = &inner.content {
                    let path = [path, std::slice::from_ref(&name)].concat();
                    declare(&path, items, (file, modules));
                }
                module.children.insert(name, inner.content.is_none());
            }
            Item::Use(item) => {
                for leaf in leaves(item) {
                    match leaf.name {
                        Some(name) => {
                            module.bindings.insert(name, leaf.path);
                        }
                        None => module.globs.push(leaf.path),
                    }
                }
            }
            _ => module.items.extend(defined(item)),
        }
    }
    modules.push((path.to_vec(), module));
}

struct Modules<'a>(BTreeMap<&'a [String], &'a Module>);

enum Target {
    Module(ModulePath),
    /// The file that defines it.
    Item(String),
}

impl Imports {
    pub(crate) fn of(sources: &[Source]) -> Self {
        let sources = || sources.iter().filter(|source| source.room() != "main");
        let all = sources().flat_map(|source| &source.outline.modules);
        let modules = Modules(
            all.map(|(path, module)| (path.as_slice(), module))
                .collect(),
        );
        let mut edges = BTreeMap::new();
        for source in sources() {
            let file = source.module.join("::");
            let references = source.outline.references.iter();
            let mut used: BTreeSet<String> = references
                .filter_map(|reference| modules.file_of(reference))
                .collect();
            used.remove(&file);
            edges.insert(file, used);
        }
        Self { edges }
    }

    /// Groups of files of which each uses, directly or not, every other one.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> = self
            .edges
            .keys()
            .map(|file| (file.as_str(), self.reached_from(file)))
            .collect();
        let mut circles = BTreeSet::new();
        for (file, all) in &reached {
            let circle: Vec<String> = all
                .iter()
                .filter(|other| reached[**other].contains(file))
                .map(|other| (*other).to_owned())
                .collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&str> = self.edges[file].iter().map(String::as_str).collect();
        while let Some(file) = next.pop() {
            if reached.insert(file) {
                next.extend(self.edges[file].iter().map(String::as_str));
            }
        }
        reached
    }

    /// Files that use what a module above them defines, although that one uses files of its own folder.
    pub(crate) fn upward(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (file, used) in &self.edges {
            for above in used {
                let folder = format!("{above}::");
                let is_glue = self.edges[above].iter().any(|f| f.starts_with(&folder));
                if file.starts_with(&folder) && is_glue {
                    found.push((file.clone(), above.clone()));
                }
            }
        }
        found
    }
}

impl Modules<'_> {
    fn file_of(&self, reference: &Reference) -> Option<String> {
        match self.resolve(&reference.from, &reference.path, DEPTH)? {
            Target::Item(file) => Some(file),
            // Whoever imports a module uses what is in it by paths.
            Target::Module(module) => reference
                .is_glob
                .then(|| self.0[module.as_slice()].file.clone()),
        }
    }

    /// Where a path of the given module leads, when it is one of this crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Target::Module(Vec::new()),
            "self" => Target::Module(from.to_vec()),
            "super" => Target::Module(from[..from.len().checked_sub(1)?].to_vec()),
            name => self.step(from, name, depth)?,
        };
        while let Some((next, after)) = rest.split_first() {
            let Target::Module(module) = &at else { break };
            at = match next.as_str() {
                "super" => Target::Module(module[..module.len().checked_sub(1)?].to_vec()),
                name => match self.step(module, name, depth) {
                    Some(found) => found,
                    // Made by a macro.
                    None => Target::Item(self.0.get(module.as_slice())?.file.clone()),
                },
            };
            rest = after;
        }
        Some(at)
    }

    fn step(&self, module: &[String], name: &str, depth: usize) -> Option<Target> {
        let known = self.0.get(module)?;
        if known.items.contains(name) {
            return Some(Target::Item(known.file.clone()));
        }
        if known.children.contains_key(name) {
            return Some(Target::Module([module, &[name.to_owned()]].concat()));
        }
        if depth == 0 {
            return None;
        }
        if let Some(path) = known.bindings.get(name) {
            // `use name::…` of another crate names itself.
            return (path.first().is_some_and(|first| first != name))
                .then(|| self.resolve(module, path, depth - 1))?;
        }
        known.globs.iter().find_map(|path| {
            let Target::Module(other) = self.resolve(module, path, depth - 1)? else {
                return None;
            };
            self.step(&other, name, depth - 1)
        })
    }
}

/// The names that an item defines in its module.
fn defined(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// One name that a `use` brings; none for `*`.
struct Leaf {
    name: Option<String>,
    path: ModulePath,
}

fn leaves(item: &ItemUse) -> Vec<Leaf> {
    let mut found = Vec::new();
    if item.leading_colon.is_none() {
        descend(&item.tree, &mut Vec::new(), &mut found);
    }
    found
}

fn descend(tree: &UseTree, before: &mut ModulePath, found: &mut Vec<Leaf>) {
    let mut leaf = |name: String, ident: &syn::Ident| {
        let mut path = before.clone();
        if ident != "self" {
            path.push(ident.to_string());
        }
        let name = if name == "self" {
            path.last().cloned().unwrap_or_default()
        } else {
            name
        };
        found.push(Leaf {
            name: Some(name),
            path,
        });
    };
    match tree {
        UseTree::Name(name) => leaf(name.ident.to_string(), &name.ident),
        UseTree::Rename(rename) => leaf(rename.rename.to_string(), &rename.ident),
        UseTree::Glob(_) => found.push(Leaf {
            name: None,
            path: before.clone(),
        }),
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            descend(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                descend(tree, before, found);
            }
        }
    }
}

/// Collects the paths in the code of one file.
struct Uses {
    module: ModulePath,
    references: Vec<Reference>,
}

/// Re-exports of re-exports are followed this far.
const DEPTH: usize = 8;

impl Uses {
    fn note(&mut self, path: ModulePath, is_glob: bool) {
        self.references.push(Reference {
            from: self.module.clone(),
            path,
            is_glob,
        });
    }

    /// Paths inside a macro are tokens.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: ModulePath = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note_in_macro(&path);
                        path.clear();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.note_in_macro(&path);
                    path.clear();
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.note_tokens(group.stream());
                    }
                }
            }
        }
        self.note_in_macro(&path);
    }

    /// A single name there may be a variable.
    fn note_in_macro(&mut self, path: &[String]) {
        let starts_large = |name: &String| name.starts_with(char::is_uppercase);
        if path.len() > 1 || path.first().is_some_and(starts_large) {
            self.note(path.to_vec(), false);
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !matches!(item.vis, Visibility::Inherited) {
            return;
        }
        for leaf in leaves(item) {
            self.note(leaf.path, leaf.name.is_none());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|s| s.ident.to_string());
            self.note(names.collect(), false);
        }
        syn::visit::visit_path(self, path);
    }

    /// A path in a text, as in `#[serde(with = "module::function")]`.
    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        for token in list.tokens.clone() {
            let text = syn::parse_str::<syn::LitStr>(&token.to_string());
            if let Ok(path) = text.and_then(|text| text.parse::<syn::Path>()) {
                let names = path.segments.iter().map(|s| s.ident.to_string());
                self.note(names.collect(), false);
            }
        }
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.note_tokens(item.tokens.clone());
        syn::visit::visit_macro(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::super::source_of;
    use super::*;

    fn imports(files: &[(&str, &str)]) -> Imports {
        let sources: Vec<Source> = files
            .iter()
            .map(|(module, text)| source_of(module, text))
            .collect();
        Imports::of(&sources)
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let found = imports(&[
            ("", "mod a; mod b; mod c;"),
            ("a", "use crate::b::B;\npub struct A;"),
            ("b", "pub struct B(crate::c::C);"),
            (
                "c",
                "use super::a;\nuse std::fmt;\npub struct C;\nfn f() { println!(\"{}\", a::A) }",
            ),
        ]);
        assert_eq!(found.circles(), [["a", "b", "c"]]);
        assert!(found.upward().is_empty());
    }

    #[test]
    fn a_path_in_the_text_of_an_attribute_is_one() {
        let found = imports(&[
            ("", "mod a; mod b;"),
            (
                "a",
                "use super::b;\npub struct A {\n#[serde(default, deserialize_with = \"b::read\")]\nx: u8 }",
            ),
            ("b", "pub fn read(_: super::a::A) {}"),
        ]);
        assert_eq!(found.circles(), [["a", "b"]]);
    }

    #[test]
    fn a_reexport_leads_to_where_the_item_is() {
        let found = imports(&[
            ("", "mod a; mod b;"),
            (
                "a",
                "pub mod deep;\npub use deep::{Deep, self as other};\npub struct Base;",
            ),
            ("a::deep", "use super::Base;\npub struct Deep(Base);"),
            (
                "b",
                "use crate::a::{Deep, other};\nfn f(_: Deep) { other::g() }",
            ),
        ]);
        assert_eq!(found.edges["b"], BTreeSet::from(["a::deep".to_owned()]));
        assert_eq!(found.edges["a::deep"], BTreeSet::from(["a".to_owned()]));
        assert!(found.circles().is_empty() && found.upward().is_empty());
    }

    #[test]
    fn what_the_glue_of_a_folder_defines_is_above_its_files() {
        let found = imports(&[
            ("", "mod a;"),
            (
                "a",
                "mod deep;\npub use deep::Deep;\npub struct Base(Deep);",
            ),
            ("a::deep", "pub struct Deep(Box<super::Base>);"),
        ]);
        assert_eq!(found.upward(), [("a::deep".to_owned(), "a".to_owned())]);
        assert_eq!(found.circles(), [["a", "a::deep"]]);
    }
}
