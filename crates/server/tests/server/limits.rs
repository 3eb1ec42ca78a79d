//! Limits: how often licenses may be asked for, how many requests may be under way, and what comes after a flood.

use std::time::Duration;

use admit_protocol::Code;
use admit_protocol::realm::REALM_PATH;
use admit_trust::Role;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{Answer, Running, challenge, connect, send};

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
    let (token, other) = (running.token(&["song"], None).await, running.token(&["song", "film"], None).await);
    for seed in 1..=2 {
        let client = running.enrol(seed).await;
        assert_eq!(running.ask(&client, &[key_id], Some(&token)).await.status, StatusCode::OK);
    }
    let third = running.enrol(3).await;
    assert_limited(&running.ask(&third, &[key_id], Some(&token)).await, 60);
    assert_eq!(running.ask(&third, &[key_id], Some(&other)).await.status, StatusCode::OK);
}

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
async fn a_flood_is_turned_away_at_once_and_directly_after_it_everything_is_as_before() {
    let config = format!("[http]\nmaximum_requests = {PLACES}\n");
    let running = Running::start_with(&config, |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let mut slow = Vec::new();
    for _ in 0..PLACES {
        slow.push(under_way(&running, sealed.as_bytes().len()).await);
    }
    let mut flood = JoinSet::new();
    for _ in 0..200 {
        let (address, body) = (running.address, sealed.as_bytes().to_vec());
        flood.spawn(async move { send(&mut connect(address).await, "POST", "/v1/licenses", &[], &body).await });
    }
    while let Some(answer) = flood.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer.refusal(), (503, Code::ADMIT_E_OVERLOADED));
        assert_eq!(answer.headers["retry-after"], "1");
    }
    // Who watches the server still gets an answer.
    for path in ["/health", "/ready", "/metrics"] {
        let answer = send(&mut connect(running.address).await, "GET", path, &[], b"").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    for mut stream in slow {
        stream.write_all(sealed.as_bytes()).await.unwrap();
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
    }
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::OK);
    let answer = send(&mut connect(running.address).await, "GET", REALM_PATH, &[], b"").await;
    assert_eq!(answer.status, StatusCode::OK);
    // One for all that sent the same challenge, and one for the fresh one.
    assert_eq!(running.count("licenses-issued").await, 2);
}

/// A request whose body the server waits for.
async fn under_way(running: &Running, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head =
        format!("POST /v1/licenses HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n");
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
