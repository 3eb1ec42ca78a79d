//! `admit revoke`: what a client gets before and after, and who is told what.

use serde_json::Value;

use crate::world::World;

/// The client that the newest entry of this kind names.
fn named(world: &World, event: &str) -> Value {
    let audit = world.admit(&["audit", "--home", "home", "--json"]).json();
    let entries = audit["entries"].as_array().unwrap();
    entries.iter().rfind(|entry| entry["event"] == event).unwrap().clone()
}

#[test]
fn a_revoked_client_gets_nothing_from_a_running_server_and_others_do() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.package("other.mp4", "other", &["--open"]);
    let acquire = |client: &str, file: &str| world.admit_as(client, &["license", "acquire", file, "--trust", &realm]);
    acquire("good", "film.mp4").succeeded();
    acquire("bad", "film.mp4").succeeded();
    let client = named(&world, "licenses-issued")["subject"].as_str().unwrap().to_owned();
    let revoke = |more: &[&str]| world.admit(&[&["revoke", &client, "--home", "home"], more].concat());

    let revoked = revoke(&["--reason", "copied", "--json"]).json();
    assert_eq!((&revoked["revoked"], &revoked["again"]), (&client.clone().into(), &false.into()));
    acquire("bad", "other.mp4").refused("DRM_E_DEVCERT_REVOKED");
    acquire("good", "other.mp4").succeeded();
    let entry = named(&world, "client-revoked");
    assert_eq!((&entry["subject"], &entry["detail"]["reason"]), (&client.clone().into(), &"copied".into()));

    let again = revoke(&["--reason", "for another reason", "--json"]).json();
    assert_eq!((&again["at"], &again["again"]), (&revoked["at"], &true.into()));
    assert!(revoke(&[]).succeeded().contains("was revoked already, on 20"));
    assert_eq!(named(&world, "client-revoked"), entry, "there is one entry");
}

#[test]
fn who_is_no_client_is_refused_and_nothing_is_recorded() {
    let world = World::unserved();
    let before = world.events();
    let unknown = "00".repeat(32);
    let line = world.admit(&["revoke", &unknown, "--home", "home"]).refused("ADMIT_E_CLIENT_CERTIFICATE_UNKNOWN");
    assert!(line.contains(&unknown) && line.contains("admit audit"), "{line}");
    assert_eq!(world.admit(&["revoke", "film", "--home", "home"]).code, Some(2));
    let long = "x".repeat(257);
    for reason in ["a\nb", &long] {
        let done = world.admit(&["revoke", &unknown, "--reason", reason, "--home", "home"]);
        assert_eq!(done.code, Some(2), "{}", done.stderr);
        assert!(done.stderr.starts_with("ADMIT_E_USAGE (0x") && done.stderr.contains("256 bytes"), "{}", done.stderr);
    }
    assert_eq!(world.events(), before);
}
