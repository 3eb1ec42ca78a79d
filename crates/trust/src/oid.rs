//! Object identifiers as their DER value bytes.
//!
//! Admit's arc is 2.25.121598729630437506840114426981258188559 (ITU-T X.667: a UUID under 2.25), whose second
//! number has 128 bits. The `const-oid` crate holds numbers of 32 bits only, so certificates are read and
//! written with this type instead.

use der::asn1::ObjectIdentifier;
use der::{DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Tag, Writer};

/// An object identifier by its DER value bytes, at most 39 of them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Oid(Vec<u8>);

/// Roles, under the arc.
pub(crate) const ROLES: u8 = 1;
/// Properties of clients and applications, under the arc.
pub(crate) const PROPERTIES: u8 = 2;

/// DER value bytes of 2.25.121598729630437506840114426981258188559.
const ARC: [u8; 20] = [
    0x69, 0x81, 0xb6, 0xfb, 0x88, 0x8f, 0xdc, 0x93, 0xfa, 0xac, 0xbf, 0x94, 0x88, 0xcf, 0x9a, 0xdf, 0xff, 0xf5, 0xae,
    0x0f,
];

const MAX_LENGTH: usize = 39;

impl Oid {
    /// An identifier below Admit's arc. Each number must be below 128.
    pub(crate) fn under_arc(numbers: &[u8]) -> Self {
        debug_assert!(numbers.iter().all(|&number| number < 128));
        Self([&ARC[..], numbers].concat())
    }

    /// The numbers behind `Admit's arc . parent`, when this is one number below it.
    pub(crate) fn child_of(&self, parent: u8) -> Option<u8> {
        match self.0.strip_prefix(&ARC)? {
            [found, number] if *found == parent && *number < 128 => Some(*number),
            _ => None,
        }
    }
}

impl From<ObjectIdentifier> for Oid {
    fn from(oid: ObjectIdentifier) -> Self {
        Self(oid.as_bytes().to_vec())
    }
}

impl PartialEq<ObjectIdentifier> for Oid {
    fn eq(&self, other: &ObjectIdentifier) -> bool {
        self.0 == other.as_bytes()
    }
}

impl FixedTag for Oid {
    const TAG: Tag = Tag::ObjectIdentifier;
}

impl<'a> DecodeValue<'a> for Oid {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let length = usize::try_from(header.length())?;
        if length == 0 || length > MAX_LENGTH {
            return Err(Self::TAG.value_error().into());
        }
        let bytes = reader.read_vec(header.length())?;
        let ends = bytes.last().is_some_and(|byte| byte & 0x80 == 0);
        if ends { Ok(Self(bytes)) } else { Err(Self::TAG.value_error().into()) }
    }
}

impl EncodeValue for Oid {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(self.0.len())
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(&self.0)
    }
}

impl core::fmt::Debug for Oid {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Oid(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use der::{Decode, Encode};

    use super::*;

    #[test]
    fn the_arc_is_the_documented_number() {
        let mut value: u128 = 0;
        for byte in &ARC[1..] {
            value = value << 7 | u128::from(byte & 0x7f);
        }
        assert_eq!(ARC[0], 2 * 40 + 25);
        assert_eq!(value, 121_598_729_630_437_506_840_114_426_981_258_188_559);
    }

    #[test]
    fn a_child_is_one_number_below_its_parent() {
        for number in [0, 1, 127] {
            assert_eq!(Oid::under_arc(&[PROPERTIES, number]).child_of(PROPERTIES), Some(number));
            assert_eq!(Oid::under_arc(&[PROPERTIES, number]).child_of(ROLES), None);
        }
        for numbers in [&[][..], &[PROPERTIES], &[PROPERTIES, 3, 1]] {
            assert_eq!(Oid::under_arc(numbers).child_of(PROPERTIES), None, "{numbers:?}");
        }
        // A number of two bytes is one number, and not one below 128.
        for byte in [0x80, 0x81, 0xff] {
            assert_eq!(Oid([&ARC[..], &[PROPERTIES, byte]].concat()).child_of(PROPERTIES), None);
        }
        assert_eq!(Oid([&ARC[..19], &[0x0e, PROPERTIES, 1]].concat()).child_of(PROPERTIES), None);
        assert_eq!(Oid::from(ObjectIdentifier::new_unwrap("2.5.29.15")).child_of(PROPERTIES), None);
    }

    #[test]
    fn an_identifier_has_1_to_39_bytes_and_ends() {
        let der = |value: &[u8]| [&[0x06, u8::try_from(value.len()).unwrap()], value].concat();
        for value in [vec![0x55], vec![0x55, 0x1d, 0x0f], vec![1; MAX_LENGTH]] {
            let oid = Oid::from_der(&der(&value)).unwrap();
            assert_eq!((oid.0.as_slice(), oid.to_der().unwrap()), (&value[..], der(&value)));
        }
        for value in [vec![], vec![0x81], vec![0x55, 0x1d, 0x8f], vec![1; MAX_LENGTH + 1]] {
            assert!(Oid::from_der(&der(&value)).is_err(), "{value:02x?}");
        }
        assert!(Oid::from_der(&[0x04, 1, 0x55]).is_err(), "an octet string");
    }

    #[test]
    fn identifiers_equal_those_of_the_library() {
        let known = ObjectIdentifier::new_unwrap("2.5.29.15");
        assert_eq!(Oid::from(known), known);
        assert_ne!(Oid::from(known), ObjectIdentifier::new_unwrap("2.5.29.19"));
        assert_eq!(format!("{:?}", Oid::from(known)), "Oid(551d0f)");
    }
}
