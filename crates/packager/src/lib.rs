//! Media in, protected media out: [`package()`] makes one self-contained fragmented MP4, and [`with_threaded_sink`]
//! lets reading and writing go on at once, in either direction. [`AtomicFile`] gives the result its name only when it is whole.
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

pub use atomic::AtomicFile;
pub use error::Error;
pub use package::{Protection, Report, package};
pub use sink::{ThreadedSink, with_threaded_sink};
