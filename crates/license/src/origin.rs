//! Who made a license, where no license service did.

use minicbor::{Decode, Encode};

/// What a client made a license for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Origin {
    /// An application, for content that it made on this client (row B10).
    #[n(1)]
    Local,
    /// The same, by an application whose certificate has version 1.0: it is not SDMI-compliant (row B13).
    #[n(2)]
    LocalOfVersion1,
    /// A client, for a device or medium that it transferred the content to (row B11).
    #[n(3)]
    Portable,
}

impl Origin {
    /// Whether the license was issued locally, for content of this client alone.
    #[must_use]
    pub const fn is_local(self) -> bool {
        matches!(self, Self::Local | Self::LocalOfVersion1)
    }

    /// The origin as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "this client",
            Self::LocalOfVersion1 => "this client, by an application of version 1.0",
            Self::Portable => "a client, for this device",
        }
    }
}
