//! The span of a request as JSON of OTLP 1.x (opentelemetry-proto, `trace.proto`): ids in hexadecimal, whole numbers
//! of 64 bits as text. Attributes are named by the semantic conventions for HTTP servers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admit_server::TraceParent;
use serde_json::{Value, json};

/// A request that was answered, or whose client went away before that. Nothing here is a client's text.
pub(super) struct Span {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) parent: Option<TraceParent>,
    pub(super) at: SystemTime,
    pub(super) took: Duration,
    pub(super) request_id: String,
    /// `None` for one that nobody knows.
    pub(super) method: Option<&'static str>,
    /// The pattern of the address, where there is one.
    pub(super) route: Option<String>,
    /// `None` where nobody waited for the answer.
    pub(super) status: Option<u16>,
    /// The name of the refusal's code.
    pub(super) code: Option<String>,
}

impl Span {
    /// The span; `scheme` is that of the server's own address.
    pub(super) fn json(&self, scheme: &str) -> Value {
        let mut span = json!({
            "traceId": hex::encode(self.trace_id),
            "spanId": hex::encode(self.span_id),
            "flags": self.flags(),
            "name": self.name(),
            "kind": KIND_SERVER,
            "startTimeUnixNano": nanos(self.at),
            "endTimeUnixNano": nanos(self.at + self.took),
            "attributes": self.attributes(scheme),
            "status": if self.is_failure() { json!({ "code": STATUS_ERROR }) } else { json!({}) },
        });
        if let Some(parent) = &self.parent {
            span["parentSpanId"] = hex::encode(parent.span_id).into();
        }
        span
    }

    fn attributes(&self, scheme: &str) -> Vec<Value> {
        let mut attributes = vec![
            text("http.request.method", self.method.unwrap_or("_OTHER")),
            text("url.scheme", scheme),
            text("admit.request_id", &self.request_id),
        ];
        attributes.extend(self.route.as_deref().map(|route| text("http.route", route)));
        let number = |status: u16| json!({ "intValue": status.to_string() });
        attributes.extend(self.status.map(|status| attribute("http.response.status_code", &number(status))));
        attributes.extend(self.code.as_deref().map(|code| text("admit.code", code)));
        if let Some(status) = self.status.filter(|_| self.is_failure()) {
            attributes.push(text("error.type", &status.to_string()));
        }
        attributes
    }

    /// Method and pattern: few names, as the conventions want them.
    fn name(&self) -> String {
        let method = self.method.unwrap_or("HTTP");
        self.route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}"))
    }

    /// Sampled, and whether the parent is in another process.
    fn flags(&self) -> u32 {
        SAMPLED | IS_REMOTE_KNOWN | if self.parent.is_some() { IS_REMOTE } else { 0 }
    }

    /// A client's mistake is no failure of the server.
    fn is_failure(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }

    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self {
            trace_id: [0xab; 16],
            span_id: [0xcd; 8],
            parent: None,
            at: UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789),
            took: Duration::from_micros(1_500),
            request_id: "ab".repeat(16),
            method: Some("PUT"),
            route: Some("/v1/keys/{key_id}".to_owned()),
            status: Some(401),
            code: Some("ADMIT_E_OPERATOR_TOKEN".to_owned()),
        }
    }
}

/// An attribute with a text.
pub(super) fn text(key: &str, value: &str) -> Value {
    attribute(key, &json!({ "stringValue": value }))
}

fn attribute(key: &str, value: &Value) -> Value {
    json!({ "key": key, "value": value })
}

/// Nanoseconds since 1970.
fn nanos(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

/// `SPAN_KIND_SERVER`.
const KIND_SERVER: u32 = 2;
/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: u32 = 2;
/// The flag of W3C Trace Context.
const SAMPLED: u32 = 1;
/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` and `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`.
const IS_REMOTE_KNOWN: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_the_form_of_otlp() {
        let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let expected = json!({
            "traceId": "abababababababababababababababab",
            "spanId": "cdcdcdcdcdcdcdcd",
            "flags": 0x101,
            "name": "PUT /v1/keys/{key_id}",
            "kind": 2,
            "startTimeUnixNano": "1700000000123456789",
            "endTimeUnixNano": "1700000000124956789",
            "attributes": [
                attribute("http.request.method", "PUT"),
                attribute("url.scheme", "https"),
                attribute("admit.request_id", "abababababababababababababababab"),
                attribute("http.route", "/v1/keys/{key_id}"),
                { "key": "http.response.status_code", "value": { "intValue": "401" } },
                attribute("admit.code", "ADMIT_E_OPERATOR_TOKEN"),
            ],
            "status": {},
        });
        assert_eq!(Span::sample().json("https"), expected);
    }

    #[test]
    fn a_failure_of_the_server_is_an_error_and_a_parent_is_remote() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let failed = Span { status: Some(503), code: None, route: None, parent: Some(parent), ..Span::sample() };
        let json = failed.json("http");
        assert_eq!((&json["status"], &json["name"]), (&json!({ "code": 2 }), &json!("PUT")));
        assert_eq!((&json["parentSpanId"], &json["flags"]), (&json!("b7ad6b7169203331"), &json!(0x301)));
        assert_eq!(json["attributes"].as_array().unwrap().last(), Some(&text("error.type", "503")));
        let unknown = Span { method: None, status: None, ..Span::sample() }.json("http");
        assert_eq!(unknown["name"], "HTTP /v1/keys/{key_id}");
        assert_eq!(unknown["attributes"][0], text("http.request.method", "_OTHER"));
    }
}
