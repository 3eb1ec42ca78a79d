//! Packaging through a server with an operator token, as a studio's encoding machine does.

use crate::world::{World, clip};

fn server_of(world: &World) -> String {
    world.admit(&["inspect", "at-home.mp4", "--json"]).json()["header"]["license_address"]
        .as_str()
        .unwrap()
        .trim_end_matches("/v1/licenses")
        .to_owned()
}

#[test]
fn a_file_packaged_through_the_server_plays_like_one_packaged_at_home() {
    let world = World::new();
    let realm = world.package("at-home.mp4", "film", &["--open"]);
    let server = server_of(&world);
    let token = world.admit(&["admin", "token", "make", "encoder", "--home", "home"]).succeeded();
    std::fs::write(world.path("token"), &token).unwrap();
    let clip = clip();
    let words = ["package", clip.to_str().unwrap(), "-o", "remote.mp4", "--server", &server, "--token", "@token"];
    let more = ["--content-id", "film", "--open", "--json"];
    let document = world.admit(&[&words[..], &more].concat()).json();
    assert_eq!(document["content_id"], "film");
    assert_eq!(world.realm_of("remote.mp4"), realm);
    world.admit(&["play", "remote.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    world.admit(&["play", "at-home.mp4", "-o", "clear-home.mp4"]).succeeded();
    let read = |name: &str| std::fs::read(world.path(name)).unwrap();
    assert!(read("clear.mp4") == read("clear-home.mp4"), "the clear media differs");
}

#[test]
fn a_file_for_browsers_names_its_key_only_and_gets_no_license() {
    let world = World::new();
    world.package("at-home.mp4", "film", &["--open"]);
    let server = server_of(&world);
    let token = world.admit(&["admin", "token", "make", "encoder", "--home", "home"]).succeeded();
    let clip = clip();
    let words = ["package", clip.to_str().unwrap(), "--clearkey", "--open", "--json", "-o"];
    for (file, registry) in
        [("local.mp4", &["--home", "home"][..]), ("remote.mp4", &["--server", &server, "--token", token.trim()])]
    {
        let document = world.admit(&[&words[..], &[file], registry].concat()).json();
        assert_eq!(document["clearkey_address"], format!("{server}/v1/clearkey"));
        let inspected = world.admit(&["inspect", file, "--json"]).json();
        let systems = inspected["protection_systems"].as_array().unwrap();
        assert_eq!(systems.len(), 1, "{inspected}");
        assert_eq!(systems[0]["key_ids"][0], document["key_id"]);
        assert_eq!(world.admit(&["play", file, "-o", "clear.mp4"]).code, Some(1));
    }
    for more in [["--min-version", "2.4.0.1"], ["--min-app-level", "100"], ["--license-page", "https://shop.example"]] {
        assert_eq!(world.admit(&[&words[..], &["other.mp4", "--home", "home"], &more].concat()).code, Some(2));
    }
}

#[test]
fn a_license_page_that_no_player_could_open_is_wrong_usage() {
    let world = World::unserved();
    for wrong in ["shop.example", "ftp://shop.example/film", "https://", "https://shop.example/a page", ""] {
        let words = ["package", "clip.mp4", "-o", "film.mp4", "--home", "home", "--license-page", wrong];
        let done = world.admit(&words);
        assert_eq!(done.code, Some(2), "{wrong}");
        assert!(done.stderr.contains("expected an absolute http or https address"), "{}", done.stderr);
    }
}

#[test]
fn what_the_server_refuses_leaves_no_file() {
    let mut world = World::new();
    world.package("at-home.mp4", "film", &["--open"]);
    let server = server_of(&world);
    let clip = clip();
    let package = |world: &World, server: &str, token: &str, more: &[&str]| {
        let words = ["package", clip.to_str().unwrap(), "-o", "remote.mp4", "--server", server, "--token", token];
        world.admit(&[&words, more].concat())
    };
    package(&world, &server, "admit_operator_none", &[]).refused("ADMIT_E_OPERATOR_TOKEN");
    package(&world, &server, &world.token("film"), &[]).refused("ADMIT_E_OPERATOR_TOKEN");
    let token = world.admit(&["admin", "token", "make", "encoder", "--home", "home"]).succeeded();
    let key_id = world.admit(&["inspect", "at-home.mp4", "--json"]).json()["header"]["key_ids"][0].clone();
    let taken = ["--kid", key_id.as_str().unwrap(), "--key", "00112233445566778899aabbccddeeff"];
    package(&world, &server, token.trim(), &taken).refused("ADMIT_E_KEY_EXISTS");
    package(&world, "http://drm.example", token.trim(), &[]).refused("ADMIT_E_PLAIN_HTTP_REFUSED");
    assert_eq!(package(&world, "drm.example", token.trim(), &[]).code, Some(2));
    world.admit(&["admin", "token", "revoke", "encoder", "--home", "home"]).succeeded();
    package(&world, &server, token.trim(), &[]).refused("ADMIT_E_OPERATOR_TOKEN");
    assert_eq!(world.admit(&["admin", "token", "revoke", "encoder", "--home", "home"]).code, Some(2));
    let listed = world.admit(&["admin", "token", "list", "--home", "home", "--json"]).json();
    assert_eq!(listed["tokens"][0]["name"], "encoder");
    assert_eq!(listed["tokens"][0]["state"], "revoked");
    world.stop_server();
    package(&world, &server, token.trim(), &[]).refused("ADMIT_E_NETWORK");
    let without_token = ["package", clip.to_str().unwrap(), "-o", "remote.mp4", "--server", &server];
    assert_eq!(world.admit(&without_token).code, Some(2));
    let left = std::fs::read_dir(world.folder.path()).unwrap();
    let left: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("remote")), "{left:?}");
}

#[test]
fn a_home_whose_key_others_can_read_does_not_open() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let key = world.path("home/secrets/key-encryption-key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let line = world.admit(&["token", "--subject", "a", "--content", "b", "--home", "home"]).refused("ADMIT_E_FILE");
    assert!(line.contains("0640"), "{line}");
}

#[test]
fn the_server_dumps_no_core_and_locks_its_memory_where_it_may() {
    let world = World::new();
    let limits = world.of_server("limits");
    assert!(limits.lines().any(|line| line.starts_with("Max core file size        0 ")), "{limits}");
    let status = world.of_server("status");
    let locked: u64 = field(&status, "VmLck:").trim_end_matches(" kB").parse().unwrap();
    let unlimited = limits.lines().any(|line| line.starts_with("Max locked memory") && line.contains("unlimited"));
    let capabilities = u64::from_str_radix(field(&status, "CapEff:"), 16).unwrap();
    let may_lock = unlimited || capabilities & (1 << 14) != 0;
    assert_eq!(locked > 0, may_lock, "{status}{limits}");
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim()
}
