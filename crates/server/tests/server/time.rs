//! Signed time over HTTP and UDP (row E05): what is answered, what is not, and when nothing is signed at all.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use admit_protocol::Code;
use admit_protocol::time::{TIME_CONTENT_TYPE, TIME_PATH};
use admit_server::Server;
use admit_time::roughtime::{SignedTime, Tag, encode, frame, request_packet, server_commitment, unframe, verify};
use admit_trust::DateCheck;
use hyper::StatusCode;
use tokio::net::UdpSocket;

use crate::harness::{Answer, DAY, PROVIDER, Running, START, UNLIMITED, connect, send};

/// Settings under which the time is signed.
pub(crate) fn with_time() -> String {
    format!("{UNLIMITED}[time]\nlargest_error_secs = 1\n")
}

/// The long-term keys of the realm, in its document's order.
pub(crate) fn keys(running: &Running) -> Vec<[u8; 32]> {
    let services = running.realm.time_services(PROVIDER, DateCheck::At(START)).unwrap();
    services.iter().map(|service| service.certificate.time_key().public_key).collect()
}

pub(crate) async fn post(running: &Running, packet: &[u8]) -> Answer {
    let headers = [("content-type", TIME_CONTENT_TYPE)];
    send(&mut connect(running.address).await, "POST", TIME_PATH, &headers, packet).await
}

/// Asks one of the realm's services, and believes the answer only if it verifies.
pub(crate) async fn ask(running: &Running, key: &[u8; 32], nonce: u8) -> SignedTime {
    let packet = request_packet(PROVIDER, &[nonce; 32], key);
    let answer = post(running, &packet).await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (StatusCode::OK, &TIME_CONTENT_TYPE.parse().unwrap()));
    verify(PROVIDER, key, &packet, &answer.body).unwrap()
}

async fn ready(running: &Running) -> (StatusCode, String) {
    let answer = send(&mut connect(running.address).await, "GET", "/ready", &[], b"").await;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    (answer.status, body["time"].as_str().unwrap().to_owned())
}

async fn metric(running: &Running, line: &str) -> bool {
    let answer = send(&mut connect(running.address).await, "GET", "/metrics", &[], b"").await;
    String::from_utf8(answer.body).unwrap().lines().any(|found| found == line)
}

#[tokio::test]
async fn e05_the_time_is_signed_under_the_key_that_is_asked_for() {
    let running = Running::start_with(&with_time(), |server| server).await;
    for (nonce, key) in (1..).zip(keys(&running)) {
        running.clock.advance(Duration::from_secs(61));
        let time = ask(&running, &key, nonce).await;
        assert_eq!((time.midpoint(), time.radius_secs()), (admit_server::Clock::now(&running.clock), 2));
    }
    assert_eq!(ready(&running).await, (StatusCode::OK, "signed".to_owned()));
    assert!(metric(&running, "admit_time_signed 1").await && metric(&running, "admit_time_answers_total 2").await);
}

#[tokio::test]
async fn e05_without_srv_the_first_key_answers() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let [first, second] = keys(&running)[..] else { panic!("two keys") };
    let packet = request(&[(Tag::SRV, None)]);
    let answer = post(&running, &packet).await;
    verify(PROVIDER, &first, &packet, &answer.body).unwrap();
    assert!(verify(PROVIDER, &second, &packet, &answer.body).is_err());
}

/// What was captured answers no other question, and a question is answered only with what was asked.
#[tokio::test]
async fn e05_an_answer_is_to_its_own_question_alone() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let key = keys(&running)[0];
    let packets = [1, 2].map(|nonce| request_packet(PROVIDER, &[nonce; 32], &key));
    let captured = post(&running, &packets[0]).await.body;
    verify(PROVIDER, &key, &packets[0], &captured).unwrap();
    assert_eq!(verify(PROVIDER, &key, &packets[1], &captured), Err(admit_time::Error::WrongNonce));
    for at in 0..captured.len() {
        let mut forged = captured.clone();
        forged[at] ^= 0x40;
        assert!(verify(PROVIDER, &key, &packets[0], &forged).is_err(), "byte {at}");
    }
}

/// A request that is as it must be, but for some fields, which are replaced or left out. It has 1036 bytes if there is padding.
fn request(changes: &[(Tag, Option<&[u8]>)]) -> Vec<u8> {
    let fields = [
        (Tag::VER, &[1, 0, 0, 0][..]),
        (Tag::SRV, &[0; 32]),
        (Tag::NONC, &[7; 32]),
        (Tag::TYPE, &[0; 4]),
        (Tag::ZZZZ, &[0; 1]),
    ];
    let changed = fields.into_iter().filter_map(|(tag, value)| {
        let change = changes.iter().find(|(changed, _)| *changed == tag);
        Some((tag, change.map_or(Some(value), |(_, new)| *new)?))
    });
    let mut fields: Vec<(Tag, &[u8])> = changed.collect();
    let used: usize = fields.iter().map(|(_, value)| 8 + value.len()).sum();
    let padding = vec![0; 1025_usize.saturating_sub(used)];
    match fields.last_mut() {
        Some((Tag::ZZZZ, value)) if value.len() == 1 => *value = &padding,
        _ => {}
    }
    frame(&encode(&fields))
}

/// Requests that must not be answered, with what they are counted as.
fn wrong_requests(key: &[u8; 32]) -> Vec<(&'static str, Vec<u8>)> {
    let commitment = server_commitment(PROVIDER, key);
    let srv = (Tag::SRV, Some(&commitment[..]));
    let good = request(&[srv]);
    let with = |tag, value| request(&[srv, (tag, value)]);
    vec![
        ("length", Vec::new()),
        ("length", good[..1023].to_vec()),
        ("length", with(Tag::ZZZZ, Some(&[0; 896]))),
        ("length", with(Tag::ZZZZ, Some(&[0; 1160]))),
        ("form", vec![0; 1036]),
        ("form", good[..1035].to_vec()),
        ("form", [&good[..], &[0; 4]].concat()),
        ("form", with(Tag::NONC, None)),
        ("form", with(Tag::NONC, Some(&[7; 28]))),
        ("form", with(Tag::VER, None)),
        ("form", with(Tag::TYPE, None)),
        ("type", with(Tag::TYPE, Some(&[1, 0, 0, 0]))),
        ("version", with(Tag::VER, Some(&[2, 0, 0, 0]))),
        ("version", with(Tag::VER, Some(&[0x0c, 0, 0, 0x80]))),
        ("version", with(Tag::VER, Some(&[]))),
        ("service", request(&[])),
        ("service", request(&[(Tag::SRV, Some(&commitment[..28]))])),
    ]
}

#[tokio::test]
async fn e05_what_is_no_request_or_for_another_service_is_refused() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let wrong = wrong_requests(&keys(&running)[1]);
    for (reason, packet) in &wrong {
        let answer = post(&running, packet).await;
        let expected = match packet.len() {
            1281.. => (413, Code::ADMIT_E_BODY_TOO_LONG),
            _ => (400, Code::ADMIT_E_MALFORMED_MESSAGE),
        };
        assert_eq!(answer.refusal(), expected, "{reason}");
    }
    let count = |reason| wrong.iter().filter(|(found, packet)| *found == reason && packet.len() <= 1280).count();
    for reason in ["length", "form", "type", "version", "service"] {
        let line = format!("admit_time_requests_dropped_total{{reason=\"{reason}\"}} {}", count(reason));
        assert!(metric(&running, &line).await, "{line}");
    }
    assert!(metric(&running, "admit_time_answers_total 0").await);
    let text = [("content-type", "text/plain")];
    let other = send(&mut connect(running.address).await, "POST", TIME_PATH, &text, b"x").await;
    assert_eq!(other.refusal(), (415, Code::ADMIT_E_CONTENT_TYPE));
}

#[tokio::test]
async fn e05_no_time_is_signed_unless_the_largest_error_is_stated_and_below_the_radius() {
    let not_stated = "`time.largest_error_secs` is not set, and the kernel does not say that its clock is kept right";
    let cases = [
        ("", not_stated),
        ("radius_secs = 30\n", not_stated),
        ("largest_error_secs = 3\nradius_secs = 3\n", "`time.radius_secs` is not above `time.largest_error_secs`"),
        ("largest_error_secs = 3\nradius_secs = 4\n", "signed"),
        ("largest_error_secs = 29\n", "signed"),
    ];
    for (settings, expected) in cases {
        let running = Running::start_with(&format!("{UNLIMITED}[time]\n{settings}"), |server| server).await;
        assert_eq!(ready(&running).await, (StatusCode::OK, expected.to_owned()), "the server works without it");
        let answer = post(&running, &request_packet(PROVIDER, &[1; 32], &keys(&running)[0])).await;
        match expected {
            "signed" => assert_eq!(answer.status, StatusCode::OK),
            _ => assert_eq!(answer.refusal(), (503, Code::ADMIT_E_TIME_UNAVAILABLE)),
        }
    }
}

/// The kernel's word is good to 16 seconds.
#[tokio::test]
async fn e05_where_the_kernel_says_that_its_clock_is_kept_right_the_time_is_signed_to_17_seconds() {
    for (settings, is_enough) in [("", true), ("radius_secs = 17\n", true), ("radius_secs = 16\n", false)] {
        let mut server: Option<Server> = None;
        let settings = format!("{UNLIMITED}[time]\n{settings}");
        let running = Running::start_with(&settings, |new| server.insert(new).clone()).await;
        assert_ne!(ready(&running).await.1, "signed");
        let server = server.unwrap();
        server.set_clock_kept_right(true);
        assert_eq!(ready(&running).await.1 == "signed", is_enough);
        if is_enough {
            assert_eq!(ask(&running, &keys(&running)[0], 1).await.radius_secs(), 17);
        }
        server.set_clock_kept_right(false);
        assert_ne!(ready(&running).await.1, "signed");
    }
}

/// [`verify`] holds every answer to its delegation's window.
#[tokio::test]
async fn e05_a_delegation_lasts_two_days_and_is_renewed_before_it_ends() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let key = keys(&running)[0];
    let packet = request_packet(PROVIDER, &[1; 32], &key);
    let mut delegated = BTreeSet::new();
    for _ in 0..28 {
        let answer = post(&running, &packet).await.body;
        verify(PROVIDER, &key, &packet, &answer).unwrap();
        let (online, lifetime) = delegation(&answer);
        assert_eq!(lifetime, 48 * 3600);
        delegated.insert(online);
        running.clock.advance(DAY / 4);
    }
    assert_eq!(delegated.len(), 7, "a key a day, for a week");
    running.clock.set_back(DAY * 3);
    let answer = post(&running, &packet).await.body;
    verify(PROVIDER, &key, &packet, &answer).unwrap();
}

/// The key that signed, and for how many seconds it may.
fn delegation(answer: &[u8]) -> (Vec<u8>, u64) {
    let certificate = unframe(answer).unwrap().require(Tag::CERT).unwrap().message().unwrap();
    let delegation = certificate.require(Tag::DELE).unwrap().message().unwrap();
    let number = |tag| delegation.require(tag).unwrap().u64().unwrap();
    (delegation.require(Tag::PUBK).unwrap().bytes().to_vec(), number(Tag::MAXT) - number(Tag::MINT))
}

/// Who steals one of them moves no clock far: that takes both long-term keys' word.
#[tokio::test]
async fn e05_no_key_in_the_servers_memory_signs_for_two_long_term_keys() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let mut online = BTreeSet::new();
    for key in keys(&running) {
        let packet = request_packet(PROVIDER, &[1; 32], &key);
        let answer = post(&running, &packet).await.body;
        verify(PROVIDER, &key, &packet, &answer).unwrap();
        online.insert(delegation(&answer).0);
    }
    assert_eq!(online.len(), 2);
}

#[tokio::test]
async fn e05_no_time_is_signed_when_the_time_certificates_have_ended() {
    let running = Running::start_with(&with_time(), |server| server).await;
    running.clock.advance(DAY * 367);
    assert_eq!(ready(&running).await.1, "the time certificates are not valid now");
}

/// A server whose time is answered on a UDP socket too.
async fn with_udp() -> (Running, SocketAddr) {
    let mut server: Option<Server> = None;
    let running = Running::start_with(&with_time(), |new| server.insert(new).clone()).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(server.unwrap().serve_time(socket, std::future::pending()));
    (running, address)
}

async fn exchange(socket: &UdpSocket, to: SocketAddr, key: &[u8; 32], nonce: u8) -> SignedTime {
    let packet = request_packet(PROVIDER, &[nonce; 32], key);
    socket.send_to(&packet, to).await.unwrap();
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
    assert!(from == to && length <= packet.len());
    verify(PROVIDER, key, &packet, &buffer[..length]).unwrap()
}

/// What somebody else's client measures, with this key pinned or none.
async fn measure(address: SocketAddr, key: Option<[u8; 32]>) -> (u64, u32) {
    let ask = move || {
        let mut builder = roughenough_client::Client::builder(address).timeout(Duration::from_secs(60));
        if let Some(key) = key {
            builder = builder.public_key(key.into());
        }
        let measured = builder.build().query().unwrap();
        (measured.midpoint(), measured.radius())
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

/// Somebody else's client and ours agree about our answers, for both keys and without one.
#[tokio::test]
async fn e05_any_roughtime_client_reads_the_time_over_udp() {
    let (running, address) = with_udp().await;
    for key in keys(&running).into_iter().map(Some).chain([None]) {
        assert_eq!(measure(address, key).await, (START.unix_secs(), 2));
    }
}

#[tokio::test]
async fn e05_datagrams_that_are_no_requests_get_no_answer() {
    let (running, address) = with_udp().await;
    let (socket, key) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), keys(&running)[1]);
    for (nonce, (reason, packet)) in (0..).zip(wrong_requests(&key)) {
        socket.send_to(&packet, address).await.unwrap();
        // Datagrams are taken in order: the next one's answer is the first that comes.
        assert_eq!(exchange(&socket, address, &key, nonce).await.midpoint(), START, "{reason}");
    }
}

#[tokio::test]
async fn e05_a_flood_from_one_address_starves_no_other() {
    let (running, address) = with_udp().await;
    let key = keys(&running)[0];
    let (one, other) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.2:0").await.unwrap());
    for number in 0..600 {
        exchange(&one, address, &key, u8::try_from(number % 256).unwrap()).await;
    }
    for _ in 0..10 {
        one.send_to(&request_packet(PROVIDER, &[9; 32], &key), address).await.unwrap();
        exchange(&other, address, &key, 1).await;
    }
    assert!(one.try_recv(&mut [0; 2048]).is_err(), "it has had its burst");
    assert!(metric(&running, "admit_time_requests_dropped_total{reason=\"rate\"} 10").await);
    running.clock.advance(Duration::from_secs(1));
    exchange(&one, address, &key, 2).await;
}
