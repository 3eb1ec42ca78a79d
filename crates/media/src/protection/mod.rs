//! The boxes of ISO/IEC 23001-7:2023 that say how samples are protected and with which keys.

mod aux_info;
mod pssh;
mod seig;
mod sinf;
mod tenc;

pub use aux_info::{AuxEntry, AuxInfo, Sizes, saio_offsets};
pub use pssh::{ADMIT_SYSTEM_ID, COMMON_SYSTEM_ID, Pssh, SystemId};
pub(crate) use seig::descriptions;
pub use seig::{Groups, SharedDescriptions};
pub use sinf::{SampleEntryProtection, Scheme, build_sinf, unprotect_entry};
pub use tenc::Tenc;
