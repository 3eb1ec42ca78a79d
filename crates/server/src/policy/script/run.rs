//! One run of a script: until when it may take, and what it printed. The engine is shared by all runs and its callbacks
//! are told nothing of the run, so this is kept by thread: a run stays on the thread where it began.

use std::cell::RefCell;
use std::time::Instant;

use super::engine::Limits;

struct State {
    ends_at: Instant,
    printed: Vec<String>,
}

/// A run that is under way on this thread.
pub(super) struct Run(());

impl Run {
    /// Begins one.
    #[expect(clippy::disallowed_methods, reason = "not a time that decides: it stops what takes too long")]
    pub(super) fn begin(limits: Limits) -> Self {
        let state = State { ends_at: Instant::now() + limits.time, printed: Vec::new() };
        STATE.with_borrow_mut(|current| *current = Some(state));
        Self(())
    }

    /// Ends it, and gives what was printed.
    pub(super) fn end(self) -> Vec<String> {
        STATE.with_borrow_mut(Option::take).map(|state| state.printed).unwrap_or_default()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        STATE.with_borrow_mut(|state| *state = None);
    }
}

/// Whether a script runs on this thread. A panic of such a run ends the run and nothing else.
#[must_use]
pub fn is_running() -> bool {
    STATE.try_with(|state| state.try_borrow().is_ok_and(|state| state.is_some())).unwrap_or(false)
}

/// Why the run must stop now, if it must. Asked at every step; the clock is looked at now and then.
#[expect(clippy::disallowed_methods, reason = "not a time that decides: it stops what takes too long")]
pub(super) fn stop_reason(operations: u64) -> Option<String> {
    if !operations.is_multiple_of(STEPS_BETWEEN_LOOKS) {
        return None;
    }
    let ends_at = STATE.with_borrow(|state| state.as_ref().map(|state| state.ends_at))?;
    (Instant::now() >= ends_at).then(|| "the script takes too long".to_owned())
}

/// Keeps a line that the script printed, for the log. Standard output is not the script's.
pub(super) fn print(text: &str) {
    STATE.with_borrow_mut(|state| {
        if let Some(state) = state.as_mut().filter(|state| state.printed.len() < MAX_LINES) {
            state.printed.push(text.chars().take(MAX_LINE).collect());
        }
    });
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

const STEPS_BETWEEN_LOOKS: u64 = 32;
const MAX_LINES: usize = 20;
/// Characters.
const MAX_LINE: usize = 200;
