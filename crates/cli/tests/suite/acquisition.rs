//! Rows B01 to B03: packages and licenses are separate, a file finds its server however it came, and a license is
//! bound to the client that acquired it.

use std::fs;
use std::path::Path;

use crate::world::{World, clip};

#[test]
fn b01_a_package_is_encrypted_says_its_title_in_clear_and_where_to_get_a_license() {
    let world = World::new();
    world.package("film.mp4", "film", &["--title", "A film", "--artist", "Nobody", "--copyright", "2026 Nobody"]);
    let document = world.admit(&["inspect", "film.mp4", "--json"]).json();
    assert_eq!(document["title"], "A film");
    assert_eq!(document["artist"], "Nobody");
    assert_eq!(document["copyright"], "2026 Nobody");
    assert_eq!(document["header"]["signature"], "signed");
    assert_eq!(document["header"]["content_id"], "film");
    assert!(document["header"]["license_address"].as_str().unwrap().ends_with("/v1/licenses"));
    let tracks = document["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 2);
    assert!(tracks.iter().all(|track| track["scheme"] == "cenc"));
    let systems = document["protection_systems"].as_array().unwrap();
    let ids: Vec<_> = systems.iter().map(|system| system["system_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["b6a202a3-f275-446c-9030-29c1fd52463f", "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"]);
}

#[test]
fn b02_a_file_that_was_renamed_and_copied_still_finds_its_license_server() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let token = world.token("film");
    fs::create_dir(world.path("mailbox")).unwrap();
    fs::rename(world.path("film.mp4"), world.path("mailbox/attachment (1).bin")).unwrap();
    let words = ["play", "mailbox/attachment (1).bin", "-o", "clear.mp4", "--trust", &realm, "--token", &token];
    world.admit(&words).succeeded();
    assert!(world.path("clear.mp4").exists());
}

#[test]
fn b03_playing_without_a_license_acquires_one_and_playing_again_needs_no_server() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let token = world.token("film");
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm, "--token", &token]).succeeded();
    world.stop_server();
    world.admit(&["play", "film.mp4", "-o", "two.mp4"]).succeeded();
    assert_eq!(fs::read(world.path("one.mp4")).unwrap(), fs::read(world.path("two.mp4")).unwrap());
    let protected = fs::read(world.path("film.mp4")).unwrap();
    assert_ne!(protected, fs::read(world.path("one.mp4")).unwrap());
    let licenses = world.admit(&["license", "list", "--json"]).json();
    assert_eq!(licenses["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(licenses["licenses"][0]["rights_bits"], 3, "the default script's rights");
}

#[test]
fn b03_a_copied_license_store_does_not_open_for_another_client() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    world.package("open.mp4", "open", &["--open"]);
    let token = world.token("film");
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm, "--token", &token]).succeeded();
    world.admit_as("thief", &["play", "open.mp4", "-o", "own.mp4", "--trust", &realm]).succeeded();
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("store.db{suffix}");
        let (from, to) = (world.realm_folder("client").join(&name), world.realm_folder("thief").join(&name));
        copy_or_remove(&from, &to);
    }
    world.admit_as("thief", &["play", "film.mp4", "-o", "stolen.mp4"]).refused("ADMIT_E_STORE_TAMPERED");
    assert!(!world.path("stolen.mp4").exists());
}

/// What the threat model says plainly: until a client is individualized, all of its folder is the client.
#[test]
fn a_copy_of_the_whole_client_folder_still_plays() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let token = world.token("film");
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm, "--token", &token]).succeeded();
    world.stop_server();
    let copy = world.path("copy").join(world.realm_folder("client").file_name().unwrap());
    fs::create_dir_all(&copy).unwrap();
    for entry in fs::read_dir(world.realm_folder("client")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    world.admit_as("copy", &["play", "film.mp4", "-o", "two.mp4"]).succeeded();
}

#[test]
fn a_file_whose_tracks_name_a_key_that_its_header_does_not_is_acquired_and_played() {
    let world = World::new();
    let key = "000102030405060708090a0b0c0d0e0f";
    let (first, second) = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    let realm = world.package("film.mp4", "film", &["--open", "--kid", first, "--key", key]);
    world.package("other.mp4", "other", &["--open", "--kid", second, "--key", key]);
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm]).succeeded();
    // The last track now names the second key.
    let mut film = fs::read(world.path("film.mp4")).unwrap();
    let at = film.windows(4).rposition(|window| window == b"tenc").unwrap() + 4 + 8;
    film[at + 15] = 2;
    fs::write(world.path("two.mp4"), &film).unwrap();
    world.admit_as("other", &["why", "play", "two.mp4", "--trust", &realm]).refused("NS_E_LICENSE_REQUIRED");
    let why = world.admit_as("other", &["why", "play", "two.mp4", "--json"]);
    let why: serde_json::Value = serde_json::from_str(&why.stdout).unwrap();
    let keys: Vec<_> = why["reasons"].as_array().unwrap().iter().map(|reason| &reason["key_id"]).collect();
    assert_eq!(keys, [first, second], "the header's key, then the track's");
    let acquired = world.admit_as("other", &["license", "acquire", "two.mp4", "--json"]).json();
    let keys: Vec<_> = acquired["licenses"].as_array().unwrap().iter().map(|license| &license["key_id"]).collect();
    assert_eq!(keys, [first, second]);
    world.admit_as("other", &["play", "two.mp4", "-o", "two-clear.mp4"]).succeeded();
    assert_eq!(fs::read(world.path("two-clear.mp4")).unwrap(), fs::read(world.path("one.mp4")).unwrap());
}

#[test]
fn a_movie_without_fragments_of_another_packager_is_inspected_and_played_by_its_key_id() {
    let world = World::new();
    let (kid, key) = ("22222222-2222-2222-2222-222222222222", "000102030405060708090a0b0c0d0e0f");
    let realm = world.package("film.mp4", "film", &["--open", "--kid", kid, "--key", key]);
    world.admit(&["play", "film.mp4", "-o", "own.mp4", "--trust", &realm]).succeeded();
    let clip = clip();
    let how = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", &kid.replace('-', "")];
    let input = ["-i", clip.to_str().unwrap(), "-c", "copy"];
    world.ffmpeg(&[&input[..], &how, &["theirs.mp4"]].concat());
    let document = world.admit(&["inspect", "theirs.mp4", "--json"]).json();
    assert_eq!((&document["fragments"], &document["header"]), (&0.into(), &serde_json::Value::Null));
    let tracks = document["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 2);
    assert!(tracks.iter().all(|track| track["scheme"] == "cenc" && track["key_id"] == kid), "{tracks:?}");
    world.admit(&["play", "theirs.mp4", "-o", "clear.mp4"]).succeeded();
    let hash = |file: &str| world.ffmpeg(&["-i", file, "-c", "copy", "-f", "streamhash", "-"]);
    assert_eq!(hash("clear.mp4"), hash(clip.to_str().unwrap()));
    // A client that knows no realm cannot tell whose it is.
    world.admit_as("new", &["play", "theirs.mp4", "-o", "no.mp4"]).refused("ADMIT_E_REALM_NOT_TRUSTED");
}

#[test]
fn a_license_acquired_ahead_of_time_is_used_later() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let token = world.token("*");
    let words = [
        "license", "acquire", "film.mp4", "--action", "play", "--action", "burn", "--trust", &realm, "--token", &token,
    ];
    let text = world.admit(&words).succeeded();
    assert!(text.contains("rights: play"), "{text}");
    world.stop_server();
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
}

#[test]
fn a_deleted_license_is_gone() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm]).succeeded();
    let licenses = world.admit(&["license", "list", "--json"]).json();
    let id = licenses["licenses"][0]["license"].as_str().unwrap().to_owned();
    let shown = world.admit(&["license", "show", &id]).succeeded();
    assert!(shown.contains("kind: simple"), "{shown}");
    assert_eq!(world.admit(&["license", "show", &id[..8].to_uppercase()]).succeeded(), shown, "what `why` shows of it");
    assert_eq!(world.admit(&["license", "show", &id[..3]]).code, Some(2));
    let key = licenses["licenses"][0]["key_id"].as_str().unwrap().to_owned();
    let other = "00000000-0000-4000-8000-000000000001";
    // By its key, or the file, it is found without looking through the store.
    world.admit(&["inspect", "film.mp4", "--header", "film.header"]).succeeded();
    for of in [&["--kid", &key][..], &["film.mp4"], &["film.header"]] {
        assert_eq!(world.admit(&[&["license", "show", &id[..8]], of].concat()).succeeded(), shown);
    }
    for command in ["show", "delete"] {
        let line = world.admit(&["license", command, &id, "--kid", other]).refused("NS_E_DRM_LICENSE_NOTACQUIRED");
        assert!(line.contains(&format!("no license {id} for this content")), "{line}");
    }
    assert_eq!(world.admit(&["license", "show", &id, "film.mp4", "--kid", &key]).code, Some(2));
    world.admit(&["license", "delete", &id[..8]]).succeeded();
    world.admit(&["license", "acquire", "film.mp4"]).succeeded();
    let licenses = world.admit(&["license", "list", "--json"]).json();
    let again = licenses["licenses"][0]["license"].as_str().unwrap();
    assert_eq!(world.admit(&["license", "delete", &again[..8], "film.mp4", "--json"]).json()["deleted"], again);
    world.stop_server();
    world.admit(&["play", "film.mp4", "-o", "two.mp4"]).refused("ADMIT_E_NETWORK");
    world.admit(&["license", "delete", &id]).refused("NS_E_DRM_LICENSE_NOTACQUIRED");
}

#[test]
fn a01_a_client_enrols_once_with_the_default_component_and_keys_of_its_own() {
    let world = World::new();
    let realm = world.package("one.mp4", "one", &["--open"]);
    world.package("two.mp4", "two", &["--open"]);
    world.admit(&["play", "one.mp4", "-o", "1.mp4", "--trust", &realm]).succeeded();
    world.admit(&["play", "two.mp4", "-o", "2.mp4"]).succeeded();
    world.admit_as("other", &["play", "one.mp4", "-o", "3.mp4", "--trust", &realm]).succeeded();
    let enrolled = world.events().into_iter().filter(|event| event == "client-enrolled").count();
    assert_eq!(enrolled, 2, "one a client");
}

#[test]
fn standard_output_carries_the_media_and_nothing_else() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "file.mp4", "--trust", &realm]).succeeded();
    world.admit(&["play", "film.mp4", "--player", "tee player.mp4"]).succeeded();
    let file = fs::read(world.path("file.mp4")).unwrap();
    assert_eq!(fs::read(world.path("player.mp4")).unwrap(), file);
    assert_ne!(fs::read(clip()).unwrap(), file);
}

fn copy_or_remove(from: &Path, to: &Path) {
    if from.exists() {
        fs::copy(from, to).unwrap();
    } else if to.exists() {
        fs::remove_file(to).unwrap();
    }
}
