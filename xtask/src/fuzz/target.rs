//! The targets there are: the programs of `fuzz/Cargo.toml`, with how many inputs the short form runs of each.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::workspace::Workspace;

/// One fuzz target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: String,
    /// Inputs that the short form runs.
    pub(super) short_runs: u32,
}

/// The targets of these names, or all of them where none is named.
pub(super) fn chosen(workspace: &Workspace, names: &[String]) -> Result<Vec<Target>> {
    let all = all(workspace)?;
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|target| target.name != **name)) {
        let known: Vec<_> = all.iter().map(|target| target.name.as_str()).collect();
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|target| names.is_empty() || names.contains(&target.name)).collect())
}

fn all(workspace: &Workspace) -> Result<Vec<Target>> {
    let manifest: Manifest = toml::from_str(&workspace.read(MANIFEST)?).context("fuzz/Cargo.toml")?;
    let mut runs = manifest.package.metadata.short_runs;
    let targets = manifest.bin.into_iter().map(|Bin { name }| {
        let short_runs = runs.remove(&name).with_context(|| format!("{name} has no number of short runs"))?;
        Ok(Target { name, short_runs })
    });
    let targets = targets.collect::<Result<_>>()?;
    match runs.keys().next() {
        None => Ok(targets),
        Some(left) => bail!("short runs for {left}, which is no target"),
    }
}

/// The manifest of the targets, outside the workspace.
pub(super) const MANIFEST: &str = "fuzz/Cargo.toml";

#[derive(Deserialize)]
struct Manifest {
    package: Package,
    bin: Vec<Bin>,
}

#[derive(Deserialize)]
struct Package {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    short_runs: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Bin {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_file_and_its_line_in_the_readme() {
        let workspace = Workspace::here();
        let readme = workspace.read("fuzz/README.md").unwrap();
        let mut files: Vec<_> =
            all(&workspace).unwrap().into_iter().map(|target| format!("{}.rs", target.name)).collect();
        for file in &files {
            let name = file.trim_end_matches(".rs");
            assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the table");
        }
        let listed = std::fs::read_dir(workspace.root.join("fuzz/fuzz_targets")).unwrap();
        let mut found: Vec<_> = listed.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        found.sort();
        assert_eq!(found, files);
    }

    #[test]
    fn a_target_that_is_not_there_is_named() {
        let error = chosen(&Workspace::here(), &["licence".into()]).unwrap_err().to_string();
        assert!(error.starts_with("there is no target licence; there are avc, "), "{error}");
    }
}
