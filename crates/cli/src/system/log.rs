//! The server's log, on standard error: standard output says when the server is ready, and nothing else. A thread of its
//! own writes it. Where nobody reads, lines are dropped and counted, and no request waits; when somebody reads again, the
//! log says how many were lost.

mod text;

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admit_server::home::{Log, LogFormat, LogLevel};
use admit_time::Timestamp;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
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
        let queue = Queue::start(to, |lines| tracing::warn!(lines, "lines of the log were dropped"))?;
        let level = match log.level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
        };
        let writer = queue.clone();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        // The level is the log's alone: what requests are traced by is seen at each.
        let all =
            tracing_subscriber::registry().with(traces.map(|traces| traces.with_filter(filter_fn(Collect::sees))));
        match log.format {
            LogFormat::Text => {
                let lines = lines.event_format(text::Lines(LineTime::default())).fmt_fields(text::Fields);
                all.with(lines.with_filter(level)).init();
            }
            LogFormat::Json => {
                let lines = lines.with_timer(LineTime::default());
                all.with(lines.json().flatten_event(true).with_span_list(false).with_filter(level)).init();
            }
        }
        log_panics(queue.clone());
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
        self.0.finish();
    }
}

/// The standard hook writes to standard error itself, and hangs for ever where nobody reads. A panic ends the process:
/// what half of a server would go on to do is nobody's intention. That of a script ends the script.
fn log_panics(queue: Queue) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, reason = panic.payload_as_str(), "panicked");
        queue.finish();
        if !admit_server::policy::script_is_running() {
            std::process::abort();
        }
    }));
}

impl Queue {
    /// `tell` is called with the number of lines that were dropped when there is room again to say so.
    fn start(to: impl Write + Send + 'static, tell: impl Fn(u64) + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(to, &waiting, &lost, tell))?;
        Ok(Self { lines, dropped })
    }

    /// Waits until what is in the queue is written, if that is soon.
    fn finish(&self) {
        let (written, wait) = sync_channel(1);
        // Where the queue is full nobody reads.
        if self.lines.try_send(Message::Written(written)).is_ok() {
            let _ = wait.recv_timeout(END_LIMIT);
        }
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

fn write(to: impl Write, waiting: &Receiver<Message>, dropped: &AtomicU64, tell: impl Fn(u64)) {
    let mut block = Block { to, bytes: Vec::new(), lines: 0, is_taken: true };
    let mut told = 0;
    loop {
        let message = waiting.try_recv().or_else(|error| {
            block.write(dropped);
            let lost = dropped.load(Ordering::Relaxed);
            // Said while nothing is taken it would be lost as well.
            if error == TryRecvError::Empty && block.is_taken && lost > told {
                tell(lost - told);
                told = lost;
            }
            let first = waiting.recv();
            // What comes meanwhile wakes nobody, and goes out with it in one write.
            std::thread::sleep(GATHERED_FOR);
            first
        });
        match message {
            Ok(Message::Line(line)) => block.push(&line, dropped),
            Ok(Message::Written(done)) => {
                block.write(dropped);
                let _ = done.send(());
            }
            Err(_) => return,
        }
    }
}

/// Lines that go out together.
struct Block<W> {
    to: W,
    bytes: Vec<u8>,
    lines: u64,
    /// Whether the last one was.
    is_taken: bool,
}

impl<W: Write> Block<W> {
    fn push(&mut self, line: &[u8], dropped: &AtomicU64) {
        self.bytes.extend_from_slice(line);
        self.lines += 1;
        if self.lines == LINES_OF_BLOCK {
            self.write(dropped);
        }
    }

    /// Writes what there is; what is not taken is dropped and counted.
    fn write(&mut self, dropped: &AtomicU64) {
        let lines = std::mem::take(&mut self.lines);
        if lines > 0 {
            self.is_taken = self.to.write_all(&self.bytes).is_ok();
            dropped.fetch_add(if self.is_taken { 0 } else { lines }, Ordering::Relaxed);
        }
        self.bytes.clear();
    }
}

/// When a line was written, to the microsecond (RFC 3339). Most lines are of the same second as the one before, whose text
/// is kept.
#[derive(Default)]
struct LineTime {
    last: Mutex<Second>,
}

/// A second since 1970, and its text without the Z.
#[derive(Default)]
struct Second {
    unix_secs: u64,
    text: String,
}

impl FormatTime for LineTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last.lock().unwrap_or_else(PoisonError::into_inner).write(now, writer)
    }
}

impl Second {
    /// Writes a time since 1970, and keeps its second.
    fn write(&mut self, now: Duration, to: &mut impl fmt::Write) -> fmt::Result {
        if self.unix_secs != now.as_secs() || self.text.is_empty() {
            let text = Timestamp::from_unix_secs(now.as_secs()).to_string();
            *self = Self { unix_secs: now.as_secs(), text: text.trim_end_matches('Z').to_owned() };
        }
        write!(to, "{}.{:06}Z", self.text, now.subsec_micros())
    }
}

/// Lines that wait at most: some megabytes.
const LINES: usize = 8_192;
/// Lines that go out in one write at most.
const LINES_OF_BLOCK: u64 = 256;
/// How long the first line waits for others.
const GATHERED_FOR: Duration = Duration::from_millis(5);
/// How long the end of the program waits for the last lines.
const END_LIMIT: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, Stdio};

    use nix::sys::signal::Signal;

    use super::*;

    /// Takes a block only when it is let, and says when it is asked to.
    struct Hung {
        asked: SyncSender<()>,
        go: Receiver<()>,
    }

    impl Write for Hung {
        fn write(&mut self, block: &[u8]) -> io::Result<usize> {
            self.asked.send(()).map_err(io::Error::other)?;
            self.go.recv().map_err(io::Error::other)?;
            Ok(block.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_dropped_and_counted() {
        let ((asked, is_asked), (go, hung)) = (sync_channel(0), sync_channel(0));
        let mut queue = Queue::start(Hung { asked, go: hung }, |_| ()).unwrap();
        queue.write_all(b"line").unwrap();
        // The writer hangs with this line.
        is_asked.recv().unwrap();
        for _ in 0..LINES + 10 {
            queue.write_all(b"line").unwrap();
        }
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 10);
        // It is let through and comes with the next block, so there are places again.
        go.send(()).unwrap();
        is_asked.recv().unwrap();
        queue.write_all(b"line").unwrap();
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn who_reads_again_is_told_how_much_was_lost() {
        let (mut reads, pipe) = io::pipe().unwrap();
        let (queues, queue) = sync_channel::<Queue>(1);
        let tell = move |lines| writeln!(queue.recv().unwrap(), "lost {lines}").unwrap();
        let mut queue = Queue::start(pipe, tell).unwrap();
        queues.send(queue.clone()).unwrap();
        // Nobody reads, and the pipe holds less than this.
        let line = [[b'x'; 1023].as_slice(), b"\n"].concat();
        let mut written = 0;
        while queue.dropped.load(Ordering::Relaxed) == 0 {
            queue.write_all(&line).unwrap();
            written += 1;
        }
        let mut all = Vec::new();
        while !all.ends_with(b"lost 1\n") {
            let mut some = [0; 4096];
            let length = reads.read(&mut some).unwrap();
            all.extend(&some[..length]);
        }
        assert_eq!(all.len(), (written - 1) * line.len() + b"lost 1\n".len());
    }

    /// In a process of its own, whose hook for panics this is.
    #[test]
    fn a_panic_ends_the_process_also_where_nobody_reads_the_log() {
        if std::env::var_os(PANICS).is_some() {
            return panic_with_a_full_log();
        }
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "system::log::tests::a_panic_ends_the_process_also_where_nobody_reads_the_log";
        command.args(["--exact", test, "--nocapture"]);
        let mut child = command.env(PANICS, "").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (found, ended) = sync_channel(1);
        std::thread::spawn(move || found.send(stdout.lines().any(|line| line.unwrap().contains(WENT_ON))));
        // Nobody reads its standard error.
        let ended = ended.recv_timeout(Duration::from_secs(60));
        child.kill().unwrap();
        let signal = child.wait().unwrap().signal();
        assert_eq!((ended, signal), (Ok(false), Some(Signal::SIGABRT as i32)));
    }

    fn panic_with_a_full_log() {
        let log = ServerLog::start(Log::default(), None).unwrap();
        let dropped = log.dropped_lines();
        while dropped() == 0 {
            tracing::error!("{}", "x".repeat(1024));
        }
        let _ = std::thread::spawn(|| panic!("a panic")).join();
        println!("{WENT_ON}");
    }

    const PANICS: &str = "ADMIT_TEST_PANICS";
    const WENT_ON: &str = "went on";

    #[test]
    fn a_line_tells_its_time_to_the_microsecond_whatever_the_line_before_told() {
        let mut second = Second::default();
        let mut told = |micros| {
            let mut text = String::new();
            second.write(Duration::from_micros(micros), &mut text).unwrap();
            text
        };
        let of = 1_800_000_000_000_000;
        assert_eq!(told(of + 7), "2027-01-15T08:00:00.000007Z");
        assert_eq!(told(of + 999_999), "2027-01-15T08:00:00.999999Z");
        assert_eq!(told(of + 1_000_000), "2027-01-15T08:00:01.000000Z");
        assert_eq!(told(of), "2027-01-15T08:00:00.000000Z", "the clock was set back");
        assert_eq!(told(0), "1970-01-01T00:00:00.000000Z");
    }
}
