//! What Microsoft publishes: the examples of the PlayReady Header specification, the test servers' key seed, and the
//! checksums in those examples.

use admit_crypto::{ContentKey, Provider, rustcrypto};
use base64::Engine as _;

use super::*;

/// Section 3.6.1: one AESCTR key.
const EXAMPLE_4_0: &str = r#"<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" version="4.0.0.0">
  <DATA>
    <PROTECTINFO>
      <ALGID>AESCTR</ALGID>
      <KEYLEN>16</KEYLEN>
    </PROTECTINFO>
    <KID>q5HgCTj40kGeNVhTH9Gexw==</KID>
    <CHECKSUM>w+OZVr8vzrQ=</CHECKSUM>
    <LA_URL>http://rm.contoso.com/rightsmanager.asmx</LA_URL>
    <CUSTOMATTRIBUTES>
      <IIS_DRM_VERSION>8.0.1705.19</IIS_DRM_VERSION>
    </CUSTOMATTRIBUTES>
  </DATA>
</WRMHEADER>"#;

/// Section 3.4.2: two AESCTR keys.
const EXAMPLE_4_2: &str = r#"<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" version="4.2.0.0">
  <DATA>
    <PROTECTINFO>
      <KIDS>
        <KID ALGID="AESCTR" CHECKSUM="xNvWVxoWk04=" VALUE="0IbHou/5s0yzM80yOkKEpQ=="></KID>
        <KID ALGID="AESCTR" CHECKSUM="GnKaQIRacPU=" VALUE="/qgG2xbs4k2SKCxx6bhWqw=="></KID>
      </KIDS>
    </PROTECTINFO>
    <LA_URL>http://rm.contoso.com/rightsmanager.asmx</LA_URL>
    <DS_ID>AH+03juKbUGbHl1V/QIwRA==</DS_ID>
  </DATA>
</WRMHEADER>"#;

/// Section 3.3.2: two AESCBC keys.
const EXAMPLE_4_3: &str = r#"<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" version="4.3.0.0">
  <DATA>
    <PROTECTINFO>
      <KIDS>
        <KID ALGID="AESCBC" VALUE="PV1LM/VEVk+kEOB8qqcWDg=="></KID>
        <KID ALGID="AESCBC" VALUE="tuhDoKUN7EyxDPtMRNmhyA=="></KID>
      </KIDS>
    </PROTECTINFO>
    <LA_URL>http://rm.contoso.com/rightsmanager.asmx</LA_URL>
    <DS_ID>AH+03juKbUGbHl1V/QIwRA==</DS_ID>
  </DATA>
</WRMHEADER>"#;

/// Section 3.3.2: a key without an algorithm, in a live stream.
const EXAMPLE_4_3_ON_DEMAND: &str = r#"<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" version="4.3.0.0">
  <DATA>
    <PROTECTINFO>
      <KIDS>
        <KID VALUE="PV1LM/VEVk+kEOB8qqcWDg=="></KID>
      </KIDS>
    </PROTECTINFO>
    <LA_URL>http://rm.contoso.com/rightsmanager.asmx</LA_URL>
    <DS_ID>AH+03juKbUGbHl1V/QIwRA==</DS_ID>
    <DECRYPTORSETUP>ONDEMAND</DECRYPTORSETUP>
  </DATA>
</WRMHEADER>"#;

/// Section 3.6.1: a whole object in base64, 860 bytes around a header of 850.
const OBJECT: &str = "XAMAAAEAAQBSAzwAVwBSAE0ASABFAEEARABFAFIAIAB4AG0AbABuAHMAPQAiAGgAdAB0AHAAOgAvAC8AcwBjAGgAZQBtAGEAcwAuAG0AaQBjAHIAbwBzAG8AZgB0AC4AYwBvAG0ALwBEAFIATQAvADIAMAAwADcALwAwADMALwBQAGwAYQB5AFIAZQBhAGQAeQBIAGUAYQBkAGUAcgAiACAAdgBlAHIAcwBpAG8AbgA9ACIANAAuADAALgAwAC4AMAAiAD4APABEAEEAVABBAD4APABQAFIATwBUAEUAQwBUAEkATgBGAE8APgA8AEsARQBZAEwARQBOAD4AMQA2ADwALwBLAEUAWQBMAEUATgA+ADwAQQBMAEcASQBEAD4AQQBFAFMAQwBUAFIAPAAvAEEATABHAEkARAA+ADwALwBQAFIATwBUAEUAQwBUAEkATgBGAE8APgA8AEsASQBEAD4AcQA1AEgAZwBDAFQAagA0ADAAawBHAGUATgBWAGgAVABIADkARwBlAHgAdwA9AD0APAAvAEsASQBEAD4APABDAEgARQBDAEsAUwBVAE0APgB3ACsATwBaAFYAcgA4AHYAegByAFEAPQA8AC8AQwBIAEUAQwBLAFMAVQBNAD4APABMAEEAXwBVAFIATAA+AGgAdAB0AHAAcwA6AC8ALwBwAHIAbwBmAGYAaQBjAGkAYQBsAHMAaQB0AGUALgBrAGUAeQBkAGUAbABpAHYAZQByAHkALgBtAGUAZABpAGEAcwBlAHIAdgBpAGMAZQBzAC4AdwBpAG4AZABvAHcAcwAuAG4AZQB0AC8AUABsAGEAeQBSAGUAYQBkAHkALwA8AC8ATABBAF8AVQBSAEwAPgA8AEMAVQBTAFQATwBNAEEAVABUAFIASQBCAFUAVABFAFMAPgA8AEkASQBTAF8ARABSAE0AXwBWAEUAUgBTAEkATwBOAD4AOAAuADAALgAxADcAMAA1AC4AMQA5ADwALwBJAEkAUwBfAEQAUgBNAF8AVgBFAFIAUwBJAE8ATgA+ADwALwBDAFUAUwBUAE8ATQBBAFQAVABSAEkAQgBVAFQARQBTAD4APAAvAEQAQQBUAEEAPgA8AC8AVwBSAE0ASABFAEEARABFAFIAPgA=";

/// The key seed of Microsoft's public test servers.
const SEED: &str = "XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I";

/// Key ids as a header has them and as UUIDs, derived keys, checksums. The first three checksums are published.
const KEYS: [(&str, &str, &str, &str); 5] = [
    (
        "0IbHou/5s0yzM80yOkKEpQ==",
        "a2c786d0-f9ef-4cb3-b333-cd323a4284a5",
        "4edb7704cdbf03617f4800bd878a6df2",
        "xNvWVxoWk04=",
    ),
    (
        "/qgG2xbs4k2SKCxx6bhWqw==",
        "db06a8fe-ec16-4de2-9228-2c71e9b856ab",
        "3179923adf3c929892951e62f93a518a",
        "GnKaQIRacPU=",
    ),
    (
        "q5HgCTj40kGeNVhTH9Gexw==",
        "09e091ab-f838-41d2-9e35-58531fd19ec7",
        "9cb061164b7013eaefcc7d6d18424c2c",
        "w+OZVr8vzrQ=",
    ),
    (
        "4Rplb+TbNES8tGkNFWTEHA==",
        "6f651ae1-dbe4-4434-bcb4-690d1564c41c",
        "88da852ae4fa2e1e36aeb2d5c94997b1",
        "KLj3QzQP/NA=",
    ),
    (
        "AmfjCTOPbEOl3WD/5mcecA==",
        "09e36702-8f33-436c-a5dd-60ffe6671e70",
        "b42ca3172ee4e69bf51848a59db9cd13",
        "BGw1aYZ1YXM=",
    ),
];

fn provider() -> &'static Provider {
    &rustcrypto::PROVIDER
}

fn seed() -> KeySeed {
    KeySeed::from_slice(&base64::engine::general_purpose::STANDARD.decode(SEED).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn key_seed_gives_the_published_keys_and_checksums() {
    for (index, (_, uuid, content_key, checksum)) in KEYS.into_iter().enumerate() {
        let key_id: KeyId = uuid.parse().unwrap();
        let derived = seed().content_key(provider(), key_id);
        assert_eq!(hex(derived.expose()), content_key, "key {index}");
        let KeyChecksum::AesCtr(computed) = KeyChecksum::of(provider(), key_id, &derived) else {
            panic!("a computed checksum is for AESCTR");
        };
        assert_eq!(guid::encode(&computed), checksum, "checksum {index}");
    }
}

#[test]
fn key_ids_in_headers_are_little_endian_guids() {
    for (value, uuid, ..) in &KEYS {
        assert_eq!(KeyId::from_bytes(guid::from_base64(value).unwrap()).to_string(), *uuid);
        assert_eq!(guid::to_base64(uuid.parse::<KeyId>().unwrap().as_bytes()), *value);
    }
}

#[test]
fn a_seed_needs_thirty_bytes_and_uses_no_more() {
    let mut long = base64::engine::general_purpose::STANDARD.decode(SEED).unwrap();
    long.extend([0xAA; 5]);
    let key_id: KeyId = KEYS[0].1.parse().unwrap();
    let from_long = KeySeed::from_slice(&long).unwrap().content_key(provider(), key_id);
    assert_eq!(hex(from_long.expose()), KEYS[0].2);
    assert!(KeySeed::from_slice(&long[..29]).is_none());
    assert_eq!(format!("{:?}", seed()), "KeySeed(secret)");
}

#[test]
fn checksums_tell_the_right_key_from_a_wrong_one() {
    let header = read(&flat(EXAMPLE_4_2)).unwrap();
    let [first, second] = header.fields().keys[..] else { panic!("two keys") };
    let right = seed().content_key(provider(), first.key_id);
    assert_eq!(first.verify_checksum(provider(), &right), ChecksumVerdict::Matches);
    assert_eq!(second.verify_checksum(provider(), &right), ChecksumVerdict::Differs);
    assert_eq!(first.verify_checksum(provider(), &ContentKey::from_bytes([0; 16])), ChecksumVerdict::Differs);
    let unchecked = HeaderKey { checksum: None, ..first };
    assert_eq!(unchecked.verify_checksum(provider(), &right), ChecksumVerdict::Unknown);
    let cocktail = HeaderKey { algorithm: Some(Algorithm::Cocktail), ..first };
    assert_eq!(cocktail.verify_checksum(provider(), &right), ChecksumVerdict::Unknown);
}

#[test]
fn example_4_0_reads() {
    let header = read(&flat(EXAMPLE_4_0)).unwrap();
    assert_eq!(header.version(), HeaderVersion::V4_0);
    let expected = HeaderFields {
        keys: vec![HeaderKey {
            checksum: Some(KeyChecksum::AesCtr(guid::decode("w+OZVr8vzrQ=").unwrap())),
            ..key(KEYS[2].1, Some(Algorithm::AesCtr))
        }],
        license_acquisition_url: Some("http://rm.contoso.com/rightsmanager.asmx".into()),
        custom: CustomAttributes {
            other_xml: "<IIS_DRM_VERSION>8.0.1705.19</IIS_DRM_VERSION>".into(),
            ..CustomAttributes::default()
        },
        ..HeaderFields::default()
    };
    assert_eq!(*header.fields(), expected);
}

#[test]
fn examples_with_indentation_read_the_same() {
    for example in [EXAMPLE_4_2, EXAMPLE_4_3, EXAMPLE_4_3_ON_DEMAND] {
        assert_eq!(read(example).unwrap().fields(), read(&flat(example)).unwrap().fields());
        assert_eq!(read(example).unwrap().record_bytes(), record(example), "bytes are kept");
    }
    let indented = read(EXAMPLE_4_0).unwrap().into_fields();
    assert_eq!(indented.custom.other_xml.trim(), "<IIS_DRM_VERSION>8.0.1705.19</IIS_DRM_VERSION>");
}

#[test]
fn examples_are_written_to_the_byte() {
    let domain_service_id = DomainServiceId([
        0xde, 0xb4, 0x7f, 0x00, 0x8a, 0x3b, 0x41, 0x6d, 0x9b, 0x1e, 0x5d, 0x55, 0xfd, 0x02, 0x30, 0x44,
    ]);
    let base = HeaderFields {
        license_acquisition_url: Some("http://rm.contoso.com/rightsmanager.asmx".into()),
        domain_service_id: Some(domain_service_id),
        ..HeaderFields::default()
    };
    let (first, second) = ("334b5d3d-44f5-4f56-a410-e07caaa7160e", "a043e8b6-0da5-4cec-b10c-fb4c44d9a1c8");
    let cbc = Some(Algorithm::AesCbc);
    let of_4_2 = KEYS[..2].iter().map(|(_, id, _, checksum)| HeaderKey {
        checksum: Some(KeyChecksum::AesCtr(guid::decode(checksum).unwrap())),
        ..key(id, Some(Algorithm::AesCtr))
    });
    let cases = [
        (EXAMPLE_4_2, HeaderFields { keys: of_4_2.collect(), ..base.clone() }),
        (EXAMPLE_4_3, HeaderFields { keys: vec![key(first, cbc), key(second, cbc)], ..base.clone() }),
        (EXAMPLE_4_3_ON_DEMAND, HeaderFields { keys: vec![key(first, None)], on_demand: true, ..base }),
    ];
    for (example, fields) in cases {
        let header = ContentHeader::new(fields).unwrap();
        assert_eq!(text(&header), flat(example));
    }
    assert_eq!(domain_service_id.to_string(), "deb47f00-8a3b-416d-9b1e-5d55fd023044");
}

#[test]
fn the_published_object_reads_and_writes_to_the_byte() {
    let bytes = base64::engine::general_purpose::STANDARD.decode(OBJECT).unwrap();
    assert_eq!(bytes.len(), 860);
    let object = HeaderObject::from_bytes(&bytes).unwrap();
    assert_eq!(object.to_bytes().unwrap(), bytes);
    let header = ContentHeader::from_object_bytes(&bytes).unwrap();
    assert_eq!(header.record_bytes().len(), 850);
    assert_eq!(header.record_bytes(), &bytes[10..]);
    assert_eq!(header.key_ids().map(|id| id.to_string()).collect::<Vec<_>>(), [KEYS[2].1]);
    let url = header.fields().license_acquisition_url.as_deref();
    assert_eq!(url, Some("https://profficialsite.keydelivery.mediaservices.windows.net/PlayReady/"));
    // Written again from its fields it differs only in the namespace that CUSTOMATTRIBUTES should have had.
    let again = ContentHeader::new(header.clone().into_fields()).unwrap();
    assert_eq!(text(&again), text(&header).replace("<CUSTOMATTRIBUTES>", "<CUSTOMATTRIBUTES xmlns=\"\">"));
}

#[test]
fn the_documented_example_reads_and_writes_to_the_byte() {
    let document = include_str!("../../../../../docs/formats/content-header.md");
    let example = document.split_once("```xml\n").unwrap().1.split_once("```").unwrap().0;
    assert!(read(example.trim_end()).is_ok(), "with its indentation");
    let header = read(&flat(example)).unwrap();
    let again = ContentHeader::with_version(header.clone().into_fields(), header.version()).unwrap();
    assert_eq!(text(&again), flat(example));
    assert_eq!(header.fields().custom.content_id.as_deref(), Some("film-1"));
}
