//! Messages: maps from tags to values (RFC 10049 section 4), parsed in place and without trust.

use alloc::vec::Vec;

use crate::roughtime::{FormatError, Tag};

/// A message whose header has been checked.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The number of pairs, the offsets and the tags.
    header: &'a [[u8; WORD]],
    values: &'a [u8],
    at: usize,
}

impl<'a> Message<'a> {
    /// Checks a message's header: its length, every offset and every tag. `at` is where the message begins in its
    /// packet and only serves to report positions.
    pub fn parse(bytes: &'a [u8], at: usize) -> Result<Self, FormatError> {
        let truncated = FormatError::TruncatedMessage { at };
        let (words, _) = bytes.as_chunks();
        let pairs = words.first().map(to_usize).ok_or(truncated)?;
        if pairs == 0 {
            return Err(FormatError::EmptyMessage { at });
        }
        let header = pairs.checked_mul(2).and_then(|length| words.get(..length)).ok_or(truncated)?;
        let message = Self { header, values: &bytes[header.as_flattened().len()..], at };
        message.check_offsets()?;
        message.check_tags()?;
        Ok(message)
    }

    /// The value of a tag that must be there.
    pub fn require(&self, tag: Tag) -> Result<Value<'a>, FormatError> {
        self.values().find(|value| value.tag == tag).ok_or(FormatError::MissingTag { tag, at: self.at })
    }

    /// All values in the order of their tags, unknown tags included.
    pub fn values(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let message = *self;
        (0..message.pairs()).filter_map(move |index| {
            let (start, end) = (message.offset(index), message.offset(index + 1));
            let at = message.at + message.header.as_flattened().len() + start;
            Some(Value { tag: message.tag(index)?, at, bytes: message.values.get(start..end)? })
        })
    }

    fn check_offsets(&self) -> Result<(), FormatError> {
        let mut previous = 0;
        for index in 1..self.pairs() {
            let at = self.at + index * WORD;
            let offset = self.offset(index);
            if !offset.is_multiple_of(WORD) {
                return Err(FormatError::UnalignedOffset { at });
            } else if offset < previous {
                return Err(FormatError::DescendingOffset { at });
            } else if offset > self.values.len() {
                return Err(FormatError::OffsetOutsideMessage { at });
            }
            previous = offset;
        }
        Ok(())
    }

    fn check_tags(&self) -> Result<(), FormatError> {
        let mut previous = None;
        for index in 0..self.pairs() {
            let at = self.at + (self.pairs() + index) * WORD;
            let tag = self.tag(index).ok_or(FormatError::MalformedTag { at })?;
            if previous >= Some(tag) {
                return Err(FormatError::TagOutOfOrder { tag, at });
            }
            previous = Some(tag);
        }
        Ok(())
    }

    const fn pairs(&self) -> usize {
        self.header.len() / 2
    }

    /// Where a value begins among the values. The one after the last begins at the end.
    fn offset(&self, index: usize) -> usize {
        match index {
            0 => 0,
            _ if index == self.pairs() => self.values.len(),
            _ => to_usize(&self.header[index]),
        }
    }

    fn tag(&self, index: usize) -> Option<Tag> {
        Tag::from_bytes(self.header[self.pairs() + index])
    }
}

/// The value of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    tag: Tag,
    at: usize,
    bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// Its tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// Where the value begins in its packet.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The value as exactly `N` bytes.
    pub fn array<const N: usize>(&self) -> Result<&'a [u8; N], FormatError> {
        self.bytes.try_into().map_err(|_| self.wrong_length())
    }

    /// The value as a list of items of `N` bytes each.
    pub fn arrays<const N: usize>(&self) -> Result<&'a [[u8; N]], FormatError> {
        match self.bytes.as_chunks() {
            (items, []) => Ok(items),
            _ => Err(self.wrong_length()),
        }
    }

    /// The value as a 32-bit number.
    pub fn u32(&self) -> Result<u32, FormatError> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// The value as a 64-bit number.
    pub fn u64(&self) -> Result<u64, FormatError> {
        self.array().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The value as a message of its own.
    pub fn message(&self) -> Result<Message<'a>, FormatError> {
        Message::parse(self.bytes, self.at)
    }

    const fn wrong_length(&self) -> FormatError {
        FormatError::WrongValueLength { tag: self.tag, at: self.at, found: self.bytes.len() }
    }
}

/// Writes a message.
///
/// # Panics
///
/// When there are no fields, when their tags do not ascend, or when any value but the last has a length that is not a
/// multiple of four: such a message cannot be written.
#[must_use]
pub fn encode(fields: &[(Tag, &[u8])]) -> Vec<u8> {
    assert!(!fields.is_empty(), "a message has at least one field");
    assert!(fields.is_sorted_by(|(low, _), (high, _)| low < high), "tags ascend");
    let mut message = Vec::new();
    let mut put = |number: usize| {
        let number = u32::try_from(number).expect("messages are shorter than 4 GiB");
        message.extend_from_slice(&number.to_le_bytes());
    };
    put(fields.len());
    let mut offset = 0;
    for (tag, value) in &fields[..fields.len() - 1] {
        offset += value.len();
        assert!(offset.is_multiple_of(WORD), "the length of {tag} is a multiple of four");
        put(offset);
    }
    fields.iter().for_each(|(tag, _)| message.extend_from_slice(tag.as_bytes()));
    fields.iter().for_each(|(_, value)| message.extend_from_slice(value));
    message
}

fn to_usize(word: &[u8; WORD]) -> usize {
    u32::from_le_bytes(*word).try_into().expect("usize has 32 bits or more")
}

/// Bytes in the number of pairs, an offset and a tag.
const WORD: usize = 4;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    /// A message of words, so that every test can write one that [`encode`] would not.
    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn reject(bytes: &[u8]) -> FormatError {
        Message::parse(bytes, 100).unwrap_err()
    }

    const SIG: u32 = Tag::SIG.to_u32();
    const VER: u32 = Tag::VER.to_u32();
    const NONC: u32 = Tag::NONC.to_u32();

    #[test]
    fn values_are_found_with_their_positions() {
        let bytes = words(&[3, 4, 4, SIG, VER, NONC, 11, 22, 33]);
        let message = Message::parse(&bytes, 100).unwrap();
        let found: Vec<_> = message.values().map(|value| (value.tag(), value.at(), value.bytes().len())).collect();
        assert_eq!(found, [(Tag::SIG, 124, 4), (Tag::VER, 128, 0), (Tag::NONC, 128, 8)]);
        assert_eq!(message.require(Tag::SIG).unwrap().u32(), Ok(11));
        assert_eq!(message.require(Tag::NONC).unwrap().u64(), Ok(33 << 32 | 22));
        assert_eq!(message.require(Tag::NONC).unwrap().arrays::<4>().unwrap().len(), 2);
        assert_eq!(message.require(Tag::PATH).unwrap_err(), FormatError::MissingTag { tag: Tag::PATH, at: 100 });
        let wrong = FormatError::WrongValueLength { tag: Tag::NONC, at: 128, found: 8 };
        assert_eq!(message.require(Tag::NONC).unwrap().u32(), Err(wrong));
        assert_eq!(message.require(Tag::NONC).unwrap().arrays::<3>(), Err(wrong));
    }

    #[test]
    fn a_last_value_may_have_any_length() {
        let bytes = [&words(&[1, SIG])[..], b"odd"].concat();
        assert_eq!(Message::parse(&bytes, 0).unwrap().require(Tag::SIG).unwrap().bytes(), b"odd");
        assert_eq!(encode(&[(Tag::SIG, b"odd")]), bytes);
    }

    #[test]
    fn headers_that_are_cut_short() {
        let whole = words(&[2, 0, SIG, VER]);
        for length in 0..whole.len() {
            assert_eq!(reject(&whole[..length]), FormatError::TruncatedMessage { at: 100 }, "{length}");
        }
        assert!(Message::parse(&whole, 100).is_ok());
        assert_eq!(reject(&words(&[u32::MAX, 0, SIG, VER])), FormatError::TruncatedMessage { at: 100 });
        assert_eq!(reject(&words(&[0])), FormatError::EmptyMessage { at: 100 });
        assert_eq!(reject(&words(&[0, 0])), FormatError::EmptyMessage { at: 100 });
    }

    #[test]
    fn offsets_that_cannot_be() {
        let with = |first, second| words(&[3, first, second, SIG, VER, NONC, 1, 2]);
        assert!(Message::parse(&with(8, 8), 100).is_ok());
        assert_eq!(reject(&with(2, 8)), FormatError::UnalignedOffset { at: 104 });
        assert_eq!(reject(&with(8, 4)), FormatError::DescendingOffset { at: 108 });
        assert_eq!(reject(&with(4, 12)), FormatError::OffsetOutsideMessage { at: 108 });
        assert_eq!(reject(&with(4, 0xffff_fffc)), FormatError::OffsetOutsideMessage { at: 108 });
    }

    #[test]
    fn tags_that_cannot_be() {
        let with = |first, second| words(&[2, 0, first, second]);
        assert_eq!(reject(&with(0x20, VER)), FormatError::MalformedTag { at: 108 });
        assert_eq!(reject(&with(SIG, 0xff44_4150)), FormatError::MalformedTag { at: 112 });
        assert_eq!(reject(&with(VER, SIG)), FormatError::TagOutOfOrder { tag: Tag::SIG, at: 112 });
        assert_eq!(reject(&with(SIG, SIG)), FormatError::TagOutOfOrder { tag: Tag::SIG, at: 112 });
    }

    #[test]
    #[should_panic(expected = "tags ascend")]
    fn no_message_is_written_out_of_order() {
        let _ = encode(&[(Tag::VER, &[]), (Tag::SIG, &[])]);
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Message::parse(&bytes, 0);
        }

        /// What parses is written back byte for byte, and what is written parses.
        #[test]
        fn round_trip(pairs in 1..6_u32, mut noise in prop::collection::vec(any::<u8>(), 0..96), cuts: [u8; 5]) {
            let tags = [Tag::SIG, Tag::VER, Tag::NONC, Tag::PATH, Tag::ROOT, Tag::ZZZZ];
            let mut cuts: Vec<_> = cuts.iter().map(|&cut| usize::from(cut) % (noise.len() / 4 + 1) * 4).collect();
            cuts.sort_unstable();
            let mut fields = vec![];
            for index in (0..usize::try_from(pairs).unwrap()).rev() {
                let start = if index == 0 { 0 } else { cuts[index - 1].min(noise.len()) };
                fields.push((tags[index], noise.split_off(start)));
            }
            fields.reverse();
            let fields: Vec<_> = fields.iter().map(|(tag, value)| (*tag, &value[..])).collect();
            let bytes = encode(&fields);
            let message = Message::parse(&bytes, 0).unwrap();
            prop_assert_eq!(message.values().map(|value| (value.tag(), value.bytes())).collect::<Vec<_>>(), fields);
        }
    }
}
