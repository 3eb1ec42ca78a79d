//! Packaging speed and memory: `admit package` and Shaka Packager beside `cp`, all writing to memory so that
//! no disk is measured, on 150 MB and 1.5 GB of H.264 with AAC.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::clip::{self, Clip};
use super::table::{self, Peer};
use super::{Arguments, measure};
use crate::workspace::Workspace;
use crate::{process, tools};

/// One key for the peer that takes raw keys; nothing is kept of what it encrypts.
const SHAKA_KEY: &str = "label=:key_id=000102030405060708090a0b0c0d0e0f:key=101112131415161718191a1b1c1d1e1f";

/// Runs every peer once a round on each input, and prints the table of each input.
pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let scratch = Scratch::make()?;
    let admit = workspace.target.join("release/admit");
    let home = scratch.0.join("home");
    if admit.is_file() {
        process::output(Command::new(&admit).arg("init").arg(&home).arg("--demo-root-online"))?;
    } else {
        println!("{} is not built: `cargo build --release -p admit-cli`", admit.display());
    }
    let programs = Programs { admit: admit.is_file().then_some(admit), shaka: tools::shaka_packager(workspace), home };
    let clips: &[Clip] = if arguments.small { &[clip::SMALL] } else { &[clip::SMALL, clip::LARGE] };
    for clip in clips {
        let input = clip.file(workspace)?;
        let peers = rounds(&programs, &input, &scratch.0, arguments.rounds)?;
        let title = format!("{}, {} rounds, output in memory", clip.name, arguments.rounds);
        table::print(&title, input.metadata()?.len(), &peers);
    }
    Ok(())
}

/// What the peers need.
struct Programs {
    admit: Option<PathBuf>,
    shaka: Option<PathBuf>,
    home: PathBuf,
}

fn rounds(programs: &Programs, input: &Path, scratch: &Path, rounds: u32) -> Result<Vec<Peer>> {
    let output = scratch.join("output");
    let commands = commands(programs, input, &output);
    let mut peers: Vec<Peer> = commands.iter().map(|(name, _)| Peer { name, runs: Vec::new() }).collect();
    for _ in 0..rounds {
        for (peer, (_, command)) in peers.iter_mut().zip(&commands) {
            fs::create_dir_all(&output)?;
            peer.runs.push(measure(command, scratch)?);
            check_output(peer.name, input, &output)?;
            fs::remove_dir_all(&output)?;
        }
    }
    Ok(peers)
}

/// The peers that are here, each with its command.
fn commands(programs: &Programs, input: &Path, output: &Path) -> Vec<(&'static str, Command)> {
    let mut copy = Command::new("cp");
    copy.arg(input).arg(output.join("copy.mp4"));
    let mut commands = vec![("cp", copy)];
    if let Some(admit) = &programs.admit {
        let mut package = Command::new(admit);
        package.arg("package").arg(input).arg("-o").arg(output.join("protected.mp4"));
        package.arg("--home").arg(&programs.home);
        commands.push(("admit package", package));
    }
    if let Some(shaka) = &programs.shaka {
        let mut package = Command::new(shaka);
        for stream in ["video", "audio"] {
            let file = output.join(format!("{stream}.mp4"));
            package.arg(format!("in={},stream={stream},output={}", input.display(), file.display()));
        }
        package.args(["--protection_scheme", "cenc", "--clear_lead", "0", "--enable_raw_key_encryption"]);
        package.args(["--keys", SHAKA_KEY]).arg("--temp_dir").arg(output);
        commands.push(("Shaka Packager", package));
    }
    commands
}

/// A program that did not write everything has not won.
fn check_output(name: &str, input: &Path, output: &Path) -> Result<()> {
    let sizes = fs::read_dir(output)?.map(|entry| Ok(entry?.metadata()?.len()));
    let written: u64 = sizes.collect::<Result<Vec<u64>>>()?.iter().sum();
    let expected = input.metadata()?.len();
    ensure!(written > expected / 10 * 9, "{name} wrote {written} bytes of {expected}");
    Ok(())
}

/// A folder in memory that goes when the benchmark ends.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn make() -> Result<Self> {
        let folder = Path::new("/dev/shm").join(format!("admit-bench-{}", std::process::id()));
        fs::create_dir(&folder).context("no folder can be made in /dev/shm")?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_that_are_not_here_are_left_out() {
        let nothing = Programs { admit: None, shaka: None, home: PathBuf::new() };
        let names: Vec<_> =
            commands(&nothing, Path::new("in"), Path::new("out")).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["cp"]);
    }

    #[test]
    fn a_peer_that_wrote_half_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in"), folder.path().join("out"));
        fs::create_dir(&output).unwrap();
        fs::write(&input, [0; 1000]).unwrap();
        fs::write(output.join("half"), [0; 500]).unwrap();
        assert_eq!(check_output("half", &input, &output).unwrap_err().to_string(), "half wrote 500 bytes of 1000");
        fs::write(output.join("rest"), [0; 480]).unwrap();
        check_output("whole", &input, &output).unwrap();
    }
}
