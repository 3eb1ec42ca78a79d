//! Content that a client protects for itself (rows B07, B10).

use std::fs;

use serde_json::Value;

use crate::world::{Done, World, clip};

/// Enrols the client by playing something of the realm once.
pub(crate) fn enrol(world: &World, client: &str) -> String {
    let realm = world.package("open.mp4", "open", &["--open"]);
    let words = ["play", "open.mp4", "-o", "open-clear.mp4", "--trust", &realm];
    world.admit_as(client, &words).succeeded();
    realm
}

/// A realm whose application may mark content as SDMI-validated.
pub(crate) fn sdmi_world() -> World {
    let mut world = World::made_with(|_| None, &["--app-level", "450"]);
    world.start_server();
    world
}

/// Protects the clip for the client in the folder `client`.
pub(crate) fn package_local(world: &World, output: &str, more: &[&str]) -> Done {
    let clip = clip();
    let words = ["package", "--local", clip.to_str().unwrap(), "-o", output];
    world.admit(&[&words, more].concat())
}

fn rights_of(document: &Value) -> Vec<u64> {
    let licenses = document["licenses"].as_array().unwrap();
    licenses.iter().map(|license| license["rights_bits"].as_u64().unwrap()).collect()
}

fn stored(world: &World) -> usize {
    world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len()
}

#[test]
fn b10_a_recording_is_protected_for_one_client_and_plays_without_a_server() {
    let mut world = World::new();
    enrol(&world, "client");
    enrol(&world, "other");
    world.stop_server();
    let made = package_local(&world, "mine.mp4", &["--title", "My song", "--json"]).json();
    assert_eq!((rights_of(&made), made["sdmi_class"].as_str()), (vec![11], Some("unknown")));
    assert_eq!(made["licenses"][0]["made_by"], "this client");
    world.admit(&["play", "mine.mp4", "-o", "clear.mp4"]).succeeded();
    world.admit(&["play", "mine.mp4", "-o", "again.mp4"]).succeeded();
    assert_eq!(fs::read(world.path("clear.mp4")).unwrap(), fs::read(world.path("again.mp4")).unwrap());
    // Elsewhere there is no license, and none to be had: nobody is asked for one.
    world.admit_as("other", &["play", "mine.mp4", "-o", "stolen.mp4"]).refused("ADMIT_E_LOCAL_CONTENT");
    world.admit_as("third", &["play", "mine.mp4", "-o", "stolen.mp4"]).refused("ADMIT_E_LOCAL_CONTENT");
    assert!(!world.path("stolen.mp4").exists());
}

#[test]
fn b10_sdmi_content_gets_a_license_for_the_pc_and_three_that_playing_never_spends() {
    let world = sdmi_world();
    enrol(&world, "client");
    let made = package_local(&world, "mine.mp4", &["--sdmi", "validated", "--json"]).json();
    assert_eq!((rights_of(&made), made["sdmi_class"].as_str()), (vec![11, 59, 59, 59], Some("SDMI-validated")));
    let protected = package_local(&world, "protected.mp4", &["--sdmi", "protected", "--json"]).json();
    assert_eq!(
        (rights_of(&protected), protected["sdmi_class"].as_str()),
        (vec![9, 57, 57, 57], Some("SDMI-protected"))
    );
    let before = stored(&world);
    for _ in 0..4 {
        world.admit(&["play", "mine.mp4", "-o", "clear.mp4"]).succeeded();
    }
    assert_eq!(stored(&world), before, "no license was used up");
    let pc = made["licenses"][0]["license"].as_str().unwrap();
    world.admit(&["license", "delete", pc]).succeeded();
    world.admit(&["play", "mine.mp4", "-o", "clear.mp4"]).refused("NS_E_LICENSE_INCORRECT_RIGHTS");
    assert_eq!(stored(&world), before - 1);
}

#[test]
fn b10_an_application_below_level_450_marks_nothing_and_rips_all_the_same() {
    let world = World::new();
    enrol(&world, "client");
    let before = stored(&world);
    for class in ["protected", "validated"] {
        package_local(&world, "mine.mp4", &["--sdmi", class]).refused("ADMIT_E_SDMI_LEVEL");
    }
    package_local(&world, "mine.mp4", &["--rights", "play,sdmi-validated"]).refused("ADMIT_E_SDMI_LEVEL");
    assert!(!world.path("mine.mp4").exists());
    package_local(&world, "mine.mp4", &[]).succeeded();
    assert_eq!(stored(&world), before + 1);
}

#[test]
fn b10_a_one_time_license_is_gone_once_it_was_used() {
    let world = World::new();
    enrol(&world, "client");
    let made = package_local(&world, "once.mp4", &["--one-time", "--rights", "play", "--json"]).json();
    assert_eq!(rights_of(&made), [33]);
    world.admit(&["play", "once.mp4", "-o", "clear.mp4"]).succeeded();
    world.admit(&["play", "once.mp4", "-o", "clear.mp4"]).refused("ADMIT_E_LOCAL_CONTENT");
}

#[test]
fn b14_recovery_says_that_it_is_for_licenses_of_a_server() {
    let world = sdmi_world();
    enrol(&world, "client");
    package_local(&world, "mine.mp4", &["--sdmi", "validated"]).succeeded();
    let before = stored(&world);
    let refused = world.admit(&["license", "recover", "mine.mp4"]);
    assert!(refused.stderr.contains("which made its licenses"), "{}", refused.stderr);
    assert!(refused.stderr.contains("recovery is for licenses that a server issued"), "{}", refused.stderr);
    refused.refused("ADMIT_E_LOCAL_CONTENT");
    assert_eq!(stored(&world), before, "what is there stays");
}

#[test]
fn b10_what_cannot_be_protected_leaves_neither_file_nor_license() {
    let world = World::new();
    package_local(&world, "mine.mp4", &[]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    let realm = enrol(&world, "client");
    let before = stored(&world);
    fs::write(world.path("text.txt"), "no media").unwrap();
    world.admit(&["package", "--local", "text.txt", "-o", "mine.mp4"]).refused("ADMIT_E_MEDIA_UNSUPPORTED");
    package_local(&world, "mine.mp4", &["--realm", &realm.replace(|c| c != '0', "1")])
        .refused("ADMIT_E_REALM_NOT_TRUSTED");
    let wrong = package_local(&world, "mine.mp4", &["--rights", "play,fly"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(!world.path("mine.mp4").exists());
    assert_eq!(stored(&world), before);
    package_local(&world, "mine.mp4", &["--realm", &realm]).succeeded();
}
