//! What stands before a route's handler: the body is looked at by its headers and read; then there must be a place for
//! the request, and answering it has so much time.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::Server;
use crate::refusal::Refusal;

/// A handler with what stands before it. It is a handler itself: a layer would have the route cloned and boxed once more
/// for each request.
#[derive(Clone)]
pub(crate) struct Guarded<H> {
    pub(crate) handler: H,
    /// Whether there must be a place for its requests, and their bodies are read beforehand.
    pub(crate) is_limited: bool,
    pub(crate) expected: Expected,
}

/// The whole body of a request, as it was read before the handler began, in one piece. (`Bytes` as an extractor would
/// gather it once more.)
#[derive(Debug)]
pub(crate) struct Whole(pub(crate) Bytes);

impl<S: Sync> FromRequest<S> for Whole {
    type Rejection = Refusal;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Refusal> {
        let Some(frame) = request.body_mut().frame().await else { return Ok(Self(Bytes::new())) };
        let data = frame.ok().and_then(|frame| frame.into_data().ok());
        data.filter(|_| request.body().is_end_stream()).map(Self).ok_or(Refusal::Body)
    }
}

/// What a route reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    /// The one type; none where it is not asked for.
    pub(crate) content_type: Option<&'static str>,
    /// The most bytes.
    pub(crate) limit: usize,
}

impl<H: Handler<T, Server>, T: 'static> Handler<T, Server> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, server: Server) -> Self::Future {
        Box::pin(async move {
            let Self { handler, is_limited, expected } = self;
            let answer = if is_limited {
                limited(handler, expected, request, server).await
            } else {
                in_time(handler, request, server).await
            };
            answer.unwrap_or_else(Refusal::into_response)
        })
    }
}

/// Reads the whole body before anything else begins: whoever sends slowly holds nothing but a connection.
async fn limited<H, T>(
    handler: H,
    expected: Expected,
    mut request: Request,
    server: Server,
) -> Result<Response, Refusal>
where
    H: Handler<T, Server>,
    T: 'static,
{
    expected.check(request.headers())?;
    let whole = read(std::mem::take(request.body_mut()), expected.limit, &server).await?;
    *request.body_mut() = Body::from(whole);
    // Whoever is turned away knows at once, and has cost nothing.
    let places = Arc::clone(&server.places);
    let _place = places.try_acquire().map_err(|_| Refusal::Busy)?;
    in_time(handler, request, server).await
}

async fn read(body: Body, limit: usize, server: &Server) -> Result<Bytes, Refusal> {
    let whole = tokio::select! {
        biased;
        whole = Limited::new(body, limit).collect() => whole,
        () = async { server.clock.sleep(server.home.config().body_timeout).await } => {
            return Err(Refusal::BodyTimeout);
        }
    };
    whole
        .map(|whole| whole.to_bytes())
        .map_err(|error| if error.is::<LengthLimitError>() { Refusal::BodyTooLong } else { Refusal::Body })
}

/// Gives up on a request that takes too long. What it had begun in the database is undone.
async fn in_time<H, T>(handler: H, request: Request, server: Server) -> Result<Response, Refusal>
where
    H: Handler<T, Server>,
    T: 'static,
{
    let limit = server.home.config().request_timeout;
    tokio::time::timeout(limit, handler.call(request, server)).await.map_err(|_| Refusal::Timeout)
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
    // As a client of ours says it, letter for letter.
    if value == expected {
        return true;
    }
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}
