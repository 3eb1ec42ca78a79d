//! `admit license recover` (row B14): a buyer who lost a client gets back what was issued, and nobody else does.

use std::fs;

use crate::world::World;

/// A film that alice has played on the client in the folder `client`.
fn sold(world: &World) -> String {
    let realm = world.package("film.mp4", "film", &[]);
    let words = ["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm, "--token", &world.token("film")];
    world.admit(&words).succeeded();
    realm
}

fn token_of(world: &World, subject: &str) -> String {
    let words = ["token", "--subject", subject, "--content", "nothing", "--home", "home"];
    world.admit(&words).succeeded().trim().to_owned()
}

#[test]
fn b14_a_lost_client_folder_is_replaced_and_the_film_plays_without_a_new_purchase() {
    let world = World::new();
    let realm = sold(&world);
    let before = world.admit(&["license", "list", "--json"]).json()["licenses"][0].clone();
    fs::remove_dir_all(world.path("client")).unwrap();
    let token = token_of(&world, "alice");
    world
        .admit(&["play", "film.mp4", "-o", "again.mp4", "--trust", &realm, "--token", &token])
        .refused("ADMIT_E_TOKEN_NOT_FOR_CONTENT");
    let recovered = world.admit(&["license", "recover", "film.mp4", "--token", &token, "--json"]).json();
    let license = &recovered["licenses"][0];
    assert_eq!((&license["license"], &license["rights"]), (&before["license"], &before["rights"]));
    assert_ne!(license["bound_to"], before["bound_to"], "the folder has new keys");
    world.admit(&["play", "film.mp4", "-o", "again.mp4"]).succeeded();
    assert_eq!(fs::read(world.path("again.mp4")).unwrap(), fs::read(world.path("clear.mp4")).unwrap());
    assert_eq!(world.events().last().unwrap(), "licenses-recovered");
    let again = world.admit(&["license", "recover", "--token", &token]).succeeded();
    assert_eq!(again.trim(), "no license is missing");
}

#[test]
fn b14_a_license_that_was_deleted_comes_back_to_its_client_without_a_token() {
    let world = World::new();
    sold(&world);
    let id = world.admit(&["license", "list", "--json"]).json()["licenses"][0]["license"].as_str().unwrap().to_owned();
    world.admit(&["license", "delete", &id]).succeeded();
    let text = world.admit(&["license", "recover"]).succeeded();
    assert!(text.starts_with(&format!("recovered license {id}\n")), "{text}");
    world.admit(&["play", "film.mp4", "-o", "again.mp4"]).succeeded();
}

#[test]
fn b14_another_buyer_and_a_license_that_forbids_it_get_nothing() {
    let world = World::with_policy("license.rights = \"play, no-recovery\";");
    let realm = sold(&world);
    let recover = |client: &str, subject: &str| {
        let token = token_of(&world, subject);
        world.admit_as(client, &["license", "recover", "film.mp4", "--trust", &realm, "--token", &token])
    };
    recover("other", "mallory").refused("ADMIT_E_NOTHING_TO_RECOVER");
    recover("new", "alice").refused("ADMIT_E_RECOVERY_FORBIDDEN");
    let kept = world.admit(&["license", "recover", "film.mp4"]).succeeded();
    assert_eq!(kept.trim(), "no license is missing");
    world.admit_as("fresh", &["license", "recover"]).refused("ADMIT_E_REALM_NOT_TRUSTED");
}
