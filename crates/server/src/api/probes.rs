//! What whoever watches the server asks for, and this description.

use axum::http::{Method, StatusCode};

use super::{Answer, Audience, DESCRIPTION_PATH, Endpoint, JSON, Operation, Token, document, schemas};
use crate::refusal::Refusal;
use crate::{health, observe};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Audience::Probes, Method::GET, "/health", health::health, alive()),
        Endpoint::new(Audience::Probes, Method::GET, "/ready", health::ready, ready()),
        Endpoint::new(Audience::Probes, Method::GET, METRICS_PATH, observe::metrics, metrics()),
        Endpoint::new(Audience::Others, Method::GET, DESCRIPTION_PATH, document::answer, description()),
    ]
}

fn alive() -> Operation {
    let answer = Answer::ok("The process is alive.", JSON, schemas::reference("Health"));
    plain("health", "Whether the process is alive, and when the first service certificate ends", vec![answer])
}

fn ready() -> Operation {
    let ready = Answer::ok("It can answer requests.", JSON, schemas::reference("Readiness"));
    let what = "It cannot, and the members say why.";
    let content = Some((JSON, schemas::reference("Readiness")));
    let not_ready = Answer { status: StatusCode::SERVICE_UNAVAILABLE, what, content, headers: &[] };
    plain("ready", "Whether the server can answer requests", vec![ready, not_ready])
}

fn metrics() -> Operation {
    let answer = Answer::ok("OpenMetrics text.", observe::OPEN_METRICS, schemas::text());
    let summary = "Counts and measures, for requests from this machine, or at an address of their own";
    Operation { refusals: vec![Refusal::NotFound], ..plain("metrics", summary, vec![answer]) }
}

fn description() -> Operation {
    let document = Answer::ok("An OpenAPI 3.1 document.", JSON, schemas::object());
    let document = Answer { headers: &["Cache-Control"], ..document };
    plain("description", "This description", vec![document])
}

fn plain(id: &'static str, summary: &'static str, answers: Vec<Answer>) -> Operation {
    let (parameters, refusals) = (Vec::new(), Vec::new());
    Operation { id, summary, parameters, token: Token::None, body: None, answers, refusals }
}

/// Where the metrics are, also at an address of their own.
pub(crate) const METRICS_PATH: &str = "/metrics";
