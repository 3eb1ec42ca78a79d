//! Secrets that the test knows are looked for in everything that leaves: the log at its most talkative, answers, errors,
//! `Debug`, and backups; as they are, in hexadecimal, in base64 and base64url.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use admit_crypto::{Entropy, aws_lc};
use admit_server::home::{Config, Home, RootCustody, init, root_key};
use admit_testkit::Postgres;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hyper::StatusCode;

use crate::harness::{
    Answer, DAY, PROVIDER, Running, START, Seeded, challenge, connect, database_url, on_postgres, options, send,
};

/// What leaves.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<u8>>>);

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seen {
    fn see(&self, something: impl std::fmt::Debug) {
        writeln!(self.clone(), "{something:?}").unwrap();
    }

    fn error(&self, error: &admit_server::Error) {
        self.see(error);
        writeln!(self.clone(), "{error}").unwrap();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            writeln!(self.clone(), "{error} {error:?}").unwrap();
            source = error.source();
        }
    }

    /// Where it stands, for whoever has to mend it.
    fn around(&self, wanted: &[u8]) -> String {
        let seen = self.0.lock().unwrap();
        let at = seen.windows(wanted.len()).position(|window| window == wanted).unwrap_or_default();
        String::from_utf8_lossy(&seen[at.saturating_sub(200)..(at + 200).min(seen.len())]).into_owned()
    }

    fn contains(&self, wanted: &[u8]) -> bool {
        self.0.lock().unwrap().windows(wanted.len()).any(|window| window == wanted)
    }
}

/// The server's randomness, of which every secret key is 16 or 32 bytes.
struct Recorded(Seeded, Vec<Vec<u8>>);

impl Entropy for Recorded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
        self.1.push(bytes.to_vec());
    }
}

/// How a secret may be written.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let texts = [
        hex::encode(secret),
        hex::encode_upper(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        // A list of numbers, as `Debug` writes bytes.
        secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
    ];
    std::iter::once(secret.to_vec()).chain(texts.map(String::into_bytes)).collect()
}

#[tokio::test]
async fn no_secret_leaves_in_logs_errors_debug_answers_or_backups() {
    let seen = Seen::default();
    let writer = seen.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || if is_of_this_test() { writer.clone() } else { Seen::default() })
        .init();
    let running = Running::start_with("public_address = \"https://drm.example\"\n", |server| server).await;
    let mut secrets = keys_of_the_home(&running.path).await;
    secrets.extend(drive(&running, &seen).await);
    secrets.extend(fail_to_open(&running.path, &seen).await);
    secrets.extend(passphrase(&running.path, &seen).await);
    seen.see(&running.home);
    seen.see(running.home.config());
    backup(&running, &seen).await;
    running.home.close().await;
    // With the database gone, every endpoint fails in its own way.
    secrets.extend(drive_without_database(&running, &seen).await);
    assert!(seen.contains(b"request refused"), "the log was read along");
    assert!(seen.contains(running.home.realm().to_string().as_bytes()), "the answers and `Debug` were read along");
    assert!(secrets.len() > 12, "{}", secrets.len());
    for (name, secret) in &secrets {
        for form in forms(secret) {
            assert!(!seen.contains(&form), "{name} left: {}", seen.around(&form));
        }
    }
}

/// Other tests of the program log too. A thread has the name of its test, and SQLite's have threads of their own.
fn is_of_this_test() -> bool {
    let thread = std::thread::current();
    thread.name().is_some_and(|name| name.contains("no_secret_leaves") || name.starts_with("sqlx"))
}

type Secrets = Vec<(&'static str, Vec<u8>)>;

/// What another home of the same seed drew, and what stands in the home's own file.
async fn keys_of_the_home(path: &Path) -> Secrets {
    let folder = tempfile::tempdir().unwrap();
    let mut entropy = Recorded(Seeded::new(1), Vec::new());
    let twin = folder.path().join("twin");
    init(&twin, &options(RootCustody::Online), PROVIDER, &mut entropy).await.unwrap();
    let file = std::fs::read(path.join("secrets/key-encryption-key")).unwrap();
    let twins = std::fs::read(twin.join("secrets/key-encryption-key")).unwrap();
    assert_eq!(file, twins, "the twin drew the same");
    let drawn = entropy.1.into_iter().filter(|bytes| bytes.len() == 32);
    let mut secrets: Secrets = drawn.map(|bytes| ("a key of the home", bytes)).collect();
    assert!(secrets.len() >= 5, "{}", secrets.len());
    secrets.push(("the key-encryption key's file", file.trim_ascii().to_vec()));
    secrets
}

/// Every endpoint, as it is meant and otherwise.
async fn drive(running: &Running, seen: &Seen) -> Secrets {
    let operator = running.home.make_operator_token("packager", DAY, START, &mut Seeded::new(900)).await.unwrap();
    let revoked = running.home.make_operator_token("old", DAY, START, &mut Seeded::new(901)).await.unwrap();
    running.home.revoke_operator_token("old", START).await.unwrap();
    let key = [0xc1, 0xa2, 0x33, 0x94, 0x5e, 0x76, 0x17, 0xf8, 0x29, 0xaa, 0x4b, 0x8c, 0x0d, 0xee, 0x6f, 0x50];
    let registration = serde_json::json!({ "key": hex::encode(key), "class": "licensed", "content_id": "song" });
    let key_id = "07070707-0707-0707-0707-070707070707";
    let path = format!("/v1/keys/{key_id}");
    let mut broken = registration.clone();
    broken["class"] = "neither".into();
    let header = serde_json::json!({ "key_id": key_id, "checksum": "0102030405060708", "content_id": "song" });
    let cut = registration.to_string().replace('}', "");
    for (method, path, token, body) in [
        ("PUT", path.as_str(), operator.as_str(), registration.to_string()),
        ("PUT", &path, &operator, broken.to_string()),
        ("PUT", &path, &operator, registration.to_string().replace("song", "other")),
        ("PUT", &path, &operator, cut),
        ("PUT", &path, &operator, format!("\"{}\"", hex::encode(key))),
        ("PUT", &path, &operator, serde_json::json!({ hex::encode(key): 1 }).to_string()),
        ("PUT", "/v1/keys/nothing", &operator, registration.to_string()),
        ("PUT", &path, &revoked, registration.to_string()),
        ("POST", "/v1/headers", &operator, header.to_string()),
        ("POST", "/v1/headers", &operator, registration.to_string()),
        ("POST", "/v1/headers", "wrong", header.to_string()),
        ("GET", "/health", &operator, String::new()),
        ("GET", "/nothing", &operator, String::new()),
    ] {
        seen.see(call(running, method, path, token, body.as_bytes()).await);
    }
    let client = running.enrol(1).await;
    let token = running.token(&["song"], None).await;
    let other = running.token(&["film"], None).await;
    let key_ids = [key_id.parse().unwrap()];
    let sealed = running.seal(&client, &challenge(&running.realm, &key_ids, Some(&token), 1));
    let answer = running.acquire(&sealed, Some(&token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    seen.see(answer);
    let sealed = running.seal(&client, &challenge(&running.realm, &key_ids, Some(&other), 2));
    let changed = format!("{token}x");
    for token in [None, Some(&token), Some(&other), Some(&changed)] {
        seen.see(running.acquire(&sealed, token.map(String::as_str)).await);
    }
    for pasted in [&token, &other, &changed] {
        let (path, form) = (format!("/license?kid={key_id}"), format!("token={pasted}"));
        seen.see(send(&mut connect(running.address).await, "POST", &path, &[], form.as_bytes()).await);
    }
    seen.see(running.post(admit_trust::Role::License, &[], &sealed.as_bytes()[1..]).await);
    seen.see(running.post(admit_trust::Role::Enrolment, &[], sealed.as_bytes()).await);
    seen.see(running.home.operator_tokens().await);
    seen.see(running.home.audit(0, 100).await);
    let secret_of = |token: &str| token.trim_start_matches("admit_operator_").as_bytes().to_vec();
    vec![
        ("an operator token", secret_of(&operator)),
        ("a revoked operator token", secret_of(&revoked)),
        ("a content key", key.to_vec()),
        ("an entitlement token", token.clone().into_bytes()),
        ("an entitlement token's signature", token.rsplit_once('.').unwrap().1.as_bytes().to_vec()),
        ("another entitlement token's signature", other.rsplit_once('.').unwrap().1.as_bytes().to_vec()),
    ]
}

async fn drive_without_database(running: &Running, seen: &Seen) -> Secrets {
    let token = "admit_operator_YWxsIG9mIGl0IGlzIGEgY2FuYXJ5";
    for (method, path) in [("PUT", "/v1/keys/07070707-0707-0707-0707-070707070707"), ("POST", "/v1/headers")] {
        seen.see(call(running, method, path, token, b"{}").await);
    }
    seen.see(send(&mut connect(running.address).await, "GET", "/health", &[], b"").await);
    vec![("an unknown operator token", token.trim_start_matches("admit_operator_").as_bytes().to_vec())]
}

/// Homes whose settings hold a password that is wrong, or stands where it does not belong.
async fn fail_to_open(path: &Path, seen: &Seen) -> Secrets {
    const PASSWORD: &str = "canary-6f1e-password";
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir_all(home.join("secrets")).unwrap();
    std::fs::copy(path.join("secrets/key-encryption-key"), home.join("secrets/key-encryption-key")).unwrap();
    let settings = [
        format!("url = \"postgres://admit:{PASSWORD}@127.0.0.1:1/admit\""),
        format!("url = \"postgres://admit:{PASSWORD}@[::1/admit\""),
        format!("url = \"postgres://admit:{PASSWORD}@127.0.0.1:1/admit?sslmode={PASSWORD}\""),
        format!("url = \"postgres://admit:{PASSWORD}@127.0.0.1:99999999/admit\""),
        format!("url = \"mysql://admit:{PASSWORD}@127.0.0.1/admit\""),
        format!("url = \"{PASSWORD}\""),
        format!("url = [\"{PASSWORD}\"]"),
        format!("url = \"postgres://admit:{PASSWORD}@127.0.0.1:1/admit"),
        format!("url = {PASSWORD}"),
        format!("password = \"{PASSWORD}\""),
    ];
    for (number, setting) in settings.iter().enumerate() {
        let text = format!("[database]\n{setting}\n");
        std::fs::write(home.join("admit.toml"), &text).unwrap();
        match Config::parse(&text, Path::new("admit.toml")) {
            Ok(config) => seen.see(config),
            Err(error) => seen.error(&error),
        }
        // The first one is in order, and only its database is not there: opening it waits for that.
        if number > 0 {
            seen.error(&Home::open(&home, &aws_lc::PROVIDER).await.unwrap_err());
        }
    }
    vec![("a database's password", PASSWORD.into())]
}

async fn passphrase(path: &Path, seen: &Seen) -> Secrets {
    const PASSPHRASE: &str = "canary 83ab passphrase";
    let scalar = admit_crypto::SecretScalar::generate(&mut Seeded::new(83));
    let pem = root_key::export(&scalar, PASSPHRASE, &mut Seeded::new(84)).unwrap();
    seen.see(RootCustody::Export { passphrase: PASSPHRASE });
    seen.see(root_key::import(&pem, "canary 11cd wrong one").unwrap_err());
    seen.see(&scalar);
    let taken =
        init(path, &options(RootCustody::Export { passphrase: PASSPHRASE }), PROVIDER, &mut Seeded::new(3)).await;
    seen.error(&taken.unwrap_err());
    vec![
        ("a passphrase", PASSPHRASE.into()),
        ("a wrong passphrase", b"canary 11cd wrong one".to_vec()),
        ("a root key", scalar.expose().to_vec()),
    ]
}

/// The backup that `docs/operate/back-up.md` describes, without the key-encryption key.
async fn backup(running: &Running, seen: &Seen) {
    if on_postgres() {
        seen.clone().write_all(&Postgres::shared().dump(&database_url(&running.path))).unwrap();
        return;
    }
    let folder = running.path.with_file_name("backup");
    running.home.backup(&folder, false).await.unwrap();
    let mut length = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        seen.clone().write_all(&bytes).unwrap();
        length += bytes.len();
    }
    assert!(length > 1000);
}

async fn call(running: &Running, method: &str, path: &str, token: &str, body: &[u8]) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut connection = connect(running.address).await;
    let answer = send(&mut connection, method, path, &[("authorization", &bearer)], body).await;
    // `Debug` of the answer shows its body as numbers; texts are looked for in it as they are.
    tracing::trace!(body = %String::from_utf8_lossy(&answer.body), "answer");
    answer
}
