//! The counter in a TPM in software (`swtpm`).

use std::process::{Child, Command};

use tempfile::TempDir;

use super::*;

/// A TPM in software, with a state of its own.
struct Software {
    child: Child,
    folder: TempDir,
}

impl Software {
    fn start(folder: TempDir) -> Self {
        let at = |name: &str| folder.path().join(name).display().to_string();
        let _ = std::fs::remove_file(at("tpm"));
        let child = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate", &format!("dir={}", folder.path().display())])
            .args(["--server", &format!("type=unixio,path={}", at("tpm"))])
            .args(["--flags", "not-need-init,startup-clear", "--pid", &format!("file={}", at("pid"))])
            .spawn()
            .expect("swtpm is installed");
        let mut software = Self { child, folder };
        // It writes its process id once it listens.
        while !software.folder.path().join("pid").exists() || !software.path().exists() {
            assert!(software.child.try_wait().unwrap().is_none(), "swtpm ended");
            std::thread::yield_now();
        }
        software
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("tpm")
    }

    /// Takes its power, and gives it again.
    fn restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_file(self.folder.path().join("pid")).unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Self::start(folder)
    }

    fn counter(&self, epoch: u8) -> Counter {
        Counter::open(&self.path(), [epoch; 16]).unwrap()
    }
}

impl Drop for Software {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_counter_is_made_counts_up_and_outlives_a_power_cut() {
    let tpm = Software::start(tempfile::tempdir().unwrap());
    let mut counter = tpm.counter(1);
    let first = counter.read().unwrap();
    assert_eq!(counter.read().unwrap(), first);
    counter.raise_to(first + 3).unwrap();
    assert_eq!(counter.read().unwrap(), first + 3);
    counter.raise_to(first).unwrap();
    assert_eq!(counter.read().unwrap(), first + 3, "it never goes back");
    drop(counter);
    let tpm = tpm.restart();
    assert_eq!(tpm.counter(1).read().unwrap(), first + 3);
}

#[test]
fn each_store_has_a_counter_of_its_own() {
    let tpm = Software::start(tempfile::tempdir().unwrap());
    let first = tpm.counter(1).read().unwrap();
    tpm.counter(2).raise_to(first + 5).unwrap();
    assert_eq!(tpm.counter(1).read().unwrap(), first);
}

#[test]
fn responses_of_every_wrong_form_are_errors() {
    let whole = [&[0x80, 2, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 10, 0, 8][..], &7_u64.to_be_bytes()].concat();
    assert_eq!(command::value(command::parameters(&whole).unwrap().unwrap()).unwrap(), 7);
    for length in 0..whole.len() {
        assert!(command::parameters(&whole[..length]).is_err(), "cut at {length}");
    }
    let mut too_long = whole.clone();
    too_long[13] = 11;
    assert!(command::parameters(&too_long).is_err(), "parameters beyond the end");
    let mut shorter = whole;
    shorter[15] = 7;
    assert!(command::value(command::parameters(&shorter).unwrap().unwrap()).is_err(), "a value of seven bytes");
}

#[test]
fn a_path_without_a_tpm_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Counter::open(&folder.path().join("tpm"), [1; 16]).is_err());
    assert!(Counter::open(folder.path(), [1; 16]).is_err());
}
