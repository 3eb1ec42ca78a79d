//! `GET /openapi.json`: the table as an OpenAPI 3.1 document. What a refusal's status, code and headers are is asked of the
//! refusal itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use admit_protocol::{Code, PROBLEM_CONTENT_TYPE};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{Answer, Audience, Body, Endpoint, JSON, Operation, Token, endpoints, schemas};
use crate::refusal::Refusal;

/// The endpoint.
pub(crate) async fn answer() -> Response {
    ([(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, CACHE)], TEXT.as_str()).into_response()
}

/// The OpenAPI document of every address that a server has.
#[must_use]
pub fn description() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoints() {
        let method = endpoint.method.as_str().to_lowercase();
        paths.entry(endpoint.path.clone()).or_default().insert(method, operation(&endpoint));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Admit",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INFO,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "headers": { "X-Request-Id": { "description": "The server's id of this request, for its log.",
                "required": true, "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" } } },
            "securitySchemes": {
                ENTITLEMENT: { "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A buyer's entitlement token. Content that is open needs none." },
                OPERATOR: { "type": "http", "scheme": "bearer",
                    "description": "An operator token, made with `admit admin token make`." },
            },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let Operation { id, summary, parameters, token, body, .. } = &endpoint.operation;
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "responses": responses(&endpoint.operation, endpoint.audience),
        "security": match token {
            Token::None => json!([]),
            Token::Entitlement => json!([{}, { ENTITLEMENT: [] }]),
            Token::Operator => json!([{ OPERATOR: [] }]),
        },
    });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.clone().into();
    }
    if let Some(body) = body {
        operation["requestBody"] = request_body(body);
    }
    operation
}

fn request_body(body: &Body) -> Value {
    let about = if body.is_checked { "" } else { " The Content-Type is not looked at." };
    let description = format!("At most {} bytes.{about}", body.limit);
    json!({ "required": true, "description": description, "content": { body.content_type: { "schema": body.schema } } })
}

/// What is answered with one status.
#[derive(Default)]
struct Described<'a> {
    answers: Vec<&'a Answer>,
    codes: BTreeMap<&'static str, Code>,
    /// Headers of refusals.
    advice: BTreeSet<String>,
}

fn responses(operation: &Operation, audience: Audience) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Described> = BTreeMap::new();
    for answer in &operation.answers {
        by_status.entry(answer.status.as_u16()).or_default().answers.push(answer);
    }
    // A body is read, and may be too much, also where there is to be none.
    let everywhere = [Refusal::Timeout, Refusal::Busy, Refusal::Body, Refusal::BodyTooLong, Refusal::BodyTimeout];
    let everywhere =
        everywhere.iter().filter(|refusal| audience != Audience::Probes || matches!(refusal, Refusal::Timeout));
    for refusal in operation.refusals.iter().chain(everywhere) {
        let (code, status) = refusal.code_and_status();
        let described = by_status.entry(status.as_u16()).or_default();
        described.codes.insert(code.name(), code);
        described.advice.extend(refusal.advice(status).map(|(name, _)| title_case(name.as_str())));
    }
    by_status.iter().map(|(status, described)| (status.to_string(), response(*status, described))).collect()
}

fn response(status: u16, described: &Described<'_>) -> Value {
    let mut texts: Vec<String> = described.answers.iter().map(|answer| answer.what.to_owned()).collect();
    texts.extend(described.codes.values().map(|code| format!("`{}`: {}", code.name(), code.description())));
    let mut content = Map::new();
    for (content_type, schema) in described.answers.iter().filter_map(|answer| answer.content.as_ref()) {
        content.insert((*content_type).to_owned(), json!({ "schema": schema }));
    }
    if !described.codes.is_empty() {
        content.insert(PROBLEM_CONTENT_TYPE.to_owned(), json!({ "schema": problem(status, &described.codes) }));
    }
    let mut headers = Map::new();
    headers.insert("X-Request-Id".to_owned(), json!({ "$ref": "#/components/headers/X-Request-Id" }));
    let (only_refusals, only_answers) = (described.answers.is_empty(), described.codes.is_empty());
    let of_answers = described.answers.iter().flat_map(|answer| answer.headers).map(|name| (*name).to_owned());
    let all = of_answers.map(|name| (name, only_answers));
    for (name, required) in all.chain(described.advice.iter().cloned().map(|name| (name, only_refusals))) {
        headers.insert(name, json!({ "required": required, "schema": { "type": "string" } }));
    }
    let mut response = json!({ "description": texts.join("\n\n"), "headers": headers });
    if !content.is_empty() {
        response["content"] = content.into();
    }
    response
}

/// A problem document with one of these codes.
fn problem(status: u16, codes: &BTreeMap<&'static str, Code>) -> Value {
    let types: Vec<String> = codes.values().map(|code| admit_protocol::problem_type(*code)).collect();
    json!({
        "allOf": [schemas::reference("Problem"), { "properties": {
            "type": { "enum": types },
            "status": { "const": status },
        } }],
    })
}

/// A header's name as people write it.
fn title_case(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    if name == "www-authenticate" {
        return "WWW-Authenticate".to_owned();
    }
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Where the description is.
pub(crate) const DESCRIPTION_PATH: &str = "/openapi.json";

/// It is the same for as long as the program runs.
static TEXT: LazyLock<String> = LazyLock::new(|| description().to_string());
const CACHE: &str = "public, max-age=300";
const ENTITLEMENT: &str = "entitlement";
const OPERATOR: &str = "operator";
const INFO: &str = "What an Admit server answers. Each GET may be a HEAD as well. Another method at one of these addresses is \
    answered with 405, `Allow` and the problem `ADMIT_E_METHOD`; an address that is not here with 404 and \
    `ADMIT_E_NO_SUCH_ADDRESS`. A head that is no HTTP, or too long, ends the connection with 400, 414 or 431 and without a \
    problem document. Bodies that are no JSON are CBOR in COSE, which docs/formats/license.cddl describes. Where `[cors] origins` \
    is set, the addresses for players answer preflights of these origins.";
