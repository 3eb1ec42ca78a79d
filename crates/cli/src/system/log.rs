//! The server's log, on standard error: standard output says when the server is ready, and nothing else. A thread of its
//! own writes it. Where nobody reads, lines are dropped and counted, and no request waits.

use admit_server::home::{Log, LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};

/// The running log. What waits is written when it is dropped, if it can be written.
pub(crate) struct ServerLog {
    dropped: ErrorCounter,
    _guard: WorkerGuard,
}

impl ServerLog {
    /// Starts it, once in a process.
    pub(crate) fn start(log: Log) -> Self {
        let queue = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES).thread_name("log");
        let (writer, guard) = queue.finish(std::io::stderr());
        let dropped = writer.error_counter();
        let level = match log.level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
        };
        let lines = tracing_subscriber::fmt().with_writer(writer).with_max_level(level).with_ansi(false);
        match log.format {
            LogFormat::Text => lines.init(),
            LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).init(),
        }
        Self { dropped, _guard: guard }
    }

    /// How many lines were dropped.
    pub(crate) fn dropped_lines(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let dropped = self.dropped.clone();
        move || dropped.dropped_lines() as u64
    }
}

/// Lines that wait at most: some megabytes.
const LINES: usize = 8_192;
