//! Writes header fields as XML, canonical by construction (PlayReady Header specification sections 3.2 to 3.6).

use super::xml::{close_tag, encode_utf16, open_tag, text_element};
use super::{
    ADMIT_NAMESPACE, Algorithm, CustomAttributes, HeaderFields, HeaderKey, HeaderVersion, KeyChecksum, NAMESPACE, guid,
};

/// The bytes of a header record. What the version cannot carry, the caller has refused.
pub(super) fn record(fields: &HeaderFields, version: HeaderVersion) -> Vec<u8> {
    let mut out = String::new();
    open_tag("WRMHEADER", [("xmlns", NAMESPACE), ("version", version.as_str())], &mut out);
    open_tag("DATA", [], &mut out);
    if version == HeaderVersion::V4_0 {
        key_elements(&fields.keys, &mut out);
    } else {
        protect_info(fields, version, &mut out);
    }
    if let Some(url) = &fields.license_acquisition_url {
        text_element("LA_URL", url, &mut out);
    }
    if let Some(url) = &fields.license_page_url {
        text_element("LUI_URL", url, &mut out);
    }
    if let Some(id) = &fields.domain_service_id {
        text_element("DS_ID", &guid::to_base64(&id.0), &mut out);
    }
    custom_attributes(&fields.custom, &mut out);
    if fields.on_demand {
        text_element("DECRYPTORSETUP", "ONDEMAND", &mut out);
    }
    close_tag("DATA", &mut out);
    close_tag("WRMHEADER", &mut out);
    encode_utf16(&out)
}

/// The key of a 4.0 header: its algorithm in PROTECTINFO, the rest in DATA.
fn key_elements(keys: &[HeaderKey], out: &mut String) {
    for key in keys {
        open_tag("PROTECTINFO", [], out);
        text_element("KEYLEN", "16", out);
        text_element("ALGID", Algorithm::AesCtr.as_str(), out);
        close_tag("PROTECTINFO", out);
        text_element("KID", &guid::to_base64(key.key_id.as_bytes()), out);
        if let Some(checksum) = &key.checksum {
            text_element("CHECKSUM", &encode(checksum), out);
        }
    }
}

fn protect_info(fields: &HeaderFields, version: HeaderVersion, out: &mut String) {
    if fields.keys.is_empty() && fields.license_requested {
        return;
    }
    let requested = (!fields.license_requested).then_some(("LICENSEREQUESTED", "false"));
    open_tag("PROTECTINFO", requested, out);
    let in_list = version >= HeaderVersion::V4_2 && !fields.keys.is_empty();
    if in_list {
        open_tag("KIDS", [], out);
    }
    fields.keys.iter().for_each(|key| key_with_attributes(key, out));
    if in_list {
        close_tag("KIDS", out);
    }
    close_tag("PROTECTINFO", out);
}

fn key_with_attributes(key: &HeaderKey, out: &mut String) {
    let checksum = key.checksum.as_ref().map(encode);
    let value = guid::to_base64(key.key_id.as_bytes());
    let attributes = [
        ("ALGID", key.algorithm.map(Algorithm::as_str)),
        ("CHECKSUM", checksum.as_deref()),
        ("VALUE", Some(value.as_str())),
    ];
    let present = attributes.into_iter().filter_map(|(name, value)| Some((name, value?)));
    open_tag("KID", present, out);
    close_tag("KID", out);
}

fn custom_attributes(custom: &CustomAttributes, out: &mut String) {
    if *custom == CustomAttributes::default() {
        return;
    }
    open_tag("CUSTOMATTRIBUTES", [("xmlns", "")], out);
    let own = [
        ("CONTENTID", custom.content_id.clone()),
        ("INDIVIDUALIZEDVERSION", custom.minimum_individualized_version.map(|version| version.to_string())),
        ("REALM", custom.realm.map(|realm| realm.to_string())),
    ];
    if own.iter().any(|(_, value)| value.is_some()) {
        open_tag("ADMIT", [("xmlns", ADMIT_NAMESPACE)], out);
        for (name, value) in &own {
            if let Some(value) = value {
                text_element(name, value, out);
            }
        }
        close_tag("ADMIT", out);
    }
    out.push_str(&custom.other_xml);
    close_tag("CUSTOMATTRIBUTES", out);
}

fn encode(checksum: &KeyChecksum) -> String {
    match checksum {
        KeyChecksum::AesCtr(bytes) => guid::encode(bytes),
        KeyChecksum::Cocktail(bytes) => guid::encode(bytes),
    }
}
