//! Every address of the server, in one table that makes both the routes and their description (OpenAPI 3.1): there is no
//! route that is not described, and no description of a route that is not there.

mod clients;
mod document;
mod operators;
mod people;
mod probes;
mod schemas;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use serde_json::Value;

use self::document::DESCRIPTION_PATH;
pub use self::document::description;
pub(crate) use self::probes::METRICS_PATH;
use crate::guard::{Expected, Guarded};
use crate::refusal::Refusal;
use crate::{Error, Server};

/// Whose an address is. Other limits hold for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Clients and players, which may be pages of other origins.
    Players,
    /// Operators, clients outside of browsers, people.
    Others,
    /// Whoever watches the server: answered also when it has too much to do.
    Probes,
}

/// An address with a method: what answers there, and what that says of itself.
pub(crate) struct Endpoint {
    audience: Audience,
    method: Method,
    path: String,
    route: MethodRouter<Server>,
    operation: Operation,
}

impl Endpoint {
    fn new<H, T>(audience: Audience, method: Method, path: impl Into<String>, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Server>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("methods of the table are those of RFC 9110");
        let expected = operation.body.as_ref().map_or_else(Expected::default, |body| Expected {
            content_type: body.is_checked.then_some(body.content_type),
            limit: body.limit,
        });
        // Before the handler, the body is looked at by its headers, then read; then there must be a place for the request,
        // and it has so much time.
        let handler = Guarded { handler, is_limited: audience != Audience::Probes, expected };
        Self { audience, method, path: path.into(), route: on(filter, handler), operation }
    }
}

/// The routes of an audience. Another method at one of them is refused.
pub(crate) fn routes(audience: Audience) -> Router<Server> {
    routes_where(|endpoint| endpoint.audience == audience)
}

/// The route of one address.
pub(crate) fn route_at(path: &str) -> Router<Server> {
    routes_where(|endpoint| endpoint.path == path)
}

fn routes_where(is_wanted: impl Fn(&Endpoint) -> bool) -> Router<Server> {
    let endpoints = endpoints().into_iter().filter(is_wanted);
    let add = |router: Router<Server>, endpoint: Endpoint| router.route(&endpoint.path, endpoint.route);
    let routes = endpoints.fold(Router::new(), add);
    routes.method_not_allowed_fallback(async || Refusal::Method)
}

/// The whole table.
fn endpoints() -> Vec<Endpoint> {
    clients::endpoints()
        .into_iter()
        .chain(operators::endpoints())
        .chain(people::endpoints())
        .chain(probes::endpoints())
        .collect()
}

/// What is said of an endpoint.
struct Operation {
    /// Its name, for generated clients.
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    token: Token,
    body: Option<Body>,
    answers: Vec<Answer>,
    /// One refusal of each kind that it gives, beside those that every endpoint of its audience gives.
    refusals: Vec<Refusal>,
}

/// Which bearer token the request carries.
#[derive(Clone, Copy)]
enum Token {
    None,
    /// A buyer's, unless the content is open.
    Entitlement,
    Operator,
}

/// The body of a request.
struct Body {
    content_type: &'static str,
    schema: Value,
    /// Bytes.
    limit: usize,
    /// Whether another Content-Type is refused.
    is_checked: bool,
}

impl Body {
    fn new(content_type: &'static str, schema: Value, limit: usize) -> Self {
        Self { content_type, schema, limit, is_checked: true }
    }
}

/// An answer that is no refusal.
struct Answer {
    status: StatusCode,
    what: &'static str,
    content: Option<(&'static str, Value)>,
    headers: &'static [&'static str],
}

impl Answer {
    fn ok(what: &'static str, content_type: &'static str, schema: Value) -> Self {
        Self { status: StatusCode::OK, what, content: Some((content_type, schema)), headers: &[] }
    }
}

/// What a request with a body can be refused for beyond what every one can.
fn of_bodies() -> Vec<Refusal> {
    vec![Refusal::ContentType { expected: "" }]
}

/// What a database does to whoever needs it.
fn of_the_database() -> Vec<Refusal> {
    let shared =
        |unavailable| Error::Shared { code: admit_protocol::Code::ADMIT_E_SERVER, unavailable, reason: String::new() };
    vec![Error::Overloaded.into(), shared(true).into(), shared(false).into()]
}

const JSON: &str = "application/json";
