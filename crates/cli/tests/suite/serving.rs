//! `admit serve` as a process: TLS, its log, and a reader of the log that hangs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::world::{Done, World};

#[test]
fn the_log_is_json_with_the_requests_id_and_without_secrets() {
    let world = World::unserved();
    configure(&world, "[log]\nformat = \"json\"\nlevel = \"debug\"\n");
    let log = fs::File::create(world.path("log")).unwrap();
    let mut server = Server::start(&world, &[], Stdio::from(log));
    let mut connection = server.connect();
    let secret = "canary-0123456789abcdef";
    let headers = format!("authorization: Bearer {secret}\r\nx-request-id: {secret}\r\n");
    let answer = exchange(&mut connection, "PUT", &format!("/v1/keys/{secret}?{secret}"), &headers);
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    server.stop();
    let log = fs::read_to_string(world.path("log")).unwrap();
    assert!(!log.contains(secret), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_request: Vec<_> = lines.iter().filter(|line| line["span"]["id"] == id).collect();
    let [refused, answered] = of_request.as_slice() else { panic!("{log}") };
    assert_eq!(refused["message"], "request refused");
    assert!(refused["code"].as_str().unwrap().starts_with("ADMIT_E_OPERATOR_TOKEN (0x"), "{log}");
    assert_eq!((&answered["message"], &answered["status"]), (&"answered".into(), &401.into()));
    assert_eq!(answered["span"]["route"], "/v1/keys/{key_id}");
    assert_eq!(answered["code"], "ADMIT_E_OPERATOR_TOKEN");
    assert!(answered["micros"].as_u64().unwrap() > 0);
}

#[test]
fn a_reader_of_the_log_that_hangs_holds_up_no_request() {
    let world = World::unserved();
    configure(&world, "");
    // Nobody reads the pipe: it is full after some hundred lines.
    let mut server = Server::start(&world, &[], Stdio::piped());
    let mut connection = server.connect();
    for _ in 0..100 {
        connection.get_mut().write_all(REQUEST.repeat(100).as_bytes()).unwrap();
        for _ in 0..100 {
            assert!(read_answer(&mut connection).starts_with("HTTP/1.1 404"));
        }
    }
    let metrics = exchange(&mut server.connect(), "GET", "/metrics", "");
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("admit_log_lines_dropped_total "));
    assert!(dropped.unwrap().parse::<u64>().unwrap() > 0, "{metrics}");
    // Whoever reads on is told.
    let mut log = BufReader::new(server.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("lines of the log were dropped") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0);
    }
    server.stop();
}

#[test]
fn an_address_that_is_taken_is_named_with_its_setting() {
    let world = World::unserved();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = world.admit(&["serve", "--home", "home", "--listen", &address]).refused("ADMIT_E_SERVER");
    assert!(told.contains(&format!("cannot listen on {address}: ")) && told.contains("with --listen,"), "{told}");
    configure(&world, &format!("[metrics]\nlisten = {address:?}\n"));
    let told = world.admit(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]).refused("ADMIT_E_SERVER");
    assert!(told.contains(&format!("cannot listen on {address}: ")) && told.contains("[metrics]"), "{told}");
}

#[test]
fn off_this_machine_it_speaks_tls_or_nothing() {
    let world = World::unserved();
    let refused = world.admit(&["serve", "--home", "home", "--listen", "0.0.0.0:0"]);
    refused.refused("ADMIT_E_PLAIN_HTTP_REFUSED");
    configure(&world, "[metrics]\nlisten = \"0.0.0.0:0\"\n");
    world.admit(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]).refused("ADMIT_E_PLAIN_HTTP_REFUSED");
    configure(&world, "");
    certificate(&world, "first");
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let log = fs::File::create(world.path("log")).unwrap();
    let mut server = Server::start(&world, &tls, Stdio::from(log));
    assert_eq!(server.scheme, "https");
    assert!(subject(&server.address).contains("first"));
    certificate(&world, "second");
    server.signal("HUP");
    // The log says when it has been read.
    while !fs::read_to_string(world.path("log")).unwrap().contains("new TLS certificate") {
        std::thread::yield_now();
    }
    assert!(subject(&server.address).contains("second"));
    fs::write(world.path("key.pem"), "broken").unwrap();
    server.signal("HUP");
    while !fs::read_to_string(world.path("log")).unwrap().contains("stays the old one") {
        std::thread::yield_now();
    }
    assert!(subject(&server.address).contains("second"));
    server.stop();
}

#[test]
fn a_client_believes_a_servers_certificate_that_its_authorities_vouch_for_and_no_other() {
    let world = World::unserved();
    configure(&world, "");
    certificate(&world, "own");
    let mut server = Server::start(&world, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"], Stdio::null());
    let url = format!("https://{}/film.mp4", server.address);
    let play = |authorities: Option<&str>| {
        let mut command = world.command(&["play", &url, "-o", "clear.mp4"]);
        match authorities {
            Some(file) => command.env("SSL_CERT_FILE", world.path(file)),
            None => command.env_remove("SSL_CERT_FILE"),
        };
        Done::from(&command.output().unwrap()).refused("ADMIT_E_NETWORK")
    };
    for authorities in [None, Some("missing.pem"), Some("key.pem")] {
        let line = play(authorities);
        assert!(line.contains("certificate"), "{line}");
    }
    let line = play(Some("cert.pem"));
    assert!(line.contains("answered with HTTP status 404"), "{line}");
    server.stop();
}

/// A served home, with what the process prints.
pub(crate) struct Server {
    child: Child,
    scheme: String,
    address: String,
}

impl Server {
    pub(crate) fn start(world: &World, more: &[&str], stderr: Stdio) -> Self {
        let words = [&["serve", "--home", "home", "--listen", "127.0.0.1:0"], more].concat();
        Self::of(world.command(&words), stderr)
    }

    /// A command that serves.
    pub(crate) fn of(mut command: Command, stderr: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (scheme, address) = line.trim().strip_prefix("listening on ").unwrap().split_once("://").unwrap();
        Self { child, scheme: scheme.to_owned(), address: address.to_owned() }
    }

    pub(crate) fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(TcpStream::connect(&self.address).unwrap())
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a stop there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn configure(world: &World, settings: &str) {
    fs::write(world.path("home/admit.toml"), settings).unwrap();
}

/// Makes `cert.pem` for 127.0.0.1, which nobody vouches for but itself, and `key.pem`.
pub(crate) fn certificate(world: &World, name: &str) {
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 30 \
                 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 -subj";
    let mut command = Command::new("openssl");
    let command = command.args(words.split(' ')).arg(format!("/CN={name}"));
    let status = command.current_dir(world.path("")).stderr(Stdio::null()).status();
    assert!(status.unwrap().success());
}

/// Whose certificate is shown at an address.
fn subject(address: &str) -> String {
    let mut command = Command::new("openssl");
    let output = command.args(["s_client", "-connect", address]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn exchange(connection: &mut BufReader<TcpStream>, method: &str, path: &str, headers: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n{headers}\r\n");
    connection.get_mut().write_all(request.as_bytes()).unwrap();
    read_answer(connection)
}

/// One answer, its head and its body.
pub(crate) fn read_answer(connection: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(connection.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    connection.read_exact(&mut body).unwrap();
    head + String::from_utf8(body).unwrap().as_str()
}

pub(crate) const REQUEST: &str = "GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n";
