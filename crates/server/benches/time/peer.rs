//! Time servers that are measured.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use admit_time::roughtime;

use crate::harness::PROVIDER;

/// A server in a process of its own.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Where it answers over UDP.
    pub(crate) address: SocketAddr,
    /// Its long-term key.
    pub(crate) key: [u8; 32],
    pub(crate) process: u32,
}

/// roughenough-server with one thread, and the same bound of a batch.
pub(crate) struct Roughenough {
    child: Child,
    pub(crate) peer: Peer,
}

impl Roughenough {
    pub(crate) fn start(program: &Path) -> Self {
        let address = free_address();
        let mut command = Command::new(program);
        command.args(["--num-threads", "1", "--batch-size", "64", "--quiet", "--insecure-zero-seed"]);
        command.args(["--interface", &address.ip().to_string(), "--port", &address.port().to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let peer = Peer { name: "roughenough-server", address, key: KEY_OF_ZEROS, process: child.id() };
        wait_for(&peer);
        Self { child, peer }
    }
}

impl Drop for Roughenough {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer: the server does not say when it listens.
fn wait_for(peer: &Peer) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(peer.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let request = roughtime::request_packet(PROVIDER, &[1; 32], &peer.key);
    while socket.send(&request).and_then(|_| socket.recv(&mut [0; 2048])).is_err() {}
}

/// A port that nobody has.
pub(crate) fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The public key of a seed of zeros.
const KEY_OF_ZEROS: [u8; 32] = [
    0x3b, 0x6a, 0x27, 0xbc, 0xce, 0xb6, 0xa4, 0x2d, 0x62, 0xa3, 0xa8, 0xd0, 0x2a, 0x6f, 0x0d, 0x73, 0x65, 0x32, 0x15,
    0x77, 0x1d, 0xe2, 0x43, 0xa6, 0x3a, 0xc0, 0x48, 0xa1, 0x8b, 0x59, 0xda, 0x29,
];
