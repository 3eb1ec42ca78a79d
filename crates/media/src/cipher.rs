//! The sample cipher of `cenc` (ISO/IEC 23001-7 section 10.1), the same both ways: the keystream begins at the
//! sample's initialization vector and goes on from one protected range to the next.

use admit_crypto::{CounterMode, apply_counter_mode};

/// Encrypts or decrypts a sample in place. Without subsamples all of it is protected; ranges past its end are
/// ignored.
pub fn crypt_sample(cipher: &dyn CounterMode, counter: u128, subsamples: &[(u16, u32)], sample: &mut [u8]) {
    let ranges = subsamples.iter().copied();
    crypt_part(cipher, counter, (!subsamples.is_empty()).then_some(ranges), 0, sample);
}

/// As [`crypt_sample`] for the part of a sample that begins `start` bytes into it, so that a sample need not be in
/// memory whole.
pub fn crypt_part(
    cipher: &dyn CounterMode,
    counter: u128,
    subsamples: Option<impl Iterator<Item = (u16, u32)>>,
    start: u64,
    part: &mut [u8],
) {
    let Some(subsamples) = subsamples else { return apply_counter_mode(cipher, counter, start, part) };
    let end = start + part.len() as u64;
    let (mut position, mut keystream) = (0, 0);
    for (clear, protected) in subsamples {
        let from = position + u64::from(clear);
        let to = from + u64::from(protected);
        if from >= end {
            break;
        }
        if to > start && protected > 0 {
            let (first, last) = (from.max(start), to.min(end));
            let range = within(first - start)..within(last - start);
            apply_counter_mode(cipher, counter, keystream + (first - from), &mut part[range]);
        }
        position = to;
        keystream += u64::from(protected);
    }
}

fn within(offset: u64) -> usize {
    usize::try_from(offset).expect("inside a slice")
}

#[cfg(test)]
mod tests {
    use admit_crypto::{ContentKey, rustcrypto};

    use super::*;

    proptest::proptest! {
        #[test]
        fn a_sample_in_parts_equals_the_sample_whole(
            subsamples in proptest::collection::vec((0u16..40, 0u32..90), 0..6),
            sample in proptest::collection::vec(proptest::num::u8::ANY, 0..400),
            cuts in proptest::collection::vec(0usize..400, 0..4),
        ) {
            let cipher = (rustcrypto::PROVIDER.aes_128_ctr)(&ContentKey::from_bytes([3; 16]));
            let mut whole = sample.clone();
            crypt_sample(&*cipher, 9 << 64, &subsamples, &mut whole);
            let mut parts = sample.clone();
            let mut cuts: Vec<_> = cuts.into_iter().filter(|&cut| cut < sample.len()).collect();
            cuts.extend([0, sample.len()]);
            cuts.sort_unstable();
            for pair in cuts.windows(2) {
                let ranges = (!subsamples.is_empty()).then(|| subsamples.iter().copied());
                crypt_part(&*cipher, 9 << 64, ranges, pair[0] as u64, &mut parts[pair[0]..pair[1]]);
            }
            proptest::prop_assert_eq!(&parts, &whole);
            crypt_sample(&*cipher, 9 << 64, &subsamples, &mut parts);
            proptest::prop_assert_eq!(&parts, &sample);
        }
    }

    #[test]
    fn the_keystream_goes_on_across_clear_ranges() {
        let cipher = (rustcrypto::PROVIDER.aes_128_ctr)(&ContentKey::from_bytes([3; 16]));
        let mut gapped = vec![0; 40];
        crypt_sample(&*cipher, 1 << 64, &[(4, 16), (4, 16)], &mut gapped);
        let mut plain = vec![0; 32];
        crypt_sample(&*cipher, 1 << 64, &[], &mut plain);
        assert_eq!([&gapped[4..20], &gapped[24..40]].concat(), plain);
        assert_eq!((&gapped[..4], &gapped[20..24]), (&[0; 4][..], &[0; 4][..]));
    }
}
