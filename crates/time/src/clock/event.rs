//! What a clock noticed at a reading, for the log.

use core::fmt;

use crate::Timestamp;

/// Something worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The machine was started again, or its boot-time clock went back: time is estimated from here on.
    Restarted,
    /// The wall clock moved otherwise than the boot-time clock by so many seconds. That is without effect while the clock is
    /// trusted, and noted as suspicious until the next signed time.
    WallClockStepped {
        /// Seconds forward; backward where negative.
        by_secs: i64,
    },
    /// The wall clock stands before times that have passed.
    RolledBack {
        /// What it shows, corrected by how far off it was.
        found: Timestamp,
        /// What it shows at least if nobody set it back.
        floor: Timestamp,
        /// Whether it counts as a fault: a battery that is empty is none.
        is_fault: bool,
    },
    /// The hardware counter is ahead of the record, or gone: this is an older copy of the store.
    StoreRolledBack,
    /// The last signed time has become too old.
    WentStale,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restarted => f.write_str("the machine was started again: time is estimated until it is signed"),
            Self::WallClockStepped { by_secs } => {
                let direction = if *by_secs < 0 { "back" } else { "forward" };
                write!(f, "the wall clock was set {direction} by {} s", by_secs.unsigned_abs())
            }
            Self::RolledBack { found, floor, .. } => write!(f, "the wall clock shows {found}, but {floor} has passed"),
            Self::StoreRolledBack => f.write_str("the store is older than the hardware counter"),
            Self::WentStale => f.write_str("the last signed time is too old"),
        }
    }
}
