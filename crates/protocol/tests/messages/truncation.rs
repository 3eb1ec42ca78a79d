//! Messages that were cut at every byte, and cut before they were signed: refused, with the place where more was
//! expected.

use admit_protocol::Error;
use admit_protocol::acquire::{LicenseChallenge, RESPONSE_CONTENT_TYPE};
use admit_protocol::enrol::ENROLMENT_CONTENT_TYPE;
use admit_protocol::realm::REALM_CONTENT_TYPE;

use crate::fixture::*;

/// Cut anywhere, a message is refused: never behind the cut, and the nearer to it the more was read. Where every cut
/// costs a signature, one in `step` is tried.
fn holds_at_every_cut(bytes: &[u8], step: usize, refuse: impl Fn(&[u8]) -> Error) {
    let mut before = 0;
    for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
        let position = match refuse(&bytes[..at]) {
            Error::Malformed { position, .. } => position,
            other => panic!("cut at {at}: {other:?}"),
        };
        assert!(position <= at, "cut at {at}, and refused at {position}");
        assert!(position >= before, "cut at {at}, and refused at {position}, before {before}");
        before = position;
    }
    assert!(before > 0, "the last cut is refused at its beginning");
}

#[test]
fn a_cut_response_is_refused_where_it_ends() {
    let key = &REALM.license.signing;
    holds_at_every_cut(&minicbor::to_vec(response()).unwrap(), 13, |payload| {
        verify_response(&admit_trust::sign(key, service_chain(), RESPONSE_CONTENT_TYPE, payload)).unwrap_err()
    });
}

#[test]
fn a_cut_enrolment_request_is_refused_where_it_ends() {
    holds_at_every_cut(&minicbor::to_vec(enrolment_request()).unwrap(), 7, |payload| {
        verify_request(&admit_trust::sign(&CLIENT.signing, &[], ENROLMENT_CONTENT_TYPE, payload)).unwrap_err()
    });
}

#[test]
fn a_cut_enrolment_response_is_refused_where_it_ends() {
    holds_at_every_cut(&enrolment_response(), 1, |bytes| verify_enrolment(bytes).unwrap_err());
}

#[test]
fn a_cut_realm_document_is_refused_where_it_ends() {
    holds_at_every_cut(&minicbor::to_vec(realm_document()).unwrap(), 19, |payload| {
        verify_realm(&admit_trust::sign(&REALM.root_key, &[], REALM_CONTENT_TYPE, payload)).unwrap_err()
    });
}

#[test]
fn a_cut_challenge_is_refused_where_it_ends() {
    holds_at_every_cut(SEALED.as_bytes(), 1, |bytes| open(bytes).unwrap_err());
}

#[test]
fn every_message_is_written_as_it_was_read() {
    let written = minicbor::to_vec(challenge()).unwrap();
    let read: LicenseChallenge = minicbor::decode(&written).unwrap();
    assert_eq!(minicbor::to_vec(&read).unwrap(), written);
    assert_eq!(read, challenge());
    for at in 0..written.len() {
        assert!(minicbor::decode::<LicenseChallenge>(&written[..at]).is_err(), "cut at {at}");
    }
}
