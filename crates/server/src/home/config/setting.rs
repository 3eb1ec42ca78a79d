//! What a setting is: its name, its words, and how a value goes into a [`Config`] and comes out of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use super::Config;

/// A table of `admit.toml`.
pub(super) struct Section {
    /// Its name; empty for what stands before the first table.
    pub(super) name: &'static str,
    pub(super) settings: &'static [Setting],
}

/// One setting.
pub(super) struct Setting {
    /// Its name in its section.
    pub(super) key: &'static str,
    /// What it says, in one or more lines of at most 110 characters, for the sample.
    pub(super) doc: &'static str,
    /// What values it takes, in words.
    pub(super) bounds: &'static str,
    /// A value as TOML, for a setting that has no default.
    pub(super) example: &'static str,
    /// Whether the value is a secret, which can come from a file or a credential of systemd as well.
    pub(super) is_secret: bool,
    /// Checks a value and puts it in.
    pub(super) set: fn(&mut Config, Given<'_>) -> Result<(), String>,
    /// The value as TOML, where there is one.
    pub(super) show: fn(&Config) -> Option<String>,
}

/// A setting as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Section and key, such as `http.maximum_connections`.
    pub key: String,
    /// The name of the environment variable that overrides it.
    pub variable: String,
    /// The default as TOML.
    pub default: Option<String>,
    /// What values it takes, in words.
    pub bounds: &'static str,
    /// Whether `KEY_file` can name a file that holds the value.
    pub is_secret: bool,
}

/// A value as it was given: in the file, where it has a type, or as text.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// In the file.
    Toml(&'a DeValue<'a>),
    /// In the environment or a file of its own.
    Text(&'a str),
}

impl Setting {
    pub(super) fn described(&self, section: &Section) -> Described {
        let key = self.full_key(section);
        let variable = format!("ADMIT_{}", key.replace('.', "__").to_uppercase());
        let default = (self.show)(&Config::default());
        Described { key, variable, default, bounds: self.bounds, is_secret: self.is_secret }
    }

    pub(super) fn full_key(&self, section: &Section) -> String {
        if section.name.is_empty() { self.key.to_owned() } else { format!("{}.{}", section.name, self.key) }
    }
}

impl<'a> Given<'a> {
    /// The value as text.
    pub(super) fn text(self) -> Result<&'a str, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Toml(DeValue::String(text)) => Ok(text),
            Self::Toml(_) => Err("expected a text in quotation marks".to_owned()),
        }
    }

    /// The value as a list of texts; in the environment they stand behind each other with commas between.
    pub(super) fn texts(self) -> Result<Vec<String>, String> {
        match self {
            Self::Text("") => Ok(Vec::new()),
            Self::Text(text) => Ok(text.split(',').map(|text| text.trim().to_owned()).collect()),
            Self::Toml(DeValue::Array(values)) => {
                values.iter().map(|value| Given::Toml(value.get_ref()).text().map(str::to_owned)).collect()
            }
            Self::Toml(_) => Err("expected a list of texts in square brackets".to_owned()),
        }
    }

    /// The value as one of these words.
    pub(super) fn word<T: Copy>(self, words: &[(&str, T)]) -> Result<T, String> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        let all = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| format!("expected one of {}", all()))
    }

    /// The value as a whole number within bounds.
    pub(super) fn number(self, bounds: RangeInclusive<u32>) -> Result<u32, String> {
        let parsed = match self {
            Self::Toml(DeValue::Integer(number)) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            Self::Text(text) => text.parse().ok(),
            Self::Toml(_) => None,
        };
        let number = parsed.and_then(|number| u32::try_from(number).ok()).filter(|number| bounds.contains(number));
        number.ok_or_else(|| format!("expected a whole number, {} to {}", bounds.start(), bounds.end()))
    }

    /// The value as a number with or without a fraction.
    pub(super) fn real(self) -> Option<f64> {
        match self {
            Self::Toml(DeValue::Float(number)) => number.as_str().parse().ok(),
            Self::Toml(DeValue::Integer(number)) => number.as_str().parse().ok(),
            Self::Text(text) => text.parse().ok(),
            Self::Toml(_) => None,
        }
    }

    /// The value as true or false.
    pub(super) fn yes_or_no(self) -> Result<bool, String> {
        match self {
            Self::Toml(DeValue::Boolean(value)) => Some(*value),
            Self::Text(text) => text.parse().ok(),
            Self::Toml(_) => None,
        }
        .ok_or_else(|| "expected true or false".to_owned())
    }

    /// The value as a number of seconds within bounds.
    pub(super) fn secs(self, bounds: RangeInclusive<u32>) -> Result<Duration, String> {
        self.number(bounds).map(|secs| Duration::from_secs(secs.into()))
    }
}
