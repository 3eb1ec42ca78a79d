//! The program as a user runs it: commands with an expected end, and the server in the background.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Runs `admit` in one folder, with a client of its own there.
pub(crate) struct Admit {
    program: PathBuf,
    folder: PathBuf,
}

/// A server that runs until it is stopped or dropped.
pub(crate) struct Server {
    child: Child,
    /// What it said when it was ready.
    pub(crate) said: String,
}

impl Admit {
    pub(crate) fn new(program: PathBuf, folder: &Path) -> Self {
        Self { program, folder: folder.to_owned() }
    }

    /// Runs a command that must succeed and shows what it says.
    pub(crate) fn succeed(&self, words: &[&str]) -> Result<()> {
        let output = self.output(words)?;
        ensure!(output.status.success(), "`admit {}` failed: {}", words.join(" "), said(&output.stderr));
        show(&said(&output.stdout));
        Ok(())
    }

    /// Runs a command that must be refused with a code, and shows what it says.
    pub(crate) fn fail(&self, words: &[&str], code: &str) -> Result<()> {
        let output = self.output(words)?;
        let line = said(&output.stderr);
        let expected = output.status.code() == Some(1) && line.starts_with(code);
        ensure!(expected, "`admit {}` ended with {} and said: {line}", words.join(" "), output.status);
        show(&line);
        Ok(())
    }

    /// Runs a command with `--json` and reads its document.
    pub(crate) fn json(&self, words: &[&str]) -> Result<serde_json::Value> {
        let output = self.output(&[words, &["--json"]].concat())?;
        ensure!(output.status.success(), "`admit {}` failed: {}", words.join(" "), said(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Starts a server and waits until it says that it listens.
    pub(crate) fn serve(&self, address: &str) -> Result<Server> {
        let mut command = self.command(&["serve", "--home", "home", "--listen", address]);
        let mut child = command.stdout(Stdio::piped()).spawn().context("the server did not start")?;
        let output = child.stdout.take().context("standard output was piped")?;
        let mut server = Server { child, said: String::new() };
        BufReader::new(output).read_line(&mut server.said)?;
        server.said = server.said.trim().to_owned();
        ensure!(server.said.starts_with("listening on "), "the server said {:?}", server.said);
        Ok(server)
    }

    fn output(&self, words: &[&str]) -> Result<Output> {
        self.command(words)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} did not start", self.program.display()))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(&self.folder).env("ADMIT_CLIENT", self.folder.join("client"));
        command.env_remove("ADMIT_HOME");
        command
    }
}

impl Server {
    /// Asks the server to stop and waits for it.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).context("a process id")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nobody to kill, which is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port of this machine. The content header carries it, so it must be known before the server runs.
pub(crate) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn show(text: &str) {
    text.lines().for_each(|line| println!("  {line}"));
}
