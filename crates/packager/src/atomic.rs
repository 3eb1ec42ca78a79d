//! A file that has its name only when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Writes to a temporary file beside the final name and renames it at the end. Dropped before [`Self::commit`], it
/// leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: PathBuf,
    name: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// Makes a temporary file that only this account can read. `nonce` is as for [`Self::create`].
    pub fn create_private(name: &Path, nonce: u64) -> io::Result<Self> {
        let mut options = File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::create_with(name, nonce, &mut options)
    }

    /// Makes the temporary file. `nonce` keeps apart what several processes write to one name.
    pub fn create(name: &Path, nonce: u64) -> io::Result<Self> {
        Self::create_with(name, nonce, &mut File::options())
    }

    fn create_with(name: &Path, nonce: u64, options: &mut fs::OpenOptions) -> io::Result<Self> {
        let mut file_name = std::ffi::OsString::from(".");
        file_name.push(name.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        file_name.push(format!(".{nonce:016x}.part"));
        let temporary = name.with_file_name(file_name);
        let file = options.read(true).write(true).create_new(true).open(&temporary)?;
        Ok(Self { file, temporary, name: name.to_owned(), committed: false })
    }

    /// The file, to write.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Brings everything to the disk and gives the file its name, in place of what had it.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.name)?;
        self.committed = true;
        let folder = self.name.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing can be done about a temporary file that cannot be removed.
            drop(fs::remove_file(&self.temporary));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_name_appears_with_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("out.mp4");
        fs::write(&name, "old").unwrap();
        let mut file = AtomicFile::create(&name, 7).unwrap();
        file.file().write_all(b"new").unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"old");
        file.commit().unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["out.mp4"]);
    }

    #[test]
    fn dropped_it_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(AtomicFile::create(&folder.path().join("out.mp4"), 7).unwrap());
        assert!(names(folder.path()).is_empty());
    }
}
