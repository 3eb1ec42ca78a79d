//! The corpus in `vectors/licenses` and `vectors/messages`: every file's verdict is the reader's, every accepted file is
//! in the grammar of `docs/formats/license.cddl`, and the files are what the cases make.

use admit_crypto::hpke;
use admit_license::VerifiedLicense;
use admit_protocol::acquire::{LicenseResponse, RESPONSE_CONTENT_TYPE};
use admit_testkit::corpus::{self, Vector, Verdict};
use admit_trust::Envelope;
use cddl::validate_cbor_from_slice;
use minicbor::Decoder;

use crate::cases::{self, CHALLENGE, Case, ENROLMENT_REQUEST, ENROLMENT_RESPONSE, LICENSE, REALM_DOCUMENT, RESPONSE};
use crate::client_made::{LOCAL, PORTABLE, verify_local, verify_portable};
use crate::fixture::*;

const GRAMMAR: &str = include_str!("../../../../docs/formats/license.cddl");

fn verdict(format: &str, bytes: &[u8]) -> Verdict {
    let thumbprint = CLIENT.encryption.public_key().thumbprint(provider());
    match format {
        LICENSE => Verdict::of(VerifiedLicense::verify(provider(), &REALM.root, bytes, dates(), &thumbprint)),
        LOCAL => Verdict::of(verify_local(bytes)),
        PORTABLE => Verdict::of(verify_portable(bytes)),
        CHALLENGE => Verdict::of(open(bytes)),
        RESPONSE => Verdict::of(verify_response(bytes)),
        ENROLMENT_REQUEST => Verdict::of(verify_request(bytes)),
        ENROLMENT_RESPONSE => Verdict::of(verify_enrolment(bytes)),
        REALM_DOCUMENT => Verdict::of(verify_realm(bytes)),
        unknown => panic!("there is no format {unknown}"),
    }
}

fn made(cases: Vec<Case>) -> Vec<Vector> {
    let vector = |Case(name, about, format, bytes): Case| {
        let verdict = verdict(format, &bytes);
        let named = if verdict == Verdict::Accept { "accept-" } else { "refuse-" };
        assert!(name.starts_with(named), "{name} has the verdict {verdict:?}");
        Vector { name: name.into(), about: about.into(), format: format.into(), verdict, bytes }
    };
    cases.into_iter().map(vector).collect()
}

/// What the grammar says of these bytes under one of its rules. The validator knows no ranges as keys of a map, so the
/// line for optional fields is left out, or, where a message has some, allows any number.
fn grammar(rule: &str, bytes: &[u8], has_optional_fields: bool) -> Result<(), String> {
    const OPTIONAL_FIELDS: &str = "  * optional-field => any,";
    assert_eq!(GRAMMAR.matches(OPTIONAL_FIELDS).count(), 1);
    let readable = GRAMMAR.replace(OPTIONAL_FIELDS, if has_optional_fields { "  * uint => any," } else { "" });
    let grammar = format!("start = {rule}\n{readable}");
    validate_cbor_from_slice(&grammar, bytes, None).map_err(|error| error.to_string())
}

/// The signed challenge inside a sealed one.
fn unsealed(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(bytes);
    decoder.array().unwrap();
    decoder.skip().unwrap();
    let recipient = decoder.bytes().unwrap().to_vec();
    let sealed = decoder.decode().unwrap();
    let opened = hpke::open(provider(), &REALM.license.encryption, b"admit/1/challenge", &recipient, &sealed);
    opened.unwrap().to_vec()
}

/// The licenses inside a response.
fn licenses_in(bytes: &[u8]) -> Vec<Vec<u8>> {
    let envelope = Envelope::decode(bytes, RESPONSE_CONTENT_TYPE).unwrap();
    let response: LicenseResponse = minicbor::decode(envelope.unverified_payload().unwrap()).unwrap();
    response.licenses.into_iter().map(|license| license.to_vec()).collect()
}

#[test]
fn every_vector_has_the_verdict_it_carries() {
    for folder in ["licenses", "messages"] {
        for vector in corpus::read(folder) {
            assert_eq!(verdict(&vector.format, &vector.bytes), vector.verdict, "{folder}/{}", vector.name);
        }
    }
}

#[test]
fn the_corpus_is_what_the_cases_make() {
    let stale =
        [corpus::stale("licenses", &made(cases::licenses())), corpus::stale("messages", &made(cases::messages()))];
    let how = "cargo test -p admit-protocol --test messages write_vectors -- --ignored";
    assert_eq!(stale.concat(), Vec::<String>::new(), "vectors are stale: {how}");
}

#[test]
#[ignore = "writes the corpus"]
fn write_vectors() {
    corpus::write("licenses", &made(cases::licenses()));
    corpus::write("messages", &made(cases::messages()));
}

#[test]
fn every_accepted_vector_is_in_the_grammar() {
    let mut checked = 0;
    for vector in [corpus::read("licenses"), corpus::read("messages")].concat() {
        if vector.verdict != Verdict::Accept {
            continue;
        }
        let has_optional_fields = vector.name == "accept-field-1024";
        grammar(&vector.format, &vector.bytes, has_optional_fields)
            .unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        if vector.format == CHALLENGE {
            let signed = unsealed(&vector.bytes);
            grammar("signed-challenge", &signed, false).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        }
        if vector.format == RESPONSE {
            for license in licenses_in(&vector.bytes) {
                grammar(LICENSE, &license, false).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 18);
    let evidence = request_on_hardware().hardware.unwrap();
    grammar("signed-hardware-evidence", &evidence, false).unwrap();
}

/// A grammar that accepts everything would be of no use.
#[test]
fn the_grammar_refuses_what_it_can_express() {
    let refused = [
        "refuse-field-0",
        "refuse-field-32",
        "refuse-field-1023",
        "refuse-field-null",
        "refuse-missing-rights",
        "refuse-restriction-7",
        "refuse-payload-of-three",
        "refuse-untagged",
        "refuse-unprotected",
        "refuse-content-type",
        "refuse-challenge-version",
        "refuse-response-challenge-type",
    ];
    let vectors = [corpus::read("licenses"), corpus::read("messages")].concat();
    for name in refused {
        let vector = vectors.iter().find(|vector| vector.name == name).unwrap();
        assert!(grammar(&vector.format, &vector.bytes, false).is_err(), "{name}");
    }
}
