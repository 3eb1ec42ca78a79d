//! An operator: a home on this disk, served by the program in a process of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use admit_crypto::Digest;
use admit_license::KeyId;
use admit_protocol::realm::{REALM_PATH, Realm};
use admit_server::content::{Content, KeyClass};
use admit_server::home::Home;

use crate::harness::{PROVIDER, START, Seeded, connect, content, content_key, execute, send};

/// A realm that is served.
pub(crate) struct Operator {
    folder: tempfile::TempDir,
    server: Child,
    pub(crate) address: SocketAddr,
    pub(crate) realm: Realm,
    pub(crate) key_id: KeyId,
}

impl Operator {
    pub(crate) async fn start(program: &Path, database: Option<&str>) -> Self {
        Self::start_with(program, database, 0, &[]).await
    }

    /// The same with settings, as variables of the environment.
    pub(crate) async fn start_set(program: &Path, settings: &[(&str, String)]) -> Self {
        Self::start_with(program, None, 0, settings).await
    }

    /// The same with so many licenses in the database from before. Only SQLite is filled.
    pub(crate) async fn start_with(
        program: &Path,
        database: Option<&str>,
        rows: u32,
        settings: &[(&str, String)],
    ) -> Self {
        // Beside the program and not in the system's temporary folder, which may be memory.
        let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
        let home = folder.path().join("home");
        let mut init = Command::new(program);
        init.arg("init").arg(&home).args(["--demo-root-online"]).args(database.map(|url| format!("--database={url}")));
        assert!(init.stdout(Stdio::null()).status().unwrap().success());
        let key_id = register(&home).await;
        if rows > 0 {
            fill(&home, rows).await;
        }
        let mut serve = Command::new(program);
        serve.arg("serve").arg("--home").arg(&home).args(["--listen", "127.0.0.1:0"]);
        serve.env("ADMIT_ENROLMENT__PER_ADDRESS_PER_HOUR", "1000000").env("ADMIT_ENROLMENT__BURST", "1000000");
        for who in ["CLIENT", "TOKEN", "ADDRESS"] {
            serve.env(format!("ADMIT_LICENSES__PER_{who}_PER_HOUR"), "0");
        }
        serve.envs(settings.iter().map(|(name, value)| (name, value)));
        let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address: SocketAddr = said.trim().trim_start_matches("listening on http://").parse().unwrap();
        let document = send(&mut connect(address).await, "GET", REALM_PATH, &[], b"").await.body;
        let realm = Realm::verify(PROVIDER, &document, fingerprint(&home)).unwrap();
        Self { folder, server, address, realm, key_id }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The id of the server's process.
    pub(crate) fn process(&self) -> u32 {
        self.server.id()
    }

    /// What the server has in memory, in MiB, and the processor time it has used.
    pub(crate) fn usage(&self) -> (u64, Duration) {
        let process = PathBuf::from(format!("/proc/{}", self.server.id()));
        let status = fs::read_to_string(process.join("status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        let stat = fs::read_to_string(process.join("stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        (kib / 1024, Duration::from_millis(ticks * 10))
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn register(home: &Path) -> KeyId {
    let opened = Home::open(home, PROVIDER).await.unwrap();
    let content = content(1, "film", false);
    opened.register_content_key(&content, &content_key(1), START, &mut Seeded::new(1)).await.unwrap();
    let shown = Content { class: KeyClass::ClearKey, ..crate::harness::content(CLEARKEY, "film", false) };
    opened.register_content_key(&shown, &content_key(CLEARKEY), START, &mut Seeded::new(2)).await.unwrap();
    opened.close().await;
    content.key_id
}

/// The byte of which the id of the key for browsers is made.
const CLEARKEY: u8 = 2;

/// Licenses of a client that is no more, each as long as a real one.
async fn fill(home: &Path, rows: u32) {
    let numbers = format!("WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} + 999)");
    let client = "INSERT INTO clients VALUES (zeroblob(32), zeroblob(65), zeroblob(65), 0, zeroblob(600), 0, 0, NULL)";
    execute(home, client).await;
    for insert in [
        "INSERT INTO audit SELECT i, 1900000000, 'licenses-issued', hex(randomblob(32)), hex(randomblob(160)), \
         randomblob(32), randomblob(32) FROM n",
        "INSERT INTO acquisitions SELECT i, randomblob(32), zeroblob(32), hex(randomblob(16)), 1900000000, \
         randomblob(900) FROM n",
    ] {
        assert_eq!(execute(home, &format!("{numbers} {insert}")).await, u64::from(rows));
    }
}

fn fingerprint(home: &Path) -> Digest {
    let pem = fs::read(home.join("root.pem")).unwrap();
    admit_trust::Certificate::from_pem(&pem).unwrap().fingerprint(PROVIDER)
}
