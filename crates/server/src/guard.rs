//! What stands before a route, in one layer: the body is looked at by its headers and read; then there must be a place for
//! the request, and answering it has so much time.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::Server;
use crate::refusal::Refusal;

/// What holds for one route.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) server: Server,
    /// Whether there must be a place for its requests, and their bodies are read beforehand.
    pub(crate) is_limited: bool,
    pub(crate) expected: Expected,
}

/// What a route reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    /// The one type; none where it is not asked for.
    pub(crate) content_type: Option<&'static str>,
    /// The most bytes.
    pub(crate) limit: usize,
}

/// Lets a request through to its route, or refuses it.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let answer = if guard.is_limited { guard.limited(request, next).await } else { guard.in_time(request, next).await };
    answer.unwrap_or_else(Refusal::into_response)
}

impl Guard {
    /// Reads the whole body before anything else begins: whoever sends slowly holds nothing but a connection.
    async fn limited(&self, request: Request, next: Next) -> Result<Response, Refusal> {
        self.expected.check(request.headers())?;
        let (head, body) = request.into_parts();
        let whole = self.read(body).await?;
        // Whoever is turned away knows at once, and has cost nothing.
        let _place = self.server.places.try_acquire().map_err(|_| Refusal::Busy)?;
        self.in_time(Request::from_parts(head, Body::from(whole)), next).await
    }

    async fn read(&self, body: Body) -> Result<Bytes, Refusal> {
        let whole = tokio::select! {
            biased;
            whole = Limited::new(body, self.expected.limit).collect() => whole,
            () = async { self.server.clock.sleep(self.server.home.config().body_timeout).await } => {
                return Err(Refusal::BodyTimeout);
            }
        };
        whole
            .map(|whole| whole.to_bytes())
            .map_err(|error| if error.is::<LengthLimitError>() { Refusal::BodyTooLong } else { Refusal::Body })
    }

    /// Gives up on a request that takes too long. What it had begun in the database is undone.
    async fn in_time(&self, request: Request, next: Next) -> Result<Response, Refusal> {
        let limit = self.server.home.config().request_timeout;
        tokio::time::timeout(limit, next.run(request)).await.map_err(|_| Refusal::Timeout)
    }
}

impl Expected {
    /// Refuses a body of another type or length by its headers, before a byte of it is read. Whoever says nothing of the
    /// type means the right one.
    fn check(self, headers: &HeaderMap) -> Result<(), Refusal> {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > self.limit) {
            return Err(Refusal::BodyTooLong);
        }
        let mut given = headers.get_all(header::CONTENT_TYPE).iter();
        match self.content_type.filter(|expected| !given.all(|value| is_of_type(value, expected))) {
            Some(expected) => Err(Refusal::ContentType { expected }),
            None => Ok(()),
        }
    }
}

/// Whether a Content-Type is this one, whatever its parameters.
fn is_of_type(value: &HeaderValue, expected: &str) -> bool {
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}
