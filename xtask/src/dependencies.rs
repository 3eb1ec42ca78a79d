//! docs/dependencies.md has one row per dependency of the workspace, with the version in use.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Compares the page with `[workspace.dependencies]` of the root manifest, both ways.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let manifest = versions_in_manifest(&workspace.read("Cargo.toml")?)?;
    let page = versions_on_page(&workspace.read("docs/dependencies.md")?);
    let wrong = compare(&manifest, &page);
    if !wrong.is_empty() {
        bail!("Cargo.toml and docs/dependencies.md disagree:\n  {}", wrong.join("\n  "));
    }
    println!("dependencies: {} crates, each with its reason in docs/dependencies.md", manifest.len());
    Ok(())
}

type Versions = BTreeMap<String, String>;

/// Name and version requirement of every dependency that is not a crate of ours.
fn versions_in_manifest(manifest: &str) -> Result<Versions> {
    let manifest: toml::Table = manifest.parse().context("Cargo.toml")?;
    let listed = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let listed = listed.and_then(toml::Value::as_table).context("Cargo.toml has no [workspace.dependencies]")?;
    let version = |value: &toml::Value| value.as_str().or_else(|| value.get("version")?.as_str()).map(str::to_owned);
    Ok(listed.iter().filter_map(|(name, value)| Some((name.clone(), version(value)?))).collect())
}

/// The first two cells of every row whose first cell is in backticks.
fn versions_on_page(page: &str) -> Versions {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| {
        let (name, rest) = row.split_once("` |")?;
        let (version, _) = rest.split_once('|')?;
        Some((name.to_owned(), version.trim().to_owned()))
    });
    cells.collect()
}

fn compare(manifest: &Versions, page: &Versions) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, version) in manifest {
        match page.get(name) {
            None => wrong.push(format!("{name} has no row")),
            Some(other) if other != version => wrong.push(format!("{name} is {version}, its row says {other}")),
            Some(_) => {}
        }
    }
    let gone = page.keys().filter(|name| !manifest.contains_key(*name));
    wrong.extend(gone.map(|name| format!("{name} has a row and is no dependency")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.dependencies]\nadmit-crypto = { path = \"crates/crypto\" }\n\
        aes = { version = \"0.9\", default-features = false }\nanyhow = \"1\"\n";
    const PAGE: &str =
        "| crate | version | for |\n| --- | --- | --- |\n| `aes` | 0.9 | blocks |\n| `anyhow` | 1 | errors |\n";

    fn wrong(page: &str) -> Vec<String> {
        compare(&versions_in_manifest(MANIFEST).unwrap(), &versions_on_page(page))
    }

    #[test]
    fn every_dependency_of_the_workspace_has_its_row() {
        run(&Workspace::here()).unwrap();
    }

    #[test]
    fn our_own_crates_need_no_row() {
        assert_eq!(wrong(PAGE), [""; 0]);
    }

    #[test]
    fn a_missing_an_old_and_a_leftover_row_are_found() {
        let page = "| `aes` | 0.8 | blocks |\n| `rand` | 0.10 | nothing |\n";
        let expected = ["aes is 0.9, its row says 0.8", "anyhow has no row", "rand has a row and is no dependency"];
        assert_eq!(wrong(page), expected);
    }

    #[test]
    fn a_manifest_without_the_section_is_an_error() {
        assert!(versions_in_manifest("[workspace]\n").is_err());
    }
}
