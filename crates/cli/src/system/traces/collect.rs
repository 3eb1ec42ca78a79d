//! A layer beside the log's that makes a span of OpenTelemetry of each request's span.

use std::fmt;
use std::time::{Instant, SystemTime};

use admit_crypto::Entropy as _;
use admit_server::TraceParent;
use admit_server::home::Share;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Queue;
use super::span::Span;
use crate::system::SystemEntropy;

/// Collects requests.
pub(crate) struct Collect {
    queue: Queue,
    sample: Share,
}

/// A request under way: what its span in the log says, and the line about its answer, as far as it may leave.
struct Request {
    at: SystemTime,
    begun: Instant,
    id: String,
    method: Option<&'static str>,
    route: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    parent: Option<TraceParent>,
}

impl Collect {
    pub(super) fn new(queue: Queue, sample: Share) -> Self {
        Self { queue, sample }
    }

    /// What it needs to see: the spans of requests and the lines about their answers.
    pub(crate) fn sees(metadata: &Metadata<'_>) -> bool {
        is_request(metadata) || metadata.name() == ANSWERED
    }

    /// Whether a request's span is sent: with a parent that was accepted as the parent is, else by the share.
    fn takes(&self, request: &Request, trace_id: [u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace_id;
        let drawn = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        request.parent.map_or_else(|| self.sample.has(drawn), |parent| parent.is_sampled())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|span| is_request(span.metadata())) {
            let mut request = Request::begin();
            attributes.record(&mut request);
            span.extensions_mut().insert(request);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(request) = span.extensions_mut().get_mut::<Request>()
        {
            values.record(request);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().name() == ANSWERED
            && let Some(span) = context.event_span(event)
            && let Some(request) = span.extensions_mut().get_mut::<Request>()
        {
            event.record(request);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(request) = context.span(&id).and_then(|span| span.extensions_mut().remove::<Request>()) else {
            return;
        };
        // A trace that begins here has the request's id, so that what a client was answered leads to it.
        let Some(trace_id) = request.parent.map(|parent| parent.trace_id).or_else(|| sixteen(&request.id)) else {
            return;
        };
        if self.takes(&request, trace_id) {
            self.queue.push(request.end(trace_id));
        }
    }
}

impl Request {
    fn begin() -> Self {
        let (at, begun) = (SystemTime::now(), Instant::now());
        let (method, route, status, code, parent) = Default::default();
        Self { at, begun, id: String::new(), method, route, status, code, parent }
    }

    fn end(self, trace_id: [u8; 16]) -> Span {
        let mut span_id = [0; 8];
        SystemEntropy.fill(&mut span_id);
        Span {
            trace_id,
            span_id,
            parent: self.parent,
            at: self.at,
            took: self.begun.elapsed(),
            request_id: self.id,
            method: self.method,
            route: self.route,
            status: self.status,
            code: self.code,
        }
    }
}

impl Visit for Request {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "id" => value.clone_into(&mut self.id),
            // Any word can be sent as a method: only those that are known leave.
            "method" => self.method = METHODS.into_iter().find(|method| *method == value),
            "route" => self.route = (value != NO_ROUTE).then(|| value.to_owned()),
            "code" => self.code = Some(value.to_owned()),
            "traceparent" => self.parent = value.parse().ok(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = value.try_into().ok();
        }
    }

    /// What is recorded by its `Display`.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// `admit_server::observe` makes it.
fn is_request(metadata: &Metadata<'_>) -> bool {
    metadata.name() == "request" && metadata.target() == "admit_server::observe"
}

fn sixteen(id: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(id, &mut bytes).is_ok().then_some(bytes)
}

/// The event of an answer.
const ANSWERED: &str = "answered";
/// Where an address is none of the server's.
const NO_ROUTE: &str = "none";
/// The methods of RFC 9110 and RFC 5789, which the semantic conventions know.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
