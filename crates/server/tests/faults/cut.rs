//! PostgreSQL goes away in several ways, and comes back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use admit_protocol::Code;
use admit_protocol::enrol::ENROL_PATH;
use tokio::task::JoinSet;

use crate::harness::{ClientKeys, SetClock, database_url, execute};
use crate::proxy::{Line, Proxy};
use crate::world::{Came, Instance, Licenses, World, readiness, request};

#[tokio::test]
async fn a_database_that_is_cut_off_refuses_at_once_and_is_back_at_once() {
    let (world, proxy, server) = behind_proxy().await;
    let mut answered = HashMap::new();
    for round in 0..3 {
        succeed(&world, &server, &mut answered).await;
        proxy.set(Line::Cut);
        let refused = refused(&world, &server, &mut answered).await;
        assert!(refused.iter().all(|came| *came == Came::Refusal(503, Code::ADMIT_E_SERVER)), "{refused:?}");
        assert_eq!(readiness(server.address).await, 503);
        proxy.set(Line::Open);
        assert_eq!(readiness(server.address).await, 200, "{round}");
        succeed(&world, &server, &mut answered).await;
    }
    world.check_records(&answered).await;
}

#[tokio::test]
async fn a_database_that_hangs_holds_no_request_longer_than_its_time() {
    for line in [Line::Stalled, Line::Lost] {
        let (world, proxy, server) = behind_proxy().await;
        let mut answered = HashMap::new();
        for _ in 0..2 {
            succeed(&world, &server, &mut answered).await;
            proxy.set(line);
            refused(&world, &server, &mut answered).await;
            assert_eq!(readiness(server.address).await, 503, "{line:?}");
            proxy.set(Line::Open);
            // What the first requests find are connections that are dead without saying so.
            back(&world, &server).await;
            succeed(&world, &server, &mut answered).await;
        }
        world.check_records(&answered).await;
    }
}

/// PostgreSQL still holds the lock of a transaction whose connection it does not know to be lost; and a connection may be
/// lost at any message, also while it comes back to the others after the commit.
#[tokio::test]
async fn a_connection_lost_at_any_message_keeps_the_others_waiting_only_so_long() {
    let (world, proxy, server) = behind_proxy().await;
    let (mut answered, mut issued) = (HashMap::new(), 0);
    for messages in 0..16 {
        let challenge = world.challenge();
        proxy.set(Line::LostInTransaction(messages));
        let came = world.ask(server.address, &challenge).await;
        assert!(matches!(came, Came::Licenses(_) | Came::Refusal(503, _)), "{messages}: {came:?}");
        issued += u32::from(matches!(came, Came::Licenses(_)));
        // By now the line is lost, or it is while this is under way.
        let came_next = world.ask(server.address, &challenge).await;
        assert!(matches!(came_next, Came::Licenses(_) | Came::Refusal(503, _)), "{messages}: {came_next:?}");
        assert_eq!(proxy.line(), Line::Lost, "{messages}");
        proxy.set(Line::Open);
        back(&world, &server).await;
        let Came::Licenses(licenses) = world.ask(server.address, &challenge).await else { panic!("{messages}") };
        if let Came::Licenses(before) = came {
            assert_eq!(before, licenses, "{messages}");
        }
        answered.insert(challenge.hash().to_string(), licenses);
    }
    assert!((1..16).contains(&issued), "lost before the commit and after it: {issued} were issued");
    world.check_records(&answered).await;
}

/// Connections are killed by the database's operator while requests are under way.
#[tokio::test]
async fn connections_that_the_database_ends_cost_no_license_its_record() {
    let (world, _proxy, server) = behind_proxy().await;
    let (world, mut answered) = (Arc::new(world), HashMap::new());
    for _ in 0..8 {
        let mut tasks = JoinSet::new();
        for challenge in world.challenges(6) {
            let (world, address) = (Arc::clone(&world), server.address);
            tasks.spawn(async move { (challenge.hash().to_string(), world.ask(address, &challenge).await) });
        }
        let first = tasks.join_next().await.unwrap().unwrap();
        execute(
            &world.running.path,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        for (challenge, came) in tasks.join_all().await.into_iter().chain([first]) {
            match came {
                Came::Licenses(licenses) => drop(answered.insert(challenge, licenses)),
                Came::Refusal(503, _) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    succeed(&world, &server, &mut answered).await;
    world.check_records(&answered).await;
}

/// What PostgreSQL says when its disk is full, without filling one.
#[tokio::test]
async fn without_room_in_the_database_nothing_is_issued() {
    let (world, _proxy, server) = behind_proxy().await;
    let mut answered = HashMap::new();
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
                $$BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END$$";
    execute(&world.running.path, full).await;
    for table in ["acquisitions", "audit", "realm"] {
        let event = if table == "realm" { "UPDATE" } else { "INSERT" };
        let trigger =
            format!("CREATE TRIGGER full_disk BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()");
        execute(&world.running.path, &trigger).await;
        let came = world.ask(server.address, &world.challenge()).await;
        let refused = came == Came::Refusal(503, Code::ADMIT_E_SERVER);
        assert_eq!(refused, table != "realm", "{table}: {came:?}");
        execute(&world.running.path, &format!("DROP TRIGGER full_disk ON {table}")).await;
        succeed(&world, &server, &mut answered).await;
        assert_eq!(readiness(server.address).await, 200);
    }
    world.check_records(&answered).await;
}

/// A world whose second server reaches the database through a proxy, with a short time for each request.
async fn behind_proxy() -> (World, Proxy, Instance) {
    let world = World::new().await;
    let url = database_url(&world.running.path);
    let (address, folder) = url.split_once("?host=").unwrap();
    let proxy = Proxy::start(folder).await;
    let url = address.replace("@localhost/", &format!("@{}/", proxy.address));
    let path = copy_home(&world.running.path, &url);
    let server = Instance::start(&path, SetClock::new(), 9).await;
    (world, proxy, server)
}

/// A second home folder of the same realm.
fn copy_home(from: &Path, url: &str) -> PathBuf {
    let to = from.with_file_name("behind-proxy");
    let secrets = to.join("secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    std::fs::copy(from.join("secrets/key-encryption-key"), secrets.join("key-encryption-key")).unwrap();
    let config = format!("[http]\nrequest_timeout_secs = {}\n[database]\nurl = {url:?}\n", REQUEST_TIMEOUT.as_secs());
    std::fs::write(to.join("admit.toml"), config).unwrap();
    to
}

/// A license and an enrolment, at the first try.
async fn succeed(world: &World, server: &Instance, answered: &mut HashMap<String, Licenses>) {
    let challenge = world.challenge();
    let came = world.ask(server.address, &challenge).await;
    let Came::Licenses(licenses) = came else { panic!("{came:?}") };
    answered.insert(challenge.hash().to_string(), licenses);
    let (status, _) = request(server.address, "POST", ENROL_PATH, &enrolment(world, 1)).await.unwrap();
    assert_eq!(status, 200);
}

/// Asks for licenses and enrolments at once; all are answered in time, and none with what was asked for.
async fn refused(world: &World, server: &Instance, answered: &mut HashMap<String, Licenses>) -> Vec<Came> {
    let (challenges, enrolment) = (world.challenges(3), enrolment(world, 2));
    let mut licenses = Vec::new();
    let ask_all = async {
        let enrolled = request(server.address, "POST", ENROL_PATH, &enrolment);
        let healthy = readiness(server.address);
        let mut asked: Vec<_> =
            challenges.iter().map(|challenge| Box::pin(world.ask(server.address, challenge))).collect();
        let (enrolled, healthy) = tokio::join!(enrolled, healthy);
        assert_eq!(enrolled.unwrap().0, 503);
        assert_eq!(healthy, 503);
        for asked in &mut asked {
            licenses.push(asked.await);
        }
    };
    tokio::time::timeout(FOR_EVER, ask_all).await.expect("every request is answered");
    assert!(licenses.iter().all(|came| matches!(came, Came::Refusal(503, _))), "{licenses:?}");
    world.check_records(answered).await;
    licenses
}

/// Waits until every kind of work is done again. A request finds one dead connection at most and closes it, and PostgreSQL
/// ends a transaction that was lost after two seconds: until then its lock keeps others waiting.
async fn back(world: &World, server: &Instance) {
    let enrolment = enrolment(world, 1);
    let all = async {
        while readiness(server.address).await != 200 {}
        while !matches!(world.ask(server.address, &world.challenge()).await, Came::Licenses(_)) {}
        while request(server.address, "POST", ENROL_PATH, &enrolment).await.unwrap().0 != 200 {}
    };
    tokio::time::timeout(REQUEST_TIMEOUT * 20, all).await.expect("the server comes back");
}

fn enrolment(world: &World, seed: u64) -> Vec<u8> {
    let keys = ClientKeys::new(seed);
    keys.request(world.running.realm.root().realm(), seed).sign(&keys.signing).to_vec()
}

const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
/// Far beyond the time of all that is asked, also where the machine has other things to do.
const FOR_EVER: Duration = Duration::from_secs(300);
