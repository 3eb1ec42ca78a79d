//! Packaging through the server: operator tokens, signed headers, registered keys.

use std::time::Duration;

use admit_license::TrustedHeader;
use admit_license::header::{HeaderObject, KeyChecksum};
use admit_protocol::Code;
use admit_protocol::package::SignedHeader;
use admit_trust::DateCheck;
use serde_json::{Value, json};

use crate::harness::{Answer, DAY, PROVIDER, Running, START, Seeded, connect, content_key, database_contains, send};

const ADDRESS: &str = "public_address = \"https://drm.example\"\n";
const KEY_ID: &str = "07070707-0707-0707-0707-070707070707";

async fn start() -> (Running, String) {
    let running = Running::start_with(ADDRESS, |server| server).await;
    let token = make(&running, "packager").await;
    (running, token)
}

async fn make(running: &Running, name: &str) -> String {
    running.home.make_operator_token(name, DAY, START, &mut Seeded::new(9)).await.unwrap()
}

async fn call(running: &Running, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Answer {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    send(&mut connect(running.address).await, method, path, &headers, body).await
}

async fn put(running: &Running, token: &str, body: &Value) -> Answer {
    call(running, "PUT", &format!("/v1/keys/{KEY_ID}"), Some(token), body.to_string().as_bytes()).await
}

fn registration() -> Value {
    json!({ "key": hex::encode(content_key(7).expose()), "class": "licensed", "content_id": "song" })
}

fn header_request() -> Value {
    json!({ "key_id": KEY_ID, "checksum": "0102030405060708", "content_id": "song",
        "minimum_individualized_version": "2.4.0.1", "license_page": "https://shop.example/song" })
}

#[tokio::test]
async fn a_header_is_signed_with_what_was_asked_and_what_the_realm_says() {
    let (running, token) = start().await;
    let body = header_request().to_string();
    let answer = call(&running, "POST", "/v1/headers", Some(&token), body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let signed: SignedHeader = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(signed.realm, running.home.realm());
    let object = HeaderObject::from_bytes(&signed.header).unwrap();
    let trusted = TrustedHeader::verify(PROVIDER, running.home.root(), &object, DateCheck::At(START)).unwrap().unwrap();
    let fields = trusted.header().fields();
    assert_eq!(fields.license_acquisition_url.as_deref(), Some("https://drm.example/v1/licenses"));
    assert_eq!(fields.license_page_url.as_deref(), Some("https://shop.example/song"));
    assert_eq!(fields.custom.content_id.as_deref(), Some("song"));
    assert_eq!(fields.custom.minimum_individualized_version.unwrap().to_string(), "2.4.0.1");
    assert_eq!(fields.keys[0].key_id.to_string(), KEY_ID);
    assert_eq!(fields.keys[0].checksum, Some(KeyChecksum::AesCtr([1, 2, 3, 4, 5, 6, 7, 8])));
    assert_eq!(running.count("content-key-registered").await, 0);
}

#[tokio::test]
async fn a_registered_key_is_licensed_and_the_record_says_who_registered_it() {
    let (running, token) = start().await;
    let mut open = registration();
    open["open"] = true.into();
    for _ in 0..2 {
        assert_eq!(put(&running, &token, &open).await.status, 204, "the same again changes nothing");
    }
    let client = running.enrol(1).await;
    let answer = running.ask(&client, &[KEY_ID.parse().unwrap()], None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let entries = running.home.audit(0, 100).await.unwrap();
    let details: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.event == "content-key-registered")
        .map(|entry| entry.detail_json.as_str())
        .collect();
    assert_eq!(details, [r#"{"by":"packager","class":"licensed","content":"song"}"#]);
}

#[tokio::test]
async fn another_key_under_the_same_id_is_refused() {
    let (running, token) = start().await;
    assert_eq!(put(&running, &token, &registration()).await.status, 204);
    for (field, value) in [
        ("key", json!("00000000000000000000000000000000")),
        ("class", json!("clearkey")),
        ("content_id", json!("another song")),
        ("open", json!(true)),
        ("minimum_application_level", json!(2000)),
    ] {
        let mut changed = registration();
        changed[field] = value;
        let answer = put(&running, &token, &changed).await;
        assert_eq!(answer.refusal(), (409, Code::ADMIT_E_KEY_EXISTS), "{field}");
        assert!(String::from_utf8_lossy(&answer.body).contains("already registered"), "{answer:?}");
    }
}

#[tokio::test]
async fn without_a_token_that_holds_nothing_happens() {
    let (running, token) = start().await;
    let old = running.home.make_operator_token("old", Duration::ZERO, START, &mut Seeded::new(10)).await.unwrap();
    let revoked = running.home.make_operator_token("gone", DAY, START, &mut Seeded::new(11)).await.unwrap();
    assert!(running.home.revoke_operator_token("gone", START).await.unwrap());
    let entitlement = running.token(&["*"], None).await;
    let changed = format!("{}A", &token[..token.len() - 1]);
    let body = registration().to_string();
    for wrong in [None, Some(""), Some("x"), Some(&*changed), Some(&*old), Some(&*revoked), Some(&*entitlement)] {
        for (method, path) in [("PUT", format!("/v1/keys/{KEY_ID}")), ("POST", "/v1/headers".to_owned())] {
            let answer = call(&running, method, &path, wrong, body.as_bytes()).await;
            assert_eq!(answer.refusal(), (401, Code::ADMIT_E_OPERATOR_TOKEN), "{wrong:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(running.count("content-key-registered").await, 0);
}

#[tokio::test]
async fn an_operator_token_is_no_entitlement() {
    let (running, token) = start().await;
    assert_eq!(put(&running, &token, &registration()).await.status, 204);
    let client = running.enrol(1).await;
    let answer = running.ask(&client, &[KEY_ID.parse().unwrap()], Some(&token)).await;
    assert_eq!(answer.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID));
}

#[tokio::test]
async fn every_wrong_field_is_told_and_no_secret_is_quoted() {
    let (running, token) = start().await;
    for (field, value) in [
        ("key", json!("secret-that-is-too-short")),
        ("key", json!(123_456_789)),
        ("key", Value::Null),
        ("class", json!("other")),
        ("class", json!(1)),
        ("content_id", json!([])),
        ("minimum_application_level", json!(-1)),
        ("minimum_individualized_version", json!("2.4")),
        ("surplus", json!(1)),
    ] {
        let mut changed = registration();
        changed[field] = value;
        let answer = put(&running, &token, &changed).await;
        assert_eq!(answer.refusal(), (400, Code::ADMIT_E_MALFORMED_MESSAGE), "{field}");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("secret-that") && !text.contains("123456789"), "{text}");
    }
    for path in ["/v1/keys/x", "/v1/keys/%7B07%7D", "/v1/keys/%ff"] {
        let answer = call(&running, "PUT", path, Some(&token), registration().to_string().as_bytes()).await;
        assert_eq!(answer.refusal(), (400, Code::ADMIT_E_ADDRESS_MALFORMED), "{path}");
    }
    let long = vec![b' '; 20_000];
    let answer = call(&running, "PUT", &format!("/v1/keys/{KEY_ID}"), Some(&token), &long).await;
    assert_eq!(answer.refusal(), (413, Code::ADMIT_E_BODY_TOO_LONG));
    assert_eq!(running.count("content-key-registered").await, 0);
}

#[tokio::test]
async fn what_cannot_be_done_is_told_by_what_is_wrong_with_it() {
    let (running, token) = start().await;
    let told = |answer: &Answer, part: &str| {
        assert_eq!(answer.refusal(), (400, Code::ADMIT_E_REQUEST));
        assert!(String::from_utf8_lossy(&answer.body).contains(part), "{part}: {answer:?}");
    };
    for wrong in ["", "a\u{0}b", " song", &"s".repeat(257)] {
        told(
            &put(&running, &token, &with(registration(), "content_id", wrong)).await,
            "a content id has 1 to 256 characters",
        );
        told(
            &header(&running, &token, &with(header_request(), "content_id", wrong)).await,
            "a content id has 1 to 256",
        );
    }
    told(&put(&running, &token, &with(registration(), "title", "a\u{7f}b")).await, "a title has 1 to 500 characters");
    for wrong in
        ["shop.example", "ftp://shop.example", "https://", "https://shop.example/a page", "javascript:alert(1)"]
    {
        let answer = header(&running, &token, &with(header_request(), "license_page", wrong)).await;
        told(&answer, "the license page is not an absolute http or https address");
    }
    assert_eq!(put(&running, &token, &with(registration(), "content_id", &"s".repeat(256))).await.status, 204);
}

fn with(mut body: Value, member: &str, value: &str) -> Value {
    body[member] = value.into();
    body
}

async fn header(running: &Running, token: &str, body: &Value) -> Answer {
    call(running, "POST", "/v1/headers", Some(token), body.to_string().as_bytes()).await
}

#[tokio::test]
async fn a_home_without_a_public_address_signs_no_header() {
    let running = Running::start().await;
    let token = make(&running, "packager").await;
    let body = header_request().to_string();
    let answer = call(&running, "POST", "/v1/headers", Some(&token), body.as_bytes()).await;
    assert_eq!(answer.status, 500);
}

#[tokio::test]
async fn tokens_have_names_of_their_own_and_are_kept_as_hashes() {
    let (running, token) = start().await;
    let mut entropy = Seeded::new(1);
    let mut again = async |name: &str| running.home.make_operator_token(name, DAY, START, &mut entropy).await;
    for name in ["packager", "", "a\nb", &"x".repeat(81)] {
        assert!(again(name).await.is_err(), "{name:?}");
    }
    again("other").await.unwrap();
    let names: Vec<String> =
        running.home.operator_tokens().await.unwrap().into_iter().map(|token| token.name).collect();
    assert_eq!(names, ["other", "packager"]);
    assert!(!running.home.revoke_operator_token("nobody", START).await.unwrap());
    running.home.close().await;
    assert!(database_contains(&running.path, b"packager"));
    assert!(!database_contains(&running.path, token.trim_start_matches("admit_operator_").as_bytes()));
}
