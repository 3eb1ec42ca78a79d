//! Enrolment, both ways: requests from outside and signed by the key that they name, and answers to a request.
#![no_main]

use admit_fuzz::{CLIENT, REALM, dates, messages, provider, round_trip, seeds};
use admit_protocol::Error;
use admit_protocol::enrol::{Enrolled, EnrolmentRequest, EnrolmentResponse, SignedRequest};
use admit_protocol::evidence::VouchedHardware;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    if let Ok(signed) = SignedRequest::verify(provider(), REALM.realm(), bytes) {
        assert_eq!(signed.request().realm, REALM.realm());
        let _ = VouchedHardware::verify(provider(), &REALM.root, dates(), signed.request());
    }
    if let Some(mut request) = round_trip::<EnrolmentRequest>(bytes) {
        request.signing_key = *CLIENT.signing.public_key();
        if let Ok(Some(_)) = VouchedHardware::verify(provider(), &REALM.root, dates(), &request) {
            // The hardware of the seeds signed for one request alone.
            let signed = messages::enrolment_request();
            assert_eq!((request.nonce, request.encryption_key), (signed.nonce, signed.encryption_key));
        }
        match SignedRequest::verify(provider(), REALM.realm(), &request.sign(&CLIENT.signing)) {
            Ok(signed) => assert_eq!(*signed.request(), request),
            Err(Error::OtherRealm { found, .. }) => assert!(found == request.realm && found != REALM.realm()),
            Err(other) => panic!("a request that its client signed does not verify: {other}"),
        }
    }
    round_trip::<EnrolmentResponse>(bytes);
    let request = messages::enrolment_request();
    if let Ok(Enrolled { certificate, properties, chain }) =
        EnrolmentResponse::verify(provider(), &REALM.root, &request, bytes, dates())
    {
        assert_eq!((certificate, properties, chain), (CLIENT.certificate.clone(), CLIENT.properties, CLIENT.chain.clone()));
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let signed = seeds::vectors("messages", &["signed-enrolment-request"]);
    let requests = seeds::payloads(&signed);
    [
        vec![messages::encode(&messages::enrolment_request())],
        requests,
        signed,
        seeds::vectors("messages", &["enrolment-response"]),
    ]
    .concat()
}
