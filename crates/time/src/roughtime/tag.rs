//! Tags: the names of values (RFC 10049 sections 4.1.3 and 12.3).

use core::cmp::Ordering;
use core::fmt;

/// One to four capital letters padded with zeros. Tags are ordered as little-endian numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag([u8; 4]);

impl Tag {
    /// A signature.
    pub const SIG: Self = Self(*b"SIG\0");
    /// A version, or the versions that a client offers.
    pub const VER: Self = Self(*b"VER\0");
    /// The commitment to the server's long-term key.
    pub const SRV: Self = Self(*b"SRV\0");
    /// The nonce.
    pub const NONC: Self = Self(*b"NONC");
    /// The delegation of the long-term key to another.
    pub const DELE: Self = Self(*b"DELE");
    /// Request or response.
    pub const TYPE: Self = Self(*b"TYPE");
    /// The hashes beside the way from a leaf to the root.
    pub const PATH: Self = Self(*b"PATH");
    /// The radius in seconds.
    pub const RADI: Self = Self(*b"RADI");
    /// The delegated key.
    pub const PUBK: Self = Self(*b"PUBK");
    /// The midpoint, Unix seconds.
    pub const MIDP: Self = Self(*b"MIDP");
    /// The signed response.
    pub const SREP: Self = Self(*b"SREP");
    /// The versions that a server speaks.
    pub const VERS: Self = Self(*b"VERS");
    /// The beginning of a delegation, Unix seconds.
    pub const MINT: Self = Self(*b"MINT");
    /// The root of the Merkle tree.
    pub const ROOT: Self = Self(*b"ROOT");
    /// The delegation and its signature.
    pub const CERT: Self = Self(*b"CERT");
    /// The end of a delegation, Unix seconds.
    pub const MAXT: Self = Self(*b"MAXT");
    /// The index of a leaf.
    pub const INDX: Self = Self(*b"INDX");
    /// Zeros that make a request long enough.
    pub const ZZZZ: Self = Self(*b"ZZZZ");

    /// Takes four bytes as a tag, or `None` when they are not capital letters followed by zeros.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        let letters = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let padding = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        (letters > 0 && letters + padding == bytes.len()).then_some(Self(bytes))
    }

    /// The four bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// The number by which tags are ordered.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        u32::from_le_bytes(self.0)
    }
}

impl Ord for Tag {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_u32().cmp(&other.to_u32())
    }
}

impl PartialOrd for Tag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take_while(|&&byte| byte != 0).try_for_each(|&byte| write!(f, "{}", char::from(byte)))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn tags_are_capital_letters_and_padding() {
        assert_eq!(Tag::from_bytes(*b"NONC"), Some(Tag::NONC));
        assert_eq!(Tag::from_bytes(*b"SIG\0"), Some(Tag::SIG));
        assert_eq!(Tag::from_bytes(*b"A\0\0\0").unwrap().to_string(), "A");
        for malformed in [*b"\0\0\0\0", *b"\0SIG", *b"S\0IG", *b"sig\0", *b"PAD\xff", *b"SI1\0"] {
            assert_eq!(Tag::from_bytes(malformed), None, "{malformed:?}");
        }
    }

    /// The numbers of the registry (RFC 10049 section 12.3).
    #[test]
    fn tags_are_ordered_by_their_registered_numbers() {
        let registry = [
            (Tag::SIG, 0x0047_4953),
            (Tag::VER, 0x0052_4556),
            (Tag::SRV, 0x0056_5253),
            (Tag::NONC, 0x434e_4f4e),
            (Tag::DELE, 0x454c_4544),
            (Tag::TYPE, 0x4550_5954),
            (Tag::PATH, 0x4854_4150),
            (Tag::RADI, 0x4944_4152),
            (Tag::PUBK, 0x4b42_5550),
            (Tag::MIDP, 0x5044_494d),
            (Tag::SREP, 0x5045_5253),
            (Tag::VERS, 0x5352_4556),
            (Tag::MINT, 0x544e_494d),
            (Tag::ROOT, 0x544f_4f52),
            (Tag::CERT, 0x5452_4543),
            (Tag::MAXT, 0x5458_414d),
            (Tag::INDX, 0x5844_4e49),
            (Tag::ZZZZ, 0x5a5a_5a5a),
        ];
        assert!(registry.is_sorted_by(|(low, _), (high, _)| low < high));
        assert!(registry.iter().all(|(tag, number)| tag.to_u32() == *number));
    }
}
