//! Requests, each with a nonce of its own, and what answering them costs.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use admit_time::roughtime;

use crate::harness::PROVIDER;
use crate::peer::Peer;
use crate::used;

/// What one round took.
pub(crate) struct Measured {
    took: Duration,
    used: Duration,
}

pub(crate) const HEADING: &str =
    "                            answers/s: min    p50    max   answers/s of a core: min    p50    max   clients/hour";

/// Sends so many, and then one for each answer.
pub(crate) fn over_udp(peer: &Peer) -> Measured {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(peer.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let requests = requests(peer);
    let (started, before) = (Instant::now(), used(peer.process));
    let mut answer = [0; 2048];
    for request in &requests[..UNDER_WAY] {
        socket.send(request).unwrap();
    }
    for index in 0..requests.len() {
        let length = socket.recv(&mut answer).expect("an answer to each request");
        if let Some(request) = requests.get(index + UNDER_WAY) {
            socket.send(request).unwrap();
        }
        assert!(length > 300, "an answer has two signatures");
    }
    let measured = Measured { took: started.elapsed(), used: used(peer.process).saturating_sub(before) };
    // Which of the requests it answers does not matter: one is asked by itself.
    socket.send(&requests[0]).unwrap();
    let length = socket.recv(&mut answer).unwrap();
    roughtime::verify(PROVIDER, &peer.key, &requests[0], &answer[..length]).unwrap();
    measured
}

/// As many connections, each with one request at a time.
pub(crate) fn over_http(peer: &Peer, address: SocketAddr) -> Measured {
    let requests = requests(peer);
    let post = |packet: &Vec<u8>| {
        let head = format!("POST /v1/time HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n", packet.len());
        [head.as_bytes(), packet].concat()
    };
    let messages: Vec<_> = requests.iter().map(post).collect();
    measure_http(peer, address, &messages, |index, body| {
        if index < UNDER_WAY {
            roughtime::verify(PROVIDER, &peer.key, &requests[index], body).unwrap();
        }
    })
}

/// The same connections with requests that nothing is done for: what HTTP takes by itself.
pub(crate) fn http_alone(peer: &Peer, address: SocketAddr) -> Measured {
    let get = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes();
    measure_http(peer, address, &vec![get; REQUESTS], |_, _| ())
}

/// Sends the messages over connections of their own, round and round: whoever is answered sends the next. This is done by
/// hand because a client as careful as the server would take as much of the machine.
fn measure_http(peer: &Peer, address: SocketAddr, messages: &[Vec<u8>], check: impl Fn(usize, &[u8])) -> Measured {
    let mut connections: Vec<_> = (0..UNDER_WAY).map(|_| TcpStream::connect(address).unwrap()).collect();
    let (started, before) = (Instant::now(), used(peer.process));
    for (connection, message) in connections.iter_mut().zip(messages) {
        connection.set_nodelay(true).unwrap();
        connection.write_all(message).unwrap();
    }
    for index in 0..messages.len() {
        let connection = &mut connections[index % UNDER_WAY];
        check(index, &body(connection));
        if let Some(message) = messages.get(index + UNDER_WAY) {
            connection.write_all(message).unwrap();
        }
    }
    Measured { took: started.elapsed(), used: used(peer.process).saturating_sub(before) }
}

/// The body of an answer with status 200.
fn body(connection: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::with_capacity(2048);
    loop {
        let mut more = [0; 2048];
        let length = connection.read(&mut more).unwrap();
        assert!(length > 0, "the connection ended");
        answer.extend_from_slice(&more[..length]);
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if answer.len() == end + 4 + length.parse::<usize>().unwrap() {
            return answer.split_off(end + 4);
        }
    }
}

fn requests(peer: &Peer) -> Vec<Vec<u8>> {
    static NONCE: AtomicU64 = AtomicU64::new(1);
    let one = |_| {
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        roughtime::request_packet(PROVIDER, &nonce, &peer.key)
    };
    (0..REQUESTS).map(one).collect()
}

/// A client that asks once an hour is one of so many.
pub(crate) fn print(name: &str, measured: Vec<Measured>) {
    let rates = |of: fn(&Measured) -> Duration| {
        let mut rates: Vec<f64> = measured.iter().map(|one| REQUESTS as f64 / of(one).as_secs_f64()).collect();
        rates.sort_by(f64::total_cmp);
        rates
    };
    let (all, core) = (rates(|one| one.took), rates(|one| one.used));
    let middle = core[core.len() / 2];
    println!(
        "{name:<28}{:>14.0}{:>7.0}{:>7.0}{:>24.0}{:>7.0}{:>7.0}{:>15.0}",
        all[0],
        all[all.len() / 2],
        all[all.len() - 1],
        core[0],
        middle,
        core[core.len() - 1],
        middle * 3600.0,
    );
}

/// Requests in one round.
pub(crate) const REQUESTS: usize = 40_000;
/// Requests that wait for their answers at any moment.
const UNDER_WAY: usize = 64;
