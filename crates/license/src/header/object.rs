//! The PlayReady Object, little-endian (PlayReady Header specification section 2): a length, a record count and
//! records. It is the data of Admit's own `pssh` box, where record 0xAD01 holds the header's signature.

use super::ContentHeader;
use super::error::{HeaderError, ObjectFault};

/// One record of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the value is: one of the `RECORD_` constants, or something this program does not know and keeps.
    pub kind: u16,
    /// The value, without type and length.
    pub value: Vec<u8>,
}

/// A PlayReady Object: the content header with what travels beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderObject {
    records: Vec<Record>,
}

impl HeaderObject {
    /// Makes an object that holds a header and nothing else.
    #[must_use]
    pub fn new(header: &ContentHeader) -> Self {
        Self { records: vec![Record { kind: RECORD_HEADER, value: header.record_bytes().to_vec() }] }
    }

    /// Reads an object, which must fill `bytes`. Unknown records are kept; the header is not looked into.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut input = Input { bytes, offset: 0 };
        let stated = input.take_u32()?;
        if usize::try_from(stated) != Ok(bytes.len()) {
            return Err(fault(0, ObjectFault::LengthMismatch { stated: stated.into(), found: bytes.len() }));
        }
        if bytes.len() > MAX_LENGTH {
            return Err(fault(0, ObjectFault::TooLong { length: bytes.len() }));
        }
        let count = usize::from(input.take_u16()?);
        if count > MAX_RECORDS {
            return Err(fault(4, ObjectFault::TooManyRecords { count }));
        }
        let mut object = Self { records: Vec::with_capacity(count) };
        for _ in 0..count {
            let start = input.offset;
            let kind = input.take_u16()?;
            if SINGLE.contains(&kind) && object.value(kind).is_some() {
                return Err(fault(start, ObjectFault::DuplicateRecord { kind }));
            }
            let length = usize::from(input.take_u16()?);
            object.records.push(Record { kind, value: input.take(length)?.to_vec() });
        }
        match bytes.len() - input.offset {
            0 => Ok(object),
            count => Err(fault(input.offset, ObjectFault::TrailingBytes { count })),
        }
    }

    /// Writes the object. Fails only when its records do not fit in [`MAX_LENGTH`] bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, HeaderError> {
        let length = 6 + self.records.iter().map(|record| 4 + record.value.len()).sum::<usize>();
        let too_long = || fault(0, ObjectFault::TooLong { length });
        if length > MAX_LENGTH {
            return Err(too_long());
        }
        let mut out = Vec::with_capacity(length);
        out.extend(u32::try_from(length).map_err(|_| too_long())?.to_le_bytes());
        out.extend(u16::try_from(self.records.len()).map_err(|_| too_long())?.to_le_bytes());
        for record in &self.records {
            out.extend(record.kind.to_le_bytes());
            out.extend(u16::try_from(record.value.len()).map_err(|_| too_long())?.to_le_bytes());
            out.extend(&record.value);
        }
        Ok(out)
    }

    /// Reads the header record.
    pub fn header(&self) -> Result<ContentHeader, HeaderError> {
        let record = self.value(RECORD_HEADER).ok_or(fault(4, ObjectFault::NoHeader))?;
        ContentHeader::from_record_bytes(record)
    }

    /// The header's signature (a COSE_Sign1 whose detached payload is the header record's value), or `None` when the
    /// header is unsigned.
    #[must_use]
    pub fn signature(&self) -> Option<&[u8]> {
        self.value(RECORD_SIGNATURE)
    }

    /// The embedded license store, or `None` when there is no room made for one.
    #[must_use]
    pub fn embedded_license_store(&self) -> Option<&[u8]> {
        self.value(RECORD_LICENSE_STORE)
    }

    /// Puts a signature in, in place of the one that was there.
    #[must_use]
    pub fn with_signature(self, signature: Vec<u8>) -> Self {
        self.with_record(RECORD_SIGNATURE, signature)
    }

    /// Puts an embedded license store in, in place of the one that was there.
    #[must_use]
    pub fn with_embedded_license_store(self, store: Vec<u8>) -> Self {
        self.with_record(RECORD_LICENSE_STORE, store)
    }

    /// All records in their order.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    fn value(&self, kind: u16) -> Option<&[u8]> {
        self.records.iter().find(|record| record.kind == kind).map(|record| record.value.as_slice())
    }

    fn with_record(mut self, kind: u16, value: Vec<u8>) -> Self {
        match self.records.iter_mut().find(|record| record.kind == kind) {
            Some(record) => record.value = value,
            None => self.records.push(Record { kind, value }),
        }
        self
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], HeaderError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some(taken) = rest.get(..length) else {
            return Err(fault(self.offset, ObjectFault::Truncated { needed: length - rest.len() }));
        };
        self.offset += length;
        Ok(taken)
    }

    fn take_u16(&mut self) -> Result<u16, HeaderError> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn take_u32(&mut self) -> Result<u32, HeaderError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

const fn fault(offset: usize, fault: ObjectFault) -> HeaderError {
    HeaderError::Object { offset, fault }
}

/// The record that holds the content header.
pub const RECORD_HEADER: u16 = 0x0001;
/// The record that holds licenses which travel with the content.
pub const RECORD_LICENSE_STORE: u16 = 0x0003;
/// The record that holds the header's signature. It is Admit's own: PlayReady defines 1 to 3.
pub const RECORD_SIGNATURE: u16 = 0xAD01;
/// The most bytes that an object may have: 15 KB.
pub const MAX_LENGTH: usize = 15 * 1024;
/// The most records that are read.
const MAX_RECORDS: usize = 64;
/// Records that may stand once.
const SINGLE: [u16; 3] = [RECORD_HEADER, RECORD_LICENSE_STORE, RECORD_SIGNATURE];
