//! Portable devices and media (rows B11, B13, B15, B17), as folders.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::local::{enrol, package_local, sdmi_world};
use crate::world::{Done, World};

fn make(world: &World, dir: &str, more: &[&str]) -> Done {
    world.admit(&[&["device", "make", dir], more].concat())
}

/// An SDMI-compliant one, certified where the home is.
fn make_sdmi(world: &World, dir: &str, more: &[&str]) -> Done {
    make(world, dir, &[&["--sdmi", "--home", "home"], more].concat())
}

fn transfer(world: &World, file: &str, dir: &str) -> Done {
    world.admit(&["device", "transfer", file, dir])
}

fn transferred(world: &World, file: &str, dir: &str) -> Value {
    world.admit(&["device", "transfer", file, dir, "--json"]).json()
}

fn play(world: &World, dir: &str, file: &str) -> Done {
    world.admit(&["device", "play", dir, file, "-o", "played.mp4"])
}

fn stored(world: &World) -> usize {
    world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len()
}

fn licenses_of(world: &World, dir: &str) -> Vec<Value> {
    world.admit(&["device", "show", dir, "--json"]).json()["licenses"].as_array().unwrap().clone()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn b11_a_device_plays_what_was_transferred_without_the_pc_and_without_a_server() {
    let mut world = World::new();
    enrol(&world, "client");
    package_local(&world, "mine.mp4", &[]).succeeded();
    let made = make(&world, "player", &["--serial", "SN-1", "--json"]).json();
    assert_eq!((made["sdmi"].as_bool(), made["security_level"].as_u64()), (Some(false), Some(150)));
    world.stop_server();
    world.admit(&["play", "mine.mp4", "-o", "clear.mp4"]).succeeded();
    let done = transferred(&world, "mine.mp4", "player");
    assert_eq!((done["charged"].as_bool(), done["action"].as_str()), (Some(true), Some("transfer-to-non-sdmi")));
    assert_eq!(done["licenses"][0]["rights_bits"], 3, "play and transfer; no burning");
    fs::rename(world.path("client"), world.path("away")).unwrap();
    play(&world, "player", "mine.mp4").succeeded();
    assert_eq!(fs::read(world.path("clear.mp4")).unwrap(), fs::read(world.path("played.mp4")).unwrap());
    assert_eq!(licenses_of(&world, "player").len(), 1);
    let shown = world.admit(&["device", "show", "player"]).succeeded();
    assert!(shown.contains("serial number SN-1") && shown.contains("not SDMI-compliant"), "{shown}");
}

#[test]
fn b11_a_portable_license_works_on_its_device_alone() {
    let world = World::new();
    enrol(&world, "client");
    package_local(&world, "mine.mp4", &[]).succeeded();
    make(&world, "one", &["--serial", "SN-1"]).succeeded();
    make(&world, "two", &["--serial", "SN-2"]).succeeded();
    transfer(&world, "mine.mp4", "one").succeeded();
    fs::copy(world.path("one/mine.mp4"), world.path("two/mine.mp4")).unwrap();
    play(&world, "two", "mine.mp4").refused("NS_E_LICENSE_REQUIRED");
    // The other device's store in place of its own: it is of the same realm, and sealed under another key.
    let store = |dir: &str| world.realm_folder_of(dir).join("store.db");
    fs::copy(store("one"), store("two")).unwrap();
    play(&world, "two", "mine.mp4").refused("ADMIT_E_STORE_TAMPERED");
    // The whole folder on hardware with another number, or with none.
    copy_folder(&world.path("one"), &world.path("copy"));
    play(&world, "copy", "mine.mp4").succeeded();
    fs::write(world.path("copy/serial"), "SN-9").unwrap();
    play(&world, "copy", "mine.mp4").refused("ADMIT_E_NO_HARDWARE_SERIAL");
    fs::remove_file(world.path("copy/serial")).unwrap();
    play(&world, "copy", "mine.mp4").refused("ADMIT_E_NO_HARDWARE_SERIAL");
    // A device is no client.
    let words = ["play", "one/mine.mp4", "-o", "stolen.mp4"];
    world.admit_as("one", &words).refused("ADMIT_E_NOT_THIS_DEVICE");
    assert!(!world.path("stolen.mp4").exists());
}

#[test]
fn b11_a_record_in_a_devices_store_that_was_edited_is_found() {
    let world = World::new();
    enrol(&world, "client");
    package_local(&world, "mine.mp4", &[]).succeeded();
    make(&world, "player", &[]).succeeded();
    transfer(&world, "mine.mp4", "player").succeeded();
    let store = world.realm_folder_of("player").join("store.db");
    let edit = "UPDATE record SET value = substr(value, 1, 40) || x'00' || substr(value, 42) WHERE key >= x'6c' AND key < x'6d'";
    let edited = std::process::Command::new("sqlite3").arg(&store).arg(edit).status();
    if edited.is_ok_and(|status| status.success()) {
        play(&world, "player", "mine.mp4").refused("ADMIT_E_STORE_TAMPERED");
    }
}

#[test]
fn b11_a_server_license_with_a_transfer_count_is_charged_once_for_each_device() {
    let world = World::new();
    fs::write(
        world.path("home/policy.toml"),
        "[[rule]]\nrights = [\"play\", \"transfer-to-non-sdmi\"]\ntransfer_count = 2\nexpiry = \"30d\"\n",
    )
    .unwrap();
    let realm = enrol(&world, "client");
    assert!(!realm.is_empty());
}

#[test]
fn b17_sdmi_devices_take_sdmi_validated_content_and_each_transfer_spends_one_license() {
    let world = sdmi_world();
    enrol(&world, "client");
    package_local(&world, "plain.mp4", &[]).succeeded();
    package_local(&world, "marked.mp4", &["--sdmi", "protected"]).succeeded();
    for device in ["a", "b", "c", "d"] {
        let made = make_sdmi(&world, device, &["--serial", device, "--json"]).json();
        assert_eq!((made["sdmi"].as_bool(), made["security_level"].as_u64()), (Some(true), Some(450)));
    }
    make(&world, "other", &[]).succeeded();
    transfer(&world, "plain.mp4", "a").refused("NS_E_DRM_NO_RIGHTS");
    transfer(&world, "marked.mp4", "other").refused("NS_E_DRM_NO_RIGHTS");
    let before = stored(&world);
    for (spent, device) in ["a", "b", "c"].into_iter().enumerate() {
        let done = transferred(&world, "marked.mp4", device);
        assert_eq!((done["charged"].as_bool(), done["action"].as_str()), (Some(true), Some("transfer-to-sdmi")));
        assert_eq!(done["licenses"][0]["rights_bits"], 17, "the mark, and no other transfer");
        assert_eq!(stored(&world), before - spent - 1, "a one-time license is gone");
        play(&world, device, "marked.mp4").succeeded();
        // Again to the same device costs nothing.
        assert_eq!(transferred(&world, "marked.mp4", device)["charged"], false);
    }
    transfer(&world, "marked.mp4", "d").refused("NS_E_DRM_NO_RIGHTS");
    assert!(!world.path("d/marked.mp4").exists(), "what was refused leaves nothing");
    world.admit(&["play", "marked.mp4", "-o", "clear.mp4"]).succeeded();
}

#[test]
fn b15_media_play_on_a_pc_and_in_devices_and_sdmi_media_need_a_serial_number() {
    let world = sdmi_world();
    enrol(&world, "client");
    package_local(&world, "marked.mp4", &["--sdmi", "validated"]).succeeded();
    make_sdmi(&world, "bare", &["--media"]).refused("ADMIT_E_NO_HARDWARE_SERIAL");
    assert!(!world.path("bare").exists());
    make_sdmi(&world, "card", &["--media", "--serial", "CARD-1"]).succeeded();
    make_sdmi(&world, "player", &[]).succeeded();
    make(&world, "cheap", &[]).succeeded();
    transfer(&world, "marked.mp4", "card").succeeded();
    fs::rename(world.path("client"), world.path("away")).unwrap();
    play(&world, "card", "marked.mp4").succeeded();
    let inside = |device| world.admit(&["device", "play", "card", "marked.mp4", "-o", "played.mp4", "--in", device]);
    inside("player").succeeded();
    inside("cheap").refused("NS_E_DRM_NO_RIGHTS");
    inside("card").refused("ADMIT_E_NOT_THIS_DEVICE");
    // A medium of the cheap kind, without a number, takes what may go to devices that are not SDMI-compliant.
    fs::rename(world.path("away"), world.path("client")).unwrap();
    make(&world, "stick", &["--media"]).succeeded();
    transfer(&world, "marked.mp4", "stick").succeeded();
    play(&world, "stick", "marked.mp4").succeeded();
    let mut number = fs::read(world.path("card/serial")).unwrap();
    number[0] ^= 1;
    fs::write(world.path("card/serial"), number).unwrap();
    play(&world, "card", "marked.mp4").refused("ADMIT_E_NO_HARDWARE_SERIAL");
}

#[test]
fn b15_what_cannot_be_made_or_transferred_gets_a_clear_answer_and_leaves_nothing() {
    let mut world = World::new();
    make(&world, "early", &[]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    enrol(&world, "client");
    package_local(&world, "mine.mp4", &["--min-app-level", "151"]).succeeded();
    make(&world, "player", &["--serial", "SN-1"]).succeeded();
    make(&world, "player", &[]).refused("ADMIT_E_DEVICE_EXISTS");
    make(&world, "client", &[]).refused("ADMIT_E_DEVICE_EXISTS");
    assert_eq!(make(&world, "odd", &["--serial", "a b"]).code, Some(2));
    transfer(&world, "mine.mp4", "nowhere").refused("ADMIT_E_NO_DEVICE");
    transfer(&world, "absent.mp4", "player").refused("ADMIT_E_FILE");
    transfer(&world, "mine.mp4", "player").refused("NS_E_DRM_LICENSE_APPSECLOW");
    let before = stored(&world);
    assert!(licenses_of(&world, "player").is_empty());
    assert_eq!(stored(&world), before);
    world.stop_server();
    make(&world, "late", &[]).refused("ADMIT_E_NETWORK");
    assert_eq!(fs::read_dir(world.path("late")).unwrap().count(), 0);
}
