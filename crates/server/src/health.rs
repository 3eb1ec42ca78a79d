//! `GET /health`: whether the server can answer, which it can when its database does and takes what is written.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::{Error, Server};

/// 200 with `{"status":"ok"}`, or 503.
pub(crate) async fn health(State(server): State<Server>) -> Response {
    let (status, word) = match probe(&server).await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(%error, "health check failed");
            (StatusCode::SERVICE_UNAVAILABLE, "failing")
        }
    };
    let services_end_at = server.home.services_end_at().to_string();
    let body = serde_json::json!({ "status": word, "services_end_at": services_end_at });
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn probe(server: &Server) -> Result<(), Error> {
    let probe = tokio::time::timeout(LIMIT.min(server.home.config().request_timeout / 2), server.home.store().probe());
    probe.await.unwrap_or(Err(Error::Overloaded))
}

/// A database that takes longer to answer serves nobody.
const LIMIT: Duration = Duration::from_secs(2);
