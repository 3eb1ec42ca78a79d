//! The acquisition script of the settings: taken over while the server runs, and what happens when it does not work.

use admit_license::{KeyId, LicenseId};
use admit_protocol::acquire::HeldElement;
use admit_protocol::{Code, Problem};
use hyper::StatusCode;
use serde_json::Value;

use crate::harness::{Running, TestClient, connect, exchange, send};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
const SETTINGS: &str = "[policy]\nscript = \"policy.rhai\"";

/// Writes the script, and lets it stand as long as it must.
async fn take_over(running: &Running, script: &str) {
    std::fs::write(running.path.join("policy.rhai"), script).unwrap();
    for _ in 0..2 {
        running.clock.advance(SECOND);
        ready(running).await;
    }
}

async fn ready(running: &Running) -> Value {
    let answer = send(&mut connect(running.address).await, "GET", "/ready", &[], b"").await;
    assert_eq!(answer.status, StatusCode::OK);
    serde_json::from_slice(&answer.body).unwrap()
}

async fn metrics(running: &Running) -> String {
    let answer = exchange(&mut connect(running.address).await, "GET", "/metrics", &[], b"").await;
    String::from_utf8(answer.body).unwrap()
}

/// The rights of what a new challenge gets.
async fn rights(running: &Running, client: &TestClient, key_id: KeyId, nonce: u8) -> Vec<u32> {
    let challenge = crate::harness::challenge(&running.realm, &[key_id], None, nonce);
    let sealed = running.seal(client, &challenge);
    let answer = running.acquire(&sealed, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let licenses = running.verify(client, &sealed, &answer.body);
    licenses.iter().map(|license| license.terms().rights.bits()).collect()
}

#[tokio::test]
async fn b06_a_new_home_has_the_default_script_and_it_gives_the_default() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    assert_eq!(rights(&running, &client, key_id, 1).await, [3]);
}

#[tokio::test]
async fn b06_a_changed_script_is_taken_over_when_it_has_stood_still_for_a_second() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    assert_eq!(rights(&running, &client, key_id, 1).await, [3]);
    std::fs::write(running.path.join("policy.rhai"), "license.rights = \"play\";").unwrap();
    assert_eq!(rights(&running, &client, key_id, 2).await, [3], "it is looked at once a second");
    running.clock.advance(SECOND);
    assert_eq!(rights(&running, &client, key_id, 3).await, [3], "somebody may be writing it");
    running.clock.advance(SECOND);
    assert_eq!(rights(&running, &client, key_id, 4).await, [1]);
    assert!(metrics(&running).await.contains("admit_policy_loads_total 2"));
}

#[tokio::test]
async fn b06_a_broken_script_does_not_replace_a_good_one_and_is_told() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    take_over(&running, "license.rights = \"play\";").await;
    for (nonce, broken) in [(1, "license.rights = "), (2, ""), (3, "license.rights = \"play\"; let a = b;")] {
        take_over(&running, broken).await;
        assert_eq!(rights(&running, &client, key_id, nonce).await, [1], "{broken:?}");
        assert_eq!(ready(&running).await["policy"], false);
        assert!(metrics(&running).await.contains("admit_policy_broken 1"));
    }
    take_over(&running, "license.rights = \"play, burn-to-cd\";").await;
    assert_eq!(rights(&running, &client, key_id, 4).await, [9]);
    assert_eq!(ready(&running).await["policy"], true);
    std::fs::remove_file(running.path.join("policy.rhai")).unwrap();
    running.clock.advance(SECOND);
    ready(&running).await;
    running.clock.advance(SECOND);
    assert_eq!(rights(&running, &client, key_id, 5).await, [9]);
    assert_eq!(ready(&running).await["policy"], false);
}

#[tokio::test]
async fn b06_a_server_whose_script_was_never_good_issues_nothing() {
    let running = Running::start_with("[policy]\nscript = \"absent.rhai\"", |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    assert_eq!(running.ask(&client, &[key_id], None).await.refusal(), (500, Code::ADMIT_E_POLICY_FAILED));
    assert_eq!(ready(&running).await["policy"], false);
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn b06_a_script_that_compiles_and_does_not_work_is_not_taken_over() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    take_over(&running, "license.rights = \"play\";").await;
    let broken = [
        "license.rights = [128, 0, 0, 0, 0, 0, 0, 0];",
        "license.one_time = true; license.play_count = 2;",
        "license.play_cuont = 1;",
        "5",
        "loop {}",
        "if client.clock == \"none\" { license.days = 0; }",
        // Its function contradicts itself.
        "let a = []; for i in 0..60 { a.push((i * 7919) % 401); }\n\
         a.sort(|x, y| { let h = (x * 2654435 + y * 40503) % 1013; if h > 506 { 1 } else { -1 } });",
    ];
    for (nonce, broken) in (1..).zip(broken) {
        take_over(&running, broken).await;
        assert_eq!(rights(&running, &client, key_id, nonce).await, [1], "{broken:?}");
        assert_eq!(ready(&running).await["policy"], false, "{broken:?}");
        assert!(metrics(&running).await.contains("admit_policy_broken 1"));
    }
    take_over(&running, "license.rights = \"play, burn-to-cd\";").await;
    assert_eq!(rights(&running, &client, key_id, 99).await, [9]);
    assert_eq!(ready(&running).await["policy"], true);
}

#[tokio::test]
async fn b06_a_script_that_fails_is_in_the_audit_record_with_its_place_once_a_minute() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    // Trials do not come to everything: no content of theirs has this id.
    take_over(&running, "if content.id == \"song\" {\nlicense.rights = [128, 0, 0, 0, 0, 0, 0, 0]; }").await;
    assert_eq!(ready(&running).await["policy"], true);
    for _ in 0..3 {
        let answer = running.ask(&client, &[key_id], None).await;
        assert_eq!(answer.refusal(), (500, Code::ADMIT_E_POLICY_FAILED));
        assert!(!String::from_utf8_lossy(&answer.body).contains("byte 0"), "the reason is for the operator");
    }
    assert_eq!((running.count("licenses-issued").await, running.count("policy-failed").await), (0, 1));
    let entries = running.home.audit(0, 1000).await.unwrap();
    let entry = entries.iter().find(|entry| entry.event == "policy-failed").unwrap();
    let reason = "policy.rhai, line 2, column 9: rights: byte 0 of the rights";
    assert!(entry.detail_json.contains(reason), "{}", entry.detail_json);
    assert_eq!(entry.subject, client.fingerprint().to_string());
    running.clock.advance(60 * SECOND);
    running.ask(&client, &[key_id], None).await;
    assert_eq!(running.count("policy-failed").await, 2);
    take_over(&running, "if content.id == \"song\" {\n5 }").await;
    running.clock.advance(60 * SECOND);
    running.ask(&client, &[key_id], None).await;
    let entries = running.home.audit(0, 1000).await.unwrap();
    let reason = "policy.rhai, line 2, column 1: the script ended with i64";
    assert!(entries.iter().any(|entry| entry.detail_json.contains(reason)));
}

#[tokio::test]
async fn b06_held_counts_the_licenses_for_the_key_that_is_decided_on() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let client = running.enrol(1).await;
    let keys = [running.register(1, "song", true).await, running.register(2, "film", true).await];
    take_over(&running, "license.play_count = 1 + request.held;").await;
    let held = |key_id, number| HeldElement { key_id, license: LicenseId::from_bytes([number; 16]) };
    let mut challenge = crate::harness::challenge(&running.realm, &keys, None, 1);
    challenge.held = vec![held(keys[0], 1), held(keys[0], 2), held(KeyId::from_bytes([9; 16]), 3)];
    let sealed = running.seal(&client, &challenge);
    let answer = running.acquire(&sealed, None).await;
    let licenses = running.verify(&client, &sealed, &answer.body);
    let counts: Vec<_> = licenses.iter().map(|license| (license.terms().key_id, license.terms().play_count)).collect();
    assert_eq!(counts, [(keys[0], Some(3)), (keys[1], Some(1))]);
}

#[tokio::test]
async fn b06_a_refusal_reaches_the_buyer_with_the_address_to_go_to() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    take_over(&running, "refuse(\"Buy it first.\", \"https://shop.example.org\");").await;
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal(), (403, Code::ADMIT_E_POLICY_REFUSED));
    let problem = Problem::from_json(&answer.body).unwrap();
    assert_eq!(problem.detail, "no license is issued: Buy it first. (https://shop.example.org)");
    assert_eq!(running.count("policy-failed").await, 0, "a refusal is no failure");
}

#[tokio::test]
async fn b09_several_licenses_for_a_key_arrive_with_ids_of_their_own() {
    let running = Running::start_with(SETTINGS, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let script = "let play = new_license();\nplay.rights = \"play\";\nplay.days = 30;\nlet copy = new_license();\n\
                  copy.rights = \"transfer-to-non-sdmi\";\ncopy.one_time = true;\n[play, copy]";
    take_over(&running, script).await;
    let sealed = running.seal(&client, &crate::harness::challenge(&running.realm, &[key_id], None, 1));
    let answer = running.acquire(&sealed, None).await;
    let licenses = running.verify(&client, &sealed, &answer.body);
    assert_eq!(licenses.iter().map(|license| license.terms().rights.bits()).collect::<Vec<_>>(), [1, 34]);
    assert_ne!(licenses[0].terms().id, licenses[1].terms().id);
    assert!(licenses[0].terms().expiry.is_some() && licenses[1].terms().expiry.is_none());
    let again = running.acquire(&sealed, None).await;
    let repeated = running.verify(&client, &sealed, &again.body);
    let ids = |licenses: &[admit_license::VerifiedLicense]| {
        licenses.iter().map(|license| license.terms().id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&repeated), ids(&licenses), "a retry gets the same ones");
}
