//! The client's side of Admit, sans-I/O: identity, the sealed license store, and what a user does with content.
//!
//! Bytes, clock readings and entropy come in as arguments; bytes and decisions come out. The steps can only be
//! taken in order: an [`Identity`] and a content header make an [`acquire::Acquisition`], its response fills the
//! [`Store`], [`play::Candidates::evaluate`] makes a grant of what is there, the store reserves what the grant costs, and
//! only a reservation makes a [`Permit`], which opens samples once its first use is charged.

pub mod acquire;
mod branches;
pub mod clock;
pub mod device;
mod edit;
pub mod enrol;
mod entropy;
mod error;
mod identity;
mod key_value;
mod ledger;
pub mod local;
mod permit;
pub mod play;
mod reserve;
pub mod set_time;
mod store;
pub mod transfer;
mod tree;
mod write;

pub use entropy::MixedEntropy;
pub use error::{Error, PlaybackError};
pub use identity::Identity;
pub use key_value::{Change, KeyValue, MemoryKeyValue, Precondition, StorageError};
pub use permit::{Host, Permit, Playback};
pub use reserve::Reservation;
pub use store::{Store, StoredLicense};
