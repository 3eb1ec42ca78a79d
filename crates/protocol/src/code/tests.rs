//! Tests of the error vocabulary, and the page `docs/formats/errors.md` that is made from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Code, ErrorClass, Family};

#[test]
fn a24_all_35_codes_of_the_document_are_known_by_number_and_name() {
    for (name, number) in DOCUMENT {
        let code = Code::from_number(number).expect(name);
        assert_eq!(Code::from_name(name), Some(code), "{name}");
        assert_eq!(code.family(), Family::Individualization, "{name}");
        assert_eq!(code.number(), number, "{name}");
        let is_the_corrected_one = name == "NS_E_DRM_CLINET_CODE_EXPIRED";
        assert_eq!(code.name() == name, !is_the_corrected_one, "{name}");
    }
    let in_family = Code::ALL.iter().filter(|code| code.family() == Family::Individualization).count();
    assert_eq!((DOCUMENT.len(), in_family), (35, 35));
}

#[test]
fn a24_the_misspelled_name_is_an_alias_of_the_corrected_one() {
    let code = Code::from_name("NS_E_DRM_CLINET_CODE_EXPIRED").expect("the alias is known");
    assert_eq!(code, Code::NS_E_DRM_CLIENT_CODE_EXPIRED);
    assert_eq!(code.aliases(), ["NS_E_DRM_CLINET_CODE_EXPIRED"]);
    assert_eq!(code.to_string(), "NS_E_DRM_CLIENT_CODE_EXPIRED (0xC00D2847)");
}

#[test]
fn a24_every_description_and_action_is_one_sentence() {
    for code in Code::ALL {
        for sentence in [code.description(), code.action()] {
            assert!(sentence.starts_with(|first: char| first.is_ascii_uppercase()), "{code}: {sentence}");
            assert!(sentence.ends_with('.') && !sentence.ends_with(".."), "{code}: {sentence}");
            assert!(!sentence.contains(char::is_control), "{code}: {sentence}");
            assert!(!["  ", ". ", "! ", "? ", "; "].iter().any(|end| sentence.contains(end)), "{code}: {sentence}");
            assert!((10..=120).contains(&sentence.len()), "{code}: {sentence}");
        }
    }
}

#[test]
fn a24_numbers_names_and_aliases_are_unique_and_lead_back() {
    let mut numbers = BTreeSet::new();
    let mut names = BTreeSet::new();
    for &code in Code::ALL {
        assert!(numbers.insert(code.number()), "{code}");
        assert_eq!(Code::from_number(code.number()), Some(code));
        for name in [&[code.name()], code.aliases()].concat() {
            assert!(names.insert(name), "{name}");
            assert_eq!(Code::from_name(name), Some(code), "{name}");
            assert_eq!(Code::from_name(&name.to_lowercase()), Some(code), "{name}");
        }
    }
}

#[test]
fn a24_unknown_names_and_numbers_are_not_guessed() {
    for text in ["", " ", "NS_E_DRM", "NS_E_DRM_BUSY_", "0x", "0xC00D2842", "0x+C00D284", "0x1C00D2841", "-1", "4C"] {
        assert_eq!(Code::find(text), None, "{text:?}");
    }
    assert_eq!(Code::from_number(0), None);
    assert_eq!(Code::from_name("ADMIT_E_"), None);
}

#[test]
fn a24_a_code_is_found_as_people_copy_it() {
    let texts =
        ["ns_e_drm_busy", " NS_E_DRM_BUSY\n", "0xC00D2841", "0XC00d2841", "c00d2841", "3222087745", "-1072879551"];
    for text in texts {
        assert_eq!(Code::find(text), Some(Code::NS_E_DRM_BUSY), "{text:?}");
    }
    assert_eq!(Code::find("80070570"), Some(Code::ERROR_FILE_CORRUPT));
    assert_eq!(Code::find("0x4B801"), Some(Code::MSPR_S_NETWORK_ACTIVITY_SUCCEEDED));
}

#[test]
fn a24_later_spellings_lead_to_the_same_cause() {
    let spellings = [
        ("DRM_E_LICENSE_NOT_FOUND", Code::NS_E_DRM_LICENSE_NOTACQUIRED),
        ("DRM_E_LICENSE_EXPIRED", Code::NS_E_DRM_LICENSE_EXPIRED),
        ("DRM_E_RIGHTS_NOT_AVAILABLE", Code::NS_E_DRM_NO_RIGHTS),
        ("DRM_E_DEVICE_CERT_REVOKED", Code::DRM_E_DEVCERT_REVOKED),
        ("NS_E_DRM_TRACK_EXCEEDED_PLAYLIST_RESTRICTION", Code::NS_E_DRM_TRACK_EXCEEDED_PLAYLIST_RESTICTION),
    ];
    for (name, code) in spellings {
        assert_eq!(Code::from_name(name), Some(code), "{name}");
        assert_ne!(code.name(), name);
    }
}

#[test]
fn a24_the_line_is_one_line_with_the_action() {
    let code = Code::NS_E_DRM_LICENSE_APPSECLOW;
    let expected = "NS_E_DRM_LICENSE_APPSECLOW (0xC00D27DA): The license needs level 450. What to do: Use an \
                    application with the level that the license needs, or acquire a license that needs less.";
    assert_eq!(code.line("The license needs level 450."), expected);
    assert_eq!(code.line(" The license\nneeds level 450 "), expected);
    assert!(code.line("Why?").contains("(0xC00D27DA): Why? What to do: "));
    assert!(!code.line("a\r\nb\u{1b}[2J").contains(char::is_control));
}

#[test]
fn a14_the_document_says_to_retry_six() {
    let retried: Vec<_> = Code::ALL
        .iter()
        .filter(|code| code.family() == Family::Individualization && code.class() == ErrorClass::Retry)
        .map(|code| code.name())
        .collect();
    let six = [
        "ERROR_INTERNET_TIMEOUT",
        "ERROR_INTERNET_NAME_NOT_RESOLVED",
        "ERROR_INTERNET_CONNECTION_ABORTED",
        "ERROR_INTERNET_CONNECTION_RESET",
        "NS_E_INSUFFICIENT_DATA",
        "NS_E_PROXY_TIMEOUT",
    ];
    assert_eq!(retried, six);
    assert!(Code::NS_E_INSUFFICIENT_DATA.action().contains("contact"));
}

#[test]
fn a14_the_class_agrees_with_the_severity_of_the_number() {
    for code in Code::ALL {
        let succeeded = matches!(code.class(), ErrorClass::Success | ErrorClass::Information);
        assert_eq!(code.number() & SEVERITY == 0, succeeded, "{code}");
        assert_eq!(code.name().contains("_S_"), succeeded, "{code}");
    }
}

#[test]
fn a24_families_stand_in_order_and_their_numbers_ascend() {
    let families: Vec<_> = Code::ALL.chunk_by(|one, two| one.family() == two.family()).collect();
    assert_eq!(families.iter().map(|codes| codes[0].family()).collect::<Vec<_>>(), Family::ALL);
    for codes in families {
        assert!(codes.is_sorted_by_key(|code| code.number()), "{:?}", codes[0].family());
    }
}

#[test]
fn a24_numbers_of_our_own_range_follow_each_other() {
    let own: Vec<_> = Code::ALL.iter().filter(|code| code.family() == Family::Own).collect();
    for (code, number) in own.iter().zip(0xA0AD_0001..) {
        assert_eq!(code.number(), number, "{code}");
        assert!(code.name().starts_with("ADMIT_E_"), "{code}");
    }
    let elsewhere = Code::ALL.iter().filter(|code| code.family() != Family::Own && code.number() & CUSTOMER != 0);
    assert_eq!(
        elsewhere.map(|code| (code.name(), code.number())).collect::<Vec<_>>(),
        [
            ("DRM_E_SECURETIME_CLOCK_NOT_SET", 0xA0AD_0101),
            ("DRM_E_LICENSESERVERTIME_MUST_REACQUIRE_LICENSE", 0xA0AD_0102),
        ]
    );
}

#[test]
fn a24_the_page_is_the_table() {
    let written = include_str!("../../../../docs/formats/errors.md");
    assert!(written == page(), "docs/formats/errors.md is not what the table says: run the test `write_the_page`");
}

#[test]
#[ignore = "writes docs/formats/errors.md: cargo test -p admit-protocol write_the_page -- --ignored"]
fn write_the_page() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/errors.md");
    std::fs::write(path, page()).expect("the page can be written");
}

/// The page: each family's codes by number.
fn page() -> String {
    let mut page = String::from(PREAMBLE);
    for &family in Family::ALL {
        write!(page, "\n## {}\n\n", family.title()).expect("a string takes all that is written");
        page.push_str("| number | name | class | what happened | what to do |\n| --- | --- | --- | --- | --- |\n");
        for code in Code::ALL.iter().filter(|code| code.family() == family) {
            page.push_str(&row(*code));
        }
    }
    page
}

fn row(code: Code) -> String {
    let aliases: String = code.aliases().iter().map(|alias| format!(", also `{alias}`")).collect();
    format!(
        "| `0x{:08X}` | `{}`{aliases} | {} | {} | {} |\n",
        code.number(),
        code.name(),
        code.class().name().replace('_', " "),
        code.description(),
        code.action(),
    )
}

const PREAMBLE: &str = "\
# Error codes

Made from the table in `crates/protocol/src/code`; a test compares the two.

Every code is an HRESULT. A code of a document keeps the document's name and number, and its sentences here are our
own. `0xA0AD0001` and up (customer bit set) are Admit's own: a number once given stays, and new codes go to the end.
`0xA0AD0101` and `0xA0AD0102` are numbers of ours for two constants that are published by name only. An \"also\" name
is found as well: a misspelling of a document, or how a later system spells the same cause. The number that such a
system gives to it is not taken over.

The class says what a caller does:

| class | meaning |
| --- | --- |
| success | It is done. |
| information | It is no failure, and the user should know it. |
| retry | The same attempt may succeed when it is made again; the user chooses, or agreed to retries beforehand. |
| ask user | The user can remove the cause, or has to decide. |
| fatal | Neither another attempt nor a decision of the user helps. |

On the command line every error is one line, `NAME (0xCODE): sentence. What to do: sentence.`, and
`admit error CODE` or `admit error NAME` shows a row of these tables.
";

/// The error table of "Windows Media DRM Individualization Best Practices", in its order.
const DOCUMENT: [(&str, u32); 35] = [
    ("ERROR_DIRECTORY", 0x8007_010B),
    ("ERROR_FILE_CORRUPT", 0x8007_0570),
    ("ERROR_INTERNET_CANNOT_CONNECT", 0x800C_2EFD),
    ("ERROR_INTERNET_CONNECTION_ABORTED", 0x800C_2EFE),
    ("ERROR_INTERNET_CONNECTION_RESET", 0x800C_2EFF),
    ("ERROR_INTERNET_INVALID_CA", 0x800C_2F0D),
    ("ERROR_INTERNET_NAME_NOT_RESOLVED", 0x800C_2EE7),
    ("ERROR_INTERNET_OPERATION_CANCELLED", 0x800C_2EF1),
    ("ERROR_INTERNET_SEC_CERT_DATE_INVALID", 0x800C_2F05),
    ("ERROR_INTERNET_SEC_CERT_REV_FAILED", 0x800C_2F19),
    ("ERROR_INTERNET_TIMEOUT", 0x800C_2EE2),
    ("ERROR_INVALID_ACCESS", 0x8007_000C),
    ("NS_E_DRM_ALREADY_INDIVIDUALIZED", 0xC00D_2729),
    ("NS_E_DRM_BUSY", 0xC00D_2841),
    ("NS_E_DRM_CHECKPOINT_FAILED", 0xC00D_277F),
    ("NS_E_DRM_CLINET_CODE_EXPIRED", 0xC00D_2847),
    ("NS_E_DRM_ENUM_LICENSE_FAILED", 0xC00D_271B),
    ("NS_E_DRM_ERROR_BAD_NET_RESP", 0xC00D_275E),
    ("NS_E_DRM_INDIV_SERVICE_UNAVAILABLE", 0xC00D_2845),
    ("NS_E_DRM_INDIVIDUALIZATION_INCOMPLETE", 0xC00D_274C),
    ("NS_E_DRM_INDIVIDUALIZING", 0xC00D_272C),
    ("NS_E_DRM_INVALID_APPLICATION", 0xC00D_2711),
    ("NS_E_DRM_INVALID_SECURESTORE_PASSWORD", 0xC00D_2751),
    ("NS_E_DRM_LICENSE_STORE_ERROR", 0xC00D_2712),
    ("NS_E_DRM_SECURE_STORE_ERROR", 0xC00D_2713),
    ("NS_E_DRM_SECURITY_COMPONENT_SIGNATURE_INVALID", 0xC00D_2760),
    ("NS_E_DRM_UNABLE_TO_INITIALIZE", 0xC00D_271D),
    ("NS_E_ERROR_FROM_PROXY", 0xC00D_2EE4),
    ("NS_E_INSUFFICIENT_DATA", 0xC00D_00CA),
    ("NS_E_OFFLINE_MODE", 0xC00D_0BCA),
    ("NS_E_PROXY_TIMEOUT", 0xC00D_2EE5),
    ("NS_E_SERVER_ACCESSDENIED", 0xC00D_2EFB),
    ("NS_E_SERVER_UNAVAILABLE", 0xC00D_2EE6),
    ("NS_E_WMP_SERVER_INACCESSIBLE", 0xC00D_1198),
    ("TRUST_E_CERT_SIGNATURE", 0x8009_6004),
];

/// The bit of an HRESULT that says that it is a failure.
const SEVERITY: u32 = 0x8000_0000;

/// The bit of an HRESULT that says that it is not Microsoft's.
const CUSTOMER: u32 = 0x2000_0000;
