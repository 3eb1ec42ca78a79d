//! Content headers: an object is written as what was read, and a header keeps its bytes and is read from them as the
//! same.
#![no_main]

use admit_crypto::Digest;
use admit_fuzz::{REALM, dates, provider, seeds};
use admit_license::TrustedHeader;
use admit_license::header::{ContentHeader, HeaderFields, HeaderObject};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    if let Ok(object) = HeaderObject::from_bytes(bytes) {
        assert_eq!(object.to_bytes().as_deref(), Ok(bytes));
        let _ = TrustedHeader::verify(provider(), &REALM.root, &object, dates());
    }
    if let Ok(header) = ContentHeader::from_object_bytes(bytes) {
        assert_eq!(ContentHeader::from_record_bytes(header.record_bytes()), Ok(header));
    }
    if let Ok(header) = ContentHeader::from_record_bytes(bytes) {
        assert_eq!(header.record_bytes(), bytes);
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let mut fields =
        HeaderFields { license_acquisition_url: Some("https://a.example/l".into()), ..HeaderFields::default() };
    fields.custom.realm = Some(Digest::from_bytes([7; 32]));
    let header = ContentHeader::new(fields).expect("the fields can be written");
    let signed =
        TrustedHeader::sign(&header, &REALM.packaging.signing, std::slice::from_ref(&REALM.packaging.certificate));
    let objects = [HeaderObject::new(&header), signed].map(|object| object.to_bytes().expect("it is short"));
    objects.into_iter().chain([header.record_bytes().to_vec()]).collect()
}
