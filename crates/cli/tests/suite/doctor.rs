//! `admit doctor` on homes that are well and on homes that are not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::world::World;

/// Verdict and finding of the checks of a name.
pub(crate) fn found(document: &Value, name: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = document["checks"].as_array().unwrap().iter();
    let found = checks.filter(|check| check["check"] == name);
    found.map(|check| (text(&check["verdict"]), text(&check["finding"]))).collect()
}

pub(crate) fn doctor(world: &World) -> Value {
    let done = world.admit(&["doctor", "--home", "home", "--json"]);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", done.stdout, done.stderr))
}

#[test]
fn a_home_that_is_well_and_served_passes() {
    let world = World::new();
    let document = doctor(&world);
    for name in ["settings", "secrets", "database", "audit record", "disk", "public address", "signed time"] {
        let checks = found(&document, name);
        assert!(!checks.is_empty() && checks.iter().all(|(verdict, _)| verdict == "good"), "{name}: {checks:?}");
    }
    let certificates = found(&document, "certificates");
    assert_eq!(certificates.iter().filter(|(verdict, _)| verdict == "good").count(), 7, "{certificates:?}");
    // Whether clock and memory are well is the machine's.
    for name in ["clock", "memory"] {
        assert_eq!(found(&document, name).len(), 1);
    }
}

#[test]
fn without_a_home_only_that_is_told() {
    let world = World::unserved();
    for absent in ["absent", "."] {
        let done = world.admit(&["doctor", "--home", absent]);
        assert_eq!(done.stdout, "");
        let told = done.refused("ADMIT_E_NO_HOME");
        assert!(told.contains(&format!("): {absent} is no home: there is no admit.toml.")), "{told}");
        assert!(told.contains("What to do: Make one with `admit init`"), "{told}");
    }
}

#[test]
fn each_fault_is_found_and_the_command_fails() {
    let mut world = World::new();
    world.stop_server();
    let secret = world.path("home/secrets/key-encryption-key");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let document = doctor(&world);
    let (verdict, finding) = found(&document, "secrets").remove(0);
    assert!(verdict == "failing" && finding.contains("key-encryption-key (mode 0644)"), "{finding}");
    assert_eq!(found(&document, "database")[0].0, "failing");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();

    let document = doctor(&world);
    assert_eq!(found(&document, "database")[0].0, "good");
    assert_eq!(found(&document, "public address")[0].0, "failing");
    let done = world.admit(&["doctor", "--home", "home"]);
    assert!(done.stdout.lines().any(|line| line.starts_with("failing  public address")), "{}", done.stdout);
    done.refused("ADMIT_E_CONFIGURATION");

    let settings = world.path("home/admit.toml");
    fs::write(&settings, "lisen = 1\n[enrolment]\nburst = 0\n").unwrap();
    let document = doctor(&world);
    let (verdict, finding) = found(&document, "settings").remove(0);
    assert!(verdict == "failing" && finding.contains("line 1") && finding.contains("line 3"), "{finding}");
    assert!(found(&document, "database").is_empty());

    fs::write(&settings, "[time]\nlargest_error_secs = 3\nradius_secs = 3\n").unwrap();
    let (verdict, finding) = found(&doctor(&world), "signed time").remove(0);
    assert!(verdict == "failing" && finding.contains("time.radius_secs"), "{finding}");

    fs::write(&settings, "").unwrap();
    let damaged = fs::read(world.path("home/admit.db")).unwrap();
    let wanted = b"home-made";
    let at = damaged.windows(wanted.len()).rposition(|bytes| bytes == wanted).unwrap();
    let changed = [&damaged[..at], b"home-mace".as_slice(), &damaged[at + wanted.len()..]].concat();
    fs::write(world.path("home/admit.db"), changed).unwrap();
    let (verdict, finding) = found(&doctor(&world), "audit record").remove(0);
    assert!(verdict == "failing" && finding.starts_with("entry 1: "), "{finding}");
}
