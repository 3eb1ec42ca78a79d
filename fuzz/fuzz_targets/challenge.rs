//! License challenges, from outside and from inside: what a service opens, and a challenge that the fixture client
//! signed and sealed, whatever it says.
#![no_main]

use admit_crypto::Digest;
use admit_fuzz::{CLIENT, REALM, dates, messages, provider, round_trip, seeds};
use admit_protocol::Error;
use admit_protocol::acquire::{LicenseChallenge, MAX_KEY_IDS, OpenedChallenge};
use admit_testkit::SeededEntropy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let open = |bytes: &[u8]| {
        OpenedChallenge::open(provider(), &REALM.root, &REALM.license.encryption, dates(), bytes)
    };
    if let Ok(opened) = open(bytes) {
        assert_eq!(*opened.client(), CLIENT.certificate);
    }
    let Some(challenge) = round_trip::<LicenseChallenge>(bytes) else { return };
    let _ = challenge.rights();
    let service = REALM.license.encryption.public_key();
    let sealed = challenge.seal(provider(), &CLIENT.signing, &CLIENT.chain, service, &mut SeededEntropy::new(3));
    match open(sealed.as_bytes()) {
        Ok(opened) => {
            assert_eq!((opened.challenge(), opened.hash()), (&challenge, sealed.hash()));
            assert!(challenge.realm == REALM.realm() && challenge.key_ids.len() <= MAX_KEY_IDS);
        }
        Err(Error::OtherRealm { found, .. }) => assert!(found == challenge.realm && found != REALM.realm()),
        Err(Error::TooLong { length, limit, .. }) => assert!(length > limit),
        Err(other) => panic!("a challenge that its client sealed does not open: {other}"),
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let whole = messages::challenge();
    let smallest = LicenseChallenge {
        header: None,
        key_ids: Vec::new(),
        actions: Vec::new(),
        token_hash: None,
        held: Vec::new(),
        application: None,
        realm: Digest::from_bytes([1; 32]),
        ..whole.clone()
    };
    let challenges = [whole, smallest].map(|challenge| messages::encode(&challenge));
    challenges.into_iter().chain(seeds::vectors("messages", &["sealed-challenge"])).collect()
}
