//! What commands print: text for people, or one JSON document with `--json`.

use std::io::{ErrorKind, Write as _};

use crate::failure::printable;

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

    /// Prints the JSON document.
    pub(crate) fn json(self, document: impl FnOnce() -> serde_json::Value) {
        if self == Self::Json {
            print(&format!("{:#}", document()));
        }
    }
}

/// Writes a line. Whoever reads may have heard enough, which is no failure: the work is done all the same.
fn print(line: &str) {
    let written = writeln!(std::io::stdout().lock(), "{line}");
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("standard output: {error}");
    }
}
