//! Row B13: films that ask for more than clear output has play in this process, through libmpv, which must be there with ffmpeg.
//! What it renders is looked at: a second of red and a second of blue. Windows are those of Xvfb, which must be there, too.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::burning::licensing_at;
use crate::clock_machine::{Limits, Serving};
use crate::clock_use::{kept, later_than_kept};
use crate::remote::{serve, serve_half_at_once};
use crate::world::{Done, World};

const ABOVE: [&str; 4] = ["--min-app-level", "200", "--content-id", "film"];

/// A world at application level 450 with a film above clear output, whose licenses say this. Says the realm, too.
fn world(script: &str) -> (World, String) {
    let world = licensing_at(&["--app-level", "450"], script);
    let sides = ["red", "blue"].map(|colour| format!("color={colour}:s=320x180:r=25:d=1"));
    let inputs = ["-f", "lavfi", "-i", &sides[0], "-f", "lavfi", "-i", &sides[1], "-f", "lavfi", "-i", "sine=440:d=2"];
    let coded = ["-filter_complex", "[0][1]concat=n=2[v]", "-map", "[v]", "-map", "2", "-c:v", "libx264", "-g", "25"];
    world.ffmpeg(&[&inputs[..], &coded, &["-pix_fmt", "yuv420p", "-c:a", "aac", "clear-film.mp4"]].concat());
    let words = ["package", "clear-film.mp4", "-o", "film.mp4", "--home", "home", "--open"];
    world.admit(&[&words[..], &ABOVE].concat()).succeeded();
    let realm = world.realm_of("film.mp4");
    (world, realm)
}

const ONCE: &str = "license.rights = \"play\"; license.play_count = 1;";

#[test]
fn b13_a_film_above_clear_output_plays_in_this_process_once_and_leaves_it_nowhere() {
    let (world, realm) = world(ONCE);
    world.admit(&["license", "acquire", "film.mp4", "--trust", &realm]).succeeded();
    for words in [&["-o", "clear.mp4"][..], &["-o", "-"], &["--player", "cat"]] {
        let done = world.admit(&[&["play", "film.mp4"], words].concat());
        assert_eq!(done.stdout, "");
        let line = done.refused("NS_E_DRM_LICENSE_APPSECLOW");
        assert!(line.contains("level 200, and here it is 150"), "{line}");
    }
    let why = world.admit(&["why", "play", "film.mp4", "--json"]).json();
    assert_eq!((&why["allowed"], &why["output"]), (&true.into(), &"in_process".into()), "{why}");
    let before = names(&world);
    all_was_rendered(&world.admit(&["play", "film.mp4", "--offscreen", "--json"]).json());
    assert_eq!(names(&world), before, "nothing was written");
    assert_eq!(plays(&world), 1);
}

#[test]
fn a_film_from_a_server_is_read_as_it_plays() {
    let (world, realm) = world(ONCE);
    let address = serve(fs::read(world.path("film.mp4")).unwrap(), true);
    let url = format!("http://{address}/film.mp4");
    all_was_rendered(&world.admit(&["play", &url, "--offscreen", "--json", "--trust", &realm]).json());
    assert_eq!(plays(&world), 1);
}

#[test]
fn a_film_that_finds_no_screen_is_not_counted() {
    let (world, realm) = world(ONCE);
    let mut command = world.command(&["play", "film.mp4", "--trust", &realm]);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    let done = Done::from(&command.output().unwrap());
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    // Libraries that look for a screen say on standard error what they did not find.
    let line = done.stderr.lines().last().unwrap();
    assert!(line.starts_with("ADMIT_E_PLAYER_FAILED") && line.contains("--offscreen"), "{line}");
    // What was reserved for it is given back.
    world.admit(&["why", "play", "film.mp4"]).succeeded();
    assert_eq!(plays(&world), 0);
}

#[test]
fn a_film_in_a_window_is_counted_and_warns_once_where_there_is_no_sound_device() {
    let (world, realm) = world(ONCE);
    let display = Display::start();
    let done = in_a_window(&world, &display, &["play", "film.mp4", "--trust", &realm]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{}", done.stderr);
    let warnings: Vec<_> = done.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings, ["warning: no sound device could be opened, the film is shown without sound"]);
    assert_eq!(plays(&world), 1);
}

#[test]
fn sound_that_libmpv_plays_is_an_error_where_there_is_no_sound_device() {
    let (world, realm) = world(ONCE);
    world.ffmpeg(&["-f", "lavfi", "-i", "sine=440:d=1", "-c:a", "libopus", "clear-sound.mp4"]);
    let words = ["package", "clear-sound.mp4", "-o", "sound.mp4", "--home", "home", "--open"];
    world.admit(&words).succeeded();
    let display = Display::start();
    let done = in_a_window(&world, &display, &["play", "sound.mp4", "--trust", &realm]);
    let line = done.stderr.lines().last().unwrap();
    assert_eq!(done.code, Some(1), "{line}");
    assert!(line.starts_with("ADMIT_E_PLAYER_FAILED") && line.contains("sound device"), "{line}");
}

/// Runs a command with this display, and with no sound device that any of libmpv's drivers would find.
fn in_a_window(world: &World, display: &Display, words: &[&str]) -> Done {
    let nowhere = world.path("nowhere");
    let mut command = world.command(words);
    for name in ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XDG_RUNTIME_DIR", "AUDIODEV"] {
        command.env_remove(name);
    }
    command.env("DISPLAY", &display.name).env("SDL_AUDIODRIVER", "none").env("ALSA_CONFIG_PATH", &nowhere);
    command.env("PULSE_SERVER", &nowhere).env("PIPEWIRE_REMOTE", &nowhere).env("JACK_NO_START_SERVER", "1");
    Done::from(&command.output().unwrap())
}

/// An X server whose screen is memory.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts one, which says its number when it is ready, and does not begin anew when mpv has tried one way to draw and left.
    fn start() -> Self {
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]);
        let mut server = xvfb.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Xvfb must be there");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { server, name: format!(":{}", number.trim()) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

#[test]
fn a_machine_without_libmpv_is_told_what_to_install() {
    let (world, realm) = world(ONCE);
    // What the loader finds first is none of its libraries.
    fs::create_dir(world.path("lib")).unwrap();
    fs::write(world.path("lib/libmpv.so.2"), "no library").unwrap();
    let without = |words: &[&str]| {
        let mut command = world.command(&[words, &["--trust", &realm]].concat());
        Done::from(&command.env("LD_LIBRARY_PATH", world.path("lib")).output().unwrap())
    };
    for words in [["play", "film.mp4"].as_slice(), &["why", "play", "film.mp4"]] {
        let line = without(words).refused("NS_E_DRM_LICENSE_APPSECLOW");
        assert!(line.contains("level 200, and here it is 150") && line.contains("Install libmpv"), "{line}");
    }
    let done = without(&["why", "play", "film.mp4", "--json"]);
    let why: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&why["allowed"], &why["output"]), (&false.into(), &"clear".into()), "{why}");
    let line = without(&["play", "film.mp4", "--offscreen"]).refused("ADMIT_E_PLAYER_FAILED");
    assert!(line.contains("libmpv cannot be loaded: ") && line.contains("Install libmpv"), "{line}");
    assert_eq!(plays(&world), 0);
}

#[test]
fn b13_the_level_of_a_film_in_this_process_is_what_the_applications_certificate_says() {
    let (world, _) = world(ONCE);
    let words = ["package", "clear-film.mp4", "-o", "higher.mp4", "--home", "home", "--open", "--min-app-level", "451"];
    world.admit(&words).succeeded();
    let realm = world.realm_of("higher.mp4");
    let line = world.admit(&["play", "higher.mp4", "--offscreen", "--trust", &realm]);
    let line = line.refused("NS_E_DRM_LICENSE_APPSECLOW");
    assert!(line.contains("level 451, and here it is 450"), "{line}");
}

#[test]
fn a_film_that_is_broken_or_cut_ends_with_what_is_wrong() {
    let (world, realm) = world("license.rights = \"play\";");
    let file = fs::read(world.path("film.mp4")).unwrap();
    let last = file.windows(4).rposition(|kind| kind == b"moof").unwrap();
    let mut broken = file.clone();
    // The size of the first box in it.
    broken[last + 4..last + 8].fill(0xff);
    for (name, bytes) in [("broken.mp4", &broken[..]), ("cut.mp4", &file[..file.len() - 1000])] {
        fs::write(world.path(name), bytes).unwrap();
        let line = world.admit(&["play", name, "--offscreen", "--trust", &realm]).refused("ADMIT_E_MEDIA_MALFORMED");
        assert!(line.contains(name), "{line}");
    }
}

#[test]
fn e04_a_license_that_ends_in_the_middle_of_a_film_ends_it() {
    let world = World::unserved();
    let realm = world.package("film.mp4", "film", &["--open"]);
    let _serving = Serving::start(&world, Limits { after_first_use: Some(3), ..Limits::default() });
    let (address, stalled, release) = serve_half_at_once(fs::read(world.path("film.mp4")).unwrap());
    let playing = play_address(&world, address, &realm);
    stalled.recv().unwrap();
    let since = Instant::now();
    // It looks at the clock once a second, and not before that.
    while world.admit(&["why", "play", "film.mp4"]).code == Some(0) || since.elapsed() <= Duration::from_secs(1) {}
    world.admit(&["why", "play", "film.mp4"]).refused("NS_E_DRM_LICENSE_EXPIRED");
    release.send(()).unwrap();
    Done::from(&playing.wait_with_output().unwrap()).refused("NS_E_DRM_LICENSE_EXPIRED");
}

#[test]
fn a_film_that_is_interrupted_ends_as_if_its_window_were_closed() {
    for signal in ["INT", "TERM", "HUP"] {
        let (world, realm) = world(ONCE);
        let (address, stalled, release) = serve_half_at_once(fs::read(world.path("film.mp4")).unwrap());
        let playing = play_address(&world, address, &realm);
        stalled.recv().unwrap();
        let time = later_than_kept(&world);
        let id = playing.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        release.send(()).unwrap();
        Done::from(&playing.wait_with_output().unwrap()).succeeded();
        assert_eq!(plays(&world), 1, "{signal}");
        assert!(kept(&world) >= time, "the clock is kept");
    }
}

fn play_address(world: &World, address: SocketAddr, realm: &str) -> Child {
    let url = format!("http://{address}/film.mp4");
    let mut command = world.command(&["play", &url, "--offscreen", "--trust", realm]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// From the first picture to the last; a machine that is very busy may not render each.
fn all_was_rendered(shown: &Value) {
    assert!((45..=52).contains(&shown["frames"].as_u64().unwrap()), "{shown}");
    let is_near = |name: &str, expected: [u8; 3]| {
        let text = shown[name].as_str().unwrap();
        let channel = |index: usize| u8::from_str_radix(&text[1 + 2 * index..][..2], 16).unwrap();
        expected.iter().enumerate().all(|(index, expected)| channel(index).abs_diff(*expected) < 12)
    };
    assert!(is_near("first_colour", [255, 0, 0]) && is_near("last_colour", [0, 0, 255]), "{shown}");
}

/// How often the only license has been played.
fn plays(world: &World) -> u64 {
    let list = world.admit(&["license", "list", "--json"]).json();
    let id = list["licenses"][0]["license"].as_str().unwrap();
    let shown = world.admit(&["license", "show", id, "--json"]).json();
    shown["plays"]["used"].as_u64().unwrap()
}

/// What lies in the world's folder.
fn names(world: &World) -> Vec<OsString> {
    let mut names: Vec<_> =
        fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}
