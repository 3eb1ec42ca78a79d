//! The project's own commands, run as `cargo xtask COMMAND` (and `cargo check-all` by its alias).
//! One command is one file or folder; several of them are tests of this crate as well.

mod admit;
mod advisories;
mod arrows;
mod bench;
mod check_all;
mod deb;
mod demo;
mod dependencies;
mod distribution;
mod fuzz;
mod measured;
mod process;
mod rules;
mod style;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use workspace::Workspace;

fn main() -> ExitCode {
    match run(&Workspace::here(), &Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(workspace: &Workspace, command: &Command) -> Result<()> {
    match command {
        Command::Demo => demo::run(workspace),
        Command::CheckAll(arguments) => check_all::run(workspace, arguments),
        Command::Arrows => arrows::run(workspace),
        Command::Style => style::run(workspace),
        Command::Rules(arguments) => rules::run(workspace, arguments),
        Command::Dependencies => dependencies::run(workspace),
        Command::Advisories => advisories::run(workspace),
        Command::Fuzz(arguments) => fuzz::run(workspace, arguments),
        Command::Bench(arguments) => bench::run(workspace, arguments),
        Command::Measured(arguments) => measured::run(arguments),
        Command::Deb(arguments) => deb::run(workspace, arguments),
    }
}

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the Debian package.
    Deb(deb::Arguments),
    /// Runs the main job on a real clip.
    Demo,
    /// Installs what the checks need and runs every one of them.
    CheckAll(check_all::Arguments),
    /// Compares the crates' dependencies with the table in docs/ARCHITECTURE.md.
    Arrows,
    /// Measures function and file lengths and looks for what the house style forbids.
    Style,
    /// Generates docs/rules.md from docs/rules.toml and the tests named after rows.
    Rules(rules::Arguments),
    /// Compares docs/dependencies.md with the workspace's dependencies.
    Dependencies,
    /// Looks the dependencies up in the advisory database, which comes from outside.
    Advisories,
    /// Runs the fuzz targets, or some of them, and keeps what they find below target/fuzz.
    Fuzz(fuzz::Arguments),
    /// Runs one benchmark, peers side by side, and prints distributions.
    Bench(bench::Arguments),
    /// Runs one command and writes what it took to a file (used by `bench`).
    #[command(hide = true)]
    Measured(measured::Arguments),
}
