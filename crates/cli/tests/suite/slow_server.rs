//! A server that takes its time: while one process waits for it, others use the same client.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use crate::world::{Done, World};

/// Takes one request, and passes it on to the real server when it is told to.
struct Proxy {
    listener: TcpListener,
}

/// A request that nobody has answered yet.
struct Held {
    client: TcpStream,
    request: Vec<u8>,
}

impl Proxy {
    /// Puts itself in the place of the server for a client's realm.
    fn before(world: &World, client: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        fs::write(world.realm_folder(client).join("address"), address).unwrap();
        Self { listener }
    }

    fn hold(&self) -> Held {
        let mut client = self.listener.accept().unwrap().0;
        let request = read_message(&mut client).unwrap();
        Held { client, request }
    }
}

impl Held {
    fn answer(mut self, server: &str) {
        let mut server = TcpStream::connect(server).unwrap();
        server.write_all(&self.request).unwrap();
        self.client.write_all(&read_message(&mut server).unwrap()).unwrap();
    }
}

/// Head and body of a message with a Content-Length.
pub(crate) fn read_message(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut message, mut byte) = (Vec::new(), [0]);
    while !message.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        message.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&message).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok([message, body].concat())
}

fn spawn(world: &World, client: &str, words: &[&str]) -> Child {
    let mut command = world.command(words);
    command.env("ADMIT_CLIENT", world.path(client)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn done(child: Child) -> Done {
    Done::from(&child.wait_with_output().unwrap())
}

#[test]
fn while_one_process_waits_for_a_license_others_list_play_and_delete() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.package("next.mp4", "next", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm]).succeeded();
    let proxy = Proxy::before(&world, "client");
    let waiting = spawn(&world, "client", &["play", "next.mp4", "-o", "next-clear.mp4"]);
    let held = proxy.hold();
    let licenses = world.admit(&["license", "list", "--json"]).json();
    let [license] = &licenses["licenses"].as_array().unwrap()[..] else { panic!("{licenses}") };
    world.admit(&["play", "film.mp4", "-o", "two.mp4"]).succeeded();
    assert_eq!(fs::read(world.path("one.mp4")).unwrap(), fs::read(world.path("two.mp4")).unwrap());
    world.admit(&["license", "delete", license["license"].as_str().unwrap()]).succeeded();
    held.answer(world.address());
    done(waiting).succeeded();
    assert!(world.path("next-clear.mp4").exists());
    let licenses = world.admit(&["license", "list", "--json"]).json();
    let [next] = &licenses["licenses"].as_array().unwrap()[..] else { panic!("{licenses}") };
    assert_ne!(next["license"], license["license"], "what the others did is kept");
}

#[test]
fn of_two_processes_that_enrol_at_once_both_are_the_client_of_the_faster() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm]).succeeded();
    // A client that trusts the realm and has no store.
    let (known, new) = (world.realm_folder("client"), world.path("new").join(&realm));
    fs::create_dir_all(&new).unwrap();
    fs::copy(known.join("realm.cbor"), new.join("realm.cbor")).unwrap();
    let proxy = Proxy::before(&world, "new");
    let waiting = spawn(&world, "new", &["why", "play", "film.mp4"]);
    let held = proxy.hold();
    fs::copy(known.join("address"), new.join("address")).unwrap();
    let bound_to = |done: Done| done.json()["licenses"][0]["bound_to"].clone();
    // The test's own proxy is not there any more for this one.
    let faster = bound_to(world.admit_as("new", &["license", "acquire", "film.mp4", "--json"]));
    held.answer(world.address());
    done(waiting).succeeded();
    world.admit_as("new", &["play", "film.mp4", "-o", "two.mp4"]).succeeded();
    assert_eq!(bound_to(world.admit_as("new", &["license", "list", "--json"])), faster);
}

#[test]
fn a_server_that_closes_without_an_answer_is_told_and_leaves_the_client_usable() {
    let world = World::new();
    let realm = world.package("film.mp4", "film", &["--open"]);
    world.package("next.mp4", "next", &["--open"]);
    world.admit(&["play", "film.mp4", "-o", "one.mp4", "--trust", &realm]).succeeded();
    let proxy = Proxy::before(&world, "client");
    let waiting = spawn(&world, "client", &["play", "next.mp4", "-o", "no.mp4"]);
    drop(proxy.hold());
    drop(proxy);
    done(waiting).refused("ADMIT_E_NETWORK");
    assert!(!world.path("no.mp4").exists());
    world.admit(&["play", "film.mp4", "-o", "two.mp4"]).succeeded();
}
