//! What commands print: text for people, or one JSON document with `--json`.

use std::io::{Error, ErrorKind, Write as _};
use std::sync::OnceLock;

use admit_protocol::Code;

use crate::failure::{Failure, Outcome, printable};

/// Which of the two is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
    /// Nothing: standard output carries media.
    Quiet,
}

impl Output {
    /// Prints a line for people, on standard output.
    pub(crate) fn line(self, text: impl FnOnce() -> String) {
        if self == Self::Text {
            for line in text().lines() {
                print(&printable(line));
            }
        }
    }

    /// Tells people of something that is no failure, in a line on standard error.
    pub(crate) fn warn(self, text: impl FnOnce() -> String) {
        if self == Self::Text {
            complain(&printable(&format!("warning: {}", text())));
        }
    }

    /// Prints the JSON document.
    pub(crate) fn json(self, document: impl FnOnce() -> serde_json::Value) {
        if self == Self::Json {
            print(&format!("{:#}", document()));
        }
    }
}

/// Writes a line. Whoever reads may have heard enough, which is no failure: the work is done all the same. Any other
/// error is for the end of the command, because work that has begun must not stop halfway for it.
fn print(line: &str) {
    let written = writeln!(std::io::stdout().lock(), "{line}");
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The first one says why; those after it are of the same cause.
        let _ = NOT_PRINTED.set(error);
    }
}

/// Fails where something could not be printed.
pub(crate) fn all_printed() -> Outcome<()> {
    match NOT_PRINTED.get() {
        None => Ok(()),
        Some(error) => Err(Failure::new(Code::ADMIT_E_FILE, format!("standard output: {error}")).with_action(
            "Send the output elsewhere; the work is done, and what is shown only once, as a token, is lost",
        )),
    }
}

/// Writes a line on standard error. Where that cannot be written there is nobody left to tell; the exit code says it
/// all the same, which a panic would not.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

static NOT_PRINTED: OnceLock<Error> = OnceLock::new();
