//! One valid header, one change for each case, one specific error with its place.

use super::*;

const VALID: &str = concat!(
    r#"<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" version="4.3.0.0"><DATA>"#,
    r#"<PROTECTINFO LICENSEREQUESTED="false"><KIDS>"#,
    r#"<KID ALGID="AESCTR" CHECKSUM="xNvWVxoWk04=" VALUE="0IbHou/5s0yzM80yOkKEpQ=="></KID>"#,
    r#"<KID ALGID="AESCTR" VALUE="/qgG2xbs4k2SKCxx6bhWqw=="></KID>"#,
    r#"</KIDS></PROTECTINFO>"#,
    r#"<LA_URL>https://licenses.example/acquire?a=1&amp;b=2</LA_URL>"#,
    r#"<LUI_URL>https://licenses.example/page</LUI_URL>"#,
    r#"<DS_ID>AH+03juKbUGbHl1V/QIwRA==</DS_ID>"#,
    r#"<CUSTOMATTRIBUTES xmlns=""><ADMIT xmlns="urn:uuid:b6a202a3-f275-446c-9030-29c1fd52463f">"#,
    r#"<CONTENTID>film 1</CONTENTID><INDIVIDUALIZEDVERSION>2.4.0.1</INDIVIDUALIZEDVERSION>"#,
    r#"<REALM>000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f</REALM></ADMIT>"#,
    r#"<x:A xmlns:x="urn:example" b="1" x:a="2">text</x:A></CUSTOMATTRIBUTES>"#,
    r#"<DECRYPTORSETUP>ONDEMAND</DECRYPTORSETUP></DATA></WRMHEADER>"#,
);

/// Reads the valid header with `from` replaced by `to`, once.
fn changed(from: &str, to: &str) -> Result<ContentHeader, HeaderError> {
    assert!(VALID.contains(from), "{from} is in the valid header");
    read(&VALID.replacen(from, to, 1))
}

fn content(from: &str, to: &str) -> (String, ContentFault) {
    match changed(from, to) {
        Err(HeaderError::Content { place, fault }) => (place.path, fault),
        other => panic!("{from} -> {to}: expected a fault of the content, got {other:?}"),
    }
}

fn xml(from: &str, to: &str) -> XmlFault {
    match changed(from, to) {
        Err(HeaderError::Xml { fault, .. }) => fault,
        other => panic!("{from} -> {to}: expected a fault of the XML, got {other:?}"),
    }
}

/// The start of the valid header in another version, with other content in DATA.
fn of_version(version: &str, data: &str) -> Result<ContentHeader, HeaderError> {
    let head = VALID.split_once("4.3.0.0").unwrap().0;
    read(&format!(r#"{head}{version}"><DATA>{data}</DATA></WRMHEADER>"#))
}

fn fault_of_version(version: &str, data: &str) -> (String, ContentFault) {
    match of_version(version, data) {
        Err(HeaderError::Content { place, fault }) => (place.path, fault),
        other => panic!("{version} {data}: expected a fault of the content, got {other:?}"),
    }
}

#[test]
fn the_valid_header_reads_and_is_written_to_the_byte() {
    let header = read(VALID).unwrap();
    let fields = header.fields();
    assert_eq!(fields.license_acquisition_url.as_deref(), Some("https://licenses.example/acquire?a=1&b=2"));
    assert_eq!(fields.license_page_url.as_deref(), Some("https://licenses.example/page"));
    assert!(fields.on_demand && !fields.license_requested);
    assert_eq!(fields.custom.content_id.as_deref(), Some("film 1"));
    assert_eq!(fields.custom.minimum_individualized_version, Some(ComponentVersion::new([2, 4, 0, 1])));
    assert_eq!(fields.custom.realm, Some(Digest::from_bytes(core::array::from_fn(|i| u8::try_from(i).unwrap()))));
    assert_eq!(fields.custom.other_xml, r#"<x:A xmlns:x="urn:example" b="1" x:a="2">text</x:A>"#);
    assert_eq!(text(&ContentHeader::new(fields.clone()).unwrap()), VALID);
}

#[test]
fn e07_license_requested_defaults_to_true_and_reads_both_values() {
    let requested = |to: &str| changed(r#" LICENSEREQUESTED="false""#, to).unwrap().fields().license_requested;
    assert!(requested(""));
    assert!(requested(r#" LICENSEREQUESTED="true""#));
    assert!(!requested(r#" LICENSEREQUESTED="false""#));
}

#[test]
fn errors_say_where() {
    let error = changed(r#"VALUE="/qgG2xbs4k2SKCxx6bhWqw==""#, r#"VALUE="0IbHou/5s0yzM80yOkKEpQ==""#).unwrap_err();
    let path = "/WRMHEADER/DATA/PROTECTINFO/KIDS/KID[2]";
    let offset = 2 * VALID.find(r#"<KID ALGID="AESCTR" VALUE"#).unwrap();
    let place = Place { path: path.into(), offset };
    assert_eq!(error, HeaderError::Content { place, fault: ContentFault::DuplicateKeyId });
    assert_eq!(error.to_string(), format!("content header, {path} at byte {offset}: key id stands twice"));
    // Offsets count UTF-16, whatever stands before.
    let error = read(&VALID.replace("film 1", "film \u{1f3b5}").replace(">text<", "><!--text--><")).unwrap_err();
    let offset = 2 * VALID.find(">text<").unwrap() + 2 + 2;
    let place = Place { path: "/WRMHEADER/DATA/CUSTOMATTRIBUTES/x:A".into(), offset };
    assert_eq!(error, HeaderError::Xml { place, fault: XmlFault::Comment });
}

#[test]
fn bytes_that_are_not_plain_utf16() {
    let fault = |bytes: &[u8]| match ContentHeader::from_record_bytes(bytes) {
        Err(HeaderError::Xml { place, fault }) => (place.offset, fault),
        other => panic!("expected a fault of the XML, got {other:?}"),
    };
    let valid = record(VALID);
    assert_eq!(fault(&[]), (0, XmlFault::NoRoot));
    assert_eq!(fault(&valid[..valid.len() - 1]), (valid.len() - 2, XmlFault::OddLength));
    assert_eq!(fault(&[&[0xff, 0xfe], &valid[..]].concat()), (0, XmlFault::ByteOrderMark));
    assert_eq!(fault(&[&valid[..], &[0x00, 0xd8]].concat()), (valid.len(), XmlFault::UnpairedSurrogate));
    let nul = XmlFault::ForbiddenCharacter { character: '\0' };
    assert_eq!(fault(&[&valid[..], &[0, 0]].concat()), (valid.len(), nul));
    let big_endian: Vec<u8> = valid.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    assert_eq!(fault(&big_endian).0, 0);
    assert_eq!(fault(&VALID.as_bytes()[..200]), (0, XmlFault::TextOutsideRoot), "UTF-8");
    let length = xml::MAX_LENGTH + 2;
    assert_eq!(fault(&vec![b' '; length]), (xml::MAX_LENGTH, XmlFault::TooLong { length }));
}

#[test]
fn xml_that_a_header_may_not_contain() {
    for (from, to, fault) in [
        ("<WRM", "<?xml version=\"1.0\"?><WRM", XmlFault::Declaration),
        ("<WRM", "<!DOCTYPE WRMHEADER><WRM", XmlFault::DocumentType),
        ("<WRM", "<!DOCTYPE a [<!ENTITY b \"c\">]><WRM", XmlFault::DocumentType),
        ("film 1", "<?php ?>", XmlFault::ProcessingInstruction),
        ("film 1", "<!-- film -->", XmlFault::Comment),
        ("film 1", "<![CDATA[film]]>", XmlFault::CData),
        ("film 1", "&film;", XmlFault::Reference),
        ("film 1", "&#65;", XmlFault::Reference),
        ("film 1", "film & 1", XmlFault::Reference),
        (r#"b="1""#, r#"b="&apos;""#, XmlFault::Reference),
        (r#"b="1""#, r#"b="&1""#, XmlFault::Reference),
        ("</DS_ID>", "</DS_ID><NEW/>", XmlFault::SelfClosing),
        (r#"qw=="></KID>"#, r#"qw=="/>"#, XmlFault::SelfClosing),
        ("film 1", "film\r1", XmlFault::ForbiddenCharacter { character: '\r' }),
        ("film 1", "film\u{ffff}1", XmlFault::ForbiddenCharacter { character: '\u{ffff}' }),
        ("<WRM", " <WRM", XmlFault::TextOutsideRoot),
        ("</WRMHEADER>", "</WRMHEADER>\n", XmlFault::TextOutsideRoot),
        ("</WRMHEADER>", "</WRMHEADER><A></A>", XmlFault::SecondRoot),
    ] {
        assert_eq!(xml(from, to), fault, "{from} -> {to}");
    }
}

#[test]
fn xml_that_is_not_well_formed() {
    for (from, to, fault) in [
        ("</DATA>", "", XmlFault::MismatchedEndTag),
        ("</DS_ID>", "</DS_id>", XmlFault::MismatchedEndTag),
        ("</WRMHEADER>", "</WRMHEADER></A>", XmlFault::MismatchedEndTag),
        ("</WRMHEADER>", "", XmlFault::NotClosed),
        ("</WRMHEADER>", "</WRMHEADER", XmlFault::NotClosed),
        ("</WRMHEADER>", "<!DOCTYPE a", XmlFault::NotClosed),
        ("</WRMHEADER>", "<!", XmlFault::NotClosed),
        ("</WRMHEADER>", "<?a", XmlFault::NotClosed),
        (r#"b="1""#, r#"b="1"#, XmlFault::NotClosed),
        (r#"b="1""#, "b=1", XmlFault::AttributeSyntax),
        (r#"b="1""#, "b", XmlFault::AttributeSyntax),
        (r#"b="1""#, r#"b="1" b="1""#, XmlFault::DuplicateAttribute),
        (r#"b="1""#, r#"1b="1""#, XmlFault::Name),
        ("<DS_ID>", "<1></1><DS_ID>", XmlFault::Name),
        ("<DS_ID>", "<a:b:c></a:b:c><DS_ID>", XmlFault::Name),
        ("<DS_ID>", "<></><DS_ID>", XmlFault::Name),
        (r#"<x:A xmlns:x="urn:example" b="1" x:a="2">text</x:A>"#, "<x:A></x:A>", XmlFault::NamespacePrefix),
        (r#"x:a="2""#, r#"y:a="2""#, XmlFault::NamespacePrefix),
        (r#"xmlns:x="urn:example""#, r#"xmlns:x="""#, XmlFault::NamespacePrefix),
        ("<DS_ID>", r#"<A xmlns:xml="urn:example"></A><DS_ID>"#, XmlFault::NamespacePrefix),
        ("<DS_ID>", r#"<A xmlns:xmlns="urn:example"></A><DS_ID>"#, XmlFault::NamespacePrefix),
        (r#"b="1" x:a="2""#, r#"xmlns:y="urn:example" x:a="2" y:a="2""#, XmlFault::DuplicateAttribute),
    ] {
        assert_eq!(xml(from, to), fault, "{from} -> {to}");
    }
}

#[test]
fn xml_that_is_not_canonical() {
    for (from, to, fault) in [
        (r#"b="1" x:a="2""#, r#"x:a="2" b="1""#, XmlFault::AttributeOrder),
        (r#"xmlns:x="urn:example" b="1""#, r#"b="1" xmlns:x="urn:example""#, XmlFault::AttributeOrder),
        (r#"ALGID="AESCTR" VALUE="/qgG2xbs4k2SKCxx6bhWqw==""#, r#"VALUE="a" ALGID="b""#, XmlFault::AttributeOrder),
        (r#"<DS_ID>"#, r#"<A xmlns=""><B xmlns=""></B></A><DS_ID>"#, XmlFault::RepeatedNamespace),
        (r#"b="1""#, "b='1'", XmlFault::NotCanonical),
        (r#"b="1""#, r#"b = "1""#, XmlFault::NotCanonical),
        (r#"b="1""#, r#" b="1""#, XmlFault::NotCanonical),
        (r#"b="1""#, r#"b="<""#, XmlFault::NotCanonical),
        (r#"b="1""#, r#"b="&gt;""#, XmlFault::NotCanonical),
        ("film 1", "film > 1", XmlFault::NotCanonical),
        ("film 1", "&quot;film&quot;", XmlFault::NotCanonical),
        ("</DS_ID>", "</DS_ID >", XmlFault::NotCanonical),
        ("<DS_ID>", "<DS_ID >", XmlFault::NotCanonical),
    ] {
        assert_eq!(xml(from, to), fault, "{from} -> {to}");
    }
    let error = changed("film 1", "film > 1").unwrap_err();
    let offset = 2 * (VALID.find("film 1").unwrap() + 5);
    let place = Place { path: "/".into(), offset };
    assert_eq!(error, HeaderError::Xml { place, fault: XmlFault::NotCanonical });
}

#[test]
fn limits() {
    let nested = |depth: usize| format!("</DS_ID>{}{}", "<A>".repeat(depth), "</A>".repeat(depth));
    assert!(changed("</DS_ID>", &nested(14)).is_ok());
    assert_eq!(xml("</DS_ID>", &nested(15)), XmlFault::TooDeep);
    let wide = |count: usize| format!("</DS_ID>{}", "<A></A>".repeat(count));
    assert!(changed("</DS_ID>", &wide(496)).is_ok());
    assert_eq!(xml("</DS_ID>", &wide(497)), XmlFault::TooManyElements);
    let attributes = |count: usize| (0..count).map(|i| format!(r#" a{i:02}="""#)).collect::<String>();
    let with = |count: usize| format!("</DS_ID><A{}></A>", attributes(count));
    assert!(changed("</DS_ID>", &with(32)).is_ok());
    assert_eq!(xml("</DS_ID>", &with(33)), XmlFault::TooManyAttributes);
}

#[test]
fn root_and_version() {
    let root = "/WRMHEADER".to_owned();
    let renamed = VALID.replace("WRMHEADER", "wrmheader");
    assert!(matches!(read(&renamed), Err(HeaderError::Content { fault: ContentFault::NotAHeader, .. })));
    assert_eq!(content("2007/03/PlayReadyHeader", "2007/03/playreadyheader"), (root.clone(), ContentFault::Namespace));
    assert_eq!(content(r#" version="4.3.0.0""#, ""), (root.clone(), ContentFault::Missing { name: "version" }));
    let version = root.clone() + "/@version";
    for newer in ["4.3.0.1", "4.4.0.0", "5.0.0.0", "4.10.0.0", "4294967295.0.0.0"] {
        assert_eq!(content("4.3.0.0", newer), (version.clone(), ContentFault::NewerVersion), "{newer}");
    }
    for unknown in ["", "4.3", "4.2.5.0", "3.0.0.0", "04.3.0.0", "4.3.0.0.0", " 4.3.0.0", "v4.3.0.0"] {
        assert_eq!(content("4.3.0.0", unknown), (version.clone(), ContentFault::UnknownVersion), "{unknown}");
    }
    assert_eq!(content("</DATA>", "</DATA>text"), (root.clone(), ContentFault::UnexpectedText));
    assert_eq!(content("</DATA>", "</DATA><DATA></DATA>"), (root, ContentFault::Duplicate { name: "DATA" }));
}

#[test]
fn unknown_tags_and_attributes_are_skipped() {
    let original = read(VALID).unwrap();
    for (from, to) in [
        ("<DS_ID>", r#"<NEW a="b">text<NEWER></NEWER></NEW><DS_ID>"#),
        ("<DS_ID>", r#"<NEW></NEW><NEW></NEW><DS_ID new="1">"#),
        ("<DS_ID>", r#"<x:LA_URL xmlns:x="urn:x"></x:LA_URL><DS_ID>"#),
        ("<REALM>", "<LATER>1</LATER><REALM>"),
        ("<REALM>", r#"<REALM xml:lang="en">"#),
        ("<DATA>", r#"<DATA a="b"> "#),
        ("</DATA>", "</DATA><NEW></NEW>"),
    ] {
        let header = changed(from, to).unwrap();
        assert_eq!(header.fields(), original.fields(), "{from} -> {to}");
        assert_eq!(header.record_bytes(), record(&VALID.replacen(from, to, 1)), "bytes are kept");
    }
}

#[test]
fn elements_of_data() {
    let data = "/WRMHEADER/DATA".to_owned();
    for name in ["LA_URL", "LUI_URL", "DS_ID", "DECRYPTORSETUP", "CUSTOMATTRIBUTES", "PROTECTINFO"] {
        let twice = format!("<{name}></{name}></DATA>");
        assert_eq!(content("</DATA>", &twice), (data.clone(), ContentFault::Duplicate { name }));
    }
    for (from, to, path, fault) in [
        ("https://licenses.example/acquire?a=1&amp;b=2", " ", "/LA_URL", ContentFault::Empty),
        ("https://licenses.example/page", "<A></A>", "/LUI_URL", ContentFault::UnexpectedElement),
        ("https://licenses.example/page", "/page", "/LUI_URL", ContentFault::Url),
        ("https://licenses.example/page", "javascript://licenses.example/%0aalert(1)", "/LUI_URL", ContentFault::Url),
        ("https://licenses.example/page", "file:///page", "/LUI_URL", ContentFault::Url),
        ("https://licenses.example/page", "https:///page", "/LUI_URL", ContentFault::Url),
        ("https://licenses.example/page", "https://licenses.example/a page", "/LUI_URL", ContentFault::Url),
        ("https://licenses.example/page", "https://l\u{456}censes.example/", "/LUI_URL", ContentFault::Url),
        ("AH+03juKbUGbHl1V/QIwRA==", "AH+03juKbUGbHl1V/QIwRA", "/DS_ID", ContentFault::Base64),
        ("AH+03juKbUGbHl1V/QIwRA==", "AH+0", "/DS_ID", ContentFault::Length { expected: 16, found: 3 }),
        ("ONDEMAND", "OnDemand", "/DECRYPTORSETUP", ContentFault::DecryptorSetup),
        ("<DS_ID>", r#"<DS_ID xmlns="urn:other">"#, "/DS_ID", ContentFault::Namespace),
        ("</DATA>", "text</DATA>", "", ContentFault::UnexpectedText),
    ] {
        assert_eq!(content(from, to), (format!("{data}{path}"), fault), "{from} -> {to}");
    }
}

#[test]
fn keys_of_4_3() {
    let info = "/WRMHEADER/DATA/PROTECTINFO";
    let list = format!("{info}/KIDS");
    let (first, second) = (format!("{list}/KID[1]"), format!("{list}/KID[2]"));
    for (from, to, path, fault) in [
        (r#""false""#, r#""False""#, format!("{info}/@LICENSEREQUESTED"), ContentFault::Boolean),
        (r#"ALGID="AESCTR" VALUE"#, "VALUE", second.clone(), ContentFault::MixedAlgorithms),
        (r#""AESCTR" VALUE"#, r#""AESCBC" VALUE"#, second.clone(), ContentFault::MixedAlgorithms),
        (r#""AESCTR" VALUE"#, r#""AESGCM" VALUE"#, format!("{second}/@ALGID"), ContentFault::Algorithm),
        (r#""AESCTR" CHECK"#, r#""AESCBC" CHECK"#, format!("{first}/@CHECKSUM"), ContentFault::ChecksumForbidden),
        ("xNvWVxoWk04=", "xNvW", format!("{first}/@CHECKSUM"), ContentFault::Length { expected: 8, found: 3 }),
        (r#" VALUE="0IbHou/5s0yzM80yOkKEpQ==""#, "", first.clone(), ContentFault::Missing { name: "VALUE" }),
        (r#"VALUE="0IbH"#, r#"value="0IbH"#, first.clone(), ContentFault::Missing { name: "VALUE" }),
        ("0IbHou/5s0yzM80yOkKEpQ==", "?", format!("{first}/@VALUE"), ContentFault::Base64),
        (r#"EpQ=="></KID>"#, r#"EpQ==">x</KID>"#, first.clone(), ContentFault::UnexpectedText),
        (r#"EpQ=="></KID>"#, r#"EpQ=="><A></A></KID>"#, first.clone(), ContentFault::UnexpectedElement),
        (r#"<KID ALGID="AESCTR" V"#, r#"<KID xmlns="" ALGID="AESCTR" V"#, second, ContentFault::Namespace),
        ("</KIDS>", "text</KIDS>", list.clone(), ContentFault::UnexpectedText),
        ("</PROTECTINFO>", "text</PROTECTINFO>", info.to_owned(), ContentFault::UnexpectedText),
        ("</KIDS>", "</KIDS><KIDS></KIDS>", info.to_owned(), ContentFault::Duplicate { name: "KIDS" }),
    ] {
        assert_eq!(content(from, to), (path, fault), "{from} -> {to}");
    }
    let empty = fault_of_version("4.3.0.0", "<PROTECTINFO><KIDS></KIDS></PROTECTINFO>");
    assert_eq!(empty, (list, ContentFault::Missing { name: "KID" }));
}

#[test]
fn own_attributes() {
    let custom = "/WRMHEADER/DATA/CUSTOMATTRIBUTES";
    let own = format!("{custom}/ADMIT");
    let (realm, version) = (format!("{own}/REALM"), format!("{own}/INDIVIDUALIZEDVERSION"));
    let (before, after) = VALID.split_once("<CUSTOMATTRIBUTES").unwrap();
    let whole = after.split_once("</CUSTOMATTRIBUTES>").unwrap().0;
    assert!(before.ends_with("</DS_ID>"));
    let end = "</ADMIT>";
    let second = r#"</ADMIT><ADMIT xmlns="urn:uuid:b6a202a3-f275-446c-9030-29c1fd52463f"></ADMIT>"#;
    for (from, to, path, fault) in [
        ("090a", "090A", realm.clone(), ContentFault::Realm),
        ("090a", "09:0a", realm.clone(), ContentFault::Realm),
        ("1e1f", "1e", realm, ContentFault::Realm),
        ("2.4.0.1", "2.4.0", version.clone(), ContentFault::IndividualizedVersion),
        ("2.4.0.1", "02.4.0.1", version, ContentFault::IndividualizedVersion),
        ("film 1", "film\n1", format!("{own}/CONTENTID"), ContentFault::ContentId),
        ("film 1", &"x".repeat(257), format!("{own}/CONTENTID"), ContentFault::ContentId),
        ("film 1", "", format!("{own}/CONTENTID"), ContentFault::Empty),
        ("<REALM>", "<REALM></REALM><REALM>", own.clone(), ContentFault::Duplicate { name: "REALM" }),
        (end, "text</ADMIT>", own.clone(), ContentFault::UnexpectedText),
        (end, second, own, ContentFault::Duplicate { name: "ADMIT" }),
        (whole, r#" xmlns=""> "#, custom.to_owned(), ContentFault::Empty),
        (r#"TES xmlns="""#, r#"TES xmlns="urn:x""#, custom.to_owned(), ContentFault::Namespace),
    ] {
        assert_eq!(content(from, to), (path, fault), "{from} -> {to}");
    }
    let foreign = changed("29c1fd52463f", "29c1fd524630").unwrap().into_fields();
    assert_eq!(foreign.custom.realm, None, "ADMIT in another namespace is somebody else's");
    assert!(foreign.custom.other_xml.contains("<REALM>"));
}

const KID_4_0: &str = "<KID>q5HgCTj40kGeNVhTH9Gexw==</KID>";
const INFO_4_0: &str = "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>";

#[test]
fn rules_of_4_0() {
    let valid = format!("{INFO_4_0}{KID_4_0}");
    assert!(of_version("4.0.0.0", &valid).is_ok());
    let version = HeaderVersion::V4_0;
    let data = "/WRMHEADER/DATA".to_owned();
    let info = data.clone() + "/PROTECTINFO";
    for (from, to, path, fault) in [
        (INFO_4_0, "", data.clone(), ContentFault::Missing { name: "PROTECTINFO" }),
        (KID_4_0, "", data.clone(), ContentFault::Missing { name: "KID" }),
        (KID_4_0, &KID_4_0.repeat(2), data.clone(), ContentFault::Duplicate { name: "KID" }),
        ("<ALGID>AESCTR</ALGID>", "", info.clone(), ContentFault::Missing { name: "ALGID" }),
        ("<KEYLEN>16</KEYLEN>", "", info.clone(), ContentFault::Missing { name: "KEYLEN" }),
        ("</PROTECTINFO>", "text</PROTECTINFO>", info.clone(), ContentFault::UnexpectedText),
        ("16", "7", format!("{info}/KEYLEN"), ContentFault::KeyLength),
        ("AESCTR", "COCKTAIL", format!("{info}/KEYLEN"), ContentFault::KeyLength),
        ("AESCTR", "AESCBC", format!("{info}/ALGID"), ContentFault::NotInVersion { name: "AESCBC", version }),
        ("</PROTECTINFO>", "<KIDS></KIDS></PROTECTINFO>", info.clone(), not_in("KIDS", version)),
        ("</PROTECTINFO>", "<KID></KID></PROTECTINFO>", info.clone(), not_in("KID", version)),
        ("<PROTECTINFO>", r#"<PROTECTINFO LICENSEREQUESTED="true">"#, requested(&info), not_in(REQUESTED, version)),
        (KID_4_0, &format!("{KID_4_0}<DECRYPTORSETUP></DECRYPTORSETUP>"), data, not_in("DECRYPTORSETUP", version)),
    ] {
        assert_eq!(fault_of_version("4.0.0.0", &valid.replacen(from, to, 1)), (path, fault), "{from} -> {to}");
    }
    let error =
        read(&VALID.replace("4.3.0.0", "4.0.0.0").split_once("<DATA>").unwrap().0.replace(">", "></WRMHEADER>"));
    let fault = ContentFault::Missing { name: "DATA" };
    assert!(matches!(error, Err(HeaderError::Content { fault: found, .. }) if found == fault));
}

#[test]
fn children_of_4_0_stand_in_any_order() {
    let here = of_version("4.0.0.0", &format!("{INFO_4_0}{KID_4_0}<CHECKSUM>w+OZVr8vzrQ=</CHECKSUM>")).unwrap();
    let there = of_version("4.0.0.0", &format!("<CHECKSUM>w+OZVr8vzrQ=</CHECKSUM>{KID_4_0}{INFO_4_0}")).unwrap();
    assert_eq!(here.fields(), there.fields());
}

#[test]
fn rules_of_4_1_and_4_2() {
    let key = r#"<KID ALGID="AESCTR" VALUE="q5HgCTj40kGeNVhTH9Gexw=="></KID>"#;
    let list = format!("<KIDS>{key}</KIDS>");
    let (v4_1, v4_2) = (HeaderVersion::V4_1, HeaderVersion::V4_2);
    let data = "/WRMHEADER/DATA".to_owned();
    let info = data.clone() + "/PROTECTINFO";
    let inside = |content: &str| format!("<PROTECTINFO>{content}</PROTECTINFO>");
    let bare = r#"<KID VALUE="q5HgCTj40kGeNVhTH9Gexw=="></KID>"#;
    for good in ["", "<PROTECTINFO></PROTECTINFO>", &inside(key)] {
        assert!(of_version("4.1.0.0", good).is_ok(), "{good}");
    }
    assert!(of_version("4.2.0.0", &inside(&list)).is_ok());
    let cocktail = key.replace("AESCTR", "COCKTAIL").replace("q5Hg", "AAAA");
    let mixed = of_version("4.2.0.0", &inside(&format!("<KIDS>{key}{cocktail}</KIDS>"))).unwrap();
    assert_eq!(mixed.fields().keys.len(), 2, "one algorithm for all keys is a rule of 4.3");
    let (first, bare_list) = (format!("{info}/KIDS/KID[1]"), inside(&format!("<KIDS>{bare}</KIDS>")));
    let with_attribute = inside(key).replace("<PROTECTINFO>", r#"<PROTECTINFO LICENSEREQUESTED="true">"#);
    for (version, content, path, fault) in [
        (v4_1, inside(&list), info.clone(), not_in("KIDS", v4_1)),
        (v4_2, inside(key), info.clone(), not_in("KID", v4_2)),
        (v4_1, inside(&key.repeat(2)), info.clone(), ContentFault::Duplicate { name: "KID" }),
        (v4_1, KID_4_0.to_owned(), data.clone(), not_in("KID", v4_1)),
        (v4_1, "<CHECKSUM></CHECKSUM>".to_owned(), data, not_in("CHECKSUM", v4_1)),
        (v4_1, inside("<KEYLEN>16</KEYLEN>"), info.clone(), not_in("KEYLEN", v4_1)),
        (v4_2, inside("<ALGID>AESCTR</ALGID>"), info.clone(), not_in("ALGID", v4_2)),
        (v4_1, inside(bare), format!("{info}/KID"), ContentFault::Missing { name: "ALGID" }),
        (v4_1, inside(&key.replace("CTR", "CBC")), format!("{info}/KID/@ALGID"), not_in("AESCBC", v4_1)),
        (v4_1, with_attribute.clone(), requested(&info), not_in(REQUESTED, v4_1)),
        (v4_2, bare_list, first.clone(), ContentFault::Missing { name: "ALGID" }),
        (v4_2, inside(&list.replace("CTR", "CBC")), first + "/@ALGID", not_in("AESCBC", v4_2)),
        (v4_2, with_attribute.replace(key, ""), requested(&info), not_in(REQUESTED, v4_2)),
    ] {
        assert_eq!(fault_of_version(version.as_str(), &content), (path, fault), "{content}");
    }
}

#[test]
fn cocktail_is_read_and_not_written() {
    let data = format!("{INFO_4_0}{KID_4_0}<CHECKSUM>AQIDBAUGBw==</CHECKSUM>");
    let data = data.replace("AESCTR", "COCKTAIL").replace("16", "7");
    let fields = of_version("4.0.0.0", &data).unwrap().into_fields();
    assert_eq!(fields.keys[0].algorithm, Some(Algorithm::Cocktail));
    assert_eq!(fields.keys[0].checksum, Some(KeyChecksum::Cocktail([1, 2, 3, 4, 5, 6, 7])));
    assert_eq!(ContentHeader::new(fields), Err(HeaderError::Unwritable(WriteFault::Cocktail)));
}

#[test]
fn the_writer_takes_the_lowest_version_that_will_do() {
    let (ctr, cbc) = (Some(Algorithm::AesCtr), Some(Algorithm::AesCbc));
    let (one, two) = ("a2c786d0-f9ef-4cb3-b333-cd323a4284a5", "db06a8fe-ec16-4de2-9228-2c71e9b856ab");
    let of = |keys: Vec<HeaderKey>| HeaderFields { keys, ..HeaderFields::default() };
    let live = HeaderFields { on_demand: true, ..of(vec![key(one, ctr)]) };
    let time_only = HeaderFields { license_requested: false, ..HeaderFields::default() };
    for (fields, needed) in [
        (of(vec![key(one, ctr)]), HeaderVersion::V4_0),
        (of(vec![]), HeaderVersion::V4_1),
        (live, HeaderVersion::V4_1),
        (of(vec![key(one, ctr), key(two, ctr)]), HeaderVersion::V4_2),
        (of(vec![key(one, cbc)]), HeaderVersion::V4_3),
        (of(vec![key(one, None)]), HeaderVersion::V4_3),
        (time_only, HeaderVersion::V4_3),
    ] {
        assert_eq!(ContentHeader::new(fields.clone()).unwrap().version(), needed);
        for asked in [HeaderVersion::V4_0, HeaderVersion::V4_1, HeaderVersion::V4_2, HeaderVersion::V4_3] {
            let written = ContentHeader::with_version(fields.clone(), asked);
            if asked < needed {
                let fault = WriteFault::VersionTooLow { asked, needed };
                assert_eq!(written, Err(HeaderError::Unwritable(fault)));
            } else {
                assert_eq!(written.unwrap().fields(), &fields);
            }
        }
    }
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let with = |other_xml: &str, content_id: &str| {
        let content_id = Some(content_id.to_owned());
        let custom = CustomAttributes { other_xml: other_xml.into(), content_id, ..CustomAttributes::default() };
        ContentHeader::new(HeaderFields { custom, ..HeaderFields::default() })
    };
    assert!(with("<A></A>", "film <1> & \"2\"").is_ok());
    let not_read_back = Err(HeaderError::Unwritable(WriteFault::NotReadBack));
    assert_eq!(with("", " film"), not_read_back);
    let own = "<ADMIT xmlns=\"urn:uuid:b6a202a3-f275-446c-9030-29c1fd52463f\"></ADMIT>";
    let custom = CustomAttributes { other_xml: own.into(), ..CustomAttributes::default() };
    assert_eq!(ContentHeader::new(HeaderFields { custom, ..HeaderFields::default() }), not_read_back);
    let escape = "</CUSTOMATTRIBUTES><LA_URL>https://evil.example/</LA_URL><CUSTOMATTRIBUTES xmlns=\"\">";
    let place = Place { path: "/WRMHEADER/DATA".into(), offset: 2 * VALID.find("<DATA>").unwrap() };
    let fault = ContentFault::Duplicate { name: "CUSTOMATTRIBUTES" };
    assert_eq!(with(escape, "1"), Err(HeaderError::Content { place, fault }));
    assert!(matches!(with("<x:A></x:A>", "1"), Err(HeaderError::Xml { fault: XmlFault::NamespacePrefix, .. })));
    assert!(matches!(with("<A/>", "1"), Err(HeaderError::Xml { fault: XmlFault::SelfClosing, .. })));
    assert!(matches!(with(&"x".repeat(8000), "1"), Err(HeaderError::Xml { fault: XmlFault::TooLong { .. }, .. })));
    let mixed = vec![key(&"1".repeat(32), Some(Algorithm::AesCbc)), key(&"2".repeat(32), Some(Algorithm::AesCtr))];
    let fields = HeaderFields { keys: mixed, ..HeaderFields::default() };
    assert!(matches!(
        ContentHeader::new(fields),
        Err(HeaderError::Content { fault: ContentFault::MixedAlgorithms, .. })
    ));
}

fn not_in(name: &'static str, version: HeaderVersion) -> ContentFault {
    ContentFault::NotInVersion { name, version }
}

fn requested(info: &str) -> String {
    format!("{info}/@{REQUESTED}")
}

const REQUESTED: &str = "LICENSEREQUESTED";
