//! `cargo test` over the whole workspace, its closing lines added up into the one that closes the run.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::lints::cargo;
use crate::tools;
use crate::workspace::Workspace;

/// Runs every test, shows what the runner says as it says it, and leaves the counts in `tally`.
pub(super) fn run(workspace: &Workspace, tally: &mut Option<Tally>) -> Result<()> {
    let mut command = cargo(workspace);
    command.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    for (variable, tool) in [
        ("ADMIT_SHAKA_PACKAGER", tools::shaka_packager(workspace)),
        ("ADMIT_FFMPEG", tools::ffmpeg(workspace)),
        ("ADMIT_NODE_MODULES", tools::node_modules(workspace)),
        ("ADMIT_SCHEMATHESIS", tools::schemathesis(workspace)),
        ("ADMIT_PYTHON", tools::python(workspace)),
    ] {
        tool.map(|path| command.env(variable, path));
    }
    // A failing test says enough by itself: a backtrace below each buries the list of them.
    let mut child = command.env("RUST_BACKTRACE", "0").stdout(Stdio::piped()).spawn().context("cargo did not start")?;
    let said = BufReader::new(child.stdout.take().expect("standard output was asked for as a pipe"));
    let mut counts = Tally::default();
    for line in said.lines() {
        let line = line.context("cargo wrote something other than text")?;
        println!("{line}");
        counts.add(&line);
    }
    let status = child.wait().context("cargo was lost")?;
    if counts != Tally::default() {
        *tally = Some(counts);
    }
    if !status.success() {
        bail!("cargo test ended with {status}");
    }
    Ok(())
}

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Adds one closing line of libtest: `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ").and_then(|(_, rest)| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                Some((Ok(number), "ignored")) => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up() {
        let mut tally = Tally::default();
        tally.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.52s");
        tally.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        assert_eq!(tally, Tally { passed: 14, failed: 1, skipped: 1 });
        assert_eq!(tally.to_string(), "14 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn other_lines_count_nothing() {
        let mut tally = Tally::default();
        for line in ["test b04_default ... ok", "running 3 tests", "3 passed; 4 failed", "test result: ", ""] {
            tally.add(line);
        }
        assert_eq!(tally, Tally::default());
    }
}
