//! The stages that read the code without running it: format, clippy, documentation, licenses.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{process, tools};

/// rustfmt would change nothing.
pub(super) fn format(workspace: &Workspace) -> Result<()> {
    process::run(cargo(workspace).args(["fmt", "--all", "--check"]))
}

/// No warning of the compiler or of clippy, in any target, with every feature.
pub(super) fn clippy(workspace: &Workspace) -> Result<()> {
    let mut command = cargo(workspace);
    process::run(command.args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
}

/// The documentation builds, private items too, without a warning.
pub(super) fn docs(workspace: &Workspace) -> Result<()> {
    let mut command = cargo(workspace);
    command.args(["doc", "--workspace", "--all-features", "--no-deps", "--document-private-items"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// cargo-deny's checks that need no network. Advisories do, and live in `cargo xtask advisories`.
pub(super) fn deny(workspace: &Workspace) -> Result<()> {
    let mut command = Command::new(tools::required(tools::cargo_deny(workspace), "cargo-deny")?);
    command.current_dir(&workspace.root).args(["--all-features", "check", "licenses", "bans", "sources"]);
    process::run(&mut command)
}

/// cargo in the work tree.
pub(super) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&workspace.root);
    command
}
