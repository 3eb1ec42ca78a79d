//! What can go wrong, by whose fault it is: the machine's, or the media's.

/// libmpv is not there, did not start, or did not play.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library is not installed, or cannot be loaded.
    #[error("libmpv cannot be loaded: {detail}")]
    NotInstalled {
        /// What the system's loader said.
        detail: String,
    },
    /// It is a version with another interface.
    #[error("libmpv has version {major} of its interface, and this program knows version 2")]
    OtherVersion {
        /// The major number of its client interface.
        major: std::ffi::c_ulong,
    },
    /// It lacks a function, an option or a part that is needed, or refused one.
    #[error("libmpv refused {what}: {detail}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// There is no screen that it could open a window on.
    #[error("libmpv found no screen")]
    NoScreen,
    /// It did not play to the end.
    #[error("libmpv did not play it to the end: {detail}")]
    Playback {
        /// What it said.
        detail: String,
    },
}
