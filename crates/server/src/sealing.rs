//! Secrets at rest: sealed under the home's key-encryption key for one table, row and column each. While the key is
//! rotated there are two: the database says which one seals, and either opens.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use admit_crypto::record::{self, Opened};
use admit_crypto::{Digest, Entropy, Provider, RecordKey};

use crate::Error;
use crate::home::Pkcs11;
use crate::home::key_file::{self, KeyFile};
use crate::pkcs11::{Pkcs11Fault, Token, WrappedKey, name_of};
use crate::store::{self, Connection};

/// The place in the database that a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a [u8],
    pub(crate) column: &'static str,
}

/// A key-encryption key and its name.
#[derive(Debug)]
pub(crate) struct SealingKey {
    provider: &'static Provider,
    id: Digest,
    key: RecordKey,
}

/// Opens with the home's key-encryption keys, and finds the one that seals.
#[derive(Debug)]
pub(crate) struct Sealer {
    provider: &'static Provider,
    secrets: PathBuf,
    /// The token that opens what is under its key.
    pkcs11: Option<Pkcs11>,
    keys: RwLock<Vec<Arc<SealingKey>>>,
    /// Held while the files are read: who comes meanwhile finds what was read, and the token is asked once.
    reading: Mutex<()>,
}

impl SealingKey {
    pub(crate) fn new(provider: &'static Provider, key: RecordKey) -> Self {
        let id = name_of(provider, &key);
        Self { provider, id, key }
    }

    /// What the database calls this key.
    pub(crate) const fn id(&self) -> Digest {
        self.id
    }

    pub(crate) fn seal(&self, place: Place<'_>, secret: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        record::seal(self.provider, &self.key, &place.context(), secret, entropy)
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error> {
        record::open(self.provider, &self.key, &place.context(), sealed).map_err(|_| place.damaged())
    }
}

impl Sealer {
    /// Reads the keys in a home's folder of secrets.
    pub(crate) fn load(provider: &'static Provider, secrets: PathBuf, pkcs11: Option<Pkcs11>) -> Result<Self, Error> {
        let (keys, reading) = (RwLock::default(), Mutex::default());
        let sealer = Self { provider, secrets, pkcs11, keys, reading };
        sealer.reload()?;
        Ok(sealer)
    }

    /// Opens under any of the keys. Where none does, they may have changed on the disk.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error> {
        let open = |keys: Vec<Arc<SealingKey>>| keys.iter().find_map(|key| key.open(place, sealed).ok());
        if let Some(opened) = open(self.keys()) {
            return Ok(opened);
        }
        self.reload()?;
        open(self.keys()).ok_or_else(|| place.damaged())
    }

    /// The key that seals, as the database says in this transaction: what is sealed with it and written in the same
    /// one is not missed by a rotation.
    pub(crate) async fn sealing(&self, transaction: &mut Connection) -> Result<Arc<SealingKey>, Error> {
        let id = store::realm::sealing(transaction).await?.key;
        self.key(id)
    }

    /// The key of this name.
    pub(crate) fn key(&self, id: Digest) -> Result<Arc<SealingKey>, Error> {
        let find = |keys: Vec<Arc<SealingKey>>| keys.into_iter().find(|key| key.id == id);
        if let Some(key) = find(self.keys()) {
            return Ok(key);
        }
        self.reload()?;
        find(self.keys()).ok_or(Error::NoSealingKey { id })
    }

    /// Reads the keys again. One that is gone from the disk is forgotten. A token is asked for those only that are new.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, mut token) = (self.keys(), None);
        let open = |file: KeyFile| {
            let id = file.id(self.provider);
            let key = match (known.iter().find(|key| key.id == id), file) {
                (Some(key), _) => return Ok(Arc::clone(key)),
                (None, KeyFile::Plain(key)) => key,
                (None, KeyFile::Wrapped(wrapped)) => self.unwrap(&mut token, &wrapped)?,
            };
            Ok(Arc::new(SealingKey::new(self.provider, key)))
        };
        let keys = key_file::read_all(&self.secrets)?.into_iter().map(open).collect::<Result<_, Error>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Logs in to the token once for all keys that are under one of its own.
    fn unwrap(&self, token: &mut Option<Token>, wrapped: &WrappedKey) -> Result<RecordKey, Pkcs11Fault> {
        let settings = self.pkcs11.as_ref().ok_or(Pkcs11Fault::NotConfigured)?;
        let token = match token {
            Some(token) => token,
            None => token.insert(Token::open(settings)?),
        };
        token.unwrap(self.provider, wrapped)
    }

    fn keys(&self) -> Vec<Arc<SealingKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Place<'_> {
    const fn context(&self) -> [&[u8]; 3] {
        [self.table.as_bytes(), self.row, self.column.as_bytes()]
    }

    pub(crate) fn damaged(&self) -> Error {
        let text = str::from_utf8(self.row).ok().filter(|row| row.chars().all(|c| c.is_ascii_graphic()));
        let row = text.map_or_else(|| hex::encode(self.row), str::to_owned);
        Error::Damaged { table: self.table, row, column: self.column }
    }
}
