//! docs/rules.toml: one `[[row]]` per thing that the system must do.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// One row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) text: String,
    /// Files or folders that do it, from the top of the work tree.
    #[serde(default)]
    pub(super) code: Vec<String>,
    /// Tests that belong to the row without bearing its name.
    #[serde(default)]
    pub(super) tests: Vec<String>,
}

/// How far a row has come.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Nothing of it is there.
    Open,
    /// Some of it is there; what is missing stands in the text or in the tests' names.
    Part,
    /// A test named after it passes against the real parts.
    Done,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Part => "part",
            Self::Done => "done",
        }
    }
}

/// Reads the rows, which stand in the order of their ids.
pub(super) fn parse(text: &str) -> Result<Vec<Row>> {
    let table: Table = toml::from_str(text).context("docs/rules.toml")?;
    for row in &table.row {
        ensure!(is_id(&row.id), "{} is no row id: a letter and two digits", row.id);
    }
    for pair in table.row.windows(2) {
        ensure!(pair[0].id < pair[1].id, "{} stands before {} in docs/rules.toml", pair[0].id, pair[1].id);
    }
    Ok(table.row)
}

fn is_id(id: &str) -> bool {
    matches!(id.as_bytes(), [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9'])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> String {
        format!("[[row]]\nid = \"{id}\"\nstatus = \"open\"\ntext = \"x\"\n")
    }

    #[test]
    fn rows_are_read_in_order() {
        let rows = parse(&(row("A01") + &row("B04"))).unwrap();
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["A01", "B04"]);
        assert_eq!(rows[0].status, Status::Open);
    }

    #[test]
    fn rows_out_of_order_or_twice_are_errors() {
        for (first, second) in [("B04", "A01"), ("A01", "A01")] {
            let error = parse(&(row(first) + &row(second))).unwrap_err().to_string();
            assert_eq!(error, format!("{first} stands before {second} in docs/rules.toml"));
        }
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        assert!(parse(&row("A1")).is_err(), "id");
        assert!(parse(&row("A01").replace("open", "almost")).is_err(), "status");
        assert!(parse(&(row("A01") + "colour = \"red\"\n")).is_err(), "unknown field");
    }
}
