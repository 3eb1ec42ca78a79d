//! Portable devices and media (rows B11, B13, B15, B17), as folders.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::local::{enrol, package_local, sdmi_world};
use crate::world::{Done, World, clip, ffmpeg};

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

#[test]
fn b15_the_page_about_devices_runs_as_it_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/operate/devices.md")).unwrap();
    let commands: String = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(commands.matches("admit device").count() > 8, "the commands are there");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(clip(), folder.path().join("song.mp4")).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let public = format!("--demo-root-online --public-address http://{address}");
    let commands = commands.replace("127.0.0.1:7447", &address).replace("--demo-root-online", &public);
    let script = format!("set -eu\ntrap 'kill \"$(cat server.pid)\" 2>/dev/null || true' EXIT\n{commands}");
    let programs = Path::new(env!("CARGO_BIN_EXE_admit")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path()).env("PATH", path).stdin(Stdio::null());
    let output = shell.env_remove("ADMIT_HOME").env_remove("ADMIT_CLIENT").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What the tracks hold; around them the files say different titles.
    let hash = |name: &str| {
        let words = ["-v", "error", "-i", name, "-c", "copy", "-f", "streamhash", "-"];
        let done = Command::new(ffmpeg()).args(words).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let original = hash("song.mp4");
    assert!(original.contains("SHA256="), "{original}");
    for played in ["clear.mp4", "from-player.mp4", "from-sdmi-player.mp4", "from-card.mp4", "from-card-in-player.mp4"] {
        assert_eq!(hash(played), original, "{played}");
    }
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
    let edit = "UPDATE record SET value = value || x'00' WHERE key >= x'6b' AND key < x'6c'";
    assert!(Command::new("sqlite3").arg(&store).arg(edit).status().unwrap().success());
    play(&world, "player", "mine.mp4").refused("ADMIT_E_STORE_TAMPERED");
}

/// A realm whose policy gives this kind of offer, with these limits and the rights to play and to transfer, and a client
/// that has such a license for `film.mp4`.
fn policy_world(settings: &str) -> World {
    let mut world = World::unserved();
    let rules = format!("default = \"it\"\n\n[offer.it]\n{settings}\nrights = \"play, transfer-to-non-sdmi\"\n");
    fs::write(world.path("home/policy.toml"), rules).unwrap();
    let path = world.path("home/admit.toml");
    let settings = fs::read_to_string(&path).unwrap();
    fs::write(&path, settings.replace("\nscript = \"policy.rhai\"\n", "\nrules = \"policy.toml\"\n")).unwrap();
    world.start_server();
    let realm = world.package("film.mp4", "film", &["--open"]);
    let words = ["license", "acquire", "film.mp4", "--action", "transfer-to-non-sdmi", "--trust", &realm];
    world.admit(&words).succeeded();
    world
}

#[test]
fn b11_a_transfer_count_goes_down_once_for_each_device() {
    let world = policy_world("kind = \"sale\"\ntransfer_count = 2");
    for device in ["one", "two", "three"] {
        make(&world, device, &[]).succeeded();
    }
    for device in ["one", "two"] {
        assert_eq!(transferred(&world, "film.mp4", device)["charged"], true);
        assert_eq!(transferred(&world, "film.mp4", device)["charged"], false);
        play(&world, device, "film.mp4").succeeded();
    }
    let license = &world.admit(&["license", "list", "--json"]).json()["licenses"][0];
    assert_eq!(license["transfers"], serde_json::json!({ "allowed": 2, "used": 2, "left": 0 }));
    transfer(&world, "film.mp4", "three").refused("ADMIT_E_COUNT_USED_UP");
    assert!(!world.path("three/film.mp4").exists());
    let edited = fs::read(world.path("one/film.mp4")).unwrap();
    fs::remove_file(world.path("one/film.mp4")).unwrap();
    assert_eq!(transferred(&world, "film.mp4", "one")["charged"], false, "the file comes again");
    assert_eq!(fs::read(world.path("one/film.mp4")).unwrap(), edited);
}

#[test]
fn b11_a_license_with_limits_in_time_ends_on_the_device_when_the_original_does() {
    let mut world = policy_world("kind = \"rental\"\ndays = 30\nexpiry_after_first_use_hours = 48");
    make(&world, "player", &[]).succeeded();
    // The device has no time, and nobody is there who could give it.
    world.stop_server();
    transfer(&world, "film.mp4", "player").refused("NS_E_DRM_LIC_NEEDS_DEVICE_CLOCK_SET");
    let unused = &world.admit(&["license", "list", "--json"]).json()["licenses"][0];
    assert_eq!(unused["transfers"]["used"], 0);
    assert!(!world.path("player/film.mp4").exists());
    world.start_server();
    let done = transferred(&world, "film.mp4", "player");
    let portable = &done["licenses"][0];
    let original = &world.admit(&["license", "list", "--json"]).json()["licenses"][0];
    assert_eq!(portable["expiry_after_first_use_secs"], Value::Null);
    assert!(portable["expiry"].as_str().unwrap() < original["expiry"].as_str().unwrap(), "48 hours end before 30 days");
    world.stop_server();
    play(&world, "player", "film.mp4").succeeded();
}

#[test]
fn b11_a_license_that_counts_plays_stays_on_the_pc() {
    let world = policy_world("kind = \"promotion\"\nplay_count = 5");
    make(&world, "player", &[]).succeeded();
    transfer(&world, "film.mp4", "player").refused("ADMIT_E_LICENSE_STAYS");
    assert!(licenses_of(&world, "player").is_empty());
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
    transfer(&world, "mine.mp4", "client").refused("ADMIT_E_NOT_THIS_DEVICE");
    transfer(&world, "mine.mp4", "player").refused("NS_E_DRM_LICENSE_APPSECLOW");
    let before = stored(&world);
    assert!(licenses_of(&world, "player").is_empty());
    assert_eq!(stored(&world), before);
    world.stop_server();
    make(&world, "late", &[]).refused("ADMIT_E_NETWORK");
    assert_eq!(fs::read_dir(world.path("late")).unwrap().count(), 0);
}
