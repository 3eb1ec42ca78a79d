//! What is wrong with a policy that an operator wrote, and where.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong with a policy's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub path: PathBuf,
    /// Line and column, from 1, where they are known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub reason: String,
}

/// A mistake in a text, whatever file it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line and column, from 1, where they are known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub reason: String,
}

impl Fault {
    /// A mistake without a place.
    pub fn somewhere(reason: impl Into<String>) -> Self {
        Self { place: None, reason: reason.into() }
    }

    pub(super) fn in_file(self, path: impl Into<PathBuf>) -> Mistake {
        Mistake { path: path.into(), place: self.place, reason: self.reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Several, one behind the other.
pub(crate) fn all(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("; ")
}
