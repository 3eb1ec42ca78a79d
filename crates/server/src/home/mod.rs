//! An operator's home: a folder with `admit.toml`, the database, and the secrets that open it. `docs/formats/home.md`
//! describes every file.

mod backup;
mod clocks;
mod config;
mod custody;
mod device;
mod genesis;
mod hardware;
mod init;
pub(crate) mod key_file;
mod partial;
mod permissions;
mod renew;
pub mod root_key;
mod rotate;
mod term;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use admit_crypto::{DecryptionKey, Digest, Provider, SecretScalar, SigningKey};
use admit_license::TrustedHeader;
use admit_license::header::{ContentHeader, HeaderObject};
use admit_protocol::realm::Realm;
use admit_time::Timestamp;
use admit_trust::{Certificate, Properties, Role, TrustRoot};

use crate::Error;
use crate::memory::{Certificates, ContentKeys, Tokens};
use crate::metrics::CacheCounts;
use crate::sealing::{Place, Sealer};
use crate::store::{self, Location, Store};
use crate::time::key::{Seed, TimeSigner};
use crate::token::{self, TokenKeys};

use genesis::TIME_SERVICES;

pub use backup::{Backup, restore};
pub use clocks::{ClockService, ClockServiceFault, OutsideClock};
pub use config::{
    Config, Described, Environment, LicenseLimits, Limit, Log, LogFormat, LogLevel, Mistake, Origin, Origins, Pin,
    Pkcs11, PolicyPaths, Recovery, Share, Time, TlsFiles, Traces,
};
pub(crate) use config::{all_mistakes, nearest};
pub use custody::{KeyCustody, TokenReport, check_token};
pub use init::{InitOptions, InitToken, Made, RootCustody, init};
pub use permissions::exposed_secrets;
pub(crate) use renew::GRACE;
pub use renew::{Renewal, Renewed};
pub use rotate::{KeyRotation, RotationStep};
pub use term::Standing;

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
    enrol_level: u32,
    is_demonstration: bool,
    keys: RwLock<Arc<Keys>>,
    token_keys: TokenKeys,
    tokens: Tokens,
    content_keys: ContentKeys,
    signatures_counts: CacheCounts,
    tokens_counts: CacheCounts,
    content_keys_counts: CacheCounts,
    /// When a request last made this home look for renewed services.
    looked_at: AtomicU64,
}

/// The services' keys, and the realm document that names their certificates.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) document: Vec<u8>,
    document_number: u64,
    pub(crate) license: Signer,
    pub(crate) challenge_key: DecryptionKey,
    /// Challenge keys before the present one, with the time at which each was replaced.
    pub(crate) retired_challenge_keys: Vec<(DecryptionKey, Timestamp)>,
    pub(crate) enrolment: Signer,
    pub(crate) packaging: Signer,
    /// The time services, in the order of the document.
    pub(crate) time: Vec<TimeSigner>,
    /// The certificates of others' clock services.
    outside_clocks: Vec<Certificate>,
    /// This program's certificate, which the document lists.
    application: Option<Certificate>,
}

/// A service's signing key with its certificate.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
}

impl Home {
    /// Opens the home at `path` with the settings of its file.
    pub async fn open(path: &Path, provider: &'static Provider) -> Result<Self, Error> {
        Self::open_in(path, provider, &Environment::default()).await
    }

    /// Opens the home at `path` with the settings of its file and what the environment sets instead.
    pub async fn open_in(path: &Path, provider: &'static Provider, environment: &Environment) -> Result<Self, Error> {
        let config_path = path.join(CONFIG_FILE);
        if !config_path.is_file() {
            return Err(Error::NoHome { path: path.to_owned() });
        }
        let text = fs::read_to_string(&config_path).map_err(Error::io("read", &config_path))?;
        let config = Config::read(&text, &config_path, environment);
        let config = config.map_err(|mistakes| Error::Configuration { mistakes })?;
        let sealer = Sealer::load(provider, path.join(SECRETS_FOLDER), config.pkcs11.clone())?;
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
    pub fn realm_document(&self) -> Vec<u8> {
        self.keys().document.clone()
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

    /// When each of the service certificates ends.
    pub fn service_ends(&self) -> impl Iterator<Item = (Role, Timestamp)> {
        let keys = self.keys();
        let services = [&keys.license, &keys.enrolment, &keys.packaging];
        let end = |service: &Signer| service.certificate.role().map(|role| (role, service.certificate.not_after()));
        services.map(end).into_iter().flatten()
    }

    /// When the first of the service certificates ends.
    #[must_use]
    pub fn services_end_at(&self) -> Timestamp {
        self.service_ends().map(|(_, end)| end).min().unwrap_or_default()
    }

    /// How the services' certificates stand, this program's own, and the trust root's.
    pub fn standings(&self) -> impl Iterator<Item = Standing> {
        let root = Standing::of(term::ROOT, self.root().certificate());
        self.renewable().into_iter().chain([root])
    }

    fn renewable(&self) -> Vec<Standing> {
        let keys = self.keys();
        let services = [&keys.license, &keys.enrolment, &keys.packaging].map(|service| &service.certificate);
        let time = TIME_SERVICES.into_iter().zip(keys.time.iter().map(|service| &service.certificate));
        let named = services.into_iter().chain(&keys.application).filter_map(|it| Some((it.role()?.name(), it)));
        let own = named.chain(time).map(|(name, certificate)| Standing::of(name, certificate));
        own.chain(keys.outside_clocks.iter().map(|it| Standing::of(clocks::name(it), it))).collect()
    }

    /// What the caches counted.
    pub(crate) fn caches(&self) -> [(&'static str, &CacheCounts); 3] {
        let Inner { signatures_counts, tokens_counts, content_keys_counts, .. } = &*self.0;
        [("signatures", signatures_counts), ("tokens", tokens_counts), ("content_keys", content_keys_counts)]
    }

    /// Signs a content header with the packaging key; the result is the data of a `pssh` box.
    #[must_use]
    pub fn sign_header(&self, header: &ContentHeader) -> HeaderObject {
        let packaging = &self.keys().packaging;
        TrustedHeader::sign(header, &packaging.key, std::slice::from_ref(&packaging.certificate))
    }

    /// Takes over keys that another process has renewed or rotated. Says whether the realm document is another one.
    pub async fn reload(&self) -> Result<bool, Error> {
        self.sealer().reload()?;
        let mut connection = self.store().read().await?;
        if store::realm::document_number(&mut connection).await? == self.keys().document_number {
            return Ok(false);
        }
        let row = store::realm::load(&mut connection).await?;
        let load = LoadKeys { provider: self.provider(), sealer: self.sealer() };
        let keys = load.keys(&mut connection, &row).await?;
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(true)
    }

    /// Looks whether the services were renewed by another process, once a second at most, because anybody can make a
    /// request that asks for it.
    pub(crate) async fn look_for_renewed(&self, now: Timestamp) -> Result<bool, Error> {
        let looked_at = self.0.looked_at.swap(now.unix_secs(), Ordering::Relaxed);
        if looked_at == now.unix_secs() { Ok(false) } else { self.reload().await }
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

    /// What the certificate of this program says, as the realm document has it.
    pub(crate) fn application(&self) -> Option<Properties> {
        self.keys().application.as_ref().map(|certificate| certificate.properties().clone())
    }

    /// The services' keys as they are now. A request takes them once, and is answered with them.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn token_key_memory(&self) -> &TokenKeys {
        &self.0.token_keys
    }

    pub(crate) fn verified_tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn content_key_memory(&self) -> &ContentKeys {
        &self.0.content_keys
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
    let (signatures_counts, tokens_counts) = (CacheCounts::default(), CacheCounts::default());
    let content_keys_counts = CacheCounts::default();
    let root = TrustRoot::pin(provider, Certificate::from_der(&row.root_certificate)?, row.fingerprint)?;
    let root = root.with_memory(Certificates::new(signatures_counts.clone()));
    let load = LoadKeys { provider, sealer: &sealer };
    let keys = RwLock::new(Arc::new(load.keys(&mut connection, &row).await?));
    let token_keys = TokenKeys::new(token::load(provider, &sealer, &mut connection).await?);
    drop(connection);
    Ok(Inner {
        path,
        provider,
        config,
        store,
        root,
        name: row.name,
        enrol_level: row.enrol_level,
        is_demonstration: row.sealed_root_key.is_some(),
        keys,
        token_keys,
        tokens: Tokens::new(tokens_counts.clone()),
        content_keys: ContentKeys::new(content_keys_counts.clone()),
        signatures_counts,
        tokens_counts,
        content_keys_counts,
        sealer,
        looked_at: AtomicU64::new(0),
    })
}

struct LoadKeys<'a> {
    provider: &'static Provider,
    sealer: &'a Sealer,
}

impl LoadKeys<'_> {
    async fn keys(&self, connection: &mut store::Connection, row: &store::realm::RealmRow) -> Result<Keys, Error> {
        let (license, encryption) = self.service(connection, Role::License).await?;
        let no_encryption_key = self.place("license", "sealed_encryption_key").damaged();
        let mut retired_challenge_keys = Vec::new();
        for retired in store::challenge_key::all(connection).await? {
            let scalar = self.scalar(challenge_key_place(&retired.thumbprint), &retired.sealed_key)?;
            retired_challenge_keys.push(((self.provider.load_decryption_key)(&scalar), retired.retired_at));
        }
        let realm = Realm::verify(self.provider, &row.document, row.fingerprint);
        let realm = realm.map_err(|_| Error::damaged_document())?;
        let application = renew::application(realm.document())?;
        let time = self.time(connection).await?;
        Ok(Keys {
            document: row.document.clone(),
            document_number: row.document_number,
            license,
            challenge_key: (self.provider.load_decryption_key)(&encryption.ok_or(no_encryption_key)?),
            retired_challenge_keys,
            enrolment: self.service(connection, Role::Enrolment).await?.0,
            packaging: self.service(connection, Role::Packaging).await?.0,
            outside_clocks: clocks::outside(realm.document(), time.iter().map(|own| &own.certificate))?,
            time,
            application,
        })
    }

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
        if Some(key.public_key()) != certificate.public_key() {
            return Err(place("certificate").damaged());
        }
        let encryption = match encryption {
            Some(sealed) => Some(self.scalar(place("sealed_encryption_key"), &sealed)?),
            None => None,
        };
        Ok((Signer { key, certificate }, encryption))
    }

    async fn time(&self, connection: &mut store::Connection) -> Result<Vec<TimeSigner>, Error> {
        let mut services = Vec::with_capacity(TIME_SERVICES.len());
        for id in TIME_SERVICES {
            let place = |column| self.place(id, column);
            let found = store::service_key::find(connection, id).await?;
            let (certificate, sealed, _) = found.ok_or_else(|| place("row").damaged())?;
            let seed = time_seed(self.sealer, place("sealed_signing_key"), &sealed)?;
            let service = TimeSigner::new(self.provider, &seed, Certificate::from_der(&certificate)?);
            services.push(service.ok_or_else(|| place("certificate").damaged())?);
        }
        Ok(services)
    }

    fn scalar(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretScalar, Error> {
        let opened = self.sealer.open(place, sealed)?;
        SecretScalar::from_slice(opened.bytes()).map_err(|_| place.damaged())
    }

    const fn place<'a>(&self, row: &'a str, column: &'static str) -> Place<'a> {
        service_key_place(row, column)
    }
}

/// Opens the seed of a time key.
fn time_seed(sealer: &Sealer, place: Place<'_>, sealed: &[u8]) -> Result<Seed, Error> {
    let opened = sealer.open(place, sealed)?;
    Ok(Seed::new(opened.bytes().try_into().map_err(|_| place.damaged())?))
}

const fn service_key_place<'a>(row: &'a str, column: &'static str) -> Place<'a> {
    Place { table: store::service_key::TABLE, row: row.as_bytes(), column }
}

const fn challenge_key_place(thumbprint: &Digest) -> Place<'_> {
    Place { table: store::challenge_key::TABLE, row: thumbprint.as_bytes(), column: "sealed_key" }
}

const CONFIG_FILE: &str = "admit.toml";
const DATABASE_FILE: &str = "admit.db";
/// The acquisition script that a new home has.
const SCRIPT_FILE: &str = "policy.rhai";
const SECRETS_FOLDER: &str = "secrets";
const KEY_FILE: &str = "key-encryption-key";
const ROOT_FILE: &str = "root.pem";
const ROOT_KEY_FILE: &str = "root-key.pem";
