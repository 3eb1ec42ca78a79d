//! What a user wants to do with content, and the right that each action needs.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};

use crate::Rights;

/// An action on protected content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum Action {
    /// Play.
    #[n(0)]
    Play,
    /// Transfer to a portable device that is not SDMI-compliant.
    #[n(1)]
    TransferToNonSdmi,
    /// Transfer to an SDMI-compliant portable device.
    #[n(2)]
    TransferToSdmi,
    /// Burn a single track to CD.
    #[n(3)]
    Burn,
    /// Burn as part of a playlist.
    #[n(4)]
    PlaylistBurn,
    /// Save a stream, still protected.
    #[n(5)]
    SaveStream,
    /// Back up the license.
    #[n(6)]
    Backup,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::Play,
        Self::TransferToNonSdmi,
        Self::TransferToSdmi,
        Self::Burn,
        Self::PlaylistBurn,
        Self::SaveStream,
        Self::Backup,
    ];

    /// The right that the action needs (row B05).
    #[must_use]
    pub const fn right(self) -> Rights {
        match self {
            Self::Play => Rights::PLAY,
            Self::TransferToNonSdmi => Rights::TRANSFER_TO_NON_SDMI,
            Self::TransferToSdmi => Rights::SDMI_VALIDATED,
            Self::Burn => Rights::BURN_TO_CD,
            Self::PlaylistBurn => Rights::PLAYLIST_BURN,
            Self::SaveStream => Rights::SAVE_STREAM,
            Self::Backup => Rights::BACKUP_RESTORE,
        }
    }

    /// The action's name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::TransferToNonSdmi => "transfer-to-non-sdmi",
            Self::TransferToSdmi => "transfer-to-sdmi",
            Self::Burn => "burn",
            Self::PlaylistBurn => "playlist-burn",
            Self::SaveStream => "save-stream",
            Self::Backup => "backup",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an action: expected play, transfer-to-non-sdmi, transfer-to-sdmi, burn, playlist-burn, save-stream or backup"
)]
pub struct UnknownAction;

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.into_iter().find(|action| action.name() == text).ok_or(UnknownAction)
    }
}
