//! A client's folder: one folder a realm, named by the realm's fingerprint. It holds the realm document as it was
//! verified, the address it came from, the store, the store's key, and a lock.
//!
//! A realm that has a folder is trusted. Making one takes the user's word for the fingerprint.

use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use admit_client::{StorageError, Store, enrol};
use admit_crypto::{Digest, Provider, RecordKey, aws_lc};
use admit_packager::AtomicFile;
use admit_protocol::Code;
use admit_protocol::realm::{self, MAX_REALM_DOCUMENT, REALM_PATH, Realm};
use admit_time::Timestamp;
use admit_trust::{DateCheck, TrustRoot};

use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::system::{Http, SqliteKeyValue, SystemEntropy, origin, server_origin};

/// The provider of this program.
pub(crate) static PROVIDER: &Provider = &aws_lc::PROVIDER;

/// A time that has certainly passed: when this version was made, 2026-11-22. Until the clock is set by a signed
/// time, certificates that had ended by then are refused and nothing is said of others.
pub(crate) const HARD_FLOOR: Timestamp = Timestamp::from_unix_secs(1_795_305_600);

/// What certificates' dates are compared with.
pub(crate) const DATES: DateCheck = DateCheck::NotExpiredBefore(HARD_FLOOR);

/// How a client comes to know a realm.
pub(crate) const PLAY_FIRST: &str = "Play some content of a realm first, so that this client is enrolled there";

/// A realm that this client trusts.
pub(crate) struct ClientRealm {
    folder: PathBuf,
    address: String,
    pub(crate) realm: Realm,
}

/// What holds a client's folder to one writer at a time. The lock ends with it.
#[must_use]
pub(crate) struct Lock {
    _file: File,
}

impl ClientRealm {
    /// The realm of this fingerprint, if it is trusted already.
    pub(crate) fn load(client: &Path, fingerprint: Digest) -> Outcome<Option<Self>> {
        let folder = client.join(fingerprint.to_string());
        let document = folder.join(REALM_DOCUMENT);
        let bytes = match fs::read(&document) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(&document, &error)),
        };
        let realm = Realm::verify(PROVIDER, &bytes, fingerprint)?;
        let address_file = folder.join(ADDRESS);
        let address = fs::read_to_string(&address_file).map_err(|error| Failure::file(&address_file, &error))?;
        Ok(Some(Self { folder, address, realm }))
    }

    /// Every realm that is trusted.
    pub(crate) fn load_all(client: &Path) -> Outcome<Vec<Self>> {
        let entries = match fs::read_dir(client) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::file(client, &error)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut fingerprints: Vec<Digest> = names.filter_map(|name| Digest::from_hex(&name)).collect();
        fingerprints.sort();
        let realms = fingerprints.into_iter().map(|fingerprint| Self::load(client, fingerprint));
        Ok(realms.collect::<Outcome<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// The realm that was named, or else the only one that this client knows. `advice` is for a client that does not know it.
    pub(crate) fn choose(client: &Path, named: Option<Digest>, advice: &str) -> Outcome<Self> {
        let untrusted = |sentence: &str| Failure::new(Code::ADMIT_E_REALM_NOT_TRUSTED, sentence);
        if let Some(fingerprint) = named {
            let unknown = || untrusted(&format!("this client does not know realm {fingerprint}")).with_action(advice);
            return Self::load(client, fingerprint)?.ok_or_else(unknown);
        }
        let mut known = Self::load_all(client)?;
        match (known.pop(), known.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                let name = |it: &Self| format!("{} ({})", it.realm.document().name, it.realm.root().realm());
                let all: Vec<String> = known.iter().chain([&last]).map(name).collect();
                let sentence = format!("this client knows several realms: {}", all.join(", "));
                Err(untrusted(&sentence).with_action("Name one of them with --realm"))
            }
            (None, _) => Err(untrusted("this client is enrolled in no realm yet").with_action(advice)),
        }
    }

    /// The realm of this fingerprint, trusted now if the user says so: by `--trust`, or at a prompt. No byte is
    /// sent to `server` before that, and nothing is kept unless `vouched` finds that the realm stands behind the
    /// address.
    pub(crate) fn load_or_trust(
        client: &Path,
        fingerprint: Digest,
        server: &str,
        trusted: Option<Digest>,
        http: &Http,
        vouched: impl FnOnce(&TrustRoot) -> Outcome<()>,
    ) -> Outcome<Self> {
        if let Some(realm) = Self::load(client, fingerprint)? {
            return Ok(realm);
        }
        let server = origin(server).ok_or_else(|| {
            Failure::new(Code::ADMIT_E_HEADER_MALFORMED, format!("the license address {server:?} is not a URL"))
        })?;
        ask_for_trust("the content", fingerprint, server, trusted)?;
        let bytes = http.get(&format!("{server}{REALM_PATH}"), MAX_REALM_DOCUMENT)?;
        let realm = Realm::verify(PROVIDER, &bytes, fingerprint)?;
        // The address will be sent tokens from now on: the realm must have signed it, not only be found there.
        vouched(realm.root())?;
        Self::create(client, server, realm, &bytes)
    }

    /// The realm of a server that the user names, trusted now if the user says so. Whose realm it is, only the server can say; that
    /// tokens may be sent there, the user says by naming it. A realm that is trusted already is asked where it was, or not at all.
    pub(crate) fn load_or_trust_at(client: &Path, server: &str, trusted: Option<Digest>, http: &Http) -> Outcome<Self> {
        let server = server_origin(server)?;
        let bytes = http.get(&format!("{server}{REALM_PATH}"), MAX_REALM_DOCUMENT)?;
        let fingerprint = realm::claimed_fingerprint(PROVIDER, &bytes)?;
        let known = Self::load(client, fingerprint)?;
        if known.is_none() || trusted.is_some() {
            ask_for_trust(server, fingerprint, server, trusted)?;
        }
        match known {
            Some(known) if known.address == server => Ok(known),
            Some(known) => known.move_to(server, &bytes),
            None => Self::create(client, server, Realm::verify(PROVIDER, &bytes, fingerprint)?, &bytes),
        }
    }

    /// An address at which nobody was enrolled may have been a slip, and gives way. The document does not become an older one.
    fn move_to(mut self, server: &str, document: &[u8]) -> Outcome<Self> {
        let _lock = self.lock()?;
        if self.is_enrolled()? {
            return Err(self.is_elsewhere(server));
        }
        self.replace(document)?;
        write_file(&self.folder.join(ADDRESS), server.as_bytes())?;
        server.clone_into(&mut self.address);
        Ok(self)
    }

    /// Refuses a realm that is not the one of this fingerprint.
    pub(crate) fn must_be(&self, trusted: Digest) -> Outcome<()> {
        let realm = self.realm.root().realm();
        if realm == trusted {
            return Ok(());
        }
        let sentence = format!("the keys would be asked for in realm {realm}, and {trusted} is what was named");
        Err(Failure::new(Code::ADMIT_E_REALM_NOT_TRUSTED, sentence))
    }

    /// Whether whoever has this folder was enrolled in the realm.
    pub(crate) fn is_enrolled(&self) -> Outcome<bool> {
        Ok(enrol::identity(PROVIDER, self.realm.root(), DATES, &self.store()?)?.is_some())
    }

    fn is_elsewhere(&self, server: &str) -> Failure {
        let sentence = format!("this client knows the realm of {server} at {}", self.address);
        let action = format!("Name that address, or delete {} to begin anew at the other", self.folder.display());
        Failure::new(Code::ADMIT_E_REALM_MISMATCH, sentence).with_action(action)
    }

    /// Keeps a realm in the folder of a client or device.
    fn create(client: &Path, server: &str, realm: Realm, bytes: &[u8]) -> Outcome<Self> {
        let folder = client.join(realm.root().realm().to_string());
        private_folder(&folder)?;
        write_file(&folder.join(ADDRESS), server.as_bytes())?;
        write_file(&folder.join(REALM_DOCUMENT), bytes)?;
        Ok(Self { folder, address: server.to_owned(), realm })
    }

    /// Keeps the realm of this document, which comes from an operator's home, in the folder of a device.
    pub(crate) fn install(device: &Path, server: &str, fingerprint: Digest, bytes: &[u8]) -> Outcome<Self> {
        Self::create(device, server, Realm::verify(PROVIDER, bytes, fingerprint)?, bytes)
    }

    /// Keeps this realm in the folder of a device, too.
    pub(crate) fn copy_to(&self, device: &Path) -> Outcome<Self> {
        let document = self.folder.join(REALM_DOCUMENT);
        let bytes = fs::read(&document).map_err(|error| Failure::file(&document, &error))?;
        Self::create(device, &self.address, self.realm.clone(), &bytes)
    }

    /// Where it is kept.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fetches the realm document again: its services may have new keys.
    pub(crate) fn fetch(&self, http: &Http) -> Outcome<Vec<u8>> {
        http.get(&format!("{}{REALM_PATH}", self.address), MAX_REALM_DOCUMENT)
    }

    /// Verifies a realm document and keeps it in place of the one there is, which may not be newer.
    pub(crate) fn replace(&mut self, bytes: &[u8]) -> Outcome<()> {
        let realm = Realm::verify(PROVIDER, bytes, self.realm.root().realm())?;
        if realm.document().number < self.realm.document().number {
            return Err(Failure::new(Code::ADMIT_E_REALM_MISMATCH, "the server offers an older realm document"));
        }
        write_file(&self.folder.join(REALM_DOCUMENT), bytes)?;
        self.realm = realm;
        Ok(())
    }

    /// The absolute address of a service.
    pub(crate) fn service_url(&self, role: admit_trust::Role) -> Outcome<String> {
        Ok(self.absolute(self.realm.address(role)?))
    }

    /// An address of the realm document, which may be relative to where that was found.
    pub(crate) fn absolute(&self, address: &str) -> String {
        if address.starts_with('/') { format!("{}{address}", self.address) } else { address.to_owned() }
    }

    /// Waits until no other process writes in this realm's folder.
    pub(crate) fn lock(&self) -> Outcome<Lock> {
        let path = self.folder.join(LOCK);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|error| Failure::file(&path, &error))?;
        file.lock().map_err(|error| Failure::file(&path, &error))?;
        Ok(Lock { _file: file })
    }

    /// Opens the license store for whoever holds the folder: what was reserved by a program that is gone is given back.
    pub(crate) fn settled_store(&self, _: &Lock) -> Outcome<Store<'static, SqliteKeyValue>> {
        let mut store = self.store()?;
        let mut entropy = store.entropy(&mut SystemEntropy);
        store.return_reservations(&mut entropy)?;
        Ok(store)
    }

    /// The same for whoever only looks, which must work where nothing can be written: what was reserved is then shown as used.
    pub(crate) fn store_to_show(&self, _: &Lock) -> Outcome<Store<'static, SqliteKeyValue>> {
        let mut store = self.store()?;
        let mut entropy = store.entropy(&mut SystemEntropy);
        match store.return_reservations(&mut entropy) {
            Ok(_) | Err(admit_client::Error::Storage(StorageError::Failed { .. })) => Ok(store),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the license store.
    pub(crate) fn store(&self) -> Outcome<Store<'static, SqliteKeyValue>> {
        let key = self.store_key()?;
        let storage = SqliteKeyValue::open(&self.folder.join(STORE)).map_err(admit_client::Error::from)?;
        Ok(Store::open(PROVIDER, storage, self.realm.root().realm(), key, &mut SystemEntropy)?)
    }

    /// The key that seals the store. A missing key beside a store that is there is damage and not a beginning.
    fn store_key(&self) -> Outcome<RecordKey> {
        let path = self.folder.join(STORE_KEY);
        match fs::read(&path) {
            Ok(bytes) => RecordKey::from_slice(&Zeroizing::new(bytes)).ok_or_else(|| {
                Failure::new(Code::ADMIT_E_STORE_TAMPERED, format!("{} does not hold a key", path.display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !self.folder.join(STORE).exists() => {
                let key = RecordKey::generate(&mut SystemEntropy);
                write_file(&path, key.expose())?;
                Ok(key)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::new(
                Code::ADMIT_E_STORE_TAMPERED,
                format!("{} is gone and its store is not", path.display()),
            )),
            Err(error) => Err(Failure::file(&path, &error)),
        }
    }
}

/// Whether the user trusts the realm of `what`: says so already, or is asked at the terminal. Without one, says what to pass.
fn ask_for_trust(what: &str, fingerprint: Digest, server: &str, trusted: Option<Digest>) -> Outcome<()> {
    let not_trusted = |sentence: String| {
        Failure::new(Code::ADMIT_E_REALM_NOT_TRUSTED, sentence)
            .with_action(format!("If the operator gave you this fingerprint, pass --trust {fingerprint}"))
    };
    match trusted {
        Some(trusted) if trusted == fingerprint => return Ok(()),
        Some(other) => return Err(not_trusted(format!("{what} belongs to realm {fingerprint} and not to {other}"))),
        None => {}
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(not_trusted(format!("this client does not trust realm {fingerprint} at {server} yet")));
    }
    let question = format!(
        "Licenses come from {server}, whose trust root has the fingerprint\n  {fingerprint}\n\
         Compare it with the one the operator publishes. Trust this realm? [y/N] "
    );
    // Who does not see the question does not answer it with yes.
    let _ = std::io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(not_trusted(format!("realm {fingerprint} was not trusted"))),
    }
}

/// Makes a folder that only this account can read.
fn private_folder(path: &Path) -> Outcome<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| Failure::file(path, &error))
}

/// Writes a file whole or not at all. The folder above is readable by this account only.
fn write_file(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let written = AtomicFile::create_private(path, SystemEntropy.nonce()).and_then(|mut file| {
        file.file().write_all(bytes)?;
        file.commit()
    });
    written.map_err(|error| Failure::file(path, &error))
}

const REALM_DOCUMENT: &str = "realm.cbor";
const ADDRESS: &str = "address";
const STORE: &str = "store.db";
const STORE_KEY: &str = "store.key";
const LOCK: &str = "lock";
