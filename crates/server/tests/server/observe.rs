//! What an operator sees: request ids, health and readiness, and metrics, whose page is held to what is served.

use std::collections::BTreeSet;
use std::time::Duration;

use admit_protocol::Code;
use hyper::StatusCode;

use crate::harness::{DAY, Running, challenge, connect, exchange, send};

#[tokio::test]
async fn every_answer_has_an_id_of_its_own_and_none_from_outside() {
    let running = Running::start().await;
    let mut connection = connect(running.address).await;
    let mut ids = BTreeSet::new();
    for path in ["/health", "/nothing", "/v1/licenses", "/health"] {
        let answer = send(&mut connection, "GET", path, &[("x-request-id", "mine")], b"").await;
        let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        ids.insert(id);
    }
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn alive_without_a_database_but_not_ready() {
    let running = Running::start().await;
    assert_eq!(probe(&running, "/ready").await.0, StatusCode::OK);
    running.home.close().await;
    let (status, body) = probe(&running, "/health").await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &"ok".into()));
    assert_eq!(body["services_end_at"], running.home.services_end_at().to_string());
    let (status, body) = probe(&running, "/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&body["database"], &body["certificates"]), (&false.into(), &true.into()));
}

#[tokio::test]
async fn not_ready_when_a_certificate_has_ended_or_a_stop_was_announced() {
    let mut server = None;
    let running = Running::start_with("", |new| server.insert(new).clone()).await;
    let left = running.home.services_end_at().saturating_since(admit_server::Clock::now(&running.clock));
    running.clock.advance(left - Duration::from_secs(1));
    assert_eq!(probe(&running, "/ready").await.0, StatusCode::OK);
    running.clock.advance(Duration::from_secs(1));
    let (status, body) = probe(&running, "/ready").await;
    assert_eq!((status, &body["certificates"]), (StatusCode::SERVICE_UNAVAILABLE, &false.into()));
    running.clock.set_back(DAY);
    assert_eq!(probe(&running, "/ready").await.0, StatusCode::OK);
    server.unwrap().announce_stop();
    let (status, body) = probe(&running, "/ready").await;
    assert_eq!((status, &body["stopping"]), (StatusCode::SERVICE_UNAVAILABLE, &true.into()));
}

#[tokio::test]
async fn the_page_names_every_metric_that_is_served_and_no_other() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", false).await);
    let token = running.token(&["song"], None).await;
    let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], Some(&token), 1));
    for _ in 0..2 {
        assert_eq!(running.acquire(&sealed, Some(&token)).await.status, StatusCode::OK);
    }
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::UNAUTHORIZED);
    let no_request = send(&mut connect(running.address).await, "POST", "/v1/time", &[], b"").await;
    assert_eq!(no_request.status, StatusCode::BAD_REQUEST);
    let text = scrape(&running).await;
    let served: BTreeSet<String> = text.lines().filter_map(name).collect();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operate/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(served, documented);

    for line in [
        "admit_licenses_issued_total 1",
        "admit_challenges_repeated_total 1",
        "admit_refusals_total{code=\"ADMIT_E_TOKEN_REQUIRED\"} 1",
        "admit_requests_total{route=\"/v1/licenses\",status=\"200\"} 2",
        "admit_requests_total{route=\"/v1/licenses\",status=\"401\"} 1",
        "admit_request_duration_seconds_count{route=\"/v1/licenses\"} 3",
        "admit_batch_size_count{queue=\"lookup\"} 3",
        "admit_batch_size_count{queue=\"record\"} 2",
        "admit_queue_length{queue=\"record\"} 0",
        "admit_tokens_cache_misses_total 1",
        "admit_requests_under_way 1",
        "admit_time_requests_dropped_total{reason=\"length\"} 1",
        "admit_time_signed 0",
        "admit_database_errors_total 0",
    ] {
        assert!(text.lines().any(|served| served == line), "{line} is not in\n{text}");
    }
    let end = format!("{{certificate=\"license\"}} {}", running.home.services_end_at().unix_secs());
    assert!(text.contains(&end), "{text}");
}

#[tokio::test]
async fn what_the_database_fails_is_counted() {
    let running = Running::start().await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    running.home.close().await;
    assert_eq!(running.ask(&client, &[key_id], None).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = scrape(&running).await;
    assert!(text.contains("admit_database_errors_total 1\n"), "{text}");
    assert!(text.contains("admit_refusals_total{code=\"ADMIT_E_SERVER\"} 1\n"), "{text}");
}

#[tokio::test]
async fn metrics_are_not_for_whom_a_proxy_lets_in_nor_beside_an_address_of_their_own() {
    let running = Running::start().await;
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let answer = send(&mut connect(running.address).await, "GET", "/metrics", &[(header, "192.0.2.1")], b"").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{header}");
    }
    let mut server = None;
    let config = "[metrics]\nlisten = \"127.0.0.1:0\"\n";
    let running = Running::start_with(config, |new| server.insert(new).clone()).await;
    let answer = send(&mut connect(running.address).await, "GET", "/metrics", &[], b"").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connection = {
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.unwrap().serve_metrics(listener, std::future::pending()));
        connect(address).await
    };
    assert_eq!(exchange(&mut connection, "GET", "/metrics", &[], b"").await.status, StatusCode::OK);
    let answer = exchange(&mut connection, "GET", "/health", &[], b"").await;
    assert_eq!(answer.refusal(), (404, Code::ADMIT_E_NO_SUCH_ADDRESS));
    let answer = exchange(&mut connection, "POST", "/metrics", &[], b"").await;
    assert_eq!(
        (answer.refusal(), &answer.headers["allow"]),
        ((405, Code::ADMIT_E_METHOD), &"GET,HEAD".parse().unwrap())
    );
}

async fn probe(running: &Running, path: &str) -> (StatusCode, serde_json::Value) {
    let answer = send(&mut connect(running.address).await, "GET", path, &[], b"").await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

async fn scrape(running: &Running) -> String {
    let answer = send(&mut connect(running.address).await, "GET", "/metrics", &[], b"").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    String::from_utf8(answer.body).unwrap()
}

/// The name under which a metric is asked for.
fn name(line: &str) -> Option<String> {
    let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
    Some(if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
}

/// A challenge that is sent again costs no more signatures than a few, however many keys it names.
#[tokio::test]
async fn a_challenge_for_many_keys_is_looked_up_before_anything_is_signed() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    let mut key_ids = Vec::new();
    for number in 1..=3 {
        key_ids.push(running.register(number, "song", true).await);
    }
    let sealed = running.seal(&client, &challenge(&running.realm, &key_ids, None, 1));
    let first = running.verify(&client, &sealed, &running.acquire(&sealed, None).await.body);
    let again = running.verify(&client, &sealed, &running.acquire(&sealed, None).await.body);
    assert_eq!((first.len(), first), (3, again));
    let text = scrape(&running).await;
    for line in ["admit_batch_size_count{queue=\"record\"} 1", "admit_challenges_repeated_total 1"] {
        assert!(text.lines().any(|served| served == line), "{line} is not in\n{text}");
    }
}
