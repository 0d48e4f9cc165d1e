//! Functions: how long they are, and what they take.

use syn::visit::Visit;
use syn::{Block, FnArg, Item, Pat, PatType, Signature, Type};

/// One with a body. What the trait of another crate asks for is not its own choice, so a method of `impl Trait for …` has no parameters here.
pub(crate) struct Function {
    pub(crate) name: String,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
    /// With `self`.
    pub(crate) parameters: usize,
    pub(crate) bools: usize,
    /// Names in the largest tuple among the parameters.
    pub(crate) tuple: usize,
}

pub(super) fn of(items: &[Item]) -> Vec<Function> {
    let mut found = Functions::default();
    for item in items {
        found.visit_item(item);
    }
    found.found
}

#[derive(Default)]
struct Functions {
    found: Vec<Function>,
    of_a_trait: bool,
}

impl Functions {
    fn note(&mut self, signature: &Signature, body: &Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let typed: Vec<&PatType> = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(typed) if !self.of_a_trait => Some(typed),
                _ => None,
            })
            .collect();
        self.found.push(Function {
            name: signature.ident.to_string(),
            lines: last - first + 1,
            parameters: if self.of_a_trait {
                0
            } else {
                signature.inputs.len()
            },
            bools: typed.iter().filter(|typed| is_bool(&typed.ty)).count(),
            tuple: typed.iter().map(|typed| in_tuple(typed)).max().unwrap_or(0),
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let outside = std::mem::take(&mut self.of_a_trait);
        self.note(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
        self.of_a_trait = outside;
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.of_a_trait = item.trait_.is_some();
        syn::visit::visit_item_impl(self, item);
        self.of_a_trait = false;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.note(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

fn is_bool(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("bool"))
}

/// Names in the pattern, or parts of the type where the pattern is one name.
fn in_tuple(parameter: &PatType) -> usize {
    match parameter.pat.as_ref() {
        pattern @ (Pat::Tuple(_) | Pat::Reference(_)) => names_in(pattern),
        _ => parts_of(&parameter.ty),
    }
}

fn names_in(pattern: &Pat) -> usize {
    match pattern {
        Pat::Tuple(tuple) => tuple.elems.iter().map(names_in).sum(),
        Pat::Reference(reference) => names_in(&reference.pat),
        _ => 1,
    }
}

fn parts_of(ty: &Type) -> usize {
    match ty {
        Type::Tuple(tuple) => tuple.elems.len(),
        Type::Reference(reference) => parts_of(&reference.elem),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source_of;

    fn measured(text: &str) -> Vec<(String, [usize; 4])> {
        source_of("a", text)
            .functions
            .into_iter()
            .map(|f| (f.name, [f.lines, f.parameters, f.bools, f.tuple]))
            .collect()
    }

    #[test]
    fn a_function_is_as_long_as_from_its_signature_to_its_brace() {
        let text =
            "/// One.\n#[must_use]\nfn one(\n    a: u8,\n) -> u8 {\n    a\n}\n\nfn two() {}\n";
        assert_eq!(
            measured(text),
            [
                ("one".to_owned(), [5, 1, 0, 0]),
                ("two".to_owned(), [1, 0, 0, 0])
            ]
        );
    }

    #[test]
    fn parameters_are_counted_with_what_tuples_hide() {
        let text = "struct S;\nimpl S {\n    fn f(&self, (a, (b, _)): (u8, (u8, u8)), c: bool) {}\n    fn g(x: &(u8, u8, u8)) {}\n}\n\
                    impl T for S {\n    fn h(&self, on: bool) {\n        fn inner(a: bool) {}\n    }\n}\n";
        assert_eq!(
            measured(text),
            [
                ("f".to_owned(), [1, 3, 1, 3]),
                ("g".to_owned(), [1, 1, 0, 3]),
                ("h".to_owned(), [3, 0, 0, 0]),
                ("inner".to_owned(), [1, 1, 1, 0]),
            ]
        );
    }
}
