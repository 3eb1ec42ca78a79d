//! Media for Admit: ISO-BMFF boxes (ISO/IEC 14496-12) with the protection boxes of ISO/IEC 23001-7, sample maps, and
//! the sample cipher both ways. It knows no rights and no licenses: keys come in by key id.
//!
//! * [`inspect`] says what is protected in a file and how, [`protections`] which keys and systems its head names.
//! * [`decrypt()`] turns a protected file into a clear one, in constant memory.
//! * [`sound()`] and [`decrypt_track()`] are for a decoder in the same process: what it is told, and the samples in clear.
//!   [`decrypt_ranges()`] is for a player in it, which reads the clear file from anywhere.
//! * [`AvcSubsamples`] and [`crypt_sample`] are what a packager needs besides the boxes.
//!
//! Input is hostile: every length and count is checked against the bytes that are there before memory is taken for
//! it, nesting and the number of boxes are limited, and every error says in which box and at which byte.

mod avc;
mod cipher;
mod cursor;
mod decrypt;
mod error;
pub mod fourcc;
mod fragment;
pub mod frame;
mod io;
mod metadata;
mod movie;
mod protection;
mod sample;
mod sample_table;
pub mod sidx;
mod sound;
mod subsamples;
mod summary;
mod tree;

pub use admit_crypto::KeyId;
pub use avc::AvcSubsamples;
pub use cipher::{crypt_part, crypt_sample};
pub use cursor::Cursor;
pub use decrypt::{Decrypted, Keys, Put, Reader, Wanted, decrypt, decrypt_ranges, decrypt_track};
pub use error::{BoxPath, Error, Location, MAX_DEPTH};
pub use fourcc::FourCc;
pub use fragment::{Defaults, Run, RunSamples, TrackFragment, track_fragments};
pub use io::{BLOCK, Input, MAX_TREE, Sink, TopBox, WriteSink};
pub use metadata::{Cover, Metadata};
pub use movie::{Movie, SampleEntry, Track, track_id};
pub use protection::{
    ADMIT_SYSTEM_ID, AuxEntry, AuxInfo, COMMON_SYSTEM_ID, Groups, Pssh, SampleEntryProtection, Scheme,
    SharedDescriptions, Sizes, SystemId, Tenc, build_sinf, saio_offsets, unprotect_entry,
};
pub use sample::{NON_SYNC_FLAGS, SYNC_FLAGS, Sample};
pub use sample_table::{SampleTable, Samples};
pub use sound::{Sound, SoundCodec, sound};
pub use subsamples::SubsampleMap;
pub use summary::{Protections, Summary, inspect, protections};
pub use tree::{MAX_BOXES, Node};
