//! The states of a clock, as challenges carry them.

use minicbor::{Decode, Encode};

/// What state a client's clock is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum ClockState {
    /// It was never set.
    #[n(0)]
    #[default]
    Unset,
    /// It was set by a signed time and has run since.
    #[n(1)]
    Trusted,
    /// It is estimated, after a restart without contact.
    #[n(2)]
    Estimated,
    /// Its last signed time is too old.
    #[n(3)]
    Stale,
    /// The wall clock was set back.
    #[n(4)]
    RolledBack,
    /// The store is older than it was.
    #[n(5)]
    StoreRolledBack,
}

impl ClockState {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Unset, Self::Trusted, Self::Estimated, Self::Stale, Self::RolledBack, Self::StoreRolledBack];

    /// The state's name in JSON and in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Trusted => "trusted",
            Self::Estimated => "estimated",
            Self::Stale => "stale",
            Self::RolledBack => "rolled back",
            Self::StoreRolledBack => "store rolled back",
        }
    }

    /// Whether licenses with limits in time are judged in this state.
    #[must_use]
    pub const fn has_time(self) -> bool {
        matches!(self, Self::Trusted | Self::Estimated)
    }
}
