//! The client's store with a million licenses in it, or ten thousand where the large inputs are left out: the program's own
//! benchmark.

use std::process::Command;

use anyhow::Result;

use super::Arguments;
use crate::process;
use crate::workspace::Workspace;

/// Builds and runs it; it prints its distributions itself.
pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let licenses = if arguments.small { "10000" } else { "1000000" };
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--quiet", "--package", "admit-cli", "--bench", "store", "--", licenses]);
    process::run(bench.current_dir(&workspace.root))
}
