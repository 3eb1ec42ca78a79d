//! The CBOR forms of this crate's public types: byte strings of fixed length (RFC 8949 major type 2).

use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};

use crate::hpke::Sealed;
use crate::{Digest, PublicKey};

impl<C> Encode<C> for Digest {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Digest {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let position = d.position();
        Self::from_slice(d.bytes()?).ok_or_else(|| DecodeError::message("digest of 32 bytes").at(position))
    }
}

impl<C> Encode<C> for PublicKey {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let position = d.position();
        Self::from_sec1(d.bytes()?).map_err(|_| DecodeError::message("uncompressed P-256 point").at(position))
    }
}

/// An array of encapsulated key and ciphertext.
impl<C> Encode<C> for Sealed {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(2)?.encode_with(self.encapsulated_key, ctx)?.bytes(&self.ciphertext)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Sealed {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let position = d.position();
        if d.array()? != Some(2) {
            return Err(DecodeError::message("array of two").at(position));
        }
        Ok(Self { encapsulated_key: d.decode_with(ctx)?, ciphertext: d.bytes()?.to_vec() })
    }
}
