//! What a browser does with the server: Chromium without a window, driven by the scripts in `tests/browser`. node,
//! Chromium and the packages in `ADMIT_NODE_MODULES` must be there, else these tests fail; `cargo check-all` sees to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::World;

/// Runs a script with something at its standard input, and reads what it prints.
pub(crate) fn run(script: &str, arguments: &[&str], input: Stdio) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    let output = Command::new("node").arg(path).args(arguments).stdin(input).output().expect("node is installed");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Where screenshots are kept.
pub(crate) fn artifact(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn chromium_plays_with_a_token_and_shows_nothing_with_a_wrong_one() {
    let world = World::with_settings("# origins = []", "origins = [\"*\"]");
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/media/long-progressive.mp4");
    let words = ["package", clip.to_str().unwrap(), "-o", "film.mp4", "--clearkey", "--content-id", "film"];
    let packaged = world.admit(&[&words[..], &["--home", "home", "--json"]].concat()).json();
    let address = packaged["clearkey_address"].as_str().unwrap();
    let film = world.path("film.mp4");
    let play = |token: &str, name: &str| {
        let screenshot = artifact(name);
        let _ = std::fs::remove_file(&screenshot);
        let seen =
            run("clearkey.mjs", &[film.to_str().unwrap(), address, token, screenshot.to_str().unwrap()], Stdio::null());
        assert!(screenshot.metadata().unwrap().len() > 0);
        seen
    };
    let seen = play(&world.token("film"), "clearkey-with-token.png");
    assert_eq!((&seen["status"], &seen["ended"]), (&200.into(), &true.into()), "{seen}");
    assert!(seen["shown"].as_u64().unwrap() >= 48 && seen["frames"].as_u64().unwrap() >= 48, "{seen}");

    let seen = play(&world.token("another film"), "clearkey-with-wrong-token.png");
    assert_eq!((&seen["status"], &seen["shown"], &seen["frames"]), (&403.into(), &0.into(), &0.into()), "{seen}");
    assert_eq!(seen["refusal"], "urn:admit:error:ADMIT_E_TOKEN_NOT_FOR_CONTENT");
    let given = world.events().iter().filter(|event| *event == "clearkey-keys-given").count();
    assert_eq!(given, 1);
}

#[test]
fn pages_have_no_barriers_in_either_scheme() {
    let world = World::new();
    world.package("film.mp4", "film", &["--title", "A film", "--min-app-level", "150"]);
    let header = &world.admit(&["inspect", "film.mp4", "--json"]).json()["header"];
    let server = header["license_address"].as_str().unwrap().trim_end_matches("/v1/licenses").to_owned();
    let license = format!("/license?kid={}", header["key_ids"][0].as_str().unwrap());
    for (path, name) in
        [(&*license, "license"), ("/license", "missing"), ("/privacy", "privacy"), ("/status", "status")]
    {
        let screenshots = artifact(name);
        let seen = run("pages.mjs", &[&format!("{server}{path}"), screenshots.to_str().unwrap()], Stdio::null());
        assert_eq!(seen["findings"], serde_json::json!([]), "{path}");
        assert!(seen["passed"].as_u64().unwrap() >= 20, "{path}: {seen}");
        let refused = name == "missing";
        assert_eq!(seen["complaints"].as_array().unwrap().is_empty(), !refused, "{path}: {seen}");
        assert_eq!(seen["backgrounds"], serde_json::json!(["rgb(255, 255, 255)", "rgb(23, 23, 27)"]));
        for scheme in ["light", "dark"] {
            assert!(artifact(&format!("{name}-{scheme}.png")).metadata().unwrap().len() > 0);
        }
    }
}

#[test]
fn chromium_shows_what_a_pasted_token_would_give_and_keeps_it_out_of_the_address() {
    let world = World::new();
    world.package("film.mp4", "film", &[]);
    let key = world.admit(&["inspect", "film.mp4", "--json"]).json()["header"]["key_ids"][0].clone();
    let page = format!("http://{}/license?kid={}", world.address(), key.as_str().unwrap());
    for (token, told) in
        [(world.token("film"), "It opens this content."), (world.token("song"), "It is for other content.")]
    {
        let seen = run("token.mjs", &[&page, &token], Stdio::null());
        assert!(seen["text"].as_str().unwrap().contains(told), "{seen}");
        assert_eq!((&seen["address"], &seen["pasted"]), (&page.as_str().into(), &"".into()), "{seen}");
        assert_eq!(
            (&seen["complaints"], &seen["findings"]),
            (&serde_json::json!([]), &serde_json::json!([])),
            "{seen}"
        );
    }
    assert!(!world.events().contains(&"licenses-issued".to_owned()));
}
