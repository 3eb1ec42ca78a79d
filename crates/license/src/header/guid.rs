//! The one place with little-endian GUIDs: base64 of DWORD, WORD, WORD in little-endian order and eight bytes as they
//! are (PlayReady Header specification, KID and DS_ID).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::ContentFault;

/// Turns a big-endian UUID into a little-endian GUID, and back.
pub(super) const fn swap(bytes: &[u8; 16]) -> [u8; 16] {
    let b = bytes;
    [b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]
}

/// Reads base64 of a little-endian GUID as a big-endian UUID.
pub(super) fn from_base64(text: &str) -> Result<[u8; 16], ContentFault> {
    decode(text).map(|guid| swap(&guid))
}

/// Writes a big-endian UUID as base64 of a little-endian GUID.
pub(super) fn to_base64(uuid: &[u8; 16]) -> String {
    STANDARD.encode(swap(uuid))
}

/// Reads base64 of exactly `N` bytes.
pub(super) fn decode<const N: usize>(text: &str) -> Result<[u8; N], ContentFault> {
    let bytes = STANDARD.decode(text).map_err(|_| ContentFault::Base64)?;
    bytes.as_slice().try_into().map_err(|_| ContentFault::Length { expected: N, found: bytes.len() })
}

/// Writes base64.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guid_of_ascending_bytes() {
        let uuid: [u8; 16] = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let guid = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        assert_eq!(swap(&uuid), guid);
        assert_eq!(swap(&guid), uuid);
        assert_eq!(from_base64(&to_base64(&uuid)), Ok(uuid));
    }

    #[test]
    fn other_lengths_and_loose_base64_are_refused() {
        assert_eq!(from_base64("AAAA"), Err(ContentFault::Length { expected: 16, found: 3 }));
        assert_eq!(from_base64("AAAAAAAAAAAAAAAAAAAAAA"), Err(ContentFault::Base64), "padding left out");
        assert_eq!(from_base64("AAAAAAAAAAAAAAAAAAAAAB=="), Err(ContentFault::Base64), "bits beyond the last byte");
        assert_eq!(from_base64("AAAAAAAA AAAAAAAAAAAAAA=="), Err(ContentFault::Base64));
    }
}
