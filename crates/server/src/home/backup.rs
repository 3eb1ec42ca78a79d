//! Backup of a home on SQLite while servers use it, and restoring one: database, settings and root certificate in a
//! folder that takes its name when it is whole. The key-encryption key is left out unless it is asked for.

use std::fs;
use std::path::Path;

use admit_crypto::Provider;

use super::init::{refuse_existing, sync_parent};
use super::partial::Partial;
use super::{CONFIG_FILE, DATABASE_FILE, Home, KEY_FILE, ROOT_FILE, SECRETS_FOLDER, key_file};
use crate::audit::AuditVerdict;
use crate::store::{self, Location, Store};
use crate::{Error, audit};

impl Home {
    /// Copies the home to the new folder `out`, opens the copy, and says what its audit record is.
    pub async fn backup(&self, out: &Path, with_key: bool) -> Result<AuditVerdict, Error> {
        if self.0.config.database.is_some() {
            return Err(Error::NotSqlite);
        }
        // A rotation that ended in between would leave a copy that no key beside it opens.
        let _lock = key_file::lock(&self.path().join(SECRETS_FOLDER))?;
        let partial = Partial::claim(out)?;
        let copied = self.copy(&partial.folder, with_key).await;
        match copied.and_then(|verdict| partial.rename(out).map(|()| verdict)) {
            Ok(verdict) => sync_parent(out).map(|()| verdict),
            Err(error) => partial.remove().and(Err(error)),
        }
    }

    async fn copy(&self, folder: &Path, with_key: bool) -> Result<AuditVerdict, Error> {
        let database = folder.join(DATABASE_FILE);
        // SQLite fills an empty file and leaves its permissions as they are.
        key_file::write_secret(&database, b"")?;
        self.store().copy_to(&database).await?;
        fs::File::open(&database).and_then(|file| file.sync_all()).map_err(Error::io("write", &database))?;
        copy_file(self.path(), folder, CONFIG_FILE, 0o600)?;
        copy_file(self.path(), folder, ROOT_FILE, 0o600)?;
        if with_key {
            copy_secrets(self.path(), folder)?;
        }
        let verdict = self.verify_copy(&database).await?;
        key_file::sync_folder(folder)?;
        Ok(verdict)
    }

    async fn verify_copy(&self, database: &Path) -> Result<AuditVerdict, Error> {
        let copy = Store::open(&Location::Sqlite(database.to_owned())).await?;
        let realm = store::realm::load(&mut *copy.read().await?).await?.fingerprint;
        let verdict = audit::verify(self.provider(), realm, &copy).await;
        copy.close().await;
        if realm != self.realm() {
            return Err(Error::Damaged { table: store::realm::TABLE, row: "1".to_owned(), column: "fingerprint" });
        }
        verdict
    }
}

/// Makes the home `path` of the backup `from`, with a key-encryption key from a file where the backup has none, and
/// opens it.
pub async fn restore(
    from: &Path,
    path: &Path,
    key: Option<&Path>,
    provider: &'static Provider,
) -> Result<AuditVerdict, Error> {
    refuse_existing(path)?;
    let partial = Partial::claim(path)?;
    let restored = restore_into(from, &partial.folder, key, provider).await;
    match restored.and_then(|verdict| partial.rename(path).map(|()| verdict)) {
        Ok(verdict) => sync_parent(path).map(|()| verdict),
        Err(error) => partial.remove().and(Err(error)),
    }
}

async fn restore_into(
    from: &Path,
    folder: &Path,
    key: Option<&Path>,
    provider: &'static Provider,
) -> Result<AuditVerdict, Error> {
    copy_file(from, folder, DATABASE_FILE, 0o600)?;
    copy_file(from, folder, CONFIG_FILE, 0o600)?;
    copy_file(from, folder, ROOT_FILE, 0o644)?;
    match key {
        Some(key) => {
            key_file::make_folder(&folder.join(SECRETS_FOLDER))?;
            let key = key_file::read(key)?;
            key_file::write(&folder.join(SECRETS_FOLDER).join(KEY_FILE), &key)?;
            key_file::sync_folder(&folder.join(SECRETS_FOLDER))?;
        }
        None => copy_secrets(from, folder)?,
    }
    let home = Home::open(folder, provider).await?;
    let verdict = home.verify_audit().await;
    home.close().await;
    key_file::sync_folder(folder)?;
    verdict
}

fn copy_secrets(from: &Path, to: &Path) -> Result<(), Error> {
    let (from, to) = (from.join(SECRETS_FOLDER), to.join(SECRETS_FOLDER));
    key_file::make_folder(&to)?;
    let keys = key_file::read_all(&from)?;
    let names = [KEY_FILE, key_file::NEXT_KEY_FILE];
    for (key, name) in keys.iter().zip(names) {
        key_file::write(&to.join(name), key)?;
    }
    key_file::sync_folder(&to)
}

fn copy_file(from: &Path, to: &Path, name: &str, mode: u32) -> Result<(), Error> {
    let file = fs::File::open(from.join(name)).map_err(Error::io("read", from.join(name)))?;
    key_file::write_new(&to.join(name), file, mode)
}
