//! The server's log, on standard error: standard output says when the server is ready, and nothing else. A thread of its
//! own writes it. Where nobody reads, lines are dropped and counted, and no request waits.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use admit_server::home::{Log, LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::traces::Collect;

/// The running log. What waits is written when it is dropped, if it can be written soon.
pub(crate) struct ServerLog(Queue);

/// The way to the thread that writes.
#[derive(Clone)]
struct Queue {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Line(Vec<u8>),
    /// Everything before this was written: says so.
    Written(SyncSender<()>),
}

impl ServerLog {
    /// Starts it, once in a process, and what sees the spans beside it.
    pub(crate) fn start(log: Log, traces: Option<Collect>) -> io::Result<Self> {
        // Not the standard library's: a thread that hangs would hold its lock.
        let to = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let queue = Queue::start(to)?;
        let level = match log.level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
        };
        let writer = queue.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
        let all = tracing_subscriber::registry().with(level).with(traces);
        match log.format {
            LogFormat::Text => all.with(lines).init(),
            LogFormat::Json => all.with(lines.json().flatten_event(true).with_span_list(false)).init(),
        }
        Ok(Self(queue))
    }

    /// How many lines were dropped.
    pub(crate) fn dropped_lines(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let dropped = Arc::clone(&self.0.dropped);
        move || dropped.load(Ordering::Relaxed)
    }
}

impl Drop for ServerLog {
    fn drop(&mut self) {
        let (written, wait) = sync_channel(1);
        // Where the queue is full nobody reads.
        if self.0.lines.try_send(Message::Written(written)).is_ok() {
            let _ = wait.recv_timeout(END_LIMIT);
        }
    }
}

impl Queue {
    fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(to, &waiting, &lost))?;
        Ok(Self { lines, dropped })
    }
}

impl Write for Queue {
    /// Takes a line: each event of the log is written in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(mut to: impl Write, waiting: &Receiver<Message>, dropped: &AtomicU64) {
    for message in waiting {
        match message {
            Message::Line(line) => {
                if to.write_all(&line).is_err() {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            Message::Written(done) => {
                let _ = done.send(());
            }
        }
    }
}

/// Lines that wait at most: some megabytes.
const LINES: usize = 8_192;
/// How long the end of the program waits for the last lines.
const END_LIMIT: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a line only when it is let.
    struct Hung(Receiver<()>);

    impl Write for Hung {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_dropped_and_counted() {
        let (go, hung) = sync_channel(0);
        let mut queue = Queue::start(Hung(hung)).unwrap();
        for _ in 0..LINES + 10 {
            queue.write_all(b"line").unwrap();
        }
        // One line may be with the writer, which is no longer in the queue.
        let dropped = queue.dropped.load(Ordering::Relaxed);
        assert!((9..=10).contains(&dropped), "{dropped}");
        // It is let through, and there is a place for another one.
        go.send(()).unwrap();
        go.send(()).unwrap();
        queue.write_all(b"line").unwrap();
        assert_eq!(queue.dropped.load(Ordering::Relaxed), dropped);
    }
}
