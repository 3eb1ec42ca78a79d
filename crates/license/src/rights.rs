//! Rights as sets of bits (rows B04 and B05): the seven of the license properties document with their numbers,
//! and the named rights of the chaining document above them.

use core::fmt;
use core::ops::{BitAnd, BitOr};

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u32);

/// A bit is set that no right stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {byte} of the rights has bits {bits:#010b} that stand for no right")]
pub struct UndefinedRights {
    /// Which of the eight bytes: 0 to 3 is the first array, 4 to 7 the second.
    pub byte: usize,
    /// The undefined bits.
    pub bits: u8,
}

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// Play on a PC (AllowPlay).
    pub const PLAY: Self = Self(1);
    /// Transfer to a portable device that is not SDMI-compliant (AllowTransferToNonSDMI).
    pub const TRANSFER_TO_NON_SDMI: Self = Self(2);
    /// The license may *not* be recovered: the one right whose bit takes away.
    pub const NO_RECOVERY: Self = Self(4);
    /// Burn to CD, a single track.
    pub const BURN_TO_CD: Self = Self(8);
    /// The content is SDMI-validated, and may be transferred to SDMI-compliant devices (AllowTransferToSDMI).
    pub const SDMI_VALIDATED: Self = Self(16);
    /// The license is deleted after one use.
    pub const ONE_TIME: Self = Self(32);
    /// A stream may be saved.
    pub const SAVE_STREAM: Self = Self(64);
    /// Burn as part of a playlist (AllowPlaylistBurn, row D06).
    pub const PLAYLIST_BURN: Self = Self(1 << 24);
    /// Back up and restore the license (AllowBackupRestore, row F01).
    pub const BACKUP_RESTORE: Self = Self(1 << 25);

    /// The seven rights of the license properties document.
    pub const DOCUMENTED: Self = Self(0x7f);
    /// The rights that an application of the older SDK knows (row B08).
    pub const OLDER_SDK: Self = Self(7);
    /// Every right there is.
    pub const ALL: Self = Self(0x7f | 1 << 24 | 1 << 25);
    /// Rights that no root or leaf license holds (row D07).
    pub const NOT_IN_CHAINS: Self = Self(2 | 16);

    /// Takes bits as rights, or `None` when one of them stands for no right.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// Takes bits as rights and drops those that stand for no right, as a server does with a request.
    #[must_use]
    pub const fn from_bits_masked(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether every right of `other` is here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some right of `other` is here.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The rights that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The SDMI class of content with these rights.
    #[must_use]
    pub const fn sdmi_class(self) -> SdmiClass {
        match (self.contains(Self::SDMI_VALIDATED), self.contains(Self::TRANSFER_TO_NON_SDMI)) {
            (false, _) => SdmiClass::Unknown,
            (true, false) => SdmiClass::Protected,
            (true, true) => SdmiClass::Validated,
        }
    }

    /// The names of the rights that are here, in the order of their bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(right, _)| self.contains(*right)).map(|(_, name)| *name)
    }
}

/// What rights make of content, as far as SDMI is concerned (row B07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SdmiClass {
    /// Not tested against SDMI's rules.
    Unknown,
    /// Validated, and it may not be transferred to devices that are not SDMI-compliant.
    Protected,
    /// Validated, and it may.
    Validated,
}

impl SdmiClass {
    /// The class as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Protected => "SDMI-protected",
            Self::Validated => "SDMI-validated",
        }
    }
}

/// The two 4-byte arrays of an acquisition script: which requested rights may stay, and which are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RightsArray {
    allowed: Rights,
    given: Rights,
}

impl RightsArray {
    /// The default script's `rights = 3,0,0,0,3,0,0,0` (row B06).
    pub const DEFAULT: Self = Self { allowed: Rights(3), given: Rights(3) };

    /// Reads the eight bytes of a script. Bit 1 of byte 0 is the right with number 1, and so on; no other byte
    /// holds a right, and a bit that stands for none is a mistake in the script.
    pub fn from_bytes(bytes: [u8; 8]) -> Result<Self, UndefinedRights> {
        for (byte, &value) in bytes.iter().enumerate() {
            let defined = if byte % 4 == 0 { 0x7f } else { 0 };
            if value & !defined != 0 {
                return Err(UndefinedRights { byte, bits: value & !defined });
            }
        }
        Ok(Self { allowed: Rights(u32::from(bytes[0])), given: Rights(u32::from(bytes[4])) })
    }

    /// The first array: which requested rights may stay.
    #[must_use]
    pub const fn allowed(self) -> Rights {
        self.allowed
    }

    /// The second array: which rights are given.
    #[must_use]
    pub const fn given(self) -> Rights {
        self.given
    }

    /// `final = (requested & first) | second`, exactly so (row B04).
    #[must_use]
    pub fn apply(self, requested: Rights) -> Rights {
        (requested & self.allowed) | self.given
    }
}

/// The rights of a license: the script's arrays applied to what was requested, or, where the script has none,
/// what was requested.
#[must_use]
pub fn final_rights(requested: Rights, array: Option<RightsArray>) -> Rights {
    array.map_or(requested & Rights::DOCUMENTED, |array| array.apply(requested))
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.names();
        f.write_str(names.next().unwrap_or("none"))?;
        names.try_for_each(|name| write!(f, ", {name}"))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({:#x}: {self})", self.0)
    }
}

impl<C> minicbor::Encode<C> for Rights {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u32(self.0)?.ok()
    }
}

/// Refuses bits that stand for no right: a license never has any.
impl<'b, C> minicbor::Decode<'b, C> for Rights {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        Self::from_bits(d.u32()?).ok_or_else(|| minicbor::decode::Error::message("undefined right").at(position))
    }
}

const NAMES: [(Rights, &str); 9] = [
    (Rights::PLAY, "play"),
    (Rights::TRANSFER_TO_NON_SDMI, "transfer-to-non-sdmi"),
    (Rights::NO_RECOVERY, "no-recovery"),
    (Rights::BURN_TO_CD, "burn-to-cd"),
    (Rights::SDMI_VALIDATED, "sdmi-validated"),
    (Rights::ONE_TIME, "one-time"),
    (Rights::SAVE_STREAM, "save-stream"),
    (Rights::PLAYLIST_BURN, "playlist-burn"),
    (Rights::BACKUP_RESTORE, "backup-restore"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(requested: u32, bytes: [u8; 8]) -> u32 {
        let array = RightsArray::from_bytes(bytes).unwrap();
        final_rights(Rights::from_bits_masked(requested), Some(array)).bits()
    }

    #[test]
    fn b07_the_sdmi_class_follows_from_two_rights() {
        let class = |bits| Rights::from_bits_masked(bits).sdmi_class();
        assert_eq!([class(0), class(2), class(3)], [SdmiClass::Unknown; 3]);
        assert_eq!([class(16), class(17)], [SdmiClass::Protected; 2]);
        assert_eq!([class(18), class(19)], [SdmiClass::Validated; 2]);
    }

    #[test]
    fn b04_the_rows_worked_examples() {
        assert_eq!(issue(7, [13, 0, 0, 0, 0, 0, 0, 0]), 5);
        assert_eq!(issue(127, [13, 0, 0, 0, 0, 0, 0, 0]), 13);
        assert_eq!(issue(7, [3, 0, 0, 0, 3, 0, 0, 0]), 3);
        assert_eq!(RightsArray::from_bytes([3, 0, 0, 0, 3, 0, 0, 0]), Ok(RightsArray::DEFAULT));
    }

    #[test]
    fn b04_every_combination_of_the_seven_bits_follows_the_rule() {
        for requested in 0..128u8 {
            for first in 0..128u8 {
                for second in 0..128u8 {
                    // Right by right, as the document tells it in words.
                    let mut expected = 0;
                    for bit in [1u8, 2, 4, 8, 16, 32, 64] {
                        let asked = requested & bit != 0;
                        let allowed = first & bit != 0;
                        let given = second & bit != 0;
                        if given || (asked && allowed) {
                            expected |= u32::from(bit);
                        }
                    }
                    assert_eq!(issue(requested.into(), [first, 0, 0, 0, second, 0, 0, 0]), expected);
                }
            }
        }
    }

    #[test]
    fn b04_undefined_bits_in_a_script_are_an_error_that_names_the_byte() {
        for byte in 0..8 {
            for bit in 0..8 {
                let mut bytes = [0; 8];
                bytes[byte] = 1 << bit;
                let defined = byte % 4 == 0 && bit < 7;
                let expected = (!defined).then_some(UndefinedRights { byte, bits: 1 << bit });
                assert_eq!(RightsArray::from_bytes(bytes).err(), expected);
            }
        }
    }

    #[test]
    fn b04_undefined_bits_in_a_request_are_masked() {
        assert_eq!(Rights::from_bits_masked(u32::MAX), Rights::ALL);
        assert_eq!(final_rights(Rights::from_bits_masked(u32::MAX), None), Rights::DOCUMENTED);
        assert_eq!(final_rights(Rights::from_bits_masked(0x8000_0005), None).bits(), 5);
    }

    #[test]
    fn b04_a_license_with_an_undefined_right_does_not_read() {
        assert!(minicbor::decode::<Rights>(&minicbor::to_vec(0x80u32).unwrap()).is_err());
        assert_eq!(minicbor::decode::<Rights>(&minicbor::to_vec(0x7fu32).unwrap()).unwrap(), Rights::DOCUMENTED);
    }

    #[test]
    fn rights_print_their_names() {
        assert_eq!((Rights::PLAY | Rights::NO_RECOVERY).to_string(), "play, no-recovery");
        assert_eq!(Rights::NONE.to_string(), "none");
    }
}
