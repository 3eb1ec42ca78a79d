//! The pages of `docs/operate/players.md`, as they stand, in Chromium: real players, from npm, with a real server on
//! another origin. node, Chromium, ffmpeg and the packages in `ADMIT_NODE_MODULES` must be there, as for `browser.rs`.

use std::fs;
use std::net::TcpListener;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::browser::{artifact, run};
use crate::world::{World, clip, ffmpeg};

/// Frames of the clip that have to be shown, of 50.
const ENOUGH_FRAMES: u64 = 48;

#[test]
fn shaka_player_plays_with_a_token_and_shows_nothing_with_a_wrong_one() {
    plays("Shaka Player", "shaka-player", None);
}

#[test]
fn dash_js_plays_with_a_token_and_shows_nothing_with_a_wrong_one() {
    plays("dash.js", "dash-js", Some("application/json"));
}

#[test]
fn hls_js_plays_with_a_token_and_shows_nothing_with_a_wrong_one() {
    plays("hls.js", "hls-js", None);
}

#[test]
fn video_js_plays_with_a_token_and_shows_nothing_with_a_wrong_one() {
    plays("Video.js", "video-js", Some("application/octet-stream"));
}

#[test]
fn playlists_name_every_byte_of_the_fragments_and_no_segment_of_milliseconds() {
    let manual = fs::read_to_string(manual("players.md")).unwrap();
    for (name, segments, duration) in [("long-progressive.mp4", 4, 7.0), ("high-progressive.mp4", 1, 2.0)] {
        let world = World::unserved();
        package(&world, &clip().with_file_name(name), block(&manual, "sh"));
        for file in ["film-video.mp4", "film-audio.mp4"] {
            let size = fs::metadata(world.path("site").join(file)).unwrap().len();
            let playlist = fs::read_to_string(world.path("site").join(format!("{file}.m3u8"))).unwrap();
            let ranges = ranges(&playlist);
            assert_eq!(ranges.len(), segments, "{playlist}");
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start), "{playlist}");
            assert_eq!(ranges.last().unwrap().end, size, "{playlist}");
            let seconds = lines(&playlist, "#EXTINF:").map(|text| text.trim_end_matches(',').parse::<f64>().unwrap());
            let (least, sum) = seconds.fold((f64::MAX, 0.0), |(least, sum), next| (next.min(least), sum + next));
            assert!(least > 0.5 && (sum - duration).abs() < 0.1, "{playlist}");
        }
    }
}

#[test]
fn manifests_are_of_protected_files_of_one_track_only() {
    let world = World::unserved();
    fs::copy(clip(), world.path("clear.mp4")).unwrap();
    let words = ["package", "clear.mp4", "-o", "both.mp4", "--clearkey", "--home", "home"];
    world.admit(&words).succeeded();
    for (file, reason) in [("clear.mp4", "has no index"), ("both.mp4", "has more than one track")] {
        let mut node = Command::new("node");
        node.arg(manual("manifests.mjs")).args(["https://drm.example.org/v1/clearkey", ".", "film", file]);
        let output = node.current_dir(world.folder.path()).output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(reason), "{output:?}");
        assert!(!world.path("film.mpd").exists());
    }
}

#[test]
fn manifests_of_no_file_are_not_written_and_the_usage_is_told() {
    let output = Command::new("node").arg(manual("manifests.mjs")).args(["address", ".", "film"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let usage = "usage: node manifests.mjs KEY_SERVER FOLDER NAME FILE...\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), usage);
}

/// Where each segment lies in its file.
fn ranges(playlist: &str) -> Vec<Range<u64>> {
    let range = |(size, at): (&str, &str)| {
        let at: u64 = at.parse().unwrap();
        at..at + size.parse::<u64>().unwrap()
    };
    lines(playlist, "#EXT-X-BYTERANGE:").map(|text| range(text.split_once('@').unwrap())).collect()
}

fn lines<'a>(playlist: &'a str, tag: &'a str) -> impl Iterator<Item = &'a str> {
    playlist.lines().filter_map(move |line| line.strip_prefix(tag))
}

/// Opens the page below this heading of the manual with a right token and a wrong one. The player names its requests with
/// this media type.
fn plays(heading: &str, name: &str, content_type: Option<&str>) {
    let (world, seen) = watch(heading, name);
    let key_ids = sorted(["video", "audio"].map(|kind| key_id(&world, &format!("site/film-{kind}.mp4"))).to_vec());
    let played = &seen[0];
    assert_eq!((&played["ended"], &played["said"]), (&true.into(), &"".into()), "{seen}");
    assert!(played["frames"].as_u64().unwrap() >= ENOUGH_FRAMES, "{seen}");
    assert_eq!(asked(played, content_type, 200), key_ids, "{seen}");
    let named = if content_type.is_some() { "authorization,content-type" } else { "authorization" };
    assert_eq!(played["preflights"], json!([named]), "{seen}");

    let refused = &seen[1];
    assert_eq!((&refused["ended"], &refused["frames"]), (&false.into(), &0.into()), "{seen}");
    assert!(refused["said"].as_str().unwrap().starts_with("It cannot be played ("), "{seen}");
    assert!(!asked(refused, content_type, 403).is_empty(), "{seen}");
    assert_eq!(given(&world), key_ids, "each key once, and none for the wrong token");
}

/// Makes server and site as the manual says, and opens the page with each token. Says what was seen.
fn watch(heading: &str, name: &str) -> (World, Value) {
    let page = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", page.local_addr().unwrap());
    let manual = fs::read_to_string(manual("players.md")).unwrap();
    let origins = block(&manual, "toml").lines().nth(1).unwrap();
    let world = World::with_settings("# origins = []", &origins.replace("https://player.example.org", &origin));
    let address = format!("http://{}/v1/clearkey", world.address());
    package(&world, &clip(), &block(&manual, "sh").replace("https://drm.example.org/v1/clearkey", &address));

    let screenshots = ["with-token", "with-wrong-token"].map(|end| artifact(&format!("{name}-{end}.png")));
    screenshots.iter().for_each(|path| drop(fs::remove_file(path)));
    let [shown, blank] = screenshots.each_ref().map(|path| path.to_str().unwrap());
    let (site, token, wrong) = (world.path("site"), world.token("film"), world.token("another film"));
    let words = [heading, site.to_str().unwrap(), &origin, &address, &token, shown, &wrong, blank];
    let seen = run("player.mjs", &words, Stdio::from(OwnedFd::from(page)));
    assert!(screenshots.iter().all(|path| path.metadata().unwrap().len() > 0));
    (world, seen)
}

/// Runs the manual's commands, in a folder with what they begin with.
fn package(world: &World, clip: &Path, script: &str) {
    fs::copy(clip, world.path("clip.mp4")).unwrap();
    fs::copy(manual("manifests.mjs"), world.path("manifests.mjs")).unwrap();
    let script = format!("set -eu\nffmpeg() {{ command {:?} -v error \"$@\"; }}\n{script}", ffmpeg());
    let programs = Path::new(env!("CARGO_BIN_EXE_admit")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(world.folder.path()).env("PATH", path).env_remove("ADMIT_HOME");
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn manual(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate").join(file)
}

/// The first block of a language.
fn block<'a>(manual: &'a str, language: &str) -> &'a str {
    let rest = manual.split(&format!("```{language}\n")).nth(1).unwrap();
    rest.split("```").next().unwrap()
}

fn key_id(world: &World, file: &str) -> String {
    digits(&world.admit(&["inspect", file, "--json"]).json()["tracks"][0]["key_id"])
}

/// A key id without its hyphens.
fn digits(key_id: &Value) -> String {
    key_id.as_str().unwrap().replace('-', "")
}

/// The key ids that the player asked the server for, one a request, each request in the one form and with this answer.
fn asked(play: &Value, content_type: Option<&str>, status: u64) -> Vec<String> {
    let key_id = |request: &Value| {
        assert_eq!((&request["method"], &request["status"]), (&"POST".into(), &status.into()), "{play}");
        assert_eq!(request["contentType"].as_str(), content_type, "{play}");
        let kid = &request["body"]["kids"][0];
        assert_eq!(request["body"], json!({ "kids": [kid], "type": "temporary" }), "{play}");
        request["keyIds"][0].as_str().unwrap().to_owned()
    };
    sorted(play["asked"].as_array().unwrap().iter().map(key_id).collect())
}

/// The key ids in the audit record's entries about ClearKey.
fn given(world: &World) -> Vec<String> {
    let document = world.admit(&["audit", "--home", "home", "--json"]).json();
    let entries = document["entries"].as_array().unwrap();
    let given = entries.iter().filter(|entry| entry["event"] == "clearkey-keys-given");
    let keys = given.flat_map(|entry| entry["detail"]["keys"].as_array().unwrap());
    sorted(keys.map(|key| digits(&key["key_id"])).collect())
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}
