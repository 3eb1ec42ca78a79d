//! Playing speed: decrypting to a file beside a plain copy, output in memory, and the time from starting `admit play`
//! to the first byte of a clear sample, once licensed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::clip::{self, Clip};
use super::package::Scratch;
use super::table::{self, Peer};
use super::{Arguments, measure};
use crate::admit::{self, Admit};
use crate::distribution::Distribution;
use crate::workspace::Workspace;

/// Packages each input, acquires its license, and plays it round by round.
pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let scratch = Scratch::make()?;
    let program = workspace.target.join("release/admit");
    ensure!(program.is_file(), "{} is not built: `cargo build --release -p admit-cli`", program.display());
    let admit = Admit::new(program.clone(), scratch.path());
    let address = admit::free_address()?;
    admit.succeed(&["init", "home", "--demo-root-online", "--public-address", &format!("http://{address}")])?;
    let server = admit.serve(&address)?;
    let clips: &[Clip] = if arguments.small { &[clip::SMALL] } else { &[clip::SMALL, clip::LARGE] };
    for clip in clips {
        let input = clip.file(workspace)?;
        play(&admit, &program, clip, &input, &scratch, arguments.rounds)?;
    }
    server.stop()
}

fn play(admit: &Admit, program: &Path, clip: &Clip, input: &Path, scratch: &Scratch, rounds: u32) -> Result<()> {
    let text = input.to_str().context("the input's path is UTF-8")?;
    admit.succeed(&["package", text, "-o", PROTECTED, "--open", "--home", "home"])?;
    let inspected = admit.json(&["inspect", PROTECTED])?;
    let realm = inspected.pointer("/header/realm").and_then(serde_json::Value::as_str);
    admit.succeed(&["license", "acquire", PROTECTED, "--trust", realm.context("the header names no realm")?])?;
    let protected = scratch.path().join(PROTECTED);
    let peers = in_rounds(program, &protected, scratch, rounds)?;
    let title = format!("{}, {rounds} rounds, output in memory", clip.name);
    table::print(&title, protected.metadata()?.len(), &peers);
    let first =
        (0..rounds * 4).map(|_| first_sample_millis(program, &protected, scratch)).collect::<Result<Vec<_>>>()?;
    if let Some(distribution) = Distribution::new(first) {
        println!("{:<16} {:<14} {distribution}", "admit play", "first ms");
    }
    fs::remove_file(&protected).context("the protected file cannot be removed")
}

fn in_rounds(program: &Path, protected: &Path, scratch: &Scratch, rounds: u32) -> Result<Vec<Peer>> {
    let output = scratch.path().join("output.mp4");
    let mut copy = Command::new("cp");
    copy.arg(protected).arg(&output);
    let mut play = Command::new(program);
    play.arg("play").arg(protected).arg("-o").arg(&output).arg("--client").arg(client(scratch));
    let mut peers = vec![Peer { name: "cp", runs: Vec::new() }, Peer { name: "admit play", runs: Vec::new() }];
    for _ in 0..rounds {
        for (peer, command) in peers.iter_mut().zip([&copy, &play]) {
            peer.runs.push(measure(command, scratch.path())?);
            ensure!(output.metadata()?.len() == protected.metadata()?.len(), "{} wrote something else", peer.name);
            fs::remove_file(&output)?;
        }
    }
    Ok(peers)
}

/// From starting the program to the first byte behind the first `mdat` header on its standard output.
fn first_sample_millis(program: &Path, protected: &Path, scratch: &Scratch) -> Result<f64> {
    let started = Instant::now();
    let mut command = Command::new(program);
    command.arg("play").arg(protected).args(["-o", "-", "--client"]).arg(client(scratch)).stdout(Stdio::piped());
    let mut child = command.spawn().context("the program did not start")?;
    let mut output = child.stdout.take().context("standard output was piped")?;
    let mut seen = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = output.read(&mut buffer)?;
        ensure!(read > 0, "the program wrote no sample");
        seen.extend_from_slice(&buffer[..read]);
        let data = seen.windows(4).position(|window| window == b"mdat");
        if data.is_some_and(|at| seen.len() > at + 4) {
            break;
        }
    }
    let millis = started.elapsed().as_secs_f64() * 1000.0;
    child.kill()?;
    child.wait()?;
    Ok(millis)
}

fn client(scratch: &Scratch) -> PathBuf {
    scratch.path().join("client")
}

const PROTECTED: &str = "protected.mp4";
