//! Limits: how often licenses may be asked for, how many requests may be under way, and what comes after a flood.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use admit_protocol::Code;
use admit_protocol::realm::REALM_PATH;
use admit_trust::Role;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::harness::{Answer, Running, START, Seeded, challenge, connect, send, token_request};
use crate::held_up::HeldUp;

#[tokio::test]
async fn a_client_that_asks_too_often_waits_and_others_do_not() {
    let config = "[licenses]\nper_client_per_hour = 60\nclient_burst = 2\n";
    let running = Running::start_with(config, |server| server).await;
    let (eager, other) = (running.enrol(1).await, running.enrol(2).await);
    let key_id = running.register(1, "song", true).await;
    for _ in 0..2 {
        assert_eq!(running.ask(&eager, &[key_id], None).await.status, StatusCode::OK);
    }
    assert_limited(&running.ask(&eager, &[key_id], None).await, 60);
    assert_eq!(running.ask(&other, &[key_id], None).await.status, StatusCode::OK);
    running.clock.advance(Duration::from_secs(59));
    assert_limited(&running.ask(&eager, &[key_id], None).await, 1);
    running.clock.advance(Duration::from_secs(1));
    assert_eq!(running.ask(&eager, &[key_id], None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_many_clients_use_is_limited_as_one() {
    let config = "[licenses]\nper_token_per_hour = 60\ntoken_burst = 2\n";
    let running = Running::start_with(config, |server| server).await;
    let key_id = running.register(1, "song", false).await;
    let token = running.token(&["song"], None).await;
    let other = running.home.mint_token(&token_request(&["song"]), START, &mut Seeded::new(78)).await.unwrap();
    for seed in 1..=2 {
        let client = running.enrol(seed).await;
        assert_eq!(running.ask(&client, &[key_id], Some(&token)).await.status, StatusCode::OK);
    }
    let third = running.enrol(3).await;
    assert_limited(&running.ask(&third, &[key_id], Some(&token)).await, 60);
    assert_eq!(running.ask(&third, &[key_id], Some(&other)).await.status, StatusCode::OK);
}

/// Somebody who has a buyer's token without being able to use it does not use up what the buyer may ask for.
#[tokio::test]
async fn a_token_that_does_not_open_the_content_is_not_counted() {
    let config = "[licenses]\nper_token_per_hour = 60\ntoken_burst = 1\n";
    let running = Running::start_with(config, |server| server).await;
    let (owner, stranger) = (running.enrol(1).await, running.enrol(2).await);
    let song = running.register(1, "song", false).await;
    let film = running.register(2, "film", false).await;
    let token = running.token(&["song"], Some(owner.thumbprint())).await;
    for _ in 0..3 {
        let bound = running.ask(&stranger, &[song], Some(&token)).await;
        assert_eq!(bound.refusal(), (403, Code::ADMIT_E_TOKEN_BOUND_ELSEWHERE));
        let other = running.ask(&owner, &[film], Some(&token)).await;
        assert_eq!(other.refusal(), (403, Code::ADMIT_E_TOKEN_NOT_FOR_CONTENT));
    }
    assert_eq!(running.ask(&owner, &[song], Some(&token)).await.status, StatusCode::OK);
    let challenge = challenge(&running.realm, &[song], Some(&token), 2);
    assert_limited(&running.acquire(&running.seal(&owner, &challenge), Some(&token)).await, 60);
}

#[tokio::test]
async fn the_same_token_under_another_signature_has_the_same_limit() {
    let config = "[licenses]\nper_token_per_hour = 60\ntoken_burst = 2\n";
    let running = Running::start_with(config, |server| server).await;
    let key_id = running.register(1, "song", false).await;
    let token = running.token(&["song"], None).await;
    let twin = with_other_signature(&token);
    assert_ne!(token, twin);
    for (seed, token) in [(1, &token), (2, &twin)] {
        let client = running.enrol(seed).await;
        assert_eq!(running.ask(&client, &[key_id], Some(token)).await.status, StatusCode::OK);
    }
    let third = running.enrol(3).await;
    for token in [&token, &twin] {
        assert_limited(&running.ask(&third, &[key_id], Some(token)).await, 60);
    }
}

/// Of an ECDSA signature (r, s) the other one, (r, n - s), which holds as well.
fn with_other_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// FIPS 186-5, curve P-256: n.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn an_address_is_limited_before_anything_is_computed() {
    let config = "[licenses]\nper_address_per_hour = 3600\naddress_burst = 2\n";
    let running = Running::start_with(config, |server| server).await;
    for _ in 0..2 {
        assert_eq!(running.post(Role::License, &[], b"junk").await.refusal().0, 400);
    }
    assert_limited(&running.post(Role::License, &[], b"junk").await, 1);
    running.clock.advance(Duration::from_secs(1));
    assert_eq!(running.post(Role::License, &[], b"junk").await.refusal().0, 400);
}

#[tokio::test]
async fn an_address_is_limited_wherever_a_signature_or_the_database_is_asked() {
    let config = "[licenses]\nper_address_per_hour = 3600\naddress_burst = 1\n";
    let running = Running::start_with(config, |server| server).await;
    let key = "/v1/keys/07070707-0707-0707-0707-070707070707";
    for (method, path) in [("POST", "/v1/enrol"), ("POST", "/v1/headers"), ("PUT", key), ("GET", "/license?kid=none")] {
        let ask = async || send(&mut connect(running.address).await, method, path, &[], b"").await;
        assert_ne!(ask().await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_limited(&ask().await, 1);
        running.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_turned_away_at_once_and_directly_after_it_everything_is_as_before() {
    let config = format!("[http]\nmaximum_requests = {PLACES}\nrequest_timeout_secs = 600\n");
    let (policy, mut gate) = HeldUp::new();
    let running = Running::start_with(&config, |server| server.with_policy(policy)).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let post = || {
        let (address, body) = (running.address, sealed.as_bytes().to_vec());
        async move { send(&mut connect(address).await, "POST", "/v1/licenses", &[], &body).await }
    };
    let mut held_up = JoinSet::new();
    for _ in 0..PLACES {
        held_up.spawn(post());
        gate.arrival().await;
    }
    let mut flood = JoinSet::new();
    for _ in 0..200 {
        flood.spawn(post());
    }
    for answer in flood.join_all().await {
        assert_eq!(answer.refusal(), (503, Code::ADMIT_E_OVERLOADED));
        assert_eq!(answer.headers["retry-after"], "1");
    }
    // Who watches the server still gets an answer.
    for path in ["/health", "/ready", "/metrics"] {
        let answer = send(&mut connect(running.address).await, "GET", path, &[], b"").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    gate.open();
    for answer in held_up.join_all().await {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK);
    let answer = send(&mut connect(running.address).await, "GET", REALM_PATH, &[], b"").await;
    assert_eq!(answer.status, StatusCode::OK);
    // One for all that sent the same challenge, and one for the fresh one.
    assert_eq!(running.count("licenses-issued").await, 2);
}

#[tokio::test]
async fn whoever_sends_slowly_holds_no_place() {
    let running = Running::start_with("[http]\nmaximum_requests = 1\nbody_timeout_secs = 600\n", |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let mut slow = Vec::new();
    for _ in 0..PLACES {
        slow.push(under_way(&running, "/v1/licenses", sealed.as_bytes().len()).await);
    }
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK);
    for mut stream in slow {
        stream.write_all(sealed.as_bytes()).await.unwrap();
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_in_its_time_is_refused() {
    let running = Running::start_with("[http]\nbody_timeout_secs = 600\n", |server| server).await;
    let [mut slow, mut in_time] =
        [under_way(&running, "/v1/enrol", 9).await, under_way(&running, "/v1/enrol", 9).await];
    slow.write_all(b"begin").await.unwrap();
    running.clock.advance(Duration::from_secs(599));
    in_time.write_all(b"all of it").await.unwrap();
    let mut begin = [0; 24];
    in_time.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 400 Bad Request");
    running.clock.advance(Duration::from_secs(1));
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_longer_than_any_message_is_refused() {
    let running = Running::start().await;
    for (path, longest) in [("/v1/licenses", 32 * 1024), ("/v1/clearkey", 16 * 1024), ("/v1/headers", 16 * 1024)] {
        let long = vec![b'x'; longest + 1];
        let answer = send(&mut connect(running.address).await, "POST", path, &[], &long).await;
        assert_eq!(answer.refusal(), (413, Code::ADMIT_E_BODY_TOO_LONG), "{path}");
        let answer = send(&mut connect(running.address).await, "POST", path, &[], &long[1..]).await;
        assert_ne!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let config = "[http]\nconnections_per_address = 2\nheader_timeout_secs = 600\n";
    let running = Running::start_with(config, |server| server).await;
    let (here, there) = (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(127, 0, 0, 2).into());
    let mut first = connect_from(here, &running).await;
    let mut second = connect_from(here, &running).await;
    // Both are accepted, and stay open.
    assert!(is_answered(&mut first).await && is_answered(&mut second).await);
    assert!(!is_answered(&mut connect_from(here, &running).await).await);
    assert!(is_answered(&mut connect_from(there, &running).await).await);
    drop(first);
    let free = async { while !is_answered(&mut connect_from(here, &running).await).await {} };
    tokio::time::timeout(Duration::from_secs(60), free).await.expect("the place is free again");
    assert!(is_answered(&mut second).await);
}

async fn connect_from(address: IpAddr, running: &Running) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    socket.connect(running.address).await.unwrap()
}

/// Whether a request is answered, and the connection stays open.
async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut begin = [0; 15];
    stream.write_all(b"HEAD /health HTTP/1.1\r\nhost: x\r\n\r\n").await.is_ok()
        && stream.read_exact(&mut begin).await.is_ok_and(|_| begin == *b"HTTP/1.1 200 OK")
        && rest_of_head(stream).await
}

async fn rest_of_head(stream: &mut TcpStream) -> bool {
    let mut last = [0; 4];
    while last != *b"\r\n\r\n" {
        last.rotate_left(1);
        if stream.read_exact(&mut last[3..]).await.is_err() {
            return false;
        }
    }
    true
}

/// A request whose body the server waits for.
async fn under_way(running: &Running, path: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begin = [0; 25];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[track_caller]
fn assert_limited(answer: &Answer, retry_after_secs: u32) {
    assert_eq!(answer.refusal(), (429, Code::ADMIT_E_RATE_LIMITED));
    assert_eq!(answer.headers["retry-after"], retry_after_secs.to_string());
}

const PLACES: usize = 4;
