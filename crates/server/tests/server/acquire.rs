//! License acquisition.

use admit_crypto::{Digest, SecretScalar};
use admit_license::{RightsArray, Terms, final_rights};
use admit_protocol::Code;
use admit_server::policy::{Fault, Policy, PolicyRefusal, PolicyRequest};
use admit_server::{Error, Revocation};
use admit_trust::{ComponentVersion, Issuer, Role, Subject};
use hyper::StatusCode;

use crate::harness::{
    ClientKeys, DAY, PROVIDER, Running, START, Seeded, TestClient, challenge, content, content_key, execute,
};

#[tokio::test]
async fn b06_the_default_policy_gives_rights_3_for_ever_at_level_100() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), 1));
    let answer = running.acquire(&sealed, Some(&token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/admit-license-response+cbor");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let licenses = running.verify(&client, &sealed, &answer.body);
    let [license] = licenses.as_slice() else { panic!("{licenses:?}") };
    let terms = license.terms();
    assert_eq!((terms.key_id, terms.issued_at, terms.rights.bits()), (key_id, START, 3));
    assert!(!terms.time_limits().any());
    assert_eq!(terms.minimum_application_level(), 100);
    assert_eq!(terms.minimum_individualized_version, None);
}

#[tokio::test]
async fn b06_the_contents_own_minima_stand_in_the_license() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    let mut content = content(1, "song", true);
    content.minimum_individualized_version = Some(ComponentVersion::new([2, 4, 0, 1]));
    content.minimum_application_level = Some(450);
    running.home.register_content_key(&content, &content_key(1), START, &mut Seeded::new(1)).await.unwrap();
    let sealed = running.seal(&client, &challenge(&running.realm, &[content.key_id], None, 1));
    let answer = running.acquire(&sealed, None).await;
    let licenses = running.verify(&client, &sealed, &answer.body);
    assert_eq!(licenses[0].terms().minimum_application_level(), 450);
    assert_eq!(licenses[0].terms().minimum_individualized_version, content.minimum_individualized_version);
}

/// The rights array of a script, and nothing else.
#[derive(Debug)]
struct Array([u8; 8]);

impl Policy for Array {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let array = RightsArray::from_bytes(self.0)
            .map_err(|error| PolicyRefusal::Failed(Fault::somewhere(error.to_string())))?;
        Ok(vec![Terms { rights: final_rights(request.challenge.rights(), Some(array)), ..draft }])
    }
}

#[tokio::test]
async fn b04_the_server_applies_the_rows_rule() {
    let running = Running::with_policy(Array([13, 0, 0, 0, 0, 0, 0, 0])).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    for (nonce, requested, expected) in [(1, 7, 5), (2, 127, 13), (3, u32::MAX, 13)] {
        let mut challenge = challenge(&running.realm, &[key_id], None, nonce);
        challenge.requested_rights = requested;
        let sealed = running.seal(&client, &challenge);
        let answer = running.acquire(&sealed, None).await;
        assert_eq!(running.verify(&client, &sealed, &answer.body)[0].terms().rights.bits(), expected);
    }
}

#[tokio::test]
async fn b06_a_broken_policy_never_issues_a_license() {
    let running = Running::with_policy(Array([0x80, 0, 0, 0, 0, 0, 0, 0])).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal(), (500, Code::ADMIT_E_POLICY_FAILED));
    assert!(!String::from_utf8_lossy(&answer.body).contains("byte 0"), "the reason is for the log");
    assert_eq!(running.count("licenses-issued").await, 0);
}

/// Tries to issue for another key.
#[derive(Debug)]
struct Meddler;

impl Policy for Meddler {
    fn terms(&self, _: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        Ok(vec![Terms { key_id: admit_license::KeyId::from_bytes([0xee; 16]), ..draft }])
    }
}

#[tokio::test]
async fn b06_a_policy_cannot_change_what_a_license_is_for() {
    let running = Running::with_policy(Meddler).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal(), (500, Code::ADMIT_E_POLICY_FAILED));
}

#[tokio::test]
async fn b03_a_license_is_bound_to_the_client_that_asked() {
    let running = Running::start().await;
    let (client, other) = (running.enrol(1).await, running.enrol(2).await);
    let key_id = running.register(1, "song", true).await;
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let answer = running.acquire(&sealed, None).await;
    let licenses = running.verify(&client, &sealed, &answer.body);
    let binding = licenses[0].terms().binding.recipient;
    assert_eq!(binding, client.properties.encryption_key.thumbprint(PROVIDER));
    assert_ne!(binding, other.properties.encryption_key.thumbprint(PROVIDER));
}

#[tokio::test]
async fn one_challenge_gets_a_license_for_each_key_once() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    let (video, audio) = (running.register(1, "film", true).await, running.register(2, "film", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[video, audio, video], None, 1));
    let answer = running.acquire(&sealed, None).await;
    let licenses = running.verify(&client, &sealed, &answer.body);
    assert_eq!(licenses.iter().map(|license| license.terms().key_id).collect::<Vec<_>>(), [video, audio]);
}

#[tokio::test]
async fn tokens_are_needed_and_held_to_what_they_say() {
    let running = Running::start().await;
    let (client, other) = (running.enrol(1).await, running.enrol(2).await);
    let key_id = running.register(1, "song", false).await;
    let song = running.token(&["song"], None).await;
    let elsewhere = running.token(&["film"], None).await;
    let bound = running.token(&["*"], Some(client.thumbprint())).await;
    let forged = format!("{}.{}", song.rsplit_once('.').unwrap().0, elsewhere.rsplit_once('.').unwrap().1);
    let refused = async |client: &TestClient, token: Option<&str>| {
        let refusal = running.ask(client, &[key_id], token).await.refusal();
        assert_eq!(running.count("licenses-issued").await, 0);
        refusal
    };
    assert_eq!(refused(&client, None).await, (401, Code::ADMIT_E_TOKEN_REQUIRED));
    assert_eq!(refused(&client, Some(&elsewhere)).await, (403, Code::ADMIT_E_TOKEN_NOT_FOR_CONTENT));
    assert_eq!(refused(&other, Some(&bound)).await, (403, Code::ADMIT_E_TOKEN_BOUND_ELSEWHERE));
    assert_eq!(refused(&client, Some(&forged)).await, (401, Code::ADMIT_E_TOKEN_INVALID));
    assert_eq!(refused(&client, Some("not-a-token")).await, (401, Code::ADMIT_E_TOKEN_INVALID));
    running.clock.advance(DAY);
    assert_eq!(refused(&client, Some(&song)).await, (401, Code::ADMIT_E_TOKEN_EXPIRED));
    let fresh = running.token(&["*"], Some(client.thumbprint())).await;
    assert_eq!(running.ask(&client, &[key_id], Some(&fresh)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_is_the_one_that_the_challenge_was_made_for() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let (token, other) = (running.token(&["song"], None).await, running.token(&["*"], None).await);
    let with_hash = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), 1));
    let without = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let refused = async |sealed, token| running.acquire(sealed, token).await.refusal();
    assert_eq!(refused(&with_hash, Some(other.as_str())).await, (403, Code::ADMIT_E_TOKEN_INVALID));
    assert_eq!(refused(&without, Some(token.as_str())).await, (403, Code::ADMIT_E_TOKEN_INVALID));
    assert_eq!(refused(&with_hash, None).await, (401, Code::ADMIT_E_TOKEN_REQUIRED));
    for header in ["Basic dXNlcg==", "Bearer", "Bearer "] {
        let answer = running.post(Role::License, &[("authorization", header)], with_hash.as_bytes()).await;
        assert_eq!(answer.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID), "{header}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn open_content_needs_no_token_but_a_bad_one_is_not_ignored() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK);
    let answer = running.ask(&client, &[key_id], Some("not-a-token")).await;
    assert_eq!(answer.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID));
}

#[tokio::test]
async fn a_retry_gets_the_same_licenses_for_seven_days() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), 1));
    let licenses = async || {
        let answer = running.acquire(&sealed, Some(&token)).await;
        running.verify(&client, &sealed, &answer.body)
    };
    let first = licenses().await;
    assert_eq!(licenses().await, first);
    running.clock.advance(DAY * 7);
    assert_eq!(licenses().await, first, "also after the token's end: nothing new is given");
    assert_eq!(running.count("licenses-issued").await, 1);
    running.clock.advance(std::time::Duration::from_secs(1));
    let answer = running.acquire(&sealed, Some(&token)).await;
    assert_eq!(answer.refusal(), (409, Code::DRM_E_SERVER_INVALID_MESSAGE));
}

#[tokio::test]
async fn identical_challenges_at_once_get_the_same_licenses() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let answers = tokio::join!(
        running.acquire(&sealed, None),
        running.acquire(&sealed, None),
        running.acquire(&sealed, None),
        running.acquire(&sealed, None),
    );
    let licenses = [answers.0, answers.1, answers.2, answers.3].map(|a| running.verify(&client, &sealed, &a.body));
    assert!(licenses.iter().all(|other| *other == licenses[0]));
    assert_eq!(running.count("licenses-issued").await, 1);
}

#[tokio::test]
async fn a_challenge_may_ask_for_no_license() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    let mut challenge = challenge(&running.realm, &[], None, 1);
    challenge.license_requested = false;
    let sealed = running.seal(&client, &challenge);
    let answer = running.acquire(&sealed, None).await;
    assert_eq!(running.verify(&client, &sealed, &answer.body), []);
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn keys_that_are_not_registered_for_licenses_get_none() {
    let running = Running::start().await;
    let (client, known) = (running.enrol(1).await, running.register(1, "song", true).await);
    let mut clear = content(2, "clip", true);
    clear.class = admit_server::content::KeyClass::ClearKey;
    running.home.register_content_key(&clear, &content_key(2), START, &mut Seeded::new(2)).await.unwrap();
    let unknown = admit_license::KeyId::from_bytes([0xaa; 16]);
    for key_id in [unknown, clear.key_id] {
        let answer = running.ask(&client, &[known, key_id], None).await;
        assert_eq!(answer.refusal(), (404, Code::ADMIT_E_UNKNOWN_KEY_ID));
    }
    assert_eq!(running.ask(&client, &[], None).await.refusal(), (400, Code::ADMIT_E_MALFORMED_MESSAGE));
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn a_revoked_client_gets_nothing_more_not_even_a_retry() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let fingerprint = client.fingerprint();
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK);
    let revoke = |reason, at| running.home.revoke_client(&fingerprint, reason, at);
    let long = "x".repeat(257);
    for reason in ["a\nb", &long] {
        let error = revoke(Some(reason), START).await.unwrap_err();
        assert!(matches!(error, Error::Unrecordable { limit: 256, .. }), "{error}");
    }
    let revocation = revoke(Some("copied"), START).await.unwrap();
    assert_eq!(revocation, Revocation { at: START, is_new: true });
    let again = revoke(Some("again"), START.saturating_add(DAY)).await.unwrap();
    assert_eq!(again, Revocation { at: START, is_new: false });
    assert_eq!(running.ask(&client, &[key_id], None).await.refusal(), (403, Code::DRM_E_DEVCERT_REVOKED));
    let request = client.keys.request(running.realm.root().realm(), 5).sign(&client.keys.signing);
    let answer = running.post(Role::Enrolment, &[], &request).await;
    assert_eq!(answer.refusal(), (403, Code::DRM_E_DEVCERT_REVOKED));
    let entries = running.home.audit(0, 100).await.unwrap();
    let [revoked] = &entries.iter().filter(|entry| entry.event == "client-revoked").collect::<Vec<_>>()[..] else {
        panic!("{entries:?}")
    };
    assert_eq!((&*revoked.subject, &*revoked.detail_json), (&*fingerprint.to_string(), r#"{"reason":"copied"}"#));
}

#[tokio::test]
async fn a_certificate_that_the_authority_signed_elsewhere_is_unknown_here() {
    let running = Running::start().await;
    let key_id = running.register(1, "song", true).await;
    let client = running.enrol(1).await;
    // A restored older database: the certificate is good, and this server knows nothing of it.
    assert_eq!(execute(&running.path, "DELETE FROM clients").await, 1);
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal(), (403, Code::ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN));
    assert_eq!(running.count("licenses-issued").await, 0);
}

#[tokio::test]
async fn a_client_of_another_realm_is_refused() {
    let running = Running::start().await;
    let key_id = running.register(1, "song", true).await;
    let mut client = running.enrol(1).await;
    let mut entropy = Seeded::new(1234);
    let mut key = || (PROVIDER.load_signing_key)(&SecretScalar::generate(&mut entropy));
    let (root_key, authority_key) = (key(), key());
    let mut entropy = Seeded::new(4321);
    let root = admit_trust::issue_root("Test label", &root_key, START, DAY * 9, &mut entropy).unwrap();
    let issue = |issuer: Issuer<'_>, like: &admit_trust::Certificate, role, public_key, entropy: &mut Seeded| {
        let common_name = like.subject();
        let common_name = common_name.trim_start_matches("CN=");
        let properties = like.properties().clone();
        let subject = Subject { common_name, public_key, role, properties, not_before: START, lifetime: DAY * 9 };
        admit_trust::issue(issuer, &subject, entropy).unwrap()
    };
    let by_root = Issuer { certificate: &root, key: &root_key };
    let authority = issue(by_root, &client.chain[1], Role::Enrolment, authority_key.public_key(), &mut entropy);
    let by_authority = Issuer { certificate: &authority, key: &authority_key };
    let public_key = *ClientKeys::new(1).signing.public_key();
    let forged = issue(by_authority, &client.chain[0], Role::Client, &public_key, &mut entropy);
    client.chain = vec![forged, authority];
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal(), (400, Code::ADMIT_E_BAD_SIGNATURE));
}

#[tokio::test]
async fn an_application_certificate_must_hold() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let mut challenge = challenge(&running.realm, &[key_id], None, 1);
    // A client's certificate names no application.
    challenge.application = Some(client.chain[0].der().to_vec().into());
    let answer = running.acquire(&running.seal(&client, &challenge), None).await;
    assert_eq!(answer.refusal(), (400, Code::ADMIT_E_BAD_SIGNATURE));
    challenge.application = None;
    assert_eq!(running.acquire(&running.seal(&client, &challenge), None).await.status, StatusCode::OK);
    challenge.realm = Digest::from_bytes([1; 32]);
    let answer = running.acquire(&running.seal(&client, &challenge), None).await;
    assert_eq!(answer.refusal(), (400, Code::ADMIT_E_REALM_MISMATCH));
}
