//! What can be wrong with settings: where, which one, and why.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub origin: Origin,
    /// The setting, where it is known.
    pub key: Option<String>,
    /// What is wrong. It never holds the value, which may be a secret.
    pub reason: String,
}

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// In the environment.
    Variable {
        /// The variable's name.
        name: String,
    },
    /// On the command line.
    Argument,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File { path, line } => write!(f, "{}, line {line}", path.display())?,
            Origin::Variable { name } => write!(f, "the environment's {name}")?,
            Origin::Argument => f.write_str("the command line")?,
        }
        if let Some(key) = &self.key {
            write!(f, ", `{key}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Several, one behind the other.
pub(crate) fn all(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("; ")
}
