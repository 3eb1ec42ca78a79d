//! Reads header fields out of XML, by the rules of the version that the header states (PlayReady Header specification
//! sections 3.3 to 3.6). Unknown elements and attributes are skipped; known ones out of place are refused, because a
//! reader of another version would understand them differently.

mod at;
mod keys;

use admit_crypto::Digest;
use admit_trust::ComponentVersion;

use at::At;

use super::error::{ContentFault, HeaderError};
use super::xml::{Element, Node};
use super::{
    ADMIT_NAMESPACE, CustomAttributes, DomainServiceId, HeaderFields, HeaderVersion, MAX_CONTENT_ID, NAMESPACE, guid,
};

/// Reads a whole header.
pub(super) fn header(root: &Element) -> Result<(HeaderVersion, HeaderFields), HeaderError> {
    let root = At::root(root);
    if root.element.name != "WRMHEADER" {
        return Err(root.fault(ContentFault::NotAHeader));
    }
    if root.element.attribute("xmlns") != Some(NAMESPACE) {
        return Err(root.fault(ContentFault::Namespace));
    }
    let version = root.required_attribute("version", HeaderVersion::from_attribute)?;
    root.holds_only_elements()?;
    let data = match root.child("DATA")? {
        Some(data) => data,
        None if version == HeaderVersion::V4_0 => return Err(root.fault(ContentFault::Missing { name: "DATA" })),
        None => return Ok((version, HeaderFields::default())),
    };
    data.holds_only_elements()?;
    let (keys, license_requested) = keys::keys(&data, version)?;
    let fields = HeaderFields {
        keys,
        license_acquisition_url: data.child_text("LA_URL", url)?,
        license_page_url: data.child_text("LUI_URL", url)?,
        domain_service_id: data.child_text("DS_ID", |text| guid::from_base64(text).map(DomainServiceId))?,
        custom: custom_attributes(&data)?,
        license_requested,
        on_demand: on_demand(&data, version)?,
    };
    Ok((version, fields))
}

fn on_demand(data: &At<'_>, version: HeaderVersion) -> Result<bool, HeaderError> {
    if version == HeaderVersion::V4_0 {
        data.refuse_child("DECRYPTORSETUP", version)?;
    }
    let setup = data.child_text("DECRYPTORSETUP", |text| match text {
        "ONDEMAND" => Ok(()),
        _ => Err(ContentFault::DecryptorSetup),
    })?;
    Ok(setup.is_some())
}

fn url(text: &str) -> Result<String, ContentFault> {
    if is_web_address(text) { Ok(text.to_owned()) } else { Err(ContentFault::Url) }
}

/// Whether a text is an absolute http or https URL of printable ASCII (RFC 3986 section 4.3, RFC 9110 section 4.2), as
/// headers carry it. Other schemes are refused: a player opens these addresses.
#[must_use]
pub fn is_web_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_graphic() && !br#"<>"\^`{|}"#.contains(&byte);
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && !authority.is_empty() && text.bytes().all(allowed)
}

fn custom_attributes(data: &At<'_>) -> Result<CustomAttributes, HeaderError> {
    let Some(custom) = data.custom_attributes()? else {
        return Ok(CustomAttributes::default());
    };
    let is_blank = |node: &Node| matches!(node, Node::Text(text) if text.trim_ascii().is_empty());
    if custom.element.children.iter().all(is_blank) {
        return Err(custom.fault(ContentFault::Empty));
    }
    let is_own = |element: &Element| element.name == "ADMIT" && element.attribute("xmlns") == Some(ADMIT_NAMESPACE);
    let mut read = None;
    let mut other_xml = String::new();
    for node in &custom.element.children {
        match node {
            Node::Element(element) if is_own(element) => {
                let own = custom.below(element, "ADMIT");
                if read.is_some() {
                    return Err(own.fault(ContentFault::Duplicate { name: "ADMIT" }));
                }
                read = Some(own_attributes(&own)?);
            }
            other => other.write(&mut other_xml),
        }
    }
    Ok(CustomAttributes { other_xml, ..read.unwrap_or_default() })
}

fn own_attributes(own: &At<'_>) -> Result<CustomAttributes, HeaderError> {
    own.holds_only_elements()?;
    Ok(CustomAttributes {
        realm: own.child_text("REALM", realm)?,
        content_id: own.child_text("CONTENTID", content_id)?,
        minimum_individualized_version: own.child_text("INDIVIDUALIZEDVERSION", individualized_version)?,
        other_xml: String::new(),
    })
}

fn realm(text: &str) -> Result<Digest, ContentFault> {
    let canonical = |digest: &Digest| digest.to_string() == text;
    Digest::from_hex(text).filter(canonical).ok_or(ContentFault::Realm)
}

fn content_id(text: &str) -> Result<String, ContentFault> {
    let sound = text.chars().count() <= MAX_CONTENT_ID && !text.contains(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err(ContentFault::ContentId) }
}

fn individualized_version(text: &str) -> Result<ComponentVersion, ContentFault> {
    text.parse().map_err(|_| ContentFault::IndividualizedVersion)
}
