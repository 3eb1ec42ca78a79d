//! What stands for the player in this process where it is not built in: there is nothing that it plays.

use std::convert::Infallible;

use super::content::Content;
use super::play::Playing;
use crate::failure::Outcome;

/// Never there.
pub(super) struct Speaker(Infallible);

impl Speaker {
    /// None.
    pub(super) fn find(_: &mut Content) -> Outcome<Option<Self>> {
        Ok(None)
    }

    pub(super) fn open(self) -> Outcome<OpenSpeaker> {
        match self.0 {}
    }
}

/// Never there.
pub(super) struct OpenSpeaker(Infallible);

impl OpenSpeaker {
    pub(super) fn play(self, _: Playing<'_>) -> Outcome<()> {
        match self.0 {}
    }
}
