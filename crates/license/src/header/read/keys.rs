//! The keys of a header, which each version keeps in another place.

use super::at::At;
use crate::KeyId;
use crate::header::error::{ContentFault, HeaderError};
use crate::header::{Algorithm, HeaderKey, HeaderVersion, KeyChecksum, guid};

/// Reads the keys in DATA, and whether a license is requested.
pub(super) fn keys(data: &At<'_>, version: HeaderVersion) -> Result<(Vec<HeaderKey>, bool), HeaderError> {
    if version == HeaderVersion::V4_0 {
        let info = data.required_child("PROTECTINFO")?;
        info.holds_only_elements()?;
        return Ok((vec![key_in_elements(data, &info)?], license_requested(&info, version)?));
    }
    for name in ["KID", "CHECKSUM"] {
        data.refuse_child(name, version)?;
    }
    let Some(info) = data.child("PROTECTINFO")? else {
        return Ok((Vec::new(), true));
    };
    info.holds_only_elements()?;
    for name in ["KEYLEN", "ALGID"] {
        info.refuse_child(name, version)?;
    }
    let keys = if version == HeaderVersion::V4_1 {
        info.refuse_child("KIDS", version)?;
        info.child("KID")?.iter().map(|key| key_in_attributes(key, version)).collect::<Result<_, _>>()?
    } else {
        info.refuse_child("KID", version)?;
        info.child("KIDS")?.map_or(Ok(Vec::new()), |list| key_list(&list, version))?
    };
    Ok((keys, license_requested(&info, version)?))
}

/// LICENSEREQUESTED of 4.3; without it a license is requested.
fn license_requested(info: &At<'_>, version: HeaderVersion) -> Result<bool, HeaderError> {
    let requested = info.attribute("LICENSEREQUESTED", |text| match text {
        _ if version < HeaderVersion::V4_3 => Err(ContentFault::NotInVersion { name: "LICENSEREQUESTED", version }),
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ContentFault::Boolean),
    })?;
    Ok(requested.unwrap_or(true))
}

/// Version 4.0: KEYLEN and ALGID in PROTECTINFO, KID and CHECKSUM in DATA.
fn key_in_elements(data: &At<'_>, info: &At<'_>) -> Result<HeaderKey, HeaderError> {
    let version = HeaderVersion::V4_0;
    for name in ["KID", "KIDS"] {
        info.refuse_child(name, version)?;
    }
    let algorithm = info.required_child("ALGID")?.text(|name| algorithm(name, version))?;
    info.required_child("KEYLEN")?.text(|text| match (text, algorithm) {
        ("16", Algorithm::AesCtr) | ("7", Algorithm::Cocktail) => Ok(()),
        _ => Err(ContentFault::KeyLength),
    })?;
    Ok(HeaderKey {
        key_id: data.required_child("KID")?.text(key_id)?,
        algorithm: Some(algorithm),
        checksum: data.child_text("CHECKSUM", |text| checksum(text, Some(algorithm)))?,
    })
}

/// Versions 4.2 and 4.3: at least one key, each one once, in 4.3 all with the same algorithm or all without.
fn key_list(list: &At<'_>, version: HeaderVersion) -> Result<Vec<HeaderKey>, HeaderError> {
    list.holds_only_elements()?;
    let mut keys: Vec<HeaderKey> = Vec::new();
    for at in list.children("KID") {
        let key = key_in_attributes(&at, version)?;
        if keys.iter().any(|earlier| earlier.key_id == key.key_id) {
            return Err(at.fault(ContentFault::DuplicateKeyId));
        }
        let differs = |first: &HeaderKey| first.algorithm != key.algorithm;
        if version == HeaderVersion::V4_3 && keys.first().is_some_and(differs) {
            return Err(at.fault(ContentFault::MixedAlgorithms));
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(list.fault(ContentFault::Missing { name: "KID" })) } else { Ok(keys) }
}

/// Versions from 4.1 on: an empty element with attributes.
fn key_in_attributes(at: &At<'_>, version: HeaderVersion) -> Result<HeaderKey, HeaderError> {
    if at.element.attribute("xmlns").is_some() {
        return Err(at.fault(ContentFault::Namespace));
    }
    at.holds_nothing()?;
    let named = at.attribute("ALGID", |name| algorithm(name, version))?;
    if named.is_none() && version < HeaderVersion::V4_3 {
        return Err(at.fault(ContentFault::Missing { name: "ALGID" }));
    }
    Ok(HeaderKey {
        key_id: at.required_attribute("VALUE", key_id)?,
        algorithm: named,
        checksum: at.attribute("CHECKSUM", |text| checksum(text, named))?,
    })
}

fn key_id(text: &str) -> Result<KeyId, ContentFault> {
    guid::from_base64(text).map(KeyId::from_bytes)
}

fn algorithm(name: &str, version: HeaderVersion) -> Result<Algorithm, ContentFault> {
    match Algorithm::from_name(name) {
        Some(Algorithm::AesCbc) if version < HeaderVersion::V4_3 => {
            Err(ContentFault::NotInVersion { name: "AESCBC", version })
        }
        Some(algorithm) => Ok(algorithm),
        None => Err(ContentFault::Algorithm),
    }
}

fn checksum(text: &str, algorithm: Option<Algorithm>) -> Result<KeyChecksum, ContentFault> {
    match algorithm {
        None | Some(Algorithm::AesCtr) => guid::decode(text).map(KeyChecksum::AesCtr),
        Some(Algorithm::Cocktail) => guid::decode(text).map(KeyChecksum::Cocktail),
        Some(Algorithm::AesCbc) => Err(ContentFault::ChecksumForbidden),
    }
}
