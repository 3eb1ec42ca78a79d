//! How much a clock puts up with.

use core::time::Duration;

use super::MILLIS;

/// Limits of a clock. The defaults suit a client that plays offline for a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How far the boot-time clock may be off, in millionths.
    pub drift_ppm: u32,
    /// The longest time without a signed one.
    pub max_offline: Duration,
    /// The most reboots without a signed time.
    pub max_reboots_offline: u32,
    /// How far the wall clock may be behind before that is a rollback, and how far it may step before that is noted.
    pub rollback_tolerance: Duration,
    /// The longest jump forward that one time key can make alone.
    pub max_jump: Duration,
    /// The largest uncertainty with which time still counts.
    pub max_uncertainty: Duration,
    /// How much running time may be lost in a crash.
    pub save_interval: Duration,
    /// How much running time lies between two steps of the hardware counter: chips are slow and wear out.
    pub counter_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            drift_ppm: 100,
            max_offline: Duration::from_secs(7 * 86_400),
            max_reboots_offline: 30,
            rollback_tolerance: Duration::from_secs(120),
            max_jump: Duration::from_secs(30 * 86_400),
            max_uncertainty: Duration::from_secs(300),
            save_interval: Duration::from_secs(300),
            counter_interval: Duration::from_secs(900),
        }
    }
}

impl Limits {
    /// How far off the boot-time clock may be behind so many milliseconds.
    pub(super) fn drift_millis(&self, run_millis: u64) -> u64 {
        let drift = u128::from(run_millis) * u128::from(self.drift_ppm) / 1_000_000;
        u64::try_from(drift).unwrap_or(u64::MAX)
    }

    pub(super) const fn save_interval_millis(&self) -> u64 {
        millis(self.save_interval)
    }
}

/// Whole milliseconds of whole seconds, which is what limits are.
pub(super) const fn millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(MILLIS)
}
