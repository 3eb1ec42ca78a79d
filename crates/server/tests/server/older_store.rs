//! A client's store that was put back from a copy: no license, and a signed word about what was seen.

use admit_crypto::Digest;
use admit_license::KeyId;
use admit_protocol::acquire::{LicenseChallenge, SealedChallenge, StorePosition, VerifiedResponse};
use hyper::StatusCode;

use crate::harness::{Running, TestClient, challenge, connect, send};

struct Asking<'r> {
    running: &'r Running,
    client: TestClient,
    key_id: KeyId,
}

impl Asking<'_> {
    fn challenge(&self, nonce: u8, store: StorePosition) -> SealedChallenge {
        let challenge = LicenseChallenge { store, ..challenge(&self.running.realm, &[self.key_id], None, nonce) };
        self.running.seal(&self.client, &challenge)
    }

    /// How many licenses come, and which later state is told.
    async fn ask(&self, sealed: &SealedChallenge) -> (usize, Option<StorePosition>) {
        let answer = self.running.acquire(sealed, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        let response: VerifiedResponse = self.running.verified(&self.client, sealed, &answer.body);
        (response.clone().into_licenses().len(), response.store_seen())
    }
}

fn at(epoch: u8, sequence: u64, head: u8) -> StorePosition {
    StorePosition { epoch: [epoch; 16].into(), sequence, head: Digest::from_bytes([head; 32]) }
}

#[tokio::test]
async fn a_store_that_is_older_than_one_that_was_seen_gets_no_license_and_is_told_so() {
    let running = Running::start().await;
    let key_id = running.register(1, "song", true).await;
    let asking = Asking { running: &running, client: running.enrol(1).await, key_id };
    let other = Asking { running: &running, client: running.enrol(2).await, key_id };
    let first = asking.challenge(1, at(1, 5, 1));
    assert_eq!(asking.ask(&first).await, (1, None));
    assert_eq!(asking.ask(&asking.challenge(2, at(1, 5, 1))).await, (1, None), "nothing was written between");
    assert_eq!(asking.ask(&asking.challenge(3, at(1, 4, 9))).await, (0, Some(at(1, 5, 1))));
    assert_eq!(asking.ask(&asking.challenge(4, at(1, 5, 2))).await, (0, Some(at(1, 5, 1))), "a copy went on");
    assert_eq!(other.ask(&other.challenge(1, at(1, 1, 1))).await, (1, None), "another client");
    assert_eq!(asking.ask(&asking.challenge(5, at(1, 9, 3))).await, (1, None));
    assert_eq!(asking.ask(&first).await, (1, None), "a retry gets what it got");
    assert_eq!(asking.ask(&asking.challenge(6, at(2, 0, 4))).await, (1, None), "a new store");
    assert_eq!(running.count("licenses-issued").await, 5);
    let metrics = send(&mut connect(running.address).await, "GET", "/metrics", &[], b"").await;
    assert!(String::from_utf8(metrics.body).unwrap().contains("\nadmit_stores_older_total 2\n"));
}

/// Where only the time is asked for, or so many keys that the client is looked up first, too.
#[tokio::test]
async fn an_older_store_is_told_whatever_it_asks_for() {
    let running = Running::start().await;
    let mut key_ids = Vec::new();
    for number in 1..=4 {
        key_ids.push(running.register(number, "song", true).await);
    }
    let asking = Asking { running: &running, client: running.enrol(1).await, key_id: key_ids[0] };
    assert_eq!(asking.ask(&asking.challenge(1, at(1, 5, 1))).await, (1, None));
    let older = LicenseChallenge { store: at(1, 4, 9), ..challenge(&running.realm, &key_ids, None, 2) };
    let time =
        LicenseChallenge { license_requested: false, key_ids: Vec::new(), nonce: [3; 32].into(), ..older.clone() };
    for challenge in [older, time] {
        let sealed = running.seal(&asking.client, &challenge);
        assert_eq!(asking.ask(&sealed).await, (0, Some(at(1, 5, 1))));
    }
}

#[tokio::test]
async fn a_client_that_says_its_store_stands_at_the_end_hurts_only_itself() {
    let running = Running::start().await;
    let key_id = running.register(1, "song", true).await;
    let asking = Asking { running: &running, client: running.enrol(1).await, key_id };
    assert_eq!(asking.ask(&asking.challenge(1, at(1, u64::MAX, 1))).await, (1, None));
    let (licenses, seen) = asking.ask(&asking.challenge(2, at(1, 7, 1))).await;
    assert_eq!((licenses, seen.map(|seen| seen.epoch)), (0, Some([1; 16].into())));
    assert_eq!(asking.ask(&asking.challenge(3, at(2, 7, 1))).await, (1, None));
}
