//! What a clock says at one reading.

use core::time::Duration;

use super::{Clock, ClockState, MILLIS, Rollback, SignedAt, limits};
use crate::{Timestamp, TrustedTime};

/// What a clock says at one reading: its state, and the time as far as it counts. Only a [`Clock`] makes one, but for
/// that of a clock that is not set:
///
/// ```compile_fail,E0451
/// # use admit_time::clock::{ClockState, Now};
/// let forged = Now { state: ClockState::Trusted, ..Now::UNSET };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    state: ClockState,
    time: Option<TrustedTime>,
    guess: Option<TrustedTime>,
    since_signed: Option<Duration>,
    rolled_back_for: Duration,
    rollback: Option<Rollback>,
    hard_floor: Timestamp,
}

impl Now {
    /// What a clock says that was never set.
    pub const UNSET: Self = Self {
        state: ClockState::Unset,
        time: None,
        guess: None,
        since_signed: None,
        rolled_back_for: Duration::ZERO,
        rollback: None,
        hard_floor: Timestamp::from_unix_secs(0),
    };

    /// The clock's state.
    #[must_use]
    pub const fn state(&self) -> ClockState {
        self.state
    }

    /// The time, in the states in which licenses with limits in time are judged.
    #[must_use]
    pub const fn time(&self) -> Option<&TrustedTime> {
        self.time.as_ref()
    }

    /// The earliest that it can be, and only where the time is trusted: what ended before this is certainly over.
    #[must_use]
    pub fn certain(&self) -> Option<Timestamp> {
        self.time().filter(|_| self.state == ClockState::Trusted).map(TrustedTime::earliest)
    }

    /// What time it may be when the wall clock's battery is empty: the last time known, and what was measured since. Only
    /// for licenses that grant a time of grace.
    #[must_use]
    pub const fn guess(&self) -> Option<&TrustedTime> {
        self.guess.as_ref()
    }

    /// How long there has been no time, as far as the machine ran.
    #[must_use]
    pub const fn rolled_back_for(&self) -> Duration {
        self.rolled_back_for
    }

    /// How long the last signed time is ago, by the same estimate; none where there is none.
    #[must_use]
    pub const fn since_signed(&self) -> Option<Duration> {
        self.since_signed
    }

    /// How the wall clock was set back, in the state rolled back.
    #[must_use]
    pub const fn rollback(&self) -> Option<Rollback> {
        self.rollback
    }

    /// A time that has certainly passed.
    #[must_use]
    pub const fn hard_floor(&self) -> Timestamp {
        self.hard_floor
    }
}

impl Clock {
    /// What the clock says as of the last reading.
    pub(super) fn now(&self) -> Now {
        let state = self.state();
        let time = self.span();
        let battery_empty = self.record.rollback == Some(Rollback::BatteryEmpty);
        let estimate = |signed: SignedAt| self.record.soft_floor_millis.saturating_sub(signed.time_millis);
        Now {
            state,
            guess: time.clone().filter(|_| state == ClockState::RolledBack && battery_empty),
            time: time.filter(|_| state.has_time()),
            since_signed: self.record.signed.map(|signed| Duration::from_millis(estimate(signed))),
            rolled_back_for: Duration::from_millis(self.record.rolled_back_millis),
            rollback: self.record.rollback.filter(|_| state == ClockState::RolledBack),
            hard_floor: self.hard_floor(),
        }
    }

    /// The state as of the last reading.
    #[must_use]
    pub fn state(&self) -> ClockState {
        let record = &self.record;
        let Some(signed) = record.signed.filter(|_| !record.store_rolled_back) else {
            return if record.store_rolled_back { ClockState::StoreRolledBack } else { ClockState::Unset };
        };
        if record.rollback.is_some() {
            return ClockState::RolledBack;
        }
        let offline = record.soft_floor_millis.saturating_sub(signed.time_millis);
        let too_long = offline > limits::millis(self.limits.max_offline);
        let too_vague = self.uncertainty_millis(signed) > limits::millis(self.limits.max_uncertainty);
        if too_long || too_vague || record.reboots > self.limits.max_reboots_offline {
            return ClockState::Stale;
        }
        if record.continuous { ClockState::Trusted } else { ClockState::Estimated }
    }

    /// From what is certain, the signed time and what was measured since, to the latest estimate.
    fn span(&self) -> Option<TrustedTime> {
        let signed = self.record.signed?;
        let uncertainty = self.uncertainty_millis(signed);
        let certain = signed.time_millis.saturating_add(self.record.run_millis);
        let floor = self.hard_floor().unix_secs() * MILLIS;
        let earliest_millis = certain.saturating_sub(uncertainty).max(floor);
        let latest_millis = certain.max(self.record.soft_floor_millis).saturating_add(uncertainty).max(earliest_millis);
        Some(TrustedTime::between(earliest_millis, latest_millis))
    }

    fn uncertainty_millis(&self, signed: SignedAt) -> u64 {
        signed.uncertainty_millis.saturating_add(self.limits.drift_millis(self.record.run_millis))
    }
}
