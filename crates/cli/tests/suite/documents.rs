//! What commands print with `--json`: which members each document has, and that failures are documents too.

use std::fs;

use serde_json::Value;

use crate::world::{World, clip};

/// The names of a document's members, in the order of the alphabet.
fn members(document: &Value) -> Vec<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn operators_commands() {
    let world = World::new();
    let home = world.admit(&["init", "other", "--demo-root-online", "--json"]).json();
    assert_eq!(members(&home), ["home", "realm", "root_key"]);
    let clip = clip();
    let words = ["package", clip.to_str().unwrap(), "-o", "film.mp4", "--home", "home", "--json"];
    let packaged = world.admit(&words).json();
    let expected = ["content_id", "encrypted_samples", "fragments", "input_bytes", "key_id", "output", "output_bytes"];
    assert_eq!(members(&packaged), [&["clearkey_address"][..], &expected].concat());
    assert_eq!(packaged["content_id"], packaged["key_id"], "the key id names content that has no other name");
    assert_eq!(packaged["output_bytes"], fs::metadata(world.path("film.mp4")).unwrap().len());
    let token = world.admit(&["token", "--subject", "a", "--content", "x", "y", "--home", "home", "--json"]).json();
    assert_eq!(members(&token), ["content", "subject", "token"]);
    assert_eq!(token["content"], serde_json::json!(["x", "y"]));
    let audit = world.admit(&["audit", "--home", "home", "--json", "--last", "1"]).json();
    assert_eq!(members(&audit), ["entries", "head", "whole"]);
    assert_eq!(members(&audit["entries"][0]), ["at", "detail", "event", "seq", "subject"]);
}

#[test]
fn buyers_commands() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    let played = world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm, "--json"]).json();
    assert_eq!(played["output"], "clear.mp4");
    assert_eq!(played["bytes"], fs::metadata(world.path("clear.mp4")).unwrap().len());
    let why = world.admit(&["why", "play", "film.mp4", "--json"]).json();
    assert_eq!(members(&why), ["action", "allowed", "licenses", "output", "reasons"]);
    assert_eq!((&why["action"], &why["allowed"]), (&"play".into(), &true.into()));
    let list = world.admit(&["license", "list", "--json"]).json();
    let license = &list["licenses"][0];
    let of_license = &why["licenses"][0];
    assert_eq!(members(of_license), ["allowed", "key_id", "license", "precedence", "used_first"]);
    assert_eq!((&of_license["license"], &of_license["used_first"]), (&license["license"], &true.into()));
    assert_eq!(license["plays"], serde_json::json!({ "allowed": null, "used": 0, "left": null }));
    let id = license["license"].as_str().unwrap();
    let shown = world.admit(&["license", "show", id, "--json"]).json();
    assert_eq!(&shown, license);
    let deleted = world.admit(&["license", "delete", id, "--json"]).json();
    assert_eq!(deleted, serde_json::json!({ "deleted": id }));
    let denied = world.admit(&["why", "burn", "film.mp4", "--json"]);
    let document: Value = serde_json::from_str(&denied.stdout).unwrap();
    assert_eq!(members(&document), ["action", "allowed", "licenses", "output", "reasons"]);
    assert_eq!((&document["allowed"], &document["licenses"]), (&false.into(), &serde_json::json!([])));
    let reason = &document["reasons"][0];
    assert_eq!(members(reason), ["action", "code", "key_id", "license", "reason", "remedy", "sentence", "usable"]);
    assert_eq!((&reason["license"], &reason["remedy"]), (&Value::Null, &"acquire".into()));
    let clock = world.admit(&["clock", "show", "--json"]).json();
    let expected = [
        "counter",
        "earliest",
        "faults",
        "fingerprint",
        "hard_floor",
        "latest",
        "noticed",
        "realm",
        "restarts",
        "signed",
        "since_signed_secs",
        "soft_floor",
        "source",
        "state",
        "suspicious",
        "why",
    ];
    assert_eq!(members(&clock["clocks"][0]), expected);
    let clock = &clock["clocks"][0];
    assert_eq!((&clock["state"], &clock["source"]), (&"trusted".into(), &"license server".into()));
    assert!(
        clock["earliest"].as_str() <= clock["signed"].as_str() && clock["signed"].as_str() <= clock["latest"].as_str()
    );
}

#[test]
fn inspect_of_each_kind_of_file() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let root = world.admit(&["inspect", "home/root.pem", "--json"]).json();
    assert_eq!((&root["type"], &root["role"]), (&"certificate".into(), &"trust root".into()));
    assert_eq!(root["fingerprint"], realm.as_str());
    let document = world.realm_folder("client").join("realm.cbor");
    let found = world.admit(&["inspect", document.to_str().unwrap(), "--json"]).json();
    assert_eq!((&found["type"], &found["fingerprint"]), (&"realm".into(), &realm.as_str().into()));
    let roles: Vec<_> = found["services"].as_array().unwrap().iter().map(|service| &service["role"]).collect();
    assert_eq!(roles, ["license", "enrolment", "time", "time"]);
    let time = &found["services"][2];
    let key = time["key"].as_str().unwrap();
    assert_eq!((key.len(), &time["epoch"], &found["services"][0]["key"]), (44, &1.into(), &Value::Null));
    let text = world.admit(&["inspect", document.to_str().unwrap()]).succeeded();
    assert!(text.contains(&format!("time service: /v1/time\n  key {key}, epoch 1\n")), "{text}");
    assert!(text.contains(&format!("fingerprint: {realm}\n")), "{text}");
    let text = world.admit(&["inspect", "home/root.pem"]).succeeded();
    assert!(text.starts_with("certificate: trust root\n"), "{text}");
    let text = world.admit(&["inspect", "film.mp4"]).succeeded();
    assert!(text.contains("content header 4.0.0.0, signed") || text.contains(", signed\n"), "{text}");
}

#[test]
fn failures() {
    let world = World::new();
    let done = world.admit(&["inspect", "absent", "--json"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    let error: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(members(&error), ["action", "code", "error", "page", "sentence"]);
    assert_eq!((&error["error"], &error["code"]), (&"ADMIT_E_FILE".into(), &"0xA0AD0015".into()));
    let one = world.admit(&["error", "0xA0AD0015", "--json"]).json();
    assert_eq!(members(&one), ["action", "class", "code", "description", "name"]);
    assert_eq!((&one["name"], &one["action"]), (&error["error"], &error["action"]));
    assert_eq!(world.admit(&["error", "ADMIT_E_FILE", "--json"]).json(), one);
    let all = world.admit(&["error", "--json"]).json();
    assert!(all.as_array().unwrap().contains(&one));
    let text = world.admit(&["error"]).succeeded();
    assert_eq!(text.lines().count(), all.as_array().unwrap().len(), "a line for each code");
}
