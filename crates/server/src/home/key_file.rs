//! The key-encryption key: 32 bytes in a file that only its owner reads, in a folder that only its owner enters; or
//! the same file with those bytes under a key in a PKCS#11 token.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use admit_crypto::{Digest, Provider, RecordKey};
use zeroize::Zeroizing;

use super::KEY_FILE;
use crate::Error;
use crate::pkcs11::{WrappedKey, name_of};

/// What a key file holds.
pub(crate) enum KeyFile {
    /// The key itself.
    Plain(RecordKey),
    /// The key under another one, which is in a token.
    Wrapped(WrappedKey),
}

impl KeyFile {
    /// What the database calls the key.
    pub(crate) fn id(&self, provider: &Provider) -> Digest {
        match self {
            Self::Plain(key) => name_of(provider, key),
            Self::Wrapped(key) => key.id,
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        RecordKey::from_slice(bytes).map(Self::Plain).or_else(|| WrappedKey::from_bytes(bytes).map(Self::Wrapped))
    }
}

/// The key, and the one that is to follow it.
pub(crate) fn read_all(secrets: &Path) -> Result<Vec<KeyFile>, Error> {
    let mut keys = vec![read(&secrets.join(KEY_FILE))?];
    keys.extend(read_next(secrets)?);
    Ok(keys)
}

/// The key that is to follow the present one, while it is being replaced.
pub(super) fn read_next(secrets: &Path) -> Result<Option<KeyFile>, Error> {
    let path = secrets.join(NEXT_KEY_FILE);
    if path.exists() { read(&path).map(Some) } else { Ok(None) }
}

/// Writes the key that is to follow, under its name only when it is whole.
pub(super) fn write_next(secrets: &Path, key: &KeyFile) -> Result<(), Error> {
    let partial = secrets.join(PARTIAL_KEY_FILE);
    if partial.exists() {
        fs::remove_file(&partial).map_err(Error::io("remove", &partial))?;
    }
    write(&partial, key)?;
    fs::rename(&partial, secrets.join(NEXT_KEY_FILE)).map_err(Error::io("rename", &partial))?;
    sync_folder(secrets)
}

/// Puts the key that follows in the present one's place.
pub(super) fn use_next(secrets: &Path) -> Result<(), Error> {
    let next = secrets.join(NEXT_KEY_FILE);
    fs::rename(&next, secrets.join(KEY_FILE)).map_err(Error::io("rename", &next))?;
    sync_folder(secrets)
}

/// Reads the key, unless others could have read it too.
pub(super) fn read(path: &Path) -> Result<KeyFile, Error> {
    let mode = fs::metadata(path).map_err(Error::io("read", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::SecretReadable { path: path.to_owned(), mode });
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(Error::io("read", path))?);
    KeyFile::from_bytes(&bytes).ok_or_else(|| {
        let reason =
            format!("the file's {} bytes are neither a key of 32 bytes nor one under a token's key", bytes.len());
        Error::io("use", path)(io::Error::other(reason))
    })
}

pub(super) fn write(path: &Path, key: &KeyFile) -> Result<(), Error> {
    match key {
        KeyFile::Plain(key) => write_secret(path, key.expose()),
        KeyFile::Wrapped(key) => write_secret(path, &key.to_bytes()),
    }
}

/// Makes a folder of mode 0700.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().mode(0o700).create(path).map_err(Error::io("make", path))
}

/// Writes a new file of mode 0600, down to the disk.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_new(path, bytes, 0o600)
}

/// Writes a new file, down to the disk. What is read is never in memory as a whole.
pub(super) fn write_new(path: &Path, mut bytes: impl io::Read, mode: u32) -> Result<(), Error> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path).map_err(Error::io("make", path))?;
    io::copy(&mut bytes, &mut file).and_then(|_| file.sync_all()).map_err(Error::io("write", path))
}

/// Brings a folder's entries down to the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), Error> {
    fs::File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("write", path))
}

pub(super) const NEXT_KEY_FILE: &str = "key-encryption-key.next";
const PARTIAL_KEY_FILE: &str = ".key-encryption-key.partial";

/// Keeps others from changing the keys in a folder of secrets, and from copying them while they change, until it is
/// dropped.
pub(super) fn lock(secrets: &Path) -> Result<fs::File, Error> {
    let folder = fs::File::open(secrets).map_err(Error::io("open", secrets))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(fs::TryLockError::WouldBlock) => Err(Error::KeysInUse { path: secrets.to_owned() }),
        Err(fs::TryLockError::Error(error)) => Err(Error::io("lock", secrets)(error)),
    }
}
