//! `admit policy`: the page `docs/operate/policies.md` run as it stands, what the commands print, and how they end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::burning::licensing_at;
use crate::world::World;

#[test]
fn b06_the_commands_of_the_page_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/operate/policies.md")).unwrap();
    let script: String = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(script.matches("admit policy ").count() > 8, "the commands are there");
    let folder = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_admit")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("set -eu\n{script}")])
        .current_dir(folder.path())
        .env("PATH", path)
        .env_remove("ADMIT_HOME")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for told in [
        "rights: play, transfer-to-non-sdmi\napplication level at least: 100",
        "wrote song-played.mp4",
        "Transfer-to-non-sdmi is allowed.",
        "home/policy.toml holds",
        "the policy says: no rule fits, and the default gives sale",
        "why: the rule in line 5 does not fit: there is no claim plan\nwhy: offer rental: rights = {play}\n",
        "gives rental",
        "gives subscription",
        "expires after first use: 172800 s",
        "expires after first use: 172800 s\napplication level at least: 150",
        "  play, until 20",
        "wrote film-played.mp4",
        "wrote premiere.header (",
        "wrote premiere-played.mp4",
        "wrote ripped.mp4",
        "burn-to-cd, sdmi-validated, one-time",
        "wrote track-played.mp4",
        "Burn is allowed.",
        "Transfer-to-sdmi is allowed.",
        "home/policy.rhai holds",
        "expires: 2199-12-31T23:59:59Z",
        "license 1\nrights: play, no-recovery, burn-to-cd",
        "license 2\nrights: transfer-to-non-sdmi, one-time",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn b06_check_names_every_mistake_and_ends_with_1() {
    let world = World::unserved();
    fs::write(world.path("bad.rhai"), "license.days = 3;\nlet a = b;\n").unwrap();
    let line = world.admit(&["policy", "check", "bad.rhai"]).refused("ADMIT_E_POLICY_FAILED");
    assert!(line.contains("bad.rhai, line 2, column 9: "), "{line}");
    let compiles = "license.days = 3;\nif client.clock == \"none\" { license.days = 0; }\n";
    fs::write(world.path("bad.rhai"), compiles).unwrap();
    let line = world.admit(&["policy", "check", "bad.rhai"]).refused("ADMIT_E_POLICY_FAILED");
    assert!(line.contains("bad.rhai, line 2, column 37: days: "), "{line}");
    assert!(line.contains("asked for rights 5 without a token by a client of level 0 with no clock"), "{line}");
    fs::write(world.path("bad.toml"), "default = \"a\"\n[offer.b]\nkind = \"rental\"\ndays = 0\n").unwrap();
    let line = world.admit(&["policy", "check", "bad.toml"]).refused("ADMIT_E_POLICY_FAILED");
    for told in ["line 1, column 11: ", "a rental needs expiry_after_first_use_hours", "line 4, column 1: "] {
        assert!(line.contains(told), "{told}: {line}");
    }
    let done = world.admit(&["policy", "check", "home/admit.db"]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert_eq!(world.admit(&["policy", "check", "--home", "home", "--json"]).json()["holds"], true);
    let text = world.admit(&["policy", "check", "--home", "home"]).succeeded();
    assert_eq!(text, "home/policy.rhai holds\n", "what a new home has is in use");
    let shown = world.admit(&["policy", "show", "--home", "home"]).succeeded();
    assert_eq!(shown.trim(), fs::read_to_string(world.path("home/policy.rhai")).unwrap().trim());
}

#[test]
fn b06_test_shows_what_would_be_issued_and_why_not() {
    let world = World::unserved();
    let script = "if buyer.id == () { refuse(\"Buy it.\", \"https://shop.example.org\"); }\nprint(content.id);\n\
                  if client.clock != \"none\" { license.days = 2; }";
    fs::write(world.path("p.rhai"), script).unwrap();
    let words = ["policy", "test", "p.rhai", "--content", "song"];
    let shown = world.admit(&[&words[..], &["--json"]].concat()).json();
    assert_eq!((&shown["content"], &shown["said"][0]), (&"song".into(), &"song".into()));
    assert_eq!(shown["licenses"][0]["rights_bits"], 3);
    assert!(shown["licenses"][0]["expiry"].is_string() && shown["refusal"].is_null(), "{shown}");
    let without = world.admit(&[&words[..], &["--clock", "none", "--json"]].concat()).json();
    assert!(without["licenses"][0]["expiry"].is_null(), "{without}");
    let line = world.admit(&[&words[..], &["--no-token"]].concat()).refused("ADMIT_E_POLICY_REFUSED");
    assert!(line.contains("Buy it. (https://shop.example.org)"), "{line}");
    world.package("film.mp4", "film", &["--min-app-level", "777"]);
    let key =
        world.admit(&["inspect", "film.mp4", "--json"]).json()["header"]["key_ids"][0].as_str().unwrap().to_owned();
    let of_home = world.admit(&["policy", "test", "--home", "home", "--kid", &key, "--json"]).json();
    assert_eq!(
        (&of_home["content"], &of_home["licenses"][0]["minimum_application_level"]),
        (&"film".into(), &777.into())
    );
}

#[test]
fn b06_test_can_ask_as_every_client_that_a_script_can_see() {
    let world = World::unserved();
    let script = "if request.actions == [\"burn\", \"play\"] && request.rights == 13 && request.held == 2\n\
                  && request.clock_state == \"rolled-back\" && request.time_requested && application.sdk == \"older\"\n\
                  && application.version == \"1.2\" && client.features == [\"metering\"] { return; }\n\
                  refuse(\"It is another one.\");";
    fs::write(world.path("p.rhai"), script).unwrap();
    let words = ["policy", "test", "p.rhai", "--action", "burn", "--action", "play", "--held", "2"];
    let more = ["--clock-state", "rolled-back", "--time-requested", "--sdk", "older", "--app-version", "1.2"];
    let all = [&words[..], &more, &["--feature", "metering"]].concat();
    let shown = world.admit(&all).succeeded();
    assert!(shown.contains("why: license 1: rights = (requested {play, no-recovery, burn-to-cd} AND"), "{shown}");
    let document = world.admit(&[&all[..], &["--json"]].concat()).json();
    assert_eq!(document["why"][1], "license 1: beyond the default it sets nothing");
    world.admit(&all[..all.len() - 2]).refused("ADMIT_E_POLICY_REFUSED");
    fs::write(world.path("p.rhai"), "if client.features != [] { refuse(\"No.\"); }").unwrap();
    world.admit(&["policy", "test", "p.rhai", "--feature", "none"]).succeeded();
    world.admit(&["policy", "test", "p.rhai"]).refused("ADMIT_E_POLICY_REFUSED");
}

#[test]
fn b12_what_the_default_script_advises_plays_right_after_it_was_acquired() {
    let mut world = World::new();
    let usual = fs::read_to_string(world.path("home/policy.rhai")).unwrap();
    let realm = world.package("film.mp4", "film", &["--open"]);
    for (client, line) in [("days", "// license.days = 60;"), ("date", "// license.expiry = \"2099-12-31\";")] {
        assert!(usual.contains(line), "{usual}");
        world.stop_server();
        fs::write(world.path("home/policy.rhai"), usual.replace(line, &line[3..])).unwrap();
        world.start_server();
        let words = ["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm, "--client", client];
        world.admit(&words).succeeded();
        let list = world.admit(&["license", "list", "--client", client, "--json"]).json();
        assert!(list["licenses"][0]["expiry"].is_string(), "{list}");
    }
}

#[test]
fn b06_the_license_page_speaks_of_the_application_that_the_realm_has() {
    let script = "if application.level < 450 || application.version == () { refuse(\"Your player is too weak.\"); }";
    let world = licensing_at(&["--app-level", "450"], script);
    let realm = world.package("film.mp4", "film", &["--open"]);
    let key = world.admit(&["inspect", "film.mp4", "--json"]).json();
    let path = format!("/license?kid={}", key["header"]["key_ids"][0].as_str().unwrap());
    let page = String::from_utf8(world.get(&path)).unwrap();
    assert!(page.contains("Play it.") && !page.contains("too weak"), "{page}");
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
}

#[test]
fn b06_a_server_does_not_start_with_a_broken_policy_and_doctor_says_so() {
    let world = World::unserved();
    let doctor = || world.admit(&["doctor", "--home", "home"]).stdout;
    assert!(doctor().contains("good     policy"), "{}", doctor());
    fs::write(world.path("home/policy.rhai"), "license.days = ").unwrap();
    assert!(doctor().contains("failing  policy"), "{}", doctor());
    let line = world.admit(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]).refused("ADMIT_E_POLICY_FAILED");
    assert!(line.contains("policy.rhai, line 1"), "{line}");
    fs::write(world.path("home/policy.rhai"), "\n5").unwrap();
    assert!(doctor().contains("failing  policy"), "{}", doctor());
    let line = world.admit(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]).refused("ADMIT_E_POLICY_FAILED");
    assert!(line.contains("policy.rhai, line 2, column 1: the script ended with i64"), "{line}");
}

#[test]
fn a_tokens_claims_reach_the_policy() {
    let world = World::with_policy("if buyer.policy.get(\"plan\") != \"gold\" { refuse(\"Only for gold.\"); }");
    let realm = world.package("film.mp4", "film", &[]);
    let token = |claims: &[&str]| {
        let words = ["token", "--subject", "alice", "--content", "film", "--home", "home"];
        world.admit(&[&words, claims].concat()).succeeded().trim().to_owned()
    };
    let play = |token: &str| world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm, "--token", token]);
    let line = play(&token(&[])).refused("ADMIT_E_POLICY_REFUSED");
    assert!(line.contains("Only for gold."), "{line}");
    play(&token(&["--claim", "plan=gold"])).succeeded();
}

#[test]
fn a_backup_has_the_policy() {
    let world = World::unserved();
    let settings = fs::read_to_string(world.path("home/admit.toml")).unwrap();
    let settings = settings.replace("script = \"policy.rhai\"", "script = \"mine.rhai\"");
    fs::write(world.path("home/admit.toml"), settings).unwrap();
    fs::write(world.path("home/mine.rhai"), "license.days = 3;").unwrap();
    world.admit(&["admin", "backup", "backup", "--with-key", "--home", "home"]).succeeded();
    world.admit(&["admin", "restore", "backup", "again"]).succeeded();
    for file in ["mine.rhai", "policy.rhai"] {
        let text = |home: &str| fs::read_to_string(world.path(&format!("{home}/{file}"))).unwrap();
        assert_eq!(text("again"), text("home"), "{file}");
    }
}
