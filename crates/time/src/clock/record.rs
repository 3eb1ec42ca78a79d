//! What a clock remembers, as it is kept: a CBOR map under a version. It is kept sealed, in two places in turn.

use alloc::vec::Vec;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Decoder, Encode};

use super::BootId;
use crate::Timestamp;

/// A clock's record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// Goes up whenever the record is kept.
    #[n(1)]
    pub sequence: u64,
    /// What the hardware counter shows at least once this record is kept.
    #[n(2)]
    pub hardware_counter: Option<u64>,
    /// The epoch of the store that the record belongs to.
    #[n(3)]
    pub store_epoch: ByteArray<16>,
    /// The last signed time; none where there is none yet.
    #[n(4)]
    pub signed: Option<SignedAt>,
    /// The last reading.
    #[n(5)]
    pub seen: Option<Seen>,
    /// Whether the clock has been followed without a gap since the last signed time.
    #[n(6)]
    pub continuous: bool,
    /// Milliseconds that were measured since the last signed time.
    #[n(7)]
    pub run_millis: u64,
    /// Reboots since the last signed time.
    #[n(8)]
    pub reboots: u32,
    /// A time that has certainly passed: only signed times raise it.
    #[n(9)]
    pub hard_floor: Timestamp,
    /// The latest estimate, in milliseconds since 1970: the next signed time replaces it.
    #[n(10)]
    pub soft_floor_millis: u64,
    /// Seconds that the wall clock is behind the time.
    #[n(11)]
    pub wall_offset_secs: i64,
    /// The highest epoch of a time certificate that was accepted, or that revocation information asks for.
    #[n(12)]
    pub certificate_epoch: u64,
    /// The highest epoch that revocation information has asked for.
    #[n(13)]
    pub reset_epoch: u64,
    /// The version of the newest revocation information.
    #[n(14)]
    pub revocation_version: u64,
    /// How the wall clock was set back, until the next signed time.
    #[n(15)]
    pub rollback: Option<Rollback>,
    /// Milliseconds that were measured since that.
    #[n(16)]
    pub rolled_back_millis: u64,
    /// Whether the store was found to be older than it was.
    #[n(17)]
    pub store_rolled_back: bool,
    /// Whether the wall clock was seen to step since the last signed time.
    #[n(18)]
    pub suspicious: bool,
    /// How often something was wrong, since ever.
    #[n(19)]
    pub faults: u32,
    /// What was measured when the hardware counter was last raised.
    #[n(20)]
    pub counted_millis: u64,
}

/// A signed time that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedAt {
    /// The midpoint, in milliseconds since 1970.
    #[n(1)]
    pub time_millis: u64,
    /// Radius and round trip, in milliseconds.
    #[n(2)]
    pub uncertainty_millis: u64,
    /// Who gave it.
    #[n(3)]
    pub source: Source,
}

/// Where a signed time came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Source {
    /// The response of a license server.
    #[n(0)]
    LicenseServer,
    /// A clock service.
    #[n(1)]
    ClockService,
}

impl Source {
    /// The source's name in JSON and in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LicenseServer => "license server",
            Self::ClockService => "clock service",
        }
    }
}

/// What of a reading is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Seen {
    /// Which boot it was.
    #[n(1)]
    pub boot: BootId,
    /// The boot-time clock, in milliseconds.
    #[n(2)]
    pub boot_millis: u64,
    /// The wall clock.
    #[n(3)]
    pub wall: Option<Timestamp>,
    /// The protected hardware clock, in milliseconds.
    #[n(4)]
    pub secure_millis: Option<u64>,
}

/// How a wall clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Rollback {
    /// Before an estimate, which itself may have been too late.
    #[n(0)]
    BelowSoftFloor,
    /// Before a signed time: somebody set it back.
    #[n(1)]
    BelowHardFloor,
    /// Before the program was made: its battery is empty, and that is nobody's fault.
    #[n(2)]
    BatteryEmpty,
}

impl Record {
    /// The record of a clock that was never set.
    #[must_use]
    pub fn new(store_epoch: [u8; 16]) -> Self {
        Self {
            sequence: 0,
            hardware_counter: None,
            store_epoch: store_epoch.into(),
            signed: None,
            seen: None,
            continuous: false,
            run_millis: 0,
            reboots: 0,
            hard_floor: Timestamp::default(),
            soft_floor_millis: 0,
            wall_offset_secs: 0,
            certificate_epoch: 0,
            reset_epoch: 0,
            revocation_version: 0,
            rollback: None,
            rolled_back_millis: 0,
            store_rolled_back: false,
            suspicious: false,
            faults: 0,
            counted_millis: 0,
        }
    }

    /// The record as it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [VERSION].to_vec();
        minicbor::encode(self, &mut bytes).expect("writing to memory succeeds");
        bytes
    }

    /// Reads a record of this very store. What does not read is an error and never a clock that was not set.
    pub fn from_bytes(bytes: &[u8], store_epoch: &[u8; 16]) -> Result<Self, RecordError> {
        let (&version, body) = bytes.split_first().ok_or(RecordError::Malformed { position: 0 })?;
        if version != VERSION {
            return Err(RecordError::UnknownVersion { version });
        }
        let mut decoder = Decoder::new(body);
        let malformed = |position: usize| RecordError::Malformed { position: position.saturating_add(1) };
        let record: Self = decoder.decode().map_err(|error| malformed(error.position().unwrap_or(0)))?;
        if decoder.position() != body.len() {
            return Err(malformed(decoder.position()));
        }
        if *record.store_epoch != *store_epoch {
            return Err(RecordError::OtherStore);
        }
        Ok(record)
    }

    /// The record without what moves from reading to reading.
    pub(super) fn without_movement(&self) -> Self {
        let seen = self.seen.map(|seen| Seen { boot_millis: 0, wall: None, secure_millis: None, ..seen });
        Self { seen, run_millis: 0, rolled_back_millis: 0, soft_floor_millis: 0, wall_offset_secs: 0, ..self.clone() }
    }

    /// Forgets the time, and what was made of it.
    pub(super) const fn forget_time(&mut self) {
        self.signed = None;
        self.seen = None;
        self.continuous = false;
        self.run_millis = 0;
        self.counted_millis = 0;
        self.reboots = 0;
        self.soft_floor_millis = 0;
        self.rollback = None;
        self.rolled_back_millis = 0;
    }
}

/// A record does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It does not have the form of one.
    #[error("malformed clock record, at byte {position}")]
    Malformed {
        /// The byte offset.
        position: usize,
    },
    /// A newer program wrote it.
    #[error("clock record of version {version}")]
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// It belongs to another store.
    #[error("clock record of another store")]
    OtherStore,
}

/// The version of records.
const VERSION: u8 = 1;
