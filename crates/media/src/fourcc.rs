//! Four-character codes (ISO/IEC 14496-12 section 4.2), which name boxes, brands, codecs and schemes.

use std::fmt::{self, Write as _};

/// A four-character code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// The code as the number it is on the wire.
    #[must_use]
    pub const fn to_be_bytes(self) -> [u8; 4] {
        self.0
    }
}

impl From<u32> for FourCc {
    fn from(value: u32) -> Self {
        Self(value.to_be_bytes())
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            0x20..=0x7e => f.write_char(char::from(byte)),
            // The copyright sign of iTunes names, in Mac Roman as it is on the wire.
            0xa9 => f.write_char('©'),
            other => write!(f, "\\x{other:02x}"),
        })
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names the codes that the crate uses.
macro_rules! codes {
    ($($name:ident = $code:literal),* $(,)?) => {
        $(#[doc = concat!("`", stringify!($name), "`.")] pub const $name: FourCc = FourCc(*$code);)*
    };
}

codes! {
    ALAC = b"alac", AVC1 = b"avc1", AVC3 = b"avc3", AVCC = b"avcC", CO64 = b"co64", COVR = b"covr", CPRT = b"cprt", CTTS = b"ctts",
    CENC = b"cenc", DATA = b"data", DFLA = b"dfLa", EDTS = b"edts", ELST = b"elst", ENCA = b"enca", ENCV = b"encv", ESDS = b"esds", FLAC = b"fLaC", FREE = b"free",
    FRMA = b"frma", FTYP = b"ftyp", HDLR = b"hdlr", ILST = b"ilst", MDAT = b"mdat", MDHD = b"mdhd", MDIA = b"mdia",
    MEHD = b"mehd", META = b"meta", MFHD = b"mfhd", MFRA = b"mfra", MINF = b"minf", MOOF = b"moof", MOOV = b"moov",
    MP4A = b"mp4a", MVEX = b"mvex", MVHD = b"mvhd", OPUS = b"Opus", PRFT = b"prft", PSSH = b"pssh", SAIO = b"saio", SAIZ = b"saiz",
    SBGP = b"sbgp", SCHI = b"schi", SCHM = b"schm", SEIG = b"seig", SENC = b"senc", SGPD = b"sgpd", SIDX = b"sidx",
    SINF = b"sinf", SKIP = b"skip", SOUN = b"soun", SSIX = b"ssix", STBL = b"stbl", STCO = b"stco", STSC = b"stsc",
    STSD = b"stsd", STSS = b"stss", STSZ = b"stsz", STTS = b"stts", STYP = b"styp", STZ2 = b"stz2", TENC = b"tenc",
    TFDT = b"tfdt", TFHD = b"tfhd", TKHD = b"tkhd", TRAF = b"traf", TRAK = b"trak", TREX = b"trex", TRUN = b"trun",
    UDTA = b"udta", UUID = b"uuid", VIDE = b"vide", WIDE = b"wide",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unprintable_bytes_are_shown_as_numbers() {
        assert_eq!(FourCc(*b"\xa9na\x01").to_string(), "©na\\x01");
    }
}
