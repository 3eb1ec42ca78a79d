//! The clock of the machine is moved, forth and back. What was valid only while it was wrong is refused when it is right
//! again, and what is valid now is given.

use std::time::Duration;

use admit_protocol::Code;
use admit_server::Clock as _;
use admit_server::audit::AuditVerdict;
use admit_time::Timestamp;
use hyper::StatusCode;

use crate::harness::{ClientKeys, DAY, Running, START};
use crate::world::World;

fn set(running: &Running, time: Timestamp) {
    let now = running.clock.now();
    running.clock.set_back(now.saturating_since(time));
    running.clock.advance(time.saturating_since(now));
}

fn before(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_unix_secs(time.unix_secs() - by.as_secs())
}

#[tokio::test]
async fn a_token_is_held_to_its_dates_also_when_it_is_remembered() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    let mut nonce = 0;
    let mut ask = async |time| {
        set(&running, time);
        nonce += 1;
        let challenge = crate::harness::challenge(&running.realm, &[key_id], Some(&token), nonce);
        // The client's own clock is right: it seals before the server's is moved.
        set(&running, START);
        let sealed = running.seal(&client, &challenge);
        set(&running, time);
        running.acquire(&sealed, Some(&token)).await
    };
    assert_eq!(ask(START).await.status, StatusCode::OK);
    let late = ask(START.saturating_add(DAY)).await;
    assert_eq!(late.refusal(), (401, Code::ADMIT_E_TOKEN_EXPIRED));
    assert_eq!(ask(START).await.status, StatusCode::OK);
    // Before the certificates of client and services were made, nothing is given at all.
    let early = ask(before(START, DAY * 500)).await;
    assert!(early.refusal().0 == 403 || early.refusal().0 == 400, "{early:?}");
    assert_eq!(ask(START).await.status, StatusCode::OK);
    assert_eq!(running.count("licenses-issued").await, 3);
}

#[tokio::test]
async fn a_client_that_enrolled_while_the_clock_was_ahead_gets_a_certificate_for_now() {
    let running = Running::start().await;
    set(&running, START.saturating_add(DAY * 30));
    let ahead = running.enrol(7).await;
    set(&running, START);
    // The harness verifies what it gets at the time that it is now.
    let now = running.enrol(7).await;
    assert_ne!(ahead.fingerprint(), now.fingerprint());
    assert_eq!(running.enrol(7).await.fingerprint(), now.fingerprint());
    let key_id = running.register(1, "song", true).await;
    assert_eq!(running.ask(&now, &[key_id], None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_client_stays_revoked_whatever_the_clock_says() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &crate::harness::challenge(&running.realm, &[key_id], None, 1));
    running.home.revoke_client(&client.fingerprint(), None, START.saturating_add(DAY)).await.unwrap();
    for time in [START, START.saturating_add(DAY * 2), before(START, DAY)] {
        set(&running, time);
        let answer = running.acquire(&sealed, None).await;
        assert_ne!(answer.status, StatusCode::OK, "{time}");
        let keys = ClientKeys::new(1);
        let request = keys.request(running.realm.root().realm(), 5);
        let again = running.post(admit_trust::Role::Enrolment, &[], &request.sign(&keys.signing)).await;
        assert_eq!(again.refusal().1, Code::DRM_E_DEVCERT_REVOKED, "{time}");
    }
}

#[tokio::test]
async fn moving_the_clock_gives_nobody_more_enrolments_than_time_does() {
    let config = "[enrolment]\nburst = 2\nper_address_per_hour = 1\n";
    let running = Running::start_with(config, |server| server).await;
    let enrol = async |seed| {
        let keys = ClientKeys::new(seed);
        let request = keys.request(running.realm.root().realm(), seed);
        running.post(admit_trust::Role::Enrolment, &[], &request.sign(&keys.signing)).await.status
    };
    let hour = Duration::from_secs(3600);
    assert_eq!((enrol(1).await, enrol(2).await), (StatusCode::OK, StatusCode::OK));
    // What was taken while the clock was ahead counts when it is back: two hours, two enrolments.
    set(&running, START.saturating_add(hour * 2));
    assert_eq!((enrol(3).await, enrol(4).await), (StatusCode::OK, StatusCode::OK));
    for back in [START, before(START, hour * 12)] {
        set(&running, back);
        assert_eq!(enrol(5).await, StatusCode::TOO_MANY_REQUESTS, "{back}");
    }
    // And nobody waits until it is where it was: an hour is an hour from where the clock is now.
    set(&running, before(START, hour * 11));
    assert_eq!((enrol(5).await, enrol(6).await), (StatusCode::OK, StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn the_order_of_the_log_is_not_the_clocks() {
    let world = World::new().await;
    let running = &world.running;
    for (number, time) in [(3, START.saturating_add(DAY * 9)), (4, before(START, DAY)), (5, START)] {
        set(running, time);
        running.home.revoke_operator_token("nobody", time).await.unwrap();
        running
            .home
            .make_operator_token(&format!("token {number}"), DAY, time, &mut crate::harness::Seeded::new(number))
            .await
            .unwrap();
    }
    let entries = running.home.audit(0, 100).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=6).collect::<Vec<_>>());
    let verdict = running.home.verify_audit().await.unwrap();
    assert_eq!(verdict, AuditVerdict::Whole { entries: 6, head: entries[5].hash });
}
