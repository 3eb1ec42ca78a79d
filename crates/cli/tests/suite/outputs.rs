//! Where commands write: never over what they read, and what cannot be written is no success.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use crate::world::{Done, World, clip};

#[test]
fn neither_package_nor_play_writes_over_its_input_by_any_name() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    fs::copy(clip(), world.path("clip.mp4")).unwrap();
    let inputs: [(&str, &[&str]); 2] =
        [("clip.mp4", &["package", "--home", "home", "--open"]), ("film.mp4", &["play", "--trust", &realm])];
    for (input, words) in inputs {
        let before = fs::read(world.path(input)).unwrap();
        symlink(input, world.path("symbolic")).unwrap();
        fs::hard_link(world.path(input), world.path("hard")).unwrap();
        for output in [input, &format!("./home/../{input}"), "symbolic", "hard"] {
            let line = world.admit(&[words, &[input, "--output", output]].concat()).refused("ADMIT_E_FILE");
            assert!(line.contains(&format!("{input} and {output} are the same file")), "{line}");
            assert!(fs::read(world.path(input)).unwrap() == before, "{output}");
        }
        fs::remove_file(world.path("symbolic")).unwrap();
        fs::remove_file(world.path("hard")).unwrap();
        world.admit(&[words, &[input, "--output", "another.mp4"]].concat()).succeeded();
    }
}

#[cfg(not(feature = "player"))]
#[test]
fn a_program_without_a_player_of_its_own_says_which_one_has_it() {
    let world = crate::burning::licensing_at(&["--app-level", "450"], "license.rights = \"play\";");
    let realm = world.package("film.mp4", "film", &["--open", "--min-app-level", "200"]);
    for words in [["play", "film.mp4"].as_slice(), &["why", "play", "film.mp4"]] {
        let line = world.admit(&[words, &["--trust", &realm]].concat()).refused("NS_E_DRM_LICENSE_APPSECLOW");
        assert!(line.contains("level 200, and here it is 150") && line.contains("--features player"), "{line}");
    }
    let line = world.admit(&["play", "film.mp4", "--offscreen"]).refused("ADMIT_E_PLAYER_FAILED");
    assert!(line.contains("--features player"), "{line}");
}

#[test]
fn what_cannot_be_printed_is_a_failure() {
    let world = World::unserved();
    for words in [&["admin", "token", "make", "x", "--home", "home"][..], &["error", "ADMIT_E_FILE"]] {
        let output = world.command(words).stdout(full()).output().unwrap();
        let line = Done::from(&output).refused("ADMIT_E_FILE");
        assert!(line.contains("standard output: No space left on device"), "{line}");
    }
}

#[test]
fn exit_codes_are_the_same_where_complaints_cannot_be_written() {
    let world = World::unserved();
    let cases: [(&[&str], i32); 4] = [
        (&["play", "absent.mp4"], 1),
        (&["play", "absent.mp4", "--json"], 1),
        (&["package", "a.mp4", "-o", "b.mp4"], 1),
        (&["no-such-command"], 2),
    ];
    for (words, code) in cases {
        assert_eq!(world.command(words).output().unwrap().status.code(), Some(code), "{words:?}");
        assert_eq!(world.command(words).stderr(full()).status().unwrap().code(), Some(code), "{words:?}");
    }
    let both = world.command(&["error", "ADMIT_E_FILE"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(both.code(), Some(1));
}

/// Writing to it fails as on a disk that is full.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}
