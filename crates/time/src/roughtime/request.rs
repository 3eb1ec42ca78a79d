//! Requests (RFC 10049 section 5.1). One nonce and one key make one packet, byte for byte, so that both sides of a
//! license acquisition can build it for themselves.

use alloc::vec;
use alloc::vec::Vec;

use admit_crypto::Provider;

use crate::roughtime::merkle::{self, HASH_LENGTH};
use crate::roughtime::{TYPE_REQUEST, Tag, VERSION, encode, frame};

/// Bytes in a nonce.
pub const NONCE_LENGTH: usize = 32;

/// Bytes in the message of a request; the packet has 12 more.
pub const MESSAGE_LENGTH: usize = 1024;

/// The canonical request packet: VER 1, SRV of the pinned key, NONC, TYPE 0, and zeros up to [`MESSAGE_LENGTH`].
#[must_use]
pub fn request_packet(provider: &Provider, nonce: &[u8; NONCE_LENGTH], pinned_key: &[u8; 32]) -> Vec<u8> {
    let version = VERSION.to_le_bytes();
    let server = server_commitment(provider, pinned_key);
    let message_type = TYPE_REQUEST.to_le_bytes();
    let fields = [&version[..], &server, nonce, &message_type];
    let used = 2 * 4 * (fields.len() + 1) + fields.iter().map(|value| value.len()).sum::<usize>();
    let padding = vec![0; MESSAGE_LENGTH - used];
    frame(&encode(&[
        (Tag::VER, &version),
        (Tag::SRV, &server),
        (Tag::NONC, nonce),
        (Tag::TYPE, &message_type),
        (Tag::ZZZZ, &padding),
    ]))
}

/// The value of SRV, by which a server knows which of its long-term keys a client has pinned.
#[must_use]
pub fn server_commitment(provider: &Provider, long_term_key: &[u8; 32]) -> [u8; HASH_LENGTH] {
    merkle::hash(provider, &[&[0xff], long_term_key])
}

#[cfg(test)]
mod tests {
    use admit_crypto::rustcrypto::PROVIDER;

    use super::*;
    use crate::roughtime::unframe;

    #[test]
    fn the_canonical_request_has_exactly_these_bytes() {
        let packet = request_packet(&PROVIDER, &[7; 32], &[9; 32]);
        assert_eq!(packet.len(), 12 + 1024);
        assert_eq!(&packet[..12], b"ROUGHTIM\0\x04\0\0");
        let header: Vec<u8> = [5, 4, 36, 68, 72].into_iter().flat_map(u32::to_le_bytes).collect();
        assert_eq!(packet[12..32], header);
        assert_eq!(&packet[32..52], b"VER\0SRV\0NONCTYPEZZZZ");
        assert_eq!(packet[52..56], [1, 0, 0, 0]);
        assert_eq!(packet[56..88], (PROVIDER.sha512)(&[&[0xff], &[9; 32]])[..32]);
        assert_eq!(packet[88..120], [7; 32]);
        assert!(packet[120..].iter().all(|&byte| byte == 0));
        assert_eq!(unframe(&packet).unwrap().values().count(), 5);
    }
}
