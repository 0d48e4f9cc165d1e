//! Items with a name: which of them are types, which are public, and whose comment says no more than the name.

use std::collections::BTreeSet;

use syn::visit::Visit;
use syn::{Attribute, Expr, ExprLit, Ident, Item, Lit, Meta, Visibility};

pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) kind: Kind,
    /// Its comment has no word that the name (or that of its type) does not have.
    pub(crate) repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    /// A struct, enum, union, trait or alias of a module, not of a function.
    Type,
    Other,
}

pub(super) fn of(items: &[Item]) -> Vec<Named> {
    let mut found = Names::default();
    for item in items {
        found.visit_item(item);
    }
    found.found
}

#[derive(Default)]
struct Names {
    found: Vec<Named>,
    /// The type whose `impl` this is.
    owner: String,
    functions: usize,
}

/// What is said of an item before its body.
struct Head<'a> {
    ident: &'a Ident,
    attributes: &'a [Attribute],
    visibility: &'a Visibility,
}

impl Names {
    fn note(&mut self, head: &Head<'_>, kind: Kind) {
        let name = head.ident.to_string();
        let known: BTreeSet<String> = words(&name).chain(words(&self.owner)).collect();
        let comment = comment(head.attributes);
        self.found.push(Named {
            public: matches!(head.visibility, Visibility::Public(_)),
            kind: if self.functions == 0 {
                kind
            } else {
                Kind::Other
            },
            repeated: comment.is_some_and(|comment| words(&comment).all(|w| known.contains(&w))),
            name,
        });
    }
}

macro_rules! note {
    ($($visit:ident $item:ident $kind:ident)*) => {
        $(fn $visit(&mut self, item: &'ast syn::$item) {
            let head = Head { ident: &item.ident, attributes: &item.attrs, visibility: &item.vis };
            self.note(&head, Kind::$kind);
            syn::visit::$visit(self, item);
        })*
    };
}

impl<'ast> Visit<'ast> for Names {
    note! {
        visit_item_const ItemConst Other
        visit_item_enum ItemEnum Type
        visit_item_mod ItemMod Module
        visit_item_static ItemStatic Other
        visit_item_struct ItemStruct Type
        visit_item_trait ItemTrait Type
        visit_item_type ItemType Type
        visit_item_union ItemUnion Type
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note_function(&item.sig, (&item.attrs, &item.vis));
        self.functions += 1;
        syn::visit::visit_item_fn(self, item);
        self.functions -= 1;
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.owner = match item.self_ty.as_ref() {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        }
        .unwrap_or_default();
        syn::visit::visit_item_impl(self, item);
        self.owner.clear();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note_function(&item.sig, (&item.attrs, &item.vis));
        self.functions += 1;
        syn::visit::visit_impl_item_fn(self, item);
        self.functions -= 1;
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        let head = Head {
            ident: &item.ident,
            attributes: &item.attrs,
            visibility: &item.vis,
        };
        self.note(&head, Kind::Other);
    }
}

impl Names {
    fn note_function(
        &mut self,
        signature: &syn::Signature,
        (attributes, visibility): (&[Attribute], &Visibility),
    ) {
        let head = Head {
            ident: &signature.ident,
            attributes,
            visibility,
        };
        self.note(&head, Kind::Other);
    }
}

/// The text of a comment of one line; longer ones say more.
fn comment(attributes: &[Attribute]) -> Option<String> {
    let mut lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if pair.path.is_ident("doc") => Some(text.value()),
            _ => None,
        }
    });
    let only = lines.next()?;
    lines.next().is_none().then_some(only)
}

/// Words that say nothing by themselves.
const EMPTY: &str = " a an and all are as at be by does do for from get give has have if in into is it its make of on one out own return run \
                     say so take that the their them this to what which whose with ";

/// The words that mean something, without the endings of English.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut spaced = String::new();
    let mut before = ' ';
    for c in text.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
        before = c;
    }
    let words: Vec<String> = spaced
        .split_whitespace()
        .map(str::to_lowercase)
        .filter(|word| !is_empty(word))
        .map(|word| stem(&word))
        .collect();
    words.into_iter()
}

fn is_empty(word: &str) -> bool {
    let forms = [
        word,
        word.trim_end_matches('s'),
        word.trim_end_matches("es"),
    ];
    forms
        .iter()
        .any(|form| EMPTY.contains(&format!(" {form} ")))
}

fn stem(word: &str) -> String {
    let stem = ["ing", "ies", "ed", "es", "s", "e", "y"]
        .into_iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .find(|stem| stem.len() > 2);
    stem.unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::source_of;
    use super::*;

    #[test]
    fn a_comment_that_only_repeats_the_name_is_found() {
        let text = "/// Runs it.\npub fn run() {}\n\n/// The stored keys.\nfn stored_keys() {}\n\n/// In bytes.\nfn size() {}\n\n\
                    struct KeyFile;\nimpl KeyFile {\n    /// Opens the file of keys.\n    pub fn open() {}\n}\n\n/// Reads.\n/// Then waits.\nfn read() {}\n";
        let found: Vec<(String, bool, bool)> = source_of("a", text)
            .names
            .into_iter()
            .map(|name| (name.name, name.public, name.repeated))
            .collect();
        let expected = [
            ("run", true, true),
            ("stored_keys", false, true),
            ("size", false, false),
            ("KeyFile", false, false),
            ("open", true, true),
            ("read", false, false),
        ];
        assert_eq!(
            found,
            expected.map(|(name, public, repeated)| (name.to_owned(), public, repeated))
        );
    }

    #[test]
    fn a_type_that_a_macro_declares_is_one() {
        let text = "words! {\n    /// A mode.\n    pub enum Mode {\n        Async = \"async\",\n    }\n}\nother!(a => b);\n";
        let source = source_of("a", text);
        let names: Vec<(&str, bool)> = source
            .names
            .iter()
            .map(|name| (name.name.as_str(), name.repeated))
            .collect();
        assert_eq!(names, [("Mode", true)]);
    }

    #[test]
    fn types_of_functions_are_no_types_of_the_crate() {
        let text = "enum A {}\ntrait B {}\ntype C = u8;\nfn f() {\n    struct D;\n}\nmod m {\n    struct E;\n}\n";
        let types: Vec<String> = source_of("a", text)
            .names
            .into_iter()
            .filter(|name| name.kind == Kind::Type)
            .map(|name| name.name)
            .collect();
        assert_eq!(types, ["A", "B", "C", "E"]);
    }
}
