//! What commands print: text for people, or one JSON document with `--json`.

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
                println!("{}", printable(line));
            }
        }
    }

    /// Prints the JSON document.
    pub(crate) fn json(self, document: impl FnOnce() -> serde_json::Value) {
        if self == Self::Json {
            println!("{:#}", document());
        }
    }
}
