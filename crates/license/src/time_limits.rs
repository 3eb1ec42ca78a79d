//! The limits in time of a license, and when they end.

use core::time::Duration;

use admit_time::Timestamp;

/// Limits in time. Durations are whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeLimits {
    /// Not before this time.
    pub begin: Option<Timestamp>,
    /// Not after this time.
    pub expiry: Option<Timestamp>,
    /// This long after the first use of any right.
    pub after_first_use: Option<Duration>,
    /// This long after it was stored.
    pub after_storing: Option<Duration>,
}

impl TimeLimits {
    /// Whether there is any limit in time, so that the client needs a trusted clock (row E01).
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Whether any of them is an end, now or once it is counted down to.
    #[must_use]
    pub const fn any_end(&self) -> bool {
        self.expiry.is_some() || self.after_first_use.is_some() || self.after_storing.is_some()
    }

    /// When they end, by what is known of the license's use.
    #[must_use]
    pub fn ends_at(&self, first_used_at: Option<Timestamp>, stored_at: Option<Timestamp>) -> Option<Timestamp> {
        let after = |start: Option<Timestamp>, length: Option<Duration>| Some(start?.saturating_add(length?));
        let ends = [self.expiry, after(first_used_at, self.after_first_use), after(stored_at, self.after_storing)];
        ends.into_iter().flatten().min()
    }
}
