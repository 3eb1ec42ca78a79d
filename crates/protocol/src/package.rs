//! Packaging through a server (`admit package --server`): the header of some content is asked for, and its key is
//! registered once the protected file is whole. JSON over HTTPS, with an operator token as bearer token.

use admit_crypto::{ContentKey, Digest};
use admit_license::KeyId;
use admit_license::header::KeyChecksum;
use admit_trust::ComponentVersion;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Where headers are signed: `POST`, a [`HeaderRequest`] for a [`SignedHeader`].
pub const HEADERS_PATH: &str = "/v1/headers";
/// Below this path keys are registered: `PUT`, a [`KeyRegistration`] at the key id.
pub const KEYS_PATH: &str = "/v1/keys";
/// The longest message to either address.
pub const MAX_PACKAGE_MESSAGE: usize = 16 * 1024;

/// The longest [`SignedHeader`]: a header object in hexadecimal, and what stands around it.
pub const MAX_SIGNED_HEADER: usize = 64 * 1024;

/// What a content header is to say. The realm and the license address are the server's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderRequest {
    /// The key that the content is protected with.
    #[serde(with = "text")]
    pub key_id: KeyId,
    /// The checksum of that key, 8 bytes, which lets players notice a mislabelled one.
    #[serde(with = "checksum")]
    pub checksum: KeyChecksum,
    /// The operator's name for the content.
    pub content_id: String,
    /// The page where buyers get a license.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license_page: Option<String>,
    /// The oldest individualized component that may play it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub minimum_individualized_version: Option<ComponentVersion>,
}

/// A header, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHeader {
    /// The realm that will license the content.
    #[serde(with = "digest")]
    pub realm: Digest,
    /// The header object: the data of a `pssh` box.
    #[serde(with = "bytes")]
    pub header: Vec<u8>,
}

/// What is registered for a key id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRegistration {
    /// The content key, 16 bytes.
    #[serde(with = "secret")]
    pub key: ContentKey,
    /// What the key may be given to: `licensed` or `clearkey`.
    pub class: String,
    /// The operator's name for the content, which entitlement tokens name.
    pub content_id: String,
    /// The title, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether licenses are issued without an entitlement token.
    #[serde(default)]
    pub open: bool,
    /// The oldest individualized component that may play it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub minimum_individualized_version: Option<ComponentVersion>,
    /// The least security level of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_application_level: Option<u32>,
}

/// Values that have a text form of their own.
mod text {
    use core::fmt::Display;
    use core::str::FromStr;

    use super::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The same, where there may be none.
mod optional_text {
    use core::fmt::Display;
    use core::str::FromStr;

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

/// Bytes in hexadecimal.
mod bytes {
    use super::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(&*super::hexadecimal(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A digest in hexadecimal.
mod digest {
    use admit_crypto::Digest;

    use super::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = super::hexadecimal(deserializer)?;
        Digest::from_hex(&text).ok_or_else(|| serde::de::Error::custom("expected 64 hexadecimal digits"))
    }
}

/// A checksum of an AESCTR key in hexadecimal.
mod checksum {
    use admit_license::header::KeyChecksum;

    use super::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &KeyChecksum, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            KeyChecksum::AesCtr(checksum) => super::bytes::serialize(checksum, serializer),
            KeyChecksum::Cocktail(_) => Err(serde::ser::Error::custom("only AESCTR keys are packaged")),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyChecksum, D::Error> {
        let mut checksum = [0; 8];
        let text = super::hexadecimal(deserializer)?;
        hex::decode_to_slice(&*text, &mut checksum).map_err(serde::de::Error::custom)?;
        Ok(KeyChecksum::AesCtr(checksum))
    }
}

/// A content key in hexadecimal. Its digits are wiped, and errors do not quote them.
mod secret {
    use admit_crypto::ContentKey;

    use super::{Deserializer, Serializer, Zeroizing};

    pub(super) fn serialize<S: Serializer>(value: &ContentKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(hex::encode(value.expose())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ContentKey, D::Error> {
        let text = super::hexadecimal(deserializer)?;
        let mut key = Zeroizing::new([0; ContentKey::LENGTH]);
        hex::decode_to_slice(&*text, &mut *key)
            .map_err(|_| serde::de::Error::custom("expected a key of 32 hexadecimal digits"))?;
        Ok(ContentKey::from_bytes(*key))
    }
}

fn hexadecimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    // What stands there instead of a text may be the secret: it is not quoted.
    let text = String::deserialize(deserializer).map_err(|_| serde::de::Error::custom("expected hexadecimal digits"));
    text.map(Zeroizing::new)
}
