//! Backup of a home on SQLite while servers use it, and restoring one: database, settings and root certificate in a
//! folder that takes its name when it is whole. The key-encryption key is left out unless it is asked for, or only a
//! token opens it.

use std::fs;
use std::path::Path;

use admit_crypto::Provider;

use super::init::{refuse_existing, sync_parent};
use super::key_file::KeyFile;
use super::partial::Partial;
use super::{
    CONFIG_FILE, DATABASE_FILE, Environment, Home, KEY_FILE, ROOT_FILE, SCRIPT_FILE, SECRETS_FOLDER, key_file,
};
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
        copy_policy(self.path(), folder, 0o600)?;
        copy_secrets(self.path(), folder, |_, key| with_key || matches!(key, KeyFile::Wrapped(_)))?;
        let secrets = folder.join(SECRETS_FOLDER);
        if secrets.exists() {
            key_file::sync_folder(&secrets)?;
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

/// Makes the home `path` of the backup `from`, or of a copy of a home that no server uses, with a key-encryption key from
/// a file where the backup has none, and opens it.
pub async fn restore(
    from: &Path,
    path: &Path,
    key: Option<&Path>,
    provider: &'static Provider,
    environment: &Environment,
) -> Result<AuditVerdict, Error> {
    refuse_existing(path)?;
    let partial = Partial::claim(path)?;
    let restored = restore_into(from, &partial.folder, key, provider, environment).await;
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
    let secrets = folder.join(SECRETS_FOLDER);
    match key {
        Some(key) => {
            let key = key_file::read(key)?;
            key_file::make_folder(&secrets)?;
            key_file::write(&secrets.join(KEY_FILE), &key)?;
            copy_secrets(from, folder, |name, _| name != KEY_FILE)?;
        }
        None => {
            let key = from.join(SECRETS_FOLDER).join(KEY_FILE);
            if !key.exists() {
                return Err(Error::NoKeyInBackup { path: from.to_owned() });
            }
            key_file::read(&key)?;
            copy_secrets(from, folder, |_, _| true)?;
        }
    }
    key_file::sync_folder(&secrets)?;
    check_key(folder, provider).await?;
    let home = Home::open_in(folder, provider, environment).await?;
    let verdict = home.verify_audit().await;
    home.close().await;
    key_file::sync_folder(folder)?;
    verdict
}

/// Fails where the database seals under a key that is not there. Opening the home would call the database damaged.
async fn check_key(folder: &Path, provider: &Provider) -> Result<(), Error> {
    let store = Store::open(&Location::Sqlite(folder.join(DATABASE_FILE))).await?;
    let id = store::realm::sealing(&mut *store.read().await?).await?.key;
    store.close().await;
    let keys = key_file::read_all(&folder.join(SECRETS_FOLDER))?;
    if keys.iter().any(|key| key.id(provider) == id) { Ok(()) } else { Err(Error::OtherKeyOfBackup { id }) }
}

/// Copies those of the key files that are there and wanted.
fn copy_secrets(from: &Path, to: &Path, is_wanted: impl Fn(&str, &KeyFile) -> bool) -> Result<(), Error> {
    let (from, to) = (from.join(SECRETS_FOLDER), to.join(SECRETS_FOLDER));
    for name in [KEY_FILE, key_file::NEXT_KEY_FILE].into_iter().filter(|name| from.join(name).exists()) {
        let key = key_file::read(&from.join(name))?;
        if is_wanted(name, &key) {
            if !to.exists() {
                key_file::make_folder(&to)?;
            }
            key_file::write(&to.join(name), &key)?;
        }
    }
    Ok(())
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
