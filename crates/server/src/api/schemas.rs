//! The shapes of what is read and answered (JSON Schema 2020-12, as OpenAPI 3.1 uses it). Tests hold them to the types that
//! read and write them.

use admit_license::header::MAX_CONTENT_ID;
use serde_json::{Value, json};

use crate::content::MAX_TITLE;

/// A shape with a name of its own.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// What is described elsewhere: CBOR in COSE, in `docs/formats/license.cddl`.
pub(super) fn bytes() -> Value {
    json!({})
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn object() -> Value {
    json!({ "type": "object" })
}

/// A header that a request may have.
pub(super) fn header(name: &str, what: &str) -> Value {
    json!({ "in": "header", "name": name, "description": what, "schema": text() })
}

/// A part of the path.
pub(super) fn path(name: &str, what: &str, schema: Value) -> Value {
    json!({ "in": "path", "name": name, "description": what, "required": true, "schema": schema })
}

/// A parameter of the query, given once or not at all.
pub(super) fn query(name: &str, what: &str, schema: Value) -> Value {
    json!({ "in": "query", "name": name, "description": what, "schema": schema })
}

/// The form of the license page.
pub(super) fn pasted_token() -> Value {
    let token = json!({ "type": "string", "writeOnly": true, "description": "A buyer's entitlement token." });
    json!({ "type": "object", "properties": { "token": token }, "required": ["token"] })
}

/// Every shape with a name.
pub(super) fn all() -> Value {
    json!({
        "Problem": problem(),
        "KeyId": matching(KEY_ID),
        "ClearKeyRequest": clearkey_request(),
        "ClearKeys": clearkeys(),
        "HeaderRequest": header_request(),
        "SignedHeader": closed(json!({ "realm": matching(DIGEST), "header": matching(BYTES) }), &["realm", "header"]),
        "KeyRegistration": key_registration(),
        "TokenKeys": token_keys(),
        "Health": closed(json!({ "status": { "const": crate::health::ALIVE }, "services_end_at": text() }),
            &["status", "services_end_at"]),
        "Readiness": readiness(),
    })
}

/// RFC 9457, with members of our own. Each answer says which types it has.
fn problem() -> Value {
    let members = json!({
        "type": { "type": "string", "description": "`urn:admit:error:` and the code's name." },
        "title": { "type": "string", "description": "What the code stands for." },
        "status": { "type": "integer", "minimum": 0, "description": "The HTTP status." },
        "detail": { "type": "string", "description": "What happened this time." },
        "code": { "type": "string", "pattern": "^0x[0-9A-F]{8}$", "description": "The code's number, an HRESULT." },
        "action": { "type": "string", "description": "What to do about it." },
        "page": { "type": ["string", "null"], "description": "A page where the user can do it." },
    });
    closed(members, &["type", "title", "status", "detail", "code", "action"])
}

fn clearkey_request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "kids": { "type": "array", "minItems": 1, "maxItems": admit_protocol::acquire::MAX_KEY_IDS,
                "items": matching(KID), "description": "Key ids in base64url, or in base64; with padding or without." },
            "type": { "enum": ["temporary", "persistent-license"],
                "description": "Keys are given for temporary sessions only; `temporary` where it is missing." },
        },
        "required": ["kids"],
    })
}

fn clearkeys() -> Value {
    let key = json!({ "kty": { "const": "oct" }, "kid": matching(BYTES_16), "k": matching(BYTES_16) });
    let keys = json!({ "type": "array", "items": closed(key, &["kty", "kid", "k"]) });
    closed(json!({ "keys": keys, "type": { "const": "temporary" } }), &["keys", "type"])
}

fn header_request() -> Value {
    let members = json!({
        "key_id": reference("KeyId"),
        "checksum": { "type": "string", "pattern": "^[0-9a-fA-F]{16}$",
            "description": "The checksum of the key, by which players notice another one." },
        "content_id": content_id(),
        "license_page": { "type": ["string", "null"], "pattern": PAGE,
            "description": "The page where buyers get a license." },
        "minimum_individualized_version": version(),
    });
    closed(members, &["key_id", "checksum", "content_id"])
}

fn key_registration() -> Value {
    let members = json!({
        "key": { "type": "string", "pattern": "^[0-9a-fA-F]{32}$", "writeOnly": true, "description": "The content key." },
        "class": { "enum": ["licensed", "clearkey"], "description": "What the key may be given to." },
        "content_id": content_id(),
        "title": { "type": ["string", "null"], "pattern": NAME, "maxLength": MAX_TITLE,
            "description": "The title, for people." },
        "open": { "type": "boolean", "description": "Whether no entitlement token is needed; `false` where missing." },
        "minimum_individualized_version": version(),
        "minimum_application_level": { "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX },
    });
    let mut schema = closed(members, &["key", "class", "content_id"]);
    // Browsers have no version or level to show.
    schema["if"] = json!({ "properties": { "class": { "const": "clearkey" } } });
    schema["then"] = json!({ "properties": { "minimum_individualized_version": { "type": "null" },
        "minimum_application_level": { "type": "null" } } });
    schema
}

fn content_id() -> Value {
    json!({ "type": "string", "pattern": NAME, "maxLength": MAX_CONTENT_ID,
        "description": "The operator's name for the content, as tokens name it." })
}

fn version() -> Value {
    json!({ "type": ["string", "null"], "pattern": format!("^{NUMBER}\\.{NUMBER}\\.{NUMBER}\\.{NUMBER}$"),
        "description": "The oldest individualized component that may play it." })
}

fn token_keys() -> Value {
    let key = json!({
        "kty": { "const": "EC" }, "crv": { "const": "P-256" }, "use": { "const": "sig" }, "alg": { "const": "ES256" },
        "kid": text(), "x": matching(BYTES_32), "y": matching(BYTES_32),
    });
    let keys = json!({ "type": "array", "items": closed(key, &["kty", "crv", "use", "alg", "kid", "x", "y"]) });
    closed(json!({ "keys": keys }), &["keys"])
}

fn readiness() -> Value {
    let flag = |what: &str| json!({ "type": "boolean", "description": what });
    let members = json!({
        "status": { "enum": [crate::health::READY, crate::health::NOT_READY] },
        "database": flag("The database answers, and takes what is written."),
        "certificates": flag("Every certificate is valid."),
        "stopping": flag("The server is being stopped."),
        "policy": flag("The acquisition policy's file holds. Where it does not, what it was before stays in use."),
        "renewal_due": { "type": "array", "items": text(),
            "description": "Certificates that are due to be renewed, well before they end." },
        "time": { "type": "string", "description": "`signed`, or why the time is not. The server works without it." },
    });
    closed(members, &["status", "database", "certificates", "stopping", "policy", "renewal_due", "time"])
}

/// An object with these members and no others.
fn closed(members: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": members, "required": required, "additionalProperties": false })
}

fn matching(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

const KEY_ID: &str = "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$";
/// 16 bytes as players write them.
const KID: &str = "^[A-Za-z0-9_+/-]{21}[AQgw]={0,2}$";
const BYTES_16: &str = "^[A-Za-z0-9_-]{21}[AQgw]$";
const BYTES_32: &str = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$";
const DIGEST: &str = "^[0-9a-f]{64}$";
const BYTES: &str = "^([0-9a-f]{2})*$";
/// No control characters, and no spaces around it.
const NAME: &str = "^[^\\s\\x00-\\x1f\\x7f-\\x9f]([^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f])?$";
const PAGE: &str = r"^[hH][tT][tT][pP][sS]?://[!$-.0-9:;=@A-Z\[\]_a-z~]+([/?#][!#-;=?-\[\]_a-z~]*)?$";
/// A number of 16 bits.
const NUMBER: &str = "(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
