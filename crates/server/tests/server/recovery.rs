//! Recovery (row B14): licenses that were issued before are issued again to the same owner, and to nobody else.

use std::time::Duration;

use admit_license::{KeyId, LicenseId, Rights, RightsArray, Terms, VerifiedLicense, final_rights};
use admit_protocol::Code;
use admit_protocol::acquire::{HeldElement, LicenseChallenge};
use admit_server::policy::{Policy, PolicyRefusal, PolicyRequest};
use admit_server::token::TokenRequest;
use admit_trust::ClockKind;
use hyper::StatusCode;

use crate::harness::{Answer, DAY, PROVIDER, Running, START, Seeded, TestClient, UNLIMITED, challenge, token_request};

/// Licenses of these terms, beside what is fixed.
#[derive(Debug)]
struct Says(fn(Terms) -> Terms);

impl Policy for Says {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        let rights = final_rights(request.challenge.rights(), Some(RightsArray::DEFAULT));
        Ok(vec![(self.0)(Terms { rights, ..draft })])
    }
}

/// A server with one film, which a buyer has acquired on the client with seed 1.
struct Sold {
    running: Running,
    key_id: KeyId,
    first: TestClient,
    license: VerifiedLicense,
}

impl Sold {
    async fn new(config: &str, says: fn(Terms) -> Terms) -> Self {
        let running =
            Running::start_with(&format!("{UNLIMITED}\n{config}"), |server| server.with_policy(Says(says))).await;
        let (first, key_id) = (running.enrol(1).await, running.register(1, "film", false).await);
        let token = running.token(&["film"], None).await;
        let sealed = running.seal(&first, &challenge(&running.realm, &[key_id], Some(&token), 1));
        let answer = running.acquire(&sealed, Some(&token)).await;
        let license = running.verify(&first, &sealed, &answer.body).remove(0);
        Self { running, key_id, first, license }
    }

    /// What a client that asks for everything is answered.
    async fn recover(&self, client: &TestClient, token: Option<&str>, nonce: u8) -> Answer {
        let again = LicenseChallenge { recovery: true, ..challenge(&self.running.realm, &[], token, nonce) };
        self.running.acquire(&self.running.seal(client, &again), token).await
    }

    async fn recovered(&self, client: &TestClient, token: Option<&str>, nonce: u8) -> Vec<Terms> {
        let again = LicenseChallenge { recovery: true, ..challenge(&self.running.realm, &[], token, nonce) };
        let sealed = self.running.seal(client, &again);
        let answer = self.running.acquire(&sealed, token).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let licenses = self.running.verify(client, &sealed, &answer.body);
        licenses.iter().map(|license| license.terms().clone()).collect()
    }

    async fn token_of(&self, subject: &str) -> String {
        let request = TokenRequest { subject: subject.into(), ..token_request(&["other content"]) };
        let now = admit_server::Clock::now(&self.running.clock);
        self.running.home.mint_token(&request, now, &mut Seeded::new(78)).await.unwrap()
    }
}

const fn as_it_is(terms: Terms) -> Terms {
    terms
}

#[tokio::test]
async fn b14_the_owner_gets_the_same_license_on_a_new_client() {
    let sold = Sold::new("", as_it_is).await;
    let (second, token) = (sold.running.enrol(2).await, sold.token_of("buyer-1").await);
    sold.running.clock.advance(Duration::from_secs(60));
    let [again] = &sold.recovered(&second, Some(&token), 2).await[..] else { panic!("one license") };
    let first = sold.license.terms();
    let recipient = second.properties.encryption_key.thumbprint(PROVIDER);
    assert_eq!((again.id, again.key_id, again.rights), (first.id, first.key_id, first.rights));
    assert_eq!((again.issued_at, again.binding.recipient), (START.saturating_add(Duration::from_secs(60)), recipient));
    assert_eq!(sold.running.count("licenses-issued").await, 1);
    assert_eq!(sold.running.count("licenses-recovered").await, 1);
}

#[tokio::test]
async fn b14_nobody_but_the_owner_gets_anything() {
    let sold = Sold::new("", as_it_is).await;
    let second = sold.running.enrol(2).await;
    let other = sold.token_of("buyer-2").await;
    let nothing = (404, Code::ADMIT_E_NOTHING_TO_RECOVER);
    assert_eq!(sold.recover(&second, Some(&other), 2).await.refusal(), nothing);
    assert_eq!(sold.recover(&second, None, 3).await.refusal(), nothing);
    // Neither does the client's key help where a token says that somebody else asks.
    assert_eq!(sold.recover(&sold.first, Some(&other), 4).await.refusal(), nothing);
    let forged = format!("{}x", sold.token_of("buyer-1").await);
    assert_eq!(sold.recover(&second, Some(&forged), 5).await.refusal(), (401, Code::ADMIT_E_TOKEN_INVALID));
    let bound = TokenRequest { bound_to: Some(sold.first.thumbprint()), ..token_request(&["film"]) };
    let bound = sold.running.home.mint_token(&bound, START, &mut Seeded::new(79)).await.unwrap();
    assert_eq!(sold.recover(&second, Some(&bound), 6).await.refusal(), (403, Code::ADMIT_E_TOKEN_BOUND_ELSEWHERE));
    let token = sold.token_of("buyer-1").await;
    sold.running.clock.advance(DAY * 2);
    assert_eq!(sold.recover(&second, Some(&token), 7).await.refusal(), (401, Code::ADMIT_E_TOKEN_EXPIRED));
    assert_eq!(sold.running.count("licenses-recovered").await, 0);
}

#[tokio::test]
async fn b14_the_same_client_needs_no_token_and_takes_no_place() {
    let sold = Sold::new("[recovery]\nclients = 1", as_it_is).await;
    for nonce in 2..5 {
        assert_eq!(sold.recovered(&sold.first, None, nonce).await[0].id, sold.license.terms().id);
    }
    let (second, token) = (sold.running.enrol(2).await, sold.token_of("buyer-1").await);
    assert_eq!(sold.recover(&second, Some(&token), 6).await.refusal(), (403, Code::NS_E_DRM_RESTORE_FRAUD));
}

#[tokio::test]
async fn b14_bit_4_forbids_it_everywhere() {
    let sold = Sold::new("", |terms| Terms { rights: terms.rights | Rights::NO_RECOVERY, ..terms }).await;
    let (second, token) = (sold.running.enrol(2).await, sold.token_of("buyer-1").await);
    let forbidden = (403, Code::ADMIT_E_RECOVERY_FORBIDDEN);
    assert_eq!(sold.recover(&second, Some(&token), 2).await.refusal(), forbidden);
    assert_eq!(sold.recover(&sold.first, None, 3).await.refusal(), forbidden);
    assert_eq!(sold.running.count("licenses-recovered").await, 0);
}

#[tokio::test]
async fn b14_what_is_counted_is_recovered_only_where_the_operator_says_so() {
    let counted: [fn(Terms) -> Terms; 4] = [
        |terms| Terms { rights: terms.rights | Rights::ONE_TIME, ..terms },
        |terms| Terms { play_count: Some(3), ..terms },
        |terms| Terms { transfer_count: Some(1), ..terms },
        |terms| Terms { max_playlist_burn_count: Some(1), ..terms },
    ];
    for says in counted {
        let sold = Sold::new("", says).await;
        let token = sold.token_of("buyer-1").await;
        let refusal = sold.recover(&sold.running.enrol(2).await, Some(&token), 2).await.refusal();
        assert_eq!(refusal, (403, Code::ADMIT_E_RECOVERY_COUNTED));
    }
    let sold = Sold::new("[recovery]\ncounted = true", |terms| Terms { play_count: Some(3), ..terms }).await;
    let token = sold.token_of("buyer-1").await;
    let again = sold.recovered(&sold.running.enrol(2).await, Some(&token), 2).await;
    assert_eq!(again[0].play_count, Some(3));
}

#[tokio::test]
async fn b14_a_license_of_one_session_is_not_recovered() {
    let sold = Sold::new("[recovery]\ncounted = true", |terms| Terms { persistent: Some(false), ..terms }).await;
    let refusal = sold.recover(&sold.first, None, 2).await.refusal();
    assert_eq!(refusal, (403, Code::ADMIT_E_RECOVERY_COUNTED));
}

#[tokio::test]
async fn b14_dates_stay_what_they_were_and_what_is_over_stays_over() {
    let dated = |terms: Terms| Terms { begin: Some(START), expiry: Some(START.saturating_add(DAY * 10)), ..terms };
    let sold = Sold::new("", dated).await;
    sold.running.clock.advance(DAY * 10);
    let again = sold.recovered(&sold.first, None, 2).await;
    assert_eq!((again[0].begin, again[0].expiry), (Some(START), Some(START.saturating_add(DAY * 10))));
    sold.running.clock.advance(Duration::from_secs(1));
    assert_eq!(sold.recover(&sold.first, None, 3).await.refusal(), (403, Code::NS_E_DRM_LICENSE_EXPIRED));
}

#[tokio::test]
async fn b14_a_countdown_that_nobody_saw_begin_counts_from_the_issue() {
    let sold = Sold::new("", |terms| Terms { expiry_after_first_use_secs: Some(48 * 3600), ..terms }).await;
    sold.running.clock.advance(DAY);
    let again = &sold.recovered(&sold.first, None, 2).await[0];
    assert_eq!((again.begin, again.expiry), (Some(START), Some(START.saturating_add(DAY * 2))));
    assert_eq!((again.expiry_after_first_use_secs, again.expiry_after_storing_secs), (None, None));
    sold.running.clock.advance(DAY + Duration::from_secs(1));
    assert_eq!(sold.recover(&sold.first, None, 3).await.refusal(), (403, Code::NS_E_DRM_LICENSE_EXPIRED));
}

#[tokio::test]
async fn b14_the_fifth_client_is_refused_with_the_address_to_go_to_and_a_known_one_is_not() {
    let sold = Sold::new("[recovery]\naddress = \"https://shop.example.org/machines\"", as_it_is).await;
    let token = sold.token_of("buyer-1").await;
    for seed in 2..=4 {
        sold.recovered(&sold.running.enrol(seed).await, Some(&token), 2).await;
    }
    let fifth = sold.running.enrol(5).await;
    let answer = sold.recover(&fifth, Some(&token), 2).await;
    assert_eq!(answer.refusal(), (403, Code::NS_E_DRM_RESTORE_FRAUD));
    assert!(String::from_utf8_lossy(&answer.body).contains("https://shop.example.org/machines"));
    let second = sold.running.enrol(2).await;
    assert_eq!(sold.recovered(&second, Some(&token), 3).await.len(), 1, "it has a place already");
    // The operator takes a machine out, and its place is free.
    sold.running.home.revoke_client(&second.fingerprint(), None, START).await.unwrap();
    assert_eq!(sold.recovered(&fifth, Some(&token), 3).await.len(), 1);
}

#[tokio::test]
async fn b14_two_new_clients_at_once_do_not_both_get_the_last_place() {
    let sold = Sold::new("[recovery]\nclients = 2", as_it_is).await;
    let token = sold.token_of("buyer-1").await;
    let (second, third) = (sold.running.enrol(2).await, sold.running.enrol(3).await);
    let answers = tokio::join!(sold.recover(&second, Some(&token), 2), sold.recover(&third, Some(&token), 3));
    let mut statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
}

#[tokio::test]
async fn b14_a_revoked_client_recovers_nothing_and_what_it_had_is_lost() {
    let sold = Sold::new("", as_it_is).await;
    let (second, token) = (sold.running.enrol(2).await, sold.token_of("buyer-1").await);
    sold.running.home.revoke_client(&sold.first.fingerprint(), None, START).await.unwrap();
    assert_eq!(sold.recover(&sold.first, Some(&token), 2).await.refusal(), (403, Code::DRM_E_DEVCERT_REVOKED));
    assert_eq!(sold.recover(&second, Some(&token), 3).await.refusal(), (404, Code::ADMIT_E_NOTHING_TO_RECOVER));
}

#[tokio::test]
async fn b14_a_challenge_that_comes_again_gets_the_same_answer_and_records_nothing() {
    let sold = Sold::new("[recovery]\nclients = 2", as_it_is).await;
    let (second, token) = (sold.running.enrol(2).await, sold.token_of("buyer-1").await);
    let again = LicenseChallenge { recovery: true, ..challenge(&sold.running.realm, &[], Some(&token), 2) };
    let sealed = sold.running.seal(&second, &again);
    let first = sold.running.acquire(&sealed, Some(&token)).await;
    let other = sold.running.acquire(&sealed, Some(&token)).await;
    let licenses = |answer: &Answer| sold.running.verify(&second, &sealed, &answer.body);
    assert_eq!(licenses(&first), licenses(&other));
    assert_eq!(sold.running.count("licenses-recovered").await, 1);
    // Sent by another client, the same challenge is that client's own.
    let third = sold.running.enrol(3).await;
    assert_eq!(sold.recover(&third, Some(&token), 2).await.refusal(), (403, Code::NS_E_DRM_RESTORE_FRAUD));
}

#[tokio::test]
async fn b14_only_what_is_asked_for_and_not_there_is_issued_again() {
    let sold = Sold::new("", as_it_is).await;
    let token = sold.running.token(&["song"], None).await;
    let song = sold.running.register(2, "song", false).await;
    assert_eq!(sold.running.ask(&sold.first, &[song], Some(&token)).await.status, StatusCode::OK);
    let answered = async |key_ids: &[KeyId], held: &[LicenseId], nonce| {
        let held = held.iter().map(|license| HeldElement { key_id: sold.key_id, license: *license }).collect();
        let base = challenge(&sold.running.realm, key_ids, None, nonce);
        let sealed = sold.running.seal(&sold.first, &LicenseChallenge { recovery: true, held, ..base });
        let answer = sold.running.acquire(&sealed, None).await;
        let licenses = sold.running.verify(&sold.first, &sealed, &answer.body);
        licenses.iter().map(|license| license.terms().key_id).collect::<Vec<_>>()
    };
    let film = sold.license.terms().id;
    assert_eq!(answered(&[], &[], 2).await, [song, sold.key_id], "the newest first");
    assert_eq!(answered(&[song], &[], 3).await, [song]);
    assert_eq!(answered(&[], &[film], 4).await, [song]);
    let recorded = sold.running.count("licenses-recovered").await;
    assert_eq!(answered(&[sold.key_id], &[film], 5).await, [], "everything is there");
    assert_eq!(sold.running.count("licenses-recovered").await, recorded);
    let unknown = LicenseChallenge {
        recovery: true,
        ..challenge(&sold.running.realm, &[KeyId::from_bytes([0xaa; 16])], None, 6)
    };
    let answer = sold.running.acquire(&sold.running.seal(&sold.first, &unknown), None).await;
    assert_eq!(answer.refusal(), (404, Code::ADMIT_E_NOTHING_TO_RECOVER), "such as what was issued locally");
}

#[tokio::test]
async fn b14_a_token_that_is_used_up_still_says_who_the_owner_is() {
    let sold = Sold::new("", as_it_is).await;
    let once = TokenRequest { uses: 1.try_into().ok(), ..token_request(&["film"]) };
    let once = sold.running.home.mint_token(&once, START, &mut Seeded::new(80)).await.unwrap();
    assert_eq!(sold.running.ask(&sold.first, &[sold.key_id], Some(&once)).await.status, StatusCode::OK);
    let second = sold.running.enrol(2).await;
    let refused = sold.running.ask(&second, &[sold.key_id], Some(&once)).await.refusal();
    assert_eq!(refused, (403, Code::ADMIT_E_TOKEN_USED_UP));
    assert_eq!(sold.recovered(&second, Some(&once), 3).await.len(), 2);
}

#[tokio::test]
async fn b14_a_client_without_a_clock_recovers_no_license_with_limits_in_time() {
    let sold = Sold::new("", |terms| Terms { expiry_after_storing_secs: Some(3600), ..terms }).await;
    let (clockless, token) = (sold.running.enrol_with(2, ClockKind::None).await, sold.token_of("buyer-1").await);
    let refusal = sold.recover(&clockless, Some(&token), 2).await.refusal();
    assert_eq!(refusal, (403, Code::DRM_E_NO_CLK_SUPPORTED));
}
