//! Clock services beside the license server (rows E05 and E11): the time without TLS for a client whose wall clock is wrong,
//! somebody else's Roughtime server, and `admit trust time`, which lists them.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use admit_testkit::Roughenough;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Parser as _;
use roughenough_client::args::Args;
use roughenough_client::sequence::MeasurementSequence;
use roughenough_client::server_list::{Server as Listed, ServerList};
use roughenough_client::{Client, ResponseValidator};
use serde_json::Value;

use crate::clock_machine::{DAY, Limits, Machine, Serving, wall_secs};
use crate::serving::{Server, certificate, configure, exchange};
use crate::world::{Done, World};

const YEARS: i64 = 5 * 365 * DAY;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn trust_time(world: &World, words: &[&str]) -> Value {
    world.admit(&[&["trust", "time"], words, &["--home", "home", "--json"]].concat()).json()
}

/// A home that is served with TLS, and with the time without it at this port; and the realm.
fn with_tls(port: u16) -> (World, String) {
    let world = World::made_with(|folder| Some(("SSL_CERT_FILE", folder.join("cert.pem"))), &[]);
    let time = format!("[time]\nlargest_error_secs = 2\nhttp = \"0.0.0.0:{port}\"\n");
    configure(&world, &format!("public_address = \"https://{}\"\n{time}", world.address()));
    certificate(&world, "own");
    let realm = world.package("film.mp4", "film", &["--open"]);
    (world, realm)
}

fn serve_with_tls(world: &World) -> Server {
    let words =
        ["serve", "--home", "home", "--listen", world.address(), "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    Server::of(world.command(&words), Stdio::null())
}

/// The address is not this machine's own by its form, so that it stands for any.
#[test]
fn e05_a_client_whose_wall_clock_is_years_off_sets_its_clock_where_there_is_no_tls() {
    let port = free_port();
    let (world, realm) = with_tls(port);
    // Asked last, and no reason to say anything else of the date.
    let key = hex::encode([9; 32]);
    trust_time(&world, &["add", "--address", "udp://127.0.0.1:1", "--key", &key, "--name", "nobody"]);
    let mut server = serve_with_tls(&world);
    world.admit(&["play", "film.mp4", "-o", "first.mp4", "--trust", &realm]).succeeded();
    let wrong = [Machine::rebooted(2, -YEARS), Machine::rebooted(3, YEARS)];
    for machine in wrong {
        let told = machine.admit(&world, &["clock", "sync"]).refused("ADMIT_E_NETWORK");
        assert!(told.contains("certificate") && told.contains("date and time may be wrong"), "{told}");
    }
    server.stop();
    let address = format!("http://0.0.0.0:{port}");
    let added = trust_time(&world, &["add", "--address", &address]);
    assert_eq!(added["added"].as_array().unwrap().len(), 2);
    let mut server = serve_with_tls(&world);
    world.admit(&["clock", "sync"]).succeeded();
    for machine in wrong {
        assert_ne!(machine.clock(&world)["state"], "trusted");
        machine.admit(&world, &["clock", "sync"]).succeeded();
        let clock = machine.clock(&world);
        assert_eq!((&clock["state"], &clock["source"]), (&"trusted".into(), &"clock service".into()));
        // All else still wants TLS, and the user is told what to look at.
        let told = machine.admit(&world, &["license", "acquire", "film.mp4"]).refused("ADMIT_E_NETWORK");
        assert!(told.contains("date and time may be wrong"), "{told}");
    }
    server.stop();
}

#[test]
fn e05_where_the_time_is_answered_without_tls_nothing_else_is() {
    let port = free_port();
    let (world, _) = with_tls(port);
    let mut server = serve_with_tls(&world);
    let connect = || std::io::BufReader::new(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    let mut connection = connect();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/metrics"),
        ("GET", "/.well-known/admit"),
        ("GET", "/openapi.json"),
        ("POST", "/v1/licenses"),
        ("POST", "/v1/time/"),
    ] {
        let answer = exchange(&mut connection, method, path, "");
        assert!(answer.starts_with("HTTP/1.1 404 "), "{method} {path}: {answer}");
    }
    assert!(exchange(&mut connection, "GET", "/v1/time", "").starts_with("HTTP/1.1 405 "));
    let answer = exchange(&mut connection, "POST", "/v1/time", "content-type: application/roughtime\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    server.stop();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "it stops with the server");
    let taken = TcpListener::bind(("0.0.0.0", port)).unwrap();
    let told = world.admit(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]).refused("ADMIT_E_SERVER");
    assert!(told.contains("http in [time] of admit.toml"), "{told}");
    drop(taken);
}

/// The license server's clock is nobody's word, and it signs no time.
#[test]
fn e11_somebody_elses_clock_lets_a_license_with_an_end_play_where_the_license_server_signs_no_time() {
    let world = World::unserved();
    configure(&world, &format!("public_address = \"http://{}\"\n", world.address()));
    let realm = world.package("film.mp4", "film", &["--open"]);
    let clock = Roughenough::start(7, None);
    let (address, key) = (format!("udp://{}", clock.address), hex::encode(clock.key));
    trust_time(&world, &["add", "--address", &address, "--key", &key, "--name", "roughenough"]);
    let limits = Limits { expiry_after: Some(3 * DAY), ..Limits::default() };
    let serving = Serving::start(&world, limits.clone());
    world.admit(&["play", "film.mp4", "-o", "first.mp4", "--trust", &realm]).succeeded();
    let shown = Machine::REAL.clock(&world);
    assert_eq!((&shown["state"], &shown["source"]), (&"trusted".into(), &"clock service".into()));
    let restarted = Machine::rebooted(2, 0);
    assert_eq!(restarted.clock(&world)["state"], "estimated");
    restarted.admit(&world, &["clock", "sync"]).succeeded();
    assert_eq!(restarted.clock(&world)["state"], "trusted");
    drop(serving);

    // Without it there is neither, and the user is told why.
    trust_time(&world, &["remove", "--address", &address]);
    let serving = Serving::start(&world, limits);
    let words = ["play", "film.mp4", "-o", "second.mp4", "--trust", &realm];
    world.admit_as("another", &words).refused("DRM_E_CLK_NOT_SET");
    drop(serving);
}

/// Nothing else is believed than what the listed key has signed, whoever answers there.
#[test]
fn e11_another_clock_at_the_address_sets_nothing() {
    let world = World::unserved();
    configure(&world, &format!("public_address = \"http://{}\"\n", world.address()));
    let realm = world.package("film.mp4", "film", &["--open"]);
    let (clock, other) = (Roughenough::start(7, None), Roughenough::start(8, None));
    let (address, key) = (format!("udp://{}", clock.address), hex::encode(other.key));
    trust_time(&world, &["add", "--address", &address, "--key", &key, "--name", "other"]);
    let serving = Serving::start(&world, Limits::default());
    world.admit(&["play", "film.mp4", "-o", "first.mp4", "--trust", &realm]).succeeded();
    world.admit(&["clock", "sync"]).refused("ADMIT_E_NETWORK");
    assert_eq!(Machine::REAL.clock(&world)["state"], "unset");
    drop(serving);
}

#[test]
fn e11_clock_services_are_listed_added_and_removed() {
    let world = World::unserved();
    let key = hex::encode([9; 32]);
    let first = trust_time(&world, &["list"]);
    let members: Vec<_> = first["services"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["address", "ends", "epoch", "key", "name", "own"]);
    trust_time(&world, &["add", "--address", "udp://time.example.org:5319", "--key", &key, "--name", "outside"]);
    let own = trust_time(&world, &["add", "--address", "http://drm.example.org:7449"]);
    assert_eq!(own["added"][1]["address"], "http://drm.example.org:7449/v1/time");
    let listed = trust_time(&world, &["list"]);
    let names: Vec<_> =
        listed["services"].as_array().unwrap().iter().map(|service| service["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["time-1", "time-2", "time-1", "time-2", "outside"]);
    let text = world.admit(&["trust", "time", "list", "--home", "home"]).succeeded();
    assert!(text.contains("outside  outside  udp://time.example.org:5319\n  key CQkJ"), "{text}");
    let doctor = world.admit(&["doctor", "--home", "home"]).stdout;
    assert!(doctor.contains("that of outside ends"), "{doctor}");
    let renewed = world.admit(&["admin", "renew", "--all", "--home", "home"]).succeeded();
    assert!(renewed.contains("the certificate of outside is new"), "{renewed}");
    let listed = trust_time(&world, &["list"]);
    assert!(listed["services"].as_array().unwrap().iter().all(|service| service["epoch"] == 2), "{listed}");

    let refused = |words: &[&str], told: &str| {
        let done = world.admit(&[&["trust", "time"], words, &["--home", "home"]].concat());
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""));
        assert!(done.stderr.starts_with("ADMIT_E_USAGE (") && done.stderr.contains(told), "{told}: {}", done.stderr);
    };
    refused(&["add", "--address", "drm.example.org"], "is not the address of a clock service");
    refused(&["add", "--address", "http://drm.example.org:7449/v1/time"], "lists time-1 at");
    refused(&["remove", "--address", "https://drm.example.org"], "lists no clock service at");
    refused(&["remove", "--address", "/v1/time"], "stay at /v1/time");
    let outside = ["add", "--address", "udp://other.example.org:1", "--key", &key, "--name"];
    refused(&[&outside[..], &["another"]].concat(), "lists this key as outside");
    refused(&[&outside[..], &["a b"]].concat(), "a clock service's name");
    let bad_key = ["add", "--address", "udp://other.example.org:1", "--key", "abc", "--name", "x"];
    assert_eq!(world.admit(&[&["trust", "time"], &bad_key[..]].concat()).code, Some(2));

    let removed = trust_time(&world, &["remove", "--address", "http://drm.example.org:7449"]);
    assert_eq!(removed["removed"].as_array().unwrap().len(), 2);
    trust_time(&world, &["remove", "--address", "udp://time.example.org:5319"]);
    let events = world.events();
    for (event, count) in [("clock-service-listed", 2), ("clock-service-unlisted", 2)] {
        assert_eq!(events.iter().filter(|found| *found == event).count(), count, "{event}");
    }
}

/// The third clock is one in this process, and `roughenough_client` is its library behind its own command line.
#[test]
fn e11_the_commands_of_the_page_about_three_clocks_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/operate/time.md")).unwrap();
    let script: String = page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(script.matches("\nroughenough_client ").count(), 2, "{script}");
    let folder = tempfile::tempdir().unwrap();
    let third = Roughenough::start(7, None);
    // The servers of the page are stopped when a step fails, too.
    let script = format!(
        "set -eu\ntrap 'kill $(cat server.pid) 2>/dev/null || true' EXIT\n\
         roughenough_client() {{ {AS_CLIENT}=\"$*\" \"$SUITE\" --ignored --exact --nocapture {CLIENT}; }}\n{script}"
    );
    let programs = Path::new(env!("CARGO_BIN_EXE_admit")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.path()).env("PATH", path).stdin(Stdio::null());
    command.env("SUITE", std::env::current_exe().unwrap()).env_remove("ADMIT_HOME");
    command.env("THIRD", third.address.to_string()).env("THIRD_KEY", BASE64_STANDARD.encode(third.key));
    let said = Done::from(&command.output().unwrap()).succeeded();
    for told in [
        "time-1  own  http://127.0.0.1:8483/v1/time\n",
        "second  outside  udp://127.0.0.1:15320\n",
        &format!("third  outside  udp://{}\n", third.address),
        "measured 1 times\n",
        "measured 6 times\n",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

/// What `roughenough_client` does with these words.
#[test]
#[ignore = "the page's commands run it"]
fn the_client_of_the_page() {
    let words = std::env::var(AS_CLIENT).unwrap();
    let args = Args::try_parse_from(std::iter::once("roughenough_client").chain(words.split(' '))).unwrap();
    let listed = |server: &Listed| {
        let address = server.first_udp_address().unwrap();
        Client::new(address.host(), address.port(), Some(server.public_key())).unwrap()
    };
    let clients = match (&args.hostname, &args.server_list) {
        (Some(host), None) => vec![Client::new(host, args.port.unwrap(), Some(args.pub_key.unwrap())).unwrap()],
        (None, Some(file)) => {
            let servers = ServerList::from_file(file).unwrap().choose_random(args.num_unique_servers).unwrap();
            servers.iter().map(listed).collect()
        }
        other => panic!("{other:?}"),
    };
    let rounds = if args.server_list.is_some() { args.num_measurement_rounds } else { args.num_requests };
    let measured = MeasurementSequence::new(clients).run(rounds).unwrap();
    assert!(measured.iter().all(|measurement| measurement.midpoint().abs_diff(wall_secs()) < 60), "{measured:?}");
    assert!(ResponseValidator::validate_causality(&measured).is_empty());
    println!("measured {} times", measured.len());
}

/// The words for the client, and the test that takes them.
const AS_CLIENT: &str = "ADMIT_ROUGHENOUGH_CLIENT";
const CLIENT: &str = "other_clocks::the_client_of_the_page";
