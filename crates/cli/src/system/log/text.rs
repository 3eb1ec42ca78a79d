//! The log's lines as text, as tracing-subscriber's own look. Its own are put together field by field by the formatting
//! machinery, which was a tenth of the instructions of answering a request for the time; and only some of what is not from
//! here is escaped in them.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// A line: time, level, spans with their fields, the module, the event's message and fields.
pub(super) struct Lines<T>(pub(super) T);

impl<S, N, T> FormatEvent<S, N> for Lines<T>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    T: FormatTime,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        self.0.format_time(&mut to)?;
        to.write_str(level(*event.metadata().level()))?;
        let mut is_in_span = false;
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            to.write_str(span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>().filter(|fields| !fields.is_empty()) {
                to.write_char('{')?;
                to.write_str(fields)?;
                to.write_char('}')?;
            }
            to.write_char(':')?;
            is_in_span = true;
        }
        to.write_str(if is_in_span { " " } else { "" })?;
        to.write_str(event.metadata().target())?;
        to.write_str(": ")?;
        context.format_fields(to.by_ref(), event)?;
        to.write_char('\n')
    }
}

/// Of one width, between spaces.
fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => " ERROR ",
        Level::WARN => "  WARN ",
        Level::INFO => "  INFO ",
        Level::DEBUG => " DEBUG ",
        Level::TRACE => " TRACE ",
    }
}

/// The message, then fields as `name=value`, texts in quotes.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, mut to: Writer<'writer>, fields: R) -> fmt::Result {
        let mut text = Text(String::with_capacity(ROOM));
        fields.record(&mut text);
        to.write_str(&text.0)
    }
}

/// Fields as far as they were seen.
struct Text(String);

impl Text {
    fn begin(&mut self, field: &Field) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        if field.name() != MESSAGE {
            self.0.push_str(field.name());
            self.0.push('=');
        }
    }

    /// Whatever is in a value, it stays in its line, and a terminal takes none of it for a command.
    fn escape(&mut self, from: usize) {
        if self.0.as_bytes()[from..].iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return;
        }
        for character in self.0.split_off(from).chars() {
            if character.is_control() || BREAKS_OR_TURNS.contains(&character) {
                self.0.extend(character.escape_debug());
            } else {
                self.0.push(character);
            }
        }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            return self.record_debug(field, &format_args!("{value}"));
        }
        // Most are plain words.
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\')) {
            return self.record_debug(field, &value);
        }
        self.begin(field);
        self.0.push('"');
        self.0.push_str(value);
        self.0.push('"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.begin(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.begin(field);
        let from = self.0.len();
        let _ = write!(self.0, "{value:?}");
        self.escape(from);
    }
}

/// What begins a line for some readers, and what turns the direction of what follows (Unicode, UAX 14 and UAX 9).
const BREAKS_OR_TURNS: [char; 14] = [
    '\u{2028}', '\u{2029}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
    '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];
/// The field that a macro's text becomes.
const MESSAGE: &str = "message";
/// Bytes that hold the fields of most spans and events.
const ROOM: usize = 160;

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    struct Noon;

    impl FormatTime for Noon {
        fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
            to.write_str("noon")
        }
    }

    /// What is written of the events, by the library's lines and by ours.
    fn both(log: impl FnOnce()) -> (String, String) {
        let (theirs, ours) = (Written::default(), Written::default());
        let (to_theirs, to_ours) = (theirs.clone(), ours.clone());
        let library = tracing_subscriber::fmt::layer().with_ansi(false).with_timer(Noon);
        let own = tracing_subscriber::fmt::layer().with_ansi(false).event_format(Lines(Noon)).fmt_fields(Fields);
        let all = tracing_subscriber::registry()
            .with(library.with_writer(move || to_theirs.clone()))
            .with(own.with_writer(move || to_ours.clone()));
        tracing::subscriber::with_default(all, log);
        (theirs.text(), ours.text())
    }

    #[test]
    fn lines_are_as_those_of_the_library() {
        let (theirs, ours) = both(|| {
            let error = io::Error::other("no \"such\" thing");
            tracing::info!("alone");
            tracing::warn!(count = 7, below = -7, is = true, share = 0.5, "with {} fields", "some");
            tracing::error!(%error, path = ?"C:\\d\u{e9}j\u{e0}", none = None::<&str>, "of all kinds");
            tracing::debug!(word = "a \"quoted\" one");
            let span = tracing::info_span!("request", id = %"0a", method = "GET", traceparent = tracing::field::Empty);
            span.record("traceparent", "00-1");
            let _request = span.enter();
            let inner = tracing::trace_span!("inner");
            tracing::info!(parent: &inner, "in two");
            inner.in_scope(|| tracing::trace!(status = 200_u16, "answered"));
        });
        assert_eq!(ours, theirs);
        assert_eq!(ours.lines().count(), 6);
    }

    #[test]
    fn a_value_stays_in_its_line_whatever_is_in_it() {
        let hostile = "a\nnoon  INFO admit: forged\x1b[2J\u{9b}2J\u{2028}\u{202e}\u{e9}";
        let (_, ours) = both(|| {
            tracing::info_span!("request", id = %hostile).in_scope(|| {
                tracing::info!(display = %hostile, text = hostile, debug = ?hostile, "{hostile}");
            });
        });
        let line = ours.strip_suffix('\n').unwrap();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert_eq!(line.matches("a\\nnoon").count(), 5, "{line}");
        assert_eq!(line.matches("\\u{1b}[2J\\u{9b}2J\\u{2028}\\u{202e}\u{e9}").count(), 5, "{line}");
    }
}
