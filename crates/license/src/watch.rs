//! The rules about time that go on holding while content plays.

use core::time::Duration;

use admit_time::clock::{ClockState, Now, Rollback};
use admit_time::{Timestamp, TrustedTime};

use crate::{HeldLicense, Reason, Terms};

/// What playback keeps to: it is checked at every start and again while it plays (row E04). Of content whose licenses have no
/// limits in time it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watch {
    limited: Vec<Limited>,
    ends_at: Option<Timestamp>,
}

/// What one license says about the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limited {
    max_offline: Option<Duration>,
    grace: Duration,
}

impl Watch {
    pub(crate) fn of<'a>(elements: impl Iterator<Item = &'a HeldLicense>, ends_at: Option<Timestamp>) -> Self {
        let terms = elements.map(|held| held.license.terms()).filter(|terms| terms.time_limits().any());
        Self { limited: terms.map(Limited::from).collect(), ends_at }
    }

    /// The rules of this and of another one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.limited.extend(other.limited);
        self.ends_at = self.ends_at.into_iter().chain(other.ends_at).min();
        self
    }

    /// Whether the clock matters at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limited.is_empty()
    }

    /// When it must have ended; none where nothing limits it in time.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }

    /// Whether playing may go on.
    pub fn check(&self, clock: &Now) -> Result<(), Reason> {
        for limited in &self.limited {
            let time = limited.time(clock)?;
            if let Some(expiry) = self.ends_at.filter(|&end| time.latest() > end) {
                return Err(Reason::Expired { expiry });
            }
        }
        Ok(())
    }
}

impl From<&Terms> for Limited {
    fn from(terms: &Terms) -> Self {
        Self {
            max_offline: terms.max_offline_secs.map(Duration::from_secs),
            grace: Duration::from_secs(terms.grace_secs.unwrap_or(0)),
        }
    }
}

impl Limited {
    fn time(self, clock: &Now) -> Result<&TrustedTime, Reason> {
        let too_long = self.max_offline.zip(clock.since_signed()).is_some_and(|(limit, since)| since > limit);
        match clock.time().or_else(|| self.guess(clock)) {
            Some(_) if too_long => Err(Reason::ClockStale),
            Some(time) => Ok(time),
            None => Err(without_time(clock)),
        }
    }

    /// A device whose clock lost its power may go on for the time of grace.
    fn guess(self, clock: &Now) -> Option<&TrustedTime> {
        clock.guess().filter(|_| clock.rolled_back_for() < self.grace)
    }
}

/// The time that a license with limits in time is judged by.
pub(crate) fn time_for<'c>(terms: &Terms, clock: &'c Now) -> Result<&'c TrustedTime, Reason> {
    Limited::from(terms).time(clock)
}

/// Why there is no time.
fn without_time(clock: &Now) -> Reason {
    match (clock.state(), clock.rollback()) {
        (ClockState::RolledBack, Some(Rollback::BelowHardFloor | Rollback::BelowSoftFloor)) => Reason::ClockRolledBack,
        (ClockState::Stale, _) => Reason::ClockStale,
        _ => Reason::ClockNotSet,
    }
}
