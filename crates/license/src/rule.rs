//! The rules that hold for every license, whoever wrote it.

use crate::portable::is_portable;
use crate::{BindingKind, Error, Kind, Origin, Rights, Terms};
use admit_trust::ComponentVersion;

impl Terms {
    /// Every count that the license limits: plays, transfers, burns, and burns in playlists, of the track and of one list.
    #[must_use]
    pub const fn counts(&self) -> [Option<u32>; 5] {
        [
            self.play_count,
            self.transfer_count,
            self.burn_count,
            self.playlist_burn_track_count,
            self.max_playlist_burn_count,
        ]
    }

    /// The rules that hold for every license, whoever wrote it.
    pub fn check(&self) -> Result<(), Error> {
        let is_leaf = self.kind == Kind::Leaf;
        let rule = |holds: bool, rule: Rule| if holds { Ok(()) } else { Err(Error::Rule(rule)) };
        rule(self.uplink.is_some() == is_leaf, Rule::UplinkOnlyInLeaves)?;
        rule(self.revision.is_some() == (self.kind == Kind::Root), Rule::RevisionOnlyInRoots)?;
        rule((self.binding.kind == BindingKind::Root) == is_leaf, Rule::LeavesAreBoundToRoots)?;
        let in_chain = self.kind != Kind::Simple;
        rule(!in_chain || !self.rights.intersects(Rights::NOT_IN_CHAINS), Rule::NoTransferInChains)?;
        let counts_playlists = self.playlist_burn_track_count.is_some() || self.max_playlist_burn_count.is_some();
        rule(self.kind != Kind::Root || !counts_playlists, Rule::PlaylistCountsOnlyInLeaves)?;
        let order = self.begin.zip(self.expiry).is_none_or(|(begin, expiry)| begin <= expiry);
        rule(order, Rule::BeginBeforeExpiry)?;
        let by_client = self.kind == Kind::Simple && self.binding.kind == BindingKind::Client;
        rule(self.origin.is_none() || by_client, Rule::ClientsMakeSimpleLicenses)?;
        rule(self.origin != Some(Origin::Portable) || is_portable(self), Rule::PortableRights)?;
        let version = self.minimum_individualized_version;
        rule(version.is_none_or(ComponentVersion::is_individualized), Rule::MinimumVersionIsIndividualized)
    }
}

/// A rule that the terms of every license keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// Row D02.
    #[error("a leaf license names its root, and no other license does")]
    UplinkOnlyInLeaves,
    /// A root's key has a revision.
    #[error("a root license has a revision, and no other license does")]
    RevisionOnlyInRoots,
    /// Row D02.
    #[error("a leaf license is wrapped to a root's key, and no other license is")]
    LeavesAreBoundToRoots,
    /// Row D07.
    #[error("rights 2 and 16 (transfer to devices) do not stand in root or leaf licenses (row D07)")]
    NoTransferInChains,
    /// Row D06.
    #[error("playlist burn counts do not stand in root licenses (row D06)")]
    PlaylistCountsOnlyInLeaves,
    /// A license that is never valid helps nobody.
    #[error("the license would expire before it begins")]
    BeginBeforeExpiry,
    /// Row A03.
    #[error("a minimum individualized version ends in an odd digit (row A03)")]
    MinimumVersionIsIndividualized,
    /// Rows B10 and B11.
    #[error("a license that a client made is simple and bound to a client's key")]
    ClientsMakeSimpleLicenses,
    /// Row B11.
    #[error("a portable license gives a right, or counts something, that it may not (row B11)")]
    PortableRights,
}
