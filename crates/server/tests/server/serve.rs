//! The server as an HTTP server: the realm document, health, stopping, and slow or wrong requests.

use admit_protocol::Code;
use admit_protocol::realm::REALM_PATH;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Running, challenge, connect, send};

#[tokio::test]
async fn the_realm_document_is_cached_by_its_tag() {
    let running = Running::start().await;
    let mut connection = connect(running.address).await;
    let first = send(&mut connection, "GET", REALM_PATH, &[], b"").await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.headers["content-type"], "application/admit-realm+cbor");
    assert_eq!(first.headers["cache-control"], "public, max-age=300");
    assert_eq!(first.body, running.home.realm_document());
    let tag = first.headers["etag"].to_str().unwrap();
    for known in [tag, "*", &format!("\"other\", {tag}")] {
        let again = send(&mut connection, "GET", REALM_PATH, &[("if-none-match", known)], b"").await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
    }
    let changed = send(&mut connection, "GET", REALM_PATH, &[("if-none-match", "\"other\"")], b"").await;
    assert_eq!(changed.status, StatusCode::OK);
}

#[tokio::test]
async fn without_its_database_the_server_says_nothing_of_why() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    running.home.close().await;
    let answer = running.ask(&client, &[key_id], None).await;
    assert_eq!(answer.refusal(), (500, Code::ADMIT_E_SERVER));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(!text.to_lowercase().contains("pool") && !text.to_lowercase().contains("sql"), "{text}");
}

#[tokio::test]
async fn an_unknown_address_is_a_problem_too() {
    let running = Running::start().await;
    let mut connection = connect(running.address).await;
    let answer = send(&mut connection, "GET", "/nothing", &[], b"").await;
    assert_eq!(answer.refusal().0, 404);
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let answer = send(&mut connection, "GET", "/v1/licenses", &[], b"").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_stop_lets_a_request_under_way_finish() {
    let mut running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, 1));
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let length = sealed.as_bytes().len();
    let head =
        format!("POST /v1/licenses HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is under way.
    let mut begin = [0; 25];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 100 Continue\r\n\r\n");
    running.stop();
    // It stops listening first.
    while TcpStream::connect(running.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(sealed.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    running.finished().await;
}

#[tokio::test]
async fn a_client_that_never_finishes_its_headers_is_cut_off() {
    let running = Running::start_with("[http]\nheader_timeout_secs = 1\n", |server| server).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}
