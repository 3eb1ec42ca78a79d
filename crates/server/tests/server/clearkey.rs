//! ClearKey: what players send, what they get, what is refused, and what is written down.

use admit_license::KeyId;
use admit_protocol::Code;
use admit_server::content::{Content, KeyClass};
use admit_server::{CLEARKEY_PATH, Error};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Answer, DAY, Running, START, Seeded, connect, content, content_key, send};

/// A key id whose base64url and base64 differ, and which is padded.
const KEY_ID: [u8; 16] = [0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

async fn register(running: &Running, bytes: [u8; 16], content_id: &str, open: bool) -> KeyId {
    let key_id = KeyId::from_bytes(bytes);
    let content = Content { key_id, class: KeyClass::ClearKey, ..content(1, content_id, open) };
    running.home.register_content_key(&content, &content_key(bytes[15]), START, &mut Seeded::new(3)).await.unwrap();
    key_id
}

async fn post(running: &Running, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    send(&mut connect(running.address).await, "POST", CLEARKEY_PATH, headers, body).await
}

async fn ask(running: &Running, key_ids: &[[u8; 16]], token: Option<&str>) -> Answer {
    let kids: Vec<String> = key_ids.iter().map(|id| URL_SAFE_NO_PAD.encode(id)).collect();
    let body = json!({ "kids": kids, "type": "temporary" }).to_string();
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    post(running, &headers, body.as_bytes()).await
}

/// What Chromium sends for a player in a page of [`PAGE`]; the CLI's tests see the players themselves send it.
struct Player {
    name: &'static str,
    content_type: Option<&'static str>,
    /// What the preflight asks for.
    named_headers: &'static str,
}

impl Player {
    async fn preflight(&self, running: &Running, origin: &str) -> Answer {
        let headers = [
            ("accept", "*/*"),
            ("access-control-request-headers", self.named_headers),
            ("access-control-request-method", "POST"),
            ("origin", origin),
            ("sec-fetch-mode", "cors"),
        ];
        send(&mut connect(running.address).await, "OPTIONS", CLEARKEY_PATH, &headers, b"").await
    }

    async fn ask(&self, running: &Running, kid: &str, session: &str, token: Option<&str>) -> Answer {
        let body = format!(r#"{{"kids":["{kid}"],"type":"{session}"}}"#);
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("accept", "*/*"), ("origin", PAGE), ("sec-fetch-mode", "cors")];
        headers.extend(self.content_type.map(|value| ("content-type", value)));
        headers.extend(bearer.iter().map(|bearer| ("authorization", bearer.as_str())));
        post(running, &headers, body.as_bytes()).await
    }
}

const PAGE: &str = "https://player.example.org";
const PLAYERS: [Player; 4] = [
    Player { name: "Shaka Player", content_type: None, named_headers: "authorization" },
    Player { name: "dash.js", content_type: Some("application/json"), named_headers: "authorization,content-type" },
    Player { name: "hls.js", content_type: None, named_headers: "authorization" },
    Player {
        name: "Video.js",
        content_type: Some("application/octet-stream"),
        named_headers: "authorization,content-type",
    },
];

fn key_set(key_ids: &[[u8; 16]]) -> Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let key = |id: &[u8; 16]| json!({ "kty": "oct", "kid": encode(id), "k": encode(content_key(id[15]).expose()) });
    json!({ "keys": key_ids.iter().map(key).collect::<Vec<_>>(), "type": "temporary" })
}

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn every_form_that_players_send_is_answered_alike() {
    let running = Running::start().await;
    register(&running, KEY_ID, "clip", true).await;
    let (plain, padded) = ("----____AQIDBAUGBwgJCg", "----____AQIDBAUGBwgJCg==");
    let (base64, base64_padded) = ("++++////AQIDBAUGBwgJCg", "++++////AQIDBAUGBwgJCg==");
    let mut asked = 0;
    for kid in [plain, padded, base64, base64_padded] {
        for body in [
            json!({ "kids": [kid], "type": "temporary" }),
            json!({ "type": "temporary", "kids": [kid] }),
            json!({ "kids": [kid] }),
            json!({ "kids": [kid, kid], "type": "temporary", "surplus": 1 }),
        ] {
            for content_type in [None, Some("application/json"), Some("text/plain;charset=UTF-8"), Some("")] {
                let headers: Vec<_> = content_type.into_iter().map(|value| ("content-type", value)).collect();
                let answer = post(&running, &headers, body.to_string().as_bytes()).await;
                assert_eq!(json_of(&answer), key_set(&[KEY_ID]), "{body} {content_type:?}");
                asked += 1;
            }
        }
    }
    assert_eq!(running.count("clearkey-keys-given").await, asked);
}

#[tokio::test]
async fn each_player_is_answered_as_it_asks_and_reads_why_where_one_thing_is_wrong() {
    let settings = format!("[cors]\norigins = [{PAGE:?}]\n");
    let running = Running::start_with(&settings, |server| server).await;
    register(&running, KEY_ID, "film", false).await;
    let (token, other) = (running.token(&["film"], None).await, running.token(&["other"], None).await);
    let (kid, short) = (URL_SAFE_NO_PAD.encode(KEY_ID), URL_SAFE_NO_PAD.encode(&KEY_ID[1..]));
    for player in &PLAYERS {
        let name = player.name;
        let preflight = player.preflight(&running, PAGE).await;
        assert_eq!(preflight.headers["access-control-allow-origin"], PAGE, "{name}");
        assert_eq!(preflight.headers["access-control-allow-headers"], player.named_headers, "{name}");
        let stranger = player.preflight(&running, "https://evil.example").await;
        assert!(!stranger.headers.contains_key("access-control-allow-origin"), "{name}");

        let answer = player.ask(&running, &kid, "temporary", Some(&token)).await;
        assert_eq!(json_of(&answer), key_set(&[KEY_ID]), "{name}");
        assert_eq!(answer.headers["access-control-allow-origin"], PAGE, "{name}");
        for (kid, session, token, refusal) in [
            (&kid, "temporary", None, (401, Code::ADMIT_E_TOKEN_REQUIRED)),
            (&kid, "temporary", Some(&other), (403, Code::ADMIT_E_TOKEN_NOT_FOR_CONTENT)),
            (&kid, "persistent-license", Some(&token), (403, Code::ADMIT_E_NOT_FOR_CLEARKEY)),
            (&short, "temporary", Some(&token), (400, Code::ADMIT_E_MALFORMED_MESSAGE)),
        ] {
            let answer = player.ask(&running, kid, session, token.map(String::as_str)).await;
            assert_eq!(answer.refusal(), refusal, "{name}");
            assert_eq!(answer.headers["access-control-allow-origin"], PAGE, "{name}");
        }
    }
    assert_eq!(running.count("clearkey-keys-given").await, PLAYERS.len());
}

#[tokio::test]
async fn a_token_opens_what_it_is_for_and_the_record_names_the_buyer() {
    let running = Running::start().await;
    let (film, other) = ([1; 16], [2; 16]);
    register(&running, film, "film", false).await;
    register(&running, other, "other", false).await;
    let token = running.token(&["film"], None).await;
    assert_eq!(json_of(&ask(&running, &[film], Some(&token)).await), key_set(&[film]));
    let entries = running.home.audit(0, 100).await.unwrap();
    let entry = entries.last().unwrap();
    assert_eq!((&*entry.event, &*entry.subject), ("clearkey-keys-given", "buyer-1"));
    let detail: Value = serde_json::from_str(&entry.detail_json).unwrap();
    assert_eq!(detail["keys"], json!([{ "key_id": KeyId::from_bytes(film).to_string(), "content": "film" }]));
    let [key] = &running.home.token_key_list(START).await.unwrap()[..] else { panic!() };
    assert!(detail["token"].is_string());
    assert_eq!((&detail["iss"], &detail["kid"]), (&key.issuer.clone().into(), &key.kid.clone().into()));

    assert_eq!(ask(&running, &[film], None).await.refusal(), (401, Code::ADMIT_E_TOKEN_REQUIRED));
    let for_both = ask(&running, &[film, other], Some(&token)).await;
    assert_eq!(for_both.refusal(), (403, Code::ADMIT_E_TOKEN_NOT_FOR_CONTENT));
    let other_token = running.token(&["other"], None).await;
    let signature = other_token.rsplit_once('.').unwrap().1;
    let changed = format!("{}.{signature}", token.rsplit_once('.').unwrap().0);
    assert_eq!(ask(&running, &[film], Some(&changed)).await.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID));
    running.clock.advance(DAY);
    assert_eq!(ask(&running, &[film], Some(&token)).await.refusal(), (401, Code::ADMIT_E_TOKEN_EXPIRED));
    assert_eq!(running.count("clearkey-keys-given").await, 1);
}

#[tokio::test]
async fn a_token_is_counted_only_where_it_opens_something() {
    let config = "[licenses]\nper_token_per_hour = 60\ntoken_burst = 1\n";
    let running = Running::start_with(config, |server| server).await;
    register(&running, [1; 16], "film", false).await;
    register(&running, [2; 16], "other", false).await;
    let token = running.token(&["film"], None).await;
    for _ in 0..3 {
        let answer = ask(&running, &[[2; 16]], Some(&token)).await;
        assert_eq!(answer.refusal(), (403, Code::ADMIT_E_TOKEN_NOT_FOR_CONTENT));
    }
    assert_eq!(ask(&running, &[[1; 16]], Some(&token)).await.status, StatusCode::OK);
    assert_eq!(ask(&running, &[[1; 16]], Some(&token)).await.refusal(), (429, Code::ADMIT_E_RATE_LIMITED));
}

#[tokio::test]
async fn a_token_bound_to_a_client_is_of_no_use_to_a_browser() {
    let running = Running::start().await;
    register(&running, [1; 16], "film", false).await;
    let client = running.enrol(1).await;
    let token = running.token(&["film"], Some(client.thumbprint())).await;
    assert_eq!(ask(&running, &[[1; 16]], Some(&token)).await.refusal(), (403, Code::ADMIT_E_TOKEN_BOUND_ELSEWHERE));
    assert_eq!(running.count("clearkey-keys-given").await, 0);
}

#[tokio::test]
async fn a_key_for_licenses_is_never_shown_and_a_shown_key_is_in_no_license() {
    let running = Running::start().await;
    let licensed = running.register(9, "film", true).await;
    register(&running, [1; 16], "clip", true).await;
    let token = running.token(&["*"], None).await;
    for token in [None, Some(&*token)] {
        for asked in [vec![[9; 16]], vec![[1; 16], [9; 16]]] {
            assert_eq!(ask(&running, &asked, token).await.refusal(), (403, Code::ADMIT_E_NOT_FOR_CLEARKEY));
        }
    }
    let client = running.enrol(1).await;
    let answer = running.ask(&client, &[licensed, KeyId::from_bytes([1; 16])], None).await;
    assert_eq!(answer.refusal(), (404, Code::ADMIT_E_UNKNOWN_KEY_ID));
    assert_eq!(running.count("clearkey-keys-given").await, 0);
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_not_recorded() {
    let running = Running::start().await;
    register(&running, KEY_ID, "clip", true).await;
    let kid = URL_SAFE_NO_PAD.encode(KEY_ID);
    let many: Vec<String> = (0..65_u8).map(|number| URL_SAFE_NO_PAD.encode([number; 16])).collect();
    for body in [
        String::new(),
        "{}".into(),
        "[]".into(),
        "null".into(),
        json!({ "kids": [] }).to_string(),
        json!({ "kids": kid }).to_string(),
        json!({ "kids": ["AAAA"] }).to_string(),
        json!({ "kids": ["*"] }).to_string(),
        json!({ "kids": [1] }).to_string(),
        json!({ "kids": [format!("{kid}AA")] }).to_string(),
        json!({ "kids": [kid], "type": "other" }).to_string(),
        json!({ "kids": many }).to_string(),
        json!({ "kids": [kid] }).to_string().replace('}', ""),
    ] {
        let answer = post(&running, &[], body.as_bytes()).await;
        assert_eq!(answer.refusal(), (400, Code::ADMIT_E_MALFORMED_MESSAGE), "{body}");
    }
    let none = post(&running, &[], br#"{"kids":[]}"#).await;
    assert!(String::from_utf8_lossy(&none.body).contains("kids is empty"), "{none:?}");
    let long = format!("{}{}", json!({ "kids": [kid] }), " ".repeat(17_000));
    assert_eq!(post(&running, &[], long.as_bytes()).await.refusal(), (413, Code::ADMIT_E_BODY_TOO_LONG));
    let keep = json!({ "kids": [kid], "type": "persistent-license" }).to_string();
    assert_eq!(post(&running, &[], keep.as_bytes()).await.refusal(), (403, Code::ADMIT_E_NOT_FOR_CLEARKEY));
    assert_eq!(ask(&running, &[[7; 16]], None).await.refusal(), (404, Code::ADMIT_E_UNKNOWN_KEY_ID));
    assert_eq!(running.count("clearkey-keys-given").await, 0);
}

#[tokio::test]
async fn a_key_with_a_least_level_or_version_is_not_registered_for_clearkey() {
    let running = Running::start().await;
    let plain = Content { class: KeyClass::ClearKey, ..content(1, "film", true) };
    let level = Content { minimum_application_level: Some(0), ..plain.clone() };
    let version = Content { minimum_individualized_version: Some("2.4.0.1".parse().unwrap()), ..plain };
    for content in [level, version] {
        let (key, entropy) = (content_key(1), &mut Seeded::new(3));
        let error = running.home.register_content_key(&content, &key, START, entropy).await.unwrap_err();
        assert!(matches!(error, Error::ClearKeyMinimum), "{error}");
    }
    let token = running.home.make_operator_token("encoder", DAY, START, &mut Seeded::new(9)).await.unwrap();
    let bearer = format!("Bearer {token}");
    let body = json!({ "key": "00112233445566778899aabbccddeeff", "class": "clearkey", "content_id": "film",
        "minimum_application_level": 150 });
    let path = format!("/v1/keys/{}", KeyId::from_bytes([1; 16]));
    let (mut connection, body) = (connect(running.address).await, body.to_string());
    let answer = send(&mut connection, "PUT", &path, &[("authorization", &bearer)], body.as_bytes()).await;
    assert_eq!(answer.refusal(), (400, Code::ADMIT_E_NOT_FOR_CLEARKEY));
    assert_eq!(running.count("content-key-registered").await, 0);
}
