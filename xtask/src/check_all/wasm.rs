//! The inner crates compiled for wasm32: by the installed target, else by Debian's toolchain, which compiles
//! std as well and keeps its own target folder so that it does so once.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::lints::cargo;
use crate::process;
use crate::tools::{WASM_TARGET, WasmToolchain};
use crate::workspace::Workspace;

/// The crates that must build for wasm32, without the features that only exist natively.
const INNER_CRATES: [&str; 7] = ["crypto", "time", "trust", "license", "protocol", "media", "client"];

/// Builds the inner crates, and what is measured of them.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let inner = INNER_CRATES.map(|inner| format!("admit-{inner}"));
    build(workspace, inner.iter().map(String::as_str).chain([crate::bench::VERIFY_IN_WASM]))?;
    Ok(())
}

/// Builds these packages with whichever toolchain there is, and says where they are.
pub(crate) fn build<'a>(workspace: &Workspace, packages: impl Iterator<Item = &'a str>) -> Result<PathBuf> {
    let advice = "no toolchain for wasm32 is here; `cargo check-all --only installs` installs one";
    let mut command = match WasmToolchain::find().context(advice)? {
        WasmToolchain::Installed => cargo(workspace),
        WasmToolchain::Debian => debian_cargo(workspace)?,
    };
    command.args(["build", "--release", "--target", WASM_TARGET]);
    if command.get_program() != "cargo" {
        command.args(["-Z", "build-std=std,panic_abort"]);
    }
    for package in packages {
        command.args(["--package", package]);
    }
    let target = workspace.target.join("wasm");
    process::run(command.env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(WASM_TARGET).join("release"))
}

/// Debian's cargo with its own rustc before any other, allowed to build std, linking with rustup's `rust-lld`
/// where there is one.
fn debian_cargo(workspace: &Workspace) -> Result<Command> {
    let mut command = Command::new("/usr/bin/cargo");
    command.current_dir(&workspace.root).env("PATH", path_with_debian_first()?).env("RUSTC_BOOTSTRAP", "1");
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS"] {
        command.env_remove(variable);
    }
    if let Some(linker) = rust_lld() {
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        command.env("RUSTFLAGS", "-C linker-flavor=wasm-ld");
    }
    Ok(command)
}

fn path_with_debian_first() -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from("/usr/bin")).chain(env::split_paths(&path));
    env::join_paths(folders).context("PATH holds a folder that cannot be written in it")
}

/// The linker that comes with the toolchain in use.
fn rust_lld() -> Option<PathBuf> {
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"])).ok()?;
    let libraries = PathBuf::from(sysroot.trim()).join("lib/rustlib").read_dir().ok()?;
    let mut linkers = libraries.flatten().map(|target| target.path().join("bin/rust-lld"));
    linkers.find(|linker| linker.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_programs_come_first_on_the_path() {
        let path = path_with_debian_first().unwrap();
        assert_eq!(env::split_paths(&path).next().unwrap(), PathBuf::from("/usr/bin"));
    }
}
