//! `cargo xtask fuzz`: builds the libFuzzer targets in `fuzz/` on the stable toolchain and runs them with bounded
//! memory and time for each input. Grown corpora and crashing inputs stay below `target/fuzz`.

mod build;
mod folders;
mod session;
mod target;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use folders::Folders;
use session::{Budget, Session};
use target::Target;

/// Runs the targets asked for, or all of them, from their grown corpora.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let targets = target::chosen(workspace, &arguments.targets)?;
    build::run(workspace)?;
    let budget = match (arguments.runs, &arguments.input) {
        (_, Some(input)) => Budget::Input(input.clone()),
        (Some(runs), None) => Budget::Runs(runs),
        (None, None) => Budget::Seconds(arguments.seconds),
    };
    run_all(workspace, &targets, |_| budget.clone())
}

/// The short form that every check runs: the same inputs every time, from the seeds alone.
pub(crate) fn short(workspace: &Workspace) -> Result<()> {
    let targets = target::chosen(workspace, &[])?;
    build::run(workspace)?;
    run_all(workspace, &targets, |target| Budget::Short(target.short_runs))
}

/// Runs target after target. One that fails does not keep the others from running.
fn run_all(workspace: &Workspace, targets: &[Target], budget: impl Fn(&Target) -> Budget) -> Result<()> {
    session::print_head();
    let mut failed = Vec::new();
    for target in targets {
        let folders = Folders::make(workspace, &target.name)?;
        let session = Session { target: &target.name, program: build::program(workspace, &target.name), folders };
        match session.run(&budget(target)) {
            Ok(figures) => println!("{figures}"),
            Err(error) => {
                println!("{:<16} FAILED: {error:#}", target.name);
                failed.push(target.name.as_str());
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which targets; all of them when none is named.
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many inputs each target runs, in place of a time.
    #[arg(long, conflicts_with = "seconds", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// Runs this one input and nothing else.
    #[arg(long, value_name = "FILE", requires = "targets", conflicts_with_all = ["seconds", "runs"])]
    input: Option<PathBuf>,
}
