//! Rotating and renewing keys while a server runs.

use std::fs;
use std::thread;

use crate::world::World;

#[test]
fn a_running_server_takes_rotated_and_renewed_keys_without_a_restart() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let key = world.path("home/secrets/key-encryption-key");
    let before = fs::read(&key).unwrap();
    world.admit(&["admin", "rotate-key", "--home", "home"]).succeeded();
    assert_ne!(fs::read(&key).unwrap(), before);
    let token = world.token("film");
    let play = |client: &str, output: &str| {
        let words = ["play", "film.mp4", "--token", &token, "--trust", &realm, "-o", output];
        world.admit_as(client, &words).succeeded();
    };
    play("first", "first.mp4");

    let done = world.admit(&["admin", "renew", "--home", "home", "--json"]).json();
    assert_eq!(done["renewed"][0]["certificate"], "license");
    assert!(done["renewed"][0]["ends"].as_str().unwrap().starts_with("20") && done["renewed"][3].is_null(), "{done}");
    world.signal_server("HUP");
    while world.document_number() != 2 {
        thread::yield_now();
    }
    play("second", "second.mp4");

    let done = world.admit(&["admin", "renew", "--all", "--home", "home", "--json"]).json();
    assert_eq!(done["renewed"].as_array().unwrap().len(), 6, "{done}");
    world.signal_server("HUP");
    while world.document_number() != 3 {
        thread::yield_now();
    }
    play("third", "third.mp4");
    world.package("newer.mp4", "film", &[]);
    world.admit_as("first", &["play", "newer.mp4", "--token", &token, "-o", "newer-clear.mp4"]).succeeded();
    assert!(world.events().contains(&"service-renewed".to_owned()));
    assert!(world.events().contains(&"sealing-key-rotated".to_owned()));
}

/// Wherever the signal arrives, the home works and the next rotation ends what this one began.
#[test]
fn a_killed_rotation_is_finished_by_the_next() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    for round in 0..12_u32 {
        let mut child = world.spawn(&["admin", "rotate-key", "--home", "home"]);
        // Neither a sleep nor a clock: how far it comes is the machine's, and every answer has to hold.
        for _ in 0..round * round * 4 {
            assert!(fs::read_dir(world.path("home/secrets")).unwrap().count() > 0);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        world.package(&format!("film-{round}.mp4"), "film", &[]);
    }
    world.admit(&["admin", "rotate-key", "--home", "home"]).succeeded();
    let names = fs::read_dir(world.path("home/secrets")).unwrap();
    let names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name()).filter(|name| name != ".key-encryption-key.partial").collect();
    assert_eq!(names, ["key-encryption-key"]);
    let token = world.token("film");
    for film in ["film.mp4", "film-0.mp4", "film-11.mp4"] {
        world.admit(&["play", film, "--token", &token, "--trust", &realm, "-o", "out.mp4"]).succeeded();
    }
    assert!(world.events().contains(&"sealing-key-rotated".to_owned()));
}

#[test]
fn the_exported_root_key_renews_and_another_does_not() {
    let world = World::new();
    fs::write(world.path("passphrase"), "correct horse battery\n").unwrap();
    for home in ["one", "two"] {
        world.admit(&["init", home, "--passphrase-file", "passphrase"]).succeeded();
    }
    let renew = |key: &str| {
        world.admit(&["admin", "renew", "--home", "one", "--root-key", key, "--passphrase-file", "passphrase"])
    };
    renew("one/root-key.pem").succeeded();
    let wrong = renew("two/root-key.pem");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("not the one of this realm"), "{}", wrong.stderr);
    fs::write(world.path("passphrase"), "incorrect horse\n").unwrap();
    let wrong = renew("one/root-key.pem");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("What to do: Check that --root-key names the file"), "{}", wrong.stderr);
    let without = world.admit(&["admin", "renew", "--home", "one"]);
    assert!(without.stderr.contains("--root-key"), "{}", without.stderr);
}

#[test]
fn a_key_for_a_token_that_the_settings_do_not_name_is_refused_as_that() {
    let world = World::unserved();
    let key = world.path("home/secrets/key-encryption-key");
    let before = fs::read(&key).unwrap();
    let rotate = |more: &[&str]| world.admit(&[&["admin", "rotate-key", "--home", "home"], more].concat());
    let refused = rotate(&["--to", "pkcs11"]).refused("ADMIT_E_KEY_IN_TOKEN");
    assert!(refused.contains("admit.toml names no token. What to do: Set the section pkcs11"), "{refused}");
    for more in [&["--create-key"][..], &["--create-key", "--to", "file"]] {
        let done = rotate(more);
        assert!(done.code == Some(2) && done.stderr.contains("the new key goes to a file"), "{}", done.stderr);
    }
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn a_backup_without_its_key_is_restored_with_the_key_of_its_time_only() {
    let world = World::unserved();
    fs::copy(world.path("home/secrets/key-encryption-key"), world.path("then")).unwrap();
    world.admit(&["admin", "backup", "backup", "--home", "home"]).succeeded();
    world.admit(&["admin", "rotate-key", "--home", "home"]).succeeded();
    let now = "home/secrets/key-encryption-key";
    let restore = |more: &[&str]| world.admit(&[&["admin", "restore", "backup", "again"], more].concat());
    let advice = "What to do: Name the key-encryption key of the backup's time with --key.";
    for (more, sentence) in
        [(&[][..], "the backup backup holds no key-encryption key. "), (&["--key", now], ", and not under this one. ")]
    {
        let refused = restore(more).refused("ADMIT_E_FILE");
        assert!(refused.contains(&format!("{sentence}{advice}")), "{refused}");
        assert!(!world.path("again").exists());
    }
    restore(&["--key", "then"]).succeeded();
}
