//! Rows B16 and B05: `admit save` brings a stream to the disk, as protected as it was, from a real HTTP server.

use std::fs;

use crate::burning::{licensing, relicense};
use crate::remote::{serve, serve_half};

#[test]
fn b16_a_stream_is_saved_protected_and_plays_later_here_and_elsewhere() {
    let mut world = licensing("license.rights = \"play, save-stream\";");
    let realm = world.package("film.mp4", "film", &["--open"]);
    let protected = fs::read(world.path("film.mp4")).unwrap();
    let url = format!("http://{}/film.mp4", serve(protected.clone(), true));
    let told = world.admit(&["save", &url, "-o", "kept.mp4", "--trust", &realm, "--json"]).json();
    assert_eq!(told["bytes"], protected.len() as u64);
    assert!(fs::read(world.path("kept.mp4")).unwrap() == protected, "it is protected as it was");
    world.admit_as("other", &["play", "kept.mp4", "-o", "there.mp4", "--trust", &realm]).succeeded();
    world.stop_server();
    world.admit(&["play", "kept.mp4", "-o", "here.mp4"]).succeeded();
    assert!(fs::read(world.path("here.mp4")).unwrap() == fs::read(world.path("there.mp4")).unwrap());
    world.ffmpeg(&["-xerror", "-i", "here.mp4", "-f", "null", "-"]);
}

#[test]
fn b05_saving_needs_its_right_and_nothing_is_written_without() {
    let mut world = licensing("license.rights = \"play\";");
    let realm = world.package("film.mp4", "film", &["--open"]);
    let url = format!("http://{}/film.mp4", serve(fs::read(world.path("film.mp4")).unwrap(), true));
    let line = world.admit(&["save", &url, "-o", "kept.mp4", "--trust", &realm]).refused("NS_E_DRM_NO_RIGHTS");
    assert!(line.contains("save-stream"), "{line}");
    assert!(!world.path("kept.mp4").exists());
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
    relicense(&mut world, "license.rights = \"save-stream\";");
    world.admit(&["save", "film.mp4", "-o", "film.mp4"]).refused("ADMIT_E_FILE");
    world.admit_as("other", &["save", &url, "-o", "kept.mp4", "--trust", &realm]).succeeded();
    world.admit_as("other", &["play", "kept.mp4", "-o", "no.mp4"]).refused("NS_E_DRM_NO_RIGHTS");
}

#[test]
fn b16_a_one_time_license_is_used_by_saving_and_not_by_a_save_that_breaks_off() {
    let mut world = licensing("license.rights = \"save-stream\"; license.one_time = true;");
    let realm = world.package("film.mp4", "film", &["--open"]);
    let protected = fs::read(world.path("film.mp4")).unwrap();
    let acquire = ["license", "acquire", "film.mp4", "--action", "save-stream", "--trust", &realm];
    world.admit(&acquire).succeeded();
    relicense(&mut world, "refuse(\"Sold out.\");");
    let (address, stalled) = serve_half(protected.clone());
    fs::create_dir(world.path("out")).unwrap();
    let mut child =
        world.command(&["save", &format!("http://{address}/film.mp4"), "-o", "out/kept.mp4"]).spawn().unwrap();
    stalled.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_dir(world.path("out")).unwrap().count(), 0);
    let url = format!("http://{}/film.mp4", serve(protected, true));
    world.admit(&["save", &url, "-o", "out/kept.mp4"]).succeeded();
    world.admit(&["save", &url, "-o", "out/again.mp4"]).refused("ADMIT_E_POLICY_REFUSED");
}
