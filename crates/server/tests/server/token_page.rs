//! A token that is pasted into the license page: what it would give, why it does not hold, and that nothing comes of it.

use core::fmt::Write as _;
use core::num::NonZeroU32;

use admit_crypto::Digest;
use admit_license::{KeyId, Rights, Terms};
use admit_protocol::Code;
use admit_server::policy::{Policy, PolicyRefusal, PolicyRequest};
use admit_server::token::TokenRequest;

use crate::harness::{Answer, DAY, Running, START, Seeded, challenge, connect, database_contains, send, token_request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn post(running: &Running, key_id: KeyId, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    send(&mut connect(running.address).await, "POST", &format!("/license?kid={key_id}"), headers, body).await
}

fn form(token: &str) -> String {
    token.bytes().fold("token=".to_owned(), |mut form, byte| {
        write!(form, "%{byte:02X}").unwrap();
        form
    })
}

/// What the page says of a token.
async fn pasted(running: &Running, key_id: KeyId, token: &str) -> String {
    let answer = post(running, key_id, &[FORM], form(token).as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let page = String::from_utf8(answer.body).unwrap();
    assert!(!page.contains("<script") && !page.contains("style="), "{page}");
    assert!(token.trim().is_empty() || !page.contains(token.trim()), "the token is not shown again");
    page
}

async fn minted(running: &Running, request: TokenRequest, seed: u64) -> String {
    running.home.mint_token(&request, START, &mut Seeded::new(seed)).await.unwrap()
}

/// Golden buyers rent; the others are told what they are.
#[derive(Debug)]
struct ByPlan;

impl Policy for ByPlan {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let plan = request.entitlement.and_then(|claims| claims.policy.get("plan")?.as_str());
        match plan {
            Some("gold") => Ok(vec![Terms {
                rights: Rights::PLAY,
                begin: Some(request.now),
                expiry: Some(request.now.saturating_add(DAY * 30)),
                ..draft
            }]),
            other => Err(PolicyRefusal::Refused { reason: format!("{other:?} is not golden."), address: None }),
        }
    }
}

fn with_plan(plan: &str) -> TokenRequest {
    let policy = serde_json::Map::from_iter([("plan".to_owned(), plan.into())]);
    TokenRequest { policy, ..token_request(&["film"]) }
}

#[tokio::test]
async fn b06_the_page_says_what_the_policy_would_give_to_a_token_and_keeps_nothing() {
    let running = Running::with_policy(ByPlan).await;
    let key_id = running.register(1, "film", false).await;
    let gold = minted(&running, with_plan("gold"), 1).await;
    let html = minted(&running, with_plan("<b onclick=x>"), 2).await;
    let entries = running.home.audit(0, 100).await.unwrap().len();
    let page = pasted(&running, key_id, &gold).await;
    let (good, ends) = (START.saturating_add(DAY), START.saturating_add(DAY * 30));
    for told in
        ["It opens this content.", &format!("good until {good}."), "With your token", &format!("end at {ends}.")]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("buyer-1") && !page.contains("film"), "what the seller calls both is not told: {page}");
    let page = pasted(&running, key_id, &html).await;
    assert!(page.contains("is not golden.") && page.contains("&#60;b onclick=x&#62;"), "{page}");
    assert!(!page.contains("<b onclick"), "{page}");
    assert_eq!(running.home.audit(0, 100).await.unwrap().len(), entries);
    assert_eq!(running.count("licenses-issued").await, 0);
    let (path, signature) = (running.path.clone(), gold.rsplit_once('.').unwrap().1.to_owned());
    running.home.close().await;
    assert!(!database_contains(&path, signature.as_bytes()));
}

#[tokio::test]
async fn looking_at_a_token_is_no_use_of_it() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "film", false).await);
    let uses = NonZeroU32::new(2);
    let token = minted(&running, TokenRequest { uses, ..token_request(&["film"]) }, 1).await;
    for (used, told) in
        ["It can be used 2 more times.", "It can be used once more.", "as often as it may be"].into_iter().enumerate()
    {
        for _ in 0..3 {
            let page = pasted(&running, key_id, &token).await;
            assert!(page.contains(told), "{told}: {page}");
        }
        if used < 2 {
            let nonce = u8::try_from(used).unwrap();
            let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), nonce));
            assert_eq!(running.acquire(&sealed, Some(&token)).await.status, 200);
        }
    }
    assert_eq!(running.count("licenses-issued").await, 2);
    let bound = running.token(&["film"], Some(Digest::from_bytes([7; 32]))).await;
    let page = pasted(&running, key_id, &bound).await;
    assert!(page.contains("It opens this content.") && page.contains("in one player only"), "{page}");
}

#[tokio::test]
async fn b06_the_page_says_why_a_token_does_not_hold() {
    let (running, there) = (Running::start().await, Running::with_seed(2).await);
    let key_id = running.register(1, "film", false).await;
    let token = running.token(&["film"], None).await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let changed = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{head}.{changed}{}", &signature[1..]);
    let no_token = "It is no entitlement token, or not the whole of one.";
    let by_whom = "It was not made by anybody whose tokens this service takes.";
    let cases = [
        ("", "Nothing was pasted."),
        (" \r\n", "Nothing was pasted."),
        ("<script>alert(1)</script>", no_token),
        ("a.b.c", no_token),
        (&token[..token.len() - 90], no_token),
        (&*"a".repeat(8 * 1024 + 1), "It is longer than any token."),
        (&*there.token(&["film"], None).await, by_whom),
        (&*changed, "It was changed since it was made"),
        (&*running.token(&["other"], None).await, "It is for other content."),
    ];
    for (token, why) in cases {
        let page = pasted(&running, key_id, token).await;
        assert!(page.contains("It does not open this content.") && page.contains(why), "{token}: {page}");
        // What another token would give stays there to read.
        assert!(page.contains("For a buyer whose token says nothing more") && page.contains("Play it."), "{page}");
    }
    let page = pasted(&running, key_id, &format!("  {token}\r\n")).await;
    assert!(page.contains("It opens this content."), "white space around it is no part of it: {page}");
    running.clock.advance(DAY);
    let page = pasted(&running, key_id, &token).await;
    assert!(page.contains(&format!("It was good until {}.", START.saturating_add(DAY))), "{page}");
}

#[tokio::test]
async fn forms_that_are_none_are_refused() {
    let running = Running::start().await;
    let key_id = running.register(1, "film", false).await;
    let body = form(&running.token(&["film"], None).await);
    let refused = async |headers: &[(&str, &str)], body: &[u8]| post(&running, key_id, headers, body).await.refusal();
    let malformed = (400, Code::ADMIT_E_MALFORMED_MESSAGE);
    for wrong in [&b""[..], b"other=1", b"token=a&token=b", b"\xff", b"{\"token\":\"a\"}"] {
        assert_eq!(refused(&[FORM], wrong).await, malformed, "{wrong:?}");
    }
    assert_eq!(refused(&[("content-type", "text/plain")], body.as_bytes()).await, (415, Code::ADMIT_E_CONTENT_TYPE));
    let long = format!("token={}", "a".repeat(32 * 1024));
    assert_eq!(refused(&[FORM], long.as_bytes()).await, (413, Code::ADMIT_E_BODY_TOO_LONG));
    assert_eq!(
        post(&running, key_id, &[], body.as_bytes()).await.status,
        200,
        "who says nothing of the type means this one"
    );
    let loud = ("content-type", "Application/X-WWW-Form-URLEncoded; charset=utf-8");
    assert_eq!(post(&running, key_id, &[loud], body.as_bytes()).await.status, 200);
    let unknown = KeyId::from_bytes([9; 16]);
    assert_eq!(post(&running, unknown, &[FORM], body.as_bytes()).await.status, 404);
}

#[tokio::test]
async fn the_form_is_where_a_token_is_needed_and_nowhere_else() {
    let running = Running::start().await;
    let (closed, open) = (running.register(1, "film", false).await, running.register(2, "open", true).await);
    for (key_id, is_there) in [(closed, true), (open, false)] {
        let path = format!("/license?kid={key_id}");
        let answer = send(&mut connect(running.address).await, "GET", &path, &[], b"").await;
        let page = String::from_utf8(answer.body).unwrap();
        assert_eq!(page.contains("<form method=\"post\""), is_there, "{page}");
        assert!(!is_there || page.contains(&format!("action=\"{path}\" autocomplete=\"off\"")), "{page}");
        assert_eq!(pasted(&running, key_id, "none").await.contains("It does not open this content."), is_there);
    }
    let answer = send(&mut connect(running.address).await, "GET", "/privacy", &[], b"").await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'none'"), "{policy}");
}
