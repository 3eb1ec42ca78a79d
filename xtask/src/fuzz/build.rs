//! Builds the targets: one cargo build of all of them. Our crates and the parsers under them are instrumented
//! for libFuzzer (clang's SanitizerCoverage), cryptography and the rest are not, which makes targets that sign and seal
//! many times faster. The flags per package need `RUSTC_BOOTSTRAP=1` on a stable cargo, and no other toolchain.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::target::MANIFEST;
use crate::process;
use crate::workspace::Workspace;

/// Builds every target.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(&workspace.root).args(["build", "--quiet", "--bins", "--manifest-path", MANIFEST]);
    command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", folder(workspace)).arg("-Zprofile-rustflags");
    println!("$ {} (with coverage of {})", process::shown(&command), INSTRUMENTED.join(", "));
    command.args(INSTRUMENTED.iter().flat_map(|package| ["--config".to_owned(), instrumented(package)]));
    // The settings are too long to be shown in an error.
    let status = command.status().context("cargo did not start")?;
    if status.success() { Ok(()) } else { bail!("the targets do not build ({status})") }
}

/// Where a target's program is once it is built.
pub(super) fn program(workspace: &Workspace, target: &str) -> PathBuf {
    folder(workspace).join("debug").join(target)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("fuzz/build")
}

/// The setting that has a package compiled with coverage.
fn instrumented(package: &str) -> String {
    let flags: Vec<_> = COVERAGE.iter().map(|flag| format!("{flag:?}")).collect();
    format!("profile.dev.package.{package}.rustflags=[{}]", flags.join(","))
}

/// What the fuzzer sees inside of. None of them may have a build script, which would be instrumented as well.
const INSTRUMENTED: [&str; 14] = [
    "admit-client",
    "admit-crypto",
    "admit-fuzz",
    "admit-license",
    "admit-media",
    "admit-packager",
    "admit-protocol",
    "admit-testkit",
    "admit-time",
    "admit-trust",
    "der",
    "minicbor",
    "quick-xml",
    "x509-cert",
];

/// Edges with 8-bit counters, the table of them, and the operands of comparisons: what libFuzzer is guided by.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_ours_that_targets_use_is_instrumented() {
        let manifest: toml::Table = Workspace::here().read(MANIFEST).unwrap().parse().unwrap();
        let used = manifest["dependencies"].as_table().unwrap().keys().filter(|name| name.starts_with("admit-"));
        for package in used {
            assert!(INSTRUMENTED.contains(&package.as_str()), "{package} is fuzzed blindly");
        }
    }
}
