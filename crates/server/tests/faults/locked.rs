//! SQLite's file is locked by another program that does not let go.

use std::collections::HashMap;
use std::time::Duration;

use admit_protocol::Code;
use sqlx::{Connection as _, Executor as _};

use crate::harness::{SetClock, database_url};
use crate::world::{Came, Instance, World, readiness};

#[tokio::test]
async fn a_locked_database_refuses_in_time_and_is_back_at_once() {
    let world = World::new().await;
    world.running.home.close().await;
    std::fs::write(world.running.path.join("admit.toml"), "[http]\nrequest_timeout_secs = 5\n").unwrap();
    let server = Instance::start(&world.running.path, SetClock::new(), 9).await;
    let mut answered = HashMap::new();
    sqlx::any::install_default_drivers();
    for _ in 0..2 {
        let mut other = sqlx::AnyConnection::connect(&database_url(&world.running.path)).await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let challenges = world.challenges(3);
        let asked = async {
            let ask = |index: usize| world.ask(server.address, &challenges[index]);
            let (first, second, third) = tokio::join!(ask(0), ask(1), ask(2));
            [first, second, third]
        };
        // Far beyond their time, also where the machine has other things to do.
        let came = tokio::time::timeout(Duration::from_secs(300), asked).await.expect("no request hangs");
        for came in came {
            assert_eq!(came, Came::Refusal(503, Code::ADMIT_E_OVERLOADED));
        }
        assert_eq!(readiness(server.address).await, 503);
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
        for challenge in &challenges {
            let came = world.ask(server.address, challenge).await;
            let Came::Licenses(licenses) = came else { panic!("{came:?}") };
            answered.insert(challenge.hash().to_string(), licenses);
        }
        assert_eq!(readiness(server.address).await, 200);
        world.check_records(&answered).await;
    }
}
