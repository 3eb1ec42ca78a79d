//! The counterpart of the exporter: a listener of the test's that keeps the spans it gets, over HTTP or TLS.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::slow_server::read_message;
use crate::world::World;

/// What a collector has received.
pub(crate) struct Collector {
    address: String,
    pub(crate) messages: Receiver<Vec<u8>>,
}

/// A span, with what was sent around it.
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) resource: Value,
    pub(crate) json: Value,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::answering(OK)
    }

    /// Gives every message the same answer.
    pub(crate) fn answering(answer: &str) -> Self {
        Self::of(answer, None)
    }

    pub(crate) fn of(answer: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (address, (seen, messages)) = (format!("{scheme}://{}", listener.local_addr().unwrap()), channel());
        let answer = answer.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().map(Result::unwrap) {
                let (seen, answer, tls) = (seen.clone(), answer.clone(), tls.clone());
                thread::spawn(move || match tls {
                    Some(tls) => {
                        take(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &answer, &seen);
                    }
                    None => take(stream, &answer, &seen),
                });
            }
        });
        Self { address, messages }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("endpoint = \"{}\"", self.address)
    }

    pub(crate) fn settings(&self) -> String {
        format!("[traces]\n{}\n", self.endpoint())
    }

    /// All spans up to that of a request.
    pub(crate) fn spans_until(&self, request: &str) -> Vec<Received> {
        let mut spans: Vec<Received> = Vec::new();
        while spans.last().and_then(|span| span.attribute("admit.request_id")) != Some(request) {
            spans.extend(received(&self.messages.recv().unwrap()));
        }
        spans
    }
}

impl Received {
    pub(crate) fn trace_id(&self) -> &str {
        self.json["traceId"].as_str().unwrap()
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        value(&self.json["attributes"], name)
    }

    pub(crate) fn resource(&self, name: &str) -> &str {
        value(&self.resource["attributes"], name).unwrap()
    }
}

/// A connection of the exporter's, until it is closed.
fn take(mut stream: impl Read + Write, answer: &str, seen: &Sender<Vec<u8>>) {
    while let Ok(message) = read_message(&mut stream) {
        // A test that has seen enough is over.
        if seen.send(message).is_err() || stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The certificate and key of a folder.
pub(crate) fn tls(world: &World) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(world.path("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(world.path("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

/// The spans of one message, which is checked for its form.
fn received(message: &[u8]) -> Vec<Received> {
    let body = body(message);
    let head = String::from_utf8(message[..message.len() - body.len()].to_vec()).unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_slice(body).unwrap();
    let [of_resource] = &body["resourceSpans"].as_array().unwrap()[..] else { panic!("{body}") };
    let [of_scope] = &of_resource["scopeSpans"].as_array().unwrap()[..] else { panic!("{body}") };
    let spans = of_scope["spans"].as_array().unwrap().iter();
    let resource = &of_resource["resource"];
    spans.map(|span| Received { head: head.clone(), resource: resource.clone(), json: span.clone() }).collect()
}

pub(crate) fn body(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    &message[end + 4..]
}

/// The spans of a body as Python reads them, with the package `opentelemetry-proto`.
pub(crate) fn decoded(body: &[u8]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/otlp/decode.py");
    let python = std::env::var("ADMIT_PYTHON").unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(python);
    let command = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("Python is installed");
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(body));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn value<'a>(attributes: &'a Value, name: &str) -> Option<&'a str> {
    let found = attributes.as_array().unwrap().iter().find(|attribute| attribute["key"] == name)?;
    found["value"].as_object().unwrap().values().next().unwrap().as_str()
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
