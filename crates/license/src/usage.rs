//! What a client remembers of a license beside the license itself.

use admit_time::Timestamp;
use minicbor::{Decode, Encode};

/// The counts that licenses limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Count {
    /// Plays.
    #[n(0)]
    Play,
    /// Transfers to devices.
    #[n(1)]
    Transfer,
    /// Single tracks burnt.
    #[n(2)]
    Burn,
    /// Burns as part of a playlist.
    #[n(3)]
    PlaylistBurn,
}

/// How a license has been used so far. Reserved uses are counted as used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Usage {
    /// When it was stored, by a trusted clock; none when the clock was not set.
    #[n(1)]
    pub stored_at: Option<Timestamp>,
    /// When any of its rights was first used, by a trusted clock.
    #[n(2)]
    pub first_used_at: Option<Timestamp>,
    /// Uses by kind of count, in the order of [`Count`].
    #[n(3)]
    pub used: [u32; 4],
    /// Whether any of its rights was used, charged or reserved.
    #[n(4)]
    pub touched: bool,
}

impl Usage {
    /// How often this was used.
    #[must_use]
    pub const fn of(&self, count: Count) -> u32 {
        self.used[count as usize]
    }
}
