//! The folder `.NAME.partial` in which a home is made. Whoever makes one holds a lock on it, so that what an
//! interrupted attempt left is told from one that is under way.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::key_file;
use crate::Error;

/// The folder, empty and ours.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) folder: PathBuf,
    _lock: File,
}

impl Partial {
    /// Makes the folder for a home at `path`; what an interrupted attempt left there is removed first.
    pub(super) fn claim(path: &Path) -> Result<Self, Error> {
        let folder = beside(path)?;
        for _ in 0..ATTEMPTS {
            if let Ok(true) = fs::exists(&folder) {
                let stale = lock(&folder)?.ok_or_else(|| in_progress(path))?;
                fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
                drop(stale);
            }
            match key_file::make_folder(&folder) {
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            // Between the two steps another attempt may have taken this folder for a stale one.
            if let Some(lock) = lock(&folder)? {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(in_progress(path))
    }

    /// Gives the folder its name.
    pub(super) fn rename(&self, path: &Path) -> Result<(), Error> {
        fs::rename(&self.folder, path).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => Error::HomeExists { path: path.to_owned() },
            _ => Error::io("make", path)(error),
        })
    }

    /// Removes it.
    pub(super) fn remove(self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", self.folder)(error)),
            _ => Ok(()),
        }
    }
}

fn beside(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(Error::io("find", path))?;
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(Error::HomeExists { path: path.to_owned() });
    };
    fs::create_dir_all(parent).map_err(Error::io("make", parent))?;
    let mut partial = std::ffi::OsString::from(".");
    partial.push(name);
    partial.push(".partial");
    Ok(parent.join(partial))
}

/// Locks a folder. None where another process holds it, or has removed it meanwhile.
fn lock(folder: &Path) -> Result<Option<File>, Error> {
    let file = match File::open(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(Error::io("open", folder))?,
    };
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let same = |file: &File| -> io::Result<bool> {
        let (ours, named) = (file.metadata()?, fs::metadata(folder)?);
        Ok((ours.dev(), ours.ino()) == (named.dev(), named.ino()))
    };
    Ok(same(&file).unwrap_or(false).then_some(file))
}

fn in_progress(path: &Path) -> Error {
    Error::HomeInProgress { path: path.to_owned() }
}

const ATTEMPTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_attempt_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let first = Partial::claim(&home).unwrap();
        fs::write(first.folder.join("kept"), "").unwrap();
        assert!(matches!(Partial::claim(&home), Err(Error::HomeInProgress { path }) if path == home));
        assert!(first.folder.join("kept").exists());
    }

    #[test]
    fn what_an_interrupted_attempt_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(folder.path().join(".home.partial")).unwrap();
        fs::write(folder.path().join(".home.partial/left"), "").unwrap();
        let partial = Partial::claim(&home).unwrap();
        assert_eq!(fs::read_dir(&partial.folder).unwrap().count(), 0);
        partial.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_home_that_appeared_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let partial = Partial::claim(&home).unwrap();
        fs::create_dir(&home).unwrap();
        fs::write(home.join("theirs"), "").unwrap();
        assert!(matches!(partial.rename(&home), Err(Error::HomeExists { .. })));
        assert!(home.join("theirs").exists());
    }
}
