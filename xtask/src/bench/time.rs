//! Signed time: answers a second of the program built for release beside roughenough-server, and verifying an answer in
//! WebAssembly, as a browser does it.

use std::process::Command;

use anyhow::{Context, Result};

use super::Arguments;
use crate::check_all::wasm;
use crate::distribution::Distribution;
use crate::process;
use crate::tools;
use crate::workspace::Workspace;

/// Measures both.
pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    answers(workspace)?;
    verify_in_wasm(workspace, arguments.rounds)
}

/// The server's own benchmark prints its distributions itself.
fn answers(workspace: &Workspace) -> Result<()> {
    let cargo = |words: &[&str]| process::run(Command::new("cargo").args(words).current_dir(&workspace.root));
    cargo(&["build", "--quiet", "--release", "--package", "admit-cli"])?;
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--quiet", "--package", "admit-server", "--bench", "time", "--"]);
    bench.arg(workspace.target.join("release/admit"));
    match tools::roughenough_server(workspace) {
        Some(program) => drop(bench.arg(program)),
        None => {
            println!("roughenough-server is not here: `cargo install roughenough-server@2.2.0 --root target/tools`")
        }
    }
    process::run(bench.current_dir(&workspace.root))
}

/// The program verifies a hundred answers each time it is called; Node.js measures each call.
fn verify_in_wasm(workspace: &Workspace, rounds: u32) -> Result<()> {
    let program = wasm::build(workspace, [VERIFY_IN_WASM].into_iter())?.join(format!("{VERIFY_IN_WASM}.wasm"));
    let mut node = Command::new("node");
    let measured = process::output(node.args(["-e", SCRIPT]).arg(program).arg((rounds * 10).to_string()))?;
    let millis = measured.lines().map(str::parse).collect::<Result<Vec<f64>, _>>().context("Node.js says numbers")?;
    if let Some(distribution) = Distribution::new(millis) {
        println!("{:<16} {:<14} {distribution}", "WebAssembly", "one answer ms");
    }
    Ok(())
}

/// Prints the milliseconds that one verification took, for each call.
const SCRIPT: &str = "
const [path, rounds] = process.argv.slice(1);
const module = new WebAssembly.Module(require('fs').readFileSync(path));
const { exports } = new WebAssembly.Instance(module, {});
exports.main(0, 0);
for (let round = 0; round < rounds; round++) {
  const begun = performance.now();
  exports.main(0, 0);
  console.log((performance.now() - begun) / 100);
}";

/// The program that verifies.
pub(crate) const VERIFY_IN_WASM: &str = "verify-in-wasm";
