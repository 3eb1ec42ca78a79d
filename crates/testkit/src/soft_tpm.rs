//! A TPM 2.0 in software (`swtpm`), which answers at a socket and keeps its state in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running TPM; without power when it is dropped.
#[derive(Debug)]
pub struct SoftTpm {
    child: Child,
    folder: PathBuf,
}

impl SoftTpm {
    /// Gives power to the TPM whose state is in the folder, or to a new one.
    ///
    /// # Panics
    ///
    /// Where swtpm is not installed or does not start.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name).display().to_string();
        for name in ["tpm", "pid"] {
            let _ = fs::remove_file(at(name));
        }
        let child = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate", &format!("dir={}", folder.display())])
            .args(["--server", &format!("type=unixio,path={}", at("tpm"))])
            .args(["--flags", "not-need-init,startup-clear", "--pid", &format!("file={}", at("pid"))])
            .stderr(Stdio::null())
            .spawn()
            .expect("swtpm is installed");
        let mut tpm = Self { child, folder: folder.to_owned() };
        // It writes its process id once it listens.
        while !tpm.folder.join("pid").exists() || !tpm.path().exists() {
            assert!(tpm.child.try_wait().expect("it is a child").is_none(), "swtpm ended");
            std::thread::yield_now();
        }
        tpm
    }

    /// Where it answers.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join("tpm")
    }
}

impl Drop for SoftTpm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
