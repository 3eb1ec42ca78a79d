//! docs/rules.md: what the system must do, row by row, with the code that does it and the tests that hold it
//! to that. Generated from docs/rules.toml and from the tests in the tree that are named after rows.

mod page;
mod table;
mod tests_in_tree;

use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::Workspace;
use table::{Row, Status};
use tests_in_tree::NamedTests;

const PAGE: &str = "docs/rules.md";

/// Checks the table against the tree, then writes the page, or compares it with `--check`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let rows = table::parse(&workspace.read("docs/rules.toml")?)?;
    let tests = tests_in_tree::find(workspace)?;
    let wrong = faults(workspace, &rows, &tests);
    if !wrong.is_empty() {
        bail!("docs/rules.toml and the tree disagree:\n  {}", wrong.join("\n  "));
    }
    let generated = page::render(&rows, &tests);
    let done = rows.iter().filter(|row| row.status == Status::Done).count();
    println!("rules: {done} of {} rows done, {} tests named after rows", rows.len(), tests.count());
    if arguments.check {
        let current = workspace.read(PAGE)?;
        ensure!(current == generated, "{PAGE} is not what its sources say: run `cargo xtask rules`");
        return Ok(());
    }
    fs::write(workspace.root.join(PAGE), generated).with_context(|| format!("{PAGE} cannot be written"))
}

/// Rows called done without a test, code that is not there, and tests of rows that do not exist.
fn faults(workspace: &Workspace, rows: &[Row], tests: &NamedTests) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        if row.status == Status::Done && tests.of(&row.id).is_empty() {
            wrong.push(format!("{} is called done and no test is named {}_...", row.id, row.id.to_lowercase()));
        }
        if row.status == Status::Done && row.code.is_empty() {
            wrong.push(format!("{} is called done and names no code", row.id));
        }
        let lost = row.code.iter().filter(|path| !workspace.root.join(path).exists());
        wrong.extend(lost.map(|path| format!("{} names {path}, which is not there", row.id)));
        let untested = row.tests.iter().filter(|test| !tests.has(test));
        wrong.extend(untested.map(|test| format!("{} names the test {test}, which is not there", row.id)));
    }
    let strangers = tests.rows().filter(|id| rows.iter().all(|row| row.id != **id));
    wrong.extend(strangers.map(|id| format!("tests are named after {id}, which has no row in docs/rules.toml")));
    wrong
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Compares docs/rules.md instead of writing it.
    #[arg(long)]
    check: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(toml: &str, source: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("here.rs"), source).unwrap();
        let workspace = Workspace { root: root.path().to_owned(), target: root.path().join("target") };
        let rows = table::parse(toml).unwrap();
        faults(&workspace, &rows, &tests_in_tree::find(&workspace).unwrap())
    }

    const DONE: &str = "[[row]]\nid = \"B04\"\nstatus = \"done\"\ntext = \"Rights.\"\ncode = [\"here.rs\"]\n";

    #[test]
    fn the_page_of_rules_is_what_its_sources_say() {
        run(&Workspace::here(), &Arguments { check: true }).unwrap();
    }

    #[test]
    fn a_done_row_with_code_and_a_test_is_right() {
        assert_eq!(faults_of(DONE, "#[test]\nfn b04_rights() {}\n"), [""; 0]);
    }

    #[test]
    fn a_done_row_without_a_test_of_its_name_is_found() {
        let expected = ["B04 is called done and no test is named b04_..."];
        assert_eq!(faults_of(DONE, "#[test]\nfn rights_b04() {}\n"), expected);
        assert_eq!(faults_of(DONE, "fn b04_rights() {}\n"), expected, "not a test");
    }

    #[test]
    fn code_and_tests_that_are_gone_are_found() {
        let toml =
            "[[row]]\nid = \"B04\"\nstatus = \"part\"\ntext = \"Rights.\"\ncode = [\"gone.rs\"]\ntests = [\"lost\"]\n";
        let expected = ["B04 names gone.rs, which is not there", "B04 names the test lost, which is not there"];
        assert_eq!(faults_of(toml, ""), expected);
    }

    #[test]
    fn a_test_of_a_row_that_does_not_exist_is_found() {
        let found = faults_of(DONE, "#[test]\nfn b04_rights() {}\n#[test]\nfn c09_lists() {}\n");
        assert_eq!(found, ["tests are named after C09, which has no row in docs/rules.toml"]);
    }
}
