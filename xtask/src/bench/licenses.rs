//! License issuance: the server's own benchmark program, built for release, on this disk.

use std::process::Command;

use anyhow::Result;

use super::Arguments;
use crate::process;
use crate::workspace::Workspace;

/// Builds and runs it; it prints its distributions itself.
pub(super) fn run(workspace: &Workspace, _: &Arguments) -> Result<()> {
    let cargo = |words: &[&str]| process::run(Command::new("cargo").args(words).current_dir(&workspace.root));
    cargo(&["build", "--quiet", "--release", "--package", "admit-cli"])?;
    cargo(&["build", "--quiet", "--release", "--package", "admit-server", "--example", "licenses"])?;
    let release = workspace.target.join("release");
    process::run(Command::new(release.join("examples/licenses")).arg(release.join("admit")))
}
