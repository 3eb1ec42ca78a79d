//! TLS: clients that pin a test authority, certificates that change under the server, and files that do not hold.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use admit_protocol::Code;
use admit_protocol::realm::REALM_PATH;
use admit_server::home::TlsFiles;
use admit_server::tls::Tls;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::{Running, send};

#[tokio::test]
async fn a_client_that_pins_the_authority_gets_answers_and_another_does_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    let running = serve(&authority.certificate("one.test")).await;
    let mut connection = connect(running.address, &authority, "one.test").await.unwrap();
    let answer = send(&mut connection, "GET", REALM_PATH, &[], b"").await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, running.home.realm_document().to_vec()));
    assert!(connect(running.address, &other, "one.test").await.is_err());
    assert!(connect(running.address, &authority, "two.test").await.is_err());
    // Those who failed have taken nothing from the others.
    assert_eq!(send(&mut connection, "GET", REALM_PATH, &[], b"").await.status, StatusCode::OK);
    assert!(connect(running.address, &authority, "one.test").await.is_ok());
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_cuts_no_old_one() {
    let authority = Authority::new();
    let files = authority.certificate("one.test");
    let tls = Tls::load(files.clone()).unwrap();
    let running = running(tls.clone()).await;
    let mut old = connect(running.address, &authority, "one.test").await.unwrap();
    assert!(!tls.reload_if_changed().unwrap());
    replace(&files, &authority.certificate("two.test"));
    assert!(tls.reload_if_changed().unwrap());
    assert!(!tls.reload_if_changed().unwrap());
    assert_eq!(send(&mut old, "GET", REALM_PATH, &[], b"").await.status, StatusCode::OK);
    assert!(connect(running.address, &authority, "one.test").await.is_err());
    assert!(connect(running.address, &authority, "two.test").await.is_ok());
}

#[tokio::test]
async fn files_that_do_not_hold_leave_the_old_certificate() {
    let authority = Authority::new();
    let (files, two) = (authority.certificate("one.test"), authority.certificate("two.test"));
    let tls = Tls::load(files.clone()).unwrap();
    let running = running(tls.clone()).await;
    let broken = |path: &Path, content: &[u8]| {
        let before = std::fs::read(path).unwrap();
        std::fs::write(path, content).unwrap();
        let error = tls.reload_if_changed().unwrap_err();
        std::fs::write(path, before).unwrap();
        assert!(tls.reload_if_changed().unwrap());
        (error.code(), error.to_string())
    };
    let other_key = std::fs::read(&two.key).unwrap();
    for (path, content, words) in [
        (&files.certificate, &b""[..], "no certificate in it"),
        (&files.certificate, b"-----BEGIN CERTIFICATE-----\nMIIB\n", "not as pem files are"),
        (&files.certificate, b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "cannot be read"),
        (&files.key, b"no key", "not as pem files are"),
        (&files.key, &other_key, "keys"),
    ] {
        let (code, sentence) = broken(path, content);
        assert_eq!(code, Code::ADMIT_E_FILE, "{sentence}");
        assert!(sentence.to_lowercase().contains(words), "{sentence}");
        assert!(!sentence.contains(std::str::from_utf8(&other_key).unwrap().lines().nth(1).unwrap()));
    }
    std::fs::remove_file(&files.key).unwrap();
    assert_eq!(tls.reload().unwrap_err().code(), Code::ADMIT_E_FILE);
    assert!(connect(running.address, &authority, "one.test").await.is_ok());
    assert!(Tls::load(files).is_err());
}

/// A process that may open no file for a while: nothing changes about the files when it may again.
#[expect(clippy::disallowed_methods, reason = "a process is told by its environment that it is the one that looks")]
#[test]
fn files_that_could_not_be_read_are_read_at_the_next_look() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return look(&PathBuf::from(folder));
    }
    let authority = Authority::new();
    let (files, two) = (authority.certificate("one.test"), authority.certificate("two.test"));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tls::files_that_could_not_be_read_are_read_at_the_next_look", "--nocapture"]);
    command.env(FOLDER, authority.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut look = || {
        stdin.write_all(b"look\n").unwrap();
        lines.find_map(|line| line.unwrap().split_once(LOOKED).map(|(_, found)| found.to_owned())).unwrap()
    };
    assert_eq!(look(), "false");
    replace(&files, &two);
    let limit_files = |limit: &str| {
        let arguments = [format!("--pid={}", child.id()), format!("--nofile={limit}:")];
        assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
    };
    limit_files("0");
    assert_eq!(look(), "ADMIT_E_FILE");
    limit_files("64");
    assert_eq!([look(), look()], ["true", "false"]);
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// The other side: looks whenever it is told to, and says what it found.
fn look(folder: &Path) {
    let files = TlsFiles { certificate: folder.join("one.test.pem"), key: folder.join("one.test.key") };
    let tls = Tls::load(files).unwrap();
    for _ in std::io::stdin().lines() {
        let found = tls.reload_if_changed().map_or_else(|error| error.code().name().to_owned(), |new| new.to_string());
        println!("{LOOKED}{found}");
    }
}

const FOLDER: &str = "ADMIT_TEST_TLS_FOLDER";
const LOOKED: &str = "looked and found: ";

#[tokio::test]
async fn a_key_that_everybody_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new();
    let files = authority.certificate("one.test");
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Tls::load(files.clone()).unwrap_err().to_string().contains("0644"));
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Tls::load(files).is_ok());
}

#[tokio::test]
async fn plain_http_is_not_answered_on_a_tls_port() {
    let authority = Authority::new();
    let running = serve(&authority.certificate("one.test")).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::builder().uri(REALM_PATH).header("host", "x").body(Full::default()).unwrap();
    assert!(sender.send_request(request).await.is_err());
}

async fn serve(files: &TlsFiles) -> Running {
    running(Tls::load(files.clone()).unwrap()).await
}

/// A server with TLS. The realm document is asked for without it before.
async fn running(tls: Tls) -> Running {
    Running::start_with("", |server| server.with_tls(tls)).await
}

/// Puts other files in the place of a certificate's, as tools that renew certificates do.
fn replace(files: &TlsFiles, by: &TlsFiles) {
    std::fs::rename(&by.certificate, &files.certificate).unwrap();
    std::fs::rename(&by.key, &files.key).unwrap();
}

async fn connect(
    address: SocketAddr,
    authority: &Authority,
    name: &str,
) -> Result<SendRequest<Full<Bytes>>, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.path("authority.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    Ok(sender)
}

/// A certificate authority made by OpenSSL.
struct Authority(tempfile::TempDir);

impl Authority {
    fn new() -> Self {
        let authority = Self(tempfile::tempdir().unwrap());
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority.key \
            -out authority.pem -days 30 -subj /CN=authority -addext keyUsage=critical,keyCertSign",
        );
        authority
    }

    /// A certificate for a name, in files of its own.
    fn certificate(&self, name: &str) -> TlsFiles {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem -days 30 \
             -subj /CN={name} -addext subjectAltName=DNS:{name} -addext basicConstraints=critical,CA:FALSE \
             -CA authority.pem -CAkey authority.key"
        ));
        TlsFiles { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, words: &str) {
        let mut command = Command::new("openssl");
        let status = command.args(words.split_whitespace()).current_dir(self.0.path()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "openssl {words}");
    }
}
