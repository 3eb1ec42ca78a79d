//! A counter in a TPM 2.0 that only goes up: what tells a client's store from an older copy of itself without asking
//! anybody. It outlives the store, and even `TPM2_Clear`; one that is made again begins above every one that was removed
//! (TPM 2.0 Library, part 1, section 37.2.4). Whoever owns the host of a virtual TPM can still set it back.

mod command;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use command::{Code, Refused};

/// A counter of one store, in the TPM that a path leads to.
pub(crate) struct Counter {
    tpm: Box<dyn Tpm>,
    index: u32,
    value: u64,
}

/// What commands are written to, and their responses read from.
trait Tpm: Read + Write {}

impl<T: Read + Write> Tpm for T {}

impl Counter {
    /// The counter of the store of this epoch; one that is not there is made. The path is a device, such as `/dev/tpmrm0`, or
    /// a socket of a TPM in software.
    pub(crate) fn open(path: &Path, store_epoch: [u8; 16]) -> io::Result<Self> {
        let tpm: Box<dyn Tpm> = if path.metadata()?.file_type().is_socket() {
            let socket = UnixStream::connect(path)?;
            socket.set_read_timeout(Some(LONGEST_COMMAND))?;
            socket.set_write_timeout(Some(LONGEST_COMMAND))?;
            Box::new(socket)
        } else {
            Box::new(OpenOptions::new().read(true).write(true).open(path)?)
        };
        let mut counter = Self { tpm, index: index_of(store_epoch), value: 0 };
        counter.value = counter.read()?;
        Ok(counter)
    }

    /// How far it has come. Nobody else counts here.
    pub(crate) const fn value(&self) -> u64 {
        self.value
    }

    fn read(&mut self) -> io::Result<u64> {
        match self.ask(&command::read(self.index)) {
            Ok(parameters) => command::value(&parameters),
            Err(Failure::Refused(Refused(Code::NOT_DEFINED))) => {
                self.ask(&command::define(self.index)).map_err(io::Error::from)?;
                self.begin()
            }
            // Made, and then interrupted.
            Err(Failure::Refused(Refused(Code::NOT_WRITTEN))) => self.begin(),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Counts up by one. A chip counts a limited number of times in its life, and refuses to count too often.
    pub(crate) fn raise(&mut self) -> io::Result<()> {
        self.ask(&command::increment(self.index)).map_err(io::Error::from)?;
        self.value += 1;
        Ok(())
    }

    /// A new counter has a value once it has counted.
    fn begin(&mut self) -> io::Result<u64> {
        self.ask(&command::increment(self.index)).map_err(io::Error::from)?;
        let parameters = self.ask(&command::read(self.index)).map_err(io::Error::from)?;
        command::value(&parameters)
    }

    /// One command, and the parameters of its response.
    fn ask(&mut self, command: &[u8]) -> Result<Vec<u8>, Failure> {
        for _ in 0..MOST_TRIES {
            self.tpm.write_all(command).map_err(Failure::Io)?;
            let mut response = vec![0; LONGEST_RESPONSE];
            // The device and the socket give a response whole.
            let length = self.tpm.read(&mut response).map_err(Failure::Io)?;
            match command::parameters(&response[..length]).map_err(Failure::Io)? {
                Ok(parameters) => return Ok(parameters.to_vec()),
                Err(Refused(code)) if code == Code::RETRY => {}
                Err(refused) => return Err(Failure::Refused(refused)),
            }
        }
        Err(Failure::Refused(Refused(Code::RETRY)))
    }
}

/// A command that was not done.
enum Failure {
    Io(io::Error),
    Refused(Refused),
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io(error) => error,
            Failure::Refused(refused) => Self::other(refused),
        }
    }
}

/// Each store has an index of its own, among those that are the owner's to give (TCG, Registry of Reserved TPM 2.0 Handles
/// and Localities): 22 bits of its epoch, which is random.
const fn index_of(store_epoch: [u8; 16]) -> u32 {
    let [first, second, third, ..] = store_epoch;
    OWNERS_INDEXES | u32::from_be_bytes([0, first & 0x3f, second, third])
}

const OWNERS_INDEXES: u32 = 0x0180_0000;
/// Bytes; those read here have less than a hundred.
const LONGEST_RESPONSE: usize = 4096;
/// A TPM may ask for a command again while it is busy.
const MOST_TRIES: usize = 5;
/// Writing to the memory of a chip takes a second at most.
const LONGEST_COMMAND: Duration = Duration::from_secs(5);
