//! `GET /health`: the process is alive. `GET /ready`: it can answer, because its database does, its certificates are
//! valid, and it is not being stopped. The page `/status` says the same to people.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::Server;

/// What `/health` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    status: &'static str,
    /// The end of the first service certificate.
    services_end_at: String,
}

/// What `/ready` answers: what is in order, and what all of it comes to.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    status: &'static str,
    /// The database answers, and takes what is written.
    pub(crate) database: bool,
    /// Every certificate is valid.
    pub(crate) certificates: bool,
    /// The server is being stopped.
    pub(crate) stopping: bool,
    /// The acquisition policy's file holds. Where it does not, what it was before stays in use.
    pub(crate) policy: bool,
    /// Certificates that are due to be renewed, well before they end.
    renewal_due: Vec<Cow<'static, str>>,
    /// `signed`, or why the time is not. The server works without it.
    pub(crate) time: String,
}

impl Readiness {
    /// Looks at everything. Nothing else decides whether the server can work.
    pub(crate) async fn of(server: &Server) -> Self {
        let now = server.clock.now();
        let services = server.home.service_ends().all(|(_, end)| now < end);
        let certificates = services && server.tls.as_ref().is_none_or(|tls| now < tls.ends_at());
        let stopping = server.stopping.load(Ordering::Relaxed);
        let database = database_answers(server).await;
        let status = if database && certificates && !stopping { READY } else { NOT_READY };
        let renewal_due = server.home.standings().filter(|one| one.is_due(now)).map(|one| one.name).collect();
        let time = server.time.check(now).map_or_else(|why| why.to_string(), |_| TIME_SIGNED.to_owned());
        let policy = server.policy.standing(now).mistakes.is_empty();
        Self { status, database, certificates, stopping, policy, renewal_due, time }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status == READY
    }

    /// 200, or 503 with what is missing.
    pub(crate) fn http_status(&self) -> StatusCode {
        if self.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }
}

/// 200, with the end of the first service certificate.
pub(crate) async fn health(State(server): State<Server>) -> Json<Health> {
    Json(Health { status: ALIVE, services_end_at: server.home.services_end_at().to_string() })
}

/// 200, or 503 with what is missing.
pub(crate) async fn ready(State(server): State<Server>) -> (StatusCode, Json<Readiness>) {
    let readiness = Readiness::of(&server).await;
    (readiness.http_status(), Json(readiness))
}

async fn database_answers(server: &Server) -> bool {
    match tokio::time::timeout(PROBE_LIMIT, server.home.store().probe()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            false
        }
        Err(_) => {
            tracing::error!(seconds = PROBE_LIMIT.as_secs(), "the database does not answer in time");
            false
        }
    }
}

pub(crate) const TIME_SIGNED: &str = "signed";
pub(crate) const ALIVE: &str = "ok";
pub(crate) const READY: &str = "ready";
pub(crate) const NOT_READY: &str = "not ready";
/// Who asks wants to know now, and not when the database is back.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
