//! Rotation of the key-encryption key, in steps each of which is durable or nothing: a process that is killed
//! between any two leaves a home that works, and the next rotation goes on where it stopped. Servers may run meanwhile.
//!
//! 1. The new key is written beside the old one, as it is or under a key in a token. 2. The database says that it seals from now on. 3. Everything that
//!    is sealed under the old key is sealed again, some rows at a time. 4. The database says that this is done, with an
//!    audit entry. 5. The new key's file takes the old one's name.

use std::fs::File;
use std::path::Path;

use admit_crypto::{Digest, Entropy, RecordKey};
use admit_time::Timestamp;

use super::custody::{self, KeyCustody};
use super::key_file::{self, KeyFile};
use super::{Home, SECRETS_FOLDER};
use crate::pkcs11::Pkcs11Fault;
use crate::sealing::Place;
use crate::store::sealed::{COLUMNS, Column, Id};
use crate::store::{self, Connection, realm::Sealing};
use crate::{Error, audit};

/// A rotation under way.
#[derive(Debug)]
pub struct KeyRotation<'a> {
    home: &'a Home,
    column: usize,
    after: Option<Id>,
    done: bool,
    /// Where the new key is to be; without it, where the settings say.
    custody: Option<KeyCustody>,
    create_key: bool,
    /// Held from the first step on: two rotations at once would take each other's key away.
    lock: Option<File>,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationStep {
    /// The new key is on the disk.
    Written,
    /// The new key seals; both open.
    Begun,
    /// So many rows of a column were looked at and, where they were under the old key, sealed again.
    Resealed {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// How many rows.
        rows: usize,
    },
    /// Nothing is under the old key any more.
    Finished,
    /// The old key is gone from the disk.
    Removed,
}

impl Home {
    /// Begins a rotation of the key-encryption key, or goes on with one that was interrupted.
    #[must_use]
    pub const fn rotate_key(&self) -> KeyRotation<'_> {
        KeyRotation { home: self, column: 0, after: None, done: false, custody: None, create_key: false, lock: None }
    }
}

impl KeyRotation<'_> {
    /// Puts the new key there, whatever the settings say.
    #[must_use]
    pub fn into_custody(self, custody: KeyCustody) -> Self {
        Self { custody: Some(custody), ..self }
    }

    /// Makes the token's key if it is not there.
    #[must_use]
    pub fn creating_key(self) -> Self {
        Self { create_key: true, ..self }
    }

    /// Where the new key is to be.
    #[must_use]
    pub fn custody(&self) -> KeyCustody {
        let configured = if self.home.config().pkcs11.is_some() { KeyCustody::Token } else { KeyCustody::File };
        self.custody.unwrap_or(configured)
    }

    /// Does the next step; none is left after [`RotationStep::Removed`].
    pub async fn step(
        &mut self,
        now: Timestamp,
        entropy: &mut (dyn Entropy + Send),
    ) -> Result<Option<RotationStep>, Error> {
        if self.done {
            return Ok(None);
        }
        let secrets = self.home.path().join(SECRETS_FOLDER);
        if self.lock.is_none() {
            self.lock = Some(key_file::lock(&secrets)?);
        }
        let sealing = store::realm::sealing(&mut *self.home.store().read().await?).await?;
        let Some(next) = key_file::read_next(&secrets)? else {
            if sealing.retiring.is_some() {
                return Err(Error::NoSealingKey { id: sealing.key });
            }
            return self.write_next(&secrets, entropy).map(Some);
        };
        let id = next.id(self.home.provider());
        let step = match sealing.retiring {
            None if sealing.key == id => {
                key_file::use_next(&secrets)?;
                self.home.sealer().reload()?;
                // What was gone on with may have been on its way to another place.
                self.done = self.is_wanted(&next);
                (self.column, self.after) = (0, None);
                RotationStep::Removed
            }
            None if !self.is_wanted(&next) => self.write_next(&secrets, entropy)?,
            None => self.begin(id).await?,
            Some(_) => match COLUMNS.get(self.column) {
                Some(column) => self.reseal(column, entropy).await?,
                None => self.finish(now).await?,
            },
        };
        Ok(Some(step))
    }

    /// Whether a key is where the new one is to be.
    fn is_wanted(&self, key: &KeyFile) -> bool {
        let label = self.home.config().pkcs11.as_ref().map(|pkcs11| pkcs11.key.as_str());
        match (self.custody(), key) {
            (KeyCustody::File, KeyFile::Plain(_)) => true,
            (KeyCustody::Token, KeyFile::Wrapped(key)) => Some(key.token_key.as_str()) == label,
            _ => false,
        }
    }

    fn write_next(&self, secrets: &Path, entropy: &mut dyn Entropy) -> Result<RotationStep, Error> {
        let key = RecordKey::generate(entropy);
        let key = match self.custody() {
            KeyCustody::File => KeyFile::Plain(key),
            KeyCustody::Token => {
                let settings = self.home.config().pkcs11.as_ref().ok_or(Pkcs11Fault::NoToken)?;
                custody::wrap(self.home.provider(), settings, self.create_key, &key, entropy)?
            }
        };
        key_file::write_next(secrets, &key)?;
        Ok(RotationStep::Written)
    }

    /// The new key is opened first: what nobody could open must not seal.
    async fn begin(&self, next: Digest) -> Result<RotationStep, Error> {
        self.home.sealer().key(next)?;
        let mut transaction = self.home.store().write().await?;
        let old = store::realm::sealing(&mut transaction).await?;
        if old.retiring.is_none() && old.key != next {
            let sealing = Sealing { key: next, retiring: Some(old.key) };
            store::realm::set_sealing(&mut transaction, &sealing).await?;
            transaction.commit().await?;
        }
        Ok(RotationStep::Begun)
    }

    async fn reseal(&mut self, column: &Column, entropy: &mut (dyn Entropy + Send)) -> Result<RotationStep, Error> {
        let (mut transaction, key) = self.home.sealer().write(self.home.store()).await?;
        let rows = column.after(&mut transaction, self.after.as_ref()).await?;
        let count = rows.len();
        let (table, name) = (column.table, column.column);
        for (id, sealed) in rows {
            let row = id.bytes();
            let place = Place { table, row: &row, column: name };
            if key.open(place, &sealed).is_err() {
                let opened = self.home.sealer().open(place, &sealed)?;
                let sealed = key.seal(place, opened.bytes(), entropy);
                column.replace(&mut transaction, &id, &sealed).await?;
            }
            self.after = Some(id);
        }
        transaction.commit().await?;
        if count < Column::PAGE {
            (self.column, self.after) = (self.column + 1, None);
        }
        Ok(RotationStep::Resealed { table, column: name, rows: count })
    }

    async fn finish(&self, now: Timestamp) -> Result<RotationStep, Error> {
        let mut transaction = self.home.store().write().await?;
        let sealing = store::realm::sealing(&mut transaction).await?;
        if let Some(retired) = sealing.retiring {
            self.record(&mut transaction, sealing.key, retired, now).await?;
            let sealing = Sealing { retiring: None, ..sealing };
            store::realm::set_sealing(&mut transaction, &sealing).await?;
            transaction.commit().await?;
        }
        Ok(RotationStep::Finished)
    }

    async fn record(
        &self,
        transaction: &mut Connection,
        key: Digest,
        retired: Digest,
        now: Timestamp,
    ) -> Result<(), Error> {
        let detail = serde_json::json!({ "retired": retired.to_string() });
        let event = audit::Event::SealingKeyRotated;
        self.home.append_audit(transaction, now, event, &key.to_string(), &detail).await
    }
}
