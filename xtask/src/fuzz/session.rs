//! One run of one target, and the figures that libFuzzer gives at its end.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::folders::Folders;

/// How much a target runs, and from where.
#[derive(Debug, Clone)]
pub(super) enum Budget {
    /// So long, from the grown corpus.
    Seconds(u32),
    /// So many inputs, from the grown corpus.
    Runs(u32),
    /// So many inputs, the same every time, from the seeds.
    Short(u32),
    /// This input alone.
    Input(PathBuf),
}

/// A target that is about to run.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) target: &'a str,
    pub(super) program: PathBuf,
    pub(super) folders: Folders,
}

impl Session<'_> {
    /// Runs the target. What crashes it, takes too long or too much memory is an error with the input's path.
    pub(super) fn run(&self, budget: &Budget) -> Result<Figures> {
        let output = self.command(budget).output().with_context(|| format!("{} did not start", self.target))?;
        let log = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            println!("{}", last_lines(&log));
            match log.lines().find_map(|line| line.split_once("Test unit written to ")) {
                Some((_, input)) => bail!("{input} (again: cargo xtask fuzz {} --input {input})", self.target),
                None => bail!("ended with {}", output.status),
            }
        }
        Ok(Figures::read(self.target, &log))
    }

    fn command(&self, budget: &Budget) -> Command {
        let Folders { seeds, corpus, scratch, artifacts } = &self.folders;
        let mut command = Command::new(&self.program);
        command.args(LIMITS).arg(format!("-artifact_prefix={}/", artifacts.display()));
        match budget {
            Budget::Seconds(seconds) => command.arg(format!("-max_total_time={seconds}")).args([corpus, seeds]),
            Budget::Runs(runs) => command.arg(format!("-runs={runs}")).args([corpus, seeds]),
            Budget::Short(runs) => command.arg(format!("-runs={runs}")).arg("-seed=1").args([scratch, seeds]),
            Budget::Input(input) => command.arg(input),
        };
        command.env("ADMIT_FUZZ_SEEDS", seeds);
        command
    }
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figures {
    target: String,
    runs: u64,
    per_second: u64,
    edges: u64,
    features: u64,
    peak_mib: u64,
}

impl Figures {
    fn read(target: &str, log: &str) -> Self {
        let statistic = |name: &str| number_after(log, &format!("stat::{name}:"));
        Self {
            target: target.to_owned(),
            runs: statistic("number_of_executed_units"),
            per_second: statistic("average_exec_per_sec"),
            edges: number_after(log, " cov:"),
            features: number_after(log, " ft:"),
            peak_mib: statistic("peak_rss_mb"),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, runs, per_second, edges, features, peak_mib } = self;
        write!(f, "{target:<16} {runs:>10} {per_second:>8} {edges:>7} {features:>9} {peak_mib:>9}")
    }
}

/// The head of the table of figures.
pub(super) fn print_head() {
    println!("{:<16} {:>10} {:>8} {:>7} {:>9} {:>9}", "target", "runs", "runs/s", "edges", "features", "peak MiB");
}

/// The number behind the last place where `name` stands; 0 where it stands nowhere, as with no input to run.
fn number_after(log: &str, name: &str) -> u64 {
    let digits = |rest: &str| rest.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>();
    log.rsplit_once(name).and_then(|(_, rest)| digits(rest).parse().ok()).unwrap_or(0)
}

/// Enough of a log to see what happened.
fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Bounds for every input: memory in MiB, seconds.
const LIMITS: [&str; 3] = ["-rss_limit_mb=512", "-timeout=5", "-print_final_stats=1"];
const LINES: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#2\tINITED cov: 51 ft: 52 corp: 1/1b exec/s: 0 rss: 44Mb\n\
        #100\tDONE   cov: 67 ft: 89 corp: 9/23b exec/s: 0 rss: 45Mb\n\
        stat::number_of_executed_units: 100\nstat::average_exec_per_sec:     50\nstat::peak_rss_mb:              45\n";

    #[test]
    fn figures_are_those_at_the_end() {
        let expected =
            Figures { target: "license".into(), runs: 100, per_second: 50, edges: 67, features: 89, peak_mib: 45 };
        assert_eq!(Figures::read("license", LOG), expected);
        assert_eq!(number_after("Running 1 inputs", " cov:"), 0);
    }

    /// A target in two lines of shell.
    fn session(script: &str, home: &std::path::Path) -> Session<'static> {
        use std::os::unix::fs::PermissionsExt as _;
        let program = home.join("target.sh");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let folder = |name: &str| home.join(name);
        let folders = Folders {
            seeds: folder("seeds"),
            corpus: folder("corpus"),
            scratch: folder("scratch"),
            artifacts: folder("artifacts"),
        };
        Session { target: "license", program, folders }
    }

    #[test]
    fn a_crash_is_an_error_with_the_path_of_its_input() {
        let home = tempfile::tempdir().unwrap();
        let script = "echo 'artifact_prefix=x; Test unit written to /a/crash-1' >&2; exit 77";
        let error = session(script, home.path()).run(&Budget::Seconds(1)).unwrap_err();
        assert_eq!(error.to_string(), "/a/crash-1 (again: cargo xtask fuzz license --input /a/crash-1)");
        let error = session("exit 3", home.path()).run(&Budget::Seconds(1)).unwrap_err();
        assert_eq!(error.to_string(), "ended with exit status: 3");
    }

    #[test]
    fn the_short_form_is_seeded_and_grows_no_corpus() {
        let home = tempfile::tempdir().unwrap();
        let session = session("exit 0", home.path());
        let words = |budget| {
            let command = session.command(&budget);
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let short = words(Budget::Short(7));
        assert!(short.contains(&"-seed=1".into()) && short.contains(&"-runs=7".into()));
        assert!(short.iter().all(|word| !word.ends_with("/corpus")));
        assert!(words(Budget::Seconds(7)).iter().any(|word| word.ends_with("/corpus")));
        assert!(short.starts_with(&["-rss_limit_mb=512".into(), "-timeout=5".into()]));
    }
}
