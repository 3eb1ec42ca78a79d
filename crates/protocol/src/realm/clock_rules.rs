//! What a realm's clients' clocks put up with, where the realm has rules of its own (rows E02 and E04).

use core::time::Duration;

use admit_time::clock::Limits;
use minicbor::{Decode, Encode};

/// Rules for clients' clocks. What is not set is as [`Limits::default`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct ClockRules {
    /// The longest time without a signed one, in seconds.
    #[n(1)]
    pub max_offline_secs: Option<u32>,
    /// The most restarts without a signed time.
    #[n(2)]
    pub max_reboots_offline: Option<u32>,
    /// How far the wall clock may be behind, in seconds, before that is a rollback.
    #[n(3)]
    pub rollback_tolerance_secs: Option<u32>,
    /// The longest jump forward that one time key can make alone, in seconds.
    #[n(4)]
    pub max_jump_secs: Option<u32>,
    /// The largest uncertainty with which time still counts, in seconds.
    #[n(5)]
    pub max_uncertainty_secs: Option<u32>,
    /// How far a boot-time clock may be off, in millionths.
    #[n(6)]
    pub drift_ppm: Option<u32>,
}

impl ClockRules {
    /// Whether nothing is set.
    #[must_use]
    pub fn are_default(&self) -> bool {
        *self == Self::default()
    }

    /// The rules that make these limits.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        let secs = |duration: Duration| Some(u32::try_from(duration.as_secs()).unwrap_or(u32::MAX));
        Self {
            max_offline_secs: secs(limits.max_offline),
            max_reboots_offline: Some(limits.max_reboots_offline),
            rollback_tolerance_secs: secs(limits.rollback_tolerance),
            max_jump_secs: secs(limits.max_jump),
            max_uncertainty_secs: secs(limits.max_uncertainty),
            drift_ppm: Some(limits.drift_ppm),
        }
    }

    /// The limits of a clock under these rules.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = Limits::default();
        let secs = |set: Option<u32>, default| set.map_or(default, |secs| Duration::from_secs(secs.into()));
        Limits {
            max_offline: secs(self.max_offline_secs, limits.max_offline),
            max_reboots_offline: self.max_reboots_offline.unwrap_or(limits.max_reboots_offline),
            rollback_tolerance: secs(self.rollback_tolerance_secs, limits.rollback_tolerance),
            max_jump: secs(self.max_jump_secs, limits.max_jump),
            max_uncertainty: secs(self.max_uncertainty_secs, limits.max_uncertainty),
            drift_ppm: self.drift_ppm.unwrap_or(limits.drift_ppm),
            ..limits
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_changes_its_own_limit() {
        let (limits, secs) = (Limits::default(), Duration::from_secs(9));
        let nothing = ClockRules::default();
        assert_eq!(nothing.limits(), limits);
        assert!(nothing.are_default());
        for (rules, expected) in [
            (ClockRules { max_offline_secs: Some(9), ..nothing }, Limits { max_offline: secs, ..limits }),
            (ClockRules { max_reboots_offline: Some(9), ..nothing }, Limits { max_reboots_offline: 9, ..limits }),
            (ClockRules { rollback_tolerance_secs: Some(9), ..nothing }, Limits { rollback_tolerance: secs, ..limits }),
            (ClockRules { max_jump_secs: Some(9), ..nothing }, Limits { max_jump: secs, ..limits }),
            (ClockRules { max_uncertainty_secs: Some(9), ..nothing }, Limits { max_uncertainty: secs, ..limits }),
            (ClockRules { drift_ppm: Some(9), ..nothing }, Limits { drift_ppm: 9, ..limits }),
        ] {
            assert_eq!(rules.limits(), expected);
            assert_eq!(ClockRules::of(&expected).limits(), expected);
            assert!(!rules.are_default());
        }
    }
}
