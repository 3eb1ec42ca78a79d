//! Entitlement tokens.

use admit_protocol::Code;
use admit_server::Error;
use admit_server::token::TokenRequest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::harness::{DAY, Running, START, Seeded, challenge, token_request};

#[tokio::test]
async fn every_changed_character_of_a_token_is_refused() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    for at in (0..token.len()).step_by(2) {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&changed), 1));
        let answer = running.acquire(&sealed, Some(&changed)).await;
        assert_eq!(answer.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID), "character {at}");
    }
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn the_algorithm_is_the_keys_and_not_the_tokens() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    let mut parts = token.split('.');
    let header = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
    let mut header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "ES256");
    let rest: Vec<&str> = parts.collect();
    for algorithm in ["none", "HS256", "ES384", "es256"] {
        header["alg"] = algorithm.into();
        for signature in [rest[1], ""] {
            let changed = format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()), rest[0]);
            let answer = running.ask(&client, &[key_id], Some(&changed)).await;
            assert_eq!(answer.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID), "{algorithm}");
        }
    }
}

#[tokio::test]
async fn a_token_of_another_realm_is_refused() {
    let (here, there) = (Running::start().await, Running::with_seed(2).await);
    let (client, key_id) = (here.enrol(1).await, here.register(1, "song", false).await);
    let token = there.token(&["*"], None).await;
    assert_eq!(here.ask(&client, &[key_id], Some(&token)).await.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID));
}

#[tokio::test]
async fn a_token_lives_no_longer_than_the_operator_allows() {
    let running = Running::start_with("[tokens]\nmaximum_lifetime_days = 2\n", |server| server).await;
    let request = |lifetime| TokenRequest { lifetime, ..token_request(&["*"]) };
    running.home.mint_token(&request(DAY * 2), START, &mut Seeded::new(1)).await.unwrap();
    let error = running.home.mint_token(&request(DAY * 3), START, &mut Seeded::new(1)).await.unwrap_err();
    assert!(matches!(error, Error::TokenLifetime { asked_days: 3, limit_days: 2 }), "{error}");
}

#[tokio::test]
async fn a_token_that_would_be_refused_is_not_made() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let request = |subject: &str| TokenRequest { subject: subject.into(), ..token_request(&["song"]) };
    for subject in ["a\u{0}b", "a\nb", &"x".repeat(257), &"x".repeat(9_000)] {
        let error = running.home.mint_token(&request(subject), START, &mut Seeded::new(5)).await.unwrap_err();
        assert!(matches!(error, Error::Unrecordable { what: "a token's subject", limit: 256 }), "{subject:?}: {error}");
    }
    assert_eq!(running.count("token-made").await, 0);
    let token = running.home.mint_token(&request(&"x".repeat(256)), START, &mut Seeded::new(5)).await.unwrap();
    assert_eq!(running.ask(&client, &[key_id], Some(&token)).await.status, 200);
}
