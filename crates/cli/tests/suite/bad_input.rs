//! Files that are not what they seem: a clear error with the place, exit code 1, and nothing left behind.

use std::fs;

use crate::remote::serve;
use crate::world::{World, clip};

#[test]
fn media_that_cannot_be_packaged_leaves_neither_a_file_nor_a_key() {
    let world = World::new();
    let good = fs::read(clip()).unwrap();
    fs::write(world.path("empty.mp4"), b"").unwrap();
    fs::write(world.path("text.mp4"), "not media at all, whatever the name says").unwrap();
    fs::write(world.path("half.mp4"), &good[..good.len() / 2]).unwrap();
    fs::write(world.path("huge.mp4"), [&[0xff, 0xff, 0xff, 0xff][..], b"moov", &[0; 64]].concat()).unwrap();
    fs::write(world.path("deep.mp4"), nested(100_000)).unwrap();
    for name in ["empty.mp4", "text.mp4", "half.mp4", "huge.mp4", "deep.mp4"] {
        let code = if name == "text.mp4" { "ADMIT_E_MEDIA_UNSUPPORTED" } else { "ADMIT_E_MEDIA_MALFORMED" };
        let line = world.admit(&["package", name, "-o", "out.mp4", "--home", "home"]).refused(code);
        assert!(line.contains(name), "{line}");
        assert!(!world.path("out.mp4").exists(), "{name}");
    }
    world.admit(&["package", "absent.mp4", "-o", "out.mp4", "--home", "home"]).refused("ADMIT_E_FILE");
    assert!(!world.events().contains(&"content-key-registered".to_owned()));
    let left: Vec<_> = fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".part")), "{left:?}");
}

#[test]
fn protected_files_that_were_cut_or_altered_are_refused() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let good = fs::read(world.path("film.mp4")).unwrap();
    fs::write(world.path("cut.mp4"), &good[..good.len() - 1000]).unwrap();
    world.admit(&["play", "cut.mp4", "-o", "no.mp4"]).refused("ADMIT_E_MEDIA_MALFORMED");
    assert!(!world.path("no.mp4").exists());
    // One bit of the signed header.
    let at = good
        .windows(8)
        .position(|window| window == "REAL".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let mut altered = good.clone();
    altered[at.unwrap() + 16] ^= 1;
    fs::write(world.path("altered.mp4"), altered).unwrap();
    let done = world.admit(&["play", "altered.mp4", "-o", "no.mp4"]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(!world.path("no.mp4").exists());
}

#[test]
fn a_manifest_of_dash_or_hls_is_told_to_be_no_media_itself() {
    let world = World::unserved();
    let manifests = [("film.mpd", "<?xml version=\"1.0\"?><MPD/>\n"), ("Film.M3U8", "#EXTM3U\n#EXT-X-VERSION:7\n")];
    for (name, text) in manifests {
        fs::write(world.path(name), text).unwrap();
        let address = serve(text.into(), true);
        let url = format!("http://{address}/{name}?version=1");
        for words in [["play", name, "-o", "out"], ["save", name, "-o", "out"], ["play", &url, "-o", "out"]] {
            let line = world.admit(&words).refused("ADMIT_E_MEDIA_UNSUPPORTED");
            let action =
                "Name one of the MP4 files that it lists, or its address: manifests of DASH and HLS are not read.";
            assert!(line.contains(": this is no MP4 file.") && line.trim_end().ends_with(action), "{line}");
        }
    }
    assert!(!world.path("out").exists());
}

/// Whoever drags the wrong file here is no reader of the format.
#[test]
fn what_is_no_media_is_said_in_plain_words_with_what_to_do() {
    let world = World::new();
    let good = fs::read(clip()).unwrap();
    fs::write(world.path("README.md"), "# Admit\n\nText, and more of it than a box header has.\n").unwrap();
    fs::write(world.path("empty"), "").unwrap();
    fs::create_dir(world.path("folder")).unwrap();
    fs::write(world.path("cut"), &good[..good.len() / 2]).unwrap();
    fs::write(world.path("piece"), b"\0\0\0\x08free").unwrap();
    let said = [
        (
            "README.md",
            "README.md: this is no MP4 file.",
            "Name an MP4 file, or convert this one to MP4 if it holds media.",
        ),
        ("empty", "empty: the file is empty.", "Get the file again, or write it again with the program that made it."),
        ("folder", "folder is a folder.", "Name a file."),
        (
            "cut",
            "cut: the file was cut or is damaged: ",
            "Get the file again, or write it again with the program that made it.",
        ),
        (
            "piece",
            "piece: there is no moov box, so nothing in the file can be found: it was cut, ",
            "Get the whole file.",
        ),
    ];
    for (name, sentence, action) in said {
        let all = [
            &["package", name, "-o", "out", "--home", "home"][..],
            &["play", name, "-o", "out"],
            &["license", "acquire", name],
            &["why", "play", name],
            &["inspect", name],
        ];
        let all = if name == "README.md" { &all[..4] } else { &all };
        for words in all {
            let done = world.admit(words);
            assert_eq!(done.code, Some(1), "{words:?}: {}", done.stderr);
            assert!(done.stderr.contains(&format!("): {sentence}")), "{words:?}: {}", done.stderr);
            assert!(done.stderr.trim_end().ends_with(&format!("What to do: {action}")), "{words:?}: {}", done.stderr);
        }
    }
    let line = world.admit(&["inspect", "README.md"]).refused("ADMIT_E_MEDIA_UNSUPPORTED");
    assert!(
        line.contains("README.md is no MP4 file, content header, license, certificate or realm document."),
        "{line}"
    );
}

#[test]
fn a_clear_file_is_said_to_be_clear() {
    let world = World::new();
    fs::copy(clip(), world.path("clip.mp4")).unwrap();
    world.admit(&["play", "clip.mp4", "-o", "no.mp4"]).refused("ADMIT_E_NOT_PROTECTED");
    let document = world.admit(&["inspect", "clip.mp4", "--json"]).json();
    assert!(document["header"].is_null());
}

#[test]
fn the_same_key_id_with_another_key_is_refused() {
    let world = World::new();
    let clip = clip();
    let package = |output: &str, key: &str| {
        let kid = "00112233-4455-6677-8899-aabbccddeeff";
        let words = ["package", clip.to_str().unwrap(), "-o", output, "--kid", kid, "--key", key, "--home", "home"];
        world.admit(&words)
    };
    let key = "000102030405060708090a0b0c0d0e0f";
    package("one.mp4", key).succeeded();
    package("two.mp4", key).succeeded();
    package("three.mp4", "ff0102030405060708090a0b0c0d0e0f").refused("ADMIT_E_KEY_EXISTS");
    assert!(!world.path("three.mp4").exists());
    assert_eq!(package("four.mp4", "short").code, Some(2));
}

#[test]
fn a_home_is_never_made_over_another() {
    let world = World::new();
    world.admit(&["init", "home", "--demo-root-online"]).refused("ADMIT_E_HOME_EXISTS");
    world.admit(&["serve", "--home", "nowhere"]).refused("ADMIT_E_NO_HOME");
    world.admit(&["serve", "--home", "home", "--listen", "0.0.0.0:0"]).refused("ADMIT_E_PLAIN_HTTP_REFUSED");
    assert_eq!(world.admit(&["init", "safe"]).code, Some(2), "there is no terminal to ask at");
    assert!(!world.path("safe").exists());
}

/// Boxes within boxes, each eight bytes of header.
fn nested(depth: u32) -> Vec<u8> {
    (1..=depth).rev().flat_map(|left| [&(left * 8).to_be_bytes()[..], b"moov"].concat()).collect()
}
