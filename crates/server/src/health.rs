//! `GET /health`: the process is alive. `GET /ready`: it can answer, because its database does, its certificates are
//! valid, and it is not being stopped.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::{Error, Server};

/// 200, with the end of the first service certificate.
pub(crate) async fn health(State(server): State<Server>) -> Response {
    let services_end_at = server.home.services_end_at().to_string();
    answer(StatusCode::OK, &json!({ "status": "ok", "services_end_at": services_end_at }))
}

/// 200, or 503 with what is missing. A certificate that is due to be renewed is told well before it ends.
pub(crate) async fn ready(State(server): State<Server>) -> Response {
    let database = match tokio::time::timeout(PROBE_LIMIT, probe(&server)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            false
        }
        Err(_) => {
            tracing::error!(seconds = PROBE_LIMIT.as_secs(), "the database does not answer in time");
            false
        }
    };
    let now = server.clock.now();
    let services = server.home.service_ends().all(|(_, end)| now < end);
    let certificates = services && server.tls.as_ref().is_none_or(|tls| now < tls.ends_at());
    let stopping = server.stopping.load(Ordering::Relaxed);
    let ready = database && certificates && !stopping;
    let (status, word) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let due: Vec<&str> = server.home.standings().filter(|one| one.is_due(now)).map(|one| one.name).collect();
    let body = json!({
        "status": word,
        "database": database,
        "certificates": certificates,
        "stopping": stopping,
        "renewal_due": due,
    });
    answer(status, &body)
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Whether the database answers, and takes what is written.
pub(crate) async fn probe(server: &Server) -> Result<(), Error> {
    server.home.store().probe().await
}

/// Who asks wants to know now, and not when the database is back.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
