//! Length fields that promise gigabytes allocate nothing: the whole process has less address space than they name.

use admit_protocol::acquire::{CHALLENGE_CONTENT_TYPE, OpenedChallenge};
use admit_protocol::enrol::{EnrolmentResponse, SignedRequest};
use admit_protocol::realm::{REALM_CONTENT_TYPE, claimed_fingerprint};
use admit_testkit::FixtureRealm;
use admit_trust::{DateCheck, Envelope};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Two gigabytes of address space; the length fields name eight and more.
const LIMIT: u64 = 2 << 30;

#[test]
fn length_fields_of_gigabytes_do_not_allocate() {
    let (_, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
    setrlimit(Resource::RLIMIT_AS, LIMIT, hard).unwrap();
    assert!(Vec::<u8>::new().try_reserve_exact(8 << 30).is_err(), "the limit works");
    let realm = FixtureRealm::new(1);
    let dates = DateCheck::At(realm.now);
    for head in [0x5b, 0x7b, 0x9b, 0xbb] {
        for length in [8u64 << 30, 1 << 40, u64::MAX >> 1] {
            let endless = [&[head][..], &length.to_be_bytes()].concat();
            // The length field stands at every place where a decoder may find it.
            let places: [&[u8]; 9] = [
                &[],
                &[0x83, 0x01],
                &[0xd2, 0x84],
                &[0xd2, 0x84, 0x43, 0xa0, 0xa0, 0xa0],
                &[0xa1, 0x01],
                &[0xa1, 0x04],
                &[0xa1, 0x05],
                &[0xa1, 0x10],
                &[0xa1, 0x18, 0x63],
            ];
            for place in places {
                let bytes = [place, &endless].concat();
                let key = &realm.license.encryption;
                assert!(OpenedChallenge::open(realm.provider, &realm.root, key, dates, &bytes).is_err());
                assert!(SignedRequest::verify(realm.provider, realm.realm(), &bytes).is_err());
                assert!(claimed_fingerprint(realm.provider, &bytes).is_err());
                assert!(Envelope::decode(&bytes, CHALLENGE_CONTENT_TYPE).is_err());
                assert!(minicbor::decode::<EnrolmentResponse>(&bytes).is_err());
                let signed = admit_trust::sign(&realm.root_key, &[], REALM_CONTENT_TYPE, &bytes);
                assert!(claimed_fingerprint(realm.provider, &signed).is_err());
                assert!(admit_license::inspect(&bytes).is_err());
            }
        }
    }
}
