//! The time in license responses (rows E06 and E07), and limits in time for clients without a clock (row E01).

use admit_crypto::{Entropy, rustcrypto};
use admit_license::Terms;
use admit_license::header::{ContentHeader, HeaderFields, HeaderKey, HeaderObject};
use admit_protocol::Code;
use admit_protocol::acquire::{LicenseChallenge, LicenseResponse, RESPONSE_CONTENT_TYPE, SealedChallenge};
use admit_server::home::Home;
use admit_server::policy::{DefaultPolicy, Policy, PolicyRefusal, PolicyRequest};
use admit_server::{Clock as _, Server};
use admit_time::roughtime::{SignedTime, request_packet, verify};
use admit_trust::{ClockKind, DateCheck, Envelope, role};
use hyper::StatusCode;
use tokio::net::TcpListener;

use crate::harness::{DAY, PROVIDER, Running, START, Seeded, challenge, connect, send};
use crate::time::{keys, with_time};

/// What a response says, once its signature holds.
pub(crate) fn read(running: &Running, body: &[u8]) -> LicenseResponse {
    let envelope = Envelope::decode(body, RESPONSE_CONTENT_TYPE).unwrap();
    let dates = DateCheck::At(running.clock.now());
    let signed = envelope.verify::<role::License>(PROVIDER, running.realm.root(), dates).unwrap();
    minicbor::decode(signed.payload()).unwrap()
}

/// The time in a response, which answers the question that the challenge is.
fn time(running: &Running, sealed: &SealedChallenge, response: &LicenseResponse) -> Option<SignedTime> {
    let key = keys(running)[0];
    let packet = request_packet(PROVIDER, sealed.hash().as_bytes(), &key);
    response.time.as_ref().map(|answer| verify(PROVIDER, &key, &packet, answer).unwrap())
}

#[tokio::test]
async fn e07_time_and_licenses_are_each_given_exactly_where_they_are_requested() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let mut recorded = 0;
    for (nonce, (time_requested, license_requested)) in
        (1..).zip([(false, false), (false, true), (true, false), (true, true)])
    {
        let challenge =
            LicenseChallenge { time_requested, license_requested, ..challenge(&running.realm, &[key_id], None, nonce) };
        let sealed = running.seal(&client, &challenge);
        let answer = running.acquire(&sealed, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(running.verify(&client, &sealed, &answer.body).len(), usize::from(license_requested));
        let found = time(&running, &sealed, &read(&running, &answer.body));
        assert_eq!(found.map(|time| time.midpoint()), time_requested.then_some(START));
        recorded += usize::from(license_requested);
        assert_eq!(running.count("licenses-issued").await, recorded);
    }
}

/// The content header can say it too, and is believed where it says that there is to be none.
#[tokio::test]
async fn e07_a_header_that_requests_no_license_gets_none_whatever_the_challenge_says() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    for (nonce, (says, of_challenge)) in (1..).zip([(false, false), (false, true), (true, false), (true, true)]) {
        let fields = HeaderFields {
            keys: vec![HeaderKey { key_id, algorithm: None, checksum: None }],
            license_requested: says,
            ..HeaderFields::default()
        };
        let object = HeaderObject::new(&ContentHeader::new(fields).unwrap()).to_bytes().unwrap();
        let challenge = LicenseChallenge {
            header: Some(object.into()),
            license_requested: of_challenge,
            ..challenge(&running.realm, &[key_id], None, nonce)
        };
        let sealed = running.seal(&client, &challenge);
        let response = read(&running, &running.acquire(&sealed, None).await.body);
        assert_eq!(response.licenses.len(), usize::from(says && of_challenge));
        assert!(time(&running, &sealed, &response).is_some());
    }
}

/// To set a clock nobody has to name a key, or to have bought something.
#[tokio::test]
async fn e07_a_challenge_that_requests_no_license_needs_no_key_and_no_token() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let (client, closed) = (running.enrol(1).await, running.register(1, "film", false).await);
    for (nonce, key_ids) in [(1, &[][..]), (2, &[closed])] {
        let challenge =
            LicenseChallenge { license_requested: false, ..challenge(&running.realm, key_ids, None, nonce) };
        let sealed = running.seal(&client, &challenge);
        let response = read(&running, &running.acquire(&sealed, None).await.body);
        assert!(response.licenses.is_empty() && time(&running, &sealed, &response).is_some());
    }
    assert_eq!(running.count("licenses-issued").await, 0);
    let stranger = LicenseChallenge { license_requested: false, ..challenge(&running.realm, &[], None, 3) };
    crate::harness::execute(&running.path, "DELETE FROM clients").await;
    let answer = running.acquire(&running.seal(&client, &stranger), None).await;
    assert_eq!(answer.refusal(), (403, Code::ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN));
}

#[tokio::test]
async fn e06_a_repeated_challenge_gets_the_same_licenses_with_a_fresh_time() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let mut licenses = None;
    for _ in 0..3 {
        let response = read(&running, &running.acquire(&sealed, None).await.body);
        assert_eq!(time(&running, &sealed, &response).unwrap().midpoint(), running.clock.now());
        assert_eq!(licenses.get_or_insert(response.licenses.clone()), &response.licenses);
        running.clock.advance(DAY);
    }
    assert_eq!(running.count("licenses-issued").await, 1);
}

#[tokio::test]
async fn e06_where_no_time_is_signed_licenses_come_without_it() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let answer = running.acquire(&sealed, None).await;
    assert_eq!(running.verify(&client, &sealed, &answer.body).len(), 1);
    assert_eq!(read(&running, &answer.body).time, None);
}

#[tokio::test]
async fn e06_a_client_without_a_clock_gets_no_time() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let (client, key_id) = (running.enrol_with(1, ClockKind::None).await, running.register(1, "song", true).await);
    let challenge = LicenseChallenge { clock: ClockKind::None, ..challenge(&running.realm, &[key_id], None, 1) };
    let sealed = running.seal(&client, &challenge);
    let answer = running.acquire(&sealed, None).await;
    assert_eq!(running.verify(&client, &sealed, &answer.body).len(), 1);
    assert_eq!(read(&running, &answer.body).time, None);
}

/// The same home with and without the feature, each with the same randomness: not a byte differs for a client that does
/// not ask for the time.
#[tokio::test]
async fn e06_for_a_client_without_the_feature_nothing_changes() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let [sealed, asking] = [false, true].map(|time_requested| {
        let challenge = LicenseChallenge { time_requested, ..challenge(&running.realm, &[key_id], None, 1) };
        running.seal(&client, &challenge)
    });
    let mut answers = Vec::new();
    let settings = std::fs::read_to_string(running.path.join("admit.toml")).unwrap();
    for time in ["", "[time]\nlargest_error_secs = 1\n"] {
        std::fs::write(running.path.join("admit.toml"), format!("{settings}\n{time}")).unwrap();
        // Its signatures are the same for the same message (RFC 6979).
        let home = Home::open(&running.path, &rustcrypto::PROVIDER).await.unwrap();
        let entropy = || -> Box<dyn Entropy + Send> { Box::new(Seeded::new(9)) };
        let server = Server::new(home, running.clock.clone(), entropy);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, std::future::pending()));
        let ask = async |challenge: &SealedChallenge| {
            send(&mut connect(address).await, "POST", "/v1/licenses", &[], challenge.as_bytes()).await.body
        };
        let is_timed = read(&running, &ask(&asking).await).time.is_some();
        answers.push((is_timed, ask(&sealed).await));
        // The next server has not answered it yet, nor drawn anything for it.
        crate::harness::execute(&running.path, "DELETE FROM acquisitions").await;
    }
    let [(without, unchanged), (with, same)] = &answers[..] else { panic!("two servers") };
    assert!(!without && *with, "the feature was off, then on");
    assert_eq!(read(&running, unchanged).licenses.len(), 1);
    assert_eq!(unchanged, same);
}

/// Gives one limit in time.
#[derive(Debug)]
struct Limited(fn(Terms) -> Terms);

impl Policy for Limited {
    fn terms(&self, request: &PolicyRequest<'_>, draft: Terms) -> Result<Vec<Terms>, PolicyRefusal> {
        Ok(DefaultPolicy.terms(request, draft)?.into_iter().map(self.0).collect())
    }
}

#[tokio::test]
async fn e01_a_client_without_a_clock_is_issued_nothing_that_has_limits_in_time() {
    let limits: [fn(Terms) -> Terms; 4] = [
        |terms| Terms { begin: Some(START), ..terms },
        |terms| Terms { expiry: Some(START.saturating_add(DAY)), ..terms },
        |terms| Terms { expiry_after_first_use_secs: Some(3600), ..terms },
        |terms| Terms { expiry_after_storing_secs: Some(3600), ..terms },
    ];
    for limit in limits {
        let running = Running::with_policy(Limited(limit)).await;
        let key_id = running.register(1, "song", true).await;
        let without = running.enrol_with(1, ClockKind::None).await;
        let with = running.enrol_with(2, ClockKind::AntiRollback).await;
        let refused = running.ask(&without, &[key_id], None).await;
        assert_eq!(refused.refusal(), (403, Code::DRM_E_NO_CLK_SUPPORTED));
        assert_eq!(running.count("licenses-issued").await, 0);
        assert_eq!(running.ask(&with, &[key_id], None).await.status, StatusCode::OK);
    }
}
