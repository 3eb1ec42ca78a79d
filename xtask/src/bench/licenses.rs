//! License issuance: the server's own benchmark program, built for release, on this disk.

use std::process::Command;

use anyhow::Result;

use super::Arguments;
use crate::process;
use crate::workspace::Workspace;

/// Builds and runs it; it prints its distributions itself.
pub(super) fn run(workspace: &Workspace, _: &Arguments) -> Result<()> {
    let words = ["run", "--quiet", "--release", "--package", "admit-server", "--example", "licenses"];
    process::run(Command::new("cargo").args(words).current_dir(&workspace.root))
}
