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
    /// A page where the user can do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

impl Problem {
    /// A problem with this code.
    #[must_use]
    pub fn new(code: Code, status: u16, detail: impl Into<String>) -> Self {
        Self {
            kind: problem_type(code),
            title: code.description().into(),
            status,
            detail: detail.into(),
            code: format!("0x{:08X}", code.number()),
            action: code.action().into(),
            page: None,
        }
    }

    /// The code, when it is one this program knows. Types are compared letter by letter (RFC 9457 section 3.1.1).
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        let name = self.kind.strip_prefix(TYPE_PREFIX)?;
        Code::from_name(name).filter(|code| code.name() == name)
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

/// The type of problems with this code.
#[must_use]
pub fn problem_type(code: Code) -> String {
    format!("{TYPE_PREFIX}{}", code.name())
}

/// The media type of problem documents.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

const TYPE_PREFIX: &str = "urn:admit:error:";

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: people may write a code's name as they like, but a type has one spelling.
    #[test]
    fn a_type_in_other_letters_is_another_type() {
        let problem = Problem::new(Code::ADMIT_E_TOKEN_INVALID, 401, "");
        assert_eq!(problem.code(), Some(Code::ADMIT_E_TOKEN_INVALID));
        let other = Problem { kind: problem.kind.replace("INVALID", "INVaLID"), ..problem };
        assert_eq!(other.code(), None);
    }
}
