//! AES-128 in counter mode over sample data (ISO/IEC 23001-7 section 9): whole blocks by the provider, partial
//! blocks here, so that a sample's keystream may go on across clear gaps.

use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};

use crate::ContentKey;

/// A content key loaded for counter mode.
pub trait CounterMode: Send + Sync {
    /// XORs the keystream that begins at block `counter` (big-endian, wrapping at 2^128) over `data`.
    fn apply(&self, counter: u128, data: &mut [u8]);
}

/// XORs the keystream of a sample over `data`, which begins `position` protected bytes into the sample.
///
/// `initial_counter` is the sample's initialization vector as a 16-byte big-endian block: an 8-byte vector
/// followed by a block counter of zero (section 9.3), or all 16 bytes as given. The counter that ISO/IEC
/// 23001-7 describes increments only its low 64 bits, so that is what is done here.
pub fn apply_counter_mode(cipher: &dyn CounterMode, initial_counter: u128, position: u64, data: &mut [u8]) {
    let within_block = usize::try_from(position % 16).expect("a remainder of 16 fits");
    let (head, body) = data.split_at_mut(if within_block == 0 { 0 } else { data.len().min(16 - within_block) });
    if !head.is_empty() {
        let mut keystream = [0; 16];
        cipher.apply(counter_at(initial_counter, position / 16), &mut keystream);
        head.iter_mut().zip(&keystream[within_block..]).for_each(|(byte, key)| *byte ^= key);
    }
    if body.is_empty() {
        return;
    }
    let first_block = position.div_ceil(16);
    let counter = counter_at(initial_counter, first_block);
    // The low 64 bits wrap without a carry into the high ones; the provider's counter carries, so the run is
    // cut where that would happen.
    let blocks_before_wrap = u128::from(u64::MAX) + 1 - (counter & u128::from(u64::MAX));
    let cut = usize::try_from(blocks_before_wrap.saturating_mul(16)).map_or(body.len(), |cut| cut.min(body.len()));
    let (before, after) = body.split_at_mut(cut);
    cipher.apply(counter, before);
    if !after.is_empty() {
        cipher.apply(counter & !u128::from(u64::MAX), after);
    }
}

fn counter_at(initial: u128, block: u64) -> u128 {
    let low = u64::try_from(initial & u128::from(u64::MAX)).expect("masked to 64 bits").wrapping_add(block);
    (initial & !u128::from(u64::MAX)) | u128::from(low)
}

pub(crate) struct RustCryptoCounterMode(aes::Aes128);

impl RustCryptoCounterMode {
    pub(crate) fn new(key: &ContentKey) -> Self {
        Self(aes::Aes128::new(key.expose().into()))
    }
}

impl CounterMode for RustCryptoCounterMode {
    fn apply(&self, counter: u128, data: &mut [u8]) {
        let core =
            ctr::CtrCore::<&aes::Aes128, ctr::flavors::Ctr128BE>::inner_iv_init(&self.0, &counter.to_be_bytes().into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(data);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// One block at a time through the raw cipher: slow and obviously right.
    fn naive(key: &ContentKey, initial: u128, position: u64, data: &[u8]) -> Vec<u8> {
        use aes::cipher::BlockCipherEncrypt;
        let cipher = aes::Aes128::new(key.expose().into());
        let byte_at = |offset: u64| {
            let low = u64::try_from(initial & u128::from(u64::MAX)).unwrap().wrapping_add(offset / 16);
            let counter = (initial >> 64) << 64 | u128::from(low);
            let mut block = counter.to_be_bytes().into();
            cipher.encrypt_block(&mut block);
            block[usize::try_from(offset % 16).unwrap()]
        };
        data.iter().zip(position..).map(|(byte, at)| byte ^ byte_at(at)).collect()
    }

    proptest::proptest! {
        #[test]
        fn any_split_equals_the_naive_cipher(
            key: [u8; 16], high: u64, low in proptest::prop_oneof![proptest::num::u64::ANY, (u64::MAX - 20)..=u64::MAX],
            position in 0u64..200, data in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        ) {
            let key = ContentKey::from_bytes(key);
            let initial = u128::from(high) << 64 | u128::from(low);
            for provider in crate::rustcrypto_and_native() {
                let cipher = (provider.aes_128_ctr)(&key);
                let mut ours = data.clone();
                apply_counter_mode(&*cipher, initial, position, &mut ours);
                proptest::prop_assert_eq!(&ours, &naive(&key, initial, position, &data));
            }
        }
    }

    #[test]
    fn nist_sp_800_38a_f_5_1() {
        let key = ContentKey::from_slice(&hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap()).unwrap();
        let counter = 0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff;
        let mut data = hex::decode("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").unwrap();
        apply_counter_mode(&RustCryptoCounterMode::new(&key), counter, 0, &mut data);
        assert_eq!(hex::encode(&data), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    }
}
