//! A player in the process: libmpv, loaded while the program runs where it is installed. It asks for the bytes of one medium
//! as it needs them and is told nothing else: no file, no settings, no scripts, no commands from outside. What it shows goes
//! to a window and the sound device, or, for servers and tests, to memory and to nowhere.
//!
//! ```no_run
//! use admit_mpv::{Library, Output, Player};
//!
//! let film = std::fs::read("clear.mp4")?;
//! let player = Player::start(&Library::load()?, Output::Window, "A film")?;
//! let mut showing = player.show(film.len() as u64)?;
//! while let Some(wanted) = showing.next_wanted()? {
//!     let from = film.len().min(wanted.offset as usize);
//!     let to = film.len().min(from + wanted.length);
//!     showing.give(&film[from..to]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This is the one crate with unsafe code, all of it in `raw`: a C library is not called without.

mod error;
mod message;
mod offscreen;
mod options;
mod player;
mod raw;

pub use error::Error;
pub use offscreen::{Colour, Shown};
pub use options::Output;
pub use player::{Player, Showing, Stopper, Wanted};
pub use raw::Library;
