//! What failures of the buyer's commands say, word for word: one line, the code, a sentence, and what to do.

use std::fs;
use std::path::Path;

use crate::world::World;

const FILE: &str = "Check that the path exists, that you may use it, and that the disk is not full.";
const DAMAGED: &str =
    "Delete the client's folder for the realm and acquire again, or restore the server's home from its backup.";
const CERTIFICATE: &str =
    "Individualize or enrol again, and contact the operator of the service if that does not help.";

impl World {
    /// Asserts what a command says on standard error, and that it says nothing else and ends with this code.
    #[track_caller]
    fn says(&self, words: &[&str], exit: i32, name: &str, sentence: &str, action: &str) {
        let done = self.admit(words);
        assert_eq!(done.stderr, format!("{name}: {sentence} What to do: {action}\n"), "{words:?}");
        assert_eq!((done.code, done.stdout.as_str()), (Some(exit), ""), "{words:?}");
    }
}

#[test]
fn play_says_what_is_wrong_with_its_input_and_output() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let file = |words: &[&str], sentence: &str| world.says(words, 1, "ADMIT_E_FILE (0xA0AD0015)", sentence, FILE);
    file(&["play", "absent.mp4", "-o", "x.mp4"], "absent.mp4: No such file or directory (os error 2).");
    let folder = "home is a folder.";
    world.says(&["play", "film.mp4", "-o", "home"], 1, "ADMIT_E_FILE (0xA0AD0015)", folder, "Name a file.");
    file(&["play", "film.mp4", "-o", "nowhere/x.mp4"], "nowhere/x.mp4: No such file or directory (os error 2).");
    file(&["play", "film.mp4", "--token", "@nofile"], "nofile: No such file or directory (os error 2).");
    let player = "ADMIT_E_PLAYER_FAILED (0xA0AD001F)";
    let advice = "Check the player's installation, or name another one with `--player`.";
    let absent = "no-such-player: No such file or directory (os error 2).";
    world.says(&["play", "film.mp4", "--player", "no-such-player"], 1, player, absent, advice);
    world.says(&["play", "film.mp4", "--player", "false"], 1, player, "false ended with exit status: 1.", advice);
    let (usage, empty) = ("ADMIT_E_USAGE (0xA0AD0021)", "the player command is empty.");
    world.says(&["play", "film.mp4", "--player", " "], 2, usage, empty, "Look at what `--help` says.");
    assert!(!world.path("x.mp4").exists());
}

#[test]
fn a_player_that_stops_reading_early_is_no_failure() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "--player", "true", "--trust", &realm]).succeeded();
}

#[test]
fn a_missing_token_is_told_with_the_page_that_the_header_names() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--license-page", "https://shop.example/film"]);
    let (name, sentence) = ("ADMIT_E_TOKEN_REQUIRED (0xA0AD0004)", "content `film` needs an entitlement token.");
    let action = "Get a license at https://shop.example/film, or pass the token you were given with --token.";
    world.says(&["play", "film.mp4", "-o", "x.mp4", "--trust", &realm], 1, name, sentence, action);
}

#[test]
fn licenses_that_are_not_there() {
    let world = World::new();
    let name = "NS_E_DRM_LICENSE_NOTACQUIRED (0xC00D2759)";
    let id = "00000000000000000000000000000001";
    let sentence = format!("there is no license {id} in the store.");
    for verb in ["show", "delete"] {
        world.says(&["license", verb, id], 1, name, &sentence, "See what there is with: admit license list.");
    }
    assert_eq!(world.admit(&["license", "list"]).succeeded(), "no licenses\n");
    let usage = "ADMIT_E_USAGE (0xA0AD0021)";
    world.says(&["error", "x"], 2, usage, "x is in no table.", "See them all with: admit error.");
}

#[test]
fn inspect_says_what_is_wrong_with_a_file() {
    let world = World::new();
    let write = |name: &str, bytes: &[u8]| fs::write(world.path(name), bytes).unwrap();
    write("bad.cose", b"\xd2\x84junk");
    write("bad.der", b"0\x82junkjunk");
    write("bad.pem", b"-----BEGIN CERT");
    write("big.cose", &[&b"\xd2\x84"[..], &vec![0; 1 << 20]].concat());
    let sentence = "bad.cose: License is not authentic: ProtectedHeader is not as it must be, at byte 2.";
    let advice = "Install the newest version, and report it to the operator of the service if that does not help.";
    world.says(&["inspect", "bad.cose"], 1, "ADMIT_E_MALFORMED_MESSAGE (0xA0AD0001)", sentence, advice);
    let certificate = "NS_E_DRM_INVALID_CERTIFICATE (0xC00D28A0)";
    world.says(&["inspect", "bad.pem"], 1, certificate, "Not a certificate in PEM.", CERTIFICATE);
    world.admit(&["inspect", "bad.der"]).refused("NS_E_DRM_INVALID_CERTIFICATE");
    let (name, sentence) =
        ("ADMIT_E_MALFORMED_MESSAGE (0xA0AD0001)", "big.cose is longer than any license or certificate.");
    world.says(&["inspect", "big.cose"], 1, name, sentence, advice);
    let absent = "absent: No such file or directory (os error 2).";
    world.says(&["inspect", "absent"], 1, "ADMIT_E_FILE (0xA0AD0015)", absent, FILE);
}

#[test]
fn a_damaged_client_folder_is_told_by_its_file() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let folder = world.realm_folder("client");
    let with = |name: &str, bytes: Option<&[u8]>, check: &dyn Fn(&str)| {
        let path = folder.join(name);
        let good = fs::read(&path).unwrap();
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        check(path.to_str().unwrap());
        fs::write(&path, good).unwrap();
    };
    let list = &["license", "list"];
    let tampered = "ADMIT_E_STORE_TAMPERED (0xA0AD0019)";
    with("store.key", Some(&[1; 31]), &|path| {
        world.says(list, 1, tampered, &format!("{path} does not hold a key."), DAMAGED);
    });
    with("store.key", Some(&[1; 32]), &|_| {
        world.says(list, 1, tampered, "Record 70 of the license store was altered.", DAMAGED);
    });
    with("store.key", None, &|path| {
        world.says(list, 1, tampered, &format!("{path} is gone and its store is not."), DAMAGED);
    });
    with("address", None, &|path| {
        let sentence = format!("{path}: No such file or directory (os error 2).");
        world.says(list, 1, "ADMIT_E_FILE (0xA0AD0015)", &sentence, FILE);
    });
    let good = fs::read(folder.join("realm.cbor")).unwrap();
    with("realm.cbor", Some(&[&good[..], b"x"].concat()), &|_| {
        let sentence =
            format!("Realm document is not authentic: TrailingBytes is not as it must be, at byte {}.", good.len());
        let action = "Do not go on, and report it to the operator of the service.";
        world.says(list, 1, "ADMIT_E_BAD_SIGNATURE (0xA0AD0002)", &sentence, action);
    });
    // Without the document the realm is not trusted, and its licenses are not looked at.
    with("realm.cbor", None, &|_| assert_eq!(world.admit(list).succeeded(), "no licenses\n"));
    with(
        "store.db",
        Some(b"this is no database, whatever else it may be; it is long enough to have a header"),
        &|_| {
            remove_beside(&folder);
            world.admit(list).refused("NS_E_DRM_LICENSE_STORE_ERROR");
        },
    );
}

fn remove_beside(folder: &Path) {
    for name in ["store.db-wal", "store.db-shm"] {
        if folder.join(name).exists() {
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
}
