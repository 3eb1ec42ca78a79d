//! A request for the time over UDP (RFC 10049 section 3): a datagram there and one back, either of which may be lost.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::time::{Duration, Instant};

use admit_protocol::Code;

use crate::failure::{Failure, Outcome};

/// Asks the service at a host and port, again where nothing comes. Its addresses are asked in turn. What is longer than the
/// request, which no answer is, or what `is_answer` does not know is passed over: anybody can send a datagram. Where nothing
/// else comes, the last such thing is the answer, so that what is wrong with it can be told.
pub(crate) fn ask_over_udp(server: &str, packet: &[u8], is_answer: impl Fn(&[u8]) -> bool) -> Outcome<Vec<u8>> {
    let failed = |error: io::Error| failed(server, &error.to_string());
    let (mut sockets, mut last) = (Vec::new(), None);
    for address in server.to_socket_addrs().map_err(failed)? {
        match connected(address) {
            Ok(socket) => sockets.push(socket),
            Err(error) => last = Some(error),
        }
    }
    let mut inbox = Inbox { buffer: vec![0; packet.len() + 1], is_answer, mistaken: None };
    for (wait, socket) in WAITS.into_iter().zip(sockets.iter().cycle()) {
        match socket.send(packet).and_then(|_| inbox.wait(socket, Instant::now() + wait)) {
            Ok(answer) => return Ok(answer),
            Err(error) => last = Some(error),
        }
    }
    match (inbox.mistaken, last) {
        (Some(mistaken), _) => Ok(mistaken),
        (None, Some(error)) if !is_time_out(&error) => Err(failed(error)),
        (None, _) => Err(self::failed(server, "nothing comes back")),
    }
}

/// Takes datagrams of this server alone.
fn connected(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if server.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    Ok(socket)
}

/// Where datagrams arrive.
struct Inbox<F> {
    /// A byte longer than the longest answer.
    buffer: Vec<u8>,
    is_answer: F,
    mistaken: Option<Vec<u8>>,
}

impl<F: Fn(&[u8]) -> bool> Inbox<F> {
    fn wait(&mut self, socket: &UdpSocket, until: Instant) -> io::Result<Vec<u8>> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            socket.set_read_timeout(Some(left))?;
            let length = socket.recv(&mut self.buffer)?;
            if length == self.buffer.len() {
                continue;
            }
            let datagram = self.buffer[..length].to_vec();
            if (self.is_answer)(&datagram) {
                return Ok(datagram);
            }
            self.mistaken = Some(datagram);
        }
    }
}

/// As systems tell it.
fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

fn failed(server: &str, why: &str) -> Failure {
    Failure::new(Code::ADMIT_E_NETWORK, format!("udp://{server} cannot be reached: {why}"))
}

/// How long an answer is waited for each time. An answer is believed for ten seconds after the first.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const PACKET: &[u8] = &[7; 1024];

    fn is_answer(bytes: &[u8]) -> bool {
        bytes == b"answer"
    }

    /// A server that answers the requests that come with these datagrams.
    fn server(answers: &'static [&'static [&'static [u8]]]) -> (String, thread::JoinHandle<()>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let serve = move || {
            for answer in answers {
                let mut request = [0; 2048];
                let (length, from) = socket.recv_from(&mut request).unwrap();
                assert_eq!(&request[..length], PACKET);
                for datagram in *answer {
                    socket.send_to(datagram, from).unwrap();
                }
            }
        };
        (address, thread::spawn(serve))
    }

    #[test]
    fn e05_what_is_no_answer_is_passed_over() {
        let (address, serving) = server(&[&[&[7; 1025], b"", b"other", b"answer"]]);
        assert_eq!(ask_over_udp(&address, PACKET, is_answer).unwrap(), b"answer");
        serving.join().unwrap();
    }

    #[test]
    fn e05_a_request_that_is_lost_is_sent_again() {
        let (address, serving) = server(&[&[], &[b"answer"]]);
        assert_eq!(ask_over_udp(&address, PACKET, is_answer).unwrap(), b"answer");
        serving.join().unwrap();
    }

    #[test]
    fn a_name_with_several_addresses_is_asked_at_each() {
        let (address, serving) = server(&[&[b"answer"]]);
        let name = address.replace("127.0.0.1", "localhost");
        assert_eq!(ask_over_udp(&name, PACKET, is_answer).unwrap(), b"answer");
        serving.join().unwrap();
    }

    #[test]
    fn where_nobody_is_there_that_is_said_at_once() {
        let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let failure = ask_over_udp(&nobody, PACKET, is_answer).unwrap_err();
        assert_eq!(failure.code, Code::ADMIT_E_NETWORK);
        assert!(failure.sentence.contains("refused"), "{failure:?}");
        for malformed in ["127.0.0.1", "127.0.0.1:70000"] {
            assert_eq!(ask_over_udp(malformed, PACKET, is_answer).unwrap_err().code, Code::ADMIT_E_NETWORK);
        }
    }
}
