//! `cargo xtask bench NAME`: each benchmark is a file, runs its peers side by side, round by round, and prints
//! distributions. Programs run as users run them, measured from outside.

mod clip;
mod licenses;
mod package;
mod play;
mod policy;
mod store;
mod table;
mod time;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;

use crate::measured::Usage;
use crate::process;
use crate::workspace::Workspace;

pub(crate) use time::VERIFY_IN_WASM;

/// Runs the benchmark that was asked for.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let bench = BENCHES.iter().find(|bench| bench.name == arguments.name).context("clap lets no other name through")?;
    println!("bench {}: {}", bench.name, bench.compares);
    (bench.run)(workspace, arguments)
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benchmark.
    #[arg(value_parser = PossibleValuesParser::new(BENCHES.iter().map(|bench| bench.name)))]
    name: String,
    /// How many rounds; in each one every peer runs once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Leaves the large inputs out.
    #[arg(long)]
    small: bool,
}

/// One benchmark.
struct Bench {
    name: &'static str,
    compares: &'static str,
    run: fn(&Workspace, &Arguments) -> Result<()>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "package",
        compares: "packaging a file, `admit package` beside a plain copy and Shaka Packager",
        run: package::run,
    },
    Bench {
        name: "play",
        compares: "decrypting a file, `admit play` beside a plain copy, and the time to the first clear sample",
        run: play::run,
    },
    Bench {
        name: "licenses",
        compares: "durable licenses a second over TCP, on SQLite and PostgreSQL",
        run: licenses::run,
    },
    Bench {
        name: "policy",
        compares: "what asking the acquisition policy costs for one license: the default script, and the manual's rules and script",
        run: policy::run,
    },
    Bench {
        name: "store",
        compares: "a client's store of many licenses: opening it, finding a key, deciding, and what it takes on disk",
        run: store::run,
    },
    Bench {
        name: "time",
        compares: "answers about the time, `admit serve` beside roughenough-server, and verifying one in WebAssembly",
        run: time::run,
    },
];

/// Runs one command in a process of its own that measures it.
fn measure(command: &Command, scratch: &Path) -> Result<Usage> {
    let report = scratch.join("usage.json");
    let this_program = std::env::current_exe().context("this program cannot find itself")?;
    let mut measured = Command::new(this_program);
    measured.arg("measured").arg("--report").arg(&report).arg("--");
    measured.arg(command.get_program()).args(command.get_args());
    process::output(&mut measured)?;
    serde_json::from_slice(&fs::read(&report)?).context("the measuring process wrote no usage")
}
