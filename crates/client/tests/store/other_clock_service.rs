//! The clock is set from somebody else's clock service, `roughenough-server`, over the network (row E05).

use std::net::UdpSocket;

use admit_client::Error;
use admit_client::set_time::SetTime;
use admit_testkit::Roughenough;
use admit_time::clock::{Accepted, ClockState, Source, TimeKey};

use crate::fixture::*;

fn service(seed: u8) -> (Roughenough, TimeKey) {
    let service = Roughenough::start(seed, Some(REALM.now));
    let key = TimeKey { public_key: service.key, epoch: 1 };
    (service, key)
}

fn ask(service: &Roughenough, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(service.address).unwrap();
    socket.send(packet).unwrap();
    let mut answer = vec![0; packet.len()];
    let length = socket.recv(&mut answer).unwrap();
    answer.truncate(length);
    answer
}

#[test]
fn e05_our_client_sets_its_clock_from_somebody_elses_service() {
    let (service, key) = service(1);
    let mut device = Device::new(1);
    let exchange = SetTime::begin(provider(), key, &reading(1, 1), &mut device.entropy);
    let answer = ask(&service, exchange.request());
    let set = exchange.finish(&mut device.clock, &answer, &reading(1, 1), &mut Vec::new());
    let Ok(Accepted::Set(now)) = set else { panic!("{set:?}") };
    assert_eq!(now.state(), ClockState::Trusted);
    assert!(now.time().unwrap().latest() >= REALM.now);
    assert_eq!(device.clock.record().signed.unwrap().source, Source::ClockService);
}

#[test]
fn e05_somebody_elses_answer_is_to_its_own_question_under_its_own_key_alone() {
    let ((one, key), (other, other_key)) = (service(1), service(2));
    let mut device = Device::new(1);
    let mut begin = |key| SetTime::begin(provider(), key, &reading(1, 1), &mut device.entropy);
    let (earlier, later) = (begin(key), begin(key));
    let replayed = ask(&one, earlier.request());
    let refused = later.finish(&mut device.clock, &replayed, &reading(1, 1), &mut Vec::new()).unwrap_err();
    assert_eq!(refused, Error::Time(admit_time::Error::WrongNonce));
    let mut forged = ask(&one, earlier.request());
    let last = forged.len() - 1;
    forged[last] ^= 1;
    earlier.finish(&mut device.clock, &forged, &reading(1, 1), &mut Vec::new()).unwrap_err();
    let exchange = SetTime::begin(provider(), other_key, &reading(1, 1), &mut device.entropy);
    let answer = ask(&other, exchange.request());
    let mistaken = SetTime::begin(provider(), key, &reading(1, 1), &mut device.entropy);
    mistaken.finish(&mut device.clock, &answer, &reading(1, 1), &mut Vec::new()).unwrap_err();
    assert!(device.clock.record().signed.is_none());
}
