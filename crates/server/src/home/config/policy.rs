//! `[policy]`: what licenses say, where that is not the default.

use super::sample::quoted;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    name: "policy",
    settings: &[
        Setting {
            key: "script",
            doc: "The acquisition script, which says what licenses hold; a running server takes over a changed one.\n\
              admit init writes one with the document's defaults, which hold without a script too.",
            bounds: "file",
            example: "\"policy.rhai\"",
            is_secret: false,
            set: |config, value| {
                config.policy.script = Some(file(value.text()?)?);
                Ok(())
            },
            show: |config| config.policy.script.as_deref().map(|path| quoted(&path.to_string_lossy())),
        },
        Setting {
            key: "rules",
            doc: "Rules in place of the script: offers, and which of them holds for which content and buyer.",
            bounds: "file",
            example: "\"policy.toml\"",
            is_secret: false,
            set: |config, value| {
                config.policy.rules = Some(file(value.text()?)?);
                Ok(())
            },
            show: |config| config.policy.rules.as_deref().map(|path| quoted(&path.to_string_lossy())),
        },
    ],
};

fn file(text: &str) -> Result<std::path::PathBuf, String> {
    if text.is_empty() { Err("expected the path of a file".to_owned()) } else { Ok(text.into()) }
}
