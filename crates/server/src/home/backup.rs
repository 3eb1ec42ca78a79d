//! Backup of a home on SQLite while servers use it, and restoring one: database, settings and root certificate in a
//! folder that takes its name when it is whole. The key-encryption key is left out unless it is asked for, or only a
//! token opens it. While that key is replaced there are two, and either may be needed.

use std::fs;
use std::path::{Path, PathBuf};

use admit_crypto::{Digest, Provider};

use super::init::{refuse_existing, sync_parent};
use super::key_file::KeyFile;
use super::partial::Partial;
use super::{
    CONFIG_FILE, DATABASE_FILE, Environment, Home, KEY_FILE, ROOT_FILE, SCRIPT_FILE, SECRETS_FOLDER, key_file,
};
use crate::audit::AuditVerdict;
use crate::store::realm::Sealing;
use crate::store::{self, Location, Store};
use crate::{Error, audit};

/// What a backup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// What the copy's audit record is.
    pub verdict: AuditVerdict,
    /// The files in the home's `secrets/` that the backup opens with and does not hold: two after a rotation of the
    /// key-encryption key was interrupted.
    pub keys_left_out: Vec<&'static str>,
    /// Whether a key in a PKCS#11 token is needed.
    pub needs_token: bool,
}

impl Home {
    /// Copies the home to the new folder `out`, opens the copy, and says what its audit record is and what opens it.
    pub async fn backup(&self, out: &Path, with_key: bool) -> Result<Backup, Error> {
        if self.0.config.database.is_some() {
            return Err(Error::NotSqlite);
        }
        // A rotation that ended in between would leave a copy that no key beside it opens.
        let _lock = key_file::lock(&self.path().join(SECRETS_FOLDER))?;
        let partial = Partial::claim(out)?;
        let copied = self.copy(&partial.folder, with_key).await;
        match copied.and_then(|made| partial.rename(out).map(|()| made)) {
            Ok(made) => sync_parent(out).map(|()| made),
            Err(error) => partial.remove().and(Err(error)),
        }
    }

    async fn copy(&self, folder: &Path, with_key: bool) -> Result<Backup, Error> {
        let database = folder.join(DATABASE_FILE);
        // SQLite fills an empty file and leaves its permissions as they are.
        key_file::write_secret(&database, b"")?;
        self.store().copy_to(&database).await?;
        fs::File::open(&database).and_then(|file| file.sync_all()).map_err(Error::io("write", &database))?;
        copy_file(self.path(), folder, CONFIG_FILE, 0o600)?;
        copy_file(self.path(), folder, ROOT_FILE, 0o600)?;
        let (verdict, sealing) = self.verify_copy(&database).await?;
        let mut made = Backup { verdict, keys_left_out: Vec::new(), needs_token: false };
        copy_policy(self.path(), folder, 0o600)?;
        let secrets = folder.join(SECRETS_FOLDER);
        for (name, key) in key_files(self.path())? {
            let (is_wrapped, is_needed) = (matches!(key, KeyFile::Wrapped(_)), sealing.has(key.id(self.provider())));
            if with_key || is_wrapped {
                write_key(&secrets, name, &key)?;
            } else if is_needed {
                made.keys_left_out.push(name);
            }
            made.needs_token |= is_wrapped && is_needed;
        }
        if secrets.exists() {
            key_file::sync_folder(&secrets)?;
        }
        key_file::sync_folder(folder)?;
        Ok(made)
    }

    async fn verify_copy(&self, database: &Path) -> Result<(AuditVerdict, Sealing), Error> {
        let copy = Store::open(&Location::Sqlite(database.to_owned())).await?;
        let row = store::realm::load(&mut *copy.read().await?).await?;
        let verdict = audit::verify(self.provider(), row.fingerprint, &copy).await;
        copy.close().await;
        if row.fingerprint != self.realm() {
            return Err(Error::Damaged { table: store::realm::TABLE, row: "1".to_owned(), column: "fingerprint" });
        }
        Ok((verdict?, row.sealing))
    }
}

/// Makes the home `path` of the backup `from`, or of a copy of a home that no server uses, with the key-encryption keys
/// in these files and in the backup, and opens it.
pub async fn restore(
    from: &Path,
    path: &Path,
    keys: &[PathBuf],
    provider: &'static Provider,
    environment: &Environment,
) -> Result<AuditVerdict, Error> {
    refuse_existing(path)?;
    let partial = Partial::claim(path)?;
    let restored = restore_into(from, &partial.folder, keys, provider, environment).await;
    match restored.and_then(|verdict| partial.rename(path).map(|()| verdict)) {
        Ok(verdict) => sync_parent(path).map(|()| verdict),
        Err(error) => partial.remove().and(Err(error)),
    }
}

async fn restore_into(
    from: &Path,
    folder: &Path,
    keys: &[PathBuf],
    provider: &'static Provider,
    environment: &Environment,
) -> Result<AuditVerdict, Error> {
    copy_file(from, folder, DATABASE_FILE, 0o600)?;
    // Of a home whose server was killed, the last of the record is there only. SQLite takes it over when it opens the copy.
    if from.join(DATABASE_LOG_FILE).exists() {
        copy_file(from, folder, DATABASE_LOG_FILE, 0o600)?;
    }
    copy_file(from, folder, CONFIG_FILE, 0o600)?;
    copy_file(from, folder, ROOT_FILE, 0o644)?;
    copy_policy(from, folder, 0o644)?;
    let mut found = keys.iter().map(|key| key_file::read(key)).collect::<Result<Vec<_>, _>>()?;
    found.extend(key_files(from)?.into_iter().map(|(_, key)| key));
    if found.is_empty() {
        return Err(Error::NoKeyInBackup { path: from.to_owned() });
    }
    let store = Store::open(&Location::Sqlite(folder.join(DATABASE_FILE))).await?;
    let sealing = store::realm::sealing(&mut *store.read().await?).await?;
    store.close().await;
    let secrets = folder.join(SECRETS_FOLDER);
    for (name, id) in key_names(&sealing) {
        let key = found.iter().find(|key| key.id(provider) == id).ok_or(Error::OtherKeyOfBackup { id })?;
        write_key(&secrets, name, key)?;
    }
    key_file::sync_folder(&secrets)?;
    let home = Home::open_in(folder, provider, environment).await?;
    let verdict = home.verify_audit().await;
    home.close().await;
    key_file::sync_folder(folder)?;
    verdict
}

/// The files of the keys that a database is sealed under, as a rotation leaves them.
fn key_names(sealing: &Sealing) -> Vec<(&'static str, Digest)> {
    match sealing.retiring {
        None => vec![(KEY_FILE, sealing.key)],
        Some(retiring) => vec![(KEY_FILE, retiring), (key_file::NEXT_KEY_FILE, sealing.key)],
    }
}

/// Those of a home's or backup's key files that are there.
fn key_files(folder: &Path) -> Result<Vec<(&'static str, KeyFile)>, Error> {
    let secrets = folder.join(SECRETS_FOLDER);
    let names = [KEY_FILE, key_file::NEXT_KEY_FILE].into_iter().filter(|name| secrets.join(name).exists());
    names.map(|name| Ok((name, key_file::read(&secrets.join(name))?))).collect()
}

/// Writes a key file, in a folder that is made for the first.
fn write_key(secrets: &Path, name: &str, key: &KeyFile) -> Result<(), Error> {
    if !secrets.exists() {
        key_file::make_folder(secrets)?;
    }
    key_file::write(&secrets.join(name), key)
}

/// Copies the files of the policy that stand in the home itself: the one that the settings name, and the one that every
/// home begins with.
fn copy_policy(from: &Path, to: &Path, mode: u32) -> Result<(), Error> {
    let text = fs::read_to_string(from.join(CONFIG_FILE)).map_err(Error::io("read", from.join(CONFIG_FILE)))?;
    let settings: toml::Table = text.parse().unwrap_or_default();
    let policy = settings.get("policy").and_then(toml::Value::as_table);
    let mut names = vec![SCRIPT_FILE];
    names.extend(policy.into_iter().flat_map(|policy| policy.values()).filter_map(toml::Value::as_str));
    names.sort_unstable();
    names.dedup();
    let is_plain = |name: &&str| Path::new(name).file_name() == Some(name.as_ref()) && from.join(name).is_file();
    names.into_iter().filter(is_plain).try_for_each(|name| copy_file(from, to, name, mode))
}

fn copy_file(from: &Path, to: &Path, name: &str, mode: u32) -> Result<(), Error> {
    let file = fs::File::open(from.join(name)).map_err(Error::io("read", from.join(name)))?;
    key_file::write_new(&to.join(name), file, mode)
}

/// SQLite's write-ahead log, beside the database.
const DATABASE_LOG_FILE: &str = "admit.db-wal";
