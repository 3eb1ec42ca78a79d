//! `admit.toml` as `admit init` writes it: every setting with its default or an example, commented out.

use super::{Config, SECTIONS};

/// The file for these settings: what differs from the default is set, the rest is commented out.
pub(in crate::home) fn sample(config: &Config) -> String {
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
            text += &match value {
                Some(value) if Some(&value) != usual.as_ref() => format!("{key} = {value}\n"),
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
