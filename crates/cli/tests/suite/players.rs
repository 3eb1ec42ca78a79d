//! The pages of `docs/operate/players.md`, as they stand, in Chromium: real players, from npm, with a real server on
//! another origin. node, Chromium, ffmpeg and the packages in `ADMIT_NODE_MODULES` must be there, as for `browser.rs`.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Plays the film in the page below this heading of the manual. The player names its requests with this media type.
fn plays(heading: &str, name: &str, content_type: Option<&str>) {
    // The server has to know the page's origin before it starts, so its port is chosen here.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let manual = fs::read_to_string(manual("players.md")).unwrap();
    let origins = block(&manual, "toml").lines().nth(1).unwrap().to_owned();
    let origins = origins.replace("https://player.example.org", &format!("http://127.0.0.1:{port}"));
    let world = World::with_settings("# origins = []", &origins);
    let address = format!("http://{}/v1/clearkey", world.address());
    package(&world, &block(&manual, "sh").replace("https://drm.example.org/v1/clearkey", &address));

    let screenshots = ["with-token", "with-wrong-token"].map(|end| artifact(&format!("{name}-{end}.png")));
    let [shown, blank] = screenshots.each_ref().map(|path| path.to_str().unwrap());
    screenshots.iter().for_each(|path| drop(fs::remove_file(path)));
    let (site, token, wrong) = (world.path("site"), world.token("film"), world.token("another film"));
    let words = [heading, site.to_str().unwrap(), &port, &address, &token, shown, &wrong, blank];
    let seen = run("player.mjs", &words);

    let key_ids = sorted(["video", "audio"].map(|kind| key_id(&world, &format!("site/film-{kind}.mp4"))).to_vec());
    let played = &seen[0];
    assert_eq!((&played["ended"], &played["said"]), (&true.into(), &"".into()), "{seen}");
    assert!(played["frames"].as_u64().unwrap() >= ENOUGH_FRAMES, "{seen}");
    assert_eq!(asked(played, content_type, 200), key_ids, "{seen}");
    let refused = &seen[1];
    assert_eq!((&refused["ended"], &refused["frames"]), (&false.into(), &0.into()), "{seen}");
    assert!(refused["said"].as_str().unwrap().starts_with("It cannot be played ("), "{seen}");
    assert!(!asked(refused, content_type, 403).is_empty(), "{seen}");
    assert_eq!(given(&world), key_ids, "each key once, and none for the wrong token");
    assert!(screenshots.iter().all(|path| path.metadata().unwrap().len() > 0));
}

/// Runs the manual's commands, in a folder with what they begin with.
fn package(world: &World, script: &str) {
    fs::copy(clip(), world.path("clip.mp4")).unwrap();
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
