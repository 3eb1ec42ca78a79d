//! A hardware security module in software, with tokens of a test's own: SoftHSM2, which reads where they are from the
//! file that `SOFTHSM2_CONF` names. Of one process that is one file, so what uses it runs in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tokens in a folder.
#[derive(Debug)]
pub struct SoftHsm {
    configuration: PathBuf,
}

impl SoftHsm {
    /// Keeps tokens in the folder, which must exist. There are none yet.
    ///
    /// # Panics
    ///
    /// Where the folder cannot be written to.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let (tokens, configuration) = (folder.join("tokens"), folder.join("softhsm2.conf"));
        fs::create_dir(&tokens).expect("the folder can be written to");
        let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        fs::write(&configuration, text).expect("the folder can be written to");
        Self { configuration }
    }

    /// Makes a token.
    ///
    /// # Panics
    ///
    /// Where SoftHSM2 is not installed.
    pub fn make_token(&self, label: &str, pin: &str) {
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "87654321"]);
        let made = command.env(Self::VARIABLE, &self.configuration).output().expect("softhsm2-util is installed");
        assert!(made.status.success(), "no token was made: {}", String::from_utf8_lossy(&made.stderr));
    }

    /// What [`Self::VARIABLE`] has to say.
    #[must_use]
    pub fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// The variable that names the configuration to the module.
    pub const VARIABLE: &str = "SOFTHSM2_CONF";

    /// The module, where Debian puts it.
    pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
}
