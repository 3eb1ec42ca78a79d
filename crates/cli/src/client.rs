//! The buyer's commands.

mod acquire;
mod ask;
mod burn;
mod clock;
mod content;
mod context;
mod counter;
mod device;
mod license;
mod local;
mod play;
mod player;
mod playlist;
mod recover;
mod room;
mod save;
#[cfg(feature = "player")]
mod screen;
#[cfg(not(feature = "player"))]
#[path = "client/no_screen.rs"]
mod screen;
mod set_time;
#[cfg(feature = "player")]
mod speaker;
#[cfg(not(feature = "player"))]
#[path = "client/no_speaker.rs"]
mod speaker;
mod why;

pub(crate) use burn::run as burn;
pub(crate) use clock::run as clock;
pub(crate) use context::PROVIDER;
pub(crate) use device::run as device;
pub(crate) use license::run as license;
pub(crate) use local::run as package_local;
pub(crate) use play::run as play;
pub(crate) use save::run as save;
pub(crate) use why::run as why;

use std::path::{Path, PathBuf};

use admit_protocol::Code;
use etcetera::BaseStrategy;

use crate::failure::{Failure, Outcome};

/// Where a client keeps its realms: the flag or `ADMIT_CLIENT`, else the platform's folder for a program's data.
pub(crate) fn folder(given: Option<&Path>) -> Outcome<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let missing = || {
        Failure::new(Code::ADMIT_E_FILE, "this account has no home folder")
            .with_action("Name a folder with --client or in ADMIT_CLIENT")
    };
    let platform = etcetera::choose_base_strategy().map_err(|_| missing())?;
    Ok(platform.data_dir().join("admit").join("client"))
}
