//! Where the work tree is, where builds go, and which source files there are.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The work tree and the folder builds go to.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The work tree that cargo runs this program from; `CARGO_TARGET_DIR` is respected. The path known when it
    /// was compiled is the second choice: two work trees that share a target folder share this program too.
    pub(crate) fn here() -> Self {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().expect("xtask is a folder of the work tree");
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        Self { root: root.to_owned(), target }
    }

    /// Reads a text file of the work tree.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        fs::read_to_string(self.root.join(relative)).with_context(|| format!("{relative} cannot be read"))
    }

    /// A path as people write it: relative to the work tree, when it is inside.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Every file with one of these extensions, sorted, without build output and hidden folders.
    pub(crate) fn files(&self, extensions: &[&str]) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        collect(&self.root, extensions, &mut found)?;
        found.sort();
        Ok(found)
    }
}

fn collect(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if !is_left_out(&path) {
                collect(&path, extensions, found)?;
            }
        } else if extensions.iter().any(|wanted| path.extension() == Some(OsStr::new(wanted))) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_left_out(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.starts_with("target") || name == "node_modules"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_list_has_this_file_and_no_build_output() {
        let workspace = Workspace::here();
        let shown: Vec<_> = workspace.files(&["rs"]).unwrap().iter().map(|path| workspace.shown(path)).collect();
        assert!(shown.contains(&"xtask/src/workspace.rs".to_owned()));
        assert!(shown.iter().all(|path| !path.starts_with("target")));
    }
}
