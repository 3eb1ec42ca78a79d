//! `cargo xtask deb`: the Debian package, with the program, its systemd unit, socket and user (deb(5), Debian Policy
//! chapters 5 and 6). `dpkg-deb` writes it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::process;
use crate::workspace::Workspace;

/// `cargo xtask deb`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A program that is built already; without it, an optimized one is built.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Builds the package and prints where it is.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => built(workspace)?,
    };
    let package = package(workspace, &program, &workspace.target.join("debian"))?;
    println!("{}", workspace.shown(&package));
    Ok(())
}

fn built(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    process::run(cargo.current_dir(&workspace.root).args([
        "build",
        "--locked",
        "--release",
        "--package",
        "admit-cli",
    ]))?;
    Ok(workspace.target.join("release/admit"))
}

/// Lays the files out in a folder of its own and packs them into `out`.
fn package(workspace: &Workspace, program: &Path, out: &Path) -> Result<PathBuf> {
    fs::create_dir_all(out)?;
    let staged = tempfile::tempdir_in(out)?;
    // The folder becomes the root of the package.
    fs::set_permissions(staged.path(), fs::Permissions::from_mode(0o755))?;
    put(program, &staged.path().join("usr/bin/admit"), 0o755)?;
    for (from, to, mode) in FILES {
        put(&workspace.root.join(from), &staged.path().join(to), *mode)?;
    }
    let architecture = process::output(Command::new("dpkg").arg("--print-architecture"))?;
    let control = control(&version(workspace)?, architecture.trim());
    fs::write(staged.path().join("DEBIAN/control"), control)?;
    let package = out.join(format!("admit_{}_{}.deb", version(workspace)?, architecture.trim()));
    let mut dpkg = Command::new("dpkg-deb");
    process::output(dpkg.args(["--root-owner-group", "--build"]).arg(staged.path()).arg(&package))?;
    Ok(package)
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let folder = to.parent().context("a file stands in a folder")?;
    fs::create_dir_all(folder)?;
    fs::copy(from, to).with_context(|| format!("{} cannot be copied", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

fn version(workspace: &Workspace) -> Result<String> {
    let manifest: toml::Table = workspace.read("Cargo.toml")?.parse()?;
    let version = manifest.get("workspace").and_then(|table| table.get("package")?.get("version")?.as_str());
    Ok(version.context("Cargo.toml has no version")?.to_owned())
}

fn control(version: &str, architecture: &str) -> String {
    format!(
        "Package: admit\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: {MAINTAINER}\nSection: net\n\
         Priority: optional\nDepends: libc6, libgcc-s1, systemd\nDescription: digital rights management that an \
         operator runs alone\n License server, packager and player in one program. `admit init` makes a home in\n \
         /var/lib/admit/home, and admit.socket and admit.service run its server.\n"
    )
}

/// From the work tree into the package.
const FILES: &[(&str, &str, u32)] = &[
    ("packaging/admit.service", "usr/lib/systemd/system/admit.service", 0o644),
    ("packaging/admit.socket", "usr/lib/systemd/system/admit.socket", 0o644),
    ("packaging/admit.sysusers", "usr/lib/sysusers.d/admit.conf", 0o644),
    ("CHANGELOG.md", "usr/share/doc/admit/CHANGELOG.md", 0o644),
    ("LICENSE-MIT", "usr/share/doc/admit/copyright", 0o644),
    ("LICENSE-APACHE", "usr/share/doc/admit/LICENSE-APACHE", 0o644),
    ("packaging/postinst", "DEBIAN/postinst", 0o755),
    ("packaging/prerm", "DEBIAN/prerm", 0o755),
];
const MAINTAINER: &str = "The Admit contributors <admit@localhost>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_holds_the_program_its_units_and_its_user() {
        let (workspace, folder) = (Workspace::here(), tempfile::tempdir().unwrap());
        let program = folder.path().join("program");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        let package = package(&workspace, &program, folder.path()).unwrap();
        let listed = process::output(Command::new("dpkg-deb").arg("--contents").arg(&package)).unwrap();
        let files: Vec<(&str, &str)> = listed
            .lines()
            .filter(|line| line.starts_with('-'))
            .map(|line| (&line[..10], line.rsplit(' ').next().unwrap().trim_start_matches("./")))
            .collect();
        assert!(listed.lines().all(|line| line.contains(" root/root ")), "{listed}");
        let installed = FILES.iter().filter(|(_, to, _)| !to.starts_with("DEBIAN/"));
        let mut expected: Vec<(&str, &str)> = installed.map(|(_, to, _)| ("-rw-r--r--", *to)).collect();
        expected.push(("-rwxr-xr-x", "usr/bin/admit"));
        expected.sort_by_key(|(_, path)| *path);
        let mut files = files;
        files.sort_by_key(|(_, path)| *path);
        assert_eq!(files, expected);
        let field =
            |name: &str| process::output(Command::new("dpkg-deb").arg("--field").arg(&package).arg(name)).unwrap();
        assert_eq!(
            (field("Package").trim(), field("Version").trim().to_owned()),
            ("admit", version(&workspace).unwrap())
        );
        for script in ["packaging/postinst", "packaging/prerm"] {
            process::output(Command::new("sh").arg("-n").arg(workspace.root.join(script))).unwrap();
        }
    }
}
