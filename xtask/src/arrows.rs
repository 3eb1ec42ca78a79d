//! Holds the arrows between the crates: what `cargo metadata` says each crate depends on, against the table
//! "Crates" of docs/ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::process;
use crate::workspace::Workspace;

/// Compares, and prints every arrow that the table does not allow.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let table = parse_table(&workspace.read("docs/ARCHITECTURE.md")?)?;
    let crates = our_crates(workspace)?;
    let wrong = compare(&table, &crates);
    if !wrong.is_empty() {
        bail!("crates and docs/ARCHITECTURE.md disagree:\n  {}", wrong.join("\n  "));
    }
    println!("arrows: {} crates depend on each other as docs/ARCHITECTURE.md says", crates.len());
    Ok(())
}

/// What the column "may use" says.
#[derive(Debug, PartialEq)]
enum MayUse {
    /// `-`, or names.
    Named(BTreeSet<String>),
    /// `all` or `any`.
    Everything,
}

type Table = BTreeMap<String, MayUse>;

/// The dependencies of one crate on others of ours, by their short names.
#[derive(Debug, Default, PartialEq)]
struct Uses {
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

/// Reads the rows below the heading `## Crates`.
fn parse_table(document: &str) -> Result<Table> {
    let (_, section) = document.split_once("\n## Crates\n").context("docs/ARCHITECTURE.md has no `## Crates`")?;
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let table = rows.map(parse_row).collect::<Result<Table>>()?;
    ensure!(!table.is_empty(), "`## Crates` of docs/ARCHITECTURE.md has no table");
    Ok(table)
}

fn parse_row(row: &str) -> Result<(String, MayUse)> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [name, _, may_use, _] = cells[..] else { bail!("a row of the crate table has not four cells: {row}") };
    let name = name.split('`').nth(1).with_context(|| format!("a crate's name is not in backticks: {row}"))?;
    let may_use = match may_use {
        "all" | "any" => MayUse::Everything,
        "-" => MayUse::Named(BTreeSet::new()),
        names => MayUse::Named(names.split(',').map(|name| name.trim().to_owned()).collect()),
    };
    Ok((name.to_owned(), may_use))
}

/// Asks cargo for the workspace's members and their dependencies on each other.
fn our_crates(workspace: &Workspace) -> Result<BTreeMap<String, Uses>> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&workspace.root).args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Metadata = serde_json::from_str(&process::output(&mut cargo)?).context("cargo metadata")?;
    Ok(metadata.packages.into_iter().map(|package| (short(&package.name), package.uses())).collect())
}

/// Every disagreement, as a sentence.
fn compare(table: &Table, crates: &BTreeMap<String, Uses>) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in table.keys().filter(|name| !crates.contains_key(*name)) {
        wrong.push(format!("{name} has a row and is no crate"));
    }
    for (name, uses) in crates {
        let Some(allowed) = allowed(table, name) else {
            wrong.push(format!("{name} has no row"));
            continue;
        };
        let dev_only = |used: &&String| used.as_str() != "testkit" && !allowed.contains(used.as_str());
        let normal = uses.normal.iter().filter(|used| !allowed.contains(used.as_str()));
        wrong.extend(normal.map(|used| format!("{name} may not use {used}")));
        let dev = uses.dev.iter().filter(dev_only);
        wrong.extend(dev.map(|used| format!("{name} may not use {used}, in its tests neither")));
    }
    wrong
}

/// What the row names, what the rows of those name, and so on. `None` when there is no row.
fn allowed<'a>(table: &'a Table, name: &str) -> Option<BTreeSet<&'a str>> {
    let mut allowed = BTreeSet::new();
    let mut open = vec![table.get(name)?];
    while let Some(may_use) = open.pop() {
        let names: Vec<&'a String> = match may_use {
            MayUse::Everything => table.keys().collect(),
            MayUse::Named(names) => names.iter().collect(),
        };
        for name in names {
            if allowed.insert(name.as_str()) {
                open.extend(table.get(name));
            }
        }
    }
    Some(allowed)
}

/// Folders carry no prefix, crate names do.
fn short(name: &str) -> String {
    name.strip_prefix("admit-").unwrap_or(name).to_owned()
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

/// A dependency with a `path` is one of ours; `kind` is absent for a normal one.
#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

impl Package {
    fn uses(self) -> Uses {
        let ours = self.dependencies.into_iter().filter(|dependency| dependency.path.is_some());
        let (dev, normal) = ours.partition::<Vec<_>, _>(|dependency| dependency.kind.as_deref() == Some("dev"));
        let names = |list: Vec<Dependency>| list.iter().map(|dependency| short(&dependency.name)).collect();
        Uses { normal: names(normal), dev: names(dev) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Map\n\n## Crates\n\nText.\n\n| crate | one line | may use | target |\n| --- | --- | --- | --- |\n\
        | `crypto` | keys | - | wasm |\n| `time` | clocks | crypto | wasm |\n| `trust` | chains | time | wasm |\n\
        | `cli` | assembly | all | native |\n| `testkit` (dev) | fixtures | any | dev |\n\n## Next\n| not | a | crate | row |\n";

    fn uses(normal: &[&str], dev: &[&str]) -> Uses {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Uses { normal: set(normal), dev: set(dev) }
    }

    /// Crates that agree with `DOCUMENT`, `trust` reaching through `time`.
    fn crates() -> BTreeMap<String, Uses> {
        let named = [
            ("crypto", uses(&[], &["testkit"])),
            ("time", uses(&["crypto"], &[])),
            ("trust", uses(&["time", "crypto"], &["crypto"])),
            ("cli", uses(&["trust", "time"], &[])),
            ("testkit", uses(&["trust"], &[])),
        ];
        named.into_iter().map(|(name, uses)| (name.to_owned(), uses)).collect()
    }

    fn wrong(change: impl FnOnce(&mut BTreeMap<String, Uses>)) -> Vec<String> {
        let mut crates = crates();
        change(&mut crates);
        compare(&parse_table(DOCUMENT).unwrap(), &crates)
    }

    #[test]
    fn the_workspace_agrees_with_the_architecture_page() {
        run(&Workspace::here()).unwrap();
    }

    #[test]
    fn what_a_used_crate_uses_is_allowed_too() {
        assert_eq!(wrong(|_| {}), [""; 0]);
    }

    #[test]
    fn an_arrow_that_points_outwards_is_found() {
        let found = wrong(|crates| crates.get_mut("crypto").unwrap().normal.extend(["time".to_owned()]));
        assert_eq!(found, ["crypto may not use time"]);
    }

    #[test]
    fn an_arrow_bent_for_a_test_is_found() {
        let found = wrong(|crates| crates.get_mut("time").unwrap().dev.extend(["trust".to_owned()]));
        assert_eq!(found, ["time may not use trust, in its tests neither"]);
    }

    #[test]
    fn crates_without_a_row_and_rows_without_a_crate_are_found() {
        let found = wrong(|crates| {
            crates.remove("cli");
            crates.insert("spa".to_owned(), uses(&[], &[]));
        });
        assert_eq!(found, ["cli has a row and is no crate", "spa has no row"]);
    }

    #[test]
    fn the_table_ends_with_its_section() {
        assert_eq!(parse_table(DOCUMENT).unwrap().len(), 5);
        assert_eq!(parse_table(DOCUMENT).unwrap()["cli"], MayUse::Everything);
    }

    #[test]
    fn a_page_without_the_table_is_an_error() {
        for document in ["# Map\n", "# Map\n\n## Crates\n\nNone.\n"] {
            assert!(parse_table(document).is_err(), "{document:?}");
        }
        assert!(parse_row("| crypto | keys | - | wasm |").is_err(), "no backticks");
        assert!(parse_row("| `crypto` | - | wasm |").is_err(), "three cells");
    }
}
