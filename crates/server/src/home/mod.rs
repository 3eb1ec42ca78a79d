//! An operator's home: a folder with `admit.toml`, the database, and the secrets that open it. `docs/formats/home.md`
//! describes every file.

mod config;
mod genesis;
mod init;
mod key_file;
mod partial;
pub mod root_key;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admit_crypto::{DecryptionKey, Digest, Provider, SecretScalar, SigningKey};
use admit_license::TrustedHeader;
use admit_license::header::{ContentHeader, HeaderObject};
use admit_time::Timestamp;
use admit_trust::{Certificate, Role, TrustRoot};

use crate::memory::{Signatures, Tokens};
use crate::sealing::{Place, Sealer};
use crate::store::{self, Location, Store};
use crate::token::{self, TokenKeys};
use crate::{Error, audit};

pub use config::Config;
pub use init::{InitOptions, Made, RootCustody, init};

/// An open home. Clones share it.
#[derive(Debug, Clone)]
pub struct Home(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    provider: &'static Provider,
    config: Config,
    store: Store,
    sealer: Sealer,
    root: TrustRoot,
    name: String,
    document: Vec<u8>,
    enrol_level: u32,
    is_demonstration: bool,
    license: Signer,
    challenge_key: DecryptionKey,
    enrolment: Signer,
    packaging: Signer,
    token_keys: TokenKeys,
    tokens: Tokens,
}

/// A service's signing key with its certificate.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
}

impl Home {
    /// Opens the home at `path`.
    pub async fn open(path: &Path, provider: &'static Provider) -> Result<Self, Error> {
        let config_path = path.join(CONFIG_FILE);
        if !config_path.is_file() {
            return Err(Error::NoHome { path: path.to_owned() });
        }
        let text = fs::read_to_string(&config_path).map_err(Error::io("read", &config_path))?;
        let config = Config::parse(&text, &config_path)?;
        let sealer = Sealer::new(provider, key_file::read(&path.join(SECRETS_FOLDER).join(KEY_FILE))?);
        let database = config.database.clone().unwrap_or_else(|| Location::Sqlite(path.join(DATABASE_FILE)));
        if let Location::Sqlite(file) = &database {
            fs::metadata(file).map_err(Error::io("open", file))?;
        }
        let store = Store::open(&database).await?;
        let inner = load(path.to_owned(), provider, config, store, sealer).await?;
        Ok(Self(Arc::new(inner)))
    }

    /// The realm: the fingerprint of the trust root.
    #[must_use]
    pub fn realm(&self) -> Digest {
        self.0.root.realm()
    }

    /// The trust root.
    #[must_use]
    pub fn root(&self) -> &TrustRoot {
        &self.0.root
    }

    /// The operator's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where the home is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The signed realm document.
    #[must_use]
    pub fn realm_document(&self) -> &[u8] {
        &self.0.document
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Whether the root key is in the home, which is for demonstrations only.
    #[must_use]
    pub fn is_demonstration(&self) -> bool {
        self.0.is_demonstration
    }

    /// When the first of the service certificates ends.
    #[must_use]
    pub fn services_end_at(&self) -> Timestamp {
        let services = [&self.0.license, &self.0.enrolment, &self.0.packaging];
        services.map(|service| service.certificate.not_after()).into_iter().min().unwrap_or_default()
    }

    /// Signs a content header with the packaging key; the result is the data of a `pssh` box.
    #[must_use]
    pub fn sign_header(&self, header: &ContentHeader) -> HeaderObject {
        let packaging = &self.0.packaging;
        TrustedHeader::sign(header, &packaging.key, std::slice::from_ref(&packaging.certificate))
    }

    /// Revokes a client's certificate: it gets no more licenses.
    pub async fn revoke_client(&self, fingerprint: &Digest, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.store().write().await?;
        if store::client::find(&mut transaction, fingerprint).await?.is_none() {
            return Err(Error::UnknownClient { fingerprint: *fingerprint });
        }
        if store::client::revoke(&mut transaction, fingerprint, now).await? {
            let (event, subject) = (audit::Event::ClientRevoked, fingerprint.to_string());
            self.append_audit(&mut transaction, now, event, &subject, &serde_json::json!({})).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Closes the database. Other clones cannot use it from then on.
    pub async fn close(&self) {
        self.0.store.close().await;
    }

    pub(crate) fn provider(&self) -> &'static Provider {
        self.0.provider
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub(crate) fn enrol_level(&self) -> u32 {
        self.0.enrol_level
    }

    pub(crate) fn license_signer(&self) -> &Signer {
        &self.0.license
    }

    pub(crate) fn challenge_key(&self) -> &DecryptionKey {
        &self.0.challenge_key
    }

    pub(crate) fn enrolment_signer(&self) -> &Signer {
        &self.0.enrolment
    }

    pub(crate) fn token_key_memory(&self) -> &TokenKeys {
        &self.0.token_keys
    }

    pub(crate) fn verified_tokens(&self) -> &Tokens {
        &self.0.tokens
    }
}

async fn load(
    path: PathBuf,
    provider: &'static Provider,
    config: Config,
    store: Store,
    sealer: Sealer,
) -> Result<Inner, Error> {
    let mut connection = store.read().await?;
    let row = store::realm::load(&mut connection).await?;
    let root = TrustRoot::pin(provider, Certificate::from_der(&row.root_certificate)?, row.fingerprint)?;
    let root = root.with_memory(Signatures::new());
    let load = LoadKeys { provider, sealer: &sealer };
    let (license, encryption) = load.service(&mut connection, Role::License).await?;
    let no_encryption_key = load.place("license", "sealed_encryption_key").damaged();
    let challenge_key = (provider.load_decryption_key)(&encryption.ok_or(no_encryption_key)?);
    let (enrolment, _) = load.service(&mut connection, Role::Enrolment).await?;
    let (packaging, _) = load.service(&mut connection, Role::Packaging).await?;
    let token_keys = TokenKeys::new(token::load(provider, &sealer, &mut connection).await?);
    drop(connection);
    Ok(Inner {
        path,
        provider,
        config,
        store,
        root,
        name: row.name,
        document: row.document,
        enrol_level: row.enrol_level,
        is_demonstration: row.sealed_root_key.is_some(),
        license,
        challenge_key,
        enrolment,
        packaging,
        token_keys,
        tokens: Tokens::new(),
        sealer,
    })
}

struct LoadKeys<'a> {
    provider: &'static Provider,
    sealer: &'a Sealer,
}

impl LoadKeys<'_> {
    async fn service(
        &self,
        connection: &mut store::Connection,
        role: Role,
    ) -> Result<(Signer, Option<SecretScalar>), Error> {
        let place = |column| self.place(role.name(), column);
        let found = store::service_key::find(connection, role.name()).await?;
        let (certificate, signing, encryption) = found.ok_or_else(|| place("row").damaged())?;
        let certificate = Certificate::from_der(&certificate)?;
        let key = (self.provider.load_signing_key)(&self.scalar(place("sealed_signing_key"), &signing)?);
        if key.public_key() != certificate.public_key() {
            return Err(place("certificate").damaged());
        }
        let encryption = match encryption {
            Some(sealed) => Some(self.scalar(place("sealed_encryption_key"), &sealed)?),
            None => None,
        };
        Ok((Signer { key, certificate }, encryption))
    }

    fn scalar(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretScalar, Error> {
        let opened = self.sealer.open(place, sealed)?;
        SecretScalar::from_slice(opened.bytes()).map_err(|_| place.damaged())
    }

    const fn place<'a>(&self, row: &'a str, column: &'static str) -> Place<'a> {
        service_key_place(row, column)
    }
}

const fn service_key_place<'a>(row: &'a str, column: &'static str) -> Place<'a> {
    Place { table: store::service_key::TABLE, row: row.as_bytes(), column }
}

const CONFIG_FILE: &str = "admit.toml";
const DATABASE_FILE: &str = "admit.db";
const SECRETS_FOLDER: &str = "secrets";
const KEY_FILE: &str = "key-encryption-key";
const ROOT_FILE: &str = "root.pem";
const ROOT_KEY_FILE: &str = "root-key.pem";
