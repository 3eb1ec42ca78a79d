//! Rows E02, E04, E05 and E09 from outside: what a client does with its clock at every use, what it tells of it, and what it does by
//! itself about a license or a certificate that the clock makes useless.

use std::fs;
use std::path::{Path, PathBuf};

use admit_crypto::record::{open, seal};
use admit_crypto::{Digest, RecordKey, aws_lc};
use admit_license::{HeldLicense, RollbackAction, Usage};
use admit_protocol::realm::Realm;
use admit_testkit::SeededEntropy;
use admit_time::Timestamp;
use admit_trust::DateCheck;
use minicbor::{Decoder, Encoder};
use rusqlite::Connection;
use serde_json::Value;

use crate::clock::{PLAY, for_days, played, world};
use crate::clock_machine::{DAY, HOUR, Limits, Machine, Serving, wall_secs};
use crate::world::{Done, World};

/// A client that knows the time, with a film that may be played, and saved, for ever.
fn played_for_ever() -> World {
    let (world, serving) = played(Limits::default());
    drop(serving);
    world
}

/// How many seconds since the signed time a restart finds, where the wall clock is held back as far as that is not noticed.
pub(crate) fn kept(world: &World) -> u64 {
    let clock = Machine::rebooted(2, -60).clock(world);
    assert_eq!(clock["state"], "estimated", "{clock}");
    clock["since_signed_secs"].as_u64().unwrap()
}

/// How many seconds it is since the signed time, as soon as a restart would lose two of them.
pub(crate) fn later_than_kept(world: &World) -> u64 {
    let kept = kept(world);
    loop {
        let now = Machine::REAL.clock(world)["since_signed_secs"].as_u64().unwrap();
        if now >= kept + 2 {
            return now;
        }
    }
}

#[test]
fn e04_every_use_keeps_the_clock_also_where_nothing_is_limited_in_time_and_where_it_fails() {
    let world = played_for_ever();
    let uses: [(&[&str], bool); 5] = [
        (PLAY, true),
        (&["play", "film.mp4", "--player", "cat"], true),
        (&["play", "film.mp4", "--player", "false"], false),
        (&["save", "film.mp4", "-o", "saved.mp4"], false),
        (&["why", "play", "film.mp4"], true),
    ];
    for (words, succeeds) in uses {
        let before = later_than_kept(&world);
        let done = world.admit(words);
        assert_eq!(done.code == Some(0), succeeds, "{words:?}: {}", done.stderr);
        let kept = kept(&world);
        assert!(kept >= before, "{words:?}: {kept} and not {before}");
    }
}

#[test]
fn e04_a_store_that_cannot_be_written_does_not_fail_a_play_of_what_has_no_limits_in_time() {
    let world = played_for_ever();
    let before = later_than_kept(&world);
    let store = Connection::open(world.realm_folder("client").join("store.db")).unwrap();
    store.execute_batch("CREATE TRIGGER refuse BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    let done = world.admit(PLAY);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    store.execute_batch("DROP TRIGGER refuse").unwrap();
    assert!(kept(&world) < before, "nothing was kept");
    world.admit(PLAY).succeeded();
    assert!(kept(&world) >= before, "the next use keeps it");
}

#[test]
fn e04_what_the_clock_noticed_is_told_once_and_shown_without_being_kept() {
    let world = played_for_ever();
    let back = Machine::wall(-5 * DAY);
    for _ in 0..2 {
        let noticed = back.clock(&world)["noticed"].clone();
        assert_is_step(noticed[0].as_str().unwrap(), "back", 5 * DAY);
        let text = back.admit(&world, &["clock", "show"]).succeeded();
        assert!(text.contains("\n  noticed     the wall clock was set back by 43"), "{text}");
    }
    let told = back.admit(&world, PLAY);
    let (warnings, rest) = told.warnings();
    assert_eq!((told.code, warnings.len(), rest.as_str()), (Some(0), 1, ""));
    assert!(warnings[0].starts_with("warning: clock of "), "{warnings:?}");
    assert_is_step(warnings[0], "back", 5 * DAY);
    assert_eq!(back.admit(&world, PLAY).stderr, "", "once");
    // Programs are not told on standard error, and neither is who takes the media from standard output.
    for words in [&["--json", "why", "play", "film.mp4"][..], &["play", "film.mp4", "-o", "-"]] {
        for wall in [5 * DAY, -5 * DAY] {
            assert_eq!(Machine::wall(wall).admit(&world, words).stderr, "", "{words:?}");
        }
    }
    let forward = Machine::wall(5 * DAY).admit(&world, &["why", "play", "film.mp4"]);
    assert_is_step(forward.warnings().0[0], "forward", 10 * DAY);
    assert_eq!(Machine::rebooted(2, 5 * DAY).admit(&world, PLAY).stderr, "", "machines are restarted");
    let rolled_back = Machine::rebooted(2, -HOUR).admit(&world, PLAY);
    assert!(rolled_back.stderr.contains(": the wall clock shows 20"), "{}", rolled_back.stderr);
}

/// The wall clock was set so far, give or take the second that the clocks are read apart.
fn assert_is_step(told: &str, direction: &str, secs: i64) {
    let amounts: Vec<_> = (-1..=1).map(|off| format!("was set {direction} by {} s", secs + off)).collect();
    assert!(amounts.iter().any(|amount| told.ends_with(amount)), "{told} and not {amounts:?}");
}

#[test]
fn a_realm_whose_clock_says_nothing_does_not_keep_the_others_from_theirs() {
    let (worlds, realms): (Vec<_>, Vec<_>) = [world(true), world(true)].into_iter().unzip();
    let client = worlds[0].path("client");
    let admit = |world: &World, words: &[&str]| {
        Done::from(&world.command(words).env("ADMIT_CLIENT", &client).output().unwrap())
    };
    let mut servers = Vec::new();
    for (world, realm) in worlds.iter().zip(&realms) {
        servers.push(Serving::start(world, Limits::default()));
        admit(world, &["play", "film.mp4", "-o", "first.mp4", "--trust", realm]).succeeded();
    }
    let mut folders: Vec<PathBuf> = fs::read_dir(&client).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let (first, second) = (name(&folders[0]), name(&folders[1]));
    fs::rename(folders[0].join("store.key"), folders[0].join("gone")).unwrap();
    for command in ["show", "sync"] {
        let done = admit(&worlds[0], &["clock", command, "--json"]);
        assert_eq!(done.code, Some(1));
        let failure: Value = serde_json::from_str(&done.stderr).unwrap();
        let clocks: Value = serde_json::from_str(&done.stdout).unwrap();
        let clocks = &clocks["clocks"];
        assert_eq!(
            (&clocks[0]["fingerprint"], &clocks[1]["fingerprint"]),
            (&first.clone().into(), &second.clone().into())
        );
        assert_eq!((&clocks[0]["error"], &clocks[0]["error"]), (&"ADMIT_E_STORE_TAMPERED".into(), &failure["error"]));
        assert_eq!((&clocks[1]["state"], &clocks[1]["error"]), (&"trusted".into(), &Value::Null));
        let done = admit(&worlds[0], &["clock", command]);
        assert!(done.stdout.contains("  failed      ADMIT_E_STORE_TAMPERED"), "{}", done.stdout);
        assert!(done.stdout.contains("  state       trusted"), "{}", done.stdout);
        done.refused("ADMIT_E_STORE_TAMPERED");
    }
}

#[test]
fn e02_when_the_clock_was_set_back_none_and_disable_are_unusable_and_delete_is_deleted() {
    let (world, realm) = world(true);
    let actions = [RollbackAction::None, RollbackAction::Disable, RollbackAction::Delete];
    let files = ["none.mp4", "disable.mp4", "delete.mp4"];
    for (action, file) in actions.into_iter().zip(files) {
        world.package(file, file, &["--open"]);
        let serving = Serving::start(&world, Limits { rollback_action: Some(action), ..for_days(3) });
        world.admit(&["license", "acquire", file, "--trust", &realm]).succeeded();
        drop(serving);
    }
    let said = |name: &str| -> Vec<_> {
        let licenses = world.admit(&["license", "list", "--json"]).json()["licenses"].clone();
        licenses.as_array().unwrap().iter().map(|license| license[name].as_str().unwrap().to_owned()).collect()
    };
    let mut texts = said("rollback_action");
    texts.sort();
    let unusable = "unusable until a signed time comes";
    assert_eq!(texts, [&format!("deleted, or {unusable}"), unusable, unusable]);
    let back = Machine::rebooted(2, -HOUR);
    for (file, code) in
        files.into_iter().zip(["ADMIT_E_CLOCK_ROLLED_BACK", "ADMIT_E_CLOCK_ROLLED_BACK", "NS_E_LICENSE_REQUIRED"])
    {
        back.admit(&world, &["why", "play", file]).refused(code);
    }
    assert_eq!(said("rollback_action"), [unusable, unusable]);
}

#[test]
fn e09_a_license_from_before_the_clock_is_acquired_again_by_itself_and_plays() {
    let (world, serving) = played(for_days(3));
    let license = |world: &World| world.admit(&["license", "list", "--json"]).json()["licenses"].clone();
    let before = license(&world);
    forget_clock(&world);
    let clock = Machine::REAL.clock(&world);
    assert_eq!((&clock["state"], license(&world)[0]["stored_at"].is_null()), (&"unset".into(), true), "{clock}");
    world.admit(&["why", "play", "film.mp4"]).refused("DRM_E_LICENSESERVERTIME_MUST_REACQUIRE_LICENSE");
    world.admit(PLAY).succeeded();
    assert_eq!(Machine::REAL.clock(&world)["state"], "trusted");
    let after = license(&world);
    assert_eq!(after.as_array().unwrap().len(), 1, "the old one went");
    assert_ne!(after[0]["license"], before[0]["license"]);
    assert!(after[0]["stored_at"].is_string());
    drop(serving);
    world.admit(PLAY).succeeded();
}

/// Makes of a client's store what a program left that knew no clock: no record of one, and a license that does not say when it was
/// stored. The store is sealed, so this is done with its key.
fn forget_clock(world: &World) {
    let folder = world.realm_folder("client");
    let realm = Digest::from_hex(folder.file_name().unwrap().to_str().unwrap()).unwrap();
    let key = RecordKey::from_slice(&fs::read(folder.join("store.key")).unwrap()).unwrap();
    let store = Connection::open(folder.join("store.db")).unwrap();
    let provider = &aws_lc::PROVIDER;
    let sealed = |at: &[u8]| -> Vec<u8> {
        store.query_row("SELECT value FROM record WHERE key = ?1", [at], |row| row.get(0)).unwrap()
    };
    let read = |at: &[u8]| {
        let context = [&[3][..], realm.as_bytes(), at];
        open(provider, &key, &context, &sealed(at)[1..]).unwrap()
    };
    // Says the digest of what was sealed.
    let write = |at: &[u8], plaintext: &[u8]| {
        let context = [&[3][..], realm.as_bytes(), at];
        let sealed = [&[3][..], &seal(provider, &key, &context, plaintext, &mut SeededEntropy::new(1))].concat();
        store.execute("UPDATE record SET value = ?2 WHERE key = ?1", (at, &sealed)).unwrap();
        (provider.sha256)(&[&sealed])
    };
    let mut licenses = Vec::new();
    let mut entries = Vec::new();
    let leaf = read(b"n");
    let mut decoder = Decoder::new(leaf.bytes());
    assert_eq!((decoder.array().unwrap(), decoder.u32().unwrap(), decoder.array().unwrap()), (Some(2), 0, Some(1)));
    for _ in 0..decoder.array().unwrap().unwrap() {
        assert_eq!(decoder.array().unwrap(), Some(2));
        entries.push((decoder.bytes().unwrap().to_vec(), decoder.bytes().unwrap().to_vec()));
    }
    let root = (provider.sha256)(&[&sealed(b"n")]);
    for clock in [b"c0", b"c1"] {
        store.execute("DELETE FROM record WHERE key = ?1", [clock]).unwrap();
    }
    entries.retain(|(at, _)| !at.starts_with(b"c"));
    for (at, digest) in entries.iter_mut().filter(|(at, _)| at.starts_with(b"k")) {
        let mut held = HeldLicense::restore_all(realm, &read(at)).unwrap();
        held.iter_mut().for_each(|held| held.usage = Usage::default());
        *digest = write(at, &HeldLicense::record(&held)).as_bytes().to_vec();
        licenses.extend(held);
    }
    assert_eq!(licenses.len(), 1);
    let mut leaf = Encoder::new(Vec::new());
    leaf.array(2).unwrap().u32(0).unwrap().array(1).unwrap().array(entries.len() as u64).unwrap();
    for (at, digest) in &entries {
        leaf.array(2).unwrap().bytes(at).unwrap().bytes(digest).unwrap();
    }
    let new_root = write(b"n", &leaf.into_writer());
    let position = read(b"p").bytes().to_vec();
    let place = position.windows(32).position(|bytes| bytes == root.as_bytes()).unwrap();
    let position = [&position[..place], new_root.as_bytes(), &position[place + 32..]].concat();
    write(b"p", &position);
}

#[test]
fn e05_a_time_certificate_that_has_ended_sets_no_clock_that_knows_the_time_and_any_other() {
    let (world, realm) = world(true);
    let path = world.path("home/admit.toml");
    let settings = fs::read_to_string(&path).unwrap();
    fs::write(path, settings.replace("\nlargest_error_secs = 2\n", "\nlargest_error_secs = 2\nradius_secs = 30\n"))
        .unwrap();
    let serving = Serving::start(&world, Limits::default());
    world.admit(&["play", "film.mp4", "-o", "first.mp4", "--trust", &realm]).succeeded();
    let end = first_end(&world);
    let until_end = |secs: i64| end - i64::try_from(wall_secs()).unwrap() - secs;
    // So near the end that it may have passed.
    serving.set_ahead(until_end(20));
    let sync: &[&str] = &["clock", "sync"];
    world.admit(sync).succeeded();
    let known = Machine::REAL.clock(&world);
    serving.set_ahead(0);
    let refused = world.admit(sync).refused("ADMIT_E_BAD_SIGNATURE");
    assert!(refused.contains("expired"), "{refused}");
    assert_eq!(Machine::REAL.clock(&world)["signed"], known["signed"]);
    // Behind a restart it is not known how late it is, and there is no other way to know it.
    let restarted = Machine::rebooted(2, 0);
    assert_eq!(restarted.clock(&world)["state"], "estimated");
    serving.set_ahead(until_end(45));
    restarted.admit(&world, sync).succeeded();
    assert_eq!(restarted.clock(&world)["state"], "trusted");
    // Renewed certificates are fetched by itself.
    drop(serving);
    Machine::wall(350 * DAY).admit(&world, &["admin", "renew", "--home", "home"]).succeeded();
    let serving = Serving::start(&world, Limits::default());
    serving.set_ahead(until_end(-60));
    restarted.admit(&world, sync).succeeded();
    let signed = restarted.clock(&world)["signed"].as_str().unwrap().to_owned();
    assert!(signed > Timestamp::from_unix_secs(end.unsigned_abs()).to_string(), "{signed}");
}

/// When the first of the realm's time certificates ends, as a client knows it.
fn first_end(world: &World) -> i64 {
    let folder = world.realm_folder("client");
    let fingerprint = Digest::from_hex(folder.file_name().unwrap().to_str().unwrap()).unwrap();
    let realm = Realm::verify(&aws_lc::PROVIDER, &fs::read(folder.join("realm.cbor")).unwrap(), fingerprint).unwrap();
    let services = realm.time_services(&aws_lc::PROVIDER, DateCheck::NotExpiredBefore(Timestamp::default())).unwrap();
    let ends = services.iter().map(|service| service.certificate.not_after().unix_secs());
    ends.min().unwrap().cast_signed()
}
