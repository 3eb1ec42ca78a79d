//! A value that an operator gave a setting of a license, in a script or in rules.

/// A value, whatever language it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `()` in a script: as if it had not been set.
    Nothing,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Value>),
    /// Something that no setting takes, by the name of its kind.
    Other(String),
}

impl Value {
    /// `None` where nothing was given, else what `read` makes of it.
    pub(super) fn optional<T>(&self, read: impl FnOnce(&Self) -> Result<T, String>) -> Result<Option<T>, String> {
        if *self == Self::Nothing { Ok(None) } else { read(self).map(Some) }
    }

    pub(super) fn yes_or_no(&self) -> Result<bool, String> {
        if let Self::Bool(value) = self { Ok(*value) } else { Err(self.expected("true or false")) }
    }

    pub(super) fn text(&self) -> Result<&str, String> {
        if let Self::Text(text) = self { Ok(text) } else { Err(self.expected("a text")) }
    }

    /// A whole number within bounds.
    pub(super) fn number<T: TryFrom<i64> + PartialOrd + std::fmt::Display + Copy>(
        &self,
        least: T,
        most: T,
    ) -> Result<T, String> {
        let number = if let Self::Number(number) = self { T::try_from(*number).ok() } else { None };
        let fits = number.filter(|number| (least..=most).contains(number));
        fits.ok_or_else(|| self.expected(&format!("a whole number, {least} to {most}")))
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, String> {
        let found = words.iter().find(|(word, _)| matches!(self, Self::Text(text) if text == word));
        let all = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        found.map(|(_, meaning)| *meaning).ok_or_else(|| self.expected(&format!("one of {}", all())))
    }

    pub(super) fn expected(&self, what: &str) -> String {
        format!("expected {what}, found {}", self.kind())
    }

    /// As a script would write it.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Nothing => "()".to_owned(),
            Self::Text(text) => format!("{text:?}"),
            Self::List(list) => format!("[{}]", list.iter().map(Self::written).collect::<Vec<_>>().join(", ")),
            other => other.kind(),
        }
    }

    fn kind(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("{:?}", text.chars().take(SHOWN).collect::<String>()),
            Self::List(list) => format!("a list of {}", list.len()),
            Self::Other(kind) => kind.clone(),
        }
    }
}

/// How much of a text an error shows.
const SHOWN: usize = 40;
