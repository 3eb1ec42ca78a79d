//! A sink that writes on a thread of its own, with a few buffers that go round.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use admit_media::{BLOCK, Sink};

use crate::Error;

/// The producer's end: lends buffers and sends them to the writer.
#[derive(Debug)]
pub struct ThreadedSink {
    full: Sender<(Vec<u8>, usize)>,
    empty: Receiver<Vec<u8>>,
    not_made_yet: usize,
}

impl Sink for ThreadedSink {
    fn buffer(&mut self) -> Vec<u8> {
        if self.not_made_yet > 0 {
            self.not_made_yet -= 1;
            return vec![0; BLOCK];
        }
        // The writer is gone only after an error, which `put` tells.
        self.empty.recv().unwrap_or_else(|_| vec![0; BLOCK])
    }

    fn put(&mut self, buffer: Vec<u8>, used: usize) -> io::Result<()> {
        self.full.send((buffer, used)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Runs `work` with a sink of `buffers` buffers that writes to `output` on another thread. Buffers smaller than
/// [`BLOCK`] may be put too; they do not go round.
pub fn with_threaded_sink<W: Write + Send, T>(
    output: &mut W,
    buffers: usize,
    work: impl FnOnce(&mut ThreadedSink) -> Result<T, Error>,
) -> Result<T, Error> {
    let (full, to_write) = channel();
    let (written, empty) = channel();
    thread::scope(|scope| {
        let writer = scope.spawn(move || write_all(output, &to_write, &written));
        let mut sink = ThreadedSink { full, empty, not_made_yet: buffers };
        let done = work(&mut sink);
        drop(sink);
        // The writer's own error is the cause of the broken pipe that the producer saw.
        match writer.join() {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        done
    })
}

fn write_all(output: &mut impl Write, full: &Receiver<(Vec<u8>, usize)>, empty: &Sender<Vec<u8>>) -> io::Result<()> {
    for (buffer, used) in full {
        output.write_all(&buffer[..used])?;
        if buffer.len() >= BLOCK {
            // A producer that has finished takes no more buffers back.
            drop(empty.send(buffer));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order() {
        let mut out = Vec::new();
        let work = |sink: &mut ThreadedSink| {
            for round in 0..20 {
                let mut buffer = sink.buffer();
                buffer[..3].fill(round);
                sink.put(buffer, 3)?;
                sink.put(vec![100 + round], 1)?;
            }
            Ok(())
        };
        with_threaded_sink(&mut out, 2, work).unwrap();
        let expected: Vec<_> = (0..20).flat_map(|round| [round, round, round, 100 + round]).collect();
        assert_eq!(out, expected);
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let work = |sink: &mut ThreadedSink| {
            for _ in 0..20 {
                let buffer = sink.buffer();
                sink.put(buffer, 1)?;
            }
            Ok(())
        };
        let expected = Error::Output { kind: io::ErrorKind::StorageFull };
        assert_eq!(with_threaded_sink(&mut Full, 2, work), Err(expected));
    }
}
