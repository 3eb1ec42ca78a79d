//! A home in a temporary folder, a server on a free port with a clock that tests set, and clients made of protocol
//! types.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use admit_crypto::{ContentKey, DecryptionKey, Digest, Entropy, Provider, SecretScalar, SigningKey, aws_lc};
use admit_license::{Action, KeyId, Rights, VerifiedLicense};
use admit_protocol::acquire::{
    ClockState, LicenseChallenge, ResponseContext, RevocationNumbers, SealedChallenge, StorePosition, VerifiedResponse,
};
use admit_protocol::enrol::{Enrolled, EnrolmentRequest, EnrolmentResponse};
use admit_protocol::realm::Realm;
use admit_protocol::{Code, Problem};
use admit_server::content::{Content, KeyClass};
use admit_server::home::{Home, InitOptions, Made, RootCustody, init};
use admit_server::policy::Policy;
use admit_server::token::TokenRequest;
use admit_server::{Clock as _, Server};
use admit_testkit::Postgres;
use admit_time::Timestamp;
use admit_trust::{
    Certificate, ClientProperties, ClockKind, ComponentVersion, DateCheck, Features, Role, SdkGeneration, Verified,
    role,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use sqlx::{Connection as _, Executor as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[path = "described.rs"]
pub(crate) mod described;
#[path = "set_clock.rs"]
mod set_clock;

pub(crate) use self::set_clock::SetClock;

pub(crate) static PROVIDER: &Provider = &aws_lc::PROVIDER;
pub(crate) const START: Timestamp = Timestamp::from_unix_secs(1_900_000_000);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Settings under which one client with a clock that stands still may do anything.
pub(crate) const UNLIMITED: &str = "[enrolment]\nburst = 1000\n[licenses]\nper_client_per_hour = 0\nper_token_per_hour = 0\n\
    per_address_per_hour = 0\n";

/// SHA-256 of a seed and a counter.
pub(crate) struct Seeded {
    seed: u64,
    counter: u64,
}

impl Seeded {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = (PROVIDER.sha256)(&[&self.seed.to_be_bytes(), &self.counter.to_be_bytes()]);
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
            self.counter += 1;
        }
    }
}

pub(crate) fn options(root: RootCustody<'_>) -> InitOptions<'_> {
    InitOptions {
        name: "Test label",
        now: START,
        enrol_level: 150,
        application_level: 150,
        public_address: None,
        database_url: None,
        root,
        token: None,
    }
}

/// Whether this is the program that runs the tests on PostgreSQL.
pub(crate) fn on_postgres() -> bool {
    module_path!().split("::").next().is_some_and(|program| program.ends_with("_on_postgres"))
}

/// A home whose root key stays in it, and the folder that goes when the test ends.
pub(crate) async fn new_home(seed: u64) -> (tempfile::TempDir, PathBuf, Made) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    let database = on_postgres().then(|| Postgres::shared().database());
    let options = InitOptions { database_url: database.as_deref(), ..options(RootCustody::Online) };
    let made = init(&path, &options, PROVIDER, &mut Seeded::new(seed)).await.unwrap();
    (folder, path, made)
}

/// Runs a statement on a home's database, behind the server's back. Says how many rows it changed.
pub(crate) async fn execute(path: &Path, statement: &str) -> u64 {
    sqlx::any::install_default_drivers();
    let mut database = sqlx::AnyConnection::connect(&database_url(path)).await.unwrap();
    let done = database.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
    database.close().await.unwrap();
    done.rows_affected()
}

/// Whether bytes stand anywhere in a home's database, as they are or in hexadecimal. SQLite's must be closed.
pub(crate) fn database_contains(path: &Path, bytes: &[u8]) -> bool {
    let all = match on_postgres() {
        true => Postgres::shared().dump(&database_url(path)),
        // What is still in the log has not come to the file yet; what has left it has.
        false => [read_if_there(path, "admit.db-wal"), read_if_there(path, "admit.db")].concat(),
    };
    let digits = hex::encode(bytes);
    [bytes, digits.as_bytes()].iter().any(|wanted| all.windows(wanted.len()).any(|window| window == *wanted))
}

fn read_if_there(folder: &Path, name: &str) -> Vec<u8> {
    match std::fs::read(folder.join(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.unwrap(),
    }
}

pub(crate) fn database_url(path: &Path) -> String {
    let settings: toml::Table = std::fs::read_to_string(path.join("admit.toml")).unwrap().parse().unwrap();
    let url = settings.get("database").and_then(|database| database.get("url")?.as_str());
    url.map_or_else(|| format!("sqlite:{}", path.join("admit.db").display()), str::to_owned)
}

/// A running server.
pub(crate) struct Running {
    pub(crate) home: Home,
    pub(crate) clock: SetClock,
    pub(crate) address: SocketAddr,
    pub(crate) realm: Realm,
    pub(crate) path: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with(UNLIMITED, |server| server).await
    }

    pub(crate) async fn with_policy(policy: impl Policy + 'static) -> Self {
        Self::start_with(UNLIMITED, |server| server.with_policy(policy)).await
    }

    pub(crate) async fn with_seed(seed: u64) -> Self {
        Self::start_all(seed, "", |server| server).await
    }

    pub(crate) async fn start_with(config: &str, change: impl FnOnce(Server) -> Server) -> Self {
        Self::start_all(1, config, change).await
    }

    async fn start_all(seed: u64, config: &str, change: impl FnOnce(Server) -> Server) -> Self {
        let (folder, path, made) = new_home(seed).await;
        let database = database_url(&path);
        let database = if on_postgres() { format!("[database]\nurl = {database:?}\n") } else { String::new() };
        std::fs::write(path.join("admit.toml"), format!("{config}\n{database}")).unwrap();
        let home = Home::open(&path, PROVIDER).await.unwrap();
        let clock = SetClock::new();
        let seeds = AtomicU64::new(1000);
        let entropy =
            move || -> Box<dyn Entropy + Send> { Box::new(Seeded::new(seeds.fetch_add(1, Ordering::SeqCst))) };
        let server = change(Server::new(home.clone(), clock.clone(), entropy));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(listener, async {
            let _ = stopped.await;
        }));
        let realm = Realm::verify(PROVIDER, &home.realm_document(), made.realm).unwrap();
        Self { home, clock, address, realm, path, stop: Some(stop), task, _folder: folder }
    }

    /// Asks the server to stop; `finished` waits for it.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn finished(self) {
        self.task.await.unwrap().unwrap();
    }

    pub(crate) async fn post(&self, role: Role, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(&mut connect(self.address).await, "POST", self.realm.address(role).unwrap(), headers, body).await
    }

    pub(crate) async fn enrol(&self, seed: u64) -> TestClient {
        self.enrol_with(seed, ClockKind::AntiRollback).await
    }

    /// A client that says it has this clock.
    pub(crate) async fn enrol_with(&self, seed: u64, clock: ClockKind) -> TestClient {
        let keys = ClientKeys::new(seed);
        let request = keys.request_with(self.realm.root().realm(), seed, clock);
        let answer = self.post(Role::Enrolment, &[], &request.sign(&keys.signing)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let dates = DateCheck::At(self.clock.now());
        let Enrolled { certificate, properties, chain } =
            EnrolmentResponse::verify(PROVIDER, self.realm.root(), &request, &answer.body, dates).unwrap();
        TestClient { keys, certificate, properties, chain }
    }

    /// Registers a key; its id and the key are made of `number`.
    pub(crate) async fn register(&self, number: u8, content_id: &str, open: bool) -> KeyId {
        let content = content(number, content_id, open);
        let key = content_key(number);
        self.home.register_content_key(&content, &key, START, &mut Seeded::new(number.into())).await.unwrap();
        content.key_id
    }

    pub(crate) async fn token(&self, content: &[&str], bound_to: Option<Digest>) -> String {
        let request = TokenRequest { bound_to, ..token_request(content) };
        self.home.mint_token(&request, self.clock.now(), &mut Seeded::new(77)).await.unwrap()
    }

    /// Seals a challenge of a client to the realm's license service.
    pub(crate) fn seal(&self, client: &TestClient, challenge: &LicenseChallenge) -> SealedChallenge {
        let dates = DateCheck::At(self.clock.now());
        let service = self.realm.certificate::<role::License>(PROVIDER, dates).unwrap();
        let key = service.properties().encryption_key.unwrap();
        challenge.seal(PROVIDER, &client.keys.signing, &client.chain, &key, &mut Seeded::new(5))
    }

    pub(crate) async fn acquire(&self, sealed: &SealedChallenge, token: Option<&str>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        self.post(Role::License, &headers, sealed.as_bytes()).await
    }

    /// Asks for keys with a token, as a client does.
    pub(crate) async fn ask(&self, client: &TestClient, key_ids: &[KeyId], token: Option<&str>) -> Answer {
        let challenge = challenge(&self.realm, key_ids, token, 1);
        self.acquire(&self.seal(client, &challenge), token).await
    }

    pub(crate) fn verify(&self, client: &TestClient, sealed: &SealedChallenge, body: &[u8]) -> Vec<VerifiedLicense> {
        self.verified(client, sealed, body).into_licenses()
    }

    pub(crate) fn verified(&self, client: &TestClient, sealed: &SealedChallenge, body: &[u8]) -> VerifiedResponse {
        let context = ResponseContext {
            root: self.realm.root(),
            challenge_hash: sealed.hash(),
            client: &client.certificate,
            encryption_key: client.properties.encryption_key.thumbprint(PROVIDER),
            dates: DateCheck::At(self.clock.now()),
        };
        VerifiedResponse::verify(PROVIDER, &context, body).unwrap()
    }

    /// How many entries of this kind the audit log has.
    pub(crate) async fn count(&self, event: &str) -> usize {
        let entries = self.home.audit(0, 100_000).await.unwrap();
        entries.iter().filter(|entry| entry.event == event).count()
    }
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The status and code of a refusal, which must be a problem document.
    pub(crate) fn refusal(&self) -> (u16, Code) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = Problem::from_json(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        (problem.status, problem.code().unwrap())
    }
}

pub(crate) async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Sends a request to the server, whose answer must be as it describes it.
pub(crate) async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let answer = exchange(sender, method, path, headers, body).await;
    described::check(method, path, &answer);
    answer
}

/// Sends a request to whoever listens.
pub(crate) async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    sender.ready().await.unwrap();
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::from(body.to_vec())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A client's keys before it enrolled.
pub(crate) struct ClientKeys {
    pub(crate) signing: SigningKey,
    pub(crate) decryption: DecryptionKey,
}

impl ClientKeys {
    pub(crate) fn new(seed: u64) -> Self {
        let mut entropy = Seeded::new(seed << 32);
        Self {
            signing: (PROVIDER.load_signing_key)(&SecretScalar::generate(&mut entropy)),
            decryption: (PROVIDER.load_decryption_key)(&SecretScalar::generate(&mut entropy)),
        }
    }

    pub(crate) fn request(&self, realm: Digest, nonce: u64) -> EnrolmentRequest {
        self.request_with(realm, nonce, ClockKind::AntiRollback)
    }

    fn request_with(&self, realm: Digest, nonce: u64, clock: ClockKind) -> EnrolmentRequest {
        let (signing, encryption) = (*self.signing.public_key(), *self.decryption.public_key());
        let features = Features::from_bits(5);
        EnrolmentRequest::new(realm, signing, encryption, clock, features, &mut Seeded::new(nonce))
    }
}

/// A client that enrolled.
pub(crate) struct TestClient {
    pub(crate) keys: ClientKeys,
    pub(crate) certificate: Verified<Certificate, role::Client>,
    pub(crate) properties: ClientProperties,
    pub(crate) chain: Vec<Certificate>,
}

impl TestClient {
    pub(crate) fn fingerprint(&self) -> Digest {
        self.certificate.fingerprint(PROVIDER)
    }

    pub(crate) fn thumbprint(&self) -> Digest {
        self.keys.signing.public_key().thumbprint(PROVIDER)
    }
}

pub(crate) fn challenge(realm: &Realm, key_ids: &[KeyId], token: Option<&str>, nonce: u8) -> LicenseChallenge {
    LicenseChallenge {
        nonce: [nonce; 32].into(),
        realm: realm.root().realm(),
        header: None,
        key_ids: key_ids.to_vec(),
        requested_rights: (Rights::PLAY | Rights::NO_RECOVERY).bits(),
        actions: vec![Action::Play],
        token_hash: token.map(|token| (PROVIDER.sha256)(&[token.as_bytes()])),
        security_version: ComponentVersion::DEFAULT,
        sdk_generation: SdkGeneration::Newer,
        features: 5,
        clock: ClockKind::AntiRollback,
        clock_state: ClockState::Unset,
        time_requested: true,
        license_requested: true,
        store: StorePosition { epoch: [3; 16].into(), sequence: 1, head: Digest::from_bytes([4; 32]) },
        held: Vec::new(),
        revocation: RevocationNumbers::default(),
        application: realm.document().applications.first().cloned(),
        recovery: false,
    }
}

/// What a token of the buyer's is asked for with: a day, for this content.
pub(crate) fn token_request(content: &[&str]) -> TokenRequest {
    TokenRequest {
        subject: "buyer-1".into(),
        content: content.iter().map(|id| (*id).to_owned()).collect(),
        lifetime: DAY,
        uses: None,
        bound_to: None,
        policy: serde_json::Map::new(),
    }
}

pub(crate) fn content(number: u8, content_id: &str, open: bool) -> Content {
    Content {
        key_id: KeyId::from_bytes([number; 16]),
        class: KeyClass::Licensed,
        content_id: content_id.into(),
        title: Some("A title".into()),
        open,
        minimum_individualized_version: None,
        minimum_application_level: None,
    }
}

pub(crate) const fn content_key(number: u8) -> ContentKey {
    ContentKey::from_bytes([number ^ 0x5a; 16])
}
