//! The samples of one track for a decoder in the same process: the same as in the clear file, whatever the layout, and what
//! the decoder is told beside them.

use std::io::{self, Cursor};

use crate::support::{CLIPS, KEY, KEY_ID, clip, decrypt_with, packaged, samples};
use admit_crypto::{ContentKey, rustcrypto};
use admit_media::{Decrypted, Error, KeyId, Sample, SoundCodec, decrypt_track, fourcc, inspect, sound};

/// What a decoder was given.
type Given = Vec<(Sample, Vec<u8>)>;

/// The samples of a track of a protected file.
fn track_of(file: &[u8], track: u32) -> Result<(Given, Decrypted), Error> {
    let key = ContentKey::from_bytes(KEY);
    let keys = &mut |_: &KeyId| Some((rustcrypto::PROVIDER.aes_128_ctr)(&key));
    let mut seen = Vec::new();
    let put = &mut |sample: &Sample, bytes: &[u8]| {
        seen.push((*sample, bytes.to_vec()));
        Ok(())
    };
    let decrypted = decrypt_track(Cursor::new(file), track, keys, put, &mut |_, _| ())?;
    Ok((seen, decrypted))
}

#[test]
fn every_sample_of_a_track_is_that_of_the_clear_file() {
    for name in CLIPS {
        let file = packaged(&clip(name));
        let clear = samples(&decrypt_with(&file, KEY).unwrap());
        for track in inspect(Cursor::new(&file)).unwrap().tracks {
            let expected = clear.iter().filter(|seen| seen.video == (track.handler == fourcc::VIDE));
            let expected: Vec<_> = expected.map(|seen| &seen.bytes).collect();
            let (found, decrypted) = track_of(&file, track.id).unwrap();
            assert!(!found.is_empty() && found.iter().map(|(_, bytes)| bytes).eq(expected), "{name}");
            let each = |(one, next): (&Sample, &Sample)| next.decode_time == one.decode_time + u64::from(one.duration);
            let times: Vec<_> = found.iter().map(|(sample, _)| sample).collect();
            assert!(times.windows(2).all(|pair| each((pair[0], pair[1]))), "{name}");
            assert_eq!((decrypted.samples, decrypted.key_ids), (found.len() as u64, vec![KEY_ID]), "{name}");
        }
    }
}

#[test]
fn a_decoder_is_told_codec_and_configuration() {
    let told = sound(Cursor::new(packaged(&clip("high-progressive")))).unwrap().unwrap();
    assert_eq!((told.codec, told.has_video), (SoundCodec::Aac, true));
    // AAC-LC (2), at one of the rates of its table, in five bits and four (ISO/IEC 14496-3 section 1.6.2.1).
    assert_eq!(told.config[0] >> 3, 2);
    assert!(!sound(Cursor::new(packaged(&clip("audio-only")))).unwrap().unwrap().has_video);
}

#[test]
fn a_track_that_is_not_there_or_is_cut_is_an_error() {
    let file = packaged(&clip("audio-only"));
    assert!(matches!(track_of(&file, 77), Err(Error::BadValue { field: "track number", value: 77, .. })));
    assert!(matches!(track_of(&clip("audio-only"), 1), Err(Error::NotProtected)));
    let head = file.windows(4).position(|window| window == b"sidx").unwrap() - 4;
    assert!(matches!(track_of(&file[..head], 1), Err(Error::Missing { wanted: fourcc::MOOF, .. })));
}

#[test]
fn a_decoder_that_refuses_a_sample_gets_no_more() {
    let (file, key) = (packaged(&clip("audio-only")), ContentKey::from_bytes(KEY));
    let keys = &mut |_: &KeyId| Some((rustcrypto::PROVIDER.aes_128_ctr)(&key));
    let mut given = 0;
    let put = &mut |_: &Sample, _: &[u8]| {
        given += 1;
        if given == 3 { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    };
    let refused = decrypt_track(Cursor::new(&file), 1, keys, put, &mut |_, _| ());
    assert_eq!((refused, given), (Err(Error::Write { kind: io::ErrorKind::Other }), 3));
}
