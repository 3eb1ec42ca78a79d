//! `admit trust hardware`: the certificate of a device's hardware, as openssl reads it.

use std::fs;
use std::process::Command;

use crate::world::World;

fn openssl(world: &World, words: &[&str]) -> String {
    let output = Command::new("openssl").args(words).current_dir(world.path(".")).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The public key of a device.
fn device_key(world: &World, name: &str, curve: &str) {
    let private = format!("{name}.private");
    openssl(
        world,
        &["genpkey", "-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{curve}"), "-out", &private],
    );
    openssl(world, &["pkey", "-in", &private, "-pubout", "-out", name]);
}

#[test]
fn e03_the_operator_vouches_for_a_devices_hardware() {
    let world = World::unserved();
    device_key(&world, "device.pem", "P-256");
    let vouch = |more: &[&str]| {
        let words = ["trust", "hardware", "--home", "home", "--name", "player 7", "-o", "hardware.pem"];
        world.admit(&[&words, more].concat())
    };
    assert_eq!(vouch(&["--key", "device.pem", "--json"]).json()["clock"], "secure");
    let text = openssl(&world, &["x509", "-in", "hardware.pem", "-noout", "-subject", "-pubkey"]);
    assert!(
        text.contains("player 7") && text.contains(&fs::read_to_string(world.path("device.pem")).unwrap()),
        "{text}"
    );
    openssl(&world, &["verify", "-partial_chain", "-CAfile", "home/root.pem", "hardware.pem"]);
    let inspected = world.admit(&["inspect", "hardware.pem"]).succeeded();
    assert!(inspected.contains("hardware"), "{inspected}");
    assert!(world.events().contains(&"hardware-vouched".to_owned()));

    // What is there is not replaced, and nothing is left of what fails.
    let before = fs::read(world.path("hardware.pem")).unwrap();
    vouch(&["--key", "device.pem"]).refused("ADMIT_E_FILE");
    assert_eq!(fs::read(world.path("hardware.pem")).unwrap(), before);
    fs::remove_file(world.path("hardware.pem")).unwrap();
    device_key(&world, "other.pem", "P-384");
    for key in ["other.pem", "home/root.pem", "device.pem.private", "not-there.pem"] {
        vouch(&["--key", key]).refused("ADMIT_E_FILE");
        assert!(!world.path("hardware.pem").exists(), "{key}");
    }
    let words = ["trust", "hardware", "--home", "home", "--name", "", "--key", "device.pem", "-o", "hardware.pem"];
    assert_ne!(world.admit(&words).code, Some(0));
    assert!(!world.path("hardware.pem").exists());
}
