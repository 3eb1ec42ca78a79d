//! A license in a client's store, and the record of all licenses for one key: an array of pairs, the payload of a license
//! as it was verified and how the license was used.

use admit_crypto::Digest;
use admit_crypto::record::Opened;
use minicbor::{Decoder, Encoder};

use crate::{Error, Usage, VerifiedLicense};

/// A license in a client's store, with how it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLicense {
    /// The license.
    pub license: VerifiedLicense,
    /// How it was used.
    pub usage: Usage,
}

impl HeldLicense {
    /// Whether it has limits in time and was stored when the client had no time: it must be acquired again (row E09).
    #[must_use]
    pub fn was_stored_before_clock(&self) -> bool {
        self.usage.stored_at.is_none() && self.license.terms().time_limits().any()
    }

    /// Takes back licenses of this realm from the record that they were sealed in after they were verified. This door is as
    /// strong as the key of the record.
    pub fn restore_all(realm: Digest, record: &Opened) -> Result<Vec<Self>, Error> {
        let bytes = record.bytes();
        let mut decoder = Decoder::new(bytes);
        let count = decoder.array().map_err(|error| Error::payload(&error, &decoder))?;
        let mut held = Vec::new();
        for _ in 0..count.ok_or(Error::Payload { position: 0 })? {
            let position = decoder.position();
            if decoder.array().map_err(|error| Error::payload(&error, &decoder))? != Some(2) {
                return Err(Error::Payload { position });
            }
            let payload = decoder.bytes().map_err(|error| Error::payload(&error, &decoder))?;
            let usage = decoder.decode().map_err(|error| Error::payload(&error, &decoder))?;
            held.push(Self { license: VerifiedLicense::restore(realm, payload)?, usage });
        }
        if decoder.position() == bytes.len() { Ok(held) } else { Err(Error::Payload { position: decoder.position() }) }
    }

    /// What to seal, so that [`HeldLicense::restore_all`] takes them back.
    #[must_use]
    pub fn record(held: &[Self]) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        encoder.array(held.len() as u64).expect(WRITING_TO_MEMORY);
        for Self { license, usage } in held {
            let pair = encoder.array(2).expect(WRITING_TO_MEMORY);
            pair.bytes(license.payload()).expect(WRITING_TO_MEMORY).encode(usage).expect(WRITING_TO_MEMORY);
        }
        encoder.into_writer()
    }
}

const WRITING_TO_MEMORY: &str = "writing to memory succeeds";
