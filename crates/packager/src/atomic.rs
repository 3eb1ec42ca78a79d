//! A file that has its name only when it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file that gets its name at the end. Until then, where the file system can do that (`O_TMPFILE` of Linux), it has
/// none: the kernel removes it when the program ends, even when it is killed. Elsewhere it has a temporary name beside
/// the final one, and dropped before [`Self::commit`] it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    name: PathBuf,
    temporary: PathBuf,
    /// Whether the temporary name is there, and has to go.
    is_named: bool,
}

impl AtomicFile {
    /// Makes a file that only this account can read. `nonce` is as for [`Self::create`].
    pub fn create_private(name: &Path, nonce: u64) -> io::Result<Self> {
        Self::create_with(name, nonce, 0o600)
    }

    /// Makes the file. `nonce` keeps apart what several processes write to one name.
    pub fn create(name: &Path, nonce: u64) -> io::Result<Self> {
        Self::create_with(name, nonce, 0o666)
    }

    fn create_with(name: &Path, nonce: u64, mode: u32) -> io::Result<Self> {
        match unnamed::create(folder_of(name), mode) {
            Some(file) => {
                let temporary = temporary_name(name, nonce)?;
                Ok(Self { file, name: name.to_owned(), temporary, is_named: false })
            }
            None => Self::create_named(name, nonce, mode),
        }
    }

    fn create_named(name: &Path, nonce: u64, mode: u32) -> io::Result<Self> {
        let temporary = temporary_name(name, nonce)?;
        let mut options = File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        #[cfg(not(unix))]
        let _ = mode;
        let file = options.read(true).write(true).create_new(true).open(&temporary)?;
        Ok(Self { file, name: name.to_owned(), temporary, is_named: true })
    }

    /// The file, to write.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Brings everything to the disk and gives the file its name, in place of what had it.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.is_named || !self.link_to_free_name()? {
            fs::rename(&self.temporary, &self.name)?;
            self.is_named = false;
        }
        File::open(folder_of(&self.name))?.sync_all()
    }

    /// Links a file without a name to the final name; where something has that already, which a link cannot replace,
    /// to the temporary one. Says whether it was the final one.
    fn link_to_free_name(&mut self) -> io::Result<bool> {
        match unnamed::link(&self.file, &self.name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                unnamed::link(&self.file, &self.temporary)?;
                self.is_named = true;
                Ok(false)
            }
            linked => linked.map(|()| true),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.is_named {
            // Nothing can be done about a temporary file that cannot be removed.
            drop(fs::remove_file(&self.temporary));
        }
    }
}

fn folder_of(name: &Path) -> &Path {
    name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary_name(name: &Path, nonce: u64) -> io::Result<PathBuf> {
    let mut file_name = std::ffi::OsString::from(".");
    file_name.push(name.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    file_name.push(format!(".{nonce:016x}.part"));
    Ok(name.with_file_name(file_name))
}

#[cfg(target_os = "linux")]
mod unnamed {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

    /// A file without a name in this folder; none where the kernel or the file system makes none that can be linked.
    pub(super) fn create(folder: &Path, mode: u32) -> Option<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(open(folder, flags, Mode::from_raw_mode(mode)).ok()?);
        descriptor(&file).exists().then_some(file)
    }

    /// Gives it a name that nothing has.
    pub(super) fn link(file: &File, name: &Path) -> io::Result<()> {
        Ok(linkat(CWD, descriptor(file), CWD, name, AtFlags::SYMLINK_FOLLOW)?)
    }

    fn descriptor(file: &File) -> PathBuf {
        Path::new("/proc/self/fd").join(file.as_raw_fd().to_string())
    }
}

#[cfg(not(target_os = "linux"))]
mod unnamed {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub(super) fn create(_folder: &Path, _mode: u32) -> Option<File> {
        None
    }

    pub(super) fn link(_file: &File, _name: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    type Create = fn(&Path, u64) -> io::Result<AtomicFile>;

    /// The way of this machine, and the one for file systems that make no file without a name.
    const BOTH_WAYS: [Create; 2] =
        [AtomicFile::create_private, |name, nonce| AtomicFile::create_named(name, nonce, 0o600)];

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_name_appears_with_the_whole_file() {
        for create in BOTH_WAYS {
            let folder = tempfile::tempdir().unwrap();
            let name = folder.path().join("out.mp4");
            let write = |content: &[u8]| {
                let mut file = create(&name, 7).unwrap();
                file.file().write_all(content).unwrap();
                let before = fs::read(&name).ok();
                file.commit().unwrap();
                assert_eq!(names(folder.path()), ["out.mp4"]);
                (before, fs::read(&name).unwrap())
            };
            assert_eq!(write(b"old"), (None, b"old".to_vec()));
            assert_eq!(write(b"new"), (Some(b"old".to_vec()), b"new".to_vec()));
        }
    }

    #[test]
    fn dropped_it_leaves_nothing() {
        for create in BOTH_WAYS {
            let folder = tempfile::tempdir().unwrap();
            drop(create(&folder.path().join("out.mp4"), 7).unwrap());
            assert!(names(folder.path()).is_empty());
        }
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_nothing() {
        for create in BOTH_WAYS {
            let folder = tempfile::tempdir().unwrap();
            let name = folder.path().join("taken");
            let file = create(&name, 7).unwrap();
            fs::create_dir(&name).unwrap();
            file.commit().unwrap_err();
            assert_eq!(names(folder.path()), ["taken"]);
            assert!(create(&folder.path().join("nowhere/out.mp4"), 7).is_err());
            assert!(create(Path::new("/"), 7).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_for_this_account_alone() {
        use std::os::unix::fs::PermissionsExt;
        for create in BOTH_WAYS {
            let folder = tempfile::tempdir().unwrap();
            let name = folder.path().join("out.mp4");
            create(&name, 7).unwrap().commit().unwrap();
            assert_eq!(fs::metadata(&name).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn killed_it_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "atomic::tests::child_that_writes", "--ignored", "--nocapture"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut said, mut chunk) = (Vec::new(), [0; 256]);
        while !said.windows(WRITTEN.len()).any(|window| window == WRITTEN.as_bytes()) {
            let count = child.stdout.as_mut().unwrap().read(&mut chunk).unwrap();
            assert_ne!(count, 0, "the child ended: {}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&chunk[..count]);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }

    #[test]
    #[ignore = "the child of the test above: writes and waits to be killed"]
    fn child_that_writes() {
        let mut file = AtomicFile::create(Path::new("out.mp4"), 7).unwrap();
        file.file().write_all(&[0x5a; 100_000]).unwrap();
        file.file().sync_all().unwrap();
        println!("{WRITTEN}");
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }

    const WRITTEN: &str = "written and synced";
}
