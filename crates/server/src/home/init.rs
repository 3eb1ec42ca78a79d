//! Making a home: everything is written in a folder beside the one asked for, which takes its name only when it is
//! complete and on the disk.

use std::fs;
use std::path::{Path, PathBuf};

use admit_crypto::{Digest, Entropy, Provider, RecordKey};
use admit_time::Timestamp;

use super::genesis::{FIRST_DOCUMENT, Genesis, NewService};
use super::key_file::KeyFile;
use super::partial::Partial;
use super::{
    CONFIG_FILE, Config, DATABASE_FILE, KEY_FILE, Mistake, Origin, Pkcs11, PolicyPaths, ROOT_FILE, ROOT_KEY_FILE,
    SCRIPT_FILE, SECRETS_FOLDER, Time, config, custody, key_file, root_key, service_key_place,
};
use crate::policy::DEFAULT_SCRIPT;
use crate::sealing::{Place, SealingKey};
use crate::store::realm::{RealmRow, Sealing};
use crate::store::service_key::ServiceKeyRow;
use crate::store::token_key::TokenKeyRow;
use crate::store::{self, Location, Store};
use crate::{Error, audit, token};

/// What a new home is asked to be.
#[derive(Clone, Copy)]
pub struct InitOptions<'a> {
    /// The operator's name, for people.
    pub name: &'a str,
    /// The time now.
    pub now: Timestamp,
    /// The security level that clients enrol at; 150 unless there is a reason.
    pub enrol_level: u32,
    /// The security level that playing inside this program counts as; 150 unless there is a reason.
    pub application_level: u32,
    /// The address under which clients reach the server.
    pub public_address: Option<&'a str>,
    /// The URL of a PostgreSQL database; without it, a SQLite file in the home.
    pub database_url: Option<&'a str>,
    /// Who keeps the root key.
    pub root: RootCustody<'a>,
    /// The token whose key the key-encryption key is put under; without one, it is in a file as it is.
    pub token: Option<InitToken<'a>>,
}

/// A PKCS#11 token for a new home.
#[derive(Debug, Clone, Copy)]
pub struct InitToken<'a> {
    /// The token, its key and its PIN.
    pub settings: &'a Pkcs11,
    /// The file of the PIN, which the new settings name. The PIN itself never stands there.
    pub pin_file: Option<&'a Path>,
    /// Whether the key is made if it is not there.
    pub create_key: bool,
}

/// Its URL of a database may hold a password.
impl std::fmt::Debug for InitOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InitOptions").field("name", &self.name).field("root", &self.root).finish_non_exhaustive()
    }
}

/// Who keeps the root key.
#[derive(Clone, Copy)]
pub enum RootCustody<'a> {
    /// The operator: it is written to `root-key.pem`, encrypted under this passphrase, to be taken away.
    Export {
        /// The passphrase.
        passphrase: &'a str,
    },
    /// The home: for demonstrations only.
    Online,
}

impl std::fmt::Debug for RootCustody<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Export { .. } => "Export(secret)",
            Self::Online => "Online",
        })
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The realm: the fingerprint of its trust root, which clients are told to trust.
    pub realm: Digest,
    /// The encrypted root key, to be taken away.
    pub root_key: Option<PathBuf>,
}

/// Makes a home at `path`, which must not exist or be an empty folder.
pub async fn init(
    path: &Path,
    options: &InitOptions<'_>,
    provider: &'static Provider,
    entropy: &mut (dyn Entropy + Send),
) -> Result<Made, Error> {
    refuse_existing(path)?;
    check_name(options.name)?;
    if let Some(address) = options.public_address.filter(|address| !config::is_http_address(address)) {
        let reason = format!("expected an address such as https://drm.example.org, not {address}");
        let key = Some("public_address".to_owned());
        return Err(Error::Configuration { mistakes: vec![Mistake { origin: Origin::Argument, key, reason }] });
    }
    let partial = Partial::claim(path)?;
    let genesis = Genesis::new(options, provider, entropy)?;
    let realm = genesis.root.fingerprint(provider);
    let written = write_home(&partial.folder, options, provider, &genesis, entropy).await;
    if let Err(error) = written.and_then(|()| partial.rename(path)) {
        partial.remove()?;
        return Err(error);
    }
    sync_parent(path)?;
    let exported = matches!(options.root, RootCustody::Export { .. });
    Ok(Made { realm, root_key: exported.then(|| path.join(ROOT_KEY_FILE)) })
}

async fn write_home(
    folder: &Path,
    options: &InitOptions<'_>,
    provider: &'static Provider,
    genesis: &Genesis,
    entropy: &mut (dyn Entropy + Send),
) -> Result<(), Error> {
    let secrets = folder.join(SECRETS_FOLDER);
    key_file::make_folder(&secrets)?;
    let key = RecordKey::from_bytes(*genesis.key_encryption_key.expose());
    let key = match options.token {
        Some(token) => custody::wrap(provider, token.settings, token.create_key, &key, entropy)?,
        None => KeyFile::Plain(key),
    };
    key_file::write(&secrets.join(KEY_FILE), &key)?;
    write_settings(folder, options)?;
    key_file::write_new(&folder.join(SCRIPT_FILE), DEFAULT_SCRIPT.as_bytes(), 0o644)?;
    let root = genesis.root.to_pem();
    key_file::write_new(&folder.join(ROOT_FILE), root.as_bytes(), 0o644)?;
    if let RootCustody::Export { passphrase } = options.root {
        let pem = root_key::export(&genesis.root_key, passphrase, entropy)?;
        key_file::write_secret(&folder.join(ROOT_KEY_FILE), pem.as_bytes())?;
    }
    let rows = Rows::seal(options, provider, genesis, entropy);
    let database = match options.database_url {
        Some(url) => Location::Postgres(url.to_owned()),
        None => Location::Sqlite(folder.join(DATABASE_FILE)),
    };
    write_database(&database, options, provider, &rows).await?;
    key_file::sync_folder(&secrets)?;
    key_file::sync_folder(folder)
}

fn write_settings(folder: &Path, options: &InitOptions<'_>) -> Result<(), Error> {
    let database = options.database_url.map(|url| Location::Postgres(url.to_owned()));
    let public_address = options.public_address.map(str::to_owned);
    let pkcs11 = options.token.map(|token| token.settings.clone());
    let pin_file = options.token.and_then(|token| token.pin_file).map(|file| ("pkcs11.pin", file));
    // Where people try things out, the clock is as right as that of whoever tries them.
    let largest_error_secs = matches!(options.root, RootCustody::Online).then_some(2);
    let time = Time { largest_error_secs, ..Time::default() };
    let policy = PolicyPaths { script: Some(SCRIPT_FILE.into()), rules: None };
    let config = Config { public_address, database, pkcs11, time, policy, ..Config::default() };
    let text = config::sample(&config, pin_file.as_slice());
    // The address of a database may hold its password.
    let mode = if options.database_url.is_some() || options.token.is_some() { 0o600 } else { 0o644 };
    key_file::write_new(&folder.join(CONFIG_FILE), text.as_bytes(), mode)
}

/// The first rows of the database.
struct Rows {
    realm: RealmRow,
    services: Vec<ServiceKeyRow>,
    token_key: TokenKeyRow,
}

impl Rows {
    fn seal(options: &InitOptions<'_>, provider: &'static Provider, new: &Genesis, entropy: &mut dyn Entropy) -> Self {
        let key = RecordKey::from_bytes(*new.key_encryption_key.expose());
        let sealer = SealingKey::new(provider, key);
        let fingerprint = new.root.fingerprint(provider);
        let online = matches!(options.root, RootCustody::Online);
        let sealed_root_key = online.then(|| sealer.seal(ROOT_KEY_PLACE, new.root_key.expose(), entropy));
        let realm = RealmRow {
            name: options.name.to_owned(),
            fingerprint,
            root_certificate: new.root.der().to_vec(),
            document: new.document.clone(),
            document_number: FIRST_DOCUMENT,
            enrol_level: options.enrol_level,
            sealed_root_key,
            sealing: Sealing { key: sealer.id(), retiring: None },
            created_at: options.now,
        };
        let services = new.services.iter().map(|service| service_row(service, options.now, &sealer, entropy)).collect();
        let token_key = token::own_row(provider, &sealer, &fingerprint, &new.token_key, options.now, entropy);
        Self { realm, services, token_key }
    }
}

pub(super) fn service_row(
    service: &NewService,
    now: Timestamp,
    sealer: &SealingKey,
    entropy: &mut dyn Entropy,
) -> ServiceKeyRow {
    let place = |column| service_key_place(service.id, column);
    let encryption_key = service.encryption_key.as_ref();
    ServiceKeyRow {
        id: service.id.to_owned(),
        certificate: service.certificate.der().to_vec(),
        sealed_signing_key: sealer.seal(place("sealed_signing_key"), &*service.signing_key, entropy),
        sealed_encryption_key: encryption_key
            .map(|key| sealer.seal(place("sealed_encryption_key"), key.expose(), entropy)),
        created_at: now,
    }
}

async fn write_database(
    database: &Location,
    options: &InitOptions<'_>,
    provider: &Provider,
    rows: &Rows,
) -> Result<(), Error> {
    let store = Store::create(database).await?;
    let mut transaction = store.write().await?;
    if store::realm::exists(&mut transaction).await? {
        return Err(Error::DatabaseTaken);
    }
    store::realm::insert(&mut transaction, &rows.realm).await?;
    for row in &rows.services {
        store::service_key::insert(&mut transaction, row).await?;
    }
    store::token_key::insert(&mut transaction, &rows.token_key).await?;
    let realm = rows.realm.fingerprint;
    let detail = serde_json::json!({ "name": options.name, "enrol_level": options.enrol_level });
    let (event, subject) = (audit::Event::HomeMade, realm.to_string());
    let entry = audit::NewEntry { at: options.now, event, subject, detail_json: detail.to_string() };
    audit::append(provider, realm, &mut transaction, entry).await?;
    transaction.commit().await?;
    store.close().await;
    Ok(())
}

/// A common name has at most 64 characters (RFC 5280 appendix A.1), and services put their own words behind it.
fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=MAX_NAME).contains(&name.chars().count());
    let plain = name.trim() == name && !name.chars().any(char::is_control);
    if fits && plain { Ok(()) } else { Err(Error::Name { limit: MAX_NAME }) }
}

/// An empty folder may become a home; anything else that is there is left alone.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Error> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::HomeExists { path: path.to_owned() }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            Err(Error::HomeExists { path: path.to_owned() })
        }
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

pub(super) fn sync_parent(path: &Path) -> Result<(), Error> {
    let absolute = std::path::absolute(path).map_err(Error::io("find", path))?;
    absolute.parent().map_or(Ok(()), key_file::sync_folder)
}

pub(super) const ROOT_KEY_PLACE: Place<'static> =
    Place { table: store::realm::TABLE, row: b"1", column: "sealed_root_key" };
const MAX_NAME: usize = 40;
