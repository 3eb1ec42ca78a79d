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
use crate::store::realm::sealing;
use crate::store::{Store, Transaction};

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
    keys: RwLock<Arc<Keys>>,
    /// Held while the files are read: who comes meanwhile finds what was read, and the token is asked once.
    reading: Mutex<()>,
}

/// What the key files came to. A key that nothing is sealed under need not open.
#[derive(Debug, Default)]
struct Keys {
    opened: Vec<Arc<SealingKey>>,
    /// Those that the token does not open, and why.
    closed: Vec<(Digest, Pkcs11Fault)>,
}

impl Keys {
    fn find(&self, id: Digest) -> Option<Arc<SealingKey>> {
        self.opened.iter().find(|key| key.id == id).cloned()
    }

    fn fault(&self, id: Digest) -> Option<&Pkcs11Fault> {
        self.closed.iter().find(|(closed, _)| *closed == id).map(|(_, fault)| fault)
    }

    fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Opened> {
        self.opened.iter().find_map(|key| key.open(place, sealed).ok())
    }

    /// Takes note of a key that does not open, and says it once.
    fn close(&mut self, id: Digest, fault: Pkcs11Fault, known: &Self) {
        if known.fault(id) != Some(&fault) {
            tracing::warn!(key = %id, reason = %fault, "a key-encryption key does not open");
        }
        self.closed.push((id, fault));
    }
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

    /// Opens under any of the keys. Where none does, they may have changed on the disk, or it is under one that the
    /// token does not open.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error> {
        if let Some(opened) = self.keys().open(place, sealed) {
            return Ok(opened);
        }
        self.reload()?;
        let keys = self.keys();
        let fault = || keys.closed.first().map_or_else(|| place.damaged(), |(_, fault)| fault.clone().into());
        keys.open(place, sealed).ok_or_else(fault)
    }

    /// A transaction to write with, and the key that seals in it: what is sealed with it and written there is not missed
    /// by a rotation. A key that is new is read before the transaction begins, because a token may take its time, and
    /// nobody else writes meanwhile. Where a rotation began in between, there is another one to be read.
    pub(crate) async fn write(&self, store: &Store) -> Result<(Transaction, Arc<SealingKey>), Error> {
        loop {
            let key = self.key(sealing(&mut *store.read().await?).await?.key)?;
            let mut transaction = store.write().await?;
            if sealing(&mut transaction).await?.key == key.id() {
                return Ok((transaction, key));
            }
        }
    }

    /// The key of this name.
    pub(crate) fn key(&self, id: Digest) -> Result<Arc<SealingKey>, Error> {
        if let Some(key) = self.keys().find(id) {
            return Ok(key);
        }
        self.reload()?;
        let keys = self.keys();
        let fault = || keys.fault(id).map_or(Error::NoSealingKey { id }, |fault| fault.clone().into());
        keys.find(id).ok_or_else(fault)
    }

    /// Reads the keys again. One that is gone from the disk is forgotten. A token is asked for those only that are new.
    /// One that does not open fails this only where no other does: nothing may be sealed under it.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, mut keys, mut token) = (self.keys(), Keys::default(), None);
        for file in key_file::read_all(&self.secrets)? {
            let id = file.id(self.provider);
            match known.find(id).map_or_else(|| self.open_file(file, &known, &mut token), Ok) {
                Ok(key) => keys.opened.push(key),
                Err(fault) => keys.close(id, fault, &known),
            }
        }
        if let (true, Some((_, fault))) = (keys.opened.is_empty(), keys.closed.first()) {
            return Err(fault.clone().into());
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn open_file(
        &self,
        file: KeyFile,
        known: &Keys,
        token: &mut Option<Result<Token, Pkcs11Fault>>,
    ) -> Result<Arc<SealingKey>, Pkcs11Fault> {
        let key = match file {
            KeyFile::Plain(key) => key,
            KeyFile::Wrapped(wrapped) => match known.fault(wrapped.id) {
                // The same PIN again would only bring the token nearer to its lock.
                Some(fault) if fault.is_of_pin() => return Err(fault.clone()),
                _ => self.unwrap(token, &wrapped)?,
            },
        };
        Ok(Arc::new(SealingKey::new(self.provider, key)))
    }

    /// Logs in to the token once for all keys that are under one of its own, whether it lets us or not.
    fn unwrap(
        &self,
        token: &mut Option<Result<Token, Pkcs11Fault>>,
        wrapped: &WrappedKey,
    ) -> Result<RecordKey, Pkcs11Fault> {
        let settings = self.pkcs11.as_ref().ok_or(Pkcs11Fault::NotConfigured)?;
        match token.get_or_insert_with(|| Token::open(settings)) {
            Ok(token) => token.unwrap(self.provider, wrapped),
            Err(fault) => Err(fault.clone()),
        }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
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
