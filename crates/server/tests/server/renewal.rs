//! Renewal of all certificates under the trust root, while servers run and as the clock goes on.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use admit_crypto::{Entropy, SecretScalar};
use admit_license::header::{ContentHeader, HeaderFields, HeaderKey, HeaderObject};
use admit_license::{KeyId, TrustedHeader};
use admit_protocol::Code;
use admit_protocol::realm::Realm;
use admit_protocol::time::TIME_PATH;
use admit_server::home::{Home, InitOptions, Renewal, Renewed, RootCustody, init, root_key};
use admit_server::{Clock as _, Error, Server};
use admit_testkit::Postgres;
use admit_time::Timestamp;
use admit_time::clock::Limits;
use admit_trust::{Certificate, DateCheck, TimeKey, role};
use tokio::net::TcpListener;

use crate::harness::{
    Answer, DAY, PROVIDER, Running, START, Seeded, TestClient, challenge, connect, on_postgres, options, send,
};

/// A second server on the home of the first, with the same clock.
struct Second {
    home: Home,
    address: SocketAddr,
}

impl Second {
    async fn start(running: &Running) -> Self {
        let home = Home::open(&running.path, PROVIDER).await.unwrap();
        let seeds = AtomicU64::new(500_000);
        let entropy =
            move || -> Box<dyn Entropy + Send> { Box::new(Seeded::new(seeds.fetch_add(1, Ordering::SeqCst))) };
        let server = Server::new(home.clone(), running.clock.clone(), entropy);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, std::future::pending()));
        Self { home, address }
    }
}

/// Licenses that a server gives for a challenge under the realm document as the harness has it.
async fn acquire(running: &mut Running, at: SocketAddr, client: &TestClient, key_id: KeyId, number: u8) -> Answer {
    let first = std::mem::replace(&mut running.address, at);
    let sealed = running.seal(client, &challenge(&running.realm, &[key_id], None, number));
    let answer = running.acquire(&sealed, None).await;
    if answer.status == 200 {
        assert_eq!(running.verify(client, &sealed, &answer.body).len(), 1);
    }
    running.address = first;
    answer
}

async fn enrol(running: &mut Running, at: SocketAddr, seed: u64) -> TestClient {
    let first = std::mem::replace(&mut running.address, at);
    let client = running.enrol(seed).await;
    running.address = first;
    client
}

/// Takes the realm document as the first server gives it now.
fn fetch(running: &mut Running) {
    running.realm = Realm::verify(PROVIDER, &running.home.realm_document(), running.home.realm()).unwrap();
}

fn header(home: &Home) -> HeaderObject {
    let key = HeaderKey { key_id: KeyId::from_bytes([1; 16]), algorithm: None, checksum: None };
    let fields = HeaderFields { keys: vec![key], ..HeaderFields::default() };
    home.sign_header(&ContentHeader::new(fields).unwrap())
}

fn signer(home: &Home, object: &HeaderObject, now: Timestamp) -> Certificate {
    let trusted = TrustedHeader::verify(PROVIDER, home.root(), object, DateCheck::At(now)).unwrap().unwrap();
    let signer: &Certificate = trusted.signer();
    signer.clone()
}

fn names(renewed: &[Renewed]) -> Vec<&str> {
    renewed.iter().map(|renewed| renewed.name.as_ref()).collect()
}

fn time_keys(home: &Home, now: Timestamp) -> Vec<TimeKey> {
    let realm = Realm::verify(PROVIDER, &home.realm_document(), home.realm()).unwrap();
    let services = realm.time_services(PROVIDER, DateCheck::At(now)).unwrap();
    assert!(services.iter().all(|service| service.address == TIME_PATH));
    services.iter().map(|service| *service.certificate.time_key()).collect()
}

/// Five years on, two servers on one database renew everything that is due once, and what the old keys signed is good.
#[tokio::test]
async fn all_certificates_are_renewed_once_by_two_instances_and_what_the_old_ones_signed_stays_good() {
    let mut running = Running::start().await;
    let key_id: KeyId = running.register(1, "film", true).await;
    let old_client = running.enrol(7).await;
    let old_header = header(&running.home);
    let second = Second::start(&running).await;
    running.clock.advance(DAY * (5 * 366 - 60));
    let now = running.clock.now();
    let (mut one, mut two) = (Seeded::new(70), Seeded::new(71));
    let (first, other) = tokio::join!(
        running.home.renew_demonstration(Renewal::Due, now, &mut one),
        second.home.renew_demonstration(Renewal::Due, now, &mut two)
    );
    let (first, other) = (first.unwrap().unwrap(), other.unwrap().unwrap());
    let mut renewed = [names(&first), names(&other)];
    renewed.sort_by_key(Vec::len);
    let all = vec!["license", "enrolment", "packaging", "time-1", "time-2", "application"];
    assert_eq!(renewed, [Vec::new(), all]);
    assert_eq!(running.count("service-renewed").await, 6);
    for home in [&running.home, &second.home] {
        assert!(home.standings().all(|standing| !standing.is_due(now)));
        assert_ne!(signer(home, &header(home), now), signer(home, &old_header, now));
    }
    fetch(&mut running);
    assert_eq!(running.realm.document().number, 2);
    let dates = DateCheck::At(now);
    assert!(running.realm.application(PROVIDER, "admit", dates).unwrap().is_some());
    let authority = running.realm.certificate::<role::Enrolment>(PROVIDER, dates).unwrap();
    assert_ne!(old_client.chain[1].public_key(), Some(authority.public_key()));
    for (number, address) in [running.address, second.address].into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        assert_eq!(acquire(&mut running, address, &old_client, key_id, number).await.status, 200);
        let new_client = enrol(&mut running, address, 20 + u64::from(number)).await;
        assert_eq!(new_client.chain[1], *authority);
        assert_eq!(acquire(&mut running, address, &new_client, key_id, 10 + number).await.status, 200);
        // The same keys under the old authority: a certificate whose chain holds, and the same one from both.
        let again = enrol(&mut running, address, 7).await;
        assert_eq!(again.chain[1], *authority);
        assert_eq!(acquire(&mut running, address, &again, key_id, 30 + number).await.status, 200);
    }
    assert_eq!(running.count("client-enrolled").await, 4);
}

#[tokio::test]
async fn an_instance_that_has_not_looked_yet_serves_who_knows_the_new_keys_and_who_knows_the_old() {
    let mut running = Running::start().await;
    let key_id: KeyId = running.register(1, "film", true).await;
    let second = Second::start(&running).await;
    let now = running.clock.now();
    let renewed = running.home.renew_demonstration(Renewal::All, now, &mut Seeded::new(70)).await;
    assert_eq!(renewed.unwrap().unwrap().len(), 6);
    let client = enrol(&mut running, second.address, 7).await;
    assert_eq!(acquire(&mut running, second.address, &client, key_id, 1).await.status, 200, "sealed to the old key");
    let address = running.address;
    assert_eq!(acquire(&mut running, address, &client, key_id, 2).await.status, 200);
    fetch(&mut running);
    assert_eq!(acquire(&mut running, second.address, &client, key_id, 3).await.status, 200, "sealed to the new key");
    assert_eq!(second.home.realm_document(), running.home.realm_document());
}

/// What `/ready` and the metrics say.
async fn told(running: &Running) -> (u16, serde_json::Value, String) {
    let ready = send(&mut connect(running.address).await, "GET", "/ready", &[], b"").await;
    let metrics = send(&mut connect(running.address).await, "GET", "/metrics", &[], b"").await;
    let body: serde_json::Value = serde_json::from_slice(&ready.body).unwrap();
    (ready.status.as_u16(), body["renewal_due"].clone(), String::from_utf8(metrics.body).unwrap())
}

#[tokio::test]
async fn what_is_due_is_told_well_before_it_ends() {
    let running = Running::start().await;
    running.clock.advance(DAY * 306 - DAY / 86_400);
    assert_eq!(told(&running).await.1, serde_json::json!([]));
    running.clock.advance(DAY / 86_400);
    let (status, due, metrics) = told(&running).await;
    assert_eq!((status, due), (200, serde_json::json!(["license", "time-1", "time-2"])));
    let line = |name: &str, time: Timestamp| {
        format!("admit_certificate_renewal_time_seconds{{certificate=\"{name}\"}} {}\n", time.unix_secs())
    };
    for name in ["license", "time-1", "time-2"] {
        assert!(metrics.contains(&line(name, running.clock.now())), "{name}: {metrics}");
    }
    for name in ["enrolment", "packaging", "application"] {
        assert!(metrics.contains(&line(name, START.saturating_add(DAY * (5 * 366 - 60)))), "{name}: {metrics}");
    }
    let root = running.home.standings().find(|standing| standing.name == "root").unwrap();
    assert!(metrics.contains(&line("root", root.ends_at.saturating_sub(DAY * 366 * 2))), "{metrics}");
}

/// A home whose root key was exported, with that key.
async fn operators_home(folder: &tempfile::TempDir) -> (Home, SecretScalar) {
    let path = folder.path().join("home");
    let database = on_postgres().then(|| Postgres::shared().database());
    let root = RootCustody::Export { passphrase: "correct horse" };
    let wanted = InitOptions { database_url: database.as_deref(), ..options(root) };
    init(&path, &wanted, PROVIDER, &mut Seeded::new(1)).await.unwrap();
    let pem = std::fs::read_to_string(path.join("root-key.pem")).unwrap();
    (Home::open(&path, PROVIDER).await.unwrap(), root_key::import(&pem, "correct horse").unwrap())
}

#[tokio::test]
async fn the_offline_root_renews_what_is_due_before_it_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let (home, key) = operators_home(&folder).await;
    let mut entropy = Seeded::new(3);
    let mut by_year = Vec::new();
    for year in 1..=20 {
        let now = START.saturating_add(DAY * 365 * year);
        assert_eq!(home.renew_demonstration(Renewal::All, now, &mut entropy).await.unwrap(), None);
        let renewed = home.renew(&key, Renewal::Yearly, now, &mut entropy).await.unwrap();
        by_year.push(renewed.len());
        let root = home.root().certificate().not_after();
        assert!(renewed.iter().all(|renewed| renewed.ends_at <= root && renewed.ends_at > now));
        let due: Vec<_> = home.standings().filter(|one| one.name != "root" && one.is_due(now)).collect();
        assert_eq!(due, [], "year {year}");
    }
    assert_eq!(by_year, [3, 3, 3, 6, 3, 3, 3, 6, 3, 3, 3, 6, 3, 3, 3, 6, 3, 3, 3, 6]);
    let ended = home.root().certificate().not_after();
    let refused = home.renew(&key, Renewal::All, ended, &mut entropy).await;
    assert!(matches!(refused, Err(Error::RootEnded { at }) if at == ended), "{refused:?}");
}

#[tokio::test]
async fn a_renewed_service_is_taken_over_and_old_challenges_open_for_a_while() {
    let mut running = Running::start().await;
    let key_id: KeyId = running.register(1, "film", true).await;
    let client = running.enrol(7).await;
    let early = START.saturating_add(DAY * 305);
    let late = START.saturating_add(DAY * 306);
    let other = Home::open(&running.path, PROVIDER).await.unwrap();
    let mut entropy = Seeded::new(70);
    let none = other.renew_demonstration(Renewal::Due, early, &mut entropy).await.unwrap();
    assert_eq!(none, Some(Vec::new()), "61 days are left");
    let renewed = other.renew_demonstration(Renewal::Due, late, &mut entropy).await.unwrap().unwrap();
    let end = late.saturating_add(DAY * 366);
    assert_eq!(renewed, ["license", "time-1", "time-2"].map(|name| Renewed { name: name.into(), ends_at: end }));
    running.clock.advance(DAY * 306);

    // Before the server looks, and after.
    let old = running.realm.document().number;
    let ask = |number| challenge(&running.realm, &[key_id], None, number);
    let sealed = running.seal(&client, &ask(1));
    assert_eq!(running.acquire(&sealed, None).await.status, 200);
    assert!(running.home.reload().await.unwrap());
    assert!(!running.home.reload().await.unwrap());
    let sealed = running.seal(&client, &ask(2));
    let answer = running.acquire(&sealed, None).await;
    assert_eq!(running.verify(&client, &sealed, &answer.body).len(), 1);

    running.clock.advance(DAY * 8);
    let sealed = running.seal(&client, &ask(3));
    let refused = running.acquire(&sealed, None).await.refusal();
    assert_eq!(refused, (409, Code::ADMIT_E_UNKNOWN_CHALLENGE_KEY));
    let document = running.home.realm_document();
    running.realm = Realm::verify(PROVIDER, &document, running.home.realm()).unwrap();
    assert_eq!(running.realm.document().number, old + 1);
    let dates = DateCheck::At(late);
    let license = running.realm.certificate::<role::License>(PROVIDER, dates).unwrap();
    assert_eq!((license.not_after(), running.home.services_end_at()), (end, end));
    drop(running.realm.certificate::<role::Enrolment>(PROVIDER, dates).unwrap());
    assert!(running.realm.application(PROVIDER, "admit", dates).unwrap().is_some());
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 4));
    let answer = running.acquire(&sealed, None).await;
    assert_eq!(running.verify(&client, &sealed, &answer.body).len(), 1);
    assert_eq!(running.count("service-renewed").await, 3);
}

#[tokio::test]
async fn only_the_realms_own_root_key_renews() {
    let folder = tempfile::tempdir().unwrap();
    let (home, key) = operators_home(&folder).await;
    let document = home.realm_document();
    let mut entropy = Seeded::new(3);
    let other = SecretScalar::generate(&mut entropy);
    let refused = home.renew(&other, Renewal::All, START, &mut entropy).await;
    assert!(matches!(refused, Err(Error::OtherRootKey)), "{refused:?}");
    assert_eq!(home.realm_document(), document);
    for days in [1, 2] {
        home.renew(&key, Renewal::Yearly, START.saturating_add(DAY * days), &mut entropy).await.unwrap();
    }
    let realm = Realm::verify(PROVIDER, &home.realm_document(), home.realm()).unwrap();
    assert_eq!(realm.document().number, 3);
}

/// They are in the document that the root signs, which nothing else changes.
#[tokio::test]
async fn e04_the_rules_of_clients_clocks_hold_from_the_next_renewal_on() {
    let folder = tempfile::tempdir().unwrap();
    let (home, key) = operators_home(&folder).await;
    let limits = |home: &Home| Realm::verify(PROVIDER, &home.realm_document(), home.realm()).unwrap().clock_limits();
    assert_eq!(limits(&home), Limits::default());
    home.close().await;
    let settings = folder.path().join("home/admit.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(
        &settings,
        before.replace("[clock]\n", "[clock]\nmax_offline_secs = 86400\nmax_reboots_offline = 3\n"),
    )
    .unwrap();
    let home = Home::open(&folder.path().join("home"), PROVIDER).await.unwrap();
    assert_eq!(limits(&home), Limits::default());
    home.renew(&key, Renewal::Yearly, START.saturating_add(DAY), &mut Seeded::new(3)).await.unwrap();
    assert_eq!(limits(&home), Limits { max_offline: DAY, max_reboots_offline: 3, ..Limits::default() });
}

/// Auditors pin the keys, and clients have them from an older document: only a theft makes new ones.
#[tokio::test]
async fn e06_time_keys_outlive_their_certificates_and_a_theft_raises_their_epoch() {
    let running = Running::start().await;
    let first = time_keys(&running.home, START);
    assert_eq!(first.iter().map(|key| key.epoch).collect::<Vec<_>>(), [1, 1]);
    assert_ne!(first[0].public_key, first[1].public_key);
    let later = START.saturating_add(DAY * 306);
    running.home.renew_demonstration(Renewal::Due, later, &mut Seeded::new(70)).await.unwrap();
    assert_eq!(time_keys(&running.home, later.saturating_add(DAY * 365)), first);
    running.home.renew_demonstration(Renewal::All, later, &mut Seeded::new(71)).await.unwrap();
    let second = time_keys(&running.home, later);
    assert_eq!(second.iter().map(|key| key.epoch).collect::<Vec<_>>(), [2, 2]);
    assert!(second.iter().all(|new| first.iter().all(|old| new.public_key != old.public_key)));
    let again = Home::open(&running.path, PROVIDER).await.unwrap();
    assert_eq!(time_keys(&again, later), second, "they open");
}
