//! The README's three-minute tour, run as it stands.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::clip;

#[test]
fn the_tour_of_the_readme_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let tour = readme.split("## A three-minute tour").nth(1).unwrap().split("\n## ").next().unwrap();
    let script: String = tour.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(script.matches("admit ").count() > 8, "the tour is there");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(clip(), folder.path().join("clip.mp4")).unwrap();
    // The server in the tour is stopped when a step fails, too.
    let script = format!("set -eu\ntrap 'kill \"$(cat server.pid)\" 2>/dev/null || true' EXIT\n{script}");
    let programs = Path::new(env!("CARGO_BIN_EXE_admit")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env_remove("ADMIT_HOME")
        .env_remove("ADMIT_CLIENT")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("the audit record is whole"), "{said}");
    assert_eq!(fs::read(folder.path().join("clear.mp4")).unwrap(), fs::read(folder.path().join("again.mp4")).unwrap());
}
