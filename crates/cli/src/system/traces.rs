//! Export of the server's traces: the span of each request goes to an OpenTelemetry collector, by a thread of its own.
//! Where the collector takes none, spans are dropped and counted, and neither a request nor the program's end waits.

mod collect;
mod collector;
mod span;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use admit_server::home;

pub(crate) use collect::Collect;
use collector::Collector;
use span::Span;

/// The running export. What waits is sent when it is dropped, if it can be sent soon.
pub(crate) struct Traces {
    queue: Queue,
    sample: home::Share,
}

/// The way to the thread that sends.
#[derive(Clone)]
struct Queue {
    spans: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Span(Span),
    /// The end: says when everything before this was sent.
    End(SyncSender<()>),
}

/// What a collector did not take of what it was sent: how many spans; or why it took none.
type Sent = Result<u64, String>;

impl Traces {
    /// Starts it, where the settings name a collector. `scheme` is that of the server's own address.
    pub(crate) fn start(settings: &home::Traces, scheme: &'static str) -> io::Result<Option<Self>> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let collector = Collector::new(endpoint, &settings.service_name, scheme);
        let queue = Queue::start(move |batch| collector.send(batch))?;
        Ok(Some(Self { queue, sample: settings.sample }))
    }

    /// What sees the requests.
    pub(crate) fn layer(&self) -> Collect {
        Collect::new(self.queue.clone(), self.sample)
    }

    /// How many spans were dropped.
    pub(crate) fn dropped_spans(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let dropped = Arc::clone(&self.queue.dropped);
        move || dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        let (sent, wait) = sync_channel(1);
        // Where the queue is full nobody takes spans.
        if self.queue.spans.try_send(Message::End(sent)).is_ok() {
            let _ = wait.recv_timeout(END_LIMIT);
        }
    }
}

impl Queue {
    fn start(send: impl FnMut(&[Span]) -> Sent + Send + 'static) -> io::Result<Self> {
        let (spans, waiting) = sync_channel(SPANS);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        std::thread::Builder::new().name("traces".to_owned()).spawn(move || export(&waiting, send, &lost))?;
        Ok(Self { spans, dropped })
    }

    fn push(&self, span: Span) {
        if self.spans.try_send(Message::Span(span)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends what waits until the end. The log hears when a collector begins to take nothing, and when it takes spans again.
fn export(waiting: &Receiver<Message>, mut send: impl FnMut(&[Span]) -> Sent, dropped: &AtomicU64) {
    let mut is_failing = false;
    while let Ok(first) = waiting.recv() {
        let (batch, end) = gather(first, waiting);
        if !batch.is_empty() {
            let sent = send(&batch);
            tell(&mut is_failing, &sent);
            dropped.fetch_add(sent.unwrap_or(batch.len() as u64), Ordering::Relaxed);
        }
        if let Some(end) = end {
            // Whoever waited may have given up.
            let _ = end.send(());
            return;
        }
    }
}

/// The spans of a batch, and the end where it came.
fn gather(first: Message, waiting: &Receiver<Message>) -> (Vec<Span>, Option<SyncSender<()>>) {
    let until = Instant::now() + GATHERED_FOR;
    let (mut batch, mut next) = (Vec::new(), first);
    loop {
        match next {
            Message::Span(span) => batch.push(span),
            Message::End(end) => return (batch, Some(end)),
        }
        if batch.len() == BATCH {
            return (batch, None);
        }
        match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(message) => next = message,
            Err(_) => return (batch, None),
        }
    }
}

fn tell(was_failing: &mut bool, sent: &Sent) {
    match sent {
        Err(error) if !*was_failing => tracing::warn!(%error, "traces are dropped: the collector takes none"),
        Ok(_) if *was_failing => tracing::info!("the collector takes traces again"),
        _ => {}
    }
    *was_failing = sent.is_err();
}

/// Spans that wait at most: some megabytes.
const SPANS: usize = 4_096;
/// Spans that are sent together at most.
const BATCH: usize = 512;
/// How long a span waits for others to be sent with.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// How long the end of the program waits for the last spans.
const END_LIMIT: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(send: impl FnMut(&[Span]) -> Sent + Send + 'static) -> Traces {
        Traces { queue: Queue::start(send).unwrap(), sample: home::Share::ALL }
    }

    #[test]
    fn spans_that_a_hung_collector_leaves_are_dropped_and_counted_and_the_end_does_not_wait_for_it() {
        let (begun, has_begun) = sync_channel(1);
        let (_never, hung) = sync_channel::<()>(0);
        let traces = traces(move |batch| {
            begun.send(batch.len()).unwrap();
            hung.recv().map_err(|error| error.to_string())?;
            Ok(0)
        });
        for _ in 0..BATCH {
            traces.queue.push(Span::sample());
        }
        let with_collector = has_begun.recv().unwrap();
        let left = BATCH - with_collector;
        for _ in 0..SPANS - left + 10 {
            traces.queue.push(Span::sample());
        }
        assert_eq!(traces.dropped_spans()(), 10);
        // Returns though the collector never does.
        drop(traces);
    }

    #[test]
    fn what_waits_at_the_end_is_sent() {
        let (sent, batches) = sync_channel(8);
        let traces = traces(move |batch| {
            sent.send(batch.len()).unwrap();
            Ok(0)
        });
        for _ in 0..3 {
            traces.queue.push(Span::sample());
        }
        drop(traces);
        assert_eq!(batches.iter().sum::<usize>(), 3);
    }

    #[test]
    fn spans_that_were_refused_or_taken_in_part_are_counted() {
        let mut answers = [Err("no".to_owned()), Ok(2), Ok(0)].into_iter();
        let (sent, batches) = sync_channel(8);
        let dropped = Arc::new(AtomicU64::new(0));
        let (spans, waiting) = sync_channel(SPANS);
        let end = sync_channel(1);
        for _ in 0..3 * BATCH {
            spans.send(Message::Span(Span::sample())).unwrap();
        }
        spans.send(Message::End(end.0)).unwrap();
        let send = move |batch: &[Span]| {
            sent.send(batch.len()).unwrap();
            answers.next().unwrap()
        };
        export(&waiting, send, &dropped);
        assert_eq!(batches.iter().collect::<Vec<_>>(), [BATCH; 3]);
        assert_eq!(dropped.load(Ordering::Relaxed), BATCH as u64 + 2);
    }
}
