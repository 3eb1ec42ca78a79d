//! License responses, from outside and as the fixture service signs them, whatever they say.
#![no_main]

use admit_crypto::Digest;
use admit_fuzz::{CLIENT, REALM, dates, messages, provider, round_trip, seeds};
use admit_protocol::acquire::{LicenseResponse, ResponseContext, VerifiedResponse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let verify = |challenge_hash: Digest, bytes: &[u8]| {
        let encryption_key = CLIENT.encryption.public_key().thumbprint(provider());
        let client = &CLIENT.certificate;
        let context = ResponseContext { root: &REALM.root, challenge_hash, client, encryption_key, dates: dates() };
        VerifiedResponse::verify(provider(), &context, bytes)
    };
    let _ = verify(Digest::from_bytes([9; 32]), bytes);
    let Some(response) = round_trip::<LicenseResponse>(bytes) else { return };
    let signed = response.sign(&REALM.license.signing, std::slice::from_ref(&REALM.license.certificate));
    if let Ok(verified) = verify(response.challenge_hash, &signed) {
        assert_eq!(response.client_hash, CLIENT.certificate.fingerprint(provider()));
        assert_eq!(verified.into_licenses().len(), response.licenses.len());
    }
    let other = Digest::from_bytes(response.challenge_hash.as_bytes().map(|byte| !byte));
    assert!(verify(other, &signed).is_err());
});

fn seeds() -> Vec<Vec<u8>> {
    let responses = seeds::vectors("messages", &["signed-response"]);
    let payloads = seeds::payloads(&responses);
    [vec![messages::encode(&messages::response())], payloads, responses].concat()
}
