//! Key ids: UUIDs, big-endian everywhere inside (ISO/IEC 23001-7 section 8.2).

use std::fmt;

/// Names a content key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KeyId(pub [u8; 16]);

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

/// Prints 16 bytes in the form `8-4-4-4-12`.
pub(crate) fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().enumerate().try_for_each(|(index, byte)| match index {
        4 | 6 | 8 | 10 => write!(f, "-{byte:02x}"),
        _ => write!(f, "{byte:02x}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_a_uuid() {
        let id = KeyId(*b"\xb6\xa2\x02\xa3\xf2\x75\x44\x6c\x90\x30\x29\xc1\xfd\x52\x46\x3f");
        assert_eq!(id.to_string(), "b6a202a3-f275-446c-9030-29c1fd52463f");
    }
}
