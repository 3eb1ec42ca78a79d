//! What is read from the machine's clocks at one moment.

use core::fmt;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::Timestamp;

/// Which boot of which machine this is. Another boot has another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct BootId(#[n(0)] ByteArray<16>);

impl BootId {
    /// Takes the 16 bytes of the system's boot identity.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The machine's clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which boot this is.
    pub boot: BootId,
    /// Milliseconds since some moment of this boot, by a clock that nobody sets and that counts suspended time.
    pub boot_millis: u64,
    /// What the wall clock shows; none where there is none.
    pub wall: Option<Timestamp>,
    /// A counter in hardware that only goes up, where there is one.
    pub hardware_counter: Option<u64>,
    /// Milliseconds by a hardware clock that is protected from change and runs on while the machine is off. Only for
    /// clients whose certificate says that they have one (row E03).
    pub secure_millis: Option<u64>,
}
