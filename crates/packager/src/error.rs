//! Why media could not be packaged.

use std::io;

/// What went wrong, grouped by who is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is wrong, or has what is not supported.
    #[error(transparent)]
    Media(#[from] admit_media::Error),
    /// The input has neither video nor audio, or not one sample.
    #[error("no video or audio")]
    NothingToProtect,
    /// The input would need more fragments than an index can have.
    #[error("{fragments} fragments are more than an index can have (65535)")]
    TooManyFragments {
        /// How many there would be.
        fragments: usize,
    },
    /// The sample tables name more bytes than the file has: samples lie over each other.
    #[error("samples of {samples} bytes in a file of {file}")]
    MoreSamplesThanFile {
        /// What the tables name.
        samples: u64,
        /// What there is.
        file: u64,
    },
    /// The output could not be written.
    #[error("writing: {kind}")]
    Output {
        /// Why.
        kind: io::ErrorKind,
    },
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output { kind: error.kind() }
    }
}
