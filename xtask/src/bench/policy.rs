//! What asking the acquisition policy costs for one license: the server's own benchmark.

use std::process::Command;

use anyhow::Result;

use super::Arguments;
use crate::process;
use crate::workspace::Workspace;

/// Builds and runs it; it prints its distributions itself.
pub(super) fn run(workspace: &Workspace, _: &Arguments) -> Result<()> {
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--quiet", "--package", "admit-server", "--bench", "policy"]);
    process::run(bench.current_dir(&workspace.root))
}
