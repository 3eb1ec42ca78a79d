//! Four commands of a TPM 2.0 about a counter in its memory, byte by byte (TPM 2.0 Library, part 3, section 31), authorized
//! by the empty password.

use std::fmt;
use std::io;

/// A response code (part 2, section 6.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(u32);

impl Code {
    /// `TPM_RC_HANDLE` of the first handle: there is no such index.
    pub(super) const NOT_DEFINED: Self = Self(0x18b);
    /// `TPM_RC_NV_UNINITIALIZED`: the counter has not counted yet.
    pub(super) const NOT_WRITTEN: Self = Self(0x14a);
    /// `TPM_RC_RETRY`: not now.
    pub(super) const RETRY: Self = Self(0x922);
    const SUCCESS: Self = Self(0);
}

/// The TPM did not do a command.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Code);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the TPM refuses with code {:#x}", self.0.0)
    }
}

impl std::error::Error for Refused {}

/// `TPM2_NV_DefineSpace`: a counter at this index, in the owner's hierarchy.
pub(super) fn define(index: u32) -> Vec<u8> {
    let public = [&index.to_be_bytes()[..], &SHA256, &COUNTER.to_be_bytes(), &EMPTY, &COUNTER_LENGTH].concat();
    let size = u16::try_from(public.len()).expect("a handful of bytes").to_be_bytes();
    command(0x12a, &[OWNER], &[&EMPTY, &size, &public])
}

/// `TPM2_NV_Increment`.
pub(super) fn increment(index: u32) -> Vec<u8> {
    command(0x134, &[index, index], &[])
}

/// `TPM2_NV_Read`: all eight bytes.
pub(super) fn read(index: u32) -> Vec<u8> {
    command(0x14e, &[index, index], &[&COUNTER_LENGTH, &0_u16.to_be_bytes()])
}

/// The parameters in a response, or its code.
pub(super) fn parameters(response: &[u8]) -> io::Result<Result<&[u8], Refused>> {
    let (head, rest) = response.split_first_chunk::<10>().ok_or_else(malformed)?;
    let [_, _, size @ .., c0, c1, c2, c3] = *head;
    if u32::from_be_bytes(size) as usize != response.len() {
        return Err(malformed());
    }
    let code = Code(u32::from_be_bytes([c0, c1, c2, c3]));
    if code != Code::SUCCESS {
        return Ok(Err(Refused(code)));
    }
    let (size, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
    let parameters = rest.get(..u32::from_be_bytes(*size) as usize).ok_or_else(malformed)?;
    Ok(Ok(parameters))
}

/// The value in what `TPM2_NV_Read` gives: eight bytes behind their length.
pub(super) fn value(parameters: &[u8]) -> io::Result<u64> {
    let value = parameters.strip_prefix(&COUNTER_LENGTH).and_then(|value| value.try_into().ok());
    value.map(u64::from_be_bytes).ok_or_else(malformed)
}

fn command(code: u32, handles: &[u32], parameters: &[&[u8]]) -> Vec<u8> {
    let handles: Vec<u8> = handles.iter().flat_map(|handle| handle.to_be_bytes()).collect();
    let body = [&handles[..], &AUTHORIZATION, &parameters.concat()].concat();
    let size = u32::try_from(HEAD + body.len()).expect("less than a hundred bytes");
    [&SESSIONS[..], &size.to_be_bytes(), &code.to_be_bytes(), &body].concat()
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the TPM's response has not the form of one")
}

/// Tag, size and code.
const HEAD: usize = 10;
/// `TPM_ST_SESSIONS`.
const SESSIONS: [u8; 2] = [0x80, 0x02];
/// Nine bytes: `TPM_RS_PW`, no nonce, no attributes, the empty password.
const AUTHORIZATION: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
/// `TPM_RH_OWNER`.
const OWNER: u32 = 0x4000_0001;
/// `TPM_ALG_SHA256`.
const SHA256: [u8; 2] = [0, 0x0b];
/// `TPMA_NV`: a counter, written and read with its own authorization, which no wrong guess locks.
const COUNTER: u32 = 0x0204_0014;
/// Nothing, with its length.
const EMPTY: [u8; 2] = [0; 2];
const COUNTER_LENGTH: [u8; 2] = [0, 8];
