//! What the program's environment says of settings. The library reads no environment: whoever runs it collects this.

use std::fmt;
use std::path::PathBuf;

/// The part of an environment that settings can come from.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    pub(super) variables: Vec<(String, String)>,
    pub(super) credentials: Option<PathBuf>,
}

impl Environment {
    /// Takes what begins with `ADMIT_`, and systemd's folder of credentials (systemd.exec(5), `CREDENTIALS_DIRECTORY`).
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut taken = Self::default();
        for (name, value) in variables {
            if name == "CREDENTIALS_DIRECTORY" {
                taken.credentials = Some(PathBuf::from(value));
            } else if name.starts_with("ADMIT_") {
                taken.variables.push((name, value));
            }
        }
        taken.variables.sort();
        taken
    }
}

/// Values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variables.iter().map(|(name, _)| name)).finish()
    }
}
