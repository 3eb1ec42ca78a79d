//! A machine whose clocks a test sets, as its owner could: the wall clock with libfaketime, another boot by another boot identity in a
//! mount namespace. And a server of this process, whose clock and policy the test sets.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admit_crypto::{Entropy, aws_lc};
use admit_license::{RollbackAction, Terms};
use admit_server::Server;
use admit_server::home::Home;
use admit_server::policy::{DefaultPolicy, Policy, PolicyRefusal, PolicyRequest};
use admit_time::Timestamp;
use tokio::sync::oneshot;

use crate::world::{Done, World};

pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// What licenses say: they end so long after they were issued.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub(crate) begin_after: Option<i64>,
    pub(crate) expiry_after: Option<i64>,
    pub(crate) after_first_use: Option<u64>,
    pub(crate) rollback_action: Option<RollbackAction>,
}

impl Policy for Limits {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let after = |secs: i64| Timestamp::from_unix_secs(request.now.unix_secs().saturating_add_signed(secs));
        let limited = |terms| Terms {
            begin: self.begin_after.map(after),
            expiry: self.expiry_after.map(after),
            expiry_after_first_use_secs: self.after_first_use,
            rollback_action: self.rollback_action,
            ..terms
        };
        Ok(DefaultPolicy.terms(request, draft)?.into_iter().map(limited).collect())
    }
}

/// A server that runs until it is dropped, with this policy and a clock that is so many seconds ahead.
pub(crate) struct Serving {
    ahead: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(world: &World, limits: Limits) -> Self {
        let ahead = Arc::new(AtomicI64::new(0));
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (home, address, offset) = (world.path("home"), world.address().to_owned(), Arc::clone(&ahead));
        let serve = async move {
            let home = Home::open(&home, &aws_lc::PROVIDER).await.unwrap();
            let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
            let now =
                move || Timestamp::from_unix_secs(wall_secs().saturating_add_signed(offset.load(Ordering::SeqCst)));
            let entropy = || -> Box<dyn Entropy + Send> { Box::new(SystemEntropy) };
            let server = Server::new(home.clone(), now, entropy).with_policy(limits);
            ready.send(()).unwrap();
            let stop = async {
                let _ = stopped.await;
            };
            server.serve(listener, stop).await.unwrap();
            home.close().await;
        };
        let run = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(serve);
        let thread = std::thread::spawn(run);
        is_ready.recv().unwrap();
        Self { ahead, stop: Some(stop), thread: Some(thread) }
    }

    /// The server's clock is so many seconds ahead of the machine's: as if so much time had passed.
    pub(crate) fn set_ahead(&self, secs: i64) {
        self.ahead.store(secs, Ordering::SeqCst);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(joined.is_none_or(|result| result.is_ok()) || std::thread::panicking(), "the server panicked");
    }
}

/// A client's machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// Seconds that the wall clock is ahead.
    pub(crate) wall: i64,
    /// Which boot it is; none is the real one.
    pub(crate) boot: Option<u8>,
}

impl Machine {
    pub(crate) const REAL: Self = Self { wall: 0, boot: None };

    pub(crate) const fn wall(secs: i64) -> Self {
        Self { wall: secs, boot: None }
    }

    /// Started again, with a wall clock so many seconds ahead.
    pub(crate) const fn rebooted(boot: u8, wall: i64) -> Self {
        Self { wall, boot: Some(boot) }
    }

    /// Runs `admit` on this machine.
    pub(crate) fn admit(self, world: &World, words: &[&str]) -> Done {
        let admit = world.command(words);
        let mut command = match self.boot {
            None => Command::new(admit.get_program()),
            Some(boot) => in_boot(world, boot, admit.get_program().to_str().unwrap()),
        };
        command.args(admit.get_args()).current_dir(world.folder.path()).stdin(std::process::Stdio::null());
        for (name, value) in admit.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if self.wall != 0 {
            command.env("LD_PRELOAD", libfaketime()).env("FAKETIME", format!("{:+}", self.wall));
        }
        Done::from(&command.output().unwrap())
    }

    /// What `admit clock show` says of the only realm.
    pub(crate) fn clock(self, world: &World) -> serde_json::Value {
        self.admit(world, &["clock", "show", "--json"]).json()["clocks"][0].clone()
    }
}

/// A command that runs a program where the boot identity is another one.
fn in_boot(world: &World, boot: u8, program: &str) -> Command {
    let identity = world.path(&format!("boot-{boot}"));
    fs::write(&identity, format!("{boot:02x}000000-0000-4000-8000-000000000000\n")).unwrap();
    let mut command = Command::new("unshare");
    let script = format!("mount --bind {} /proc/sys/kernel/random/boot_id && exec \"$@\"", identity.display());
    command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh", program]);
    command
}

/// Where Debian's package `faketime` puts the library.
fn libfaketime() -> &'static str {
    let places =
        ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"];
    places.into_iter().find(|place| fs::exists(place).unwrap()).expect("libfaketime is installed (Debian: faketime)")
}

pub(crate) fn wall_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}
