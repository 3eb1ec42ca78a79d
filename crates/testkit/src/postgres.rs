//! A PostgreSQL server of a test's own: a new cluster in a temporary folder, reached by a socket in it. It stops, and
//! its folder goes, when the process that started it ends, however that happens.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: String,
    databases: AtomicU32,
    /// Its standard input is what the server lives by.
    _shell: Child,
}

impl Postgres {
    /// One server for all tests of this process. It forgets what a crash of the machine would make it lose, to be fast.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("-c fsync=off -c full_page_writes=off"))
    }

    /// Starts a server with more settings for its command line.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn start(settings: &str) -> Self {
        let programs = programs().expect("PostgreSQL is installed below /usr/lib/postgresql");
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| is_owned_by_root(&process));
        let mut command = if is_root { Command::new("runuser") } else { Command::new("sh") };
        if is_root {
            command.args(["-u", "postgres", "--", "sh"]);
        }
        command.args(["-c", SCRIPT]).env("programs", &programs).env("settings", settings).current_dir("/");
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell starts");
        let mut folder = String::new();
        let stdout = shell.stdout.take().expect("its output is a pipe");
        BufReader::new(stdout).read_line(&mut folder).expect("the server says where it is");
        let folder = folder.trim().to_owned();
        assert!(!folder.is_empty(), "PostgreSQL did not start");
        Self { programs, folder, databases: AtomicU32::new(0), _shell: shell }
    }

    /// The URL of a new, empty database.
    ///
    /// # Panics
    ///
    /// Where the server does not make it.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut create = Command::new(self.programs.join("createdb"));
        let made = create.args(["-h", &self.folder, "-U", "admit", &name]).status();
        assert!(made.is_ok_and(|status| status.success()), "no database was made");
        format!("postgres://admit@localhost/{name}?host={}", self.folder)
    }

    /// Everything in a database, as SQL.
    ///
    /// # Panics
    ///
    /// Where the database cannot be read.
    #[must_use]
    pub fn dump(&self, url: &str) -> Vec<u8> {
        let dump = Command::new(self.programs.join("pg_dump")).arg("--inserts").arg(url).output();
        let dump = dump.expect("pg_dump is beside the server");
        assert!(dump.status.success(), "the database was not dumped");
        dump.stdout
    }
}

/// The folder of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut versions: Vec<PathBuf> = versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect();
    versions.sort();
    versions.into_iter().rfind(|bin| bin.join("initdb").is_file())
}

#[cfg(unix)]
fn is_owned_by_root(file: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(file) == 0
}

/// PostgreSQL is not made for other systems here.
#[cfg(not(unix))]
fn is_owned_by_root(_: &fs::Metadata) -> bool {
    false
}

/// Says where the server is when it is ready, and stops it when nobody holds the other end of standard input.
const SCRIPT: &str = r#"set -e
folder=$(mktemp -d /tmp/admit-postgres.XXXXXX)
trap '"$programs/pg_ctl" -D "$folder/data" -m immediate -s stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
"$programs/initdb" -D "$folder/data" -U admit -A trust -E UTF8 --no-locale --no-sync >/dev/null
"$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -s -w \
    -o "-k $folder -c listen_addresses= -c max_connections=500 $settings" start >/dev/null
echo "$folder"
cat >/dev/null
"#;
