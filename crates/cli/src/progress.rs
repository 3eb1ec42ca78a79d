//! A progress bar on a terminal, for anything that takes more than a second.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Progress in bytes.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: Cell<bool>,
}

impl Progress {
    /// Nothing is drawn before a second has passed, nor where standard error is not a terminal.
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        Self { bar, started: Instant::now(), shown: Cell::new(false) }
    }

    /// So much of so much is done.
    pub(crate) fn at(&self, done: u64, all: u64) {
        if !self.shown.get() {
            if self.started.elapsed() < SHOWN_AFTER || !std::io::stderr().is_terminal() {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown.set(true);
        }
        self.bar.set_length(all);
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

const TEMPLATE: &str = "{msg} [{bar:40}] {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
const SHOWN_AFTER: Duration = Duration::from_secs(1);
