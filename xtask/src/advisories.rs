//! Known vulnerabilities among the dependencies. The database is fetched from outside, so this is no part of
//! `check-all`, which has to give the same answer without a network.

use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{process, tools};

/// Asks cargo-deny, which fetches the advisory database first.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    println!("advisories: cargo-deny fetches its database from outside; without a network this ends in an error");
    let deny = tools::required(tools::cargo_deny(workspace), "cargo-deny")?;
    let mut command = Command::new(deny);
    command.current_dir(&workspace.root).args(["--all-features", "check", "advisories"]);
    process::run(&mut command).context("advisories are open, or their database was out of reach: see above")
}
