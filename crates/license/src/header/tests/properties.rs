//! Properties: fields round-trip, canonical bytes round-trip, and no bytes whatever make a reader panic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn key_list(algorithm: Option<Algorithm>) -> impl Strategy<Value = Vec<HeaderKey>> {
    let with_checksum = algorithm != Some(Algorithm::AesCbc);
    proptest::collection::btree_map(any::<[u8; 16]>(), proptest::option::of(any::<[u8; 8]>()), 0..6).prop_map(
        move |keys| {
            let key = |(id, checksum): ([u8; 16], Option<[u8; 8]>)| HeaderKey {
                key_id: KeyId::from_bytes(id),
                algorithm,
                checksum: checksum.filter(|_| with_checksum).map(KeyChecksum::AesCtr),
            };
            keys.into_iter().map(key).collect()
        },
    )
}

fn keys() -> impl Strategy<Value = Vec<HeaderKey>> {
    let algorithms = [None, Some(Algorithm::AesCtr), Some(Algorithm::AesCbc)];
    proptest::sample::select(algorithms.to_vec()).prop_flat_map(key_list)
}

fn url() -> impl Strategy<Value = String> {
    "https?://[a-z]{1,9}\\.example(:[0-9]{1,4})?(/[a-zA-Z0-9._~%&=+;,@'-]{0,20}){0,3}(\\?[a-z&=]{0,9})?(#[a-z]{0,3})?"
}

fn custom() -> impl Strategy<Value = CustomAttributes> {
    let xml = proptest::sample::select(vec![
        "",
        "text &amp; more",
        "<A></A>",
        "\n  <mm:P xmlns:mm=\"urn:schema\" a=\"&quot;\" mm:b=\"&lt;\"> <mm:Q>\u{e9}\u{1f3b5}</mm:Q> </mm:P>\n",
    ]);
    let id = "[!-~\u{e0}-\u{ff}\u{1f300}-\u{1f3ff}]([ -~]{0,30}[!-~])?";
    (
        proptest::option::of(any::<[u8; 32]>().prop_map(Digest::from_bytes)),
        proptest::option::of(id),
        proptest::option::of(any::<[u16; 4]>().prop_map(ComponentVersion::new)),
        xml.prop_map(str::to_owned),
    )
        .prop_map(|(realm, content_id, minimum_individualized_version, other_xml)| CustomAttributes {
            realm,
            content_id,
            minimum_individualized_version,
            other_xml,
        })
}

prop_compose! {
    fn fields()(
        keys in keys(),
        license_acquisition_url in proptest::option::of(url()),
        license_page_url in proptest::option::of(url()),
        domain_service_id in proptest::option::of(any::<[u8; 16]>().prop_map(DomainServiceId)),
        custom in custom(),
        license_requested: bool,
        on_demand: bool,
    ) -> HeaderFields {
        HeaderFields {
            keys, license_acquisition_url, license_page_url, domain_service_id, custom, license_requested, on_demand,
        }
    }
}

proptest! {
    #[test]
    fn fields_and_bytes_round_trip_in_every_version(fields in fields()) {
        let lowest = HeaderVersion::lowest_for(&fields);
        for version in [HeaderVersion::V4_0, HeaderVersion::V4_1, HeaderVersion::V4_2, HeaderVersion::V4_3] {
            let written = ContentHeader::with_version(fields.clone(), version);
            if version < lowest {
                prop_assert!(written.is_err());
                continue;
            }
            let written = written.unwrap();
            prop_assert_eq!(written.fields(), &fields);
            let object = HeaderObject::new(&written).to_bytes().unwrap();
            let read = ContentHeader::from_object_bytes(&object).unwrap();
            prop_assert_eq!(&read, &written);
            let again = ContentHeader::with_version(read.into_fields(), version).unwrap();
            prop_assert_eq!(again.record_bytes(), written.record_bytes());
        }
    }

    #[test]
    fn whatever_reads_keeps_its_bytes(fields in fields(), at: proptest::sample::Index, to: u8) {
        let mut object = HeaderObject::new(&ContentHeader::new(fields).unwrap()).to_bytes().unwrap();
        let at = at.index(object.len());
        object[at] = to;
        if let Ok(read) = HeaderObject::from_bytes(&object) {
            prop_assert_eq!(read.to_bytes().unwrap(), object.clone());
            if let Ok(header) = read.header() {
                prop_assert_eq!(header.record_bytes(), &object[10..]);
                rewritten_once_stays(header)?;
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(parts in vec(fragment(), 0..30)) {
        if let Ok(header) = read(&parts.concat()) {
            rewritten_once_stays(header)?;
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = ContentHeader::from_object_bytes(&bytes);
        let _ = ContentHeader::from_record_bytes(&bytes);
    }

    #[test]
    fn objects_round_trip(records in vec((5..u16::MAX, vec(any::<u8>(), 0..300)), 0..20)) {
        let id = "a2c786d0-f9ef-4cb3-b333-cd323a4284a5";
        let keys = vec![key(id, Some(Algorithm::AesCtr))];
        let header = ContentHeader::new(HeaderFields { keys, ..HeaderFields::default() }).unwrap();
        let unknown = records.into_iter().filter(|(kind, _)| *kind != RECORD_SIGNATURE);
        let mut bytes = HeaderObject::new(&header).to_bytes().unwrap();
        for (kind, value) in unknown {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
            bytes.extend(value);
            let count = u16::from_le_bytes([bytes[4], bytes[5]]) + 1;
            bytes[4..6].copy_from_slice(&count.to_le_bytes());
        }
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        let object = HeaderObject::from_bytes(&bytes).unwrap();
        prop_assert_eq!(object.to_bytes().unwrap(), bytes);
        prop_assert_eq!(object.header(), Ok(header));
    }
}

/// Rewriting a header that was read may normalize it, but only once.
fn rewritten_once_stays(header: ContentHeader) -> Result<(), TestCaseError> {
    let version = header.version();
    if let Ok(rewritten) = ContentHeader::with_version(header.into_fields(), version) {
        let again = ContentHeader::with_version(rewritten.fields().clone(), version).unwrap();
        prop_assert_eq!(again, rewritten);
    }
    Ok(())
}

/// Pieces of headers and of what headers may not have, so that random texts get far.
fn fragment() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"4.3.0.0\">",
        "<DATA>",
        "</DATA>",
        "</WRMHEADER>",
        "<PROTECTINFO>",
        "</PROTECTINFO>",
        "<KIDS>",
        "</KIDS>",
        "<KID VALUE=\"0IbHou/5s0yzM80yOkKEpQ==\"></KID>",
        "<A/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a>",
        "<?a?>",
        "&amp;",
        "&#x0;",
        "&",
        "<",
        ">",
        "\"",
        "'",
        " ",
        "xmlns:a=\"b\"",
        "</",
        "\u{1f3b5}",
        "<a:b c='d'>",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "\\PC{0,5}"]
}
