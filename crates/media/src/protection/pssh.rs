//! `pssh`, the protection system specific header box (ISO/IEC 23001-7 section 8.1).

use std::fmt;

use admit_crypto::write_uuid;

use crate::frame::put_full_box;
use crate::{Cursor, Error, FourCc, KeyId, fourcc};

/// Names a protection system.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemId(pub [u8; 16]);

/// This system: b6a202a3-f275-446c-9030-29c1fd52463f.
pub const ADMIT_SYSTEM_ID: SystemId = SystemId(0xb6a2_02a3_f275_446c_9030_29c1_fd52_463f_u128.to_be_bytes());

/// The W3C common system, whose box lists key ids and has no data: 1077efec-c0b2-4d02-ace3-3c1e52e2fb4b.
pub const COMMON_SYSTEM_ID: SystemId = SystemId(0x1077_efec_c0b2_4d02_ace3_3c1e_52e2_fb4b_u128.to_be_bytes());

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

impl fmt::Debug for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

/// What a protection system needs to know to get the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pssh {
    /// The system.
    pub system_id: SystemId,
    /// The keys; `None` in a box of version 0, which has no list.
    pub key_ids: Option<Vec<KeyId>>,
    /// The system's own data.
    pub data: Vec<u8>,
}

impl Pssh {
    /// Reads the payload of a box.
    pub fn parse(mut cursor: Cursor<'_>) -> Result<Self, Error> {
        let (version, _) = cursor.version_up_to(1)?;
        let system_id = SystemId(cursor.array()?);
        let key_ids = match version {
            0 => None,
            _ => Some(key_ids(&mut cursor)?),
        };
        let length = cursor.u32()?;
        let data = cursor.table(length, 1)?.to_vec();
        Ok(Self { system_id, key_ids, data })
    }

    /// Appends the box.
    pub fn write(&self, out: &mut Vec<u8>) {
        let version = u8::from(self.key_ids.is_some());
        put_full_box(out, Self::KIND, version, 0, |out| {
            out.extend_from_slice(&self.system_id.0);
            if let Some(key_ids) = &self.key_ids {
                put_length(key_ids.len(), out);
                key_ids.iter().for_each(|id| out.extend_from_slice(id.as_bytes()));
            }
            put_length(self.data.len(), out);
            out.extend_from_slice(&self.data);
        });
    }

    /// The type of the box.
    pub const KIND: FourCc = fourcc::PSSH;
}

fn key_ids(cursor: &mut Cursor<'_>) -> Result<Vec<KeyId>, Error> {
    let count = cursor.u32()?;
    let table = cursor.table(count, 16)?;
    Ok(table.chunks_exact(16).map(|id| KeyId::from_bytes(id.try_into().expect("16 bytes"))).collect())
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(length).expect("headers are far below 4 GiB").to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;
    use crate::frame::RawBox;

    fn example() -> Pssh {
        let key_ids = Some(vec![KeyId::from_bytes([1; 16]), KeyId::from_bytes([2; 16])]);
        Pssh { system_id: ADMIT_SYSTEM_ID, key_ids, data: b"header".to_vec() }
    }

    fn reread(bytes: &[u8]) -> Result<Pssh, Error> {
        Pssh::parse(RawBox::parse(bytes, Location::top(0))?.payload())
    }

    #[test]
    fn both_versions_come_back() {
        for pssh in [example(), Pssh { key_ids: None, ..example() }] {
            let mut bytes = Vec::new();
            pssh.write(&mut bytes);
            assert_eq!(reread(&bytes), Ok(pssh));
        }
    }

    #[test]
    fn a_lying_count_of_keys_is_refused() {
        let mut bytes = Vec::new();
        example().write(&mut bytes);
        bytes[28] = 0xff;
        let at = Location::within(fourcc::PSSH, 32);
        assert_eq!(reread(&bytes), Err(Error::Truncated { at, needed: 0xff00_0002 * 16, available: 42 }));
    }
}
