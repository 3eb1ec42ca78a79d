//! License issuance: the server's own benchmark, which runs the program built for release, on this disk.

use std::process::Command;

use anyhow::Result;

use super::Arguments;
use crate::process;
use crate::workspace::Workspace;

/// Builds and runs it; it prints its distributions itself.
pub(super) fn run(workspace: &Workspace, _: &Arguments) -> Result<()> {
    let cargo = |words: &[&str]| process::run(Command::new("cargo").args(words).current_dir(&workspace.root));
    cargo(&["build", "--quiet", "--release", "--package", "admit-cli"])?;
    let program = workspace.target.join("release/admit");
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--quiet", "--package", "admit-server", "--bench", "licenses", "--"]).arg(program);
    process::run(bench.current_dir(&workspace.root))
}
