//! Batches of every size under both keys: each answer verifies for its own request alone, and none is longer than the
//! shortest request.

use admit_crypto::{Provider, rustcrypto};
use admit_testkit::FixtureRealm;
use admit_time::roughtime::{Tag, request_packet, unframe, verify};
use admit_trust::{Issuer, TimeKey, TimeSubject, issue_time};
use proptest::prelude::*;

use super::answer::answer_all;
use super::delegation::Delegation;
use super::key::{Seed, TimeSigner};
use super::*;

const PROVIDER: &Provider = &rustcrypto::PROVIDER;
const NOW: Timestamp = Timestamp::from_unix_secs(1_900_000_000);

fn services() -> Vec<TimeSigner> {
    let realm = FixtureRealm::new(1);
    let issuer = Issuer { certificate: realm.root.certificate(), key: &realm.root_key };
    let service = |number: u8| {
        let seed = Seed::new([number; 32]);
        let key = TimeKey { public_key: *(PROVIDER.load_ed25519_key)(&seed).public_key(), epoch: 1 };
        let subject = TimeSubject { common_name: "time", key, not_before: NOW, lifetime: Duration::from_secs(60) };
        let certificate = issue_time(issuer, &subject, &mut admit_testkit::SeededEntropy::new(1)).unwrap();
        TimeSigner::new(PROVIDER, &seed, certificate).unwrap()
    };
    vec![service(1), service(2)]
}

/// The packets of a batch with the keys they ask, alternating.
fn packets(services: &[TimeSigner], size: u32) -> Vec<([u8; 32], Vec<u8>)> {
    let packet = |number: u32| {
        let mut nonce = [7; 32];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        let key = services[usize::from(number % 2 == 1)].public_key();
        (key, request_packet(PROVIDER, &nonce, &key))
    };
    (0..size).map(packet).collect()
}

fn answers(services: &[TimeSigner], packets: &[([u8; 32], Vec<u8>)]) -> Vec<Vec<u8>> {
    let read = |(_, packet): &([u8; 32], Vec<u8>)| TimeRequest::read(PROVIDER, services, packet).unwrap();
    let delegate = |(number, service)| Delegation::new(PROVIDER, service, &Seed::new([number; 32]), NOW);
    let delegations: Vec<_> = (9..).zip(services).map(delegate).collect();
    answer_all(PROVIDER, &delegations, NOW, 5, &packets.iter().map(read).collect::<Vec<_>>())
}

#[test]
fn e05_every_answer_of_a_batch_is_to_its_own_request() {
    let services = services();
    for size in (1..=18).chain([31, 32, 33, 64]) {
        let packets = packets(&services, size);
        let answers = answers(&services, &packets);
        assert_eq!(answers.len(), packets.len());
        for ((key, packet), answer) in packets.iter().zip(&answers) {
            let time = verify(PROVIDER, key, packet, answer).unwrap();
            assert_eq!((time.midpoint(), time.radius_secs()), (NOW, 5), "{size}");
        }
        let other = (&packets[0], answers.last().unwrap());
        assert_eq!(verify(PROVIDER, &other.0.0, &other.0.1, other.1).is_ok(), size == 1);
        for (number, service) in services.iter().enumerate() {
            let index = |answer: &Vec<u8>| unframe(answer).unwrap().require(Tag::INDX).unwrap().u32().unwrap();
            let of_it: Vec<u32> = answers.iter().skip(number).step_by(services.len()).map(index).collect();
            assert!((0..).zip(&of_it).all(|(at, index)| at == *index), "a tree of its own: {of_it:?} {service:?}");
        }
    }
}

/// A batch has 256 jobs at most.
#[test]
fn e05_no_answer_is_longer_than_the_shortest_request() {
    let services = services();
    let longest = answers(&services, &packets(&services, 256)).iter().map(Vec::len).max().unwrap();
    assert!(longest <= request::SHORTEST, "{longest}");
}

#[test]
fn e05_a_certificate_of_another_key_is_taken_for_no_service() {
    let certificate = services().remove(0).certificate;
    assert!(TimeSigner::new(PROVIDER, &Seed::new([2; 32]), certificate.clone()).is_none());
    assert!(TimeSigner::new(PROVIDER, &Seed::new([1; 32]), certificate).is_some());
}

#[test]
fn no_secret_key_is_shown() {
    let shown = format!("{:?}", services());
    assert!(shown.contains("time"), "{shown}");
    for secret in ["0101", "[1, 1", "SigningKey"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #[test]
    fn random_packets_are_no_requests(bytes in prop::collection::vec(any::<u8>(), 0..1400)) {
        prop_assert!(TimeRequest::read(PROVIDER, &[], &bytes).is_err());
    }

    /// Whatever is changed in a request, what is answered is what was asked, and the answer is not longer.
    #[test]
    fn an_altered_request_is_dropped_or_answered_as_it_is(at in any::<prop::sample::Index>(), with in 1..=u8::MAX) {
        let services = services();
        let (key, mut packet) = packets(&services, 1).remove(0);
        let at = at.index(packet.len());
        packet[at] ^= with;
        if TimeRequest::read(PROVIDER, &services, &packet).is_ok() {
            let answer = answers(&services, &[(key, packet.clone())]).remove(0);
            prop_assert!(answer.len() <= packet.len());
            prop_assert!(verify(PROVIDER, &key, &packet, &answer).is_ok());
        }
    }
}
