//! A home with a client and open content, servers of it, and what must hold of its records whatever happened.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use admit_crypto::Entropy;
use admit_license::KeyId;
use admit_protocol::Code;
use admit_protocol::Problem;
use admit_protocol::acquire::{LICENSES_PATH, SealedChallenge};
use admit_server::Server;
use admit_server::audit::AuditVerdict;
use admit_server::home::Home;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{PROVIDER, Running, Seeded, SetClock, TestClient, challenge};

/// A home whose own server enrolled a client; servers of the tests' are beside it.
pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) client: TestClient,
    pub(crate) key_id: KeyId,
    challenges: AtomicU64,
}

/// The ids of the licenses that an answer held.
pub(crate) type Licenses = Vec<String>;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// Licenses.
    Licenses(Licenses),
    /// A problem document.
    Refusal(u16, Code),
    /// The connection ended without a whole answer.
    Nothing,
}

impl World {
    pub(crate) async fn new() -> Self {
        let running = Running::start().await;
        let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
        Self { running, client, key_id, challenges: AtomicU64::new(0) }
    }

    /// A challenge like no other.
    pub(crate) fn challenge(&self) -> SealedChallenge {
        let mut challenge = challenge(&self.running.realm, &[self.key_id], None, 0);
        let number = self.challenges.fetch_add(1, Ordering::SeqCst);
        challenge.nonce[..8].copy_from_slice(&number.to_be_bytes());
        self.running.seal(&self.client, &challenge)
    }

    pub(crate) fn challenges(&self, count: usize) -> Vec<SealedChallenge> {
        (0..count).map(|_| self.challenge()).collect()
    }

    /// Sends a challenge over a connection of its own.
    pub(crate) async fn ask(&self, address: SocketAddr, sealed: &SealedChallenge) -> Came {
        let Some((status, body)) = request(address, "POST", LICENSES_PATH, sealed.as_bytes()).await else {
            return Came::Nothing;
        };
        if status == 200 {
            let licenses = self.running.verify(&self.client, sealed, &body);
            return Came::Licenses(licenses.iter().map(|license| license.terms().id.to_string()).collect());
        }
        let problem = Problem::from_json(&body).unwrap();
        assert_eq!(problem.status, status);
        Came::Refusal(status, problem.code().unwrap())
    }

    /// Opens the home beside all servers and checks that the log is whole, that each challenge was answered at most
    /// once, and that whatever was answered stands in it.
    pub(crate) async fn check_records(&self, answered: &HashMap<String, Licenses>) {
        let home = Home::open(&self.running.path, PROVIDER).await.unwrap();
        let verdict = home.verify_audit().await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Whole { .. }), "{verdict:?}");
        let mut recorded: HashMap<String, Licenses> = HashMap::new();
        for entry in home.audit(0, 1_000_000).await.unwrap() {
            if entry.event != "licenses-issued" {
                continue;
            }
            let detail: serde_json::Value = serde_json::from_str(&entry.detail_json).unwrap();
            let licenses = detail["licenses"].as_array().unwrap();
            let ids = licenses.iter().map(|license| license["id"].as_str().unwrap().to_owned()).collect();
            let challenge = detail["challenge"].as_str().unwrap().to_owned();
            assert_eq!(recorded.insert(challenge, ids), None, "recorded twice");
        }
        for (challenge, licenses) in answered {
            assert_eq!(recorded.get(challenge), Some(licenses), "left without a record");
        }
        home.close().await;
    }
}

/// A server of a home in this process.
pub(crate) struct Instance {
    pub(crate) home: Home,
    pub(crate) address: SocketAddr,
}

impl Instance {
    pub(crate) async fn start(path: &Path, clock: SetClock, seed: u64) -> Self {
        let home = Home::open(path, PROVIDER).await.unwrap();
        let seeds = AtomicU64::new(seed << 32);
        let entropy =
            move || -> Box<dyn Entropy + Send> { Box::new(Seeded::new(seeds.fetch_add(1, Ordering::SeqCst))) };
        let server = Server::new(home.clone(), clock, entropy);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, std::future::pending()));
        Self { home, address }
    }
}

/// Sends a request and reads the whole answer, or nothing where the server is not there or goes away.
pub(crate) async fn request(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.body(Full::<Bytes>::new(Bytes::copy_from_slice(body))).unwrap();
    let response = sender.send_request(request).await.ok()?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.ok()?.to_bytes().to_vec();
    Some((status, body))
}

/// The status with which the server says whether it can answer.
pub(crate) async fn readiness(address: SocketAddr) -> u16 {
    request(address, "GET", READY_PATH, b"").await.unwrap().0
}

const READY_PATH: &str = "/ready";
