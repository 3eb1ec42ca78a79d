//! `[pkcs11]`: the key in a PKCS#11 token, over the key-encryption key.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::Config;
use super::sample::quoted;
use super::setting::{Section, Setting};

/// Where the token and its key are, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pkcs11 {
    /// The shared library that speaks to the token.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The key's label.
    pub key: String,
    /// The user's PIN.
    pub pin: Pin,
}

/// A PIN, which is wiped when it is dropped. It can be cloned because settings can.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Takes the PIN's characters.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(secret)")
    }
}

pub(super) const SECTION: Section = Section {
    name: "pkcs11",
    settings: &[
        Setting {
            key: "module",
            doc: "The PKCS#11 library of a hardware security module. With it, `admit admin rotate-key` puts the key-encryption \
                  key under\na key in that module, which the module never gives away; without it, the key is in a file.",
            bounds: "file",
            example: "\"/usr/lib/softhsm/libsofthsm2.so\"",
            is_secret: false,
            set: |config, value| {
                given(config).module = value.text()?.into();
                Ok(())
            },
            show: |config| config.pkcs11.as_ref().map(|pkcs11| quoted(&pkcs11.module.to_string_lossy())),
        },
        Setting {
            key: "token",
            doc: "The label of the token.",
            bounds: "text",
            example: "\"admit\"",
            is_secret: false,
            set: |config, value| {
                given(config).token = label(value.text()?)?;
                Ok(())
            },
            show: |config| config.pkcs11.as_ref().map(|pkcs11| quoted(&pkcs11.token)),
        },
        Setting {
            key: "key",
            doc: "The label of the AES-256 key in it.",
            bounds: "text",
            example: "\"admit-2027\"",
            is_secret: false,
            set: |config, value| {
                given(config).key = label(value.text()?)?;
                Ok(())
            },
            show: |config| config.pkcs11.as_ref().map(|pkcs11| quoted(&pkcs11.key)),
        },
        Setting {
            key: "pin",
            doc: "The PIN of the token's user. Better not here: `pin_file` names a file that holds it instead.",
            bounds: "text",
            example: "\"1234\"",
            is_secret: true,
            set: |config, value| {
                given(config).pin = Pin::new(value.text()?);
                Ok(())
            },
            show: |_| None,
        },
    ],
};

fn given(config: &mut Config) -> &mut Pkcs11 {
    config.pkcs11.get_or_insert_default()
}

/// A token's label has 32 bytes, with spaces behind it that do not count (PKCS#11 2.40, CK_TOKEN_INFO).
fn label(text: &str) -> Result<String, String> {
    if text.is_empty() || text.trim() != text { Err("expected a label".to_owned()) } else { Ok(text.to_owned()) }
}
