//! Problem documents (RFC 9457): what is written, and what of others' is read.

use admit_protocol::{Code, Problem};

fn problem() -> Problem {
    Problem::new(Code::ADMIT_E_TOKEN_EXPIRED, 403, "it ended \"yesterday\"")
}

#[test]
fn a_problem_is_written_with_the_five_members_and_ours() {
    let expected = concat!(
        r#"{"type":"urn:admit:error:ADMIT_E_TOKEN_EXPIRED","#,
        r#""title":"The entitlement token is no longer valid.","#,
        r#""status":403,"#,
        r#""detail":"it ended \"yesterday\"","#,
        r#""code":"0xA0AD0006","#,
        r#""action":"Get a new token from the seller of the content."}"#,
    );
    assert_eq!(String::from_utf8(problem().to_json()).unwrap(), expected);
}

#[test]
fn b06_a_page_to_go_to_is_a_member_of_its_own_and_may_be_missing() {
    let page = Some("https://shop.example.org/song".to_owned());
    let problem = Problem { page, ..problem() };
    let text = String::from_utf8(problem.to_json()).unwrap();
    assert!(text.ends_with(r#","page":"https://shop.example.org/song"}"#), "{text}");
    assert_eq!(Problem::from_json(text.as_bytes()), Some(problem));
}

#[test]
fn every_code_survives_the_way_through_a_problem() {
    for &code in Code::ALL {
        let problem = Problem::new(code, 500, "");
        let read = Problem::from_json(&problem.to_json()).unwrap();
        assert_eq!(read, problem);
        assert_eq!(read.code(), Some(code));
        assert_eq!((read.title.as_str(), read.action.as_str()), (code.description(), code.action()));
        let number = u32::from_str_radix(read.code.strip_prefix("0x").unwrap(), 16).unwrap();
        assert_eq!((number, read.code.len()), (code.number(), 10));
    }
}

#[test]
fn a_type_that_is_not_ours_has_no_code() {
    for kind in ["about:blank", "", "ADMIT_E_TOKEN_EXPIRED", "urn:admit:error:", "urn:admit:error:ADMIT_E_FUTURE"] {
        assert_eq!(Problem { kind: kind.into(), ..problem() }.code(), None, "{kind:?}");
    }
}

#[test]
fn members_that_are_not_known_are_skipped_and_ours_are_required() {
    let text = String::from_utf8(problem().to_json()).unwrap();
    let extended = text.replacen('{', r#"{"instance":"/v1/licenses","balance":30,"#, 1);
    assert_eq!(Problem::from_json(extended.as_bytes()), Some(problem()));
    for member in ["type", "title", "status", "detail", "code", "action"] {
        let without = text.replacen(&format!("\"{member}\":"), "\"other\":", 1);
        assert_eq!(Problem::from_json(without.as_bytes()), None, "{member}");
    }
}

#[test]
fn what_is_no_problem_reads_as_none() {
    let json = problem().to_json();
    for at in 0..json.len() {
        assert_eq!(Problem::from_json(&json[..at]), None, "cut at {at}");
    }
    for text in ["", "null", "[]", "<html></html>", r#"{"status":"403"}"#] {
        assert_eq!(Problem::from_json(text.as_bytes()), None, "{text}");
    }
    let trailing = [&json[..], b"x"].concat();
    assert_eq!(Problem::from_json(&trailing), None);
}
