//! The tests in the tree that are named after rows: `b04_…` belongs to B04. They are found in the source, so
//! that the page needs no compiled tests; macros that define tests are looked into.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};

use crate::workspace::Workspace;

/// Every test by name, and those named after rows by row id.
#[derive(Default)]
pub(super) struct NamedTests {
    all: BTreeSet<String>,
    by_row: BTreeMap<String, Vec<NamedTest>>,
}

/// A test named after a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NamedTest {
    pub(super) name: String,
    pub(super) path: String,
}

impl NamedTests {
    /// The tests named after this row.
    pub(super) fn of(&self, id: &str) -> &[NamedTest] {
        self.by_row.get(id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains(name)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &String> {
        self.by_row.keys()
    }

    pub(super) fn count(&self) -> usize {
        self.by_row.values().map(Vec::len).sum()
    }

    fn add(&mut self, name: String, path: &str) {
        if let Some(id) = row_id(&name) {
            self.by_row.entry(id).or_default().push(NamedTest { name: name.clone(), path: path.to_owned() });
        }
        self.all.insert(name);
    }
}

/// Looks through every Rust file of the tree.
pub(super) fn find(workspace: &Workspace) -> Result<NamedTests> {
    let mut tests = NamedTests::default();
    for path in workspace.files(&["rs"])? {
        let shown = workspace.shown(&path);
        let text = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))?;
        let tokens: Result<TokenStream, _> = text.parse();
        let tokens = tokens.map_err(|error| anyhow::anyhow!("{shown} cannot be parsed: {error}"))?;
        tests_in(tokens).into_iter().for_each(|name| tests.add(name, &shown));
    }
    Ok(tests)
}

/// The functions that bear an attribute ending in `test`, wherever in the tokens.
fn tests_in(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let (mut is_test, mut after_fn) = (false, false);
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if after_fn => {
                names.extend(is_test.then(|| ident.to_string()));
                (is_test, after_fn) = (false, false);
            }
            TokenTree::Ident(ident) => after_fn = ident == "fn",
            TokenTree::Group(group) => {
                is_test |= is_test_attribute(group.stream());
                names.extend(tests_in(group.stream()));
            }
            _ => {}
        }
    }
    names
}

/// `test`, `tokio::test`, `tokio::test(…)`: a path whose last segment is `test`.
fn is_test_attribute(attribute: TokenStream) -> bool {
    let path = attribute.into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    path.last().is_some_and(|token| matches!(&token, TokenTree::Ident(ident) if ident == "test"))
}

/// `b04_…` belongs to B04.
fn row_id(name: &str) -> Option<String> {
    let (id, rest) = name.split_once('_')?;
    let is_row = matches!(id.as_bytes(), [b'a'..=b'z', b'0'..=b'9', b'0'..=b'9']) && !rest.is_empty();
    is_row.then(|| id.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        tests_in(source.parse().unwrap())
    }

    #[test]
    fn tests_are_found_by_their_attribute() {
        let source =
            "#[test]\nfn b04_a() {}\nfn b04_helper() {}\n#[tokio::test(flavor = \"x\")]\nasync fn b04_b() {}\n";
        assert_eq!(found(source), ["b04_a", "b04_b"]);
    }

    #[test]
    fn tests_inside_modules_and_macros_are_found() {
        let source = "mod tests { proptest! { #![config(x)] #[test] fn b04_any(a in 0..3u32) { f(a) } } }";
        assert_eq!(found(source), ["b04_any"]);
    }

    #[test]
    fn a_cfg_of_test_is_no_test() {
        assert_eq!(found("#[cfg(test)]\nfn b04_fixture() {}\n"), [""; 0]);
    }

    #[test]
    fn more_attributes_may_stand_around() {
        assert_eq!(found("#[test]\n#[should_panic(expected = \"fn\")]\n#[expect(x)]\npub fn a01_b() {}"), ["a01_b"]);
    }

    #[test]
    fn names_tell_their_row() {
        assert_eq!(row_id("b04_default_rights"), Some("B04".to_owned()));
        for other in ["b04", "b4_x", "bb4_x", "b04_", "B04_x", "the_b04_x"] {
            assert_eq!(row_id(other), None, "{other}");
        }
    }
}
