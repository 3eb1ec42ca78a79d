//! Runs one command and writes down what it took. It is a process of its own, because the kernel tells the
//! peak memory of a process's children only as their maximum: here there is a single child.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use crate::process;

/// What one run of a command took. The peak memory has this program's own size as its floor.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Usage {
    pub(crate) wall_secs: f64,
    pub(crate) cpu_secs: f64,
    pub(crate) peak_memory_kib: i64,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the usage is written, as JSON.
    #[arg(long)]
    report: PathBuf,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<String>,
}

/// Runs the command and writes the report.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (program, rest) = arguments.command.split_first().context("no command was given")?;
    let usage = usage_of(Command::new(program).args(rest))?;
    let report = serde_json::to_vec(&usage)?;
    fs::write(&arguments.report, report).with_context(|| format!("{} cannot be written", arguments.report.display()))
}

fn usage_of(command: &mut Command) -> Result<Usage> {
    let start = Instant::now();
    let output = command.output().with_context(|| format!("`{}` did not start", process::shown(command)))?;
    let wall_secs = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{}` ended with {}: {said}", process::shown(command), output.status);

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("the kernel tells no usage")?;
    let times = [usage.user_time(), usage.system_time()];
    let micros: i64 = times.iter().map(|time| time.tv_sec() * 1_000_000 + time.tv_usec()).sum();
    let cpu_secs = std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64();
    Ok(Usage { wall_secs, cpu_secs, peak_memory_kib: usage.max_rss() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_the_command_used_is_seen() {
        let hungry = "head -c 256M /dev/zero | tail -c 256M > /dev/null"; // `tail` keeps all of it
        let usage = usage_of(Command::new("sh").args(["-c", hungry])).unwrap();
        assert!(usage.peak_memory_kib > 256 * 1024, "{usage:?}");
        assert!(usage.wall_secs > 0.0 && usage.cpu_secs > 0.0, "{usage:?}");
    }

    #[test]
    fn a_command_that_fails_has_no_usage() {
        let error = usage_of(Command::new("sh").args(["-c", "echo broken >&2; exit 2"])).unwrap_err().to_string();
        assert!(error.ends_with("ended with exit status: 2: broken\n"), "{error}");
    }
}
