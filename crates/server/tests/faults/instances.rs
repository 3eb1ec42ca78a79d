//! Two servers on one database behave as one.

use std::collections::HashMap;
use std::sync::Arc;

use admit_protocol::Code;
use admit_protocol::enrol::ENROL_PATH;
use tokio::task::JoinSet;

use crate::harness::{ClientKeys, START, SetClock};
use crate::world::{Came, Instance, World, request};

async fn two(world: &World) -> [Instance; 2] {
    let start = |seed| Instance::start(&world.running.path, SetClock::new(), seed);
    [start(8).await, start(9).await]
}

#[tokio::test]
async fn a_challenge_sent_to_both_at_once_gets_the_same_licenses_from_both() {
    let world = Arc::new(World::new().await);
    let servers = two(&world).await;
    let mut answered = HashMap::new();
    for _ in 0..10 {
        let challenge = world.challenge();
        let (first, second) =
            tokio::join!(world.ask(servers[0].address, &challenge), world.ask(servers[1].address, &challenge));
        assert_eq!(first, second);
        let Came::Licenses(licenses) = first else { panic!("{first:?}") };
        answered.insert(challenge.hash().to_string(), licenses);
    }
    world.check_records(&answered).await;
}

#[tokio::test]
async fn the_log_stays_whole_under_load_from_both() {
    let world = Arc::new(World::new().await);
    let servers = two(&world).await;
    let mut tasks = JoinSet::new();
    for (index, challenges) in (0..8).map(|index| (index, world.challenges(6))) {
        let (world, address) = (Arc::clone(&world), servers[index % 2].address);
        tasks.spawn(async move {
            let mut answered = Vec::new();
            for challenge in challenges {
                let came = world.ask(address, &challenge).await;
                let Came::Licenses(licenses) = came else { panic!("{came:?}") };
                answered.push((challenge.hash().to_string(), licenses));
            }
            answered
        });
    }
    let answered: HashMap<_, _> = tasks.join_all().await.concat().into_iter().collect();
    assert_eq!(answered.len(), 48);
    world.check_records(&answered).await;
}

#[tokio::test]
async fn the_same_keys_enrolled_at_both_get_one_certificate() {
    let world = World::new().await;
    let servers = two(&world).await;
    for seed in 10..18 {
        let keys = ClientKeys::new(seed);
        let body = keys.request(world.running.realm.root().realm(), seed).sign(&keys.signing).to_vec();
        let enrol = |server: &Instance| {
            let (address, body) = (server.address, body.clone());
            async move { request(address, "POST", ENROL_PATH, &body).await.unwrap() }
        };
        let (first, second) = tokio::join!(enrol(&servers[0]), enrol(&servers[1]));
        assert_eq!(first.0, 200);
        assert_eq!(first, second);
    }
    assert_eq!(world.running.count("client-enrolled").await, 9);
}

#[tokio::test]
async fn what_one_revokes_the_other_refuses_at_the_next_request() {
    let world = World::new().await;
    let servers = two(&world).await;
    for server in &servers {
        // Now both remember the client's certificate.
        assert!(matches!(world.ask(server.address, &world.challenge()).await, Came::Licenses(_)));
    }
    servers[0].home.revoke_client(&world.client.fingerprint(), None, START).await.unwrap();
    for server in &servers {
        let came = world.ask(server.address, &world.challenge()).await;
        assert_eq!(came, Came::Refusal(403, Code::DRM_E_DEVCERT_REVOKED));
    }
}
