//! Signed time: verifying an answer in WebAssembly, as a browser does it.

use std::process::Command;

use anyhow::{Context, Result};

use super::Arguments;
use crate::check_all::wasm;
use crate::distribution::Distribution;
use crate::process;
use crate::workspace::Workspace;

/// Measures it.
pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    verify_in_wasm(workspace, arguments.rounds)
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
