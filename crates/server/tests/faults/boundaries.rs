//! kill -9 before every write and every sync of the database's files, one after the other, while a license is recorded.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::process::Process;
use crate::world::{Came, World};

/// Until a server has lived through a whole request, the next one dies one call further. What was answered is recorded;
/// asking again gives licenses, and the same ones where there were some before.
#[tokio::test]
async fn a_server_killed_at_any_write_or_sync_has_recorded_what_it_answered() {
    let world = World::new().await;
    world.running.home.close().await;
    let (mut answered, mut seed) = (HashMap::new(), 1);
    for call in ["pwrite64", "fsync,fdatasync"] {
        let mut deaths = 0;
        loop {
            let mut server = Process::start(&world.running.path, seed);
            let mut tracer = Tracer::kill_at(&server, call, deaths + 1);
            let challenge = world.challenge();
            let came = world.ask(server.address, &challenge).await;
            server.kill();
            tracer.child.wait().unwrap();
            let lived = match came {
                Came::Licenses(licenses) => answered.insert(challenge.hash().to_string(), licenses).is_none(),
                Came::Nothing => false,
                Came::Refusal(..) => panic!("{came:?}"),
            };
            world.check_records(&answered).await;
            if lived {
                break;
            }
            let mut server = Process::start(&world.running.path, seed + 1);
            let again = world.ask(server.address, &challenge).await;
            server.kill();
            let Came::Licenses(licenses) = again else { panic!("{again:?}") };
            answered.insert(challenge.hash().to_string(), licenses);
            world.check_records(&answered).await;
            (deaths, seed) = (deaths + 1, seed + 2);
        }
        assert!(deaths > 0, "no {call} while a license is recorded");
        seed += 1;
    }
}

/// What watches a server's calls.
struct Tracer {
    child: Child,
    /// It goes on saying things, and ends if it cannot.
    _stderr: BufReader<ChildStderr>,
}

impl Tracer {
    /// Kills a server as it enters the call of this number. Returns when that is set up.
    fn kill_at(server: &Process, calls: &str, number: u32) -> Self {
        let inject = format!("inject={calls}:signal=SIGKILL:when={number}");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject]);
        strace.args(["-p", &server.child.id().to_string()]).stderr(Stdio::piped());
        let mut child = strace.spawn().expect("strace is installed");
        let (mut stderr, mut said) = (BufReader::new(child.stderr.take().unwrap()), String::new());
        stderr.read_line(&mut said).unwrap();
        assert!(said.contains("attached"), "{said}");
        Self { child, _stderr: stderr }
    }
}
