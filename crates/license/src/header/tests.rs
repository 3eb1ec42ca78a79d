//! Tests of the content header: published vectors, one-change adversarial cases, and properties.

mod adversarial;
mod object;
mod properties;
mod vectors;

use super::*;

/// A header record of the text.
fn record(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The text of a header record.
fn text(header: &ContentHeader) -> String {
    let units = header.record_bytes().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<_, _>>().unwrap()
}

/// A published example without its indentation.
fn flat(example: &str) -> String {
    example.lines().map(str::trim).collect()
}

fn read(text: &str) -> Result<ContentHeader, HeaderError> {
    ContentHeader::from_record_bytes(&record(text))
}

fn key(id: &str, algorithm: Option<Algorithm>) -> HeaderKey {
    HeaderKey { key_id: id.parse().unwrap(), algorithm, checksum: None }
}
