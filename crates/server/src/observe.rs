//! What is seen of every request: an id of its own, a span in the log with its route, in it a line with status, code and
//! time, and counts.

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use admit_protocol::Code;

use crate::refusal::Refusal;
use crate::trace_parent::TraceParent;
use crate::{Server, http};

/// What a refusal says of itself to whoever counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    /// Whether the database is the cause.
    pub(crate) by_database: bool,
}

/// Around every route. An id from outside is not taken over: it would be somebody else's text in the log.
pub(crate) async fn observe(
    State(server): State<Server>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let id = server.request_ids.next(&server);
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    // An error's span, so that it is there at every level of the log.
    let span = tracing::error_span!("request", id = %id.text(), method = %request.method(), route, traceparent = Empty);
    if let Some(parent) = trace_parent(&server, request.headers()) {
        span.record("traceparent", tracing::field::display(parent));
    }
    let begun = Instant::now();
    let under_way = UnderWay::new(&server);
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(under_way);
    let (took, status) = (begun.elapsed(), response.status().as_u16());
    server.metrics.answered(route, status, took);
    let refused = response.extensions().get::<Refused>();
    if let Some(refused) = refused {
        server.metrics.refused(refused.code);
        if refused.by_database {
            server.metrics.database_errors.inc();
        }
    }
    let (code, micros) = (refused.map(|refused| refused.code.name()), took.as_micros());
    let micros = u64::try_from(micros).unwrap_or(u64::MAX);
    tracing::info!(name: "answered", parent: &span, status, code, micros, "answered");
    http::not_kept(response.headers_mut());
    if let Ok(id) = HeaderValue::from_bytes(&id.0) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// `GET /metrics`: for loopback peers, unless there is an address for it alone. A request that a proxy passed on is not
/// from here.
pub(crate) async fn metrics(
    State(server): State<Server>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let here = peer.is_some_and(|peer| peer.0.0.ip().to_canonical().is_loopback());
    let passed_on = PASSED_ON.iter().any(|name| headers.contains_key(*name));
    if server.home.config().metrics_listen.is_some() || !here || passed_on {
        return Err(Refusal::NotFound);
    }
    Ok(text(&server))
}

/// `GET /metrics` at its own address.
pub(crate) async fn metrics_alone(State(server): State<Server>) -> Response {
    text(&server)
}

fn text(server: &Server) -> Response {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], server.metrics.text(server)).into_response()
}

/// Counts a request for as long as it is being answered, also when its client goes away.
struct UnderWay<'a>(&'a Server);

impl<'a> UnderWay<'a> {
    fn new(server: &'a Server) -> Self {
        server.metrics.begun();
        Self(server)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.metrics.ended();
    }
}

/// To which trace a request belongs, where whoever sends it is trusted to say so.
fn trace_parent(server: &Server, headers: &HeaderMap) -> Option<TraceParent> {
    server.home.config().traces.accept_traceparent.then(|| TraceParent::of(headers)).flatten()
}

/// Ids of requests: random ones, of which many are drawn at once, since each draw is a system call.
#[derive(Debug, Default)]
pub(crate) struct RequestIds {
    drawn: Mutex<Vec<[u8; 16]>>,
}

impl RequestIds {
    fn next(&self, server: &Server) -> RequestId {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_empty() {
            let mut more = [[0; 16]; IDS_AT_ONCE];
            server.entropy.entropy().fill(more.as_flattened_mut());
            drawn.extend(more);
        }
        let mut text = [0; 32];
        let drawn = drawn.pop().expect("there are some");
        hex::encode_to_slice(drawn, &mut text).expect("two digits for each byte");
        RequestId(text)
    }
}

/// Hexadecimal digits.
struct RequestId([u8; 32]);

impl RequestId {
    fn text(&self) -> &str {
        str::from_utf8(&self.0).expect("digits are text")
    }
}

const IDS_AT_ONCE: usize = 64;
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What proxies add.
const PASSED_ON: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];
