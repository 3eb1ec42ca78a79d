//! Denials with the code and the remedy of the contract, and nothing written.

use crate::world::World;

#[test]
fn content_for_application_level_1000_does_not_play_to_a_file() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open", "--min-app-level", "1000"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).refused("NS_E_DRM_LICENSE_APPSECLOW");
    world.admit(&["play", "film.mp4", "-o", "-"]).refused("NS_E_DRM_LICENSE_APPSECLOW");
    world.admit(&["play", "film.mp4", "--player", "cat"]).refused("NS_E_DRM_LICENSE_APPSECLOW");
    assert!(!world.path("clear.mp4").exists());
    assert_eq!(world.admit(&["play", "film.mp4", "-o", "-"]).stdout, "");
}

#[test]
fn content_for_an_individualized_component_says_which_version_it_needs() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open", "--min-version", "2.4.0.1"]);
    let line = world
        .admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm])
        .refused("NS_E_DRM_NEEDS_INDIVIDUALIZATION");
    assert!(line.contains("2.4.0.1") && line.contains("2.3.0.0"), "{line}");
    let usage = world.admit(&["package", "x.mp4", "-o", "y.mp4", "--min-version", "2.4.0.0", "--home", "home"]);
    assert_eq!(usage.code, Some(2), "row A03: an even last digit is no minimum");
}

#[test]
fn a_right_that_was_not_given_is_denied_with_its_reason() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    assert!(world.admit(&["why", "play", "film.mp4"]).succeeded().starts_with("Play is allowed"));
    world.admit(&["why", "burn", "film.mp4"]).refused("NS_E_DRM_NO_RIGHTS");
    let done = world.admit(&["why", "save-stream", "film.mp4", "--json"]);
    assert_eq!(done.code, Some(1));
    let document: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(document["allowed"], false);
    assert_eq!(document["reasons"][0]["reason"], "NS_E_DRM_NO_RIGHTS");
    assert_eq!(document["reasons"][0]["remedy"], "acquire");
    let error: serde_json::Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(error["error"], "NS_E_DRM_NO_RIGHTS");
}

#[test]
fn without_a_license_and_a_token_there_is_nothing() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let play =
        |more: &[&str]| world.admit(&[&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm], more].concat());
    play(&[]).refused("ADMIT_E_TOKEN_REQUIRED");
    play(&["--token", "nonsense"]).refused("ADMIT_E_TOKEN_INVALID");
    play(&["--token", "two words"]).refused("ADMIT_E_TOKEN_INVALID");
    play(&["--token", &world.token("another film")]).refused("ADMIT_E_TOKEN_NOT_FOR_CONTENT");
    world.admit(&["why", "play", "film.mp4"]).refused("NS_E_LICENSE_REQUIRED");
    assert!(!world.path("clear.mp4").exists());
    assert!(!world.events().contains(&"licenses-issued".to_owned()));
}

#[test]
fn a_realm_is_trusted_only_with_the_users_word_and_no_byte_is_sent_before() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.stop_server();
    let line = world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&format!("--trust {realm}")), "{line}");
    let other = "0".repeat(64);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &other]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(!world.path("client").exists());
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).refused("ADMIT_E_NETWORK");
}

#[test]
fn a_store_that_was_edited_by_one_byte_is_noticed() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let store = world.realm_folder("client").join("store.db");
    edit(&store, "UPDATE record SET value = substr(value, 1, length(value) - 1) || x'00' WHERE hex(key) LIKE '6B%'");
    world.admit(&["play", "film.mp4", "-o", "again.mp4"]).refused("ADMIT_E_STORE_TAMPERED");
    edit(&store, "DELETE FROM record WHERE hex(key) LIKE '70%'");
    world.admit(&["play", "film.mp4", "-o", "again.mp4"]).refused("ADMIT_E_STORE_TAMPERED");
    assert!(!world.path("again.mp4").exists());
}

#[test]
fn a_store_without_its_key_is_damage_and_not_a_beginning() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    std::fs::remove_file(world.realm_folder("client").join("store.key")).unwrap();
    world.admit(&["play", "film.mp4", "-o", "again.mp4"]).refused("ADMIT_E_STORE_TAMPERED");
}

#[test]
fn wrong_usage_ends_with_2() {
    let world = World::new();
    for words in [&["play"] as &[&str], &["nonsense"], &["why", "dance", "film.mp4"], &["license", "show", "xyz"]] {
        assert_eq!(world.admit(words).code, Some(2), "{words:?}");
    }
}

#[test]
fn reservations_that_somebody_else_made_are_noticed_also_by_who_only_looks() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    edit(&world.realm_folder("client").join("store.db"), "INSERT INTO record (key, value) VALUES (x'72', x'03')");
    world.admit(&["license", "list"]).refused("ADMIT_E_STORE_TAMPERED");
}

fn edit(store: &std::path::Path, statement: &str) {
    let connection = rusqlite::Connection::open(store).unwrap();
    assert_eq!(connection.execute(statement, []).unwrap(), 1);
}
