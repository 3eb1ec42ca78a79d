//! Pages of other origins: preflight and answers, refusals among them.

use hyper::StatusCode;

use crate::harness::{Answer, Running, connect, send};
use crate::held_up::HeldUp;

const PAGE: &str = "https://player.example.org";

#[tokio::test]
async fn a_page_of_an_origin_on_the_list_may_ask_and_reads_refusals() {
    let running = with_origins(&format!("[{PAGE:?}, \"http://127.0.0.1:8000\"]")).await;
    for path in ["/v1/licenses", "/v1/clearkey", "/.well-known/admit"] {
        let preflight = preflight(&running, path, PAGE).await;
        assert_eq!(preflight.status, StatusCode::OK);
        assert_eq!(preflight.headers["access-control-allow-origin"], PAGE);
        assert!(preflight.headers["access-control-allow-methods"].to_str().unwrap().contains("POST"));
        let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap();
        assert_eq!(allowed, "authorization,content-type,x-of-the-player");
        assert!(preflight.headers.contains_key("access-control-max-age"));
        assert!(!preflight.headers.contains_key("access-control-allow-credentials"));
    }
    let refused = ask(&running, "/v1/licenses", PAGE).await;
    assert_eq!(refused.refusal().0, 400);
    assert_eq!(refused.headers["access-control-allow-origin"], PAGE);
    assert_eq!(refused.headers["access-control-expose-headers"], "retry-after,x-request-id");
    let varies =
        |name: &str| refused.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains(name));
    assert!(varies("origin"));
    for stranger in ["https://evil.example", "https://player.example.org.evil.example", "null"] {
        assert!(!ask(&running, "/v1/licenses", stranger).await.headers.contains_key("access-control-allow-origin"));
        let preflight = preflight(&running, "/v1/licenses", stranger).await;
        assert!(!preflight.headers.contains_key("access-control-allow-origin"), "{stranger}");
    }
}

#[tokio::test]
async fn where_every_origin_may_ask_the_token_may_be_sent_too() {
    let running = with_origins("[\"*\"]").await;
    let preflight = preflight(&running, "/v1/clearkey", PAGE).await;
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
    assert_eq!(preflight.headers["access-control-allow-headers"], "authorization,content-type,x-of-the-player");
    assert!(!preflight.headers.contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn what_is_for_operators_is_for_no_page() {
    let running = with_origins("[\"*\"]").await;
    assert_eq!(ask(&running, "/v1/licenses", PAGE).await.headers["access-control-allow-origin"], "*");
    assert_eq!(preflight(&running, "/v1/licenses", PAGE).await.headers["access-control-allow-origin"], "*");
    for path in ["/v1/headers", "/v1/enrol", "/health", "/metrics"] {
        assert!(!ask(&running, path, PAGE).await.headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_told_that_the_server_is_busy() {
    let config = "[http]\nmaximum_requests = 1\n[cors]\norigins = [\"*\"]\n";
    let (policy, mut gate) = HeldUp::new();
    let running = Running::start_with(config, |server| server.with_policy(policy)).await;
    let (client, key_ids) = (running.enrol(1).await, [running.register(1, "song", true).await]);
    let test = async {
        gate.arrival().await;
        let busy = ask(&running, "/v1/licenses", PAGE).await;
        gate.open();
        busy
    };
    let (first, busy) = tokio::join!(running.ask(&client, &key_ids, None), test);
    assert_eq!((first.status, busy.refusal().0), (StatusCode::OK, 503));
    assert_eq!(busy.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn without_the_setting_no_page_may() {
    let running = Running::start().await;
    assert_eq!(preflight(&running, "/v1/licenses", PAGE).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(!ask(&running, "/v1/licenses", PAGE).await.headers.contains_key("access-control-allow-origin"));
}

async fn with_origins(origins: &str) -> Running {
    Running::start_with(&format!("[cors]\norigins = {origins}\n"), |server| server).await
}

async fn ask(running: &Running, path: &str, origin: &str) -> Answer {
    send(&mut connect(running.address).await, "POST", path, &[("origin", origin)], b"junk").await
}

async fn preflight(running: &Running, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-of-the-player"),
    ];
    send(&mut connect(running.address).await, "OPTIONS", path, &headers, b"").await
}
