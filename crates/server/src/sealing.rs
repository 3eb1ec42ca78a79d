//! Secrets at rest: sealed under the home's key-encryption key for one table, row and column each. While the key is
//! rotated there are two: the database says which one seals, and either opens.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use admit_crypto::record::{self, Opened};
use admit_crypto::{Digest, Entropy, Provider, RecordKey};

use crate::Error;
use crate::home::key_file;
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
    keys: RwLock<Vec<Arc<SealingKey>>>,
}

impl SealingKey {
    pub(crate) fn new(provider: &'static Provider, key: RecordKey) -> Self {
        let id = (provider.sha256)(&[KEY_ID_CONTEXT, key.expose()]);
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
    pub(crate) fn load(provider: &'static Provider, secrets: PathBuf) -> Result<Self, Error> {
        let keys = read(provider, &secrets)?;
        Ok(Self { provider, secrets, keys: RwLock::new(keys) })
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

    /// Reads the keys again. One that is gone from the disk is forgotten.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let keys = read(self.provider, &self.secrets)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
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

fn read(provider: &'static Provider, secrets: &std::path::Path) -> Result<Vec<Arc<SealingKey>>, Error> {
    let keys = key_file::read_all(secrets)?;
    Ok(keys.into_iter().map(|key| Arc::new(SealingKey::new(provider, key))).collect())
}

const KEY_ID_CONTEXT: &[u8] = b"admit key-encryption key";
