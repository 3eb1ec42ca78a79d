//! The XML of content headers, as text: the fuzzer need not find out that it is UTF-16. Fields that are read can be
//! written again, and are read back as the same.
#![no_main]

use admit_fuzz::seeds;
use admit_license::KeyId;
use admit_license::header::{
    Algorithm, ContentHeader, CustomAttributes, HeaderError, HeaderFields, HeaderKey, HeaderVersion, WriteFault,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::offer(seeds), |bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let record: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let header = match ContentHeader::from_record_bytes(&record) {
        Ok(header) => header,
        Err(error) => return drop(error.to_string()),
    };
    assert_eq!(header.record_bytes(), record);
    match ContentHeader::with_version(header.fields().clone(), header.version()) {
        Ok(written) => assert_eq!(written.fields(), header.fields()),
        Err(HeaderError::Unwritable(WriteFault::Cocktail)) => {}
        Err(other) => panic!("what was read cannot be written: {other}"),
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let keys = [1, 2].map(|number| HeaderKey {
        key_id: KeyId::from_bytes([number; 16]),
        algorithm: Some(Algorithm::AesCtr),
        checksum: None,
    });
    let custom = CustomAttributes {
        content_id: Some("song".into()),
        other_xml: "<a b=\"c\">d</a>".into(),
        ..CustomAttributes::default()
    };
    let url = Some("https://a.example/l?a=1&b=2".to_owned());
    let fields = |keys: &[HeaderKey]| HeaderFields {
        keys: keys.to_vec(),
        license_acquisition_url: url.clone(),
        license_page_url: url.clone(),
        custom: custom.clone(),
        ..HeaderFields::default()
    };
    let versions = [HeaderVersion::V4_0, HeaderVersion::V4_1, HeaderVersion::V4_2, HeaderVersion::V4_3];
    let headers = versions.iter().zip([1, 1, 2, 2]).map(|(version, count)| {
        ContentHeader::with_version(fields(&keys[..count]), *version).expect("the fields can be written")
    });
    let text = |header: ContentHeader| {
        let units: Vec<u16> =
            header.record_bytes().chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        String::from_utf16(&units).expect("a header is text").into_bytes()
    };
    headers.map(text).collect()
}
