//! Errors over HTTP: RFC 9457 problem details with our codes.

use serde::{Deserialize, Serialize};

use crate::Code;

/// A problem document. `type` is `urn:admit:error:` and the code's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The problem's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code's description.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The code's number, as `0xC00D2720`.
    pub code: String,
    /// What to do about it.
    pub action: String,
}

impl Problem {
    /// A problem with this code.
    #[must_use]
    pub fn new(code: Code, status: u16, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{TYPE_PREFIX}{}", code.name()),
            title: code.description().into(),
            status,
            detail: detail.into(),
            code: format!("0x{:08X}", code.number()),
            action: code.action().into(),
        }
    }

    /// The code, when it is one this program knows.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        Code::from_name(self.kind.strip_prefix(TYPE_PREFIX)?)
    }

    /// The document's JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of strings and numbers serializes")
    }

    /// Reads a document, or nothing where the bytes are not one.
    #[must_use]
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// The media type of problem documents.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

const TYPE_PREFIX: &str = "urn:admit:error:";
