//! SHA-256 digests: fingerprints, thumbprints and message hashes.

use core::fmt;

use subtle::ConstantTimeEq;

/// A SHA-256 digest (FIPS 180-4), compared in constant time and printed as lower-case hexadecimal.
#[derive(Clone, Copy, Eq, PartialOrd, Ord)]
pub struct Digest([u8; Self::LENGTH]);

impl Digest {
    /// Bytes in a digest.
    pub const LENGTH: usize = 32;

    /// Takes 32 bytes as a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Takes a slice as a digest, or `None` when it is not 32 bytes long.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads 64 hexadecimal digits of either case; colons between bytes, as openssl prints them, are skipped.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::LENGTH];
        let mut digits = text.chars().filter(|&c| c != ':').map(|c| c.to_digit(16));
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl core::hash::Hash for Digest {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn hexadecimal_round_trips_with_and_without_colons() {
        let digest = Digest::from_bytes(core::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        let text = digest.to_string();
        assert_eq!(Digest::from_hex(&text), Some(digest));
        assert_eq!(Digest::from_hex(&text.to_uppercase()), Some(digest));
        assert_eq!(Digest::from_hex(&text[..62]), None);
        assert_eq!(Digest::from_hex(&(text + "00")), None);
        assert_eq!(Digest::from_hex("zz"), None);
    }
}
