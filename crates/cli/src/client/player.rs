//! Another program that plays: it gets the clear media on its standard input.

use std::process::{Child, ChildStdin, Command, Stdio};

use admit_protocol::Code;

use crate::failure::{Failure, Outcome};

/// A running player.
pub(crate) struct Player {
    name: String,
    child: Child,
}

impl Player {
    /// Starts the command given, or the first known player that is installed.
    pub(crate) fn start(command: Option<&str>) -> Outcome<Self> {
        if let Some(command) = command {
            let mut words = command.split_whitespace();
            let program =
                words.next().ok_or_else(|| Failure::new(Code::ADMIT_E_USAGE, "the player command is empty"))?;
            return Self::spawn(program, &words.collect::<Vec<_>>());
        }
        let installed = KNOWN_PLAYERS.iter().find(|(program, _)| is_installed(program));
        let (program, arguments) = installed.ok_or_else(|| {
            Failure::new(Code::ADMIT_E_PLAYER_FAILED, "no player is installed")
                .with_action("Install mpv or ffplay, name a program with --player, or write to a file with --output")
        })?;
        Self::spawn(program, arguments)
    }

    /// What the player reads from.
    pub(crate) fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("standard input was piped when the player was started, and is taken once")
    }

    /// Waits for the player. A player that stops reading before the end, because the user closed it, is no failure.
    pub(crate) fn finish(mut self, outcome: Outcome<()>) -> Outcome<()> {
        let failed = |detail: String| Failure::new(Code::ADMIT_E_PLAYER_FAILED, detail);
        let status = self.child.wait().map_err(|error| failed(format!("{}: {error}", self.name)))?;
        if !status.success() {
            return Err(failed(format!("{} ended with {status}", self.name)));
        }
        match outcome {
            Err(failure) if failure.code == Code::ADMIT_E_FILE => Ok(()),
            outcome => outcome,
        }
    }

    fn spawn(program: &str, arguments: &[&str]) -> Outcome<Self> {
        let child = Command::new(program).args(arguments).stdin(Stdio::piped()).spawn();
        let child = child.map_err(|error| Failure::new(Code::ADMIT_E_PLAYER_FAILED, format!("{program}: {error}")))?;
        Ok(Self { name: program.to_owned(), child })
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Players that read media from standard input, and how they are told to.
const KNOWN_PLAYERS: [(&str, &[&str]); 2] =
    [("mpv", &["--really-quiet", "-"]), ("ffplay", &["-loglevel", "error", "-autoexit", "-"])];
