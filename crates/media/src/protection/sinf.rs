//! `sinf` with `frma`, `schm` and `schi` (ISO/IEC 14496-12 section 8.12): which scheme protects a sample entry and
//! what the entry was before.

use crate::tree::Node;
use crate::{Error, FourCc, Tenc, fourcc};

/// A protection scheme that is implemented (ISO/IEC 23001-7 section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// AES-128 in counter mode, whole samples or subsamples.
    Cenc,
}

impl Scheme {
    /// The scheme's name in `schm`.
    #[must_use]
    pub const fn fourcc(self) -> FourCc {
        match self {
            Self::Cenc => fourcc::CENC,
        }
    }
}

impl TryFrom<FourCc> for Scheme {
    type Error = Error;

    fn try_from(scheme: FourCc) -> Result<Self, Error> {
        match scheme {
            fourcc::CENC => Ok(Self::Cenc),
            scheme => Err(Error::UnsupportedScheme { scheme }),
        }
    }
}

/// How a sample entry is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleEntryProtection {
    /// The scheme, implemented or not.
    pub scheme: FourCc,
    /// The type of the sample entry before it was protected.
    pub original_format: FourCc,
    /// What holds for its samples; absent in schemes that are not of ISO/IEC 23001-7.
    pub tenc: Option<Tenc>,
}

impl SampleEntryProtection {
    /// Reads the protection of a sample entry, or `None` if it is not protected. Of several `sinf`, the first with a
    /// scheme that is implemented counts, else the first.
    pub fn read(entry: &Node<'_>) -> Result<Option<Self>, Error> {
        let mut first = None;
        for sinf in entry.all(fourcc::SINF) {
            let found = Self::read_sinf(sinf)?;
            if Scheme::try_from(found.scheme).is_ok() {
                return Ok(Some(found));
            }
            first = first.or(Some(found));
        }
        match (entry.kind, first) {
            (fourcc::ENCV | fourcc::ENCA, None) => Err(Error::Missing { at: entry.at, wanted: fourcc::SINF }),
            (_, first) => Ok(first),
        }
    }

    fn read_sinf(sinf: &Node<'_>) -> Result<Self, Error> {
        let original_format = FourCc(sinf.need(fourcc::FRMA)?.fields().array()?);
        let mut schm = sinf.need(fourcc::SCHM)?.fields();
        schm.version_and_flags()?;
        let scheme = FourCc(schm.array()?);
        let tenc = sinf.child(fourcc::SCHI).and_then(|schi| schi.child(fourcc::TENC));
        Ok(Self { scheme, original_format, tenc: tenc.map(|tenc| Tenc::parse(tenc.fields())).transpose()? })
    }
}

/// Builds the `sinf` box of a sample entry.
#[must_use]
pub fn build_sinf(original_format: FourCc, scheme: Scheme, tenc: &Tenc) -> Node<'static> {
    let frma = Node::build(fourcc::FRMA, |out| out.extend_from_slice(&original_format.0));
    let schm = Node::build_full(fourcc::SCHM, 0, 0, |out| {
        out.extend_from_slice(&scheme.fourcc().0);
        out.extend_from_slice(&0x0001_0000_u32.to_be_bytes());
    });
    let schi = Node::build(fourcc::SCHI, |out| tenc.write(out));
    Node::container(fourcc::SINF, Vec::new(), vec![frma, schm, schi])
}

/// Makes a protected sample entry again what it was.
pub fn unprotect_entry(entry: &mut Node<'_>, original_format: FourCc) {
    entry.kind = original_format;
    if let Some(children) = entry.children_mut() {
        children.retain(|child| child.kind != fourcc::SINF);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyId;

    #[test]
    fn what_is_built_is_read_back() {
        let tenc = Tenc {
            protected: true,
            iv_size: 8,
            key_id: KeyId::from_bytes([7; 16]),
            constant_iv: None,
            pattern: (0, 0),
        };
        let sinf = build_sinf(fourcc::AVC1, Scheme::Cenc, &tenc);
        let mut entry = Node::container(fourcc::ENCV, vec![0; 78], vec![sinf]);
        let mut bytes = Vec::new();
        Node::container(fourcc::STSD, vec![0; 8], vec![entry.clone()]).write(&mut bytes);
        let stsd = Node::parse(&bytes, 0).unwrap();
        let expected = SampleEntryProtection { scheme: fourcc::CENC, original_format: fourcc::AVC1, tenc: Some(tenc) };
        assert_eq!(SampleEntryProtection::read(&stsd.children()[0]), Ok(Some(expected)));
        unprotect_entry(&mut entry, fourcc::AVC1);
        assert_eq!((entry.kind, entry.children().len()), (fourcc::AVC1, 0));
    }

    #[test]
    fn other_schemes_are_named() {
        let scheme = FourCc(*b"cbcs");
        assert_eq!(Scheme::try_from(scheme), Err(Error::UnsupportedScheme { scheme }));
    }
}
