//! Media in, protected media out: [`package`] makes one self-contained fragmented MP4, and [`decrypt`] is the other
//! direction with reading and writing on two threads. [`AtomicFile`] gives the result its name only when it is whole.
//!
//! Output is a function of input, key, header and entropy alone. Memory does not grow with the input, but for its
//! sample tables, which are read as they are, and eight bytes per fragment.

mod atomic;
mod error;
mod fragment;
mod head;
mod package;
mod plan;
mod samples;
mod sink;
mod track;

use std::io::{Read, Seek, Write};

pub use atomic::AtomicFile;
pub use error::Error;
pub use package::{Protection, Report, package};
pub use sink::{ThreadedSink, with_threaded_sink};

/// Decrypts a protected file as [`admit_media::decrypt`] does, writing on a second thread.
pub fn decrypt<R: Read + Seek, W: Write + Send>(
    input: R,
    output: &mut W,
    keys: &mut admit_media::Keys<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<admit_media::Decrypted, Error> {
    with_threaded_sink(output, DECRYPT_BUFFERS, |sink| Ok(admit_media::decrypt(input, sink, keys, progress)?))
}

/// Blocks on their way between the two threads.
const DECRYPT_BUFFERS: usize = 4;
