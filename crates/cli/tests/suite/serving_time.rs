//! `admit serve` as a clock: any program may ask it over UDP or HTTP, and one whose address is taken says so.

use std::net::UdpSocket;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admit_crypto::rustcrypto::PROVIDER;
use admit_protocol::realm::{REALM_PATH, Realm, claimed_fingerprint};
use admit_time::roughtime::{SignedTime, request_packet, verify};
use admit_trust::DateCheck;

use crate::serving::{Server, configure};
use crate::world::World;

fn with_udp(address: &str) -> String {
    format!("[time]\nlargest_error_secs = 1\nudp = {address:?}\n")
}

/// The long-term keys in a realm document.
fn keys(document: &[u8]) -> Vec<[u8; 32]> {
    let realm = Realm::verify(&PROVIDER, document, claimed_fingerprint(&PROVIDER, document).unwrap()).unwrap();
    let services = realm.time_services(&PROVIDER, DateCheck::NotExpiredBefore(Default::default())).unwrap();
    services.iter().map(|service| service.certificate.time_key().public_key).collect()
}

fn ask(server: &str, key: &[u8; 32]) -> SignedTime {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let packet = request_packet(&PROVIDER, &[1; 32], key);
    socket.send_to(&packet, server).unwrap();
    let mut answer = [0; 2048];
    let (length, _) = socket.recv_from(&mut answer).unwrap();
    verify(&PROVIDER, key, &packet, &answer[..length]).unwrap()
}

#[test]
fn e05_a_server_answers_over_udp_with_this_machines_time() {
    let mut world = World::unserved();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    configure(&world, &with_udp(&udp));
    world.start_server();
    let keys = keys(&world.get(REALM_PATH));
    assert_eq!(keys.len(), 2);
    for key in &keys {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let time = ask(&udp, key);
        let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(time.radius_secs(), 2);
        let midpoint = Duration::from_secs(time.midpoint().unix_secs());
        assert!(before - Duration::from_secs(1) < midpoint && midpoint <= after, "{before:?} {midpoint:?} {after:?}");
    }
    world.stop_server();
}

#[test]
fn an_address_for_datagrams_that_is_taken_is_named_with_its_setting() {
    let world = World::unserved();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    configure(&world, &with_udp(&address));
    let told = world.admit(&["serve", "--home", "home", "--listen", "127.0.0.1:0"]).refused("ADMIT_E_SERVER");
    assert!(told.contains(&format!("cannot take datagrams at {address}: ")) && told.contains("[time]"), "{told}");
    configure(&world, "");
    Server::start(&world, &[], Stdio::null()).stop();
}
