//! Row B13: content that asks for more than clear output has plays in this process, which is heard in a sound device of ALSA
//! that writes down what it is given; and what leaves the process is denied.

use std::fs;
use std::process::Output;

use crate::burning::{licensing, licensing_at, protect};
use crate::world::{Done, World};

const TONES: &str = "aevalsrc=0.4*sin(2*PI*440*t)|0.3*sin(2*PI*997*t):s=44100:d=3";
const EXACT: [&str; 3] = ["flac", "-sample_fmt", "s16"];

#[test]
fn b13_content_above_clear_output_is_heard_in_this_process_and_leaves_it_nowhere() {
    let level = ["--app-level", "450"];
    let world = licensing_at(&level, "license.rights = \"play, burn-to-cd\";");
    let realm = protect(&world, "song", TONES, &EXACT, &["--min-app-level", "200"]);
    Done::from(&play(&world, &["song.mp4", "--trust", &realm])).succeeded();
    world.ffmpeg(&["-i", "song.clear.mp4", "-f", "f32le", "expected.raw"]);
    let expected = fs::read(world.path("expected.raw")).unwrap();
    assert_eq!(expected.len(), 3 * 44_100 * 8);
    // The device takes as fast as it can, and gets silence where nothing has been decoded yet.
    assert!(sounding(&heard(&world)) == sounding(&expected), "the device is given what ffmpeg decodes");
    for words in [&["-o", "clear.mp4"][..], &["-o", "-"], &["--player", "cat"]] {
        let done = Done::from(&play(&world, &[&["song.mp4"], words].concat()));
        assert_eq!(done.stdout, "");
        let line = done.refused("NS_E_DRM_LICENSE_APPSECLOW");
        assert!(line.contains("level 200, and here it is 150"), "{line}");
    }
    world.admit(&["burn", "song.mp4", "-o", "disc"]).refused("NS_E_DRM_LICENSE_APPSECLOW");
    assert!(!world.path("clear.mp4").exists() && !world.path("disc.bin").exists());
}

#[test]
fn b13_the_level_of_this_process_is_what_the_applications_certificate_says() {
    let world = licensing_at(&["--app-level", "450"], "license.rights = \"play\";");
    let realm = protect(&world, "song", TONES, &EXACT, &["--min-app-level", "451"]);
    let line = Done::from(&play(&world, &["song.mp4", "--trust", &realm])).refused("NS_E_DRM_LICENSE_APPSECLOW");
    assert!(line.contains("level 451, and here it is 450"), "{line}");
    assert!(!world.path("heard.raw").exists(), "the device was not opened");
}

#[test]
fn sound_of_any_rate_is_heard_and_a_play_that_finds_no_device_is_not_counted() {
    let world = licensing("license.rights = \"play\"; license.play_count = 1;");
    let realm = protect(&world, "song", "aevalsrc=0.4*sin(2*PI*440*t):s=22050:d=2", &["aac"], &[]);
    fs::write(world.path("none.conf"), "").unwrap();
    let mut command = world.command(&["play", "song.mp4", "--trust", &realm]);
    let silent = command.env("ALSA_CONFIG_PATH", world.path("none.conf")).output().unwrap();
    assert!(String::from_utf8_lossy(&silent.stderr).contains("ADMIT_E_PLAYER_FAILED"), "{silent:?}");
    Done::from(&play(&world, &["song.mp4"])).succeeded();
    let heard = heard(&world);
    let loudest = heard.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).abs());
    assert!((0.3..0.5).contains(&loudest.fold(0.0, f32::max)));
}

/// Plays with a sound device that writes to `heard.raw`.
fn play(world: &World, words: &[&str]) -> Output {
    let device = format!(
        "pcm.!default {{ type file slave.pcm {{ type null }} file \"{}\" format \"raw\" }}\n",
        world.path("heard.raw").display()
    );
    fs::write(world.path("sound.conf"), device).unwrap();
    let mut command = world.command(&[&["play"], words].concat());
    command.env("ALSA_CONFIG_PATH", world.path("sound.conf")).output().unwrap()
}

/// The frames that are not silent.
fn sounding(raw: &[u8]) -> Vec<&[u8]> {
    raw.chunks_exact(8).filter(|frame| frame.iter().any(|&byte| byte != 0)).collect()
}

fn heard(world: &World) -> Vec<u8> {
    fs::read(world.path("heard.raw")).unwrap()
}
