//! Rows E01 to E11 from outside: licenses with limits in time on a machine whose owner sets the clocks.

use admit_license::RollbackAction;
use admit_testkit::SoftTpm;
use admit_time::Timestamp;

use crate::clock_machine::{DAY, HOUR, Limits, Machine, Serving, wall_secs};
use crate::world::{Done, World};

/// A home that signs the time, or does not, with a film in it; and the realm.
pub(crate) fn world(signs_time: bool) -> (World, String) {
    let world = World::unserved();
    if !signs_time {
        let path = world.path("home/admit.toml");
        let settings = std::fs::read_to_string(&path).unwrap();
        let stated = "\nlargest_error_secs = 2\n";
        assert!(settings.contains(stated), "{settings}");
        std::fs::write(path, settings.replace(stated, "\n")).unwrap();
    }
    let realm = world.package("film.mp4", "film", &["--open"]);
    (world, realm)
}

pub(crate) fn for_days(days: i64) -> Limits {
    Limits { expiry_after: Some(days * DAY), ..Limits::default() }
}

/// A client that has played the film once, with a license of this kind.
pub(crate) fn played(limits: Limits) -> (World, Serving) {
    let (world, realm) = world(true);
    let serving = Serving::start(&world, limits);
    world.admit(&["play", "film.mp4", "-o", "first.mp4", "--trust", &realm]).succeeded();
    (world, serving)
}

pub(crate) const PLAY: &[&str] = &["play", "film.mp4", "-o", "clear.mp4"];

#[test]
fn e06_a_license_with_an_end_is_acquired_with_the_time_and_plays() {
    let (world, serving) = played(for_days(3));
    drop(serving);
    world.admit(PLAY).succeeded();
    let clock = Machine::REAL.clock(&world);
    assert_eq!((clock["state"].as_str(), clock["source"].as_str()), (Some("trusted"), Some("license server")));
    let text = world.admit(&["clock", "show"]).succeeded();
    assert!(text.contains("state       trusted: it has been followed"), "{text}");
    assert!(text.contains(" by a license server"), "{text}");
}

#[test]
fn e02_setting_the_wall_clock_while_the_machine_runs_has_no_effect() {
    let (world, serving) = played(for_days(3));
    drop(serving);
    let before = Machine::REAL.clock(&world);
    for wall in [-20 * DAY, 20 * DAY] {
        let machine = Machine::wall(wall);
        machine.admit(&world, PLAY).succeeded();
        let clock = machine.clock(&world);
        assert_eq!((&clock["state"], &clock["signed"]), (&before["state"], &before["signed"]));
        // The interval has moved by what the test took, and by nothing else.
        let after = Machine::REAL.clock(&world);
        let earliest = |clock: &serde_json::Value| clock["earliest"].as_str().unwrap().to_owned();
        // In the order of time, as RFC 3339 writes it.
        assert!((earliest(&before)..=earliest(&after)).contains(&earliest(&clock)), "{before} {clock} {after}");
    }
}

#[test]
fn e02_a_license_ends_by_the_signed_time_and_not_by_the_wall_clock() {
    let (world, serving) = played(for_days(3));
    serving.set_ahead(4 * DAY);
    world.admit(&["clock", "sync"]).succeeded();
    drop(serving);
    world.admit(&["why", "play", "film.mp4"]).refused("NS_E_DRM_LICENSE_EXPIRED");
    Machine::wall(-5 * DAY).admit(&world, &["why", "play", "film.mp4"]).refused("NS_E_DRM_LICENSE_EXPIRED");
}

#[test]
fn e02_a_license_begins_by_the_signed_time_and_why_says_when() {
    let (world, realm) = world(true);
    let serving = Serving::start(&world, Limits { begin_after: Some(HOUR), ..Limits::default() });
    world.admit(&["license", "acquire", "film.mp4", "--trust", &realm]).succeeded();
    let why = world.admit(&["why", "play", "film.mp4"]);
    assert!(column(&why.stdout, 60).starts_with("Usable when from 20"), "{}", why.stdout);
    why.refused("NS_E_DRM_LICENSE_NOTENABLED");
    Machine::wall(2 * HOUR).admit(&world, &["why", "play", "film.mp4"]).refused("NS_E_DRM_LICENSE_NOTENABLED");
    // What the wall clock was set to while time was trusted is known by now, and is taken off.
    let offline = Machine::rebooted(2, 4 * HOUR);
    let why = offline.admit(&world, &["why", "play", "film.mp4"]);
    let usable = "as soon as the clock has a signed time";
    assert_eq!(column(&why.stdout, 60), format!("Usable when {usable}"), "{}", why.stdout);
    why.refused("DRM_E_SECURETIME_CLOCK_NOT_SET");
    serving.set_ahead(2 * HOUR);
    offline.admit(&world, &["clock", "sync"]).succeeded();
    drop(serving);
    offline.admit(&world, PLAY).succeeded();
}

/// A table's words from this character of its lines on, as one line.
fn column(table: &str, at: usize) -> String {
    let lines = table.lines().skip(1).take_while(|line| !line.is_empty());
    let parts = lines.filter_map(|line| line.get(at..));
    parts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn e02_behind_a_restart_time_is_estimated_by_the_wall_clock_and_ends_licenses() {
    let (world, serving) = played(for_days(3));
    drop(serving);
    let machine = Machine::rebooted(2, DAY);
    assert_eq!(machine.clock(&world)["state"], "estimated");
    machine.admit(&world, PLAY).succeeded();
    let later = Machine::rebooted(2, 4 * DAY);
    later.admit(&world, &["why", "play", "film.mp4"]).refused("NS_E_DRM_LICENSE_EXPIRED");
}

#[test]
fn e02_a_wall_clock_set_back_behind_a_restart_disables_until_a_signed_time() {
    let (world, serving) = played(for_days(3));
    drop(serving);
    Machine::rebooted(2, DAY).admit(&world, PLAY).succeeded();
    let back = Machine::rebooted(2, -HOUR);
    back.admit(&world, &["why", "play", "film.mp4"]).refused("ADMIT_E_CLOCK_ROLLED_BACK");
    let clock = back.clock(&world);
    assert_eq!((clock["state"].as_str(), clock["faults"].as_u64()), (Some("rolled back"), Some(1)));
    let right = Machine::rebooted(2, DAY);
    right.admit(&world, &["why", "play", "film.mp4"]).refused("ADMIT_E_CLOCK_ROLLED_BACK");
    assert_eq!(world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len(), 1);
    let serving = Serving::start(&world, for_days(3));
    right.admit(&world, &["clock", "sync"]).succeeded();
    drop(serving);
    right.admit(&world, PLAY).succeeded();
}

#[test]
fn e02_an_empty_battery_disables_and_deletes_nothing() {
    let limits = Limits { rollback_action: Some(RollbackAction::Delete), ..for_days(3) };
    let licenses =
        |world: &World| world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len();
    let (world, serving) = played(limits);
    serving.set_ahead(DAY);
    world.admit(&["clock", "sync"]).succeeded();
    drop(serving);
    let empty = Machine::rebooted(2, -3650 * DAY);
    empty.admit(&world, &["why", "play", "film.mp4"]).refused("DRM_E_SECURETIME_CLOCK_NOT_SET");
    assert_eq!((licenses(&world), empty.clock(&world)["faults"].as_u64()), (1, Some(0)));
}

#[test]
fn e08_a_clock_that_is_stale_is_set_by_itself_and_the_film_plays() {
    let (world, serving) = played(for_days(300));
    drop(serving);
    let month = Machine::rebooted(2, 40 * DAY);
    month.admit(&world, &["why", "play", "film.mp4"]).refused("DRM_E_SECURETIME_CLOCK_NOT_SET");
    month.admit(&world, PLAY).refused("ADMIT_E_NETWORK");
    let serving = Serving::start(&world, for_days(300));
    serving.set_ahead(40 * DAY);
    month.admit(&world, PLAY).succeeded();
    assert_eq!(month.clock(&world)["state"], "trusted");
    let issued = world.events().into_iter().filter(|event| event == "licenses-issued").count();
    assert_eq!(issued, 1, "the time alone was acquired");
}

#[test]
fn e11_without_a_time_from_anywhere_no_license_with_an_end_is_stored_and_the_user_is_told_why() {
    let (world, realm) = world(false);
    let serving = Serving::start(&world, for_days(3));
    let refused = world.admit(&["play", "film.mp4", "-o", "no.mp4", "--trust", &realm]).refused("DRM_E_CLK_NOT_SET");
    assert!(refused.contains("neither the license server nor a clock service gave the time"), "{refused}");
    assert_eq!(world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len(), 0);
    world.admit(&["clock", "sync"]).refused("ADMIT_E_TIME_UNAVAILABLE");
    assert_eq!(Machine::REAL.clock(&world)["state"], "unset");
    drop(serving);
}

#[test]
fn a_long_jump_is_believed_from_two_time_keys_of_the_realm() {
    let (world, serving) = played(for_days(300));
    serving.set_ahead(100 * DAY);
    let clock = world.admit(&["clock", "sync", "--json"]).json()["clocks"][0].clone();
    assert_eq!((clock["state"].as_str(), clock["source"].as_str()), (Some("trusted"), Some("clock service")));
    serving.set_ahead(0);
    world.admit(&["clock", "sync"]).refused("DRM_E_CLK_INVALID_DATE");
}

#[test]
fn e02_the_time_after_first_use_ends_by_the_signed_time_and_a_new_license_is_acquired() {
    let (world, realm) = world(true);
    let serving = Serving::start(&world, Limits { after_first_use: Some(HOUR.unsigned_abs()), ..Limits::default() });
    world.admit(&["play", "film.mp4", "-o", "first.mp4", "--trust", &realm]).succeeded();
    world.admit(PLAY).succeeded();
    let license = world.admit(&["license", "list", "--json"]).json()["licenses"][0].clone();
    let at = |secs: i64| Timestamp::from_unix_secs(secs.unsigned_abs()).to_string();
    let now = i64::try_from(wall_secs()).unwrap();
    // By the latest time that it can have been.
    let first_used = (now - 600..now + 60).find(|secs| license["first_used_at"] == at(*secs)).unwrap();
    assert_eq!(license["ends_at"], at(first_used + HOUR));
    let told = format!(", until {}", license["ends_at"].as_str().unwrap());
    assert!(world.admit(&["license", "list"]).succeeded().contains(&told), "{told}");
    serving.set_ahead(2 * HOUR);
    world.admit(&["clock", "sync"]).succeeded();
    world.admit(&["why", "play", "film.mp4"]).refused("NS_E_DRM_LICENSE_EXPIRED");
    // A new one is acquired by itself, and the one that ended goes.
    world.admit(PLAY).succeeded();
    let licenses = world.admit(&["license", "list", "--json"]).json()["licenses"].clone();
    assert_eq!(licenses.as_array().unwrap().len(), 1);
    assert_ne!(licenses[0]["license"], license["license"]);
}

#[test]
fn a_clock_command_before_any_realm_is_known_says_what_to_do() {
    let world = World::unserved();
    world.admit(&["clock", "show"]).refused("ADMIT_E_REALM_NOT_TRUSTED");
}

#[test]
fn e04_an_older_copy_of_the_store_is_noticed_by_a_counter_in_a_tpm() {
    let (world, serving) = played(for_days(3));
    let state = tempfile::tempdir().unwrap();
    let tpm = SoftTpm::start(state.path());
    let admit = |words: &[&str]| Done::from(&world.command(words).env("ADMIT_TPM", tpm.path()).output().unwrap());
    admit(&["clock", "sync"]).succeeded();
    copy(&world.path("client"), &world.path("older"));
    admit(&["clock", "sync"]).succeeded();
    admit(PLAY).succeeded();
    world.admit(PLAY).refused("ADMIT_E_FILE");
    std::fs::remove_dir_all(world.path("client")).unwrap();
    copy(&world.path("older"), &world.path("client"));
    assert_eq!(admit(&["clock", "show", "--json"]).json()["clocks"][0]["state"], "store rolled back");
    admit(&["why", "play", "film.mp4"]).refused("ADMIT_E_STORE_ROLLED_BACK");
    drop(serving);
}

#[test]
fn e04_a_realm_sets_what_its_clients_clocks_put_up_with() {
    let (world, serving) = played(for_days(9));
    drop(serving);
    let settings = world.path("home/admit.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, before.replace("[clock]\n", "[clock]\nmax_offline_secs = 86400\n")).unwrap();
    world.admit(&["admin", "renew", "--home", "home"]).succeeded();
    let two_days_later = Machine::rebooted(2, 2 * DAY);
    assert_eq!(two_days_later.clock(&world)["state"], "estimated", "it has not heard of that");
    let serving = Serving::start(&world, for_days(9));
    world.admit(&["clock", "sync"]).succeeded();
    drop(serving);
    assert_eq!(Machine::rebooted(3, 2 * DAY).clock(&world)["state"], "stale");
}

#[test]
fn an_older_copy_of_the_store_is_noticed_at_the_next_contact_with_the_server() {
    let (world, _serving) = played(for_days(3));
    for file in ["other.mp4", "third.mp4"] {
        world.package(file, file, &["--open"]);
    }
    copy(&world.path("client"), &world.path("older"));
    // The server sees where the store stands when it issues a license.
    world.admit(&["license", "acquire", "other.mp4"]).succeeded();
    world.admit(&["license", "acquire", "third.mp4"]).succeeded();
    std::fs::remove_dir_all(world.path("client")).unwrap();
    copy(&world.path("older"), &world.path("client"));
    world.admit(&["why", "play", "film.mp4"]).succeeded();
    world.admit(&["clock", "sync"]).refused("ADMIT_E_STORE_ROLLED_BACK");
    assert_eq!(world.admit(&["clock", "show", "--json"]).json()["clocks"][0]["state"], "store rolled back");
    world.admit(PLAY).refused("ADMIT_E_STORE_ROLLED_BACK");
    world.admit(&["license", "acquire", "other.mp4"]).refused("ADMIT_E_STORE_ROLLED_BACK");
}

#[test]
fn e04_a_tpm_that_was_not_counted_in_is_refused_and_changes_nothing() {
    let (world, serving) = played(for_days(3));
    let (state, other_state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (tpm, other) = (SoftTpm::start(state.path()), SoftTpm::start(other_state.path()));
    let admit = |tpm: &SoftTpm, words: &[&str]| {
        Done::from(&world.command(words).env("ADMIT_TPM", tpm.path()).output().unwrap())
    };
    for _ in 0..3 {
        admit(&tpm, &["clock", "sync"]).succeeded();
    }
    let line = admit(&other, PLAY).refused("ADMIT_E_FILE");
    assert!(line.contains("not the one that this client has counted in"), "{line}");
    admit(&tpm, PLAY).succeeded();
    drop(serving);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}
