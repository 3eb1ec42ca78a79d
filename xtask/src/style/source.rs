//! One Rust source file as the style budgets see it: its functions and lines outside tests, how it opens,
//! and where it unwraps.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::workspace::Workspace;

/// What was measured in one file.
#[derive(Default)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) functions: Vec<Function>,
    pub(super) product_lines: usize,
    pub(super) test_lines: usize,
    pub(super) opens_with_comment: bool,
    pub(super) unwraps: Vec<usize>,
    /// Files of modules that are declared for tests only.
    pub(super) test_modules: Vec<PathBuf>,
}

/// A function outside tests, from its signature to its closing brace.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

impl Source {
    /// What is wrong with this file by itself.
    pub(super) fn faults(&self) -> Vec<String> {
        let unwraps = self.unwraps.iter().map(|line| format!("{}:{line}: unwrap outside tests", self.path));
        let silent = (!self.opens_with_comment).then(|| format!("{}:1: no comment says what this file is", self.path));
        unwraps.chain(silent).collect()
    }
}

/// Reads and measures every Rust file of the tree.
pub(super) fn read_all(workspace: &Workspace) -> Result<Vec<Source>> {
    let mut measured = Vec::new();
    for path in workspace.files(&["rs"])? {
        let shown = workspace.shown(&path);
        let text = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))?;
        let source = measure(&path, shown.clone(), &text).with_context(|| format!("{shown} cannot be parsed"))?;
        measured.push((path, source));
    }
    let test_modules: BTreeSet<PathBuf> = measured.iter().flat_map(|(_, source)| source.test_modules.clone()).collect();
    let settled = measured.into_iter().map(|(path, source)| {
        let is_test =
            is_test_path(Path::new(&source.path)) || test_modules.iter().any(|module| is_within(&path, module));
        if is_test { source.into_test() } else { source }
    });
    Ok(settled.collect())
}

impl Source {
    /// A file that holds nothing but tests: its lines count as tests, and it may unwrap.
    fn into_test(self) -> Self {
        Self {
            path: self.path,
            opens_with_comment: self.opens_with_comment,
            test_lines: self.product_lines + self.test_lines,
            ..Self::default()
        }
    }
}

/// Files of the work tree that cargo or custom reserve for tests.
fn is_test_path(path: &Path) -> bool {
    let is_reserved = |part: &std::ffi::OsStr| ["tests", "benches", "fuzz"].iter().any(|name| part == *name);
    path.iter().any(is_reserved) || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The file of the module, or one below it.
fn is_within(path: &Path, module: &Path) -> bool {
    path.with_extension("") == module || path.starts_with(module)
}

fn measure(path: &Path, shown: String, text: &str) -> syn::Result<Source> {
    let file = syn::parse_file(text)?;
    let mut visitor = Measuring { module_folder: module_folder(path), ..Measuring::default() };
    visitor.visit_file(&file);
    let test_lines = visitor.test_lines.len();
    Ok(Source {
        path: shown,
        functions: visitor.functions,
        product_lines: text.lines().count() - test_lines,
        test_lines,
        opens_with_comment: ["//!", "// ", "/*"].iter().any(|mark| text.starts_with(mark)),
        unwraps: visitor.unwraps,
        test_modules: visitor.test_modules,
    })
}

/// Where the files of the modules that this file declares are.
fn module_folder(path: &Path) -> PathBuf {
    match path.file_name().and_then(|name| name.to_str()) {
        Some("lib.rs" | "main.rs" | "mod.rs") => path.parent().unwrap_or(path).to_owned(),
        _ => path.with_extension(""),
    }
}

#[derive(Default)]
struct Measuring {
    module_folder: PathBuf,
    functions: Vec<Function>,
    unwraps: Vec<usize>,
    test_lines: BTreeSet<usize>,
    test_modules: Vec<PathBuf>,
}

impl Measuring {
    fn record(&mut self, signature: &syn::Signature, end: Span) {
        let line = signature.span().start().line;
        let lines = end.end().line + 1 - line;
        self.functions.push(Function { name: signature.ident.to_string(), line, lines });
    }
}

impl<'ast> Visit<'ast> for Measuring {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !attributes(item).iter().any(is_for_tests) {
            return visit::visit_item(self, item);
        }
        self.test_lines.extend(lines(item.span()));
        if let syn::Item::Mod(module) = item
            && module.content.is_none()
        {
            self.test_modules.push(self.module_folder.join(module.ident.to_string()));
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.record(&function.sig, function.block.span());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if function.attrs.iter().any(is_for_tests) {
            self.test_lines.extend(lines(function.span()));
            return;
        }
        self.record(&function.sig, function.block.span());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.record(&function.sig, body.span());
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" && call.args.is_empty() {
            self.unwraps.push(call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }
}

fn lines(span: Span) -> RangeInclusive<usize> {
    span.start().line..=span.end().line
}

/// `#[cfg(test)]`, `#[test]`, and attributes such as `#[tokio::test]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let is_cfg_test = || {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    };
    attribute.path().segments.last().is_some_and(|last| last.ident == "test") || is_cfg_test()
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str) -> Source {
        measure(Path::new("crates/a/src/lib.rs"), "lib.rs".to_owned(), text).unwrap()
    }

    #[test]
    fn a_function_counts_from_its_signature_to_its_brace_without_its_comments() {
        let source =
            measured("//! What.\n\n/// Doc.\n/// More.\n#[inline]\npub fn f(\n    a: u8,\n) -> u8 {\n    a\n}\n");
        let function = &source.functions[0];
        assert_eq!((function.name.as_str(), function.line, function.lines), ("f", 6, 5));
    }

    #[test]
    fn methods_and_trait_defaults_count_and_declarations_do_not() {
        let source = measured(
            "struct S;\nimpl S {\n    fn a(&self) {}\n}\ntrait T {\n    fn b(&self);\n    fn c(&self) {\n    }\n}\n",
        );
        let lengths: Vec<_> =
            source.functions.iter().map(|function| (function.name.as_str(), function.lines)).collect();
        assert_eq!(lengths, [("a", 1), ("c", 2)]);
    }

    #[test]
    fn tests_are_neither_measured_nor_forbidden_to_unwrap() {
        let text = "//! What.\nfn f() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn long() {\n        None::<u8>.unwrap();\n    }\n}\n";
        let source = measured(text);
        assert_eq!((source.functions.len(), source.product_lines, source.test_lines), (1, 2, 7));
        assert_eq!(source.faults(), [""; 0]);
    }

    #[test]
    fn product_code_that_unwraps_is_found_with_its_line() {
        let source = measured("//! What.\nfn f() -> u8 {\n    Some(1)\n        .unwrap()\n}\n");
        assert_eq!(source.faults(), ["lib.rs:4: unwrap outside tests"]);
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_found() {
        assert_eq!(measured("use std::fs;\n").faults(), ["lib.rs:1: no comment says what this file is"]);
        assert_eq!(measured("// What.\n").faults(), [""; 0]);
    }

    #[test]
    fn modules_declared_for_tests_are_tests_with_everything_below() {
        let source = measured("//! What.\n#[cfg(test)]\nmod fixtures;\nmod real;\n");
        assert_eq!(source.test_modules, [Path::new("crates/a/src/fixtures")]);
        let module = &source.test_modules[0];
        for inside in ["fixtures.rs", "fixtures/mod.rs", "fixtures/deep.rs"] {
            assert!(is_within(&Path::new("crates/a/src").join(inside), module), "{inside}");
        }
        assert!(!is_within(Path::new("crates/a/src/fixtures_of_product.rs"), module));
        assert_eq!(module_folder(Path::new("src/a.rs")), Path::new("src/a"));
    }

    #[test]
    fn test_folders_and_files_are_known_by_their_names() {
        let tests = ["crates/a/tests/b.rs", "crates/a/src/x/tests.rs", "crates/a/benches/c.rs"];
        assert!(tests.iter().all(|path| is_test_path(Path::new(path))));
        assert!(!is_test_path(Path::new("crates/testkit/src/lib.rs")));
        assert!(!is_test_path(Path::new("xtask/src/check_all/test_runner.rs")));
    }
}
