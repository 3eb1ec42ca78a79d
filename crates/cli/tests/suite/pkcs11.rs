//! A home whose key-encryption key is under a key in a PKCS#11 token.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use admit_testkit::SoftHsm;

use crate::doctor::{doctor, found};
use crate::world::World;

const PIN: &str = "246813579";
const IN_TOKEN: [&str; 9] = [
    "--pkcs11-module",
    SoftHsm::MODULE,
    "--pkcs11-token",
    "admit",
    "--pkcs11-key",
    "first",
    "--pkcs11-pin-file",
    "pin",
    "--pkcs11-create-key",
];

fn prepare(folder: &Path) -> Option<(&'static str, PathBuf)> {
    let hsm = SoftHsm::new(folder);
    hsm.make_token("admit", PIN);
    fs::write(folder.join("pin"), format!("{PIN}\n")).unwrap();
    fs::set_permissions(folder.join("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    Some((SoftHsm::VARIABLE, hsm.configuration().to_owned()))
}

fn in_token() -> World {
    World::made_with(prepare, &IN_TOKEN)
}

impl World {
    fn settings(&self, from: &str, to: &str) {
        let path = self.path("home/admit.toml");
        let settings = fs::read_to_string(&path).unwrap();
        assert!(settings.contains(from), "{settings}");
        fs::write(&path, settings.replace(from, to)).unwrap();
    }

    fn lose_tokens(&self) {
        fs::rename(self.path("tokens"), self.path("away")).unwrap();
        fs::create_dir(self.path("tokens")).unwrap();
    }

    /// The files of the only token.
    fn token_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = fs::read_dir(self.path("tokens")).unwrap().next().unwrap().unwrap().path();
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    }

    fn key_file(&self) -> Vec<u8> {
        fs::read(self.path("home/secrets/key-encryption-key")).unwrap()
    }

    fn rotate(&self, more: &[&str]) {
        self.admit(&[&["admin", "rotate-key", "--home", "home"], more].concat()).succeeded();
    }
}

#[test]
fn a_home_is_made_under_a_new_key_of_the_token_and_licenses_do_not_wait_for_the_token() {
    let mut world = in_token();
    let settings = fs::read_to_string(world.path("home/admit.toml")).unwrap();
    assert!(settings.contains("pin_file = ") && !settings.contains(PIN), "{settings}");
    assert!(world.key_file().windows(5).any(|bytes| bytes == b"first"));
    world.start_server();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.lose_tokens();
    world.admit(&["play", "film.mp4", "-o", "out.mp4", "--trust", &realm]).succeeded();
    let refused = world.admit(&["audit", "--home", "home"]).refused("ADMIT_E_KEY_IN_TOKEN");
    assert!(refused.contains("no token labelled \"admit\""), "{refused}");
}

#[test]
fn keys_move_from_a_file_into_a_token_to_another_of_its_keys_and_back_while_a_server_runs() {
    let mut world = World::made_with(prepare, &[]);
    let realm = world.package("film.mp4", "film", &["--open"]);
    assert_eq!(world.key_file().len(), 32);
    let pin = world.path("pin");
    let module = SoftHsm::MODULE;
    let section = format!(
        "[pkcs11]\nmodule = \"{module}\"\ntoken = \"admit\"\nkey = \"first\"\npin_file = \"{}\"\n",
        pin.display()
    );
    world.settings("[pkcs11]\n", &section);
    world.start_server();
    let play = |client: &str| {
        let words = ["play", "film.mp4", "-o", "out.mp4", "--trust", &realm];
        world.admit_as(client, &words).succeeded();
    };
    play("before");
    world.rotate(&["--create-key"]);
    let first = world.key_file();
    assert!(first.windows(5).any(|bytes| bytes == b"first"));
    play("in the token");
    world.rotate(&[]);
    assert!(world.key_file() != first && world.key_file().windows(5).any(|bytes| bytes == b"first"));
    play("again");
    world.settings("key = \"first\"", "key = \"second\"");
    assert_eq!(found(&doctor(&world), "token")[0].0, "failing", "there is no such key yet");
    world.rotate(&["--create-key"]);
    assert!(world.key_file().windows(6).any(|bytes| bytes == b"second"));
    assert_eq!(found(&doctor(&world), "token")[0].0, "good");
    play("under the second");
    world.rotate(&["--to", "file"]);
    assert_eq!(world.key_file().len(), 32);
    assert_eq!(found(&doctor(&world), "token")[0].0, "warning");
    play("in a file");
    assert_eq!(world.events().iter().filter(|event| *event == "sealing-key-rotated").count(), 4);
}

/// Wherever the signal arrives, the home works and the next rotation ends where it is told to.
#[test]
fn a_killed_move_into_the_token_or_out_of_it_loses_nothing() {
    let world = in_token();
    let token: Vec<(PathBuf, Vec<u8>)> = world.token_files();
    let mut child = world.spawn(&["admin", "rotate-key", "--home", "home"]);
    for round in 0..10_u32 {
        child.kill().unwrap();
        child.wait().unwrap();
        // SoftHSM2 writes its token's files anew at a login, and loses them where that is cut off. Nothing in them changes.
        token.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
        world.package(&format!("film-{round}.mp4"), "film", &["--open"]);
        let to = if round % 2 == 0 { "file" } else { "pkcs11" };
        child = world.spawn(&["admin", "rotate-key", "--home", "home", "--to", to]);
        // Neither a sleep nor a clock: how far it comes is the machine's, and every answer has to hold.
        for _ in 0..round * round * 40 {
            assert!(fs::read_dir(world.path("home/secrets")).unwrap().count() > 0);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    token.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    for to in ["file", "pkcs11"] {
        let done = world.admit(&["admin", "rotate-key", "--home", "home", "--to", to, "--json"]).json();
        assert_eq!(done["custody"], to);
        world.package("film.mp4", "film", &["--open"]);
    }
    assert_eq!(found(&doctor(&world), "token")[0].0, "good");
}

#[test]
fn each_mistake_with_a_token_is_named_and_the_pin_is_never_told() {
    let world = in_token();
    fs::write(world.path("wrong"), "97531\n").unwrap();
    let (pin, wrong) = (world.path("pin"), world.path("wrong"));
    let (pin, wrong) = (format!("{:?}", pin.to_str().unwrap()), format!("{:?}", wrong.to_str().unwrap()));
    let module = format!("module = \"{}\"", SoftHsm::MODULE);
    let cases = [
        (module.as_str(), "module = \"/nowhere.so\"", "the module /nowhere.so does not load: "),
        (&module, "module = \"admit.db\"", "admit.db does not load: "),
        ("token = \"admit\"", "token = \"other\"", "has no token labelled \"other\"; it has \"admit\""),
        (&pin, &wrong, "the token \"admit\" refuses the PIN"),
        ("key = \"first\"", "key = \"third\"", "the token \"admit\" has no secret key labelled \"third\""),
    ];
    for (right, mistake, sentence) in cases {
        world.settings(right, mistake);
        let checks = found(&doctor(&world), "token");
        assert!(checks[0].0 == "failing" && checks[0].1.contains(sentence), "{mistake}: {checks:?}");
        let done = world.admit(&["admin", "rotate-key", "--home", "home"]);
        for told in [&done.stdout, &done.stderr, &format!("{checks:?}")] {
            assert!(!told.contains(PIN) && !told.contains("97531"), "{told}");
        }
        let refused = done.refused("ADMIT_E_KEY_IN_TOKEN");
        assert!(refused.contains(sentence), "{mistake}: {refused}");
        world.settings(mistake, right);
    }
    world.settings(&module, "# ");
    let refused = world.admit(&["audit", "--home", "home"]).refused("ADMIT_E_CONFIGURATION");
    assert!(refused.contains("`pkcs11.module`"), "{refused}");
    fs::write(world.path("home/admit.toml"), "").unwrap();
    let refused = world.admit(&["audit", "--home", "home"]).refused("ADMIT_E_KEY_IN_TOKEN");
    assert!(refused.contains("admit.toml has no [pkcs11]"), "{refused}");
}

#[test]
fn the_pin_can_come_from_the_environment_and_its_file_is_to_be_the_owners_alone() {
    let world = in_token();
    fs::set_permissions(world.path("pin"), fs::Permissions::from_mode(0o644)).unwrap();
    let (verdict, finding) = found(&doctor(&world), "secrets").remove(0);
    assert!(verdict == "failing" && finding.contains("pin (mode 0644)"), "{finding}");
    fs::write(world.path("pin"), "97531").unwrap();
    let with = |pin: &str| {
        let mut command = world.command(&["audit", "--home", "home"]);
        command.env("ADMIT_PKCS11__PIN", pin).output().unwrap().status.code()
    };
    assert_eq!((with(PIN), with("1")), (Some(0), Some(1)));
}

#[test]
fn a_backup_under_a_tokens_key_carries_the_key_file_and_opens_with_the_token_only() {
    let world = in_token();
    let said = world.admit(&["admin", "backup", "backup", "--home", "home"]).succeeded();
    assert!(said.contains("PKCS#11 token only"), "{said}");
    assert_eq!(fs::read(world.path("backup/secrets/key-encryption-key")).unwrap(), world.key_file());
    world.admit(&["admin", "restore", "backup", "again"]).succeeded();
    world.admit(&["token", "--subject", "a", "--content", "x", "--home", "again"]).succeeded();
    world.lose_tokens();
    world.admit(&["admin", "restore", "backup", "without"]).refused("ADMIT_E_KEY_IN_TOKEN");
    assert!(!world.path("without").exists());
}
