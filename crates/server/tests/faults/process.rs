//! A server in a process of its own, which can be killed and held to a size of files. It is this program, started once
//! more.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use admit_crypto::Entropy;
use admit_server::Server;
use admit_server::home::Home;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::harness::{PROVIDER, Seeded, SetClock};
use crate::world::{World, readiness};

/// A running process.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
    /// It ends when this does.
    stdin: Option<ChildStdin>,
    /// Nobody reads the rest of what it says, and it can say it.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a server and waits until it listens. No two servers with the same seed may serve one home.
    pub(crate) fn start(home: &Path, seed: u64) -> Self {
        // A write beyond the size that files may have is to fail, and not to end the process.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "process::a_server_ends_with_the_process_that_started_it", "--nocapture"]);
        command.env(HOME, home).env(SEED, seed.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = stdout.by_ref().lines();
        let address = lines.find_map(|line| line.unwrap().split_once(LISTENING)?.1.parse().ok()).unwrap();
        let stdin = child.stdin.take();
        Self { address, child, stdin, _stdout: stdout }
    }

    /// SIGKILL. The kernel closes its files and connections before this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other side: the process itself, where [`HOME`] is set.
#[expect(clippy::disallowed_methods, reason = "a process is told by its environment what to serve")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_ends_with_the_process_that_started_it() {
    if let Ok(home) = std::env::var(HOME) {
        return serve(Path::new(&home), std::env::var(SEED).unwrap().parse().unwrap()).await;
    }
    let world = World::new().await;
    let mut process = Process::start(&world.running.path, 1);
    assert_eq!(readiness(process.address).await, 200);
    drop(process.stdin.take());
    assert!(process.child.wait().unwrap().success());
}

async fn serve(path: &Path, seed: u64) {
    let home = Home::open(path, PROVIDER).await.unwrap();
    let seeds = Arc::new(AtomicU64::new(seed << 32));
    let entropy = move || -> Box<dyn Entropy + Send> { Box::new(Seeded::new(seeds.fetch_add(1, Ordering::SeqCst))) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{LISTENING}{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = stop.send(());
    });
    let server = Server::new(home.clone(), SetClock::new(), entropy);
    let shutdown = async {
        let _ = stopped.await;
    };
    server.serve(listener, shutdown).await.unwrap();
    home.close().await;
}

const HOME: &str = "ADMIT_TEST_HOME";
const SEED: &str = "ADMIT_TEST_SEED";
const LISTENING: &str = "listening on ";
