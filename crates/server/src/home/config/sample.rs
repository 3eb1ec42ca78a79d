//! `admit.toml` as `admit init` writes it: every setting with its default or an example, commented out.

use std::path::Path;

use super::{Config, SECTIONS};

/// The file for these settings: what differs from the default is set, the rest is commented out. Of a secret that
/// stands in a file of its own, the file is named.
pub(in crate::home) fn sample(config: &Config, secret_files: &[(&str, &Path)]) -> String {
    let default = Config::default();
    let mut text =
        "# Settings of this Admit server. A line that is commented out shows the default, or an example.\n".to_owned();
    for section in SECTIONS {
        if !section.name.is_empty() {
            text += &format!("\n[{}]\n", section.name);
        }
        for setting in section.settings {
            if section.name.is_empty() {
                text += "\n";
            }
            text += &setting.doc.lines().map(|line| format!("# {line}\n")).collect::<String>();
            let (value, usual) = ((setting.show)(config), (setting.show)(&default));
            let (key, example) = (setting.key, setting.example);
            let full_key = setting.full_key(section);
            let file = secret_files.iter().find(|(secret, _)| setting.is_secret && *secret == full_key);
            text += &match (file, value) {
                (Some((_, file)), _) => format!("{key}_file = {}\n", quoted(&file.to_string_lossy())),
                (None, Some(value)) if Some(&value) != usual.as_ref() => format!("{key} = {value}\n"),
                _ => format!("# {key} = {}\n", usual.as_deref().unwrap_or(example)),
            };
        }
    }
    text
}

/// A text as TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
