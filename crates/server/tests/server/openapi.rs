//! The description of the server's addresses: that each is there, that its schemas are those of the types, and what other
//! methods, addresses, types and queries are told. That answers are as described is checked with every answer.

use admit_protocol::package::{HeaderRequest, KeyRegistration, SignedHeader};
use admit_protocol::{Code, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::described::{DESCRIPTION, fault};
use crate::harness::{Answer, Running, connect, send};

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
const KEY_ID: &str = "07070707-0707-0707-0707-070707070707";

async fn ask(running: &Running, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(&mut connect(running.address).await, method, path, headers, b"").await
}

/// Every address, with its path filled in, and the methods that are described there.
fn addresses() -> impl Iterator<Item = (String, Vec<String>)> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    paths.iter().map(|(path, operations)| {
        let methods = operations.as_object().unwrap().keys().map(|method| method.to_uppercase());
        (path.replace("{key_id}", KEY_ID), methods.collect())
    })
}

#[tokio::test]
async fn the_description_is_served_and_every_address_in_it_is_there() {
    let running = Running::start().await;
    let answer = ask(&running, "GET", "/openapi.json", &[]).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let served: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&served, &served["openapi"]), (&*DESCRIPTION, &"3.1.0".into()));
    let all: Vec<_> = addresses().collect();
    assert!(all.len() >= 14);
    for (path, methods) in all {
        for method in methods {
            let status = ask(&running, &method, &path, &[]).await.status.as_u16();
            assert!(
                ![404, 405].contains(&status) || (path == "/license" && status == 404),
                "{method} {path}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn another_method_is_told_which_the_address_answers() {
    let running = Running::start().await;
    for (path, methods) in addresses() {
        for other in METHODS {
            let described = methods.iter().any(|method| method == other || (method == "GET" && other == "HEAD"));
            let answer = ask(&running, other, &path, &[]).await;
            assert_eq!(answer.status == 405, !described, "{other} {path}");
            if !described && other != "HEAD" {
                assert_eq!(answer.refusal(), (405, Code::ADMIT_E_METHOD));
                assert!(methods.iter().all(|method| answer.headers["allow"].to_str().unwrap().contains(method)));
            }
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_there_is_told_where_the_others_are() {
    let running = Running::start().await;
    for path in ["/", "/nothing", "/v1", "/v1/keys", "/v1/keys/", "/v1/keys/a/b", "//health", "/health/", "/%ff"] {
        for method in METHODS.iter().filter(|method| **method != "HEAD") {
            let answer = ask(&running, method, path, &[]).await;
            assert_eq!(answer.refusal(), (404, Code::ADMIT_E_NO_SUCH_ADDRESS), "{method} {path}");
            assert!(Problem::from_json(&answer.body).unwrap().action.contains("/openapi.json"));
        }
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_and_one_of_no_type_is_read() {
    let running = Running::start().await;
    let all = addresses().flat_map(|(path, methods)| methods.into_iter().map(move |method| (path.clone(), method)));
    for (path, method) in all {
        let operation = &DESCRIPTION["paths"][path.replace(KEY_ID, "{key_id}")][method.to_lowercase()];
        let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
        let (is_checked, expected) = (path != "/v1/clearkey", content.keys().next().unwrap());
        for wrong in ["text/plain", "application/x-www-form-urlencodedx", "application/jsonx", "", "\u{e9}"] {
            let answer = ask(&running, &method, &path, &[("content-type", wrong)]).await;
            assert_eq!(answer.status == 415, is_checked, "{path} {wrong}");
            if is_checked {
                assert_eq!(answer.refusal().1, Code::ADMIT_E_CONTENT_TYPE);
                assert!(Problem::from_json(&answer.body).unwrap().detail.contains(expected), "{answer:?}");
            }
        }
        let twice = [("content-type", &**expected), ("content-type", "text/plain")];
        assert_eq!(ask(&running, &method, &path, &twice).await.status == 415, is_checked, "{path}");
        let with_parameter = format!("{}; charset=utf-8", expected.to_uppercase());
        for headers in [&[][..], &[("content-type", &*with_parameter)]] {
            assert_ne!(ask(&running, &method, &path, headers).await.status, 415, "{path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_before_it_is_sent() {
    let running = Running::start().await;
    for path in ["/v1/licenses", "/v1/clearkey", "/v1/enrol", "/v1/headers"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let rest = "content-length: 99999999\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n";
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{rest}");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("ADMIT_E_BODY_TOO_LONG"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_parameter_twice_or_a_path_that_is_no_text_is_refused() {
    let running = Running::start().await;
    let twice = format!("/license?kid={KEY_ID}&kid={KEY_ID}");
    let answer = ask(&running, "GET", &twice, &[]).await;
    assert_eq!(answer.refusal(), (400, Code::ADMIT_E_ADDRESS_MALFORMED));
    assert!(Problem::from_json(&answer.body).unwrap().detail.contains("twice"));
    assert_eq!(ask(&running, "GET", "/license?other=1&other=2&kid=%ff%00", &[]).await.status, 404);
    let token = "admit_operator_x";
    let bearer = format!("Bearer {token}");
    let answer = ask(&running, "PUT", "/v1/keys/%ff", &[("authorization", &bearer)]).await;
    assert_eq!(answer.refusal().0, 401, "who may not register is not told more");
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let header = json!({ "key_id": KEY_ID, "checksum": "0102030405060708", "content_id": "song",
        "license_page": "https://shop.example/song", "minimum_individualized_version": "2.4.0.1" });
    same::<HeaderRequest>("HeaderRequest", &header);
    let registration = json!({ "key": "00112233445566778899aabbccddeeff", "class": "licensed", "content_id": "song",
        "title": "A song", "open": true, "minimum_individualized_version": "2.4.0.1",
        "minimum_application_level": u32::MAX });
    same::<KeyRegistration>("KeyRegistration", &registration);
    same::<SignedHeader>("SignedHeader", &json!({ "realm": "00".repeat(32), "header": "0badf00d" }));
    let page = Some("https://shop.example/song".to_owned());
    let problem = Problem { page, ..Problem::new(Code::ADMIT_E_METHOD, 405, "detail") };
    same::<Problem>("Problem", &serde_json::to_value(&problem).unwrap());
}

/// A value with every member is of the type and of the schema; without a member it is of both or of neither; and with another
/// value in a member's place too.
#[track_caller]
fn same<T: DeserializeOwned + Serialize>(name: &str, whole: &Value) {
    let schema = &DESCRIPTION["components"]["schemas"][name];
    let (of_type, of_schema) =
        (|value: &Value| T::deserialize(value).is_ok(), |value: &Value| fault(schema, value).is_none());
    assert_eq!(serde_json::to_value(T::deserialize(whole).unwrap()).unwrap(), *whole);
    assert_eq!(fault(schema, whole), None);
    let described = schema["properties"].as_object().unwrap();
    assert!(described.keys().eq(whole.as_object().unwrap().keys()), "{name}");
    for member in described.keys() {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(of_type(&without), of_schema(&without), "{name} without {member}");
        for other in [Value::Null, json!(1), json!(-1), json!(true), json!([]), json!({})] {
            let mut changed = whole.clone();
            changed[member] = other.clone();
            assert_eq!(of_type(&changed), of_schema(&changed), "{name} with {other} as {member}");
        }
    }
}

#[test]
fn every_problem_that_is_described_says_what_to_do() {
    let mut codes = 0;
    for operations in DESCRIPTION["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let problem = &response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"];
                for kind in problem["type"]["enum"].as_array().into_iter().flatten() {
                    let name = kind.as_str().unwrap().strip_prefix("urn:admit:error:").unwrap();
                    assert!(Code::from_name(name).is_some_and(|code| !code.action().is_empty()), "{name}");
                    assert_eq!(problem["status"]["const"].to_string(), *status);
                    codes += 1;
                }
            }
        }
    }
    assert!(codes > 60, "{codes}");
}
