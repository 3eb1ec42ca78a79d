//! `cargo demo`: the main job on a real clip, step by step with its figures. A server with its own realm is made in a
//! temporary folder, a clip is packaged, a license is acquired over HTTP, the clip plays, and what the license does
//! not give is refused.

mod windows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::admit::{self, Admit, Server};
use crate::process;
use crate::workspace::Workspace;

/// Runs every step; the last line is `demo: ok`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    step("build the program", || {
        process::run(
            Command::new("cargo").args(["build", "--quiet", "--package", "admit-cli"]).current_dir(&workspace.root),
        )
    })?;
    let folder = tempfile::Builder::new().prefix("admit-demo-").tempdir()?;
    let demo = Demo {
        admit: Admit::new(workspace.target.join("debug").join("admit"), folder.path()),
        clip: workspace.root.join(CLIP),
        folder: folder.path().to_owned(),
    };
    let server = step("make a realm and serve it", || demo.serve())?;
    let realm = step("package a clip", || demo.package())?;
    let token = step("make a buyer's token", || demo.token())?;
    step("acquire a license and play", || demo.play(&realm, &token))?;
    step("play again without the server's help", || demo.play_again())?;
    step("refuse what the license does not give", || demo.refuse())?;
    step("stop the server and prove the audit record", || demo.stop(server))?;
    println!("demo: ok");
    Ok(())
}

struct Demo {
    admit: Admit,
    clip: PathBuf,
    folder: PathBuf,
}

impl Demo {
    fn serve(&self) -> Result<Server> {
        let address = admit::free_address()?;
        let public = format!("http://{address}");
        self.admit.succeed(&["init", "home", "--demo-root-online", "--name", "Demo", "--public-address", &public])?;
        let server = self.admit.serve(&address)?;
        println!("  {}", server.said);
        Ok(server)
    }

    /// Packages the clip, and says of which realm it is.
    fn package(&self) -> Result<String> {
        let clip = text(&self.clip)?;
        let words = ["package", &clip, "-o", PROTECTED, "--content-id", "clip", "--title", "A clip", "--home", "home"];
        self.admit.succeed(&words)?;
        let (kept, all) = windows::found(&self.clip, &self.folder.join(PROTECTED))?;
        // Parameter sets, other units without slices, and slice headers stay in clear by the standard.
        ensure!(kept * 100 <= all, "{kept} of {all} pieces of the clip stand in the protected file in clear");
        println!("  {kept} of {all} pieces of the clip stand in the protected file in clear");
        let inspected = self.admit.json(&["inspect", PROTECTED])?;
        let realm = inspected.pointer("/header/realm").and_then(serde_json::Value::as_str);
        Ok(realm.context("the header names no realm")?.to_owned())
    }

    fn token(&self) -> Result<String> {
        let answer = self.admit.json(&["token", "--subject", "demo", "--content", "clip", "--home", "home"])?;
        Ok(answer.get("token").and_then(serde_json::Value::as_str).context("no token came")?.to_owned())
    }

    fn play(&self, realm: &str, token: &str) -> Result<()> {
        self.admit.fail(&["play", PROTECTED, "-o", CLEAR, "--trust", realm], "ADMIT_E_TOKEN_REQUIRED")?;
        self.admit.succeed(&["play", PROTECTED, "-o", CLEAR, "--trust", realm, "--token", token])?;
        let (found, all) = windows::found(&self.clip, &self.folder.join(CLEAR))?;
        // Pieces that stand across the end of a sample are apart in the output, which has another order of samples.
        ensure!(found * 10 >= all * 8, "only {found} of {all} pieces of the clip came out again");
        println!("  {found} of {all} pieces of the clip came out again");
        self.admit.succeed(&["license", "list"])
    }

    fn play_again(&self) -> Result<()> {
        self.admit.succeed(&["play", PROTECTED, "-o", AGAIN])?;
        let same = fs::read(self.folder.join(CLEAR))? == fs::read(self.folder.join(AGAIN))?;
        ensure!(same, "the second time something else came out");
        Ok(())
    }

    fn refuse(&self) -> Result<()> {
        self.admit.fail(&["why", "burn", PROTECTED], "NS_E_DRM_NO_RIGHTS")?;
        let clip = text(&self.clip)?;
        let home = ["--home", "home"];
        let words = ["package", &clip, "-o", GUARDED, "--open", "--min-app-level", "1000"];
        self.admit.succeed(&[words.as_slice(), &home].concat())?;
        self.admit.fail(&["play", GUARDED, "-o", "never.mp4"], "NS_E_DRM_LICENSE_APPSECLOW")?;
        ensure!(!self.folder.join("never.mp4").exists(), "a file was written that the license does not allow");
        Ok(())
    }

    fn stop(&self, server: Server) -> Result<()> {
        server.stop()?;
        self.admit.succeed(&["audit", "--last", "1", "--home", "home"])
    }
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("== {name}");
    let started = Instant::now();
    let done = work().with_context(|| format!("demo: {name}"))?;
    println!("   {:.2} s", started.elapsed().as_secs_f64());
    Ok(done)
}

fn text(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("{} is not a path in UTF-8", path.display()),
    }
}

const CLIP: &str = "vectors/media/long-progressive.mp4";
const PROTECTED: &str = "protected.mp4";
const CLEAR: &str = "clear.mp4";
const AGAIN: &str = "again.mp4";
const GUARDED: &str = "guarded.mp4";
