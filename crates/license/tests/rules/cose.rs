//! Licenses as another COSE library sees them (`coset`): the same parts, the same bytes under the signature.

use admit_crypto::Signature;
use admit_license::{LICENSE_CONTENT_TYPE, Rights, inspect};
use coset::iana::{self, EnumI64 as _};
use coset::{Algorithm, ContentType, CoseSign1, CoseSign1Builder, HeaderBuilder, Label, TaggedCborSerializable as _};

use crate::fixture::*;

#[test]
fn coset_reads_a_license_and_verifies_its_signature() {
    for terms in [simple(1, Rights::PLAY), root(2, Rights::PLAY), leaf(3, Rights::PLAY)] {
        let license = issued(terms);
        let sign1 = CoseSign1::from_tagged_slice(&license).unwrap();
        let header = &sign1.protected.header;
        assert_eq!(header.alg, Some(Algorithm::Assigned(iana::Algorithm::ES256)));
        assert_eq!(header.content_type, Some(ContentType::Text(LICENSE_CONTENT_TYPE.into())));
        let x5chain = Label::Int(iana::HeaderParameter::X5Chain.to_i64());
        let found = header.rest.iter().find(|(label, _)| *label == x5chain).unwrap();
        assert_eq!(found.1.as_bytes().unwrap(), REALM.license.certificate.der());
        assert!(sign1.unprotected.is_empty());
        let (_, envelope) = inspect(&license).unwrap();
        assert_eq!(sign1.payload.as_deref(), envelope.unverified_payload());
        sign1
            .verify_signature(b"", |signature, message| {
                let signature = Signature::from_slice(signature)?;
                (provider().verify)(REALM.license.signing.public_key(), message, &signature)
            })
            .unwrap();
    }
}

#[test]
fn coset_writes_the_license_that_we_write() {
    let license = issued(simple(1, Rights::PLAY));
    let payload = inspect(&license).unwrap().1.unverified_payload().unwrap().to_vec();
    let protected = HeaderBuilder::new()
        .algorithm(iana::Algorithm::ES256)
        .content_type(LICENSE_CONTENT_TYPE.into())
        .value(iana::HeaderParameter::X5Chain.to_i64(), REALM.license.certificate.der().to_vec().into())
        .build();
    let written = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .create_signature(b"", |message| REALM.license.signing.sign(message).as_bytes().to_vec())
        .build()
        .to_tagged_vec()
        .unwrap();
    assert_eq!(written, license);
}
