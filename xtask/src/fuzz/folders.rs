//! What a target leaves behind and begins with: seeds, written anew by the target itself, a corpus that grows from run
//! to run, one that lasts for a run, and crashing inputs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// The folders of one target.
#[derive(Debug)]
pub(super) struct Folders {
    pub(super) seeds: PathBuf,
    pub(super) corpus: PathBuf,
    pub(super) scratch: PathBuf,
    pub(super) artifacts: PathBuf,
}

impl Folders {
    /// Makes them; seeds and the passing corpus are emptied.
    pub(super) fn make(workspace: &Workspace, target: &str) -> Result<Self> {
        let folder = |kind: &str| workspace.target.join("fuzz").join(kind).join(target);
        let folders = Self {
            seeds: folder("seeds"),
            corpus: folder("corpus"),
            scratch: folder("scratch"),
            artifacts: folder("artifacts"),
        };
        empty(&folders.seeds)?;
        empty(&folders.scratch)?;
        make(&folders.corpus)?;
        make(&folders.artifacts)?;
        Ok(folders)
    }
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    make(folder)
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_stays_and_what_passes_goes() {
        let target = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: target.path().to_owned(), target: target.path().to_owned() };
        let folders = Folders::make(&workspace, "license").unwrap();
        let files = [&folders.seeds, &folders.scratch, &folders.corpus, &folders.artifacts].map(|it| it.join("file"));
        files.iter().for_each(|file| fs::write(file, "").unwrap());
        Folders::make(&workspace, "license").unwrap();
        assert_eq!(files.map(|file| file.exists()), [false, false, true, true]);
    }
}
