//! What can be wrong with a PKCS#11 token and its key, one variant per cause.

use std::path::PathBuf;

/// The key in the token cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Pkcs11Fault {
    /// The key-encryption key is under a key in a token, and no token is named.
    #[error("the key-encryption key is under a key in a PKCS#11 token, and admit.toml has no [pkcs11]")]
    NotConfigured,
    /// A key is to go under a key in a token, and no token is named.
    #[error("admit.toml names no token")]
    NoToken,
    /// The library is not there, or is no PKCS#11 library.
    #[error("the module {} does not load: {reason}", path.display())]
    Module {
        /// The library.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// No token has this label.
    #[error("the module has no token labelled {label:?}; it has {}", listed(found))]
    TokenAbsent {
        /// The label.
        label: String,
        /// The labels there are.
        found: Vec<String>,
    },
    /// Several tokens have this label.
    #[error("the module has more than one token labelled {label:?}")]
    TokenAmbiguous {
        /// The label.
        label: String,
    },
    /// The token does not take the PIN.
    #[error("the token {token:?} refuses the PIN")]
    PinWrong {
        /// The token's label.
        token: String,
    },
    /// The token takes no PIN any more.
    #[error("the PIN of the token {token:?} is locked")]
    PinLocked {
        /// The token's label.
        token: String,
    },
    /// One more wrong PIN would lock the token, so none was tried.
    #[error("one more wrong PIN would lock the token {token:?}, so none was tried")]
    PinFinalTry {
        /// The token's label.
        token: String,
    },
    /// The token has no key of this label.
    #[error("the token {token:?} has no secret key labelled {key:?}")]
    KeyAbsent {
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
    },
    /// The token has several keys of this label.
    #[error("the token {token:?} has more than one secret key labelled {key:?}")]
    KeyAmbiguous {
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
    },
    /// The key is not one for this use.
    #[error("the key {key:?} is no AES-256 key that may encrypt and decrypt")]
    KeyUnsuitable {
        /// The key's label.
        key: String,
    },
    /// The key does not open what is under it.
    #[error(
        "the key {key:?} does not open the key-encryption key: it is another one, or the file is damaged ({reason})"
    )]
    DoesNotOpen {
        /// The key's label.
        key: String,
        /// What the token says.
        reason: String,
    },
    /// The token failed.
    #[error("the token fails to {action}: {reason}")]
    Device {
        /// What was tried.
        action: &'static str,
        /// What it says.
        reason: String,
    },
}

impl Pkcs11Fault {
    /// Whether asking again with the same PIN can only make it worse.
    pub(crate) const fn is_of_pin(&self) -> bool {
        matches!(self, Self::PinWrong { .. } | Self::PinLocked { .. } | Self::PinFinalTry { .. })
    }
}

fn listed(labels: &[String]) -> String {
    let quoted: Vec<String> = labels.iter().map(|label| format!("{label:?}")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}
