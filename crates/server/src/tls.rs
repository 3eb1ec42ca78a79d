//! TLS (RFC 8446, and 1.2 by RFC 5246): a certificate that is read again when its files change. Connections that are
//! open keep the one they began with, and a new one that does not hold leaves the old one in place.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use admit_time::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use x509_cert::der::Decode as _;

use crate::Error;
use crate::home::TlsFiles;

/// The TLS side of a server.
#[derive(Debug, Clone)]
pub struct Tls {
    shared: Arc<Shared>,
    acceptor: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Shared {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Loaded>,
    /// What the files looked like when they were last read, whether or not what stands in them holds. Nothing where they
    /// could not be read: then the next look reads them again.
    seen: Mutex<Option<Stamp>>,
}

/// A certificate in use.
#[derive(Debug, Clone)]
struct Loaded {
    key: Arc<CertifiedKey>,
    ends_at: Timestamp,
}

/// What changes when a file does: for each, its number, length and times.
type Stamp = [(u64, u64, i64, i64, i64, i64); 2];

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// The file holds no certificate.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// The file is not PEM, or holds no private key. What stands in it instead may be secret, and is not told.
    #[error("it is not as PEM files are, or holds no private key")]
    Pem,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Certificate(x509_cert::der::Error),
    /// The key is of no known kind, or not the certificate's.
    #[error("{0}")]
    Key(rustls::Error),
}

impl Tls {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let seen = stamp(&files).ok();
        let current = RwLock::new(read(&files, &provider)?);
        let shared = Arc::new(Shared { files, provider, current, seen: Mutex::new(seen) });
        let certificate = Arc::clone(&shared);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&shared.provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has the suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { shared, acceptor: Arc::new(config) })
    }

    /// Reads the files again. What does not hold is an error, and changes nothing.
    pub fn reload(&self) -> Result<(), Error> {
        let shared = &self.shared;
        let now = stamp(&shared.files).ok();
        let loaded = read(&shared.files, &shared.provider);
        let was_read = !matches!(loaded, Err(Error::Io { .. }));
        *shared.seen.lock().unwrap_or_else(PoisonError::into_inner) = now.filter(|_| was_read);
        let loaded = loaded?;
        *shared.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Reads the files again if they have changed since they were last read, or could not be read then. Says whether there
    /// is a new certificate.
    pub fn reload_if_changed(&self) -> Result<bool, Error> {
        let now = stamp(&self.shared.files).ok();
        if *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return Ok(false);
        }
        self.reload().map(|()| true)
    }

    /// When the certificate in use ends.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.shared.loaded().ends_at
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.acceptor))
    }
}

impl Shared {
    fn loaded(&self) -> Loaded {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Shared {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.loaded().key)
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Loaded, Error> {
    let failed = |path: &PathBuf, fault| Error::Tls { path: path.clone(), fault };
    let in_pem = |path: &PathBuf| {
        let path = path.clone();
        move |error| match error {
            pem::Error::Io(source) => Error::Io { action: "read", path, source },
            _ => Error::Tls { path, fault: TlsFault::Pem },
        }
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificate).map_err(in_pem(&files.certificate))?;
    let chain: Vec<_> = certificates.collect::<Result<_, _>>().map_err(in_pem(&files.certificate))?;
    let first = chain.first().ok_or_else(|| failed(&files.certificate, TlsFault::NoCertificate))?;
    let ends_at = end_of(first).map_err(|error| failed(&files.certificate, TlsFault::Certificate(error)))?;
    let mode = fs::metadata(&files.key).map_err(Error::io("read", &files.key))?.mode() & 0o7777;
    // A group of its own for TLS keys is what many systems have.
    if mode & 0o007 != 0 {
        return Err(Error::SecretReadable { path: files.key.clone(), mode });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(in_pem(&files.key))?;
    let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| failed(&files.key, TlsFault::Key(error)))?;
    Ok(Loaded { key: Arc::new(key), ends_at })
}

fn end_of(certificate: &CertificateDer<'_>) -> Result<Timestamp, x509_cert::der::Error> {
    let certificate = x509_cert::Certificate::from_der(certificate)?;
    let ends_at = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    Ok(Timestamp::from_unix_secs(ends_at.as_secs()))
}

fn stamp(files: &TlsFiles) -> io::Result<Stamp> {
    let of = |path: &PathBuf| -> io::Result<_> {
        let file = fs::metadata(path)?;
        Ok((file.ino(), file.size(), file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()))
    };
    Ok([of(&files.certificate)?, of(&files.key)?])
}
