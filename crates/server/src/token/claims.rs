//! What tokens say: the claims of RFC 7519 section 4.1, `cnf` of RFC 7800, and ours.

use core::num::NonZeroU32;

use admit_crypto::{Digest, Provider, PublicKey};
use serde::{Deserialize, Serialize};

use crate::audit;

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it; bound to the key that signed it.
    pub iss: String,
    /// The realm it is for, in hexadecimal.
    pub aud: String,
    /// The buyer.
    pub sub: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// From when on it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Until when it is valid.
    pub exp: u64,
    /// Its own id.
    pub jti: String,
    /// Content ids, or `*`.
    pub content: OneOrMany,
    /// How often it may be used: so many challenges are answered with licenses, or requests with ClearKey keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<NonZeroU32>,
    /// The client key it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Parameters for the acquisition policy.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub policy: serde_json::Map<String, serde_json::Value>,
}

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// The claim `cnf`. A member this program does not know would be a binding it cannot check, so it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// SHA-256 of the client's uncompressed public signing key, in hexadecimal.
    pub kid: String,
}

impl Claims {
    /// Whether the names are short and without control characters: they go into the audit record, for good.
    pub(super) fn is_recordable(&self) -> bool {
        audit::is_recordable(&self.sub) && audit::is_recordable(&self.jti)
    }

    /// What tells a token from others, whatever its bytes: SHA-256 of its issuer, with its length, and its id.
    pub(crate) fn identity(&self, provider: &Provider) -> Digest {
        let length = (self.iss.len() as u64).to_be_bytes();
        (provider.sha256)(&[&length, self.iss.as_bytes(), self.jti.as_bytes()])
    }

    /// Who the buyer is, whatever token names him: SHA-256 of the token's issuer, with its length, and the subject. The text
    /// before them keeps it apart from [`Self::identity`].
    pub(crate) fn owner(&self, provider: &Provider) -> Digest {
        let length = (self.iss.len() as u64).to_be_bytes();
        (provider.sha256)(&[b"admit owner", &length, self.iss.as_bytes(), self.sub.as_bytes()])
    }

    /// Whether the token is for this content.
    #[must_use]
    pub fn covers(&self, content_id: &str) -> bool {
        let covers = |claimed: &str| claimed == "*" || claimed == content_id;
        match &self.content {
            OneOrMany::One(claimed) => covers(claimed),
            OneOrMany::Many(claimed) => claimed.iter().any(|claimed| covers(claimed)),
        }
    }

    /// Whether the token may be used by the client with this signing key.
    #[must_use]
    pub fn may_be_used_by(&self, provider: &Provider, key: &PublicKey) -> bool {
        self.cnf.as_ref().is_none_or(|cnf| Digest::from_hex(&cnf.kid) == Some(key.thumbprint(provider)))
    }
}
