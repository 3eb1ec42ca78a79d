//! What `docs/operate` says of running a server: its unit, restarts that refuse nobody, and backups under load.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::world::World;

/// A server on a socket that somebody else opened, as systemd starts it (sd_listen_fds(3)).
fn serve_on(listener: &TcpListener, home: &Path) -> Child {
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" serve --home \"$1\"";
    let socket = Stdio::from(OwnedFd::from(listener.try_clone().unwrap()));
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_admit")]).arg(home).stdin(socket);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    child
}

fn terminate(mut child: Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

fn is_answered(address: SocketAddr) -> bool {
    let answered = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        std::io::Result::Ok(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"}"))
    };
    answered().unwrap_or(false)
}

#[test]
fn a_restart_under_load_fails_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let init = Command::new(env!("CARGO_BIN_EXE_admit")).arg("init").arg(&home).arg("--demo-root-online").output();
    assert!(init.unwrap().status.success());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, answered, failed) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let at_least = |more: usize| {
        let wanted = answered.load(Ordering::SeqCst) + more;
        while answered.load(Ordering::SeqCst) < wanted && failed.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        let mut server = serve_on(&listener, &home);
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let counter = if is_answered(address) { &answered } else { &failed };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // As `systemctl restart` does it: the old one ends first, and connections wait in the socket.
        for _ in 0..2 {
            at_least(50);
            terminate(server);
            server = serve_on(&listener, &home);
        }
        // Or the new one starts first.
        at_least(50);
        let next = serve_on(&listener, &home);
        terminate(server);
        at_least(50);
        stop.store(true, Ordering::SeqCst);
        for _ in 0..4 {
            is_answered(address);
        }
        terminate(next);
    });
    assert_eq!(failed.load(Ordering::SeqCst), 0, "of {}", answered.load(Ordering::SeqCst));
    assert!(answered.load(Ordering::SeqCst) >= 200);
}

/// systemd's own measure of what a service could still do; from 0, nothing, to 10.
#[test]
fn the_unit_is_hardened() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/admit.service");
    let text = fs::read_to_string(&unit).unwrap();
    for line in ["LimitCORE=0", "LimitMEMLOCK=infinity", "User=admit"] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    let analyze =
        Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=20"]).arg(&unit).output();
    let output = analyze.expect("systemd-analyze: install the Debian package systemd, or run cargo check-all");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// SQLite does not mind what stands behind its last page.
#[test]
fn a_backup_larger_than_memory_is_restored() {
    const MEMORY_KIB: u64 = 64 * 1024;
    let world = World::unserved();
    world.admit(&["admin", "backup", "backup", "--with-key", "--home", "home"]).succeeded();
    let database = fs::OpenOptions::new().write(true).open(world.path("backup/admit.db")).unwrap();
    database.set_len(MEMORY_KIB * 1024 * 2).unwrap();
    let script = format!("ulimit -d {MEMORY_KIB}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_admit"), "admin", "restore", "backup", "restored"]);
    let output = command.current_dir(world.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.admit(&["audit", "--home", "restored", "--json"]).json()["whole"], true);
}

#[test]
fn a_backup_is_taken_while_licenses_are_issued_and_restored() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let token = world.token("film");
    let (stop, played) = (AtomicBool::new(false), AtomicUsize::new(0));
    let backups = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let client = format!("client-{}", played.load(Ordering::SeqCst));
                let words = ["license", "acquire", "film.mp4", "--token", &token, "--trust", &realm];
                world.admit_as(&client, &words).succeeded();
                played.fetch_add(1, Ordering::SeqCst);
            }
        });
        let mut backups = Vec::new();
        for round in 0..4 {
            while played.load(Ordering::SeqCst) < round {
                thread::yield_now();
            }
            let (name, more) = (format!("backup-{round}"), if round == 3 { "--with-key" } else { "--json" });
            world.admit(&["admin", "backup", &name, "--home", "home", more]).succeeded();
            backups.push(name);
        }
        stop.store(true, Ordering::SeqCst);
        backups
    });
    for name in &backups[..3] {
        assert!(!world.path(name).join("secrets").exists());
        assert_eq!(fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(world.path(name).join("admit.db")).unwrap().permissions().mode() & 0o777, 0o600);
        let restored = format!("restored-{name}");
        let key = "home/secrets/key-encryption-key";
        world.admit(&["admin", "restore", name, &restored, "--key", key]).succeeded();
        let audit = world.admit(&["audit", "--home", &restored, "--json"]).json();
        assert_eq!(audit["whole"], true);
    }
    world.admit(&["admin", "restore", "backup-0", "without-key"]).refused("ADMIT_E_FILE");
    assert!(!world.path("without-key").exists());
    world.admit(&["admin", "restore", "backup-3", "restored"]).succeeded();
    world.admit(&["admin", "restore", "backup-3", "restored"]).refused("ADMIT_E_HOME_EXISTS");
    world.admit(&["admin", "backup", "backup-3", "--home", "home"]).refused("ADMIT_E_HOME_EXISTS");
    // The restored home makes tokens that its own server takes: its keys open.
    world.admit(&["token", "--subject", "bob", "--content", "film", "--home", "restored"]).succeeded();
}
