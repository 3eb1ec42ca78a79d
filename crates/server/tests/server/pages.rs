//! Pages: what they say, and the headers they say it with.

use admit_license::{KeyId, Rights, Terms};
use admit_server::content::{Content, KeyClass};
use admit_server::policy::{Fault, Policy, PolicyRefusal, PolicyRequest};

use crate::harness::{Answer, DAY, Running, START, Seeded, connect, content, content_key, send};

async fn get(running: &Running, path: &str) -> Answer {
    send(&mut connect(running.address).await, "GET", path, &[], b"").await
}

async fn text(running: &Running, path: &str, status: u16) -> String {
    let answer = get(running, path).await;
    assert_eq!(answer.status, status, "{path}");
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert!(answer.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none';"));
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(!text.contains("<script") && !text.contains("style="), "{text}");
    text
}

async fn register(running: &Running, content: &Content) {
    let (key, entropy) = (content_key(1), &mut Seeded::new(2));
    running.home.register_content_key(content, &key, START, entropy).await.unwrap();
}

fn path_of(content: &Content) -> String {
    format!("/license?kid={}", content.key_id)
}

#[tokio::test]
async fn the_license_page_says_what_a_license_will_allow() {
    let running = Running::start().await;
    let plain = Content { title: Some("<b>Tom & Jerry</b>".into()), ..content(1, "film", false) };
    let (version, level) = (Some("2.4.0.1".parse().unwrap()), Some(1000));
    let strict = Content {
        title: None,
        minimum_individualized_version: version,
        minimum_application_level: level,
        ..content(2, "strict", true)
    };
    let shown = Content { class: KeyClass::ClearKey, ..content(3, "clip", true) };
    for content in [&plain, &strict, &shown] {
        register(&running, content).await;
    }
    let page = text(&running, &path_of(&plain), 200).await;
    assert!(page.contains("Play it.") && page.contains("does not keep to SDMI"), "{page}");
    assert!(!page.contains("Burn it") && !page.contains("Save it"), "{page}");
    assert!(page.contains("does not expire") && page.contains("An entitlement token"), "{page}");
    assert!(!page.contains("<b>") && page.contains("Tom &#38; Jerry"), "{page}");
    assert!(!page.contains("film"), "what the operator calls it is not told");
    let page = text(&running, &path_of(&strict), 200).await;
    assert!(page.contains("Untitled content") && page.contains("2.4.0.1") && page.contains("level 1000"), "{page}");
    assert!(page.contains("everybody is given it"), "{page}");
    let page = text(&running, &path_of(&shown), 200).await;
    assert!(page.contains("for web browsers") && !page.contains("What a license will allow"), "{page}");
}

#[tokio::test]
async fn the_license_page_of_unknown_content_is_missing() {
    let running = Running::start().await;
    let unknown = format!("/license?kid={}", KeyId::from_bytes([9; 16]));
    for path in ["/license", "/license?kid=", "/license?kid=%3Cscript%3E", &unknown] {
        let page = text(&running, path, 404).await;
        assert!(page.contains("No such content"), "{page}");
    }
}

/// A rental for whoever has a token, and a page for everybody else.
#[derive(Debug)]
struct Own;

impl Policy for Own {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        if request.entitlement.is_none() {
            let address = Some("https://shop.example.org/in".to_owned());
            return Err(PolicyRefusal::Asked { reason: "<Sign in> first.".into(), address });
        }
        let rental = Terms {
            rights: Rights::PLAY,
            begin: Some(request.now),
            expiry: Some(request.now.saturating_add(DAY * 30)),
            expiry_after_first_use_secs: Some(48 * 3600),
            ..draft.clone()
        };
        let once = Terms { rights: Rights::BURN_TO_CD | Rights::NO_RECOVERY, burn_count: Some(1), ..draft };
        Ok(vec![rental, once])
    }
}

#[tokio::test]
async fn b06_the_page_says_what_the_operators_own_policy_would_give() {
    let running = Running::with_policy(Own).await;
    let content = content(1, "film", false);
    register(&running, &content).await;
    let page = text(&running, &path_of(&content), 200).await;
    let ends = START.saturating_add(DAY * 30).to_string();
    let told = [
        "given 2 licenses",
        "Play it.",
        "48 hours after its first use",
        &ends,
        "burn it to CDs once",
        "cannot be recovered",
    ];
    for told in told {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert_eq!(page.matches("It does not expire.").count(), 1, "of the second alone");
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn b06_the_page_names_the_page_that_comes_first_and_escapes_what_the_policy_says() {
    let running = Running::with_policy(Own).await;
    let content = content(1, "film", true);
    register(&running, &content).await;
    let page = text(&running, &path_of(&content), 200).await;
    assert!(
        page.contains("href=\"https://shop.example.org/in\"") && page.contains("&#60;Sign in&#62; first."),
        "{page}"
    );
    assert!(!page.contains("Play it."), "{page}");
}

/// A policy that fails.
#[derive(Debug)]
struct Broken;

impl Policy for Broken {
    fn terms(&self, _: &PolicyRequest<'_>, _: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        Err(PolicyRefusal::Failed(Fault::somewhere("line 3 of the script")))
    }
}

#[tokio::test]
async fn b06_of_a_policy_that_does_not_work_the_page_promises_nothing() {
    let running = Running::with_policy(Broken).await;
    let content = content(1, "film", false);
    register(&running, &content).await;
    let page = text(&running, &path_of(&content), 200).await;
    assert!(page.contains("decides it for each request") && !page.contains("line 3"), "{page}");
}

#[tokio::test]
async fn privacy_and_the_style_sheet_are_there() {
    let running = Running::start().await;
    assert!(text(&running, "/privacy", 200).await.contains("kept for good"));
    let style = get(&running, "/pages.css").await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_status_page_says_what_readiness_says_and_why() {
    let mut server = None;
    let running = Running::start_with("", |new| server.insert(new).clone()).await;
    let same = async |status: u16, told: &str| {
        let page = text(&running, "/status", status).await;
        assert!(page.contains(told), "{page}");
        assert_eq!(get(&running, "/ready").await.status, status);
        page
    };
    let page = same(200, "The service works").await;
    assert!(page.contains(&running.home.realm().to_string()) && !page.contains("go on working"), "{page}");
    let left = running.home.services_end_at().saturating_since(START);
    running.clock.advance(left);
    let page = same(503, "A certificate of the service has ended.").await;
    assert!(page.contains("The service does not work") && !page.contains("database"), "{page}");
    running.clock.set_back(left);
    same(200, "The service works").await;
    server.unwrap().announce_stop();
    same(503, "It is being stopped.").await;
    running.home.close().await;
    same(503, "Its database does not answer.").await;
}
