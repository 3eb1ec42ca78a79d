//! What stands in an argument: times, names, versions, addresses, and texts that may come from a file.

use std::path::Path;
use std::time::Duration;

use admit_crypto::Digest;
use admit_license::Rights;
use admit_protocol::Code;
use admit_trust::ComponentVersion;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::failure::{Failure, Outcome};

/// The token's characters: as they stand, or from the file behind `@`.
pub(crate) fn token_text(given: Option<&str>) -> Outcome<Option<String>> {
    let text = given.map(text_or_file).transpose()?;
    let has_control = |text: &String| text.bytes().any(|byte| !byte.is_ascii_graphic());
    if text.as_ref().is_some_and(has_control) {
        return Err(Failure::new(Code::ADMIT_E_TOKEN_INVALID, "the token holds characters that no token has"));
    }
    Ok(text)
}

/// A text, or what stands in the file behind `@`, without white space around it.
pub(crate) fn text_or_file(given: &str) -> Outcome<String> {
    let Some(path) = given.strip_prefix('@').map(Path::new) else { return Ok(given.to_owned()) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    Ok(text.trim().to_owned())
}

pub(super) fn parse_fingerprint(text: &str) -> Result<Digest, &'static str> {
    Digest::from_hex(text).ok_or("expected 64 hexadecimal digits")
}

/// A long-term key as Roughtime servers publish it.
pub(crate) type PublishedKey = [u8; 32];

pub(super) fn parse_time_key(text: &str) -> Result<PublishedKey, &'static str> {
    let bytes = hex::decode(text).ok().or_else(|| BASE64_STANDARD.decode(text).ok());
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or("expected an Ed25519 key: 32 bytes in base64 or hexadecimal")
}

/// A license's id, or how it begins.
pub(super) fn parse_license_id(text: &str) -> Result<String, &'static str> {
    let is_id = (4..=32).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase()).ok_or("expected 4 to 32 hexadecimal digits")
}

/// One right by its name.
pub(super) fn parse_right(text: &str) -> Result<Rights, String> {
    let of_bit = |bit: u32| Rights::from_bits(1 << bit).filter(|right| right.names().eq([text]));
    (0..u32::BITS).find_map(of_bit).ok_or_else(|| format!("expected some of: {}", Rights::ALL))
}

/// Row A03: only versions of individualized components are minima.
pub(super) fn parse_minimum_version(text: &str) -> Result<ComponentVersion, String> {
    let version: ComponentVersion =
        text.parse().map_err(|error: admit_trust::InvalidComponentVersion| error.to_string())?;
    if version.is_individualized() {
        Ok(version)
    } else {
        Err("a minimum version is one of an individualized component: its last digit is odd, as in 2.4.0.1".into())
    }
}

/// What players may open.
pub(super) fn parse_web_address(text: &str) -> Result<String, &'static str> {
    let expected = "expected an absolute http or https address, such as https://shop.example.org/film";
    admit_license::header::is_web_address(text).then(|| text.to_owned()).ok_or(expected)
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a number and s, m, h or d, such as 24h";
    let unit = text.chars().last().ok_or(EXPECTED)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(EXPECTED),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| EXPECTED)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse_duration("2d"), Ok(Duration::from_secs(172_800)));
        for text in ["", "m", "15", "1.5h", "-1h", "15µ", "99999999999999999999d", "9999999999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }
}
