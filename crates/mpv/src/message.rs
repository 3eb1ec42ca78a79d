//! What libmpv's threads, and whoever wants it to stop, tell the thread that plays.

use std::sync::mpsc::SyncSender;

/// A message to the thread that plays.
#[derive(Debug)]
pub(crate) enum Message {
    /// Bytes of the medium are wanted, and somebody waits for them.
    Read {
        /// Where they begin.
        offset: u64,
        /// How many at most.
        length: usize,
        /// Who waits. To drop it says that nothing comes any more.
        answer: SyncSender<Vec<u8>>,
    },
    /// There are events to look at.
    Events,
    /// Playing shall end.
    Stop,
}
