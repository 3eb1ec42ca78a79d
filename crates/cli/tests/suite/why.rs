//! `admit why`: every license for the content, which one would be used first, and every reason with what to do.

use serde_json::Value;

use crate::world::World;

/// Four licenses at once: for one play in an outside player, one that is counted, one to keep, and one that does not play.
const FOUR: &str = "
let once = new_license(); once.rights = \"play\"; once.one_time = true;
let counted = new_license(); counted.rights = \"play\"; counted.play_count = 2;
let kept = new_license(); kept.rights = \"play\";
let burn = new_license(); burn.rights = \"burn-to-cd\"; burn.priority = 1;
[once, counted, kept, burn]
";

fn world() -> World {
    let world = World::with_policy(FOUR);
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["license", "acquire", "film.mp4", "--trust", &realm]).succeeded();
    world
}

#[test]
fn b09_why_tells_every_license_and_which_one_is_used_first() {
    let world = world();
    let why = world.admit(&["why", "play", "film.mp4", "--json"]).json();
    let licenses = why["licenses"].as_array().unwrap();
    let told = |member: &str| licenses.iter().map(|license| license[member].clone()).collect::<Vec<_>>();
    assert_eq!(told("allowed"), [false, true, true, true]);
    assert_eq!(told("used_first"), [false, true, false, false]);
    assert_eq!(told("precedence"), [Value::Null, "counts".into(), Value::Null, Value::Null]);
    let reasons = why["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1);
    assert_eq!((&reasons[0]["reason"], &reasons[0]["remedy"]), (&"NS_E_DRM_NO_RIGHTS".into(), &"acquire".into()));
    assert_eq!(reasons[0]["license"], licenses[0]["license"]);
    // And that is the one that playing takes.
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
    let shown = world.admit(&["license", "show", licenses[1]["license"].as_str().unwrap(), "--json"]).json();
    assert_eq!(shown["plays"], serde_json::json!({ "allowed": 2, "used": 1, "left": 1 }));
}

#[test]
fn b09_the_table_fits_a_terminal_and_names_each_license_apart() {
    let world = world();
    let table = world.admit(&["why", "play", "film.mp4"]).succeeded();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("Play is allowed."));
    assert_eq!(lines.next().unwrap().split("  ").filter(|word| !word.is_empty()).count(), 4);
    let rows = lines.take_while(|line| !line.is_empty());
    let names: Vec<&str> = rows.filter_map(|line| line.split(' ').next().filter(|word| !word.is_empty())).collect();
    let list = world.admit(&["license", "list", "--json"]).json();
    let ids: Vec<&str> =
        list["licenses"].as_array().unwrap().iter().map(|it| it["license"].as_str().unwrap()).collect();
    assert_eq!(names.len(), ids.len(), "{table}");
    for name in names {
        assert_eq!(ids.iter().filter(|id| id.starts_with(name)).count(), 1, "{name}: {table}");
    }
}

#[test]
fn b05_a_denial_has_every_reason_with_what_to_do() {
    let world = world();
    let done = world.admit(&["why", "save-stream", "film.mp4"]);
    assert_eq!(done.stdout.matches(" NS_E_DRM_NO_RIGHTS").count(), 4, "{}", done.stdout);
    assert_eq!(done.stdout.matches("not by itself").count(), 4, "{}", done.stdout);
    assert!(done.stdout.contains("\n\nReason"), "{}", done.stdout);
    done.refused("NS_E_DRM_NO_RIGHTS");
}

/// Two rentals, of which each runs for an hour from its first use, one after the other.
#[test]
fn b09_while_one_rental_runs_no_second_one_begins() {
    let world = World::with_policy("license.rights = \"play\"; license.expiry_after_first_use_hours = 1;");
    let realm = world.package("film.mp4", "film", &["--open"]);
    for _ in 0..2 {
        world.admit(&["license", "acquire", "film.mp4", "--trust", &realm]).succeeded();
    }
    let begun = || {
        let list = world.admit(&["license", "list", "--json"]).json();
        let licenses = list["licenses"].as_array().unwrap().iter();
        licenses.map(|license| !license["first_used_at"].is_null()).collect::<Vec<_>>()
    };
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
    let first = begun();
    assert_eq!(first.iter().filter(|begun| **begun).count(), 1, "{first:?}");
    // A third one comes with an id of its own, which may be smaller than the others'.
    world.admit(&["license", "acquire", "film.mp4"]).succeeded();
    let why = world.admit(&["why", "play", "film.mp4", "--json"]).json();
    assert_eq!(why["licenses"][0]["precedence"], "other_not_begun");
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
    assert_eq!(begun().iter().filter(|begun| **begun).count(), 1);
}

#[test]
fn b09_a_license_that_is_used_up_says_so_and_goes_with_the_next_one() {
    let world = World::with_policy("license.rights = \"play\"; license.play_count = 1;");
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let list = world.admit(&["license", "list"]).succeeded();
    assert!(list.contains(", 0 of 1 plays left, used up  ("), "{list}");
    let old = world.admit(&["license", "list", "--json"]).json()["licenses"][0].clone();
    assert_eq!((&old["dead"], &old["plays"]["left"]), (&"used_up".into(), &0.into()));
    let id = old["license"].as_str().unwrap();
    assert!(world.admit(&["license", "show", id]).succeeded().contains("\nover: used up\n"));
    world.admit(&["why", "play", "film.mp4"]).refused("ADMIT_E_COUNT_USED_UP");
    world.admit(&["license", "acquire", "film.mp4"]).succeeded();
    let list = world.admit(&["license", "list", "--json"]).json();
    let licenses = list["licenses"].as_array().unwrap();
    assert_eq!((licenses.len(), &licenses[0]["dead"]), (1, &Value::Null));
    assert_ne!(licenses[0]["license"], old["license"]);
}
