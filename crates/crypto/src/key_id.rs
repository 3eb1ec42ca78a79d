//! Key ids: big-endian UUIDs (RFC 9562), as in `tenc.default_KID` of ISO/IEC 23001-7. The little-endian GUID form
//! of PlayReady exists only in the content header's own code.

use core::fmt;
use core::str::FromStr;

/// The public id of one content key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    /// Bytes in a key id.
    pub const LENGTH: usize = 16;

    /// Takes the 16 bytes of a big-endian UUID.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Takes a slice as a big-endian UUID, or `None` when it is not 16 bytes long.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 16 bytes, big-endian.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl<C> minicbor::Encode<C> for KeyId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for KeyId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        Self::from_slice(d.bytes()?).ok_or_else(|| minicbor::decode::Error::message("key id of 16 bytes").at(position))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    /// Reads a UUID in groups of 8-4-4-4-12 digits or as 32 digits, in either case. Braces are refused: they mark a
    /// GUID, whose bytes may be meant in the other order.
    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let mut bytes = [0; Self::LENGTH];
        let grouped = text.contains('-');
        let expected = if grouped { 36 } else { 32 };
        let found = text.chars().count();
        if found != expected {
            return Err(KeyIdError::Length { found });
        }
        let mut nibble = 0;
        for (offset, character) in text.char_indices() {
            if grouped && GROUP_ENDS.contains(&offset) {
                if character != '-' {
                    return Err(KeyIdError::Character { offset });
                }
                continue;
            }
            let digit = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let byte: &mut u8 = bytes.get_mut(nibble / 2).ok_or(KeyIdError::Character { offset })?;
            *byte = *byte << 4 | digit.ok_or(KeyIdError::Character { offset })?;
            nibble += 1;
        }
        Ok(Self(bytes))
    }
}

/// A text is not a key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyIdError {
    /// Neither 36 characters with hyphens nor 32 without.
    #[error("a key id is a UUID of 36 characters or 32 digits, not {found} characters")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character that does not belong where it stands.
    #[error("character at offset {offset} does not belong in a UUID")]
    Character {
        /// Where it stands, in bytes.
        offset: usize,
    },
}

/// Writes 16 bytes as a UUID in lower case.
pub fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, byte) in bytes.iter().enumerate() {
        let hyphen = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        write!(f, "{hyphen}{byte:02x}")?;
    }
    Ok(())
}

/// Where the hyphens stand.
const GROUP_ENDS: [usize; 4] = [8, 13, 18, 23];

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    const TEXT: &str = "a2c786d0-f9ef-4cb3-b333-cd323a4284a5";

    #[test]
    fn text_round_trips_in_both_forms_and_cases() {
        let id: KeyId = TEXT.parse().unwrap();
        assert_eq!(id.as_bytes()[..4], [0xa2, 0xc7, 0x86, 0xd0]);
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(format!("{id:?}"), TEXT);
        assert_eq!(TEXT.to_uppercase().parse(), Ok(id));
        assert_eq!(TEXT.replace('-', "").parse(), Ok(id));
        assert_eq!(KeyId::from_slice(id.as_bytes()), Some(id));
        assert_eq!(KeyId::from_slice(&id.as_bytes()[1..]), None);
    }

    #[test]
    fn cbor_is_a_byte_string_of_sixteen() {
        let id: KeyId = TEXT.parse().unwrap();
        let cbor = minicbor::to_vec(id).unwrap();
        assert_eq!((cbor[0], &cbor[1..]), (0x50, &id.as_bytes()[..]));
        assert_eq!(minicbor::decode::<KeyId>(&cbor).unwrap(), id);
        assert!(minicbor::decode::<KeyId>(&[0x41, 0x00]).is_err());
    }

    #[test]
    fn one_wrong_character_is_named_by_its_offset() {
        let parse = |text: &str| text.parse::<KeyId>().unwrap_err();
        assert_eq!(parse(""), KeyIdError::Length { found: 0 });
        assert_eq!(parse(&TEXT[1..]), KeyIdError::Length { found: 35 });
        assert_eq!(parse(&format!("{{{TEXT}}}")), KeyIdError::Length { found: 38 });
        assert_eq!(parse(&TEXT.replacen('c', "g", 1)), KeyIdError::Character { offset: 2 });
        assert_eq!(parse("a2c786d00f9ef-4cb3-b333-cd323a4284a5"), KeyIdError::Character { offset: 8 });
        assert_eq!(parse("a2c786d0-f9ef-4cb3-b333-cd323a4284-5"), KeyIdError::Character { offset: 34 });
        assert_eq!(parse("+2c786d0f9ef4cb3b333cd323a4284a5"), KeyIdError::Character { offset: 0 });
        assert_eq!(parse("é2c786d0f9ef4cb3b333cd323a4284a5"), KeyIdError::Character { offset: 0 });
    }
}
