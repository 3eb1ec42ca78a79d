//! kill -9 under load.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use admit_server::audit::AuditVerdict;
use admit_server::home::{Environment, restore};
use tokio::task::JoinSet;

use crate::harness::{PROVIDER, on_postgres};
use crate::process::Process;
use crate::world::{Came, Licenses, World};

/// After each number of answers, while others are under way: what was answered is recorded, and asking again gives the
/// same licenses.
#[tokio::test]
async fn a_server_killed_after_any_answer_has_recorded_it() {
    let world = Arc::new(World::new().await);
    world.running.home.close().await;
    let mut answered: HashMap<String, Licenses> = HashMap::new();
    let mut unanswered = 0;
    for round in 1..=ROUNDS {
        let server = Process::start(&world.running.path, round * 2);
        let asked = load(&world, server, usize::try_from(round).unwrap()).await;
        let earlier = answered.len();
        answered.extend(asked.iter().filter_map(|(challenge, came)| match came {
            Came::Licenses(licenses) => Some((challenge.hash().to_string(), licenses.clone())),
            Came::Nothing => None,
            Came::Refusal(..) => panic!("{came:?}"),
        }));
        assert!(answered.len() - earlier >= usize::try_from(round).unwrap());
        unanswered += asked.iter().filter(|(_, came)| *came == Came::Nothing).count();
        world.check_records(&answered).await;
        let mut server = Process::start(&world.running.path, round * 2 + 1);
        for (challenge, came) in &asked {
            let again = world.ask(server.address, challenge).await;
            let Came::Licenses(licenses) = again.clone() else { panic!("{again:?}") };
            assert!(*came == Came::Nothing || *came == again, "another license for the same challenge");
            answered.insert(challenge.hash().to_string(), licenses);
        }
        server.kill();
        world.check_records(&answered).await;
    }
    assert!(unanswered > 0, "no kill came in the middle of anything");
}

/// What was answered last is in SQLite's write-ahead log only.
#[tokio::test]
async fn the_home_of_a_killed_server_is_restored_with_all_that_was_answered() {
    if on_postgres() {
        return;
    }
    let world = World::new().await;
    world.running.home.close().await;
    let mut server = Process::start(&world.running.path, 1);
    let challenge = world.challenge();
    let came = world.ask(server.address, &challenge).await;
    assert!(matches!(came, Came::Licenses(_)), "{came:?}");
    server.kill();
    assert!(world.running.path.join("admit.db-wal").metadata().unwrap().len() > 0);
    let restored = world.running.path.with_file_name("restored");
    let verdict = restore(&world.running.path, &restored, &[], PROVIDER, &Environment::default()).await.unwrap();
    assert!(matches!(verdict, AuditVerdict::Whole { .. }), "{verdict:?}");
    let server = Process::start(&restored, 2);
    assert_eq!(world.ask(server.address, &challenge).await, came, "another license for the same challenge");
}

/// Asks over several connections at once, and kills the server when so many answers have come.
async fn load(
    world: &Arc<World>,
    server: Process,
    answers: usize,
) -> Vec<(admit_protocol::acquire::SealedChallenge, Came)> {
    let address = server.address;
    let victim = Arc::new(Mutex::new((server, 0)));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (world, victim, challenges) = (Arc::clone(world), Arc::clone(&victim), world.challenges(EACH));
        tasks.spawn(async move {
            let mut asked = Vec::new();
            for challenge in challenges {
                let came = world.ask(address, &challenge).await;
                if matches!(came, Came::Licenses(_)) {
                    let (server, answered) = &mut *victim.lock().unwrap();
                    *answered += 1;
                    if *answered == answers {
                        server.kill();
                    }
                }
                asked.push((challenge, came));
            }
            asked
        });
    }
    tasks.join_all().await.concat()
}

const ROUNDS: u64 = 16;
const CONNECTIONS: usize = 8;
const EACH: usize = 3;
