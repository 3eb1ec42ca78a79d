//! `admit admin token-key` and `admit token --uses` while the server runs.

use std::fs;

use crate::world::World;

#[test]
fn keys_are_rotated_imported_and_listed_and_a_token_is_used_up() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let keys = |words: &[&str]| world.admit(&[&["admin", "token-key"], words, &["--home", "home", "--json"]].concat());
    let first = keys(&["list"]).json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    let made = keys(&["add"]).json()["kid"].as_str().unwrap().to_owned();
    let retired = keys(&["retire", &first, "--verify-for", "0s"]).json();
    assert_eq!(retired["retired"], first);
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    fs::write(world.path("shop.pem"), pem).unwrap();
    fs::write(world.path("shop.secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    keys(&["add", "--public-key", "shop.pem", "--issuer", "https://shop.example"]).succeeded();
    keys(&["add", "--secret-file", "shop.secret", "--issuer", "https://shop.example", "--kid", "shared"]).succeeded();
    let again = ["add", "--secret-file", "shop.secret", "--issuer", "https://shop.example", "--kid", "shared"];
    let again = world.admit(&[&["admin", "token-key"], &again[..], &["--home", "home"]].concat());
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.ends_with("What to do: Give the key another name with --kid.\n"), "{}", again.stderr);
    for wrong in [&["add", "--issuer", "a"][..], &["add", "--secret-file", "shop.secret", "--issuer", "a"]] {
        assert_eq!(keys(wrong).code, Some(2));
    }
    let listed = keys(&["list"]).json();
    let listed = listed["keys"].as_array().unwrap();
    let algorithms: Vec<_> = ["ES256", "EdDSA", "HS256"]
        .map(|algorithm| listed.iter().filter(|key| key["algorithm"] == algorithm).count())
        .into();
    assert_eq!(algorithms, [2, 1, 1]);
    assert!(listed.iter().any(|key| key["kid"] == made.as_str() && key["verifies_until"].is_null()));

    let token = ["token", "--subject", "alice", "--content", "film", "--uses", "1", "--home", "home"];
    let token = world.admit(&token).succeeded().trim().to_owned();
    let play = ["play", "film.mp4", "-o", "clear.mp4", "--trust", &realm, "--token", &token];
    world.admit(&play).succeeded();
    world.admit_as("another", &play).refused("ADMIT_E_TOKEN_USED_UP");
}
