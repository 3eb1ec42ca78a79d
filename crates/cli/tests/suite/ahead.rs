//! Licenses that are acquired before the file is there (rows B01 to B03): with its signed header alone, or with no more than a key
//! id and the realm it belongs to.

use std::fs;

use admit_license::header::HeaderObject;

use crate::world::World;

/// The id of the key of a protected file, or of a header.
fn key_id(world: &World, file: &str) -> String {
    let document = world.admit(&["inspect", file, "--json"]).json();
    let ids = if document["type"] == "header" { &document["key_ids"] } else { &document["header"]["key_ids"] };
    ids[0].as_str().unwrap().to_owned()
}

fn server(world: &World) -> String {
    format!("http://{}", world.address())
}

fn object(world: &World, file: &str) -> HeaderObject {
    HeaderObject::from_bytes(&fs::read(world.path(file)).unwrap()).unwrap()
}

#[test]
fn b03_a_license_acquired_by_key_id_alone_plays_the_file_later_and_offline() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let (key, token, server) = (key_id(&world, "film.mp4"), world.token("film"), server(&world));
    // The file is elsewhere until the server is gone.
    let film = fs::read(world.path("film.mp4")).unwrap();
    fs::remove_file(world.path("film.mp4")).unwrap();
    let words = ["license", "acquire", "--kid", &key, "--token", &token];
    let line = world.admit(&words).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains("--server"), "{line}");
    let at_server = [&words[..], &["--server", &server]].concat();
    let line = world.admit(&at_server).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&format!("--trust {realm}")), "{line}");
    let other = "0".repeat(64);
    let line = world.admit(&[&at_server[..], &["--trust", &other]].concat()).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&format!("belongs to realm {realm} and not to {other}")), "{line}");
    assert!(!world.path("client").exists(), "nothing is kept of a realm that is not trusted");
    let acquired = world.admit(&[&at_server[..], &["--trust", &realm, "--json"]].concat()).json();
    assert_eq!(acquired["licenses"].as_array().unwrap().len(), 1);
    assert_eq!(acquired["licenses"][0]["key_id"], key.as_str());
    world.stop_server();
    fs::write(world.path("film.mp4"), film).unwrap();
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
}

#[test]
fn b03_key_ids_alone_are_looked_for_in_the_realm_that_the_client_knows() {
    let world = World::new();
    let realm = world.package("open.mp4", "open", &["--open"]);
    world.package("film.mp4", "film", &[]);
    world.package("song.mp4", "song", &[]);
    world.admit(&["play", "open.mp4", "-o", "clear.mp4", "--trust", &realm]).succeeded();
    let (film, song, token) = (key_id(&world, "film.mp4"), key_id(&world, "song.mp4"), world.token("*"));
    let words = ["license", "acquire", "--kid", &film, "--kid", &song, "--token", &token, "--json"];
    let acquired = world.admit(&words).json();
    let keys: Vec<_> = acquired["licenses"].as_array().unwrap().iter().map(|license| &license["key_id"]).collect();
    assert_eq!(keys, [&film, &song]);
    let unknown = "00000000-0000-4000-8000-000000000001";
    let line = world.admit(&["license", "acquire", "--kid", unknown]).refused("ADMIT_E_UNKNOWN_KEY_ID");
    assert!(line.contains(unknown), "{line}");
    let many: Vec<String> = (0..65).map(|n| format!("--kid={n:032x}")).collect();
    let many: Vec<&str> = ["license", "acquire"].into_iter().chain(many.iter().map(String::as_str)).collect();
    let refused = world.admit(&many);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("65 key ids were given, and at most 64"), "{}", refused.stderr);
    assert_eq!(world.admit(&["license", "list", "--json"]).json()["licenses"].as_array().unwrap().len(), 3);
    for wrong in
        [&["film.mp4", "--kid", &film][..], &["film.mp4", "--server", "http://127.0.0.1"], &["--kid", "x"], &[]]
    {
        assert_eq!(world.admit(&[&["license", "acquire"], wrong].concat()).code, Some(2), "{wrong:?}");
    }
    let nowhere = world.admit(&["license", "acquire", "--kid", &film, "--server", "nowhere"]);
    assert!(nowhere.code == Some(2) && nowhere.stderr.contains("nowhere is not the address of a server"));
}

#[test]
fn b03_who_knows_two_realms_says_whose_key_it_is() {
    let (mut world, other) = (World::new(), World::new());
    let realm = world.package("film.mp4", "film", &["--open"]);
    let other_realm = other.package("film.mp4", "film", &["--open"]);
    let (key, known) = (key_id(&world, "film.mp4"), server(&world));
    let acquire = |words: &[&str]| world.admit(&[&["license", "acquire", "--kid", &key], words].concat());
    let other_film = other.path("film.mp4");
    world.admit(&["play", other_film.to_str().unwrap(), "-o", "clear.mp4", "--trust", &other_realm]).succeeded();
    acquire(&[]).refused("ADMIT_E_UNKNOWN_KEY_ID");
    let line = acquire(&["--realm", &realm]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&format!("does not know realm {realm}")) && line.contains("--server"), "{line}");
    acquire(&["--server", &known, "--trust", &realm]).succeeded();
    let line = acquire(&[]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&realm) && line.contains(&other_realm) && line.contains("--realm"), "{line}");
    acquire(&["--realm", &other_realm]).refused("ADMIT_E_UNKNOWN_KEY_ID");
    acquire(&["--realm", &realm]).succeeded();
    // A server of a realm that is known needs no more trust, and is another's where another was meant.
    acquire(&["--server", &known]).succeeded();
    acquire(&["--server", &known, "--trust", &other_realm]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    let line = acquire(&["--realm", &realm, "--trust", &other_realm]).refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&other_realm), "{line}");
    // At another address, the user would believe that this one is asked.
    let elsewhere = known.replace("127.0.0.1", "localhost");
    let line = acquire(&["--server", &elsewhere]).refused("ADMIT_E_REALM_MISMATCH");
    assert!(line.contains(&format!("knows the realm of {elsewhere} at {known}")), "{line}");
    world.stop_server();
    world.admit(&["play", "film.mp4", "-o", "clear.mp4"]).succeeded();
}

#[test]
fn an_address_at_which_no_client_was_enrolled_gives_way_to_another() {
    let world = World::new();
    let realm = world.package("open.mp4", "open", &["--open"]);
    let (key, one) = (key_id(&world, "open.mp4"), server(&world));
    let two = one.replace("127.0.0.1", "localhost");
    let acquire =
        |server: &str| world.admit(&["license", "acquire", "--kid", &key, "--server", server, "--trust", &realm]);
    acquire(&two).succeeded();
    acquire(&one).refused("ADMIT_E_REALM_MISMATCH");
    // What there is when enrolment fails.
    let folder = world.realm_folder("client");
    ["store.db", "store.key"].iter().for_each(|file| fs::remove_file(folder.join(file)).unwrap());
    acquire(&one).succeeded();
    acquire(&two).refused("ADMIT_E_REALM_MISMATCH");
}

#[test]
fn b02_a_license_acquired_with_the_header_alone_plays_the_file_later_and_offline() {
    let mut world = World::new();
    let realm = world.package("film.mp4", "film", &[]);
    let text = world.admit(&["inspect", "film.mp4", "--header", "film.header"]).succeeded();
    let length = fs::metadata(world.path("film.header")).unwrap().len();
    assert!(text.ends_with(&format!("wrote film.header ({length} bytes)\n")), "{text}");
    let shown = world.admit(&["inspect", "film.header", "--json"]).json();
    let mut same = world.admit(&["inspect", "film.mp4", "--json"]).json()["header"].clone();
    same["type"] = "header".into();
    assert_eq!(shown, same);
    // As `POST /v1/headers` gives it.
    let hexadecimal = hex::encode(fs::read(world.path("film.header")).unwrap());
    let json = format!("{{\"realm\":\"{realm}\",\"header\":\"{hexadecimal}\"}}");
    fs::write(world.path("film.json"), json).unwrap();
    let token = world.token("film");
    for (client, file) in [("one", "film.header"), ("two", "film.json")] {
        let words = ["license", "acquire", file, "--token", &token];
        world.admit_as(client, &words).refused("ADMIT_E_REALM_NOT_TRUSTED");
        world.admit_as(client, &[&words[..], &["--trust", &realm]].concat()).succeeded();
        let line = world.admit_as(client, &["play", file, "-o", "no.mp4"]).refused("ADMIT_E_MEDIA_UNSUPPORTED");
        assert!(line.contains("holds a content header and no media"), "{line}");
    }
    world.admit_as("one", &["license", "recover", "film.header"]).succeeded();
    world.stop_server();
    for client in ["one", "two"] {
        world.admit_as(client, &["play", "film.mp4", "-o", &format!("{client}.mp4")]).succeeded();
    }
}

#[test]
fn b01_a_header_alone_must_be_signed_by_its_realm() {
    let (world, other) = (World::new(), World::new());
    let realm = world.package("film.mp4", "film", &["--open"]);
    let other_realm = other.package("film.mp4", "film", &["--open"]);
    for world in [&world, &other] {
        world.admit(&["inspect", "film.mp4", "--header", "film.header"]).succeeded();
    }
    let film = object(&world, "film.header");
    let unsigned = HeaderObject::new(&film.header().unwrap());
    let foreign = object(&other, "film.header").signature().unwrap().to_vec();
    fs::write(world.path("unsigned.header"), unsigned.to_bytes().unwrap()).unwrap();
    fs::write(world.path("foreign.header"), unsigned.with_signature(foreign).to_bytes().unwrap()).unwrap();
    let words = |file| ["license", "acquire", file, "--trust", &realm];
    let line = world.admit(&words("unsigned.header")).refused("ADMIT_E_HEADER_UNSIGNED");
    assert!(line.contains("unsigned.header is not signed"), "{line}");
    let line = world.admit(&words("foreign.header")).refused("ADMIT_E_HEADER_UNSIGNED");
    assert!(line.contains("the signature of the content header of foreign.header does not hold: "), "{line}");
    assert!(!world.path("client").exists(), "no realm is kept by anybody's word");
    let line = world.admit(&["license", "acquire", "film.header", "--trust", &other_realm]);
    let line = line.refused("ADMIT_E_REALM_NOT_TRUSTED");
    assert!(line.contains(&format!("belongs to realm {realm} and not to {other_realm}")), "{line}");
    world.admit(&words("film.header")).succeeded();
    // In a realm that is known a header that is alone is no more believed.
    world.admit(&words("unsigned.header")).refused("ADMIT_E_HEADER_UNSIGNED");
    world.admit(&words("foreign.header")).refused("ADMIT_E_HEADER_UNSIGNED");
}

#[test]
fn a_file_without_a_content_header_has_none_to_write() {
    let world = World::unserved();
    let line = world.admit(&["inspect", "home/root.pem", "--header", "out"]).refused("ADMIT_E_NOT_PROTECTED");
    assert!(line.contains("home/root.pem has no content header"), "{line}");
    world.package("film.mp4", "film", &[]);
    world.admit(&["inspect", "film.mp4", "--header", "film.mp4"]).refused("ADMIT_E_FILE");
    assert!(!world.path("out").exists());
    assert_eq!(key_id(&world, "film.mp4").len(), 36, "the film is as it was");
}
