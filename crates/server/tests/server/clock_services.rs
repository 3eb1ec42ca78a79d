//! The clock services that the realm document lists: the realm's own at further addresses, and those of others (row E11).

use admit_crypto::SecretScalar;
use admit_protocol::realm::Realm;
use admit_protocol::time::TIME_PATH;
use admit_server::Error;
use admit_server::home::{ClockService, ClockServiceFault, Home, OutsideClock, Renewal};
use admit_time::Timestamp;
use admit_time::roughtime::request_packet;
use admit_trust::{DateCheck, TimeKey};
use hyper::StatusCode;

use crate::harness::{DAY, PROVIDER, Running, START, Seeded};
use crate::time::{ask, keys, post, with_time};

const OUTSIDE: OutsideClock<'_> = OutsideClock { name: "outside", key: [9; 32] };

async fn root_key(home: &Home) -> SecretScalar {
    home.demonstration_root_key().await.unwrap().unwrap()
}

async fn add(home: &Home, address: &str, outside: Option<OutsideClock<'_>>) -> Result<Vec<ClockService>, Error> {
    home.add_clock_service(&root_key(home).await, address, outside, START, &mut Seeded::new(50)).await
}

/// The time services as a client sees them at this time, each verified under the root.
fn listed(home: &Home, now: Timestamp) -> Vec<(TimeKey, String)> {
    let realm = Realm::verify(PROVIDER, &home.realm_document(), home.realm()).unwrap();
    let services = realm.time_services(PROVIDER, DateCheck::At(now)).unwrap();
    services.iter().map(|service| (*service.certificate.time_key(), service.address.to_owned())).collect()
}

fn names(services: &[ClockService]) -> Vec<(&str, &str)> {
    services.iter().map(|service| (service.name.as_str(), service.address.as_str())).collect()
}

#[tokio::test]
async fn e11_others_clocks_stand_behind_the_realms_own_which_still_sign() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let own = keys(&running);
    let (plain, udp) = ("http://drm.example.org:7449/v1/time", "udp://time.example.org:5319");
    let added = add(&running.home, udp, Some(OUTSIDE)).await.unwrap();
    assert_eq!((names(&added), added[0].is_own), (vec![("outside", udp)], false));
    let added = add(&running.home, "http://drm.example.org:7449", None).await.unwrap();
    assert_eq!((names(&added), added[0].is_own), (vec![("time-1", plain), ("time-2", plain)], true));
    let again = add(&running.home, "https://time.example.org/roughtime", Some(OUTSIDE)).await.unwrap();
    assert_eq!(again[0].ends_at, running.home.standings().find(|one| one.name == "outside").unwrap().ends_at);

    let listed = listed(&running.home, START);
    let expected = [
        (own[0], TIME_PATH),
        (own[1], TIME_PATH),
        (own[0], plain),
        (own[1], plain),
        (OUTSIDE.key, udp),
        (OUTSIDE.key, "https://time.example.org/roughtime"),
    ];
    let expected = expected.map(|(public_key, address)| (TimeKey { public_key, epoch: 1 }, address.to_owned()));
    assert_eq!(listed, expected);
    assert_eq!(running.home.clock_services().unwrap().len(), 6);
    let realm = Realm::verify(PROVIDER, &running.home.realm_document(), running.home.realm()).unwrap();
    assert_eq!(realm.document().number, 4);
    assert_eq!(running.count("clock-service-listed").await, 3);

    // The server has its own keys, and no other.
    for (nonce, key) in (1..).zip(&own) {
        assert_eq!(ask(&running, key, nonce).await.midpoint(), START);
    }
    assert_eq!(post(&running, &request_packet(PROVIDER, &[1; 32], &OUTSIDE.key)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn e11_what_is_removed_is_asked_no_more() {
    let running = Running::start().await;
    let before = listed(&running.home, START);
    let (plain, udp) = ("http://drm.example.org:7449", "udp://time.example.org:5319");
    let key = root_key(&running.home).await;
    add(&running.home, plain, None).await.unwrap();
    add(&running.home, udp, Some(OUTSIDE)).await.unwrap();
    add(&running.home, udp, Some(OutsideClock { name: "second", key: [8; 32] })).await.unwrap();
    let removed = running.home.remove_clock_service(&key, udp, START).await.unwrap();
    assert_eq!(names(&removed), [("outside", udp), ("second", udp)]);
    assert!(running.home.standings().all(|standing| standing.name != "outside"));
    let removed = running.home.remove_clock_service(&key, plain, START).await.unwrap();
    assert_eq!(removed.len(), 2);
    assert_eq!(listed(&running.home, START), before);
    assert_eq!(running.count("clock-service-unlisted").await, 2);
    // Its name and key are free again.
    add(&running.home, udp, Some(OutsideClock { name: "renamed", ..OUTSIDE })).await.unwrap();
}

#[tokio::test]
async fn a_list_that_cannot_be_is_refused_and_stays_as_it_was() {
    let running = Running::start().await;
    let (plain, udp) = ("http://drm.example.org:7449/v1/time", "udp://time.example.org:5319");
    add(&running.home, plain, None).await.unwrap();
    add(&running.home, udp, Some(OUTSIDE)).await.unwrap();
    let document = running.home.realm_document();
    let own = listed(&running.home, START)[0].0.public_key;
    let named = |name| Some(OutsideClock { name, ..OUTSIDE });
    let other = |name| Some(OutsideClock { name, key: [8; 32] });
    let (one, outside) = ("time-1".to_owned(), "outside".to_owned());
    let listed =
        |name: &String, address: &str| ClockServiceFault::Listed { name: name.clone(), address: address.into() };
    let faults = [
        ("drm.example.org", None, ClockServiceFault::Address { address: "drm.example.org".into() }),
        ("http://drm.example.org:7449", None, listed(&one, plain)),
        (udp, Some(OUTSIDE), listed(&outside, udp)),
        (plain, named("another"), ClockServiceFault::KeyNamed { name: outside.clone() }),
        (plain, Some(OutsideClock { name: "own", key: own }), ClockServiceFault::KeyNamed { name: one.clone() }),
        (plain, Some(OutsideClock { name: "time-1", key: own }), ClockServiceFault::KeyNamed { name: one.clone() }),
        (plain, other("outside"), ClockServiceFault::NameTaken { name: outside.clone() }),
        (plain, other("license"), ClockServiceFault::NameTaken { name: "license".into() }),
        (plain, other("a b"), ClockServiceFault::Name { limit: 64 }),
    ];
    for (address, outside, fault) in faults {
        let refused = add(&running.home, address, outside).await.unwrap_err();
        assert!(matches!(&refused, Error::ClockService(found) if *found == fault), "{refused:?} {fault:?}");
    }
    let key = root_key(&running.home).await;
    let unknown = "udp://unknown.example.org:1";
    for (address, fault) in [
        (TIME_PATH, ClockServiceFault::Own { address: TIME_PATH.into() }),
        (unknown, ClockServiceFault::NotListed { address: unknown.into() }),
    ] {
        let refused = running.home.remove_clock_service(&key, address, START).await.unwrap_err();
        assert!(matches!(&refused, Error::ClockService(found) if *found == fault), "{refused:?} {fault:?}");
    }
    let other = SecretScalar::generate(&mut Seeded::new(3));
    let refused = running.home.remove_clock_service(&other, udp, START).await;
    assert!(matches!(refused, Err(Error::OtherRootKey)), "{refused:?}");
    assert_eq!(running.home.realm_document(), document);
}

#[tokio::test]
async fn a_list_that_the_realm_document_has_no_room_for_is_refused() {
    let running = Running::start().await;
    let mut added = 0;
    let full = loop {
        match add(&running.home, &format!("http://{added}.example.org"), None).await {
            Ok(_) => added += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, Error::ClockService(ClockServiceFault::Full { .. })), "{full:?}");
    assert!(added > 40, "{added}");
    assert_eq!(listed(&running.home, START).len(), 2 + 2 * added);
}

#[tokio::test]
async fn e11_renewal_keeps_every_address_and_others_keys() {
    let running = Running::start().await;
    add(&running.home, "http://drm.example.org", None).await.unwrap();
    for address in ["udp://time.example.org:5319", "https://time.example.org"] {
        add(&running.home, address, Some(OUTSIDE)).await.unwrap();
    }
    let first = listed(&running.home, START);
    let later = START.saturating_add(DAY * 306);
    let renew = async |renewal, seed| {
        let renewed = running.home.renew_demonstration(renewal, later, &mut Seeded::new(seed)).await;
        renewed.unwrap().unwrap().iter().map(|one| one.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(renew(Renewal::Due, 70).await, ["license", "time-1", "time-2", "outside"]);
    assert_eq!(listed(&running.home, later.saturating_add(DAY * 365)), first);
    assert!(running.home.standings().all(|standing| !standing.is_due(later)));
    assert_eq!(renew(Renewal::Due, 71).await, Vec::<String>::new());

    // After a theft all go to the next epoch, or clients that have seen it would refuse the others.
    let all = ["license", "enrolment", "packaging", "time-1", "time-2", "application", "outside"];
    assert_eq!(renew(Renewal::All, 72).await, all);
    let second = listed(&running.home, later);
    for ((before, address), (after, same)) in first.iter().zip(&second) {
        assert_eq!((address, after.epoch), (same, 2));
        assert_eq!(before.public_key == after.public_key, after.public_key == OUTSIDE.key);
    }
    assert_eq!(first.len(), second.len());
    let (key, third) = (root_key(&running.home).await, OutsideClock { name: "third", key: [7; 32] });
    let address = "udp://third.example.org:1";
    let added = running.home.add_clock_service(&key, address, Some(third), later, &mut Seeded::new(73)).await.unwrap();
    assert_eq!(added[0].key.epoch, 2);
}
