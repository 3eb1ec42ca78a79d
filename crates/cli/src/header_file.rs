//! A file that holds a content header and no media: the object as `admit inspect --header` writes it, or the JSON that
//! `POST /v1/headers` answers.

use std::io::{Read, Result, Seek, SeekFrom};

use admit_license::header::MAX_LENGTH;
use admit_protocol::package::{MAX_SIGNED_HEADER, SignedHeader};

/// The header object, where the input is one and nothing else. Media cannot be taken for one: an object says its own length in
/// its first four bytes, and a box that begins with these is longer than any object. Of media no more than these is read.
pub(crate) fn read(mut input: impl Read + Seek) -> Result<Option<Vec<u8>>> {
    let first = first_bytes(&mut input, 4)?;
    if first.first() == Some(&b'{') {
        input.rewind()?;
        let signed: Option<SignedHeader> =
            serde_json::from_slice(&first_bytes(&mut input, MAX_SIGNED_HEADER as u64 + 1)?).ok();
        return Ok(signed.map(|signed| signed.header));
    }
    let stated = first.first_chunk().map(|length| u64::from(u32::from_le_bytes(*length)));
    let length = input.seek(SeekFrom::End(0))?;
    if stated != Some(length) || length > MAX_LENGTH as u64 {
        return Ok(None);
    }
    input.rewind()?;
    first_bytes(&mut input, length).map(Some)
}

fn first_bytes(input: &mut impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn an_object_alone_is_found_and_nothing_else() {
        let object = [6, 0, 0, 0, 0, 0];
        assert_eq!(read(Cursor::new(&object)).unwrap(), Some(object.to_vec()));
        let json =
            br#"{"realm":"0000000000000000000000000000000000000000000000000000000000000000","header":"060000000000"}"#;
        assert_eq!(read(Cursor::new(&json)).unwrap(), Some(object.to_vec()));
        let others: [&[u8]; 6] = [b"", &[6, 0, 0], &object[..5], &[6, 0, 0, 0, 0, 0, 0], b"{}", b"\0\0\0\x08free"];
        for other in others {
            assert_eq!(read(Cursor::new(other)).unwrap(), None, "{other:?}");
        }
    }

    #[test]
    fn of_media_its_first_bytes_alone_are_read() {
        let mut media = Counted(Cursor::new(b"\0\0\0\x10ftypisomiso2and so on"), 0);
        assert_eq!(read(&mut media).unwrap(), None);
        assert_eq!(media.1, 4);
    }

    /// How many bytes were read.
    struct Counted(Cursor<&'static [u8]>, usize);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let count = self.0.read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> Result<u64> {
            self.0.seek(to)
        }
    }
}
