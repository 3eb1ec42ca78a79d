//! `tenc`, the track encryption box (ISO/IEC 23001-7 section 8.2), and the same fields in a `seig` group entry
//! (section 6).

use crate::frame::put_full_box;
use crate::{Cursor, Error, KeyId, fourcc};

/// How samples are protected unless a sample group says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenc {
    /// Whether they are.
    pub protected: bool,
    /// Bytes in the initialization vector of each sample: 0, 8 or 16.
    pub iv_size: u8,
    /// The key.
    pub key_id: KeyId,
    /// The initialization vector of all samples, when each has none of its own.
    pub constant_iv: Option<u128>,
    /// Encrypted and skipped blocks of the pattern schemes.
    pub pattern: (u8, u8),
}

impl Tenc {
    /// Reads the payload of a `tenc` box.
    pub fn parse(mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let (version, _) = cursor.version_up_to(1)?;
        Self::parse_fields(&mut cursor, version > 0)
    }

    /// Reads the fields that `tenc` and `seig` share.
    pub fn parse_fields(cursor: &mut Cursor<'_>, patterned: bool) -> Result<Self, Error> {
        cursor.u8()?;
        let pattern = cursor.u8()?;
        let protected = cursor.u8()? != 0;
        let at = cursor.at();
        let iv_size = cursor.u8()?;
        if !matches!(iv_size, 0 | 8 | 16) {
            return Err(Error::BadValue { at, field: "initialization vector size", value: iv_size.into() });
        }
        let key_id = KeyId::from_bytes(cursor.array()?);
        let constant_iv = if protected && iv_size == 0 { Some(constant_iv(cursor)?) } else { None };
        let pattern = if patterned { (pattern >> 4, pattern & 15) } else { (0, 0) };
        Ok(Self { protected, iv_size, key_id, constant_iv, pattern })
    }

    /// Appends a box of version 0.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_full_box(out, fourcc::TENC, 0, 0, |out| {
            out.extend_from_slice(&[0, 0, u8::from(self.protected), self.iv_size]);
            out.extend_from_slice(self.key_id.as_bytes());
        });
    }
}

/// Reads an initialization vector of 8 or 16 bytes as the counter block that it begins.
pub(super) fn counter_block(bytes: &[u8]) -> Option<u128> {
    match bytes.len() {
        8 => bytes.try_into().ok().map(|iv| u128::from(u64::from_be_bytes(iv)) << 64),
        16 => bytes.try_into().ok().map(u128::from_be_bytes),
        _ => None,
    }
}

fn constant_iv(cursor: &mut Cursor<'_>) -> Result<u128, Error> {
    let at = cursor.at();
    let size = cursor.u8()?;
    let bad = Error::BadValue { at, field: "constant initialization vector size", value: size.into() };
    counter_block(cursor.bytes(size.into())?).ok_or(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    fn parse(bytes: &[u8]) -> Result<Tenc, Error> {
        Tenc::parse(Cursor::new(bytes, Location::top(0)))
    }

    #[test]
    fn version_0_comes_back() {
        let tenc = Tenc {
            protected: true,
            iv_size: 8,
            key_id: KeyId::from_bytes([7; 16]),
            constant_iv: None,
            pattern: (0, 0),
        };
        let mut bytes = Vec::new();
        tenc.write(&mut bytes);
        assert_eq!(parse(&bytes[8..]), Ok(tenc));
    }

    #[test]
    fn version_1_has_a_pattern_and_may_have_a_constant_vector() {
        let mut bytes = vec![1, 0, 0, 0, 0, 0x19, 1, 0];
        bytes.extend_from_slice(&[7; 16]);
        bytes.extend_from_slice(&[8, 0, 0, 0, 0, 0, 0, 0, 5]);
        let tenc = parse(&bytes).unwrap();
        assert_eq!((tenc.pattern, tenc.constant_iv), ((1, 9), Some(5 << 64)));
    }

    #[test]
    fn other_vector_sizes_are_refused() {
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 1, 9];
        bytes.extend_from_slice(&[7; 16]);
        let expected = Error::BadValue { at: Location::top(7), field: "initialization vector size", value: 9 };
        assert_eq!(parse(&bytes), Err(expected));
    }
}
