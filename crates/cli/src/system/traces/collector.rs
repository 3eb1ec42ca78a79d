//! The collector's side of the export: OTLP 1.x over HTTP with JSON (opentelemetry.io/docs/specs/otlp).

use std::time::Duration;

use serde_json::{Value, json};

use super::Sent;
use super::span::{Span, text};
use crate::system::http;

/// A collector, and what every batch says of this server.
pub(super) struct Collector {
    agent: ureq::Agent,
    url: String,
    resource: Value,
    scheme: &'static str,
}

impl Collector {
    pub(super) fn new(endpoint: &str, service_name: &str, scheme: &'static str) -> Self {
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let about = [text("service.name", service_name), text("service.version", env!("CARGO_PKG_VERSION"))];
        let agent = http::agent(CONNECT_TIMEOUT, TOTAL_TIMEOUT);
        Self { agent, url, resource: json!({ "attributes": about }), scheme }
    }

    /// Sends a batch once. What is not taken is lost: a collector that is away is no reason to fill the memory.
    pub(super) fn send(&self, batch: &[Span]) -> Sent {
        let request = self.agent.post(&self.url).header("content-type", "application/json");
        let sent = request.send(self.request(batch).to_string());
        let mut response = sent.map_err(|error| format!("{}: {error}", self.url))?;
        if !response.status().is_success() {
            return Err(format!("{} answered with HTTP status {}", self.url, response.status()));
        }
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().unwrap_or_default();
        Ok(rejected(&body))
    }

    /// `ExportTraceServiceRequest`.
    fn request(&self, batch: &[Span]) -> Value {
        let spans: Vec<Value> = batch.iter().map(|span| span.json(self.scheme)).collect();
        let scope = json!({ "name": "admit", "version": env!("CARGO_PKG_VERSION") });
        let scoped = json!({ "scope": scope, "spans": spans });
        json!({ "resourceSpans": [{ "resource": self.resource, "scopeSpans": [scoped] }] })
    }
}

/// How many spans an `ExportTraceServiceResponse` says were not taken: a number of 64 bits, as text or not.
fn rejected(answer: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let count = &answer["partialSuccess"]["rejectedSpans"];
    count.as_u64().or_else(|| count.as_str()?.parse().ok()).unwrap_or(0)
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Room for a sentence about what was not taken.
const MAX_ANSWER: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_many_spans_were_not_taken() {
        assert_eq!(rejected(br#"{"partialSuccess":{"rejectedSpans":"5","errorMessage":"too old"}}"#), 5);
        assert_eq!(rejected(br#"{"partialSuccess":{"rejectedSpans":7}}"#), 7);
        for none in
            [&b""[..], b"{}", b"not json", br#"{"partialSuccess":{}}"#, br#"{"partialSuccess":{"rejectedSpans":"-1"}}"#]
        {
            assert_eq!(rejected(none), 0);
        }
    }

    #[test]
    fn the_address_may_have_a_path() {
        for (endpoint, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://traces.example/otlp/", "https://traces.example/otlp/v1/traces"),
        ] {
            assert_eq!(Collector::new(endpoint, "admit", "http").url, url);
        }
    }
}
