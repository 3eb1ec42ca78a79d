//! A disk that is full, or fills up in the middle of a write: the file of the write-ahead log may not grow beyond a size
//! that goes up in small steps, so that every write of a transaction is once the one that fails, and is cut short.

use std::collections::HashMap;
use std::process::Command;

use admit_protocol::Code;

use crate::process::Process;
use crate::world::{Came, Licenses, World, readiness};

#[tokio::test]
async fn on_a_full_disk_nothing_is_issued_and_with_room_all_is_as_before() {
    let world = World::new().await;
    world.running.home.close().await;
    let mut answered: HashMap<String, Licenses> = HashMap::new();
    let mut refused = 0;
    for step in 0..STEPS {
        let mut server = Process::start(&world.running.path, step + 1);
        let challenges = world.challenges(3);
        let log = std::fs::metadata(world.running.path.join("admit.db-wal")).map_or(0, |log| log.len());
        limit_files(&server, Some(log + step * STEP));
        let mut came = Vec::new();
        for challenge in &challenges {
            came.push(world.ask(server.address, challenge).await);
        }
        for (challenge, came) in challenges.iter().zip(&came) {
            match came {
                Came::Licenses(licenses) => drop(answered.insert(challenge.hash().to_string(), licenses.clone())),
                Came::Refusal(503, Code::ADMIT_E_SERVER) => refused += 1,
                other => panic!("{step}: {other:?}"),
            }
        }
        if matches!(came.last(), Some(Came::Refusal(..))) {
            // What is too little for a license can be enough for the small write with which the server tries.
            limit_files(&server, Some(0));
            assert_eq!(readiness(server.address).await, 503, "{step}");
        }
        // Every other time the process does not live to see room again.
        if step % 2 == 1 {
            server.kill();
            world.check_records(&answered).await;
            server = Process::start(&world.running.path, STEPS + step + 1);
        }
        limit_files(&server, None);
        for (challenge, came) in challenges.iter().zip(&came) {
            let again = world.ask(server.address, challenge).await;
            let Came::Licenses(licenses) = again.clone() else { panic!("{step}: {again:?}") };
            assert!(matches!(came, Came::Refusal(..)) || *came == again, "another license for the same challenge");
            answered.insert(challenge.hash().to_string(), licenses);
        }
        assert_eq!(readiness(server.address).await, 200, "{step}");
        server.kill();
        world.check_records(&answered).await;
    }
    assert!(refused > STEPS, "the disk was hardly ever full");
}

/// A third of a page and some: each write is cut short at several places.
const STEP: u64 = 1500;
const STEPS: u64 = 30;

/// The largest size of a server's files from now on; writes beyond it fail.
fn limit_files(server: &Process, limit: Option<u64>) {
    let limit = limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let arguments = [format!("--pid={}", server.child.id()), format!("--fsize={limit}:")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}
