//! Holds every answer of these tests to what `/openapi.json` says of it: status, type, headers, code and shape.

use std::sync::LazyLock;

use admit_protocol::Code;
use serde_json::{Map, Value};

use crate::harness::Answer;

pub(crate) static DESCRIPTION: LazyLock<Value> = LazyLock::new(admit_server::description);

/// Fails where the answer is not described.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    let said = format!("{method} {path} with {status} and {:?}", answer.headers);
    assert!(answer.headers.contains_key("x-request-id"), "{said}");
    let Some(operations) = operations(path) else {
        return check_refusal(method, answer, (404, Code::ADMIT_E_NO_SUCH_ADDRESS));
    };
    let asked = if method == "HEAD" { "get" } else { &*method.to_lowercase() };
    let Some(operation) = operations.get(asked) else {
        if method == "OPTIONS" && status == 200 {
            return; // A preflight, which the text of the description names.
        }
        check_refusal(method, answer, (405, Code::ADMIT_E_METHOD));
        return assert_eq!(allowed(answer), methods(operations), "{said}");
    };
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "not described: {said}");
    check_headers(response, answer, &said);
    if method != "HEAD" {
        check_content(response, answer, &said);
    }
}

/// What is described for the address, by method.
fn operations(path: &str) -> Option<&'static Map<String, Value>> {
    let path = path.split('?').next().unwrap();
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    paths.iter().find(|(pattern, _)| matches(pattern, path))?.1.as_object()
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let same = |(part, found): (&&str, &&str)| part == found || (part.starts_with('{') && !found.is_empty());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
}

/// The methods that `Allow` must name.
fn methods(operations: &Map<String, Value>) -> Vec<String> {
    let mut methods: Vec<String> = operations.keys().map(|method| method.to_uppercase()).collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    methods.sort();
    methods
}

fn allowed(answer: &Answer) -> Vec<String> {
    let allowed = answer.headers["allow"].to_str().unwrap();
    let mut methods: Vec<String> = allowed.split(',').map(|method| method.trim().to_owned()).collect();
    methods.sort();
    methods
}

fn check_refusal(method: &str, answer: &Answer, expected: (u16, Code)) {
    assert_eq!(answer.status.as_u16(), expected.0, "{method}: {answer:?}");
    // What answers HEAD has no body.
    assert!(method == "HEAD" || answer.refusal() == expected, "{method}: {answer:?}");
}

fn check_headers(response: &Value, answer: &Answer, said: &str) {
    for (name, header) in response["headers"].as_object().unwrap() {
        let required = header["required"] == true;
        assert!(!required || answer.headers.contains_key(name), "{name} is missing: {said}");
    }
}

fn check_content(response: &Value, answer: &Answer, said: &str) {
    let Some(content) = response["content"].as_object() else {
        return assert!(answer.body.is_empty(), "a body that is not described: {said}");
    };
    let found = answer.headers["content-type"].to_str().unwrap();
    let described = content.get(found).unwrap_or_else(|| panic!("a type that is not described: {said}"));
    if found.contains("json") {
        let value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(fault(&described["schema"], &value), None, "{said}: {value}");
    }
}

/// The first thing in which a value is not as its schema says. `pattern` and `maximum` are left to the test with schemathesis.
pub(crate) fn fault(schema: &Value, value: &Value) -> Option<String> {
    schema.as_object().unwrap().iter().find_map(|(keyword, rule)| {
        let wrong = |is_wrong: bool| is_wrong.then(|| format!("{keyword} {rule}: {value}"));
        match keyword.as_str() {
            "$ref" => fault(DESCRIPTION.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), value),
            "allOf" => rule.as_array().unwrap().iter().find_map(|schema| fault(schema, value)),
            "type" => wrong(!is_of_type(rule, value)),
            "const" => wrong(rule != value),
            "enum" => wrong(!rule.as_array().unwrap().contains(value)),
            "required" => {
                wrong(rule.as_array().unwrap().iter().any(|name| value.get(name.as_str().unwrap()).is_none()))
            }
            "additionalProperties" => {
                wrong(value.as_object()?.keys().any(|name| schema["properties"].get(name).is_none()))
            }
            "properties" => {
                let members = rule.as_object().unwrap().iter();
                members.filter_map(|(name, schema)| Some((schema, value.get(name)?))).find_map(|(s, v)| fault(s, v))
            }
            "items" => value.as_array()?.iter().find_map(|item| fault(rule, item)),
            "if" => fault(rule, value).is_none().then(|| fault(&schema["then"], value)).flatten(),
            "minItems" => wrong((value.as_array()?.len() as u64) < rule.as_u64()?),
            "maxItems" => wrong(value.as_array()?.len() as u64 > rule.as_u64()?),
            "maxLength" => wrong(value.as_str()?.chars().count() as u64 > rule.as_u64()?),
            "minimum" => wrong(value.as_i64()? < rule.as_i64()?),
            "then" | "maximum" | "pattern" | "description" | "writeOnly" => None,
            other => panic!("the keyword {other} is not known here"),
        }
    })
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    };
    rule.as_str().map_or_else(|| rule.as_array().unwrap().iter().any(|kind| is(kind.as_str().unwrap())), is)
}
