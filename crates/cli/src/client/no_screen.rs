//! What stands for libmpv in this process where it is not built in.

use std::convert::Infallible;

use admit_protocol::Code;

use super::content::Content;
use super::play::Playing;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Never there.
pub(super) struct Screen(Infallible);

impl Screen {
    /// None, and what to do about it.
    pub(super) fn find(_: &mut Content, _: bool) -> Result<Self, Failure> {
        Err(Failure::new(Code::ADMIT_E_PLAYER_FAILED, "this program was built without a player of its own")
            .with_action("Use one that was built with `cargo build --release --features player`, and install libmpv"))
    }

    pub(super) fn open(self) -> Outcome<OpenScreen> {
        match self.0 {}
    }
}

/// Never there.
pub(super) struct OpenScreen(Infallible);

impl OpenScreen {
    pub(super) fn play(self, _: Playing<'_>, _: Output) -> Outcome<()> {
        match self.0 {}
    }
}
