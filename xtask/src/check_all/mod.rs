//! `cargo check-all`: installs what the checks need if it is missing, then runs every check, each stage with
//! its time. A failing stage does not keep the others from running, and any failure fails the whole.

mod installs;
mod lints;
mod test_runner;
pub(crate) mod wasm;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use crate::workspace::Workspace;
use test_runner::Tally;

/// Runs the stages, prints the table of them, and closes with the test runner's counts.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let chosen = STAGES.iter().filter(|stage| arguments.only.as_deref().is_none_or(|only| only == stage.name));
    let mut tally = None;
    let reports: Vec<Report> = chosen.map(|stage| run_stage(workspace, stage, &mut tally)).collect();

    println!();
    reports.iter().for_each(Report::print);
    if let Some(tally) = tally {
        println!("{tally}");
    }
    let failed: Vec<_> = reports.iter().filter(|report| !report.passed).map(|report| report.stage.name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn run_stage(workspace: &Workspace, stage: &'static Stage, tally: &mut Option<Tally>) -> Report {
    println!("\n== {}: {}", stage.name, stage.checks);
    let start = Instant::now();
    let result = (stage.run)(workspace, tally);
    let took = start.elapsed();
    match &result {
        Ok(()) => println!("-- {} passed in {:.1} s", stage.name, took.as_secs_f64()),
        Err(error) => {
            println!("-- {} FAILED after {:.1} s: {error:#}", stage.name, took.as_secs_f64());
            println!("-- What to do: {}.", stage.advice);
        }
    }
    Report { stage, passed: result.is_ok(), took }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs this one stage alone.
    #[arg(long, value_name = "STAGE", value_parser = PossibleValuesParser::new(STAGES.iter().map(|stage| stage.name)))]
    only: Option<String>,
}

/// One check: what it looks at, what to do when it fails, and how to run it.
struct Stage {
    name: &'static str,
    checks: &'static str,
    advice: &'static str,
    run: fn(&Workspace, &mut Option<Tally>) -> Result<()>,
}

/// What became of one stage.
struct Report {
    stage: &'static Stage,
    passed: bool,
    took: Duration,
}

impl Report {
    fn print(&self) {
        let verdict = if self.passed { "passed" } else { "FAILED" };
        println!("{:<10} {verdict} {:>8.1} s", self.stage.name, self.took.as_secs_f64());
    }
}

/// Every stage, in the order of running. The counts that `tests` leaves behind are printed last of all.
const STAGES: &[Stage] = &[
    Stage {
        name: "installs",
        checks: "what the other stages need",
        advice: "install by hand what could not be installed, or run as root where packages can be had",
        run: |workspace, _| installs::run(workspace),
    },
    Stage {
        name: "format",
        checks: "rustfmt changes nothing",
        advice: "run `cargo fmt --all`",
        run: |workspace, _| lints::format(workspace),
    },
    Stage {
        name: "clippy",
        checks: "the compiler and clippy have nothing to say",
        advice: "mend what is shown, or say `#[expect(lint, reason = \"...\")]` where the lint is wrong",
        run: |workspace, _| lints::clippy(workspace),
    },
    Stage {
        name: "docs",
        checks: "documentation builds without a warning, private items too",
        advice: "mend the links and comments that are shown",
        run: |workspace, _| lints::docs(workspace),
    },
    Stage {
        name: "deny",
        checks: "licenses, duplicate and banned crates, and where crates come from",
        advice: "choose another crate, or note the exception with its reason in deny.toml",
        run: |workspace, _| lints::deny(workspace),
    },
    Stage {
        name: "wasm",
        checks: "the inner crates build for wasm32-unknown-unknown",
        advice: "keep I/O, clocks and randomness out of the inner crates: they are arguments there",
        run: |workspace, _| wasm::run(workspace),
    },
    Stage {
        name: "fuzz",
        checks: "every decoder on some thousand inputs made of the corpus, the same ones every time",
        advice: "run the input that is shown: `cargo xtask fuzz TARGET --input FILE`; more in fuzz/README.md",
        run: |workspace, _| crate::fuzz::short(workspace),
    },
    Stage {
        name: "tests",
        checks: "unit, property, rule and interop tests, documentation examples, and the project's own tables",
        advice: "run the failing test alone: `cargo test -p CRATE NAME`",
        run: test_runner::run,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_stage_is_reported_and_fails_without_stopping() {
        static BROKEN: Stage =
            Stage { name: "broken", checks: "nothing", advice: "nothing", run: |_, _| bail!("as it must") };
        assert!(!run_stage(&Workspace::here(), &BROKEN, &mut None).passed);
    }

    #[test]
    fn the_tests_come_last_so_that_their_counts_close_the_run() {
        assert_eq!(STAGES.last().unwrap().name, "tests");
    }
}
